package tariff

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// MaxSize bounds a tariff's file, in bytes.
const MaxSize = 1 << 20

// Problem is what is wrong in a file: where, and why.
type Problem struct {
	Line   int    `json:"line"` // from 1; 0 where it is about the whole
	Code   string `json:"code"` // "tariff.gap", "tariff.overlap", "tariff.price", …
	Path   string `json:"path"` // "versions[0].plans[1].periods[2].cap"
	Reason string `json:"reason"`
	// Chinese is the reason in Chinese; "" where it is the parser's, of a file that is no YAML.
	Chinese string `json:"-"`
}

// String gives the line, the place and the reason.
func (p Problem) String() string {
	s := p.Reason
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Line > 0 {
		s = fmt.Sprintf("line %d: %s", p.Line, s)
	}
	return s
}

// Read reads a tariff's file and checks it. With problems the tariff is not to be used;
// they are in the order of the file. An unknown word is a problem, too: a mistyped
// "cap" would be no cap.
func Read(raw []byte) (gatehouse.Tariff, []Problem) {
	if len(raw) > MaxSize {
		return gatehouse.Tariff{}, []Problem{at(0, parking.Wrong("too_large", "", "a tariff's file is at most %d bytes", MaxSize))}
	}
	tree, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return gatehouse.Tariff{}, []Problem{malformed(err)}
	}
	if line := aliased(tree); line > 0 {
		return gatehouse.Tariff{}, []Problem{at(line, parking.Wrong("malformed", "", "anchors, aliases and merges are not for tariffs: write prices out"))}
	}
	if len(tree.Docs) > 1 {
		return gatehouse.Tariff{}, []Problem{at(0, parking.Wrong("malformed", "", "a file holds one tariff"))}
	}
	var f file
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return gatehouse.Tariff{}, []Problem{malformed(err)}
	}
	r := &reader{currency: gatehouse.Currency(f.Currency), zone: time.UTC}
	t := r.tariff(f)
	found := r.found
	if len(found) == 0 {
		// What cannot be read would be found a second time, as something else.
		found = parking.Check(t)
	}
	problems := make([]Problem, len(found))
	for i, p := range found {
		problems[i] = at(line(tree, p.Path), p)
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return t, problems
}

// at is a problem of the rules at its line of the file.
func at(line int, p parking.Problem) Problem {
	return Problem{line, p.Code, p.Path, p.Reason, p.Chinese}
}

// malformed makes a problem of what the parser or the decoder says.
func malformed(err error) Problem {
	p := at(0, parking.Wrong("malformed", "", "the file is not as docs/parking.md shows it"))
	var y yaml.Error
	if errors.As(err, &y) {
		if tk := y.GetToken(); tk != nil {
			p.Line = tk.Position.Line
		}
		p.Reason, p.Chinese = strings.Join(strings.Fields(y.GetMessage()), " "), ""
	}
	return p
}

// aliased returns the line of the first anchor, alias or merge, 0 for none: a few lines
// of them can be gigabytes.
func aliased(tree *ast.File) int {
	found := &finder{}
	for _, doc := range tree.Docs {
		if doc.Body != nil {
			ast.Walk(found, doc.Body)
		}
	}
	return found.line
}

type finder struct{ line int }

// Visit looks at one node.
func (f *finder) Visit(n ast.Node) ast.Visitor {
	switch n.Type() {
	case ast.AnchorType, ast.AliasType, ast.MergeKeyType, ast.TagType:
		if tk := n.GetToken(); tk != nil && f.line == 0 {
			f.line = max(1, tk.Position.Line)
		}
	}
	return f
}

