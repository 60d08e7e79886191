package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
	"gatehouse/flow/timesheet"
	"gatehouse/flow/wages"
	"gatehouse/holidays"
	"gatehouse/payroll"

	"filippo.io/age"
)

// openHours reads the book of hours.
func (s *Server) openHours(ctx context.Context) (err error) {
	c := s.config.Attendance
	s.hours, err = timesheet.Load(ctx, timesheet.Ports{Place: s.site.Place, Location: s.site.Location, Store: s.store, Passages: s.store, Subjects: s.store, Sealer: s.vault, Newest: s.store.Newest,
		Gates: c.attendanceGates(), Faces: c.Faces, WebClock: c.WebClock, Calendar: holidays.Of, CheckEarnings: checkEarnings, CheckFigures: payroll.CheckFigures, CheckRecipients: checkRecipients})
	if err == nil {
		err = s.hours.FinishSwaps(ctx)
	}
	s.wages = wages.New(wages.Ports{Place: s.site.Place, Store: s.store, Subjects: s.store, Sealer: s.vault, Hours: s.hours, Vault: payVault{s}, Label: s.label, CheckTerms: payroll.CheckTerms})
	return err
}

// checkEarnings refuses a pay scheme by its first problem.
func checkEarnings(scheme []gatehouse.Earning) error {
	for _, p := range payroll.CheckScheme(scheme) {
		return gatehouse.Errorf("hours.earnings", p.Reason, "the pay scheme cannot be used: %s", p.Code)
	}
	return nil
}

// followHours makes punches of what is committed. It reads metadata alone, so it works
// while the vault is sealed.
func (s *Server) followHours(ctx context.Context) {
	follow.Run(ctx, s.store, s.hours, time.Second, s.hoursWake, func(err error) {
		if err != nil {
			s.log.Warn("passages are not counted as hours; it is tried again", "code", gatehouse.ErrorCode(err))
		}
	})
}

// checkRecipients refuses what is no age public key.
func checkRecipients(keys []string) error {
	_, err := age.ParseRecipients(strings.NewReader(strings.Join(keys, "\n")))
	return err
}

// payTemplate is what an export's file looks like: hours by badge label and code. What an
// hour is worth is the payroll program's to know.
func payTemplate(f gatehouse.PayFormat) payroll.Template {
	return payroll.Template{Name: "hours", Format: payroll.Format(f), BOM: f == gatehouse.PayCSV, Columns: []payroll.Column{
		{Title: "Badge", Field: payroll.FieldNumber, Need: true}, {Title: "Team", Field: payroll.FieldUnit}, {Title: "From", Field: payroll.FieldFrom, Need: true}, {Title: "Until", Field: payroll.FieldUntil, Need: true},
		{Title: "Code", Field: payroll.FieldCode, Need: true}, {Title: "Rate %", Field: payroll.FieldRate}, {Title: "Minutes", Field: payroll.FieldMinutes}, {Title: "Hours", Field: payroll.FieldHours}, {Title: "Time off hours", Field: payroll.FieldTimeOff},
		{Title: "Site", Field: payroll.FieldSite}, {Title: "Cost centre", Field: payroll.FieldCostCentre}, {Title: "Project", Field: payroll.FieldProject}}}
}

// payRows are an export's lines. Somebody who was erased since has the begin of another id
// for a badge: their hours were paid, and are nobody's.
func (s *Server) payRows(e gatehouse.PayExport, totals []timesheet.PersonTotals) (rows []payroll.Row) {
	for _, p := range totals {
		number := s.label(p.Subject)
		if number == "" {
			number = "erased-" + p.Subject.String()[:8]
		}
		for _, part := range p.Parts {
			for _, t := range part.Totals {
				line := gatehouse.PayLine{Code: t.Code, Minutes: t.Minutes, Rate: t.Rate, Site: part.Site, CostCentre: part.CostCentre, Project: part.Project}
				if t.TimeOff {
					off, _ := gatehouse.MulDiv(int64(t.Minutes), int64(t.Rate), 10000, gatehouse.RoundHalfUp)
					line.Minutes, line.Rate, line.TimeOff = 0, 0, int(off)
				}
				rows = append(rows, payroll.Row{Number: number, Unit: string(p.Team), Date: e.Until, PeriodFrom: e.From, PeriodTo: e.Until, Line: line})
			}
		}
	}
	return rows
}

// payFile makes an approved export's file, encrypted to its recipients; digest is the
// SHA-256 of what is in it, by which the same hours are known again. Errors: those of
// TakeExport, and export.cell where a line cannot be written.
func (s *Server) payFile(ctx context.Context, by timesheet.Actor, id gatehouse.ID) (name string, sealed []byte, digest string, err error) {
	e, totals, err := s.hours.TakeExport(ctx, by, id)
	if err != nil {
		return "", nil, "", err
	}
	plain, problems := payTemplate(e.Format).Write(s.payRows(e, totals))
	for _, p := range problems {
		return "", nil, "", gatehouse.Errorf("export.cell", p.Reason, "the file was not made: line %d cannot be written", p.Line)
	}
	to, err := age.ParseRecipients(strings.NewReader(strings.Join(e.Recipients, "\n")))
	if err != nil {
		return "", nil, "", gatehouse.Errorf("export.recipients", "ask for another export", "a recipient is no age public key")
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to...)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	sum := sha256.Sum256(plain)
	return "hours-" + string(e.From) + "-" + string(e.Until) + "." + string(e.Format) + ".age", b.Bytes(), hex.EncodeToString(sum[:]), err
}

// Hours are the site's hours, for demos that play several people.
func (s *Server) Hours() *timesheet.Hours { return s.hours }

// Wages are the site's pay, for the same.
func (s *Server) Wages() *wages.Wages { return s.wages }

// Location is the site's time zone.
func (s *Server) Location() *time.Location { return s.site.Location }
