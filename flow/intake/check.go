package intake

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// checked is a table that was understood: who would be enrolled, and what is wrong.
type checked struct {
	report Report
	ready  []entry
}

type entry struct {
	row int
	who Newcomer
}

// Check reads the table as o says and asks the desk about every row. Nothing is changed.
// It fails where ctx ends.
func Check(ctx context.Context, d Desk, t Table, o Options) (Report, error) {
	c, err := check(ctx, d, t, o)
	return c.report, err
}

func check(ctx context.Context, d Desk, t Table, o Options) (c checked, err error) {
	c.report = Report{Rows: len(t.Rows), Encoding: t.Encoding}
	at, fits := c.header(t, o.Kind)
	if !fits {
		c.report.Bad = len(t.Rows)
		return c, nil
	}
	labels, groups := d.Labels(o.Kind), groupsOf(d.Groups())
	seen := map[string]map[string]int{} // column → text → row
	dates := map[[2]string]int{}
	for _, row := range t.Rows {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		r := reader{row: row, at: at, table: t, o: o, dates: dates, groups: groups}
		who := r.newcomer()
		if labels[who.Label] {
			c.report.There++ // whatever else the row says: it is left alone
			continue
		}
		r.unique(seen, o.Kind, who)
		if p, bad := ask(ctx, d, row.N, who); bad && !slices.ContainsFunc(r.problems, func(q Problem) bool { return q.Column == p.Column }) {
			r.problems = append(r.problems, p)
		}
		if len(r.problems) > 0 {
			c.report.Bad++
			for _, p := range r.problems {
				c.report.add(p)
			}
			continue
		}
		c.report.Ready++
		if len(who.Grants) == 0 && len(who.Groups) == 0 {
			c.report.NoGates++
		}
		c.ready = append(c.ready, entry{row.N, who})
	}
	for k, n := range dates {
		c.report.Dates = append(c.report.Dates, DateForm{Column: k[0], Form: k[1], Cells: n})
	}
	slices.SortFunc(c.report.Dates, func(a, b DateForm) int { return strings.Compare(a.Column+a.Form, b.Column+b.Form) })
	return c, nil
}

// header finds the columns; it reports whether rows can be read at all.
func (c *checked) header(t Table, kind gatehouse.SubjectKind) (at map[string]int, fits bool) {
	at, fits = map[string]int{}, true
	for i, h := range t.Header {
		name := columnOf(kind, h)
		_, twice := at[name]
		switch {
		case name == "" && h == "" && !slices.ContainsFunc(t.Rows, func(r Row) bool { return i < len(r.Cells) && r.Cells[i] != "" }):
			continue
		case name == "":
			c.report.add(Problem{Row: 1, Column: Letters(i), Code: "intake.column"})
			fits = false
		case twice:
			c.report.add(Problem{Row: 1, Column: name, Code: "intake.column_twice"})
			fits = false
		default:
			at[name] = i
		}
	}
	need := []string{"label"}
	if kind == gatehouse.VehicleSubject {
		need = append(need, "plate")
	}
	for _, name := range need {
		if _, ok := at[name]; !ok {
			c.report.add(Problem{Row: 1, Column: name, Code: "intake.column_missing"})
			fits = false
		}
	}
	return at, fits
}

// reader reads one row.
type reader struct {
	row      Row
	at       map[string]int
	table    Table
	o        Options
	dates    map[[2]string]int
	groups   groupNames
	problems []Problem
}

func (r *reader) problem(column, code string, other int) {
	r.problems = append(r.problems, Problem{Row: r.row.N, Column: column, Code: code, Other: other})
}

// cell is the text of a column, "" where there is none.
func (r *reader) cell(column string) string {
	i, ok := r.at[column]
	if !ok {
		return ""
	}
	if slices.Contains(r.row.Formulas, i) {
		r.problem(column, "intake.formula", 0)
		return ""
	}
	if i >= len(r.row.Cells) {
		return ""
	}
	return r.row.Cells[i]
}

// number is the text of a column that a spreadsheet may have taken for a number: its
// digits are lost where it has more than 15, or where it shows as 1.1E+17.
func (r *reader) number(column string) string {
	s := r.cell(column)
	mantissa, exponent, scientific := strings.Cut(strings.ToUpper(s), "E+")
	if scientific && digits(strings.Replace(mantissa, ".", "", 1)) && digits(exponent) {
		r.problem(column, "intake.rounded", 0)
		return ""
	}
	if r.table.Encoding == "xlsx" && len(s) > 15 && digits(s) && strings.HasSuffix(s, "000") {
		r.problem(column, "intake.rounded", 0)
		return ""
	}
	return strings.TrimPrefix(s, "'") // as some write a number that is to stay text
}

func digits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}

