package payroll

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse"
)

// Row is one pay line on its way into a file. It is personal: a vault job makes it.
type Row struct {
	Number               string         // under which the payroll program knows the person
	Date                 gatehouse.Date // the line's day, or the period's last
	Line                 gatehouse.PayLine
	Name, Unit           string // where a template asks for them
	PeriodFrom, PeriodTo gatehouse.Date
}

// Field is what a column of a template shows.
type Field string

// The fields.
const (
	FieldNumber     Field = "number"
	FieldName       Field = "name"
	FieldUnit       Field = "unit"
	FieldCode       Field = "code"
	FieldTitle      Field = "title"
	FieldHours      Field = "hours" // with two decimals
	FieldMinutes    Field = "minutes"
	FieldRate       Field = "rate_percent"
	FieldAmount     Field = "amount"
	FieldCurrency   Field = "currency"
	FieldTimeOff    Field = "time_off_hours"
	FieldSite       Field = "site"
	FieldCostCentre Field = "cost_centre"
	FieldProject    Field = "project"
	FieldDate       Field = "date"
	FieldFrom       Field = "period_from"
	FieldUntil      Field = "period_until"
	FieldText       Field = "text" // the column's own text
)

var fields = []Field{FieldNumber, FieldName, FieldUnit, FieldCode, FieldTitle, FieldHours, FieldMinutes, FieldRate, FieldAmount, FieldCurrency, FieldTimeOff, FieldSite, FieldCostCentre, FieldProject,
	FieldDate, FieldFrom, FieldUntil, FieldText}

// Column is one column of a template.
type Column struct {
	Title string
	Field Field
	Text  string // of FieldText
	// Width is how many characters it has in a fixed-width file, and the most that it may have
	// in any other; 0 there is no bound.
	Width int
	Right bool // aligned to the right, in a fixed-width file
	Zeros bool // filled with zeros on the left instead of spaces, in a fixed-width file
	// Layout is how a date is written: Go's reference time; "" is 2006-01-02.
	Layout string
	// Need refuses an empty cell.
	Need bool
}

// Format is the kind of file that a template makes.
type Format string

// The formats.
const (
	CSV        Format = "csv"
	XLSX       Format = "xlsx"
	FixedWidth Format = "fixed"
)

// Template says what a file looks like.
type Template struct {
	Name    string
	Format  Format
	Columns []Column
	Comma   rune // of CSV; 0 is a comma
	// Codes are the payroll program's names of earnings codes; one that is not there keeps
	// its own.
	Codes map[gatehouse.EarningsCode]string
	// NoHeader leaves the titles out.
	NoHeader bool
	// BOM begins a CSV file with the mark by which spreadsheets know UTF-8: without it they
	// show Chinese names as something else. Payroll programs mostly do not want it.
	BOM bool
}

// Write makes the file, or says what is wrong and makes none. The same rows in any order
// give the same bytes.
func (t Template) Write(rows []Row) ([]byte, []Problem) {
	if found := t.check(); len(found) > 0 {
		return nil, found
	}
	rows = sorted(rows)
	var found []Problem
	cells := make([][]cell, len(rows))
	for i, r := range rows {
		cells[i] = make([]cell, len(t.Columns))
		for k, c := range t.Columns {
			x := t.cell(r, c)
			cells[i][k] = x
			if why := c.refuses(x, t.Format); why != "" {
				found = append(found, Problem{i + 1, "export.cell", "column " + c.Title + " " + why})
			}
		}
	}
	if len(found) > 0 {
		return nil, found
	}
	switch t.Format {
	case CSV:
		b := writeCSV(t.titles(), cells, t.Comma)
		if t.BOM {
			b = append([]byte("\xEF\xBB\xBF"), b...)
		}
		return b, nil
	case FixedWidth:
		return t.fixed(cells), nil
	}
	b, err := writeXLSX(t.titles(), cells)
	if err != nil {
		return nil, []Problem{{Code: "export.xlsx", Reason: "the file could not be made"}}
	}
	return b, nil
}

// cell is a cell's text, and its number where it is one.
type cell struct {
	text   string
	number bool
}

func (t Template) titles() []string {
	if t.NoHeader {
		return nil
	}
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Title
	}
	return out
}

func (t Template) check() (found []Problem) {
	bad := func(reason string) { found = append(found, Problem{Code: "export.template", Reason: reason}) }
	if t.Format != CSV && t.Format != XLSX && t.Format != FixedWidth {
		bad("a template is csv, xlsx or fixed")
	}
	if len(t.Columns) == 0 || len(t.Columns) > 200 {
		bad("a template has 1 to 200 columns")
	}
	if t.Comma != 0 && !slices.Contains([]rune{',', ';', '\t', '|'}, t.Comma) {
		bad("columns are separated by a comma, a semicolon, a tab or a bar")
	}
	for _, c := range t.Columns {
		if !slices.Contains(fields, c.Field) {
			bad("column " + c.Title + " shows a field that is not there")
		}
		if t.Format == FixedWidth && (c.Width < 1 || c.Width > 1000) {
			bad("column " + c.Title + " needs a width")
		}
		if c.Layout != "" && c.Field != FieldDate && c.Field != FieldFrom && c.Field != FieldUntil {
			bad("column " + c.Title + " is no date")
		}
		if !safe(c.Title) || !safe(c.Text) {
			bad("a column's words would be taken for a formula")
		}
	}
	return found
}

