package payroll

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"gatehouse"
)

// Formats are those of files with amounts.
var Formats = []string{"csv", "xlsx", "fixed", "adp", "paychex"}

// Form is how payslips become a file.
type Form struct {
	// Titles are the earnings codes' names for people.
	Titles map[gatehouse.EarningsCode]string
	writer interface {
		Write([]Row) ([]byte, []Problem)
	}
}

// formText is a form as people write it: one object of JSON, with the members of its
// format.
type formText struct {
	Titles map[gatehouse.EarningsCode]string `json:"titles"`

	// csv, xlsx and fixed
	Columns  []columnText                      `json:"columns"`
	Comma    string                            `json:"comma"`
	Codes    map[gatehouse.EarningsCode]string `json:"codes"`
	NoHeader bool                              `json:"no_header"`
	BOM      bool                              `json:"bom"`

	// adp
	Company  string                            `json:"company"`
	Batch    string                            `json:"batch"`
	Regular  []gatehouse.EarningsCode          `json:"regular"`
	Overtime []gatehouse.EarningsCode          `json:"overtime"`
	Hours    map[gatehouse.EarningsCode]string `json:"hours"`
	Earnings map[gatehouse.EarningsCode]string `json:"earnings"`

	// paychex
	Client     string                            `json:"client"`
	Components map[gatehouse.EarningsCode]string `json:"components"`
	Org        bool                              `json:"org"`
	Job        bool                              `json:"job"`
}

type columnText struct {
	Title  string `json:"title"`
	Field  Field  `json:"field"`
	Text   string `json:"text"`
	Width  int    `json:"width"`
	Right  bool   `json:"right"`
	Zeros  bool   `json:"zeros"`
	Layout string `json:"layout"`
	Need   bool   `json:"need"`
}

// usual are a table's columns where the form names none.
var usual = []Column{{Title: "Number", Field: FieldNumber, Need: true}, {Title: "Name", Field: FieldName}, {Title: "From", Field: FieldFrom, Need: true}, {Title: "Until", Field: FieldUntil, Need: true},
	{Title: "Code", Field: FieldCode, Need: true}, {Title: "Hours", Field: FieldHours}, {Title: "Rate %", Field: FieldRate}, {Title: "Amount", Field: FieldAmount, Need: true}, {Title: "Currency", Field: FieldCurrency, Need: true},
	{Title: "Site", Field: FieldSite}, {Title: "Cost centre", Field: FieldCostCentre}, {Title: "Project", Field: FieldProject}}

// maxForm bounds a form, in bytes.
const maxForm = 64 << 10

// ReadForm reads a form and tries it on nothing, so that a template that makes no file is
// refused before anybody signs for it. Errors: export.template.
func ReadForm(f gatehouse.PayForm) (Form, error) {
	bad := func(hint string) (Form, error) {
		return Form{}, gatehouse.Errorf("export.template", hint, "this is no form of a payroll file")
	}
	if !slices.Contains(Formats, f.Format) {
		return bad("use csv, xlsx, fixed, adp or paychex")
	}
	var t formText
	if len(f.Body) > maxForm {
		return bad("shorten it to 64 KiB")
	}
	if len(bytes.TrimSpace(f.Body)) > 0 {
		d := json.NewDecoder(bytes.NewReader(f.Body))
		d.DisallowUnknownFields()
		if d.Decode(&t) != nil || d.More() {
			return bad("write one object of JSON with the members that docs/attendance.md names")
		}
	}
	form := Form{Titles: t.Titles}
	switch f.Format {
	case "adp":
		form.writer = ADP{Company: t.Company, Batch: t.Batch, Regular: t.Regular, Overtime: t.Overtime, Hours: t.Hours, Earnings: t.Earnings}
	case "paychex":
		form.writer = Paychex{Client: t.Client, Components: t.Components, Org: t.Org, Job: t.Job}
	default:
		one := Template{Name: "pay", Format: Format(f.Format), Codes: t.Codes, NoHeader: t.NoHeader, BOM: t.BOM}
		if t.Comma != "" {
			r, n := utf8.DecodeRuneInString(t.Comma)
			if n != len(t.Comma) {
				return bad("comma is one character")
			}
			one.Comma = r
		}
		for _, c := range t.Columns {
			one.Columns = append(one.Columns, Column(c))
		}
		if len(t.Columns) == 0 && f.Format != "fixed" {
			one.Columns = usual
		}
		form.writer = one
	}
	if _, problems := form.writer.Write(nil); len(problems) > 0 {
		return bad(problems[0].Reason)
	}
	return form, nil
}
