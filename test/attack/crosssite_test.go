package attack

import (
	"net/http"
	"strings"
	"testing"

	"gatehouse/auth"
)

// Another site's page sends a form, or a script's request, with the visitor's session: no
// route that changes something takes it. The same request of a page of the site's own is
// not refused for that.
func TestAnotherSitesPage(t *testing.T) {
	w := newWorld(t, "x")
	pages := map[string]map[string]string{
		"a form of another site":        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
		"a form, in an older browser":   {"Origin": "https://evil.example"},
		"a page without an origin":      {"Origin": "null"},
		"another program's page":        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:1"},
		"a domain that looks like ours": {"Origin": strings.Replace(w.base, "localhost", "localhost.evil.example", 1)},
	}
	tried, own := 0, 0
	for _, r := range w.tcp() {
		method, path := w.path(r, "")
		if method == http.MethodGet || r.Policy == auth.WithDevice {
			continue // a device has no cookie that a browser would send along
		}
		for what, header := range pages {
			a := try{cookie: w.local, header: header, body: strings.NewReader("x=1"), kind: "application/x-www-form-urlencoded"}
			answer, _, err := w.do(method, path, a)
			tried++
			if err != nil || answer.StatusCode != http.StatusForbidden {
				t.Errorf("%s from %s: %v, %v", r.Pattern, what, answer, err)
			}
		}
		// Without a session, so that it changes nothing.
		answer, body, err := w.do(method, path, try{header: map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": w.base}, body: strings.NewReader("{}"), kind: "application/json"})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(body), "cross-origin") && answer.StatusCode != http.StatusForbidden {
			own++
		}
	}
	if tried < 100 || own*5*2 < tried {
		t.Errorf("%d requests were tried, %d of the site's own pages were let through to the route", tried, own)
	}
	// A cookie does not go along from elsewhere in the first place.
	link, err := w.server.Admin().Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.client.Get(link.Link)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	for _, c := range answer.Cookies() {
		if c.SameSite != http.SameSiteStrictMode || !c.HttpOnly || c.Domain != "" {
			t.Errorf("the session's cookie: %+v", c)
		}
	}
}