// refuses says why a column cannot show the cell; "" if it can.
func (c Column) refuses(x cell, f Format) string {
	switch {
	case c.Need && x.text == "":
		return "is empty"
	case c.Width > 0 && utf8.RuneCountInString(x.text) > c.Width:
		return "is longer than " + strconv.Itoa(c.Width)
	case !utf8.ValidString(x.text) || strings.ContainsFunc(x.text, func(r rune) bool { return r < ' ' || r == 0x7F || r == '\u2028' || r == '\u2029' }):
		return "has a character that no cell may have"
	case !x.number && f != FixedWidth && !safe(x.text):
		// A quote before it would make another text of it, which a payroll program would not
		// know; so nothing is written until it is put right.
		return "begins as a formula would"
	}
	return ""
}

// safe reports whether a spreadsheet takes a text as text (OWASP, CSV Injection): not where
// it begins with a sign that begins a formula, also a full-width one, or one behind spaces.
func safe(s string) bool {
	s = strings.TrimLeft(s, " \u00A0\u3000\uFEFF\u200B")
	return s == "" || !strings.ContainsAny(s[:firstLen(s)], "=+-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20\u2212")
}

func firstLen(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}

func (t Template) cell(r Row, c Column) cell {
	number := func(s string) cell { return cell{s, true} }
	switch c.Field {
	case FieldNumber:
		return cell{text: r.Number}
	case FieldName:
		return cell{text: r.Name}
	case FieldUnit:
		return cell{text: r.Unit}
	case FieldCode:
		return cell{text: t.code(r.Line.Code)}
	case FieldTitle:
		return cell{text: r.Line.Title}
	case FieldHours:
		return number(Hours(r.Line.Minutes))
	case FieldMinutes:
		return number(strconv.Itoa(r.Line.Minutes))
	case FieldRate:
		return number(hundredths(int64(r.Line.Rate)))
	case FieldAmount:
		return number(r.Line.Amount.Decimal())
	case FieldCurrency:
		return cell{text: string(r.Line.Amount.Currency)}
	case FieldTimeOff:
		return number(Hours(r.Line.TimeOff))
	case FieldSite:
		return cell{text: string(r.Line.Site)}
	case FieldCostCentre:
		return cell{text: r.Line.CostCentre}
	case FieldProject:
		return cell{text: r.Line.Project}
	case FieldDate:
		return cell{text: written(r.Date, c.Layout)}
	case FieldFrom:
		return cell{text: written(r.PeriodFrom, c.Layout)}
	case FieldUntil:
		return cell{text: written(r.PeriodTo, c.Layout)}
	}
	return cell{text: c.Text}
}

func (t Template) code(c gatehouse.EarningsCode) string {
	if name, ok := t.Codes[c]; ok {
		return name
	}
	return string(c)
}

func written(d gatehouse.Date, layout string) string {
	if layout == "" || d == "" {
		return string(d)
	}
	at, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return ""
	}
	return at.Format(layout)
}

// Hours writes minutes as hours with two decimals, rounded to the nearest, a half away from
// zero: 20 minutes are 0.33.
func Hours(minutes int) string {
	sign := int64(1)
	n := int64(minutes)
	if n < 0 {
		sign, n = -1, -n
	}
	return hundredths(sign * ((n*100 + 30) / 60))
}

func hundredths(n int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// sorted puts rows in an order that depends on what they say alone.
func sorted(rows []Row) []Row {
	out := slices.Clone(rows)
	key := func(r Row) string {
		return strings.Join([]string{r.Number, string(r.PeriodFrom), string(r.Date), string(r.Line.Code), fmt.Sprintf("%010d", r.Line.Rate), string(r.Line.Site), r.Line.CostCentre, r.Line.Project,
			fmt.Sprintf("%020d %d %d", r.Line.Minutes, r.Line.Amount.Minor, r.Line.TimeOff), r.Line.Title, r.Name, r.Unit}, "\x00")
	}
	slices.SortStableFunc(out, func(a, b Row) int { return strings.Compare(key(a), key(b)) })
	return out
}

// writeCSV writes RFC 4180: CRLF, quotes where they are needed.
func writeCSV(titles []string, rows [][]cell, comma rune) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if comma != 0 {
		w.Comma = comma
	}
	put := func(record []string) { _ = w.Write(record) } // a buffer takes everything
	if titles != nil {
		put(titles)
	}
	for _, r := range rows {
		record := make([]string, len(r))
		for i, x := range r {
			record[i] = x.text
		}
		put(record)
	}
	w.Flush()
	return b.Bytes()
}

func (t Template) fixed(rows [][]cell) []byte {
	var b bytes.Buffer
	for _, r := range rows {
		for i, c := range t.Columns {
			text, fill := r[i].text, " "
			gap := c.Width - utf8.RuneCountInString(text)
			switch {
			case c.Zeros:
				// The sign stays before the zeros.
				if rest, minus := strings.CutPrefix(text, "-"); minus {
					b.WriteByte('-')
					text = rest
				}
				b.WriteString(strings.Repeat("0", gap) + text)
				continue
			case c.Right:
				b.WriteString(strings.Repeat(fill, gap) + text)
			default:
				b.WriteString(text + strings.Repeat(fill, gap))
			}
		}
		b.WriteString("\r\n")
	}
	return b.Bytes()
}
