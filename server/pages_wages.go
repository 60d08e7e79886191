package server

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/timesheet"

	"codeberg.org/go-pdf/fpdf"
)

var _ console.Payslips = pages{}

// Payslip implements console.Payslips.
func (p pages) Payslip(ctx context.Context, who console.Who, by timesheet.Actor, person gatehouse.SubjectID, id gatehouse.ID, reason string) (gatehouse.Payslip, error) {
	if reason == "" {
		if by.Person.IsZero() || by.Person != person {
			return gatehouse.Payslip{}, gatehouse.Errorf("wages.no_slip", "choose one of the list", "they have no such payslip")
		}
		reason = ownSlip
	}
	return p.openSlip(ctx, payActorOf(by, who.Operator, who.Role), person, id, reason)
}

// PayTerms implements console.Payslips.
func (p pages) PayTerms(ctx context.Context, who console.Who, by timesheet.Actor, person gatehouse.SubjectID, id gatehouse.ID, reason string) (gatehouse.PayTerms, error) {
	return p.openTerms(ctx, payActorOf(by, who.Operator, who.Role), person, id, reason)
}

// PayslipPDF implements console.Payslips: a sheet of A4 whose text can be selected. It is
// made in memory, and has no date, so that the same payslip is the same file.
func (p pages) PayslipPDF(lang string, in func(string) console.PaySheet) ([]byte, error) {
	sheet := in(lang)
	font, err := os.ReadFile(filepath.Join(p.config.Vision.Assets, receiptFont))
	if err != nil {
		font = nil
		if lang == "zh" { // a core font has no Chinese
			lang, sheet = "en", in("en")
		}
	}
	f := fpdf.New("P", "mm", "A4", "")
	f.SetCreationDate(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	f.SetModificationDate(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	f.SetCatalogSort(true)
	f.SetTitle(sheet.Title, true)
	f.SetLang(map[string]string{"en": "en", "zh": "zh-CN"}[lang])
	family, say := "Helvetica", f.UnicodeTranslatorFromDescriptor("cp1252")
	if font != nil && (lang == "zh" || beyondLatin(sheet)) {
		f.AddUTF8FontFromBytes("payslip", "", font)
		f.AddUTF8FontFromBytes("payslip", "B", font)
		family, say = "payslip", func(s string) string { return s }
	}
	const margin, width = 20.0, 170.0
	f.SetMargins(margin, margin, margin)
	f.AddPage()
	row := func(style string, size float64, cells []string, widths []float64) {
		f.SetFont(family, style, size)
		for i, s := range cells {
			align := "R"
			if i == 0 {
				align = "L"
			}
			f.CellFormat(widths[i], size*0.6, say(s), "", 0, align, false, 0, "")
		}
		f.Ln(size * 0.6)
	}
	rule := func() {
		f.Ln(2)
		f.SetDrawColor(120, 130, 128)
		f.Line(margin, f.GetY(), margin+width, f.GetY())
		f.Ln(2)
	}
	row("B", 16, []string{p.config.Site.Name}, []float64{width})
	row("B", 13, []string{sheet.Title}, []float64{width})
	f.Ln(3)
	for _, fact := range sheet.Facts {
		row("", 10, fact[:], []float64{60, width - 60})
	}
	rule()
	for _, l := range sheet.Lines {
		row("", 10, []string{l.Title, l.Time, l.Rate, l.Amount}, []float64{80, 25, 25, 40})
		if l.Note != "" {
			f.SetFont(family, "", 8)
			f.MultiCell(width-margin, 4, say(l.Note), "", "L", false)
		}
	}
	rule()
	for i, sum := range sheet.Sums {
		style := ""
		if i == len(sheet.Sums)-1 {
			style = "B"
		}
		row(style, 11, sum[:], []float64{width - 60, 60})
	}
	var b bytes.Buffer
	if err := f.Output(&b); err != nil {
		return nil, gatehouse.Errorf("wages.pdf", "read it on its page", "the PDF cannot be made: %w", err)
	}
	return b.Bytes(), nil
}

// beyondLatin reports whether a core font lacks some of the sheet's characters.
func beyondLatin(s console.PaySheet) bool {
	all := s.Title
	for _, f := range append(s.Facts, s.Sums...) {
		all += f[0] + f[1]
	}
	for _, l := range s.Lines {
		all += l.Title + l.Note
	}
	return strings.ContainsFunc(all, func(r rune) bool { return r > 0xff && !strings.ContainsRune("–—‘’“”…•€×", r) })
}
