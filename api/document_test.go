package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"

	"github.com/google/jsonschema-go/jsonschema"
)

var update = flag.Bool("update", false, "write api/openapi/openapi.json")

// The document that is served is the one that the operations give.
func TestTheDocumentIsThatOfTheOperations(t *testing.T) {
	want := document(t, New(Options{}))
	const file = "openapi/openapi.json"
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := documentFiles.ReadFile(file)
	if *update {
		got, err = os.ReadFile(file)
	}
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the operations say (%v): run `make openapi`, and look at what changes for programs that use it", file, err)
	}
}

// Every route of the API is an operation with words, and every code has the status under
// which it is listed.
func TestOperationsAreDescribed(t *testing.T) {
	a := New(Options{})
	ids := map[string]bool{}
	for _, o := range a.operations() {
		if o.id == "" || ids[o.id] || o.tag == "" || o.summary == "" || len(o.replies) == 0 {
			t.Errorf("%s: id %q (or another has it), tag, summary or replies are missing", o.Pattern, o.id)
		}
		ids[o.id] = true
		_, path, _ := strings.Cut(o.Pattern, " ")
		var named []string
		for _, p := range o.path {
			named = append(named, "{"+p.name+"}")
		}
		if in := regexp.MustCompile(`\{\w+\}`).FindAllString(path, -1); !slices.Equal(in, named) {
			t.Errorf("%s: the path's parameters are %v, described are %v", o.Pattern, in, named)
		}
	}
	for _, r := range a.Routes() {
		_, path, _ := strings.Cut(r.Pattern, " ")
		described := slices.ContainsFunc(a.operations(), func(o operation) bool { return o.Pattern == r.Pattern })
		if strings.HasPrefix(path, "/admin/") == described {
			t.Errorf("%s: an operation is what is no route of the admin socket", r.Pattern)
		}
		if described && r.Policy == auth.OnSocket {
			t.Errorf("%s is served on the admin socket only", r.Pattern)
		}
	}
}

// object keeps its keys in the order in which they were put, as people read them.
type object struct {
	keys []string
	of   map[string]any
}

func (o *object) put(key string, v any) *object {
	if o.of == nil {
		o.of = map[string]any{}
	}
	if _, there := o.of[key]; !there {
		o.keys = append(o.keys, key)
	}
	o.of[key] = v
	return o
}

// some puts v where it is not the zero value.
func (o *object) some(key string, v any) *object {
	if r := reflect.ValueOf(v); r.IsValid() && !r.IsZero() {
		o.put(key, v)
	}
	return o
}

func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, k := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(k)
		v, err := plain(o.of[k])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// plain is JSON without the escapes that only HTML needs.
func plain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// writer makes the document.
type writer struct {
	t       *testing.T
	schemas map[string]*jsonschema.Schema // components, by name
	types   map[reflect.Type]*jsonschema.Schema
	words   map[string]string // what the source says of a type or field, by wordsOf
	sent    map[string]bool   // components that requests are made of: they refuse unknown members
}

func document(t *testing.T, a *API) []byte {
	t.Helper()
	w := &writer{t: t, schemas: map[string]*jsonschema.Schema{}, types: map[reflect.Type]*jsonschema.Schema{}, words: comments(t, map[string]string{"gatehouse/api/wire": "wire", "gatehouse": ".."}), sent: map[string]bool{}}
	w.known()
	paths := &object{}
	tags := &object{}
	for _, o := range a.operations() {
		method, path, _ := strings.Cut(o.Pattern, " ")
		item, _ := paths.of[path].(*object)
		if item == nil {
			item = &object{}
			paths.put(path, item)
		}
		item.put(strings.ToLower(method), w.operation(o))
		tags.put(o.tag, true)
	}
	w.schema(wire.Problem{})
	components := &object{}
	for _, name := range slices.Sorted(maps.Keys(w.schemas)) {
		if !w.sent[name] {
			open(w.schemas[name])
		}
		components.put(name, w.schemas[name])
	}
	var tagList []*object
	for _, name := range tags.keys {
		tagList = append(tagList, (&object{}).put("name", name).put("description", tagWords[name]))
	}
	doc := (&object{}).put("openapi", "3.1.0").
		put("info", (&object{}).put("title", "Gatehouse").put("version", "1").put("summary", "The API of a site's gates").put("description", documentWords)).
		put("servers", []any{(&object{}).put("url", "/").put("description", "The site's own server")}).
		put("tags", tagList).
		put("paths", paths).
		put("components", (&object{}).put("schemas", components).put("securitySchemes", securitySchemes()))
	b, err := plain(doc)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), '\n')
}

