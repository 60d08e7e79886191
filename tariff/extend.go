package tariff

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Head is what all versions of a tariff share.
type Head struct {
	Name     string
	Currency string
	TimeZone string
}

// Kept is what of a file a form does not show; Extend leaves it as it is.
type Kept struct {
	Versions int // before the one that is shown
	Holidays int
	Comments int // in the whole file
}

// Last lays out a file's last version, for a form.
func Last(raw []byte) (Head, Draft, Kept, error) {
	if t, problems := Read(raw); len(problems) > 0 {
		return Head{}, nil, Kept{}, gatehouse.Errorf("tariff.problems", "mend the file first", "tariff %s cannot be used", t.Name)
	}
	f, err := decode(raw)
	if err != nil {
		return Head{}, nil, Kept{}, err
	}
	k := Kept{Versions: len(f.Versions) - 1, Holidays: len(f.Holidays), Comments: len(comments(raw, 0, 1<<30))}
	return Head{f.Tariff, f.Currency, f.TimeZone}, draftOf(f.Versions[len(f.Versions)-1]), k, nil
}

func decode(raw []byte) (f file, err error) {
	if err = yaml.UnmarshalWithOptions(raw, &f, yaml.Strict()); err != nil {
		err = gatehouse.Errorf("tariff.malformed", "see docs/parking.md", "the file is no tariff")
	}
	return f, err
}

// New writes a draft as the first version of a new tariff.
func New(h Head, d Draft) ([]byte, []Problem) {
	v, found := d.version()
	if len(found) > 0 {
		return nil, found
	}
	var b strings.Builder
	fmt.Fprintf(&b, "tariff: %s\ncurrency: %s\ntime_zone: %s\n\nversions:\n  - ", quoted(h.Name), quoted(h.Currency), quoted(h.TimeZone))
	block(&b, reflect.ValueOf(v), "    ")
	return []byte(b.String()), within(b.String(), 0)
}

// Unwritten is the one problem of a draft that cannot be written into its file at all.
func Unwritten(reason string) []Problem { return []Problem{at(0, parking.Wrong("form", "", reason))} }

// Extend writes a draft into a tariff's file: as a version behind the last, or in the place of
// the last where that begins at the same moment. All other lines of the file stay as they are,
// byte by byte, and the comments of a version that is replaced stand before the new one. A
// draft's problems name its places. A file that is written so that this cannot be done (all on
// one line, for example) is "tariff.form".
func Extend(raw []byte, d Draft) ([]byte, []Problem) {
	before, problems := Read(raw)
	if len(problems) > 0 {
		return nil, Unwritten("the file has problems of its own: mend it first")
	}
	v, found := d.version()
	if len(found) > 0 {
		return nil, found
	}
	last := len(before.Versions) - 1
	r := &reader{zone: before.Versions[last].Zone}
	replaces := v.From != "" && r.moment(v.From, "").Equal(before.Versions[last].From)
	span, ok := lastVersion(raw)
	if !ok {
		return nil, Unwritten("the file is written in a way that the form cannot go on with: change the file itself")
	}
	lines := strings.SplitAfter(string(raw), "\n")
	if end := len(lines) - 1; lines[end] != "" {
		lines[end] += "\n"
	}
	var b strings.Builder
	number := last + 1
	if replaces {
		number = last
		b.WriteString(strings.Join(lines[:span.first-1], ""))
		for _, c := range comments(raw, span.first, span.last) {
			fmt.Fprintf(&b, "%s#%s\n", span.indent, c)
		}
	} else {
		b.WriteString(strings.Join(lines[:span.last], ""))
	}
	b.WriteString(span.indent + "- ")
	block(&b, reflect.ValueOf(v), span.indent+"  ")
	b.WriteString(strings.Join(lines[span.last:], ""))

	if found := within(b.String(), number); len(found) > 0 {
		return nil, found
	}
	// What was not to change has not: another way of writing a file may mislead the above.
	after, _ := Read([]byte(b.String()))
	if !unchanged(before, after, number) || len(after.Versions) != number+1 {
		return nil, Unwritten("the file is written in a way that the form cannot go on with: change the file itself")
	}
	return []byte(b.String()), nil
}

// within reads a file and gives its problems by their places in one version. What that makes of
// the versions around it (the one before would end too early) is said only where nothing else is.
func within(text string, number int) (own []Problem) {
	_, found := Read([]byte(text))
	prefix := fmt.Sprintf("versions[%d]", number)
	var others []Problem
	for _, p := range found {
		p.Line = 0 // nobody has seen that file
		rest, ours := strings.CutPrefix(p.Path, prefix)
		if p.Path = strings.TrimPrefix(rest, "."); ours || !strings.HasPrefix(p.Path, "versions[") {
			own = append(own, p)
		} else {
			p.Path = ""
			others = append(others, p)
		}
	}
	if len(own) == 0 {
		return others
	}
	return own
}

func unchanged(before, after gatehouse.Tariff, number int) bool {
	if before.Name != after.Name || len(after.Versions) < number {
		return false
	}
	for i := range number {
		a, b := before.Versions[i], after.Versions[i]
		if a.Zone.String() != b.Zone.String() {
			return false
		}
		a.Zone, b.Zone = nil, nil
		if b.Until.Equal(after.Versions[min(i+1, len(after.Versions)-1)].From) && a.Until.IsZero() {
			b.Until = time.Time{} // it ends where the new one begins
		}
		a.From, b.From = a.From.UTC(), b.From.UTC() // of zones that were loaded twice
		a.Until, b.Until = a.Until.UTC(), b.Until.UTC()
		if !reflect.DeepEqual(a, b) {
			return false
		}
	}
	return true
}

// span is where a version stands: lines from 1, both included, and what is left of its dash.
type span struct {
	first, last int
	indent      string
}

var dash = regexp.MustCompile(`^( *)- +`)

// lastVersion finds the last version in a file; ok is false where it is not in block style with
// its first word behind the dash.
func lastVersion(raw []byte) (s span, ok bool) {
	tree, err := parser.ParseBytes(raw, 0)
	if err != nil || len(tree.Docs) != 1 {
		return s, false
	}
	root, ok := tree.Docs[0].Body.(*ast.MappingNode)
	if !ok {
		return s, false
	}
	var versions *ast.SequenceNode
	next := 1 << 30 // the line of the word behind the versions
	for _, v := range root.Values {
		at := v.Key.GetToken().Position.Line
		if v.Key.String() == "versions" {
			if versions, ok = v.Value.(*ast.SequenceNode); !ok || versions.IsFlowStyle || len(versions.Values) == 0 {
				return s, false
			}
		} else if versions != nil {
			next = min(next, at)
		}
	}
	if versions == nil {
		return s, false
	}
	s.first = start(versions.Values[len(versions.Values)-1]).GetToken().Position.Line
	lines := strings.Split(string(raw), "\n")
	m := dash.FindStringSubmatch(lines[s.first-1])
	if m == nil {
		return s, false
	}
	s.indent = m[1]
	for i := s.first; i < next && i <= len(lines); i++ {
		if text := strings.TrimSpace(lines[i-1]); text != "" && !strings.HasPrefix(text, "#") {
			s.last = i
		}
	}
	return s, true
}

// comments gives the comments of some lines, without their sign.
func comments(raw []byte, first, last int) (all []string) {
	for _, t := range lexer.Tokenize(string(raw)) {
		if t.Type == token.CommentType && t.Position.Line >= first && t.Position.Line <= last {
			all = append(all, strings.TrimRight(t.Value, "\r\n"))
		}
	}
	return all
}
