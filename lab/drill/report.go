package drill

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
)

// Report is what the drill found.
type Report struct {
	Thief           Thief   `json:"thief"`
	Custody         string  `json:"gate_key_custody"`
	Marks           int     `json:"marks"`
	Hits            int     `json:"hits"`         // marks and pictures that the thief found
	ControlHits     int     `json:"control_hits"` // marks that the same search found in the plain store
	Routes          int     `json:"routes"`
	RoutesOpen      int     `json:"routes_open"`
	PortsOpen       int     `json:"ports_open"` // that other machines reach
	URLs            int     `json:"urls_refetched"`
	URLLeaks        int     `json:"url_leaks"`
	IndexHits       int     `json:"index_bruteforce_hits"`
	SwapsOpened     int     `json:"swapped_ciphertexts_opened"`
	WorkingSetHits  int     `json:"working_set_hits"` // marks that a thief of the whole disk reads: what the gate knows at boot
	TemplateMatches int     `json:"template_matches"` // stored templates that compare across galleries
	Duration        float64 `json:"duration_s"`

	// What the figures rest on.
	OK                   bool         `json:"ok"`
	Kinds                map[Kind]int `json:"kinds"`         // marks of each kind
	Forms                int          `json:"forms"`         // in which the marks were looked for
	ControlForms         int          `json:"control_forms"` // of them, found in the plain store
	ControlPictures      int          `json:"control_pictures"`
	Bytes                int64        `json:"bytes_searched"`
	Ports                int          `json:"ports"`
	Swaps                int          `json:"swapped_ciphertexts"`
	TemplatesCompared    int          `json:"templates_compared"`
	Granted              int          `json:"passages_granted"`
	Denied               int          `json:"passages_denied"`
	Searches             int          `json:"searches"`         // of the archive, that found a planted person
	Erased               int          `json:"subjects_erased"`  // with a certificate, before the theft
	Forgotten            int          `json:"forgotten_values"` // of erased subjects and expired days: the vault was asked to open them
	ForgottenOpened      int          `json:"forgotten_values_opened"`
	Requests             int          `json:"requests"`         // of the outsider
	Alarms               int          `json:"alarms_delivered"` // by webhook and mail, and searched
	BackupBytes          int64        `json:"backup_bytes"`     // of the stolen backup, key bundles included
	Crashed              int          `json:"processes_crashed"`
	Elsewhere            bool         `json:"vault_elsewhere"` // the vault is on another machine
	Impersonations       int          `json:"impersonations"`  // calls to that machine with the stolen identity
	ImpersonationsOpened int          `json:"impersonations_opened"`
	Copied               bool         `json:"copied"` // an installation; false for a fresh one
	Live                 bool         `json:"live"`   // a server ran on it
	Version              string       `json:"version"`
	At                   time.Time    `json:"at"`
	Findings             []Finding    `json:"findings"`
	Notes                []string     `json:"notes,omitempty"`

	Signature *Signature `json:"signature,omitempty"`
}

// Finding is something that the drill must not find. It names a mark by its kind and
// number, never by its value.
type Finding struct {
	Kind string `json:"kind"`
	What string `json:"what"`
}

// maxFindings bounds what one kind of finding fills the report with.
const maxFindings = 500

func (r *Report) find(kind, what string) {
	n := 0
	for _, f := range r.Findings {
		if f.Kind == kind {
			n++
		}
	}
	if n < maxFindings {
		r.Findings = append(r.Findings, Finding{kind, what})
	}
}

func (r *Report) note(what string) { r.Notes = append(r.Notes, what) }

// tell takes over what a search found.
func (r *Report) tell(s *search) {
	r.Bytes += s.read
	r.Hits += len(s.found)
	for i, forms := range s.found {
		for form, where := range forms {
			r.find("mark", fmt.Sprintf("%s as %s in %s", s.marks[i], form, where))
		}
	}
	for where, n := range s.pictures {
		r.Hits += n
		r.find("picture", fmt.Sprintf("%d pictures begin in %s", n, where))
	}
	for where, n := range s.guessed {
		r.IndexHits += n
		r.find("index", fmt.Sprintf("%d values in %s are digests of a phone number or plate", n, where))
	}
}

// judge says whether anything was found, and whether the search could have found it.
func (r *Report) judge() {
	if r.ControlHits != r.Marks {
		r.find("control", fmt.Sprintf("the search found %d of %d marks in the plain store: it is blind to the others", r.ControlHits, r.Marks))
	}
	if r.ControlForms != r.Forms {
		r.find("control", fmt.Sprintf("the search found %d of %d forms in the plain store", r.ControlForms, r.Forms))
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	slices.SortFunc(r.Findings, func(a, b Finding) int { return strings.Compare(a.Kind+a.What, b.Kind+b.What) })
	r.OK = len(r.Findings) == 0
}

//go:embed report.html
var pageSource string

var page = template.Must(template.New("report").Parse(pageSource))

// Page renders the report as a page of its own, without anything from elsewhere.
func Page(r Report) ([]byte, error) {
	var b strings.Builder
	if err := page.Execute(&b, view{r}); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// view is the report for its page.
type view struct{ Report }

// Line is one row of the page's table.
type Line struct {
	What, Why string
	Found     int
	Of        int
	OK        bool
}

// Lines are the attacks, in the order in which they are told.
func (v view) Lines() []Line {
	line := func(what, why string, found, of int) Line { return Line{what, why, found, of, found == 0} }
	lines := []Line{
		line("Marks and pictures in what was stolen", fmt.Sprintf("%d marks in %d forms, looked for in %s of files, pages, logs, metrics, temporary files, webhooks, mails and a backup", v.Marks, v.Forms, size(v.Bytes)), v.Hits, v.Marks),
		line("Guessed from an index", "every phone number and plate of a region, hashed and keyed with all that may be a key", v.IndexHits, 0),
		line("Ciphertexts that open elsewhere", "exchanged between rows, records, pictures, key rows and working items", v.SwapsOpened, v.Swaps),
		line("Values of erased subjects and expired days that open", "asked of the unsealed vault, with copies that were made before", v.ForgottenOpened, v.Forgotten),
		line("Calls with the gate's stolen identity that give something", "to the vault's machine, while nobody has unsealed it", v.ImpersonationsOpened, v.Impersonations),
		line("Templates that compare", "across a rekey of the gallery, and with the face itself", v.TemplateMatches, v.TemplatesCompared),
		line("Ports that other machines reach", "of every process of the copy", v.PortsOpen, v.Ports),
		line("Routes that are open", "every route, with every method and every credential that is not its own", v.RoutesOpen, v.Routes),
		line("Addresses that work without a session", "every address that pages, answers, stream, log, webhooks and mails gave away, without a credential and with wrong ones", v.URLLeaks, v.URLs),
	}
	control := line("Positive control", "the same search in a plain store of the same marks", v.ControlHits, v.Marks)
	control.OK = v.ControlHits == v.Marks && v.ControlForms == v.Forms
	return append(lines, control)
}

func size(n int64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
