package api

import (
	"net/http"
	"strconv"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

func (a *API) passageOperations() []operation {
	return []operation{{
		Route: auth.Route{Pattern: "GET /api/v1/passages", Policy: auth.Needs(gatehouse.SeePassages).OrToken().OrSocket(), Handler: a.passages},
		id:    "listPassages", tag: tagPassages, summary: "List passages, newest first",
		about: "Facts only: who it was stays an opaque id. Of the gates that the caller may see.",
		query: []parameter{
			{name: "gate", about: "Of this gate only.", like: gatehouse.GateID("")},
			{name: "before", about: "The cursor: next of the page before.", like: gatehouse.ID{}},
			aLimit},
		replies:  answers(http.StatusOK, wire.PassagesResponse{}, "One page."),
		problems: []string{"request.malformed", "name.malformed", "id.malformed", "store.failed"},
	}}
}

// passages lists metadata, newest first: ?gate=, ?before= (the cursor), ?limit=
// 1..200 (50); of the gates that the session may see.
func (a *API) passages(w http.ResponseWriter, r *http.Request) {
	gates := auth.Gates(r.Context(), gatehouse.SeePassages)
	q := gatehouse.PassageQuery{Place: a.o.Place, Within: &gates, Limit: 50}
	v := r.URL.Query()
	if s := v.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 200 {
			a.fail(w, r, gatehouse.Errorf("request.malformed", "limit is 1 to 200", "this is no limit"))
			return
		}
		q.Limit = n
	}
	if s := v.Get("gate"); s != "" {
		if err := gatehouse.CheckName(s); err != nil {
			a.fail(w, r, err)
			return
		}
		q.Gate = gatehouse.GateID(s)
	}
	if s := v.Get("before"); s != "" {
		id, err := gatehouse.ParseID(s)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		q.Before = id
	}
	limit := q.Limit
	q.Limit++
	found, err := a.o.Passages.Passages(r.Context(), q)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	out := wire.PassagesResponse{Passages: []wire.Passage{}}
	if len(found) > limit {
		found = found[:limit]
		out.Next = found[limit-1].ID
	}
	for _, p := range found {
		out.Passages = append(out.Passages, passage(p))
	}
	a.answer(w, http.StatusOK, out)
}
