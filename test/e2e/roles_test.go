package e2e

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/apitest"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/console/consoletest"
	"gatehouse/flow/accounts"
)

// newAccount is an account with one role, at the front door where it is a role of gates.
func newAccount(login string, role gatehouse.Role) accounts.New {
	return accounts.New{Login: login, Roles: []gatehouse.Assignment{assignment(role)}}
}

func assignment(role gatehouse.Role) gatehouse.Assignment {
	as := gatehouse.Assignment{Role: role, Site: consoletest.Place.Site}
	if role.PerGate() {
		as.Gates = []gatehouse.GateID{"front-door"}
	}
	return as
}

// signedIn is the cookie of a session of the account.
func signedIn(t *testing.T, s *consoletest.Site, a gatehouse.Account) *http.Cookie {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w, err := client.Get(s.Auth.MintFor(a.ID))
	if err != nil || len(w.Cookies()) == 0 {
		t.Fatalf("a link for %s: %v, %v", a.Login, w, err)
	}
	w.Body.Close()
	return w.Cookies()[0]
}

// Every route, tried by every role, at the role's own gate and at another: what comes of
// it follows from the table of permissions alone. A route that is added is tried, too.
func TestWhoMayCallWhat(t *testing.T) {
	s := consoletest.New(nil, nil, nil)
	defer s.Close()
	rest := api.New(api.Options{Place: consoletest.Place, Passages: s, PerMinute: 100_000,
		Resources: apitest.Site{List: []wire.GateInfo{{ID: "front-door", Name: "Front door"}, {ID: "car-park", Name: "Car park entry"}}}})
	routes := append(s.Console.Routes(), rest.Routes()...)
	tcp := s.Auth.Handler(auth.TCP, routes, rest.Refuse)
	s.Account("chief", gatehouse.Assignment{Role: gatehouse.Administrator}) // so that the others may be changed
	passages := map[gatehouse.GateID]gatehouse.Passage{}
	for _, gate := range []gatehouse.GateID{"front-door", "car-park"} {
		passages[gate] = s.Arrive(passage(gatehouse.FaceReading, gate, gatehouse.RandomID(), gatehouse.Granted), gatehouse.Detail{}, portrait(0))
		s.Ring.PutStill(gate, portrait(0))
	}
	ask := func(route auth.Route, gate gatehouse.GateID, cookie *http.Cookie) (int, string) {
		method, path, _ := strings.Cut(route.Pattern, " ")
		id := gatehouse.RandomID().String()
		if strings.Contains(path, "/passages/") {
			id = passages[gate].ID.String()
		}
		path = strings.NewReplacer("{$}", "", "{path...}", "some/page", "{id}", id, "{terms}", id, "{slip}", id, "{n}", "0", "{gate}", string(gate), "{token}", "x", "{name}", "console.css").Replace(path)
		q := httptest.NewRequest(method, path, strings.NewReader(""))
		if strings.HasSuffix(path, "/open") { // without a reason nothing is opened for anybody
			q = httptest.NewRequest(method, path, strings.NewReader("reason=a+delivery"))
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		q.Host, q.RemoteAddr = "localhost:"+port(s), "127.0.0.1:9"
		q.AddCookie(cookie)
		if strings.HasSuffix(path, "/live/events") { // a stream would not end
			ended, end := context.WithCancel(t.Context())
			end()
			q = q.WithContext(ended)
		}
		w := httptest.NewRecorder()
		tcp.ServeHTTP(w, q)
		b, _ := io.ReadAll(w.Body)
		return w.Code, string(b)
	}
	tried := 0
	for _, role := range gatehouse.PeopleRoles {
		for _, route := range routes {
			permission := route.Policy.Permission()
			if permission == "" || route.Pattern == "POST /leave" {
				continue
			}
			// A fresh account and session each time: some routes end them.
			a := s.Account("x-"+gatehouse.RandomID().String()[:8], assignment(role))
			for _, gate := range []gatehouse.GateID{"front-door", "car-park"} {
				code, body := ask(route, gate, signedIn(t, s, a))
				tried++
				refused := code == http.StatusForbidden && (strings.Contains(body, "auth.forbidden")) ||
					route.Pattern == "GET /{$}" && code == http.StatusSeeOther
				if refused == role.May(permission) {
					t.Errorf("%s, %s: %d, and its role may: %t", route.Pattern, role, code, role.May(permission))
				}
				// What names a gate, or a passage of one, is there for the role's own gates only.
				names := strings.Contains(route.Pattern, "{gate}") || strings.Contains(route.Pattern, "/passages/{id}")
				if opened := code < 400; names && opened && role.PerGate() && gate != "front-door" {
					t.Errorf("%s, %s: another gate's answered %d", route.Pattern, role, code)
				} else if names && role.May(permission) && !opened && gate == "front-door" && !strings.Contains(route.Pattern, "archive") {
					t.Errorf("%s, %s: its own gate's answered %d", route.Pattern, role, code)
				}
				if role.PerGate() && gate == "front-door" && (strings.Contains(body, "Car park") || strings.Contains(body, passages["car-park"].ID.String()) || strings.Contains(body, `"car-park"`)) && !strings.Contains(route.Pattern, "accounts") {
					t.Errorf("%s, %s: shows something of another gate", route.Pattern, role)
				}
			}
			if err := s.Accounts.Remove(t.Context(), "test", a.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if tried < 300 {
		t.Errorf("%d requests only", tried)
	}
}

// Somebody of another tenant, or whose roles are another site's, is nobody here.
func TestTenantsNeverSeeEachOther(t *testing.T) {
	s := consoletest.New(nil, nil, nil)
	defer s.Close()
	elsewhere := s.Account("south-1", gatehouse.Assignment{Role: gatehouse.SiteManager, Site: "south"})
	routes := s.Console.Routes()
	tcp := s.Auth.Handler(auth.TCP, routes, s.Console.Refuse)
	cookie := signedIn(t, s, elsewhere)
	for _, route := range routes {
		method, path, _ := strings.Cut(route.Pattern, " ")
		if route.Policy.Permission() == "" {
			continue
		}
		q := httptest.NewRequest(method, strings.NewReplacer("{$}", "", "{path...}", "x", "{id}", gatehouse.RandomID().String(), "{terms}", "x", "{slip}", "x", "{n}", "0", "{gate}", "front-door").Replace(path), nil)
		q.Host, q.RemoteAddr = "localhost:"+port(s), "127.0.0.1:9"
		q.AddCookie(cookie)
		w := httptest.NewRecorder()
		// A stream that lets somebody in goes on until its reader leaves, so this one leaves.
		ctx, leave := context.WithTimeout(t.Context(), 10*time.Second)
		tcp.ServeHTTP(w, q.WithContext(ctx))
		leave()
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d for a manager of another site", route.Pattern, w.Code)
		}
	}
}
