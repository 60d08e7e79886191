package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/auth"

	"github.com/google/jsonschema-go/jsonschema"
)

// Checked answers as h does, and fails the test where the document does not say so: an
// answer's status, media type, code or shape that nobody was told of.
func Checked(t *testing.T, a *API, h http.Handler) http.Handler {
	t.Helper()
	doc := Document(t)
	match := auth.Match(a.Routes())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := httptest.NewRecorder()
		h.ServeHTTP(got, r)
		if pattern := match(r); pattern != "" && !strings.Contains(pattern, " /admin/") && got.Code != http.StatusMisdirectedRequest {
			if err := doc.Check(pattern, got.Code, got.Header().Get("Content-Type"), got.Body.Bytes()); err != nil {
				t.Errorf("%s: %v", pattern, err)
			}
		}
		for k, v := range got.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(got.Code)
		_, _ = w.Write(got.Body.Bytes())
	})
}

// Described is the served document, to hold answers against.
type Described struct {
	paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct{ Schema json.RawMessage }
		}
	}
	schemas json.RawMessage
}

// Document reads what is served.
func Document(t *testing.T) *Described {
	t.Helper()
	b, err := documentFiles.ReadFile("openapi/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := ReadDocument(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ReadDocument reads a document of ours.
func ReadDocument(b []byte) (*Described, error) {
	var raw struct {
		Paths      json.RawMessage
		Components struct{ Schemas json.RawMessage }
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, err
	}
	var all map[string]any
	if err := json.Unmarshal(inDefs(raw.Components.Schemas), &all); err != nil {
		return nil, err
	}
	closed(all)
	schemas, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	d := &Described{schemas: schemas}
	return d, json.Unmarshal(raw.Paths, &d.paths)
}

// closed refuses members that are not described: programs are told that there may be
// more, and a test must see each.
func closed(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["additionalProperties"]; !ok && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, in := range v {
			closed(in)
		}
	case []any:
		for _, in := range v {
			closed(in)
		}
	}
}

// inDefs moves references from where OpenAPI has components to where JSON Schema has them.
func inDefs(b []byte) []byte {
	return bytes.ReplaceAll(b, []byte("#/components/schemas/"), []byte("#/$defs/"))
}

// Check says how an answer of a route differs from what the document promises; nil for
// not at all.
func (d *Described) Check(pattern string, status int, kind string, body []byte) error {
	method, path, _ := strings.Cut(pattern, " ")
	r, ok := d.paths[path][strings.ToLower(method)].Responses[fmt.Sprint(status)]
	if !ok {
		return fmt.Errorf("the document knows no status %d: %s", status, body)
	}
	c, ok := r.Content[mediaType(kind)]
	switch {
	case !ok && len(body) == 0 && len(r.Content) == 0:
		return nil
	case !ok:
		return fmt.Errorf("the document knows no %s with status %d", kind, status)
	case !strings.HasSuffix(mediaType(kind), "json") || c.Schema == nil:
		return nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("status %d is no JSON: %w", status, err)
	}
	var s jsonschema.Schema
	root := fmt.Sprintf(`{"$defs":%s,"allOf":[%s]}`, d.schemas, inDefs(c.Schema))
	if err := json.Unmarshal([]byte(root), &s); err != nil {
		return err
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		return err
	}
	if err := resolved.Validate(v); err != nil {
		return fmt.Errorf("status %d is not as the document says: %w\n%s", status, err, body)
	}
	return nil
}
