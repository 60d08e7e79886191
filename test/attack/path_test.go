package attack

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/auth"
)

// fill is a route's path with one value, already escaped, for each of its parts.
func fill(r auth.Route, w *world, with string) string {
	_, path := w.path(r, with)
	return path
}

// A part of a path that leads elsewhere leads nowhere: no file, no other route's answer, no
// error of the server's own.
func TestPathsThatLeadElsewhere(t *testing.T) {
	w := newWorld(t, "x")
	elsewhere := []string{"..%2f..%2f..%2f..%2f..%2fetc%2fpasswd", "..%5c..%5cwindows%5cwin.ini", "%2e%2e%2f%2e%2e%2fgate.key", "..%c0%af..%c0%afetc%c0%afpasswd", "%00", "console.css%00.html",
		"%252e%252e%252fetc%252fpasswd", "....%2f%2f....%2f%2fetc%2fpasswd", "%2fetc%2fpasswd", "file:%2f%2f%2fetc%2fpasswd", ".git%2fconfig", "%ff%fe", "-1", "9999999999999999999999", "'%20OR%20'1'='1", strings.Repeat("A", 8000)}
	tried := 0
	for _, r := range w.tcp() {
		if !parts(r) {
			continue
		}
		method, _ := w.path(r, "")
		for _, with := range elsewhere {
			answer, body, err := w.do(method, fill(r, w, with), w.as(r))
			tried++
			if err != nil {
				t.Errorf("%s: %v", r.Pattern, err)
				continue
			}
			switch {
			case answer.StatusCode >= 500:
				t.Errorf("%s with %s: %d", r.Pattern, with, answer.StatusCode)
			case answer.StatusCode == http.StatusOK && !strings.Contains(r.Pattern, "{path...}"):
				t.Errorf("%s with %s: it is there", r.Pattern, with)
			}
			for _, of := range []string{"root:x:", "SQLite format", "[core]", "[fonts]"} {
				if bytes.Contains(body, []byte(of)) {
					t.Errorf("%s with %s shows a file", r.Pattern, with)
				}
			}
		}
	}
	if tried < 200 {
		t.Errorf("%d requests only", tried)
	}
}

// No value of a request gets a line of its own into an answer's headers, sends a browser
// to another site, or makes the server answer under another name.
func TestHeadersAreTheServers(t *testing.T) {
	w := newWorld(t, "x")
	lines := []string{"x%0d%0aX-Evil:%201", "x%0aX-Evil:%201", "x%0d%0a%0d%0a%3Cscript%3E", "%E5%98%8A%E5%98%8DX-Evil:1"}
	away := []string{"//evil.example", "https://evil.example/", "/\\evil.example", "/%09/evil.example", "%2f%2fevil.example", "javascript:alert(1)"}
	look := func(what string, answer *http.Response, body []byte) {
		t.Helper()
		if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
			for _, to := range leads(t, body) {
				if abroad(w, to) {
					t.Errorf("%s: its page leads to %q", what, to)
				}
			}
		}
		for name, values := range answer.Header {
			if strings.EqualFold(name, "X-Evil") {
				t.Errorf("%s: a header of the attacker's", what)
			}
			for _, v := range values {
				if strings.ContainsAny(v, "\r\n") {
					t.Errorf("%s: a line break in %s", what, name)
				}
			}
		}
		if to := answer.Header.Get("Location"); to != "" {
			if abroad(w, to) {
				t.Errorf("%s leads to %q", what, to)
			}
		}
		if answer.StatusCode >= 500 {
			t.Errorf("%s: %d", what, answer.StatusCode)
		}
	}
	tried := 0
	for _, r := range w.tcp() {
		if ends(r.Pattern) {
			continue
		}
		method, path := w.path(r, "")
		for _, v := range append(lines, away...) {
			q := "?to=" + v + "&next=" + v + "&page=" + v + "&lang=" + v + "&return=" + v + "&redirect=" + v
			answer, body, err := w.do(method, path+q, w.as(r))
			tried++
			if err != nil {
				t.Errorf("%s: %v", r.Pattern, err)
				continue
			}
			look(r.Pattern, answer, body)
			if method != http.MethodGet {
				plain, _ := url.QueryUnescape(v)
				if answer, body, err = w.do(method, path, w.form(r, everyField(plain))); err == nil {
					look(r.Pattern, answer, body)
				}
			}
			if parts(r) {
				if answer, body, err = w.do(method, fill(r, w, v), w.as(r)); err == nil {
					look(r.Pattern, answer, body)
				}
			}
		}
		for _, host := range []string{"evil.example", "evil.example:" + port(w), "localhost.evil.example:" + port(w), "127.0.0.1.nip.io:" + port(w)} {
			a := w.as(r)
			a.header = map[string]string{"Host": host}
			answer, body, err := w.do(method, path, a)
			if err != nil || answer.StatusCode != http.StatusMisdirectedRequest || bytes.Contains(body, []byte(host)) {
				t.Errorf("%s under the name %s: %v, %v", r.Pattern, host, answer, err)
			}
		}
		a := w.as(r)
		a.header = map[string]string{"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
		answer, body, err := w.do(method, path, a)
		if err != nil || bytes.Contains(body, []byte("evil.example")) {
			t.Errorf("%s believes who forwarded it: %v", r.Pattern, err)
			continue
		}
		look(r.Pattern, answer, body)
	}
	if tried < 400 {
		t.Errorf("%d requests only", tried)
	}
}

// abroad reports whether a browser would leave the site for an address.
func abroad(w *world, to string) bool {
	u, err := url.Parse(to)
	return err != nil || u.Host != "" && "http://"+u.Host != w.base || u.Scheme == "javascript" || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\t\\")
}

// leads are the addresses that a page leads to, or sends a form's visitor on to.
func leads(t *testing.T, page []byte) (to []string) {
	t.Helper()
	for _, token := range tags(t, page) {
		attr := map[string]string{}
		for _, a := range token.Attr {
			attr[a.Key] = a.Val
		}
		for _, name := range []string{"href", "action", "formaction", "src", "hx-get", "hx-post"} {
			if v := attr[name]; v != "" {
				to = append(to, v)
			}
		}
		if token.Data == "input" && (attr["name"] == "next" || attr["name"] == "to") && attr["value"] != "" {
			to = append(to, attr["value"])
		}
	}
	return to
}

func port(w *world) string { return w.base[strings.LastIndexByte(w.base, ':')+1:] }