// line returns where the path stands in the file: its own line, or that of the nearest
// thing around it that is written down.
func line(tree *ast.File, path string) int {
	for path != "" {
		if p, err := yaml.PathString("$." + path); err == nil {
			if n, err := p.FilterFile(tree); err == nil && n != nil {
				if tk := start(n).GetToken(); tk != nil && tk.Position != nil {
					return tk.Position.Line
				}
			}
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return 0
}

// start returns the first key of a mapping: the token of the mapping itself is its colon.
func start(n ast.Node) ast.Node {
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 {
			return m.Values[0].Key
		}
	case *ast.MappingValueNode:
		return m.Key
	}
	return n
}

func (r *reader) tariff(f file) gatehouse.Tariff {
	t := gatehouse.Tariff{Name: f.Tariff}
	if f.TimeZone == "" || strings.EqualFold(f.TimeZone, "local") {
		r.say("time_zone", "time_zone", "name the car park's time zone, such as Europe/Berlin")
	} else if zone, err := time.LoadLocation(f.TimeZone); err == nil {
		r.zone = zone
	} else {
		r.say("time_zone", "time_zone", "there is no such time zone; use a name such as Europe/Berlin")
	}
	if _, ok := r.currency.Exponent(); !ok {
		r.say("currency", "currency", "there is no such currency; use a code of ISO 4217, such as EUR or CNY")
		return t // no amount can be read
	}
	var holidays []gatehouse.TariffHoliday
	for _, name := range slices.Sorted(maps.Keys(f.Holidays)) {
		holidays = append(holidays, r.holiday(name, f.Holidays[name], "holidays."+name))
	}
	for i, v := range f.Versions {
		t.Versions = append(t.Versions, r.version(f, v, i, holidays))
	}
	for i := range t.Versions {
		if v := &t.Versions[i]; v.Until.IsZero() && i+1 < len(t.Versions) {
			v.Until = t.Versions[i+1].From
		}
	}
	return t
}

func (r *reader) version(f file, v version, i int, holidays []gatehouse.TariffHoliday) gatehouse.TariffVersion {
	path := fmt.Sprintf("versions[%d]", i)
	out := gatehouse.TariffVersion{Tariff: f.Tariff, Number: i + 1, Currency: r.currency, Zone: r.zone, Holidays: holidays, MaxValidations: v.Validations,
		From: r.moment(v.From, path+".from"), Until: r.moment(v.Until, path+".until"), Grace: r.duration(v.Grace, path+".grace"),
		Complimentary: r.duration(v.Complimentary, path+".complimentary"), ExitWithin: r.duration(v.ExitWithin, path+".exit_within")}
	if v.From == "" {
		r.say("date", path, "say with from when the version comes into force")
	}
	if v.Currency != "" && v.Currency != f.Currency {
		r.say("currency", path+".currency", "the currency changes from %s to %s: that is another tariff", f.Currency, v.Currency)
	}
	switch v.Boundary {
	case "", "run":
	case "cut":
		out.Cut = true
	default:
		r.say("boundary", path+".boundary", "it may be run (a started block goes on) or cut")
	}
	if v.Tax != nil {
		out.Tax = gatehouse.Tax{Name: cmp.Or(v.Tax.Name, "tax"), BasisPoints: r.percent(v.Tax.Percent, path+".tax.percent"), Added: v.Tax.Added}
	}
	if v.Round != nil {
		out.Round = gatehouse.RoundTo{To: r.amount(v.Round.To, path+".round.to"), How: gatehouse.Rounding(cmp.Or(v.Round.How, string(gatehouse.RoundDown)))}
		if out.Round.To == 0 {
			r.say("round", path+".round.to", "a price is rounded to an amount that is larger than nothing")
		}
	}
	for j, p := range v.Plans {
		out.Plans = append(out.Plans, r.plan(p, fmt.Sprintf("%s.plans[%d]", path, j)))
	}
	return out
}

func (r *reader) plan(p plan, path string) gatehouse.Plan {
	out := gatehouse.Plan{}
	for _, c := range p.Classes {
		out.Classes = append(out.Classes, gatehouse.VehicleClass(c))
	}
	var every []gatehouse.DayKind
	for k := range gatehouse.DayKinds {
		every = append(every, k)
	}
	for i, x := range p.Periods {
		at := fmt.Sprintf("%s.periods[%d]", path, i)
		q := gatehouse.Period{Name: cmp.Or(x.Name, parking.Unnamed), Days: r.days(x.Days, at+".days", every), Repeat: x.Repeat, Restart: x.Restart}
		q.From, q.Until = r.hours(x.Hours, at+".hours", 0, 24*60)
		if x.Flat != "" {
			flat := r.amount(x.Flat, at+".flat")
			q.Flat = &flat
		}
		if x.Cap != "" {
			most := r.amount(x.Cap, at+".cap")
			q.Cap = &most
		}
		q.Steps = r.steps(x.Steps, at)
		out.Periods = append(out.Periods, q)
	}
	for i, x := range p.Caps {
		out.Caps = append(out.Caps, r.limit(x, fmt.Sprintf("%s.caps[%d]", path, i)))
	}
	if p.Lost != nil {
		out.Lost = gatehouse.LostTicket{Price: r.amount(p.Lost.Price, path+".lost_ticket.price"), How: gatehouse.LostHow(cmp.Or(p.Lost.How, string(gatehouse.LostInstead)))}
	}
	return out
}

// steps reads both forms: prices per block, and totals up to a time, which signs of car
// parks show.
func (r *reader) steps(all []step, path string) []gatehouse.Step {
	var out []gatehouse.Step
	var upTo time.Duration
	var total int64
	for i, s := range all {
		at := fmt.Sprintf("%s.steps[%d]", path, i)
		if s.UpTo == "" {
			q := gatehouse.Step{Block: r.duration(s.Block, at+".block"), Price: r.amount(s.Price, at+".price"), Per: r.duration(s.Per, at+".per"), For: r.duration(s.For, at+".for")}
			if s.Price == "" {
				r.say("price", at, "a step has a price; one that is free says 0")
			}
			if s.Total != "" {
				r.say("step", at+".total", "a total belongs to up_to")
			}
			if s.Per == "" {
				q.Per = q.Block
			}
			out = append(out, q)
			upTo += q.For
			continue
		}
		if s.Block != "" || s.Price != "" || s.Per != "" || s.For != "" || s.Total == "" {
			r.say("step", at, "a step has up_to and total, or block and price")
			continue
		}
		until, sum := r.duration(s.UpTo, at+".up_to"), r.amount(s.Total, at+".total")
		switch {
		case until <= upTo:
			r.say("step", at+".up_to", "it is not later than the step before ends")
			continue
		case sum < total:
			r.say("price", at+".total", "a longer time does not cost less: the step before has a larger total")
			continue
		case i > 0 && all[i-1].UpTo == "":
			r.say("step", at+".up_to", "totals stand before prices per block")
			continue
		}
		out = append(out, gatehouse.Step{Block: until - upTo, Price: sum - total, Per: until - upTo, For: until - upTo})
		upTo, total = until, sum
	}
	return out
}

func (r *reader) limit(x limit, path string) gatehouse.Cap {
	c := gatehouse.Cap{Per: gatehouse.CapSpan(x.Per), Amount: r.amount(x.Amount, path+".amount"), Days: r.days(x.Days, path+".days", nil), AcrossStays: x.AcrossStays}
	if x.Amount == "" {
		r.say("cap", path, "a cap has an amount")
	}
	c.EnteredFrom, c.EnteredUntil = r.hours(x.Entered, path+".entered", 0, 0)
	if x.DayBegins != "" {
		var ok bool
		if c.DayBegins, ok = clock(string(x.DayBegins)); !ok {
			r.say("hours", path+".day_begins", "a time of day is written as 06:00")
		}
	}
	return c
}
