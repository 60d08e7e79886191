package console

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/flow/erase"
)

type retentionBody struct {
	RetentionState
	View jobView
}

func (c *Console) retentionView(w http.ResponseWriter, r *http.Request) (retentionBody, error) {
	s, err := c.o.Privacy.Retention(r.Context())
	return retentionBody{s, viewJob(languageOf(w, r), s.Job, "/privacy/retention/run", "/privacy/retention/stop", "retention.running")}, err
}

func (c *Console) retention(w http.ResponseWriter, r *http.Request) {
	b, err := c.retentionView(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "retention", "retention.title", "retention", b)
}

// retentionRun is the part of the page that says how far a run is.
func (c *Console) retentionRun(w http.ResponseWriter, r *http.Request) {
	b, err := c.retentionView(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.fragment(w, languageOf(w, r), "parts", "retentionrun", b)
}

func (c *Console) runRetention(w http.ResponseWriter, r *http.Request) {
	if err := c.o.Privacy.RunRetention(r.Context(), who(r)); err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/privacy/retention", http.StatusSeeOther)
}

func (c *Console) stopRetention(w http.ResponseWriter, r *http.Request) {
	c.o.Privacy.StopRetention()
	http.Redirect(w, r, "/privacy/retention", http.StatusSeeOther)
}

type holdsBody struct {
	List    listing
	Rows    []HoldState
	None    bool
	Problem string
	Latest  string // the last day that a hold may have
}

func (c *Console) holds(w http.ResponseWriter, r *http.Request, status int, problem string) {
	all, err := c.o.Privacy.Holds(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	list := listingOf(r)
	shown := arrange(&list, all, func(h HoldState) []string { return []string{h.Label, h.Day, h.Operator} },
		by("label", func(h HoldState) string { return h.Label + h.Day }), byTime("made", func(h HoldState) time.Time { return h.Made }), byTime("until", func(h HoldState) time.Time { return h.Until }),
		by("who", func(h HoldState) string { return h.Operator }), by("items", func(h HoldState) int { return h.Items }))
	if list.File {
		var out [][]string
		for _, h := range shown {
			out = append(out, []string{h.ID.String(), h.Label, h.Day, h.Operator, when(h.Made), when(h.Until)})
		}
		c.file(w, "holds", []string{"id", "label", "day", "operator", "made", "until"}, out)
		return
	}
	c.render(w, r, status, "holds", "holds.title", "holds", holdsBody{List: list, Rows: shown, None: len(all) == 0, Problem: problem,
		Latest: c.o.Now().In(c.o.Location).AddDate(1, 0, 0).Format(time.DateOnly)})
}

// until reads a hold's last day: its end is the end of that day.
func (c *Console) until(r *http.Request) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(r.PostForm.Get("until")), c.o.Location)
	if err != nil {
		return day, gatehouse.Errorf("hold.until", "give a day, such as 2027-03-31", "that is no day")
	}
	return day.AddDate(0, 0, 1).Add(-time.Second), nil
}

