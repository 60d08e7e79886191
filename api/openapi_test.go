package api_test

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"gatehouse/api/apitest"
)

var document = sync.OnceValues(func() (*apitest.Document, error) {
	b, err := os.ReadFile("openapi/openapi.json")
	if err != nil {
		return nil, err
	}
	return apitest.Read(b)
})

// served is the document that all tests hold answers against.
func served(t *testing.T) *apitest.Document {
	t.Helper()
	d, err := document()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The check that all tests of this package go through finds what the document does not
// say.
func TestTheCheckFinds(t *testing.T) {
	doc := served(t)
	const problem = `{"type":"about:blank","title":"Not Found","status":404,"code":"CODE"}`
	row := `{"id":"ID","gate":"front-door","device":"cam","direction":"in","at":"2026-11-26T00:00:00Z","kind":"face","subject":"ID","known":true,"frames":1,"decision":"granted","reason":"granted","latency_ms":1,"outcome":"passed"}`
	row = strings.ReplaceAll(row, "ID", strings.Repeat("0a", 16))
	for name, c := range map[string]struct {
		status int
		kind   string
		body   string
		fits   bool
	}{
		"a page":             {200, "application/json", `{"passages":[` + row + `]}`, true},
		"an empty one":       {200, "application/json", `{"passages":[]}`, true},
		"null for a list":    {200, "application/json", `{"passages":null}`, false},
		"a member more":      {200, "application/json", `{"passages":[],"names":[]}`, false},
		"a row with a name":  {200, "application/json", `{"passages":[` + strings.Replace(row, `"known"`, `"name":"Mei Lin","known"`, 1) + `]}`, false},
		"another reason":     {200, "application/json", `{"passages":[` + strings.Replace(row, `"reason":"granted"`, `"reason":"liked"`, 1) + `]}`, false},
		"no id":              {200, "application/json", `{"passages":[` + strings.Replace(row, `"id":"0a`, `"id":"xx`, 1) + `]}`, false},
		"a known problem":    {400, "application/problem+json", strings.Replace(problem, "CODE", "request.malformed", 1), true},
		"an unknown problem": {400, "application/problem+json", strings.Replace(problem, "CODE", "request.new", 1), false},
		"a status too many":  {418, "application/problem+json", strings.Replace(problem, "CODE", "request.malformed", 1), false},
		"a problem as JSON":  {400, "application/json", strings.Replace(problem, "CODE", "request.malformed", 1), false},
		"another media type": {200, "text/html", "<p>", false},
	} {
		if err := doc.Check("GET /api/v1/passages", c.status, c.kind, []byte(c.body)); (err == nil) != c.fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The document and its page are for everybody, may be kept, and ask no other host.
func TestTheDocumentIsServed(t *testing.T) {
	tcp, _ := serve(t, &world{}, nil)
	for path, kind := range map[string]string{"/api/v1/openapi.json": "application/json", "/api/v1/docs": "text/html; charset=utf-8", "/api/v1/docs.css": "text/css; charset=utf-8"} {
		r := send(tcp, "GET", path, "")
		tag := r.Header().Get("ETag")
		if r.Code != http.StatusOK || r.Header().Get("Content-Type") != kind || tag == "" {
			t.Errorf("%s: %d, %v", path, r.Code, r.Header())
		}
		if r := send(tcp, "GET", path, "", "If-None-Match", `"other", W/`+tag); r.Code != http.StatusNotModified || r.Body.Len() > 0 {
			t.Errorf("%s that is known: %d", path, r.Code)
		}
		for _, no := range []string{"<script", "style=", "http://", "/admin/v1"} {
			if path != "/api/v1/openapi.json" && strings.Contains(r.Body.String(), no) {
				t.Errorf("%s has %q", path, no)
			}
		}
	}
	page := send(tcp, "GET", "/api/v1/docs", "").Body.String()
	for _, want := range []string{"listPassages", "/api/v1/passages", "auth.forbidden", "type-Passage"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
}
