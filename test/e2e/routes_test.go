package e2e

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"gatehouse/api"
	"gatehouse/auth"
	"gatehouse/console/consoletest"
	"gatehouse/terminal"
)

// Every route that is not public turns away whoever has nothing to show, and every
// form turns away another site's page. The list is the server's own table, so a
// new route is tried as soon as it exists.
func TestEveryRouteKeepsItsPolicy(t *testing.T) {
	s := consoletest.New(nil, nil, nil)
	defer s.Close()
	rest := api.New(api.Options{})
	routes := slices.Concat(s.Console.Routes(), terminal.New(terminal.Options{}).Routes(), rest.Routes())
	tcp := s.Auth.Handler(auth.TCP, routes, rest.Refuse)
	for _, r := range routes {
		method, path, _ := strings.Cut(r.Pattern, " ")
		path = strings.NewReplacer("{$}", "", "{path...}", "some/page", "{id}", "00000000000000000000000000000000", "{terms}", "00000000000000000000000000000000", "{slip}", "00000000000000000000000000000000", "{n}", "0",
			"{gate}", "front-door", "{token}", "x", "{name}", "console.css", "{kind}", "pass").Replace(path)
		if strings.Contains(path, "{") {
			t.Errorf("%s: fill in its path here", r.Pattern)
		}
		try := func(headers ...string) int {
			q := httptest.NewRequest(method, path, nil)
			q.Host, q.RemoteAddr = "localhost:"+port(s), "127.0.0.1:9"
			for i := 0; i+1 < len(headers); i += 2 {
				q.Header.Set(headers[i], headers[i+1])
			}
			w := httptest.NewRecorder()
			tcp.ServeHTTP(w, q)
			if w.Header().Get("Content-Security-Policy") == "" {
				t.Errorf("%s: no Content-Security-Policy", r.Pattern)
			}
			return w.Code
		}
		switch got := try(); r.Policy {
		case auth.Public:
		case auth.Loopback:
			if w := httptest.NewRecorder(); true {
				q := httptest.NewRequest(method, path, nil)
				q.Host, q.RemoteAddr = "localhost:"+port(s), "198.51.100.1:9"
				tcp.ServeHTTP(w, q)
				if w.Code != http.StatusForbidden {
					t.Errorf("%s from elsewhere: %d", r.Pattern, w.Code)
				}
			}
		case auth.OnSocket:
			// Another pattern may answer in its place, but never with what it does.
			if got < 400 {
				t.Errorf("%s over TCP: %d", r.Pattern, got)
			}
		default:
			if got != http.StatusUnauthorized {
				t.Errorf("%s with nothing to show: %d", r.Pattern, got)
			}
		}
		if method != http.MethodGet {
			if got := try("Sec-Fetch-Site", "cross-site", "Origin", "https://foo.example"); got != http.StatusForbidden {
				t.Errorf("%s from another site's page: %d", r.Pattern, got)
			}
		}
	}
}