func (r *reader) date(column string) time.Time {
	s := r.cell(column)
	if s == "" {
		return time.Time{}
	}
	day, form, code := parseDate(s, r.table.Encoding == "xlsx", r.table.Date1904)
	if code != "" {
		r.problem(column, code, 0)
		return time.Time{}
	}
	r.dates[[2]string{column, form}]++
	return day
}

// local is the first moment of a day at the site.
func (r *reader) local(day time.Time) time.Time {
	if day.IsZero() {
		return day
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, r.o.Location)
}

func (r *reader) newcomer() Newcomer {
	who := Newcomer{Label: strings.TrimPrefix(r.cell("label"), "'"), Grants: r.o.Grants}
	if r.o.Kind == gatehouse.VehicleSubject {
		who.Vehicle = &gatehouse.VehicleRecord{Plate: r.cell("plate"), Region: strings.ToLower(r.cell("region")), Class: r.cell("class"), Colour: r.cell("colour"), Owner: r.cell("owner")}
	} else {
		who.Person = &gatehouse.PersonRecord{Name: r.cell("name"), Gender: r.cell("gender"), NationalID: r.number("national_id"), Number: r.number("number"), Phone: r.number("phone"),
			Email: r.cell("email"), Address: r.cell("address"), Unit: r.cell("unit")}
		if born := r.date("birth_date"); !born.IsZero() {
			who.Person.BirthDate = born.Format(time.DateOnly)
		}
		who.Card, who.PIN, who.QR = gatehouse.Secret(r.number("card")), gatehouse.Secret(r.number("pin")), gatehouse.Secret(r.cell("qr"))
	}
	who.ValidFrom = r.local(r.date("first_day"))
	if last := r.date("last_day"); !last.IsZero() {
		who.ValidUntil = r.local(last.AddDate(0, 0, 1))
	}
	if s := r.cell("gates"); s != "" {
		who.Grants = parseGrants(s)
	}
	who.Groups = r.memberOf()
	if v := who.Vehicle; v != nil {
		v.ValidFrom, v.ValidUntil = who.ValidFrom, who.ValidUntil
	}
	return who
}

// parseGrants reads GATE or GATE:SCHEDULE, several apart by a comma, semicolon, bar or
// space.
func parseGrants(s string) (out []gatehouse.Grant) {
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",;|/ 、，；\n", r) }) {
		gate, schedule, ok := strings.Cut(strings.ReplaceAll(part, "：", ":"), ":")
		if !ok {
			schedule = "always"
		}
		out = append(out, gatehouse.Grant{Gate: gatehouse.GateID(gate), Schedule: schedule})
	}
	return out
}

// unique refuses what an earlier row says already.
func (r *reader) unique(seen map[string]map[string]int, kind gatehouse.SubjectKind, who Newcomer) {
	values := map[string]string{"label": who.Label, "card": who.Card.Reveal(), "pin": who.PIN.Reveal(), "qr": who.QR.Reveal()}
	if kind == gatehouse.VehicleSubject {
		values = map[string]string{"label": who.Label, "plate": gatehouse.NormalizePlate(who.Vehicle.Plate)}
	}
	for column, value := range values {
		if value == "" {
			continue
		}
		if seen[column] == nil {
			seen[column] = map[string]int{}
		}
		if first, twice := seen[column][value]; twice {
			r.problem(column, "intake.twice", first)
			continue
		}
		seen[column][value] = r.row.N
	}
}

// columnsOf says which column a refusal of the desk is about.
var columnsOf = map[string]string{"enroll.label": "label", "enroll.birth_date": "birth_date", "enroll.pin": "pin", "enroll.plate": "plate", "enroll.duplicate": "plate",
	"enroll.validity": "last_day", "grant.unknown_gate": "gates", "grant.unknown_schedule": "gates"}

// ask asks the desk about a newcomer.
func ask(ctx context.Context, d Desk, row int, who Newcomer) (Problem, bool) {
	err := d.Check(ctx, who)
	if err == nil {
		return Problem{}, false
	}
	return problemOf(ctx, d, row, who, err), true
}

func problemOf(ctx context.Context, d Desk, row int, who Newcomer, err error) Problem {
	p := Problem{Row: row, Code: "intake.failed"}
	var e *gatehouse.Error
	if !errors.As(err, &e) {
		return p
	}
	p.Code, p.Column = e.Code, columnsOf[e.Code]
	if e.Code == "enroll.credential" {
		for _, one := range []struct {
			column string
			secret gatehouse.Secret
			alone  Newcomer
		}{{"card", who.Card, Newcomer{Card: who.Card}}, {"pin", who.PIN, Newcomer{PIN: who.PIN}}, {"qr", who.QR, Newcomer{QR: who.QR}}} {
			alone := one.alone
			alone.Label, alone.Person = who.Label, &gatehouse.PersonRecord{}
			if one.secret != "" && gatehouse.ErrorCode(d.Check(ctx, alone)) == e.Code {
				p.Column = one.column
				break
			}
		}
	}
	return p
}
