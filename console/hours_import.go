package console

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/flow/timesheet"
	"gatehouse/internal/sheet"
)

// PunchUpload is a table of punches as a time clock, or its program, wrote it, and how it is
// read.
type PunchUpload struct {
	Data     []byte
	Encoding string // of text: one of sheet.Encodings
	NoHeader bool   // the first row is a punch, and columns are named 1, 2, …
	// The file's names of the columns that are read; Clock, Direction and Site may be "".
	Person, At, Clock, Direction, Site string
	Layout                             string // Go's reference time as the file would write it, or "spreadsheet"
	Zone                               string // "" is the site's
	In, Out, Neither                   string // words, several with bars between them
	Prefix                             string // of badge labels, before the clock's numbers
	DryRun                             bool
}

// PunchReport says what came of an upload: with one problem nothing was written.
type PunchReport struct {
	Rows, Added int
	Problems    []PunchProblem
}

// There is how many of the rows had been imported before.
func (r PunchReport) There() int { return r.Rows - r.Added }

// PunchProblem is what is wrong with a row; Column is the file's name of it, "" for the row.
type PunchProblem struct {
	Line                 int
	Column, Code, Reason string
}

// PunchFiles take punches of other systems. Errors: hours.import, sheet.*.
type PunchFiles interface {
	ImportPunches(ctx context.Context, by timesheet.Actor, u PunchUpload) (PunchReport, error)
}

// punchLayouts are the ways of writing a time that are offered; others can be typed.
var punchLayouts = []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006/01/02 15:04:05", "2006/01/02 15:04", "2006/1/2 15:04", "02.01.2006 15:04:05", "02.01.2006 15:04", "02/01/2006 15:04", "01/02/2006 15:04", "1/2/2006 3:04 PM", time.RFC3339, "spreadsheet"}

// punchExample is the time that the choice of layouts shows, and that nobody can read in two
// ways.
var punchExample = time.Date(2026, 12, 31, 17, 5, 9, 0, time.UTC)

// punchProblemsShown is how many wrong rows the page lists.
const punchProblemsShown = 200

// punchesBody is the page of an upload.
type punchesBody struct {
	PunchUpload
	Layouts   []punchLayout
	Encodings []string
	Other     string // a layout that was typed
	Problem   string
	Reason    string // of it, in English
	Chinese   bool   // the page is: a row's reason has only its code in words of it
	Report    *PunchReport
	Wrong     int // problems, of which the report lists the first
	More      int // of them, that it does not list
}

type punchLayout struct{ Layout, Example string }

func (c *Console) showPunches(w http.ResponseWriter, r *http.Request, status int, b punchesBody) {
	if r.Header.Get("HX-Request") != "" {
		c.fragment(w, languageOf(w, r), "punches", "punchreport", b)
		return
	}
	for _, l := range punchLayouts {
		b.Layouts = append(b.Layouts, punchLayout{l, punchExample.Format(l)})
	}
	b.Encodings = sheet.Encodings
	w.Header().Set("Cache-Control", "no-store")
	c.render(w, r, status, "punches", "punches.title", "hours", b)
}

// choosePunches is the page before there is a file.
func (c *Console) choosePunches(w http.ResponseWriter, r *http.Request) {
	c.showPunches(w, r, http.StatusOK, punchesBody{PunchUpload: PunchUpload{Encoding: "auto", Person: "person", At: "at", Direction: "direction", In: "in", Out: "out"}})
}

// takePunches checks a file, or imports it: all of its rows or none.
func (c *Console) takePunches(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(w, r)
	b := punchesBody{Chinese: lang == "zh"}
	err := readPunches(w, r, &b)
	if err == nil {
		var report PunchReport
		if report, err = c.o.PunchFiles.ImportPunches(r.Context(), actor(r), b.PunchUpload); err == nil {
			b.Wrong = len(report.Problems)
			b.More = max(0, b.Wrong-punchProblemsShown)
			report.Problems = report.Problems[:b.Wrong-b.More]
			b.Report = &report
		}
	}
	var e *gatehouse.Error
	switch {
	case err == nil:
	case gatehouse.ErrorCode(err) == "hours.import" && errors.As(err, &e):
		b.Problem, b.Reason = text(lang, "punches.refused"), e.Public()
	default:
		status, says := enrolRefusal(lang, err)
		if says == "" {
			c.fail(w, r, err)
			return
		}
		if b.Problem = says; status != http.StatusUnprocessableEntity {
			c.showPunches(w, r, status, b)
			return
		}
	}
	status := http.StatusOK
	if b.Problem != "" || b.Report != nil && len(b.Report.Problems) > 0 {
		status = http.StatusUnprocessableEntity
	}
	c.showPunches(w, r, status, b)
}

// readPunches reads the form into memory: one that is parsed would lie in a temporary file.
func readPunches(w http.ResponseWriter, r *http.Request, b *punchesBody) error {
	r.Body = http.MaxBytesReader(w, r.Body, sheet.MaxBytes+64<<10)
	parts, err := r.MultipartReader()
	if err != nil {
		return gatehouse.Errorf("form.malformed", "", "the form was not filled in")
	}
	fields := map[string]string{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errUpload()
		}
		limit := int64(256)
		if part.FormName() == "file" {
			limit = sheet.MaxBytes + 1
		}
		value, err := io.ReadAll(io.LimitReader(part, limit))
		if err != nil {
			return errUpload()
		}
		if part.FormName() == "file" {
			b.Data = value
		} else if len(fields) < 50 {
			fields[part.FormName()] = string(value)
		}
	}
	b.Other = fields["other"]
	b.PunchUpload = PunchUpload{Data: b.Data, Encoding: oneOf(fields["encoding"], "auto", sheet.Encodings...), NoHeader: fields["noheader"] != "", Person: fields["person"], At: fields["at"], Clock: fields["clock"], Direction: fields["direction"], Site: fields["site"],
		Layout: cmp.Or(b.Other, fields["layout"]), Zone: fields["zone"], In: fields["in"], Out: fields["out"], Neither: fields["neither"], Prefix: fields["prefix"], DryRun: fields["do"] != "import"}
	switch {
	case len(b.Data) == 0:
		return gatehouse.Errorf("sheet.missing", "", "there is no file")
	case b.Other == "" && !slices.Contains(punchLayouts, b.Layout):
		return gatehouse.Errorf("hours.import", "", "choose how the file writes times")
	}
	return nil
}

func errUpload() error {
	return gatehouse.Errorf("sheet.too_large", "", "the file is too large, or the connection broke off")
}
