package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/flow/passage"
)

// passageBody is the page of one passage.
type passageBody struct {
	row
	Passage   gatehouse.Passage
	Detail    *gatehouse.Detail
	Judged    bool    // liveness was
	Live      float64 // its score, 0..1
	Decided   time.Time
	Steps     []passage.Step // that led to the decision
	Ring      int            // pictures in the memory ring
	Archived  int            // pictures in the archive
	Opened    []bool         // the archived ones that were opened; false for an erased one
	IsPlate   bool
	VaultOpen bool
	MayOpen   bool   // the archived pictures
	Operator  string // who opened the gate from afar; "" for nobody
}

func (c *Console) passage(w http.ResponseWriter, r *http.Request) {
	s, err := c.stored(r, gatehouse.SeePassages)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	w0 := who(r)
	p := s.Passage
	var open Opened // nothing for whoever may see the facts only
	ring := 0
	if gatesOf(r, gatehouse.DisclosePassages).Has(p.Gate) {
		if open, err = c.o.Lender.Detail(r.Context(), w0, s); err != nil {
			c.fail(w, r, err)
			return
		}
		c.shown.mark(w0.Session, p.ID)
		ring = c.o.Ring.Count(p.ID)
	}
	b := passageBody{row: c.row(languageOf(w, r), p, open.Lent), Passage: p, Detail: open.Detail, Steps: passage.Trace(p.Decision), Decided: p.At.Add(p.Latency),
		Ring: ring, Archived: len(s.Evidence), MayOpen: gatesOf(r, gatehouse.SeeEvidence).Has(p.Gate), IsPlate: p.Kind == gatehouse.PlateReading,
		VaultOpen: c.vaultView(r.Context()).Unsealed}
	if rest, ok := strings.CutPrefix(p.Decision.Rule, "remote opening by "); ok && p.Kind == gatehouse.RemoteReading {
		operator, _, _ := strings.Cut(rest, " ")
		b.Operator = c.loginOf(operator)
	}
	if d := open.Detail; d != nil && d.Live != nil {
		b.Judged, b.Live = true, float64(*d.Live)
	}
	for _, jpeg := range c.opened(r, p.ID) {
		b.Opened = append(b.Opened, len(jpeg) > 0)
	}
	c.render(w, r, http.StatusOK, "passage", "passage.title", "passages", b)
}

// picture serves one picture of the memory ring, behind a disclosure.
func (c *Console) picture(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	n, numErr := strconv.Atoi(r.PathValue("n"))
	if err != nil || numErr != nil {
		http.NotFound(w, r)
		return
	}
	pictures := c.o.Ring.Pictures(id)
	if n < 0 || n >= len(pictures) {
		http.NotFound(w, r)
		return
	}
	if !c.shown.has(who(r).Session, id) { // what it was shown is of its own gates
		s, err := c.storedAs(r, gatehouse.DisclosePassages, id)
		if err == nil {
			err = c.disclosed(r.Context(), who(r), s.Passage)
		}
		if err != nil {
			c.fail(w, r, err)
			return
		}
	}
	if r.URL.Query().Get("for") == "" { // in full
		c.seen.mark(who(r).Session, id)
	}
	jpeg(w, wanted(r, pictures[n]))
}

// still serves a gate's latest still. Whole frames show everybody at the gate, so an
// entry that names passages does not cover them.
func (c *Console) still(w http.ResponseWriter, r *http.Request) {
	gate := gatehouse.GateID(r.PathValue("gate"))
	p, ok := c.o.Ring.Still(gate)
	if !ok || !gatesOf(r, gatehouse.SeeLive).Has(gate) {
		http.NotFound(w, r)
		return
	}
	if err := c.disclosed(r.Context(), who(r)); err != nil {
		c.fail(w, r, err)
		return
	}
	jpeg(w, wanted(r, p))
}

// wanted is the picture, or its small form where the page draws it in a list.
func wanted(r *http.Request, p gatehouse.Picture) []byte {
	if r.URL.Query().Get("for") == "list" && len(p.Thumb) > 0 {
		return p.Thumb
	}
	return p.JPEG
}

// openArchive asks the vault for a passage's archived pictures, with a reason, and
// goes back to the page, which shows them for archivedFor.
func (c *Console) openArchive(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	reason := strings.TrimSpace(r.PostFormValue("reason"))
	if reason == "" || utf8.RuneCountInString(reason) > 160 || len(reason) > 500 || !utf8.ValidString(reason) {
		c.fail(w, r, gatehouse.Errorf("form.malformed", "say in 1 to 160 characters why", "the reason is missing or too long"))
		return
	}
	s, err := c.stored(r, gatehouse.SeeEvidence)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	pictures, err := c.o.Lender.Evidence(r.Context(), who(r), s, reason)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.vault.put(who(r).Session, s.Passage.ID, pictures)
	http.Redirect(w, r, "/passages/"+s.Passage.ID.String()+"#pictures", http.StatusSeeOther)
}

// opened returns the pictures that this session opened; none once the vault is
// sealed, by whomever.
func (c *Console) opened(r *http.Request, id gatehouse.ID) [][]byte {
	pictures := c.vault.get(who(r).Session, id)
	if len(pictures) == 0 || !c.vaultView(r.Context()).Unsealed {
		return nil
	}
	return pictures
}

// archived serves one picture that openArchive opened for this session.
func (c *Console) archived(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	n, numErr := strconv.Atoi(r.PathValue("n"))
	pictures := c.opened(r, id)
	if err != nil || numErr != nil || n < 0 || n >= len(pictures) || len(pictures[n]) == 0 {
		http.NotFound(w, r)
		return
	}
	c.seen.mark(who(r).Session, id)
	jpeg(w, pictures[n])
}

func jpeg(w http.ResponseWriter, b []byte) {
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
}
