package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

func (a *API) passageOperations() []operation {
	policy := auth.Needs(gatehouse.SeePassages).OrToken().OrSocket()
	return []operation{{
		Route: auth.Route{Pattern: "GET /api/v1/passages", Policy: policy, Handler: a.passages},
		id:    "listPassages", tag: tagPassages, summary: "List passages, newest first", tagged: true,
		about: "Facts only: who it was stays an opaque id. Of the gates that the caller may see. With a filter a page may hold fewer rows than its limit, also none: the last has no next.",
		query: []parameter{
			{name: "gate", about: "Of this gate only.", like: gatehouse.GateID("")},
			{name: "since", about: "At or after this moment.", like: time.Time{}},
			{name: "until", about: "Before this moment.", like: time.Time{}},
			{name: "decision", about: "Of this decision only.", like: "", enum: []string{"granted", "denied"}},
			{name: "reason", about: "For this reason only.", like: gatehouse.Reason("")},
			{name: "kind", about: "Of this kind of reading only.", like: gatehouse.ReadingKind("")},
			aBefore, aLimit},
		replies:  answers(http.StatusOK, wire.PassagesResponse{}, "One page."),
		problems: []string{"request.malformed", "name.malformed", "id.malformed", "store.failed"},
	}, {
		Route: auth.Route{Pattern: "GET /api/v1/passages/{id}", Policy: policy, Handler: a.passage},
		id:    "getPassage", tag: tagPassages, summary: "One passage", tagged: true,
		path:     []parameter{{name: "id", about: "The passage.", like: gatehouse.ID{}, required: true}},
		replies:  answers(http.StatusOK, wire.Passage{}, "The passage; its outcome may still be pending."),
		problems: []string{"id.malformed", "store.not_found", "store.failed"},
	}}
}

// passageFilter leaves rows out that the store does not.
type passageFilter struct {
	decision string
	reason   gatehouse.Reason
	kind     gatehouse.ReadingKind
}

func (f passageFilter) none() bool { return f == passageFilter{} }

func (f passageFilter) fits(p gatehouse.Passage) bool {
	return (f.decision == "" || f.decision == wire.Decided(p.Decision)) && (f.reason == "" || f.reason == p.Decision.Reason) && (f.kind == "" || f.kind == p.Kind)
}

// readingKinds are those that a passage has.
var readingKinds = []gatehouse.ReadingKind{gatehouse.FaceReading, gatehouse.PlateReading, gatehouse.CardReading, gatehouse.PINReading, gatehouse.QRReading}

// passageQuery reads what is asked for.
func (a *API) passageQuery(r *http.Request) (q gatehouse.PassageQuery, f passageFilter, err error) {
	gates := auth.Gates(r.Context(), gatehouse.SeePassages)
	q = gatehouse.PassageQuery{Place: a.o.Place, Within: &gates}
	v := r.URL.Query()
	if q.Limit, err = limitOf(r); err != nil {
		return q, f, err
	}
	if q.Before, err = cursorOf(r, "before"); err != nil {
		return q, f, err
	}
	if s := v.Get("gate"); s != "" {
		if err := gatehouse.CheckName(s); err != nil {
			return q, f, err
		}
		q.Gate = gatehouse.GateID(s)
	}
	for name, t := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
		if *t, err = momentOf(v, name); err != nil {
			return q, f, err
		}
	}
	f = passageFilter{decision: v.Get("decision"), reason: gatehouse.Reason(v.Get("reason")), kind: gatehouse.ReadingKind(v.Get("kind"))}
	if !slices.Contains([]string{"", "granted", "denied"}, f.decision) || f.reason != "" && !slices.Contains(gatehouse.Reasons, f.reason) || f.kind != "" && !slices.Contains(readingKinds, f.kind) {
		err = gatehouse.Errorf("request.malformed", "the document at "+documentPath+" lists what decision, reason and kind may be", "this is no filter")
	}
	return q, f, err
}

// momentOf is a time of the query, zero for none. A plus that was not escaped arrives as a
// space.
func momentOf(v url.Values, name string) (time.Time, error) {
	s := v.Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, gatehouse.Errorf("request.malformed", "write 2026-11-26T08:00:00Z; a + is %2B in an address", "%s is no time", name)
	}
	return t, nil
}

// passages lists metadata, newest first, of the gates that the caller may see.
func (a *API) passages(w http.ResponseWriter, r *http.Request) {
	q, f, err := a.passageQuery(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	show(a, w, r, func(ctx context.Context) (wire.PassagesResponse, error) { return a.pageOf(ctx, q, f) })
}

// filteredPage is how many rows are read at a time where some are left out.
const filteredPage = 500

func (a *API) pageOf(ctx context.Context, q gatehouse.PassageQuery, f passageFilter) (wire.PassagesResponse, error) {
	out := wire.PassagesResponse{Passages: []wire.Passage{}}
	limit := q.Limit
	q.Limit++ // to see whether there is more
	if !f.none() {
		q.Limit = filteredPage
	}
	for range mostPages {
		found, err := a.o.Passages.Passages(ctx, q)
		if err != nil {
			return out, err
		}
		for i, p := range found {
			if f.fits(p) {
				out.Passages = append(out.Passages, passage(p))
			}
			if last := i == len(found)-1 && len(found) < q.Limit; len(out.Passages) == limit && !last {
				out.Next = p.ID
				return out, nil
			}
		}
		if len(found) < q.Limit {
			return out, nil
		}
		q.Before = found[len(found)-1].ID
	}
	out.Next = q.Before
	return out, nil
}

// passage answers with one passage. Another gate's is not there for the caller.
func (a *API) passage(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	show(a, w, r, func(ctx context.Context) (wire.Passage, error) {
		s, err := a.o.Passages.Passage(ctx, a.o.Place, id)
		if err == nil && !auth.Gates(ctx, gatehouse.SeePassages).Has(s.Passage.Gate) {
			err = gatehouse.Errorf("store.not_found", "check the id", "there is no such passage here")
		}
		return passage(s.Passage), err
	})
}
