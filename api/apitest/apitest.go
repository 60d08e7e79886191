// Package apitest holds the API's answers against the document that its server gives out,
// for tests. Nothing outside of tests may import it.
package apitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"gatehouse/auth"

	"github.com/google/jsonschema-go/jsonschema"
)

// Checked answers as h does, and fails the test where the document does not say so: an
// answer's status, media type, code or shape that nobody was told of.
func Checked(t *testing.T, doc *Document, routes []auth.Route, h http.Handler) http.Handler {
	t.Helper()
	match := auth.Match(routes)
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

// Document is the served document, to hold answers against. It is safe for concurrent use.
type Document struct {
	paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct{ Schema json.RawMessage }
		}
	}
	schemas json.RawMessage

	mu       sync.Mutex
	resolved map[string]*jsonschema.Resolved // by pattern, status and media type
}

// Read reads a document of ours.
func Read(b []byte) (*Document, error) {
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
	d := &Document{schemas: schemas, resolved: map[string]*jsonschema.Resolved{}}
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
func (d *Document) Check(pattern string, status int, kind string, body []byte) error {
	method, path, _ := strings.Cut(pattern, " ")
	r, ok := d.paths[path][strings.ToLower(method)].Responses[fmt.Sprint(status)]
	if !ok {
		return fmt.Errorf("the document knows no status %d: %s", status, body)
	}
	c, ok := r.Content[mediaTypeOf(kind)]
	switch {
	case !ok && len(body) == 0 && len(r.Content) == 0:
		return nil
	case !ok:
		return fmt.Errorf("the document knows no %s with status %d", kind, status)
	case !strings.HasSuffix(mediaTypeOf(kind), "json") || c.Schema == nil:
		return nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("status %d is no JSON: %w", status, err)
	}
	resolved, err := d.schema(fmt.Sprint(pattern, status, mediaTypeOf(kind)), c.Schema)
	if err != nil {
		return err
	}
	if err := resolved.Validate(v); err != nil {
		return fmt.Errorf("status %d is not as the document says: %w\n%s", status, err, body)
	}
	return nil
}

func (d *Document) schema(key string, of json.RawMessage) (*jsonschema.Resolved, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.resolved[key]; r != nil {
		return r, nil
	}
	var s jsonschema.Schema
	root := fmt.Sprintf(`{"$defs":%s,"allOf":[%s]}`, d.schemas, inDefs(of))
	if err := json.Unmarshal([]byte(root), &s); err != nil {
		return nil, err
	}
	r, err := s.Resolve(nil)
	d.resolved[key] = r
	return r, err
}

// mediaTypeOf is the type of an answer without its parameters.
func mediaTypeOf(header string) string {
	kind, _, _ := mime.ParseMediaType(header)
	return kind
}

// Gets are the document's paths that are read, without those whose answer does not end or
// is none of JSON's.
func (d *Document) Gets() (paths []string) {
	for path, methods := range d.paths {
		if r, ok := methods["get"]; ok {
			if _, ok := r.Responses["200"].Content["application/json"]; ok {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	return paths
}