// onHolds carries out a change of the holds, and shows them.
func (c *Console) onHolds(w http.ResponseWriter, r *http.Request, do func() error) {
	err := privacyForm(w, r)
	if err == nil {
		err = do()
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.holds(w, r, status, problem)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/privacy/holds", http.StatusSeeOther)
}

func (c *Console) placeHold(w http.ResponseWriter, r *http.Request) {
	c.onHolds(w, r, func() error {
		subject, err := c.found(r)
		if err != nil {
			return err
		}
		until, err := c.until(r)
		if err != nil {
			return err
		}
		return c.o.Privacy.PlaceHold(r.Context(), who(r), subject, strings.TrimSpace(r.PostForm.Get("day")), until, strings.TrimSpace(r.PostForm.Get("reason")))
	})
}

func (c *Console) extendHold(w http.ResponseWriter, r *http.Request) {
	c.onHolds(w, r, func() error {
		id, err := gatehouse.ParseID(r.PathValue("id"))
		if err != nil {
			return err
		}
		until, err := c.until(r)
		if err != nil {
			return err
		}
		return c.o.Privacy.ExtendHold(r.Context(), who(r), id, until)
	})
}

func (c *Console) liftHold(w http.ResponseWriter, r *http.Request) {
	c.onHolds(w, r, func() error {
		id, err := gatehouse.ParseID(r.PathValue("id"))
		if err != nil {
			return err
		}
		return c.o.Privacy.LiftHold(r.Context(), who(r), id)
	})
}

type releasesBody struct {
	List listing
	Rows []releaseRow
	None bool
	More bool // each has a page
}

type releaseRow struct {
	gatehouse.Release
	State string
}

// releaseState is asked, approved, written or expired.
func releaseState(r gatehouse.Release, now time.Time) string {
	switch {
	case !r.Written.IsZero():
		return "written"
	case now.After(r.Expires):
		return "expired"
	case r.Approver != "":
		return "approved"
	}
	return "asked"
}

func (c *Console) releases(w http.ResponseWriter, r *http.Request) {
	all, err := c.o.Privacy.Releases(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	list := listingOf(r)
	var rows []releaseRow
	for _, one := range all {
		rows = append(rows, releaseRow{one, releaseState(one, c.o.Now())})
	}
	shown := arrange(&list, rows, func(x releaseRow) []string { return []string{x.Request.Operator, x.Approver, x.Request.Purpose} },
		byTime("at", func(x releaseRow) time.Time { return x.Request.At }), by("state", func(x releaseRow) string { return x.State }), by("items", func(x releaseRow) int { return x.Count }),
		by("purpose", func(x releaseRow) string { return x.Request.Purpose }))
	if list.File {
		var out [][]string
		for _, x := range shown {
			out = append(out, []string{x.Request.ID.String(), when(x.Request.At), x.Request.Operator, x.Request.Purpose, itoa(x.Count), x.State, x.Approver, when(x.Approved), when(x.Written)})
		}
		c.file(w, "releases", []string{"id", "at", "operator", "purpose", "items", "state", "approver", "approved", "written"}, out)
		return
	}
	c.render(w, r, http.StatusOK, "releases", "releases.title", "releases", releasesBody{List: list, Rows: shown, None: len(all) == 0, More: c.o.Control != nil})
}

type erasuresBody struct {
	Open    []erase.Progress // that have not ended
	List    listing
	Rows    []ErasureState
	None    bool
	Problem string
}

func (c *Console) erasures(w http.ResponseWriter, r *http.Request, status int, problem string) {
	all, err := c.o.Privacy.Erasures(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	list := listingOf(r)
	shown := arrange(&list, all, func(e ErasureState) []string { return []string{e.ID.String()} },
		byTime("at", func(e ErasureState) time.Time { return e.At }), byTime("final", func(e ErasureState) time.Time { return e.FinalAt }), by("passages", func(e ErasureState) int { return e.Passages }))
	if list.File {
		var out [][]string
		for _, e := range shown {
			out = append(out, []string{e.ID.String(), when(e.At), itoa(e.Chains), itoa(e.Passages), when(e.FinalAt), itoa(int(e.Entry))})
		}
		c.file(w, "erasures", []string{"id", "at", "chains", "passages", "final_at", "entry"}, out)
		return
	}
	var open []erase.Progress
	if c.o.Registry.Erasures != nil {
		if open, err = c.o.Registry.Erasures.Erasing(r.Context()); err != nil {
			c.fail(w, r, err)
			return
		}
	}
	c.render(w, r, status, "erasures", "erasures.title", "erasures", erasuresBody{Open: open, List: list, Rows: shown, None: len(all) == 0, Problem: problem})
}

// whomToErase finds who is meant and leads on to the question, which is asked on one page
// for everybody who may erase.
func (c *Console) whomToErase(w http.ResponseWriter, r *http.Request) {
	err := privacyForm(w, r)
	var subject gatehouse.SubjectID
	if err == nil {
		if subject, err = c.found(r); gatehouse.ErrorCode(err) == "subject.unknown" { // not enrolled: perhaps a one-off
			if id, no := gatehouse.ParseID(strings.TrimSpace(r.PostForm.Get("subject"))); no == nil && c.o.Registry.Erasures != nil {
				if known, failed := c.o.Registry.Erasures.Known(r.Context(), id); failed != nil || known {
					subject, err = id, failed
				}
			}
		}
		if err == nil && subject.IsZero() {
			err = gatehouse.Errorf("subject.unknown", "give a badge label or an id", "nobody was named")
		}
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.erasures(w, r, status, problem)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/people/"+subject.String()+"/erase", http.StatusSeeOther)
}

type certificateBody struct {
	Certificate gatehouse.ErasureCertificate
	Entry       int64
	Findings    []string // what is still held
	Proved      bool     // the file carries its proof; the log gives one within a minute
	Over        bool     // FinalAt has passed
}

// certificatePage shows a certificate, and what of it holds today: the installation is looked
// through, which is why nothing has to be believed.
func (c *Console) certificatePage(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	var raw []byte
	if err == nil {
		raw, err = c.o.Privacy.Certificate(r.Context(), id)
	}
	var doc struct {
		Certificate gatehouse.ErasureCertificate `json:"certificate"`
		Leaf        int64                        `json:"leaf"`
		Proof       json.RawMessage              `json:"proof"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &doc)
	}
	b := certificateBody{Certificate: doc.Certificate, Entry: doc.Leaf, Proved: len(doc.Proof) > 0, Over: c.o.Now().After(doc.Certificate.FinalAt)}
	if err == nil {
		b.Findings, err = c.o.Privacy.CheckErasure(r.Context(), id)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "certificate", "erasures.one", "erasures", b)
}

// certificateFile is the file of an erasure.
func (c *Console) certificateFile(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	var raw []byte
	if err == nil {
		raw, err = c.o.Privacy.Certificate(r.Context(), id)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.attachment(w, "erasure-"+id.String()+".json", "application/json", raw)
}
