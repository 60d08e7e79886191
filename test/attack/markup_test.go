package attack

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Text that an attacker wrote into every field that takes text (names, units, labels,
// references, reasons, the site's and gates' names, accounts, cards that a device sent,
// queries and forms) stays text on every page.
func TestMarkupStaysText(t *testing.T) {
	w := newWorld(t, markup)
	asText := 0
	look := func(what string, answer *http.Response, body []byte) {
		t.Helper()
		kind := answer.Header.Get("Content-Type")
		if !strings.HasPrefix(kind, "text/html") {
			if bytes.Contains(body, []byte("<ghx")) && !strings.HasPrefix(kind, "application/json") && !strings.HasPrefix(kind, "application/problem+json") && !strings.HasPrefix(kind, "text/csv") {
				t.Errorf("%s gives markup as %s", what, kind)
			}
			return
		}
		for _, found := range injected(t, body) {
			t.Errorf("%s: %s", what, found)
		}
		if bytes.Contains(body, []byte("&lt;ghx")) {
			asText++
		}
	}
	escaped := url.QueryEscape(markup)
	for _, r := range w.tcp() {
		method, path := w.path(r, "")
		switch {
		case method == http.MethodGet:
			for _, p := range []string{path, path + "?lang=zh", path + "?q=" + escaped + "&gate=" + escaped + "&before=" + escaped + "&error=" + escaped + "&to=" + escaped + "&next=" + escaped + "&lang=" + escaped} {
				answer, body, err := w.do(method, p, w.as(r))
				if err != nil {
					t.Errorf("%s: %v", p, err)
					continue
				}
				look(r.Pattern, answer, body)
			}
			if parts(r) {
				answer, body, err := w.do(method, fill(r, w, url.PathEscape(markup)), w.as(r))
				if err != nil {
					t.Errorf("%s: %v", r.Pattern, err)
					continue
				}
				look(r.Pattern+", in its path", answer, body)
			}
		case ends(r.Pattern):
		default:
			answer, body, err := w.do(method, path, w.form(r, everyField(markup)))
			if err != nil {
				t.Errorf("%s: %v", r.Pattern, err)
				continue
			}
			look(r.Pattern, answer, body)
		}
	}
	// The search for markup finds it, where a page has any.
	if got := injected(t, []byte(`<p title=""'><ghx ghx="1" onghx='2'></p>`)); len(got) < 2 {
		t.Errorf("the control finds %v", got)
	}
	if asText < 10 {
		t.Errorf("the attacker's text is on %d pages only: too little was tried", asText)
	}
}

// injected says which of the attacker's elements and attributes a page has.
func injected(t *testing.T, page []byte) (found []string) {
	t.Helper()
	for _, token := range tags(t, page) {
		if token.Data == "ghx" {
			found = append(found, "has an element of the attacker's")
		}
		for _, a := range token.Attr {
			if strings.Contains(a.Key, "ghx") {
				found = append(found, "has an attribute of the attacker's in "+token.Data)
			}
			if link := a.Key == "href" || a.Key == "src" || a.Key == "action"; link && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				found = append(found, "has a script for a link in "+token.Data)
			}
		}
	}
	return found
}

// tags are a page's elements, as a browser reads them.
func tags(t *testing.T, page []byte) (list []html.Token) {
	t.Helper()
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				t.Error(z.Err())
			}
			return list
		case html.StartTagToken, html.SelfClosingTagToken:
			list = append(list, z.Token())
		}
	}
}
