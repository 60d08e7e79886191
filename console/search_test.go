package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gatehouse"
)

// A search needs a reason and an open vault, leaves nothing in the address, is written
// down also when it finds nothing, and stops at the budget.
func TestSearch(t *testing.T) {
	s, g := open(t)
	id := s.Enrol(gatehouse.PersonSubject, "Staff 7", "Mei <b>Lin", gatehouse.Active)
	p := s.Arrive(face(id), gatehouse.Detail{Confidence: .9})
	form := url.Values{"name": {"mei"}, "reason": {"a lost badge"}}
	if _, body := g.get("/search"); strings.Contains(body, `name="reason"`) || !strings.Contains(body, "Unseal it") {
		t.Error("the sealed vault's page does not say what to do")
	}
	if status, _ := g.post("/search", form); status != http.StatusForbidden {
		t.Errorf("a search of the sealed vault: %d", status)
	}
	s.Unseal()
	status, body := g.post("/search", form)
	if status != http.StatusOK || !strings.Contains(body, "/passages/"+p.ID.String()) || !strings.Contains(body, "Mei &lt;b&gt;Lin") || !strings.Contains(body, "294 of 300") {
		t.Errorf("%d\n%s", status, body)
	}
	for name, bad := range map[string]url.Values{
		"no reason":  {"name": {"mei"}},
		"nothing":    {"reason": {"why"}},
		"no time":    {"name": {"mei"}, "reason": {"why"}, "since": {"yesterday"}},
		"endless":    {"name": {strings.Repeat("m", 501)}, "reason": {"why"}},
		"no unicode": {"name": {"\xff"}, "reason": {"why"}},
	} {
		if status, body := g.post("/search", bad); status != http.StatusUnprocessableEntity || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: %d", name, status)
		}
	}
	before := len(purposes(s))
	if _, body := g.post("/search", url.Values{"name": {"nobody"}, "reason": {"why"}}); !strings.Contains(body, "Nothing was found") {
		t.Error("the page of an empty answer does not say so")
	}
	if all := purposes(s); len(all) != before+1 || !slices.Contains(all, "search") {
		t.Errorf("an empty search is not in the log: %v", all)
	}
	for range 60 {
		if status, body = g.post("/search", form); status != http.StatusOK {
			break
		}
	}
	if status != http.StatusTooManyRequests || !strings.Contains(body, "budget") || !strings.Contains(body, `value="mei"`) {
		t.Errorf("beyond the budget: %d", status)
	}
}
