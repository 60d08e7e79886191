package tariff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gatehouse/rules/parking"
)

// Draft is one version of a tariff as a form has it: texts by their place in the version, which
// is named as a Problem names it: "grace", "plans[0].periods[1].steps[0].price". All that a
// version can say has a place, so that nothing is lost between a file and a form. A switch is
// "true" or "", classes are one text with commas.
type Draft map[string]string

// The bounds of a list in a draft: more rows than any tariff may have (rules/parking).
const maxRows = 101

// draftOf lays a version out.
func draftOf(v version) Draft {
	d := Draft{}
	d.put("", reflect.ValueOf(v))
	return d
}

func (d Draft) put(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			d.put(path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			d.put(below(path, word(v.Type().Field(i))), v.Field(i))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.String {
			d.set(path, strings.Join(v.Interface().([]string), ", "))
			return
		}
		for i := range v.Len() {
			d.put(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Bool:
		if v.Bool() {
			d[path] = "true"
		}
	case reflect.Int:
		if v.Int() != 0 {
			d[path] = strconv.FormatInt(v.Int(), 10)
		}
	default:
		d.set(path, v.String())
	}
}

func (d Draft) set(path, text string) {
	if text != "" {
		d[path] = text
	}
}

func word(f reflect.StructField) string { return f.Tag.Get("yaml") }

func below(path, word string) string {
	if path == "" {
		return word
	}
	return path + "." + word
}

// version puts a draft together again. Rows in which nothing stands are left out, so that a form
// may end in an empty one. What is no number is said of its place.
func (d Draft) version() (v version, found []Problem) {
	b := builder{d, map[string]bool{}, nil}
	for path, text := range d {
		if strings.TrimSpace(text) == "" {
			continue
		}
		for at := path; at != "" && !b.filled[at]; at = at[:max(0, strings.LastIndexAny(at, ".["))] {
			b.filled[at] = true
		}
	}
	b.get("", reflect.ValueOf(&v).Elem())
	return v, b.found
}

// builder makes a version of a draft.
type builder struct {
	Draft
	filled map[string]bool // places at which something stands, or below which
	found  []Problem
}

func (b *builder) get(path string, v reflect.Value) {
	text := strings.TrimSpace(b.Draft[path])
	switch v.Kind() {
	case reflect.Pointer:
		if b.filled[path] {
			v.Set(reflect.New(v.Type().Elem()))
			b.get(path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			b.get(below(path, word(v.Type().Field(i))), v.Field(i))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.String {
			for part := range strings.SplitSeq(text, ",") {
				if part = strings.TrimSpace(part); part != "" {
					v.Set(reflect.Append(v, reflect.ValueOf(part)))
				}
			}
			return
		}
		for i := range maxRows {
			if row := fmt.Sprintf("%s[%d]", path, i); b.filled[row] {
				one := reflect.New(v.Type().Elem()).Elem()
				b.get(row, one)
				v.Set(reflect.Append(v, one))
			}
		}
	case reflect.Bool:
		v.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if text != "" && err != nil {
			b.found = append(b.found, at(0, parking.Wrong(path, path, "it is a whole number")))
		}
		v.SetInt(int64(n))
	default:
		v.SetString(text)
	}
}

// Tidy gives a draft without its empty rows, with the same places as what is said of it.
func (d Draft) Tidy() Draft {
	v, _ := d.version()
	tidy := draftOf(v)
	for at, text := range d { // what was no number stays to be mended
		if _, there := tidy[at]; !there && !strings.Contains(at, "[") && strings.TrimSpace(text) != "" && d.known(at) {
			tidy[at] = text
		}
	}
	return tidy
}

// known reports whether a path outside lists is a word of a version.
func (d Draft) known(path string) bool {
	return slices.Contains(words(reflect.TypeFor[version]()), path[strings.LastIndexByte(path, '.')+1:])
}

// words lists the names of a struct's fields in YAML, and of those below it.
func words(t reflect.Type) []string {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var all []string
	for i := range t.NumField() {
		all = append(append(all, word(t.Field(i))), words(t.Field(i).Type)...)
	}
	return all
}

// block writes a struct's fields as block style at an indentation, without those that are empty.
func block(b *strings.Builder, v reflect.Value, indent string) {
	first := true
	for i := range v.NumField() {
		f, key := v.Field(i), word(v.Type().Field(i))
		if f.IsZero() {
			continue
		}
		if !first {
			b.WriteString(indent)
		}
		first = false
		if f.Kind() != reflect.Slice || f.Type().Elem().Kind() != reflect.Struct {
			fmt.Fprintf(b, "%s: %s\n", key, inline(f))
			continue
		}
		fmt.Fprintf(b, "%s:\n", key)
		for j := range f.Len() {
			b.WriteString(indent + "  - ")
			if lists(f.Type().Elem()) {
				block(b, f.Index(j), indent+"    ")
			} else {
				b.WriteString(inline(f.Index(j)) + "\n")
			}
		}
	}
}

// lists reports whether a struct has rows of its own.
func lists(t reflect.Type) bool {
	for i := range t.NumField() {
		if t.Field(i).Type.Kind() == reflect.Slice {
			return true
		}
	}
	return false
}

// inline writes a value on one line.
func inline(v reflect.Value) string {
	var parts []string
	switch v.Kind() {
	case reflect.Pointer:
		return inline(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() {
				parts = append(parts, word(v.Type().Field(i))+": "+inline(f))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.Slice:
		for i := range v.Len() {
			parts = append(parts, inline(v.Index(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Bool, reflect.Int:
		return fmt.Sprint(v.Interface())
	}
	return quoted(v.String())
}

var plain = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z.:_-]*[0-9A-Za-z])?$`)

// quoted writes a text so that it is one word of YAML, whatever stands in it.
func quoted(s string) string {
	if plain.MatchString(s) {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text always can be
	return strings.TrimSpace(b.String())
}