func (w *writer) operation(o operation) *object {
	out := (&object{}).put("operationId", o.id).put("tags", []string{o.tag}).put("summary", o.summary).some("description", o.about)
	var parameters []*object
	for _, in := range []struct {
		where string
		list  []parameter
	}{{"path", o.path}, {"query", o.query}, {"header", o.headers()}} {
		for _, p := range in.list {
			parameters = append(parameters, (&object{}).put("name", p.name).put("in", in.where).put("required", p.required).put("description", p.about).put("schema", w.parameter(p)))
		}
	}
	out.some("parameters", parameters)
	if o.request != nil {
		if o.request.like != nil {
			w.schema(o.request.like)
			w.markSent(reflect.TypeOf(o.request.like))
		}
		out.put("requestBody", (&object{}).put("required", true).put("content", w.content(o.request)))
	}
	answers := &object{}
	for _, r := range o.everyReply() {
		one := (&object{}).put("description", r.about)
		if len(r.header) > 0 {
			headers := &object{}
			for _, h := range r.header {
				headers.put(h.name, (&object{}).put("description", h.about).put("schema", w.parameter(h)))
			}
			one.put("headers", headers)
		}
		if r.body != nil {
			one.put("content", w.content(r.body))
		}
		answers.put(fmt.Sprint(r.status), one)
	}
	codes := map[int][]string{}
	for _, c := range o.allProblems() {
		s := Status(gatehouse.Errorf(c, "", ""))
		if !slices.Contains(codes[s], c) {
			codes[s] = append(codes[s], c)
		}
	}
	for _, s := range slices.Sorted(maps.Keys(codes)) {
		slices.Sort(codes[s])
		body := (&object{}).put("application/problem+json", (&object{}).put("schema", (&object{}).put("allOf", []any{
			(&object{}).put("$ref", "#/components/schemas/Problem"),
			(&object{}).put("properties", (&object{}).put("code", (&object{}).put("enum", codes[s])))})))
		if had, ok := answers.of[fmt.Sprint(s)].(*object); ok {
			had.of["content"].(*object).put("application/problem+json", body.of["application/problem+json"])
			continue
		}
		answers.put(fmt.Sprint(s), (&object{}).put("description", http.StatusText(s)+": "+strings.Join(codes[s], ", ")+".").put("content", body))
	}
	return out.put("responses", answers).put("security", security(o.Policy)).put("x-gatehouse-policy", o.Policy.String())
}

func (w *writer) parameter(p parameter) *jsonschema.Schema {
	s := w.schema(p.like)
	if s.Ref == "" && p.enum != nil {
		for _, e := range p.enum {
			s.Enum = append(s.Enum, e)
		}
	}
	if p.least != 0 || p.most != 0 {
		least, most := float64(p.least), float64(p.most)
		s.Minimum, s.Maximum = &least, &most
	}
	if p.standard != nil {
		s.Default, _ = json.Marshal(p.standard)
	}
	return s
}

func (w *writer) content(c *content) *object {
	out := &object{}
	kinds := c.kinds
	if kinds == nil {
		kinds = []string{"application/json"}
	}
	for _, kind := range kinds {
		body := &object{}
		switch {
		case c.like != nil:
			body.put("schema", w.schema(c.like))
		case strings.HasPrefix(kind, "text/"):
			body.put("schema", &jsonschema.Schema{Type: "string"})
		}
		out.put(kind, body)
	}
	return out
}

// known are the types that are not what their Go type says.
func (w *writer) known() {
	text := func(pattern, format string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: pattern, Format: format}
	}
	name := text("^[a-z0-9][a-z0-9-]{0,39}$", "")
	w.types[reflect.TypeFor[gatehouse.ID]()] = text("^[0-9a-f]{32}$", "")
	w.types[reflect.TypeFor[time.Time]()] = text("", "date-time")
	w.types[reflect.TypeFor[json.RawMessage]()] = &jsonschema.Schema{}
	w.types[reflect.TypeFor[[]byte]()] = &jsonschema.Schema{Type: "string", ContentEncoding: "base64"}
	for _, n := range []reflect.Type{reflect.TypeFor[gatehouse.GateID](), reflect.TypeFor[gatehouse.DeviceID]()} {
		w.types[n] = name
	}
	for t, list := range map[reflect.Type][]any{
		reflect.TypeFor[gatehouse.Outcome]():       anys(gatehouse.NoAction, gatehouse.Pending, gatehouse.Passed, gatehouse.NotPassed, gatehouse.Tailgated, gatehouse.Unconfirmed, gatehouse.Unreachable),
		reflect.TypeFor[gatehouse.Reason]():        anys(gatehouse.Reasons...),
		reflect.TypeFor[gatehouse.Guidance]():      anys(gatehouse.Guidances...),
		reflect.TypeFor[gatehouse.Answer]():        anys(gatehouse.Answers...),
		reflect.TypeFor[gatehouse.SubjectKind]():   anys(gatehouse.PersonSubject, gatehouse.VehicleSubject),
		reflect.TypeFor[gatehouse.SubjectStatus](): anys(gatehouse.Active, gatehouse.SuspendedStatus),
		reflect.TypeFor[gatehouse.Direction]():     anys(gatehouse.In, gatehouse.Out),
		reflect.TypeFor[gatehouse.GateKind]():      anys(gatehouse.Door, gatehouse.Lane),
		reflect.TypeFor[gatehouse.DeviceKind]():    anys(gatehouse.Camera, gatehouse.Reader, gatehouse.Terminal, gatehouse.Relay, gatehouse.Kiosk),
		reflect.TypeFor[gatehouse.ReadingKind]():   anys(gatehouse.FaceReading, gatehouse.PlateReading, gatehouse.CardReading, gatehouse.PINReading, gatehouse.QRReading),
	} {
		w.types[t] = &jsonschema.Schema{Type: "string", Enum: list}
	}
}

