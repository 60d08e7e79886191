package parkingpages

import (
	"bytes"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// pdf draws a receipt on a sheet of A5, whose text can be selected. Chinese needs the font of
// the options; without it the sheet is in English.
func (p *Pages) pdf(page paper, lang string, now time.Time) ([]byte, error) {
	f := fpdf.New("P", "mm", "A5", "")
	f.SetCreationDate(now)
	f.SetTitle(text(lang, "receipt.title")+" "+page.Number, true)
	f.SetLang(map[string]string{"en": "en", "zh": "zh-CN"}[lang])
	family, say := "Helvetica", f.UnicodeTranslatorFromDescriptor("cp1252")
	var font []byte
	if p.Font != nil {
		font = p.Font()
	}
	if len(font) > 0 && (lang == "zh" || !latin(page.all())) {
		f.AddUTF8FontFromBytes("receipt", "", font)
		f.AddUTF8FontFromBytes("receipt", "B", font)
		family, say = "receipt", func(s string) string { return s }
	} else if lang == "zh" {
		lang = "en" // a core font has no Chinese: the words of the charge stay as they are
	}
	f.SetMargins(14, 14, 14)
	f.AddPage()
	row := func(style string, size, height float64, left, right string) {
		f.SetFont(family, style, size)
		width, _ := f.GetPageSize()
		amount := 0.0
		if right != "" {
			amount = f.GetStringWidth(say(right)) + 3
		}
		x, y := f.GetXY()
		f.MultiCell(width-28-amount, height, say(left), "", "L", false)
		after := f.GetY()
		if right != "" {
			f.SetXY(width-14-amount, y)
			f.CellFormat(amount, height, say(right), "", 0, "R", false, 0, "")
		}
		f.SetXY(x, after)
	}
	rule := func() {
		f.Ln(2)
		x, y := f.GetXY()
		width, _ := f.GetPageSize()
		f.SetDrawColor(120, 130, 128)
		f.Line(x, y, width-14, y)
		f.Ln(2)
	}
	row("B", 15, 8, page.Seller.Name, "")
	for _, s := range []string{page.Seller.Address, page.Seller.TaxNumber} {
		if s != "" {
			row("", 9, 4.5, s, "")
		}
	}
	f.Ln(4)
	row("B", 12, 7, text(lang, "receipt.title"), page.Number)
	row("", 10, 5.5, text(lang, "receipt.paid"), page.At)
	row("", 10, 5.5, text(lang, "owed.from"), page.Entered)
	row("", 10, 5.5, text(lang, "owed.until"), page.Until)
	rule()
	for _, l := range page.Lines {
		row("", 10, 5.5, l.Text, l.Amount)
	}
	row("", 10, 5.5, text(lang, "owed.total"), page.Total)
	if page.bill.Paid != "" {
		row("", 10, 5.5, text(lang, "owed.paid"), page.bill.Paid)
	}
	rule()
	row("B", 12, 7, text(lang, "receipt.amount"), page.Amount)
	if page.Tax != "" {
		row("", 10, 5.5, text(lang, "receipt.tax"), page.Tax)
	}
	row("", 10, 5.5, text(lang, "receipt.by"), page.By)
	if page.Refunded != "" {
		row("", 10, 5.5, text(lang, "receipt.refunded"), page.Refunded)
	}
	var b bytes.Buffer
	err := f.Output(&b)
	return b.Bytes(), err
}

// all is every text of a receipt.
func (p paper) all() string {
	parts := []string{p.Seller.Name, p.Seller.Address, p.Seller.TaxNumber}
	for _, l := range p.Lines {
		parts = append(parts, l.Text)
	}
	return strings.Join(parts, " ")
}

// latin reports whether a core font has the characters.
func latin(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0xff && !strings.ContainsRune("–—‘’“”…•€×", r) })
}
