package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/console/consoletest"
)

// caller asks a site's pages as an account.
func caller(t *testing.T, s *consoletest.Site, a gatehouse.Account) func(method, path string, form url.Values) (int, string) {
	t.Helper()
	cookie := signedIn(t, s, a)
	tcp := s.Auth.Handler(auth.TCP, s.Console.Routes(), s.Console.Refuse)
	return func(method, path string, form url.Values) (int, string) {
		q := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
		if method == http.MethodPost {
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		q.Host, q.RemoteAddr = "localhost:"+port(s), "127.0.0.1:9"
		q.AddCookie(cookie)
		w := httptest.NewRecorder()
		tcp.ServeHTTP(w, q)
		return w.Code, w.Body.String()
	}
}

// A guard is told why somebody was turned away at their gate, and nothing of rules at
// others.
func TestWhyAtOnesOwnGate(t *testing.T) {
	s := site(t)
	id := s.Enrol(gatehouse.PersonSubject, "Staff 104", "Amara Okafor", gatehouse.Active)
	s.SetGrants(id, gatehouse.Grant{Gate: "car-park", Schedule: "always"})
	must(t, s.Rules.PutGroup(t.Context(), "x", 0, gatehouse.Group{ID: "drivers", Title: "Drivers"}))
	must(t, s.Rules.AddMembers(t.Context(), "x", "drivers", []gatehouse.SubjectID{id}))
	must(t, s.Rules.PutRule(t.Context(), "x", 0, gatehouse.AccessRule{ID: "parking", Group: "drivers", Gates: []gatehouse.GateID{"car-park"}, Schedule: "always"}))
	p := s.Arrive(passage(gatehouse.CardReading, "front-door", id, gatehouse.NotHere), gatehouse.Detail{})
	other := s.Arrive(passage(gatehouse.CardReading, "car-park", id, gatehouse.Suspended), gatehouse.Detail{})
	guard := caller(t, s, s.Account("guard-7", gatehouse.Assignment{Role: gatehouse.Guard, Gates: []gatehouse.GateID{"front-door"}}))
	code, body := guard(http.MethodGet, "/passages/"+p.ID.String()+"/why?lang=en", nil)
	if code != http.StatusOK || !strings.Contains(body, "Add a grant for this gate") || strings.Contains(body, "Car park") || strings.Contains(body, "parking") || strings.Contains(body, "Drivers") {
		t.Errorf("%d: %s", code, body)
	}
	if code, _ := guard(http.MethodGet, "/passages/"+other.ID.String()+"/why", nil); code != http.StatusNotFound {
		t.Errorf("of another gate's passage: %d", code)
	}
	manager := caller(t, s, s.Account("manager-1", gatehouse.Assignment{Role: gatehouse.SiteManager}))
	if code, body := manager(http.MethodGet, "/passages/"+p.ID.String()+"/why?lang=en", nil); code != http.StatusOK || !strings.Contains(body, "Car park entry") || !strings.Contains(body, "Drivers") {
		t.Errorf("a manager sees %d: %s", code, body)
	}
}

// An administrator changes groups without seeing who is enrolled.
func TestGroupsWithoutPeople(t *testing.T) {
	s := site(t)
	id := s.Enrol(gatehouse.PersonSubject, "Staff 104", "Amara Okafor", gatehouse.Active)
	must(t, s.Rules.PutGroup(t.Context(), "x", 0, gatehouse.Group{ID: "staff", Title: "Staff"}))
	admin := caller(t, s, s.Account("chief", gatehouse.Assignment{Role: gatehouse.Administrator}))
	if code, _ := admin(http.MethodPost, "/rules/groups/staff/members", url.Values{"subject": {id.String()}}); code != http.StatusSeeOther {
		t.Errorf("adding by id: %d", code)
	}
	for _, call := range []func() (int, string){
		func() (int, string) { return admin(http.MethodGet, "/rules/groups/staff", nil) },
		func() (int, string) {
			return admin(http.MethodPost, "/rules/groups/staff/find", url.Values{"text": {"staff"}})
		},
	} {
		if code, body := call(); code != http.StatusOK || strings.Contains(body, "Staff 104") || !strings.Contains(body, id.String()) {
			t.Errorf("%d: %s", code, body)
		}
	}
	if code, _ := admin(http.MethodGet, "/rules/why", nil); code != http.StatusForbidden {
		t.Errorf("asking about people: %d", code)
	}
}

// Two people change one thing: the second is told, and nothing is lost.
func TestNobodyOverwritesAnother(t *testing.T) {
	s := site(t)
	must(t, s.Rules.PutGroup(t.Context(), "x", 0, gatehouse.Group{ID: "staff", Title: "Staff"}))
	manager := caller(t, s, s.Account("manager-1", gatehouse.Assignment{Role: gatehouse.SiteManager}))
	put := func(title, revision string) (int, string) {
		return manager(http.MethodPost, "/rules/groups", url.Values{"id": {"staff"}, "title": {title}, "revision": {revision}})
	}
	if code, _ := put("Office", "1"); code != http.StatusSeeOther {
		t.Errorf("the first: %d", code)
	}
	if code, body := put("Workshop", "1"); code != http.StatusUnprocessableEntity || !strings.Contains(body, "Somebody changed it meanwhile") {
		t.Errorf("the second: %d, %s", code, body)
	}
	if g, _ := s.Rules.Group("staff"); g.Title != "Office" {
		t.Errorf("it is called %q", g.Title)
	}
	if code, body := put("Again", ""); code != http.StatusUnprocessableEntity || !strings.Contains(body, "The name is taken") {
		t.Errorf("made again: %d, %s", code, body)
	}
	// What somebody typed stays text.
	evil := `"><img src=x onerror=alert(1)>`
	if code, _ := put(evil, "2"); code != http.StatusSeeOther {
		t.Errorf("markup as a title: %d", code)
	}
	for _, path := range []string{"/rules", "/rules/groups/staff", "/rules/grants/-", "/rules/changes"} {
		if code, body := manager(http.MethodGet, path, nil); code != http.StatusOK || strings.Contains(body, "<img src=x") {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// The list of earlier passages is filtered, and its pages keep the filter.
func TestPassagesAreFiltered(t *testing.T) {
	s := site(t)
	id := s.Enrol(gatehouse.PersonSubject, "Staff 104", "Amara Okafor", gatehouse.Active)
	denied := 0
	for i := range 120 {
		reason := gatehouse.Granted
		if i%2 == 0 {
			reason, denied = gatehouse.Suspended, denied+1
		}
		s.Arrive(passage(gatehouse.CardReading, "front-door", id, reason), gatehouse.Detail{})
		s.Arrive(passage(gatehouse.PlateReading, "car-park", id, gatehouse.Suspended), gatehouse.Detail{})
	}
	manager := caller(t, s, s.Account("manager-1", gatehouse.Assignment{Role: gatehouse.SiteManager}))
	seen, next := 0, "/passages?gate=front-door&only=denied&kind=card&lang=en"
	for next != "" && seen < 1000 {
		code, body := manager(http.MethodGet, next, nil)
		if code != http.StatusOK || strings.Contains(body, "Car park entry ·") || strings.Contains(body, "Allowed here now") {
			t.Fatalf("%s: %d", next, code)
		}
		seen += strings.Count(body, `data-op="row"`)
		_, after, more := strings.Cut(body, `rel="next" href="`)
		if next = ""; more {
			next, _, _ = strings.Cut(after, `"`)
			next = strings.ReplaceAll(next, "&amp;", "&")
		}
	}
	if seen != denied {
		t.Errorf("%d passages on all pages, want %d", seen, denied)
	}

	// A day on which nobody passed has none, and a file of the same rows names nobody.
	if _, body := manager(http.MethodGet, "/passages?from=2001-01-01&to=2001-01-31&lang=en", nil); strings.Contains(body, `data-op="row"`) || !strings.Contains(body, `value="2001-01-31"`) {
		t.Error("a month without passages shows some")
	}
	today := time.Now().UTC().Format(time.DateOnly)
	code, file := manager(http.MethodGet, "/passages?gate=front-door&only=denied&kind=card&lang=en&format=csv&from="+today, nil)
	if code != http.StatusOK || strings.Count(file, "\n") != denied+1 || !strings.Contains(file, ",Front door,") || !strings.Contains(file, "suspended") {
		t.Errorf("%d: %d lines, want %d:\n%.600s", code, strings.Count(file, "\n"), denied+1, file)
	}
	if strings.Contains(file, "Amara") || strings.Contains(file, "Staff 104") || strings.Contains(file, id.String()) {
		t.Error("the file says who it was")
	}
}
