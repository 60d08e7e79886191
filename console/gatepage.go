package console

import (
	"context"
	"net/http"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// Openings opens gates from afar.
type Openings interface {
	// OpenRemotely records a passage, then opens the gate. Errors: gate.unknown,
	// gate.no_actuator, open.reason, and those of sealing and the store.
	OpenRemotely(ctx context.Context, who Who, gate gatehouse.GateID, reason gatehouse.Secret) (gatehouse.Passage, error)
}

// gating is the area of the gates: their states, and opening one from afar.
var gating = area{
	pages:  []string{"gates", "gate"},
	routes: (*Console).gatesRoutes,
	nav:    []entry{{"nav.now", "gates", "/gates", "nav.gates", gatehouse.SeeLive}},
}

func (c *Console) gatesRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /gates", Policy: auth.Needs(gatehouse.SeeLive), Handler: c.gatesPage},
		{Pattern: "GET /gates/{gate}", Policy: auth.Needs(gatehouse.SeeLive), Handler: c.gatePage},
		{Pattern: "POST /gates/{gate}/open", Policy: auth.NeedsFresh(gatehouse.OpenRemotely), Handler: c.openGate, Page: "/gates/{gate}"},
	}
}

// gateState is a gate with what it last did.
type gateState struct {
	gateView
	Since time.Time // of the state; zero where nothing was reported
	Last  *row      // its latest passage
}

// gatesBody is the page of all gates.
type gatesBody struct {
	List  listing
	Gates []gateState
	None  bool // there is none at all
	Plans []planView
}

// gateStates are the gates at which the request may look, each with its latest passage.
func (c *Console) gateStates(r *http.Request, only gatehouse.GateID) ([]gateState, error) {
	states := map[gatehouse.GateID]gatehouse.GateState{}
	for _, s := range c.o.Hub.Gates() {
		states[s.Gate] = s
	}
	var out []gateState
	for _, v := range c.gateViews(r) {
		if only != "" && v.ID != only {
			continue
		}
		s := gateState{gateView: v, Since: states[v.ID].Since}
		found, err := c.o.Passages.Passages(r.Context(), gatehouse.PassageQuery{Place: c.o.Place, Gate: v.ID, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			s.Last = &row{ID: found[0].ID, At: found[0].At, Grant: found[0].Decision.Grant, Outcome: found[0].Outcome}
		}
		out = append(out, s)
	}
	return out, nil
}

func (c *Console) gatesPage(w http.ResponseWriter, r *http.Request) {
	gates, err := c.gateStates(r, "")
	var plans []planView
	if err == nil {
		plans, err = c.planViews(r)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	list := listingOf(r)
	last := func(s gateState) (at time.Time) {
		if s.Last != nil {
			at = s.Last.At
		}
		return at
	}
	shown := arrange(&list, gates, func(s gateState) []string { return []string{s.Name, string(s.ID)} }, by("name", func(s gateState) string { return s.Name }), by("state", func(s gateState) string { return s.State }),
		by("camera", func(s gateState) string { return s.Camera }), byTime("since", func(s gateState) time.Time { return s.Since }), byTime("last", last))
	if list.File {
		var out [][]string
		for _, s := range shown {
			out = append(out, []string{string(s.ID), s.Name, s.State, s.Camera, when(s.Since), when(last(s))})
		}
		c.file(w, "gates", []string{"gate", "name", "state", "camera", "since", "latest_passage"}, out)
		return
	}
	c.render(w, r, http.StatusOK, "gates", "gates.title", "gates", gatesBody{list, shown, len(gates) == 0, plans})
}

// gateBody is the page of one gate.
type gateBody struct {
	gateState
	Problem string
	Opened  gatehouse.ID // the passage that an opening was recorded as
	MayOpen bool
	Rows    []row
}

// gateRows is how many passages the page of a gate shows.
const gateRows = 10

func (c *Console) gatePage(w http.ResponseWriter, r *http.Request) {
	opened, _ := gatehouse.ParseID(r.URL.Query().Get("opened"))
	c.showGate(w, r, http.StatusOK, "", opened)
}

func (c *Console) showGate(w http.ResponseWriter, r *http.Request, status int, problem string, opened gatehouse.ID) {
	id := gatehouse.GateID(r.PathValue("gate"))
	states, err := c.gateStates(r, id)
	if err == nil && len(states) == 0 {
		err = gatehouse.Errorf("store.not_found", "", "there is no such gate")
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := gateBody{gateState: states[0], Problem: problem, MayOpen: gatesOf(r, gatehouse.OpenRemotely).Has(id)}
	passages, err := c.o.Passages.Passages(r.Context(), gatehouse.PassageQuery{Place: c.o.Place, Gate: id, Limit: gateRows})
	if err == nil {
		b.Rows, err = c.lentRows(r, languageOf(w, r), passages)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if slices.ContainsFunc(passages, func(p gatehouse.Passage) bool { return p.ID == opened }) {
		b.Opened = opened
	}
	c.render(w, r, status, "gate", "gate.title", "gates", b)
}

// openGate opens the gate in the path, for a reason. Another's gate is not there.
func (c *Console) openGate(w http.ResponseWriter, r *http.Request) {
	id := gatehouse.GateID(r.PathValue("gate"))
	if !gatesOf(r, gatehouse.OpenRemotely).Has(id) {
		c.fail(w, r, gatehouse.Errorf("store.not_found", "", "there is no such gate"))
		return
	}
	err := formIn(w, r, 4096)
	var p gatehouse.Passage
	if err == nil {
		p, err = c.o.Openings.OpenRemotely(r.Context(), who(r), id, gatehouse.Secret(r.PostForm.Get("reason")))
	}
	switch code := gatehouse.ErrorCode(err); {
	case err == nil:
		http.Redirect(w, r, localPath("/gates/"+string(id)+"?opened="+p.ID.String()), http.StatusSeeOther)
	case code == "open.reason" || code == "gate.no_actuator" || code == "form.malformed":
		c.showGate(w, r, http.StatusUnprocessableEntity, text(languageOf(w, r), "code."+code), gatehouse.ID{})
	default:
		c.fail(w, r, err)
	}
}