func anys[T ~string](list ...T) (out []any) {
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

// schema describes a value's type: a struct that has a name becomes a component.
func (w *writer) schema(like any) *jsonschema.Schema {
	t := reflect.TypeOf(like)
	w.collect(t)
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: w.types})
	if err != nil {
		w.t.Fatal(err)
	}
	return filled(s)
}

// collect makes components of the structs that a type holds, the innermost first.
func (w *writer) collect(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		if w.types[t] == nil {
			w.collect(t.Elem())
		}
	case reflect.Struct:
		if w.types[t] != nil {
			return
		}
		for _, f := range reflect.VisibleFields(t) {
			if f.IsExported() && !f.Anonymous {
				w.collect(f.Type)
			}
		}
		s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: w.types})
		if err != nil {
			w.t.Fatal(err)
		}
		s.Description = w.words[wordsOf(t)]
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if p := s.Properties[name]; p != nil && p.Ref == "" && p.Description == "" {
				p.Description = w.words[wordsOf(t)+"."+f.Name]
			}
		}
		if t == reflect.TypeFor[gatehouse.Grant]() { // a gate, or all of them
			s.Properties["gate"].Pattern = `^(\*|[a-z0-9][a-z0-9-]{0,39})$`
		}
		if w.schemas[t.Name()] != nil {
			w.t.Fatalf("two types are called %s", t.Name())
		}
		w.schemas[t.Name()] = filled(s)
		w.types[t] = &jsonschema.Schema{Ref: "#/components/schemas/" + t.Name()}
	}
}

// markSent notes that requests hold the type, and those in it.
func (w *writer) markSent(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		w.markSent(t.Elem())
	case reflect.Struct:
		w.sent[t.Name()] = true
		for _, f := range reflect.VisibleFields(t) {
			if f.IsExported() && !f.Anonymous {
				w.markSent(f.Type)
			}
		}
	}
}

// open lets answers get new members.
func open(s *jsonschema.Schema) {
	if s.Properties != nil {
		s.AdditionalProperties = nil
	}
	for _, p := range s.Properties {
		open(p)
	}
	if s.Items != nil {
		open(s.Items)
	}
}

// filled takes away that a value may be null: an empty list is [], and what is not there is
// left out.
func filled(s *jsonschema.Schema) *jsonschema.Schema {
	if len(s.Types) == 2 && s.Types[0] == "null" {
		s.Type, s.Types = s.Types[1], nil
	}
	if s.Ref != "" {
		s.Types = nil
	}
	for _, p := range s.Properties {
		filled(p)
	}
	if s.Items != nil {
		filled(s.Items)
	}
	if s.AdditionalProperties != nil {
		filled(s.AdditionalProperties)
	}
	return s
}

// wordsOf is under what the words about a type are kept.
func wordsOf(t reflect.Type) string { return t.PkgPath() + "." + t.Name() }

// comments are what the source of some packages, which lie in those folders, says of its
// types and their fields.
func comments(t *testing.T, dirs map[string]string) map[string]string {
	t.Helper()
	out := map[string]string{}
	route := regexp.MustCompile(`\s*(GET|PUT|POST|DELETE|PATCH) /(admin|api)/[^.]*\.$`)
	say := func(key string, groups ...*ast.CommentGroup) {
		for _, g := range groups {
			if words := strings.Join(strings.Fields(g.Text()), " "); words != "" {
				out[key] = route.ReplaceAllString(words, "")
				return
			}
		}
	}
	for path, dir := range dirs {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), dir+"/"+f.Name(), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok {
					continue
				}
				for _, spec := range g.Specs {
					one, ok := spec.(*ast.TypeSpec)
					if !ok {
						continue
					}
					say(path+"."+one.Name.Name, one.Doc, g.Doc)
					if fields, ok := one.Type.(*ast.StructType); ok {
						for _, f := range fields.Fields.List {
							for _, n := range f.Names {
								say(path+"."+one.Name.Name+"."+n.Name, f.Doc, f.Comment)
							}
						}
					}
				}
			}
		}
	}
	return out
}
