package console_test

import (
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console"
)

// What a list is searched for is in no address: not in the one that a form leads to, and in no
// link of the page. Sorting and paging keep it, and nobody is led elsewhere.
func TestWhatIsSearchedForIsInNoAddress(t *testing.T) {
	s, g := open(t)
	for i := range 60 {
		for _, name := range []string{"Ana Silva", "Staff"} {
			s.Papers.Consents = append(s.Papers.Consents, console.ConsentState{Label: fmt.Sprintf("%s %d", name, i), Consent: gatehouse.Consent{Subject: gatehouse.RandomID(), Purpose: gatehouse.FaceAtDoors, Given: time.Now(), How: "reference"}})
		}
	}
	find := func(form url.Values) (at, body string) {
		t.Helper()
		w, err := g.http.PostForm(g.base+"/find", form)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		b, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		return w.Request.URL.RequestURI(), string(b)
	}
	for path, more := range map[string]string{"/privacy/consents": "given", "/rules": ""} {
		at, body := find(url.Values{"to": {path}, "q": {"Ana Silva"}, "state": {more}})
		if !strings.HasPrefix(at, path+"?q=~") && !strings.Contains(at, "&q=~") && !strings.Contains(at, "q=%7E") {
			t.Fatalf("%s leads to %s", path, at)
		}
		if !strings.Contains(body, `value="Ana Silva"`) {
			t.Errorf("%s: the field does not say what was searched for", path)
		}
		for _, m := range regexp.MustCompile(`(?:href|action|src)="([^"]*)"`).FindAllStringSubmatch(body, -1) {
			if text, _ := url.QueryUnescape(html.UnescapeString(m[1])); strings.Contains(text, "Ana") {
				t.Errorf("%s links to %s", path, m[1])
			}
		}
		if path == "/rules" {
			continue
		}
		if strings.Contains(body, "Staff 1") || !strings.Contains(body, "Ana Silva") {
			t.Errorf("%s is not filtered", path)
		}
		next := regexp.MustCompile(`href="(/privacy/consents\?[^"]*page=2[^"]*)"`).FindStringSubmatch(body)
		if next == nil {
			t.Fatalf("%s has no second page", path)
		}
		if _, body := g.get(html.UnescapeString(next[1])); strings.Contains(body, "Staff 1") || !strings.Contains(body, "Ana Silva") {
			t.Error("the second page is not filtered")
		}
	}
	for _, to := range []string{"https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", "/\\elsewhere.example", ""} {
		if at, _ := find(url.Values{"to": {to}, "q": {"x"}}); strings.Contains(at, "elsewhere") || !strings.HasPrefix(at, "/?") {
			t.Errorf("%q leads to %s", to, at)
		}
	}
	if _, body := g.get("/privacy/consents?q=~AAAA"); !strings.Contains(body, "Ana Silva 1") {
		t.Error("what another process sealed breaks the page")
	}
}
