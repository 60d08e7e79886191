package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse"
)

// An auditor sees the log, and what was disclosed, and nothing else.
func TestAnAuditorSeesTheLogOnly(t *testing.T) {
	s, _ := open(t)
	g := byRole(t, s, gatehouse.Auditor)
	for path, want := range map[string]int{"/audit": http.StatusOK, "/disclosures": http.StatusOK, "/audit/proofs/7": http.StatusOK, "/people": http.StatusForbidden, "/privacy": http.StatusForbidden,
		"/devices": http.StatusForbidden, "/health": http.StatusForbidden, "/passages": http.StatusForbidden, "/privacy/requests": http.StatusForbidden} {
		if code, _ := g.get(path); code != want {
			t.Errorf("%s: %d", path, code)
		}
	}
	_, body := g.get("/audit")
	_, nav, _ := strings.Cut(body, `<nav class="side"`)
	nav, _, _ = strings.Cut(nav, "</nav>")
	if n := strings.Count(nav, "<li>"); n != 2 {
		t.Errorf("the navigation has %d places", n)
	}
}

func TestTheAuditLogPagesFiltersAndProves(t *testing.T) {
	_, g := open(t)
	rows := func(path string) (int, string) {
		_, body := g.get(path)
		return strings.Count(body, `<th scope="row"`), body
	}
	n, body := rows("/audit")
	if n != 50 || !strings.Contains(body, `href="/audit?before=70"`) || strings.Contains(body, `>Newest<`) {
		t.Errorf("the first page has %d rows", n)
	}
	if n, body = rows("/audit?before=70"); n != 50 || !strings.Contains(body, ">Newest<") {
		t.Errorf("the second page has %d rows", n)
	}
	if n, body = rows("/audit?before=20"); n != 20 || strings.Contains(body, `rel="next"`) {
		t.Errorf("the last page has %d rows", n)
	}
	if n, _ = rows("/audit?kind=vault"); n != 30 {
		t.Errorf("%d rows of one kind", n)
	}
	if n, _ = rows("/audit?kind=nonsense&before=x"); n != 50 {
		t.Errorf("%d rows of what there is not", n)
	}
	if n, body = rows("/audit?since=yesterday"); n != 50 || !strings.Contains(body, `role="alert"`) {
		t.Errorf("a time that is none: %d rows", n)
	}
	if n, _ = rows("/audit?until=2001-01-01T00:00"); n != 0 {
		t.Errorf("%d rows before the log began", n)
	}
	if _, file := g.get("/audit?kind=vault&format=csv"); strings.Count(file, "\n") != 31 || !strings.Contains(file, "119,") {
		t.Errorf("the file has %d lines", strings.Count(file, "\n"))
	}
	if code, file := g.get("/audit/proofs/7"); code != http.StatusOK || file != `{"index":7}` {
		t.Errorf("a proof: %d, %s", code, file)
	}
	if code, _ := g.get("/audit/proofs/9999"); code != http.StatusNotFound {
		t.Errorf("a proof of what is not there: %d", code)
	}
	if code, file := g.get("/audit/checkpoint"); code != http.StatusOK || !strings.HasPrefix(file, "acme/hq/log\n120\n") {
		t.Errorf("the checkpoint: %d, %q", code, file)
	}
}

func TestTheAuditLogIsVerified(t *testing.T) {
	s, g := open(t)
	if _, body := g.get("/audit"); !strings.Contains(body, "Everything holds") {
		t.Error("the last verification is not there")
	}
	if code, body := g.post("/audit/verify", url.Values{"deep": {"yes"}}); code != http.StatusOK || !strings.Contains(body, `hx-get="/audit/verify"`) || !strings.Contains(body, `max="120" value="60"`) {
		t.Errorf("running: %d", code)
	}
	if code, _ := g.post("/audit/verify/stop", nil); code != http.StatusOK || s.Verifying {
		t.Errorf("stopped: %d", code)
	}
}
