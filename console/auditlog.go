package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// Audit reads and verifies the audit log. Nothing in it is personal.
type Audit interface {
	// Entries are at most q.Limit, the newest first; next goes into q.Before, 0 at the end.
	Entries(ctx context.Context, q AuditQuery) (found []AuditEntry, next int64, err error)
	State(ctx context.Context) (AuditState, error)
	// Prove gives the file that shows, with the log's key alone, that an entry stands in
	// the log: by its number or by the id that it records. audit.not_found, id.malformed.
	Prove(ctx context.Context, what string) ([]byte, error)
	// Verify begins to verify all of it; deep reads every sealed picture too: job.running.
	Verify(ctx context.Context, who Who, deep bool) error
	StopVerify()
}

// AuditQuery asks for entries.
type AuditQuery struct {
	Before       int64 // 0 from the newest
	Kind         gatehouse.LeafKind
	Since, Until time.Time // zero: no limit
	Limit        int
}

// AuditEntry is one entry in words: opaque ids, numbers and digests.
type AuditEntry struct {
	Index  int64
	At     time.Time
	Kind   gatehouse.LeafKind
	Fields [][2]string // name, value
}

// AuditState is how the log stands.
type AuditState struct {
	Size       int64
	Checkpoint string   // signed, with its witnesses' cosignatures
	Keys       []string // that it is verified with, the newest first
	Lag        int      // entries that are on their way
	Witnesses  []WitnessState
	Job        Job
	Report     *AuditReport // of the last verification here
}

// WitnessState is one witness.
type WitnessState struct {
	Name    string
	Reached time.Time // since the start; zero for never
}

// AuditReport is what a verification found.
type AuditReport struct {
	OK                                                                     bool
	At                                                                     time.Time
	Size, Witnessed, Unsigned, Passages, Gone, Blobs, GateLeaves, Removals int64
	Checkpoints, Disclosures, More                                         int
	Root                                                                   string
	Deep                                                                   bool
	Findings                                                               [][2]string // code, what
}

// auditing is the area of the audit log.
var auditing = area{
	pages:  []string{"audit"},
	routes: (*Console).auditRoutes,
	nav:    []entry{{"nav.privacy", "audit", "/audit", "audit.title", gatehouse.SeeAuditLog}},
}

func (c *Console) auditRoutes() []auth.Route {
	if c.o.Audit == nil {
		return nil
	}
	see := auth.Needs(gatehouse.SeeAuditLog)
	return []auth.Route{
		{Pattern: "GET /audit", Policy: see, Handler: c.audit},
		{Pattern: "GET /audit/proofs/{id}", Policy: see, Handler: c.proof},
		{Pattern: "GET /audit/checkpoint", Policy: see, Handler: c.checkpoint},
		{Pattern: "GET /audit/verify", Policy: see, Handler: c.verifyState},
		{Pattern: "POST /audit/verify", Policy: see, Handler: c.verifyLog, Page: "/audit"},
		{Pattern: "POST /audit/verify/stop", Policy: see, Handler: c.stopVerify, Page: "/audit"},
	}
}

type auditBody struct {
	State   AuditState
	Verify  verifyView
	Rows    []auditRow
	Kinds   []gatehouse.LeafKind
	Kind    string
	Since   string
	Until   string
	Older   string // address of the page behind, "" at the end
	Newest  string // address of the first page, "" where this is it
	File    string
	Problem string
}

type auditRow struct {
	AuditEntry
	Words [][2]string
}

type verifyView struct {
	View   jobView
	Report *AuditReport
}

func (c *Console) verifyView(lang string, s AuditState) verifyView {
	return verifyView{viewJob(lang, s.Job, "/audit/verify", "/audit/verify/stop", "audit.verifying"), s.Report}
}

