package server

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"gatehouse/api/wire"
)

// Whoever comes under another name, from another site's page or for what is not there is told so: a program by a
// problem, a browser by a page in its language, which says nothing of the site.
func TestRefusalsBeforeAnyRoute(t *testing.T) {
	c := testConfig(t)
	c.Site.Name = "Harbour Works"
	s := open(t, c)
	link := run(t, s)
	base := link[:strings.Index(link, "/enter/")]
	for _, one := range []struct {
		what, method, path, accept, language, host, origin string
		status                                             int
		code                                               string
		page                                               bool
	}{
		{"a program under another name", "GET", "/api/v1/passages", "", "", "evil.example", "", 421, "auth.host", false},
		{"a browser at the API under another name", "GET", "/api/v1/docs", "text/html", "", "evil.example", "", 421, "auth.host", false},
		{"a program from elsewhere", "POST", "/api/v1/search", "application/json", "", "", "https://evil.example", 403, "auth.cross_origin", false},
		{"a script at the console", "POST", "/signin/passkey/begin", "*/*", "", "", "https://evil.example", 403, "auth.cross_origin", false},
		{"a program that asks for nothing", "GET", "/api/v1/nothing", "", "", "", "", 404, "request.no_route", false},
		{"a program that sends to nothing", "POST", "/api/v2/passages", "", "", "", "", 404, "request.no_route", false},
		{"a browser at nothing of the API", "GET", "/api/", "text/html", "", "", "", 404, "request.no_route", false},
		{"a method that is not served", "DELETE", "/api/v1/passages", "", "", "", "", 405, "request.method", false},
		{"a program where people sign in", "POST", "/api/v1/search", "", "", "", "", 401, "no access token opens this", false},
		{"a browser under another name", "GET", "/people", "text/html,*/*;q=0.8", "", "evil.example", "", 421, "auth.host", true},
		{"a form of another site", "POST", "/vault/seal", "text/html", "zh-CN", "", "https://evil.example", 403, "auth.cross_origin", true},
	} {
		r, err := http.NewRequestWithContext(t.Context(), one.method, base+one.path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if one.host != "" {
			r.Host = one.host
		}
		if one.status == http.StatusUnauthorized {
			r.Header.Set("Authorization", "Bearer x")
		}
		for name, value := range map[string]string{"Accept": one.accept, "Accept-Language": one.language, "Origin": one.origin} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(w.Body)
		w.Body.Close()
		if w.StatusCode != one.status || !strings.Contains(string(body), one.code) || strings.Contains(string(body), "evil.example") || strings.Contains(string(body), "Harbour") || len(w.Cookies()) != 0 || w.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %v %s", one.what, w.StatusCode, w.Header, body)
		}
		kind := w.Header.Get("Content-Type")
		if allow := w.Header.Get("Allow"); (one.status == http.StatusMethodNotAllowed) != (allow == "GET, HEAD") {
			t.Errorf("%s: Allow is %q", one.what, allow)
		}
		if one.page {
			if zh := one.language != ""; !strings.HasPrefix(kind, "text/html") || strings.Contains(string(body), "其他网站") != zh || strings.Contains(string(body), "This is not served") == zh {
				t.Errorf("%s: %s %s", one.what, kind, body)
			}
			continue
		}
		var p wire.Problem
		if err := json.Unmarshal(body, &p); kind != "application/problem+json" || err != nil || p.Status != one.status || !strings.Contains(string(body), one.code) || p.Hint == "" {
			t.Errorf("%s: %s %s", one.what, kind, body)
		}
	}
}
