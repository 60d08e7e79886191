package drill

import (
	"crypto/ed25519"
	"crypto/rand"
	_ "embed" // the page
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse"
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
	OK                bool         `json:"ok"`
	Kinds             map[Kind]int `json:"kinds"`         // marks of each kind
	Forms             int          `json:"forms"`         // in which the marks were looked for
	ControlForms      int          `json:"control_forms"` // of them, found in the plain store
	ControlPictures   int          `json:"control_pictures"`
	Bytes             int64        `json:"bytes_searched"`
	Ports             int          `json:"ports"`
	Swaps             int          `json:"swapped_ciphertexts"`
	TemplatesCompared int          `json:"templates_compared"`
	Granted           int          `json:"passages_granted"`
	Denied            int          `json:"passages_denied"`
	Crashed           int          `json:"processes_crashed"`
	Copied            bool         `json:"copied"` // an installation; false for a fresh one
	Live              bool         `json:"live"`   // a server ran on it
	Version           string       `json:"version"`
	At                time.Time    `json:"at"`
	Findings          []Finding    `json:"findings"`
	Notes             []string     `json:"notes,omitempty"`

	Signature *Signature `json:"signature,omitempty"`
}

// Finding is something that the drill must not find. It names a mark by its kind and
// number, never by its value.
type Finding struct {
	Kind string `json:"kind"`
	What string `json:"what"`
}

// Signature is over the report's JSON without it.
type Signature struct {
	By        string `json:"by"`         // which key: of the audit log, or the drill's own
	PublicKey string `json:"public_key"` // Ed25519, hexadecimal
	Value     string `json:"value"`      // hexadecimal
}

// Signer signs reports: the audit log's key, where it can be reached.
type Signer interface {
	// SignReport returns an Ed25519 signature, the public key and the key's name.
	SignReport(message []byte) (signature []byte, public ed25519.PublicKey, name string, err error)
}

// maxFindings bounds what one kind of finding fills the report with.
const maxFindings = 50

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

// message is what is signed.
func (r Report) message() ([]byte, error) {
	r.Signature = nil
	return json.Marshal(r)
}

// Verify reports whether the report is as its signature's key signed it.
func Verify(r Report) error {
	bad := gatehouse.Errorf("drill.signature", "ask for the report again", "the report is not as it was signed")
	if r.Signature == nil {
		return bad
	}
	key, err1 := hex.DecodeString(r.Signature.PublicKey)
	signature, err2 := hex.DecodeString(r.Signature.Value)
	message, err3 := r.message()
	if err1 != nil || err2 != nil || err3 != nil || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, message, signature) {
		return bad
	}
	return nil
}

// publish signs the report and writes it where it is wanted.
func (d *drill) publish() error {
	signer := d.Signer
	if signer == nil {
		key, err := ownKey(d.ReportDir)
		if err != nil {
			return err
		}
		signer = key
	}
	message, err := d.report.message()
	if err != nil {
		return err
	}
	signature, public, name, err := signer.SignReport(message)
	if err != nil {
		return err
	}
	d.report.Signature = &Signature{By: name, PublicKey: hex.EncodeToString(public), Value: hex.EncodeToString(signature)}
	if d.ReportDir == "" {
		return nil
	}
	out, err := json.MarshalIndent(d.report, "", "  ")
	if err != nil {
		return err
	}
	if err := write(d.ReportDir, "drill.json", append(out, '\n'), 0o644); err != nil {
		return err
	}
	page, err := Page(d.report)
	if err != nil {
		return err
	}
	return write(d.ReportDir, "drill.html", page, 0o644)
}

func write(dir, name string, b []byte, mode os.FileMode) error {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), b, mode)
	}
	if err != nil {
		return gatehouse.Errorf("drill.report", "name another --report", "the report cannot be written: %w", err)
	}
	return nil
}

// reportKey is a key for reports alone.
type reportKey struct {
	ed25519.PrivateKey
	name string
}

// SignReport implements Signer.
func (k reportKey) SignReport(message []byte) ([]byte, ed25519.PublicKey, string, error) {
	return ed25519.Sign(k.PrivateKey, message), k.Public().(ed25519.PublicKey), k.name, nil
}

const keyFile = "drill.key"

// ownKey is the key in the report's directory, made at the first report; without a
// directory it is made for this report alone.
func ownKey(dir string) (Signer, error) {
	if dir == "" {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return reportKey{key, "a key of this report alone"}, err
	}
	name := "the drill's own key (" + keyFile + ")"
	b, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err == nil {
		seed, err := hex.DecodeString(strings.TrimSpace(string(b)))
		if err != nil || len(seed) != ed25519.SeedSize {
			return nil, gatehouse.Errorf("drill.key", "move the file away; a new key is made then", "%s holds no key", keyFile)
		}
		return reportKey{ed25519.NewKeyFromSeed(seed), name}, nil
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return reportKey{key, name}, write(dir, keyFile, []byte(hex.EncodeToString(key.Seed())+"\n"), 0o600)
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
		line("Marks and pictures in what was stolen", fmt.Sprintf("%d marks in %d forms, looked for in %s of files, pages, logs, metrics and temporary files", v.Marks, v.Forms, size(v.Bytes)), v.Hits, v.Marks),
		line("Guessed from an index", "every phone number and plate of a region, hashed and keyed with all that may be a key", v.IndexHits, 0),
		line("Ciphertexts that open elsewhere", "exchanged between rows, records, pictures, key rows and working items", v.SwapsOpened, v.Swaps),
		line("Templates that compare", "across a rekey of the gallery, and with the face itself", v.TemplateMatches, v.TemplatesCompared),
		line("Ports that other machines reach", "of every process of the copy", v.PortsOpen, v.Ports),
		line("Routes that are open", "every route, with every method and eight credentials that are not its own", v.RoutesOpen, v.Routes),
		line("Addresses that work without a session", "every address that pages, answers, stream and log gave away", v.URLLeaks, v.URLs),
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