func (c *Console) audit(w http.ResponseWriter, r *http.Request) {
	lang, v := languageOf(w, r), r.URL.Query()
	b := auditBody{Kinds: gatehouse.LeafKinds, Since: v.Get("since"), Until: v.Get("until")}
	q := AuditQuery{Limit: pageRows}
	if kind := gatehouse.LeafKind(v.Get("kind")); slices.Contains(gatehouse.LeafKinds, kind) {
		q.Kind, b.Kind = kind, string(kind)
	}
	var err error
	if q.Since, err = c.moment(b.Since); err == nil {
		q.Until, err = c.moment(b.Until)
	}
	if err != nil {
		b.Problem, b.Since, b.Until, q.Since, q.Until = plainError(lang, err), "", "", time.Time{}, time.Time{}
	}
	if n, err := strconv.ParseInt(v.Get("before"), 10, 64); err == nil && n > 0 {
		q.Before = n
	}
	if v.Get("format") == "csv" {
		c.auditFile(w, r, q)
		return
	}
	if b.State, err = c.o.Audit.State(r.Context()); err != nil {
		c.fail(w, r, err)
		return
	}
	found, next, err := c.o.Audit.Entries(r.Context(), q)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	for _, e := range found {
		row := auditRow{AuditEntry: e}
		for _, f := range e.Fields {
			row.Words = append(row.Words, [2]string{fieldName(lang, f[0]), f[1]})
		}
		b.Rows = append(b.Rows, row)
	}
	at := func(more ...string) string {
		u := v
		for _, name := range []string{"before", "format", "lang"} {
			u.Del(name)
		}
		for i := 0; i+1 < len(more); i += 2 {
			u.Set(more[i], more[i+1])
		}
		if len(u) == 0 {
			return "/audit"
		}
		return "/audit?" + u.Encode()
	}
	if b.File = at("format", "csv"); next > 0 {
		b.Older = at("before", strconv.FormatInt(next, 10))
	}
	if q.Before > 0 {
		b.Newest = at()
	}
	b.Verify = c.verifyView(lang, b.State)
	c.render(w, r, http.StatusOK, "audit", "audit.title", "audit", b)
}

// fieldName is what an entry's field is called; one that has no text is shown as it is.
func fieldName(lang, name string) string {
	if _, ok := texts["entry."+name]; ok {
		return text(lang, "entry."+name)
	}
	return name
}

func (c *Console) auditFile(w http.ResponseWriter, r *http.Request, q AuditQuery) {
	q.Limit = leafRead
	c.batches(w, r, "audit", []string{"entry", "at", "kind", "what"}, func() (out [][]string, last bool, err error) {
		found, next, err := c.o.Audit.Entries(r.Context(), q)
		for _, e := range found {
			var words []string
			for _, f := range e.Fields {
				words = append(words, f[0]+" "+f[1])
			}
			out = append(out, []string{strconv.FormatInt(e.Index, 10), when(e.At), string(e.Kind), strings.Join(words, "; ")})
		}
		q.Before = next
		return out, next == 0, err
	})
}

// proof is the file that proves an entry.
func (c *Console) proof(w http.ResponseWriter, r *http.Request) {
	b, err := c.o.Audit.Prove(r.Context(), r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.attachment(w, "proof.json", "application/json", b)
}

// checkpoint is the newest one, as a file.
func (c *Console) checkpoint(w http.ResponseWriter, r *http.Request) {
	s, err := c.o.Audit.State(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.attachment(w, "checkpoint.txt", "text/plain; charset=utf-8", []byte(s.Checkpoint))
}

func (c *Console) verifyState(w http.ResponseWriter, r *http.Request) {
	s, err := c.o.Audit.State(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.fragment(w, languageOf(w, r), "parts", "verify", c.verifyView(languageOf(w, r), s))
}

func (c *Console) verifyLog(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1024)
	if err := c.o.Audit.Verify(r.Context(), who(r), r.PostFormValue("deep") == "yes"); err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/audit", http.StatusSeeOther)
}

func (c *Console) stopVerify(w http.ResponseWriter, r *http.Request) {
	c.o.Audit.StopVerify()
	http.Redirect(w, r, "/audit", http.StatusSeeOther)
}
