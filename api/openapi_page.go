package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"sync"
)

// documentPage renders the document for people, once. It panics where the embedded
// document or template is broken, which a test would see.
var documentPage = sync.OnceValue(func() []byte {
	b, err := documentFiles.ReadFile("openapi/openapi.json")
	if err != nil {
		panic(err)
	}
	var doc pageDocument
	if err := json.Unmarshal(b, &doc); err != nil {
		panic(err)
	}
	t := template.Must(template.New("page.html").Funcs(template.FuncMap{"paragraphs": func(s string) []string { return strings.Split(s, "\n\n") }}).ParseFS(documentFiles, "openapi/page.html"))
	var out bytes.Buffer
	if err := t.Execute(&out, doc.page()); err != nil {
		panic(err)
	}
	return out.Bytes()
})

// pageDocument is what the page shows of the document.
type pageDocument struct {
	Info struct{ Title, Version, Description string }
	Tags []struct{ Name, Description string }
	// Paths keeps no order; the page's is by path.
	Paths      map[string]map[string]pageOperation
	Components struct{ Schemas map[string]*pageSchema }
}

type pageOperation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Parameters                        []pageParameter
	RequestBody                       *struct{ Content map[string]pageContent }
	Responses                         map[string]struct {
		Description string
		Content     map[string]pageContent
	}
	Policy string `json:"x-gatehouse-policy"`
}

type pageParameter struct {
	Name, In, Description string
	Required              bool
	Schema                *pageSchema
}

type pageContent struct{ Schema *pageSchema }

type pageSchema struct {
	Ref                       string `json:"$ref"`
	Type, Format, Description string
	Pattern                   string
	Enum                      []any
	Items                     *pageSchema
	Properties                map[string]*pageSchema
	Required                  []string
	Minimum, Maximum          *float64
	AllOf                     []*pageSchema
	ContentEncoding           string
	Default                   any
}

// UnmarshalJSON reads a schema; true is one that anything fits.
func (s *pageSchema) UnmarshalJSON(b []byte) error {
	if string(b) == "true" {
		return nil
	}
	type plain pageSchema
	return json.Unmarshal(b, (*plain)(s))
}

// Link is the component that the schema is, or a list of; "" for none.
func (s *pageSchema) Link() string {
	for s != nil {
		if s.Ref != "" {
			return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
		}
		s = s.Items
	}
	return ""
}

// Words is the type in short.
func (s *pageSchema) Words() string {
	if s == nil {
		return ""
	}
	switch {
	case s.Ref != "":
		return s.Link()
	case s.Items != nil:
		return "list of " + s.Items.Words()
	case s.Enum != nil:
		var all []string
		for _, e := range s.Enum {
			all = append(all, fmt.Sprint(e))
		}
		return strings.Join(all, " | ")
	case s.ContentEncoding != "":
		return s.ContentEncoding
	case s.Format != "":
		return s.Format
	case s.Pattern == "^[0-9a-f]{32}$":
		return "id"
	case s.Minimum != nil && s.Maximum != nil:
		return fmt.Sprintf("%s, %g to %g", s.Type, *s.Minimum, *s.Maximum)
	case s.Type == "":
		return "any"
	}
	return s.Type
}

// The page's own order and shape.
type (
	pageGroup struct {
		Name, Words string
		Operations  []pageEntry
	}
	pageEntry struct {
		pageOperation
		Method, Path string
		Answers      []pageAnswer
	}
	pageAnswer struct {
		Status, Words string
		Schemas       []*pageSchema
	}
	pageType struct {
		Name, Words string
		Fields      []pageField
	}
	pageField struct {
		Name     string
		Required bool
		Schema   *pageSchema
	}
)

func (d pageDocument) page() any {
	var groups []pageGroup
	for _, tag := range d.Tags {
		g := pageGroup{Name: tag.Name, Words: tag.Description}
		for _, path := range sortedKeys(d.Paths) {
			for _, method := range []string{"get", "post", "put", "patch", "delete"} {
				o, ok := d.Paths[path][method]
				if !ok || !slices.Contains(o.Tags, tag.Name) {
					continue
				}
				e := pageEntry{pageOperation: o, Method: strings.ToUpper(method), Path: path}
				for _, status := range sortedKeys(o.Responses) {
					r := o.Responses[status]
					answer := pageAnswer{Status: status, Words: r.Description}
					for _, kind := range sortedKeys(r.Content) {
						if s := r.Content[kind].Schema; s != nil && s.Link() != "" {
							answer.Schemas = append(answer.Schemas, s)
						}
					}
					e.Answers = append(e.Answers, answer)
				}
				g.Operations = append(g.Operations, e)
			}
		}
		groups = append(groups, g)
	}
	var types []pageType
	for _, name := range sortedKeys(d.Components.Schemas) {
		s := d.Components.Schemas[name]
		one := pageType{Name: name, Words: s.Description}
		for _, field := range sortedKeys(s.Properties) {
			one.Fields = append(one.Fields, pageField{Name: field, Required: slices.Contains(s.Required, field), Schema: s.Properties[field]})
		}
		types = append(types, one)
	}
	return map[string]any{"Info": d.Info, "Groups": groups, "Types": types, "Document": documentPath, "Style": stylePath}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
