package parkingpages

import (
	"bytes"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// sheet is one of A5, whose text can be selected.
type sheet struct {
	*fpdf.Fpdf
	family string
	say    func(string) string
}

// sheet begins one on which a text will stand. Chinese needs the font of the options; without
// it the sheet is in English: the language that it has is given back.
func (p *Pages) sheet(title, lang, all string, now time.Time) (*sheet, string) {
	s := &sheet{Fpdf: fpdf.New("P", "mm", "A5", ""), family: "Helvetica"}
	s.say = s.UnicodeTranslatorFromDescriptor("cp1252")
	s.SetCreationDate(now)
	s.SetTitle(title, true)
	s.SetLang(map[string]string{"en": "en", "zh": "zh-CN"}[lang])
	var font []byte
	if p.Font != nil {
		font = p.Font()
	}
	if len(font) > 0 && (lang == "zh" || !latin(all)) {
		s.AddUTF8FontFromBytes("receipt", "", font)
		s.AddUTF8FontFromBytes("receipt", "B", font)
		s.family, s.say = "receipt", func(t string) string { return t }
	} else if lang == "zh" {
		lang = "en" // a core font has no Chinese: the words of the charge stay as they are
	}
	s.SetMargins(14, 14, 14)
	s.AddPage()
	return s, lang
}

// row writes a text, and what stands at its right.
func (s *sheet) row(style string, size, height float64, left, right string) {
	s.SetFont(s.family, style, size)
	width, _ := s.GetPageSize()
	amount := 0.0
	if right != "" {
		amount = s.GetStringWidth(s.say(right)) + 3
	}
	x, y := s.GetXY()
	page := s.PageNo()
	s.MultiCell(width-28-amount, height, s.say(left), "", "L", false)
	after := s.GetY()
	if s.PageNo() != page { // the row went on, on the next sheet
		y = after - height
	}
	if right != "" {
		s.SetXY(width-14-amount, y)
		s.CellFormat(amount, height, s.say(right), "", 0, "R", false, 0, "")
	}
	s.SetXY(x, after)
}

// rule draws a line across.
func (s *sheet) rule() {
	s.Ln(2)
	x, y := s.GetXY()
	width, _ := s.GetPageSize()
	s.SetDrawColor(120, 130, 128)
	s.Line(x, y, width-14, y)
	s.Ln(2)
}

// pdf draws a receipt.
func (p *Pages) pdf(page paper, lang string, now time.Time) ([]byte, error) {
	f, lang := p.sheet(text(lang, "receipt.title")+" "+page.Number, lang, page.all(), now)
	f.row("B", 15, 8, page.Seller.Name, "")
	for _, s := range []string{page.Seller.Address, page.Seller.TaxNumber} {
		if s != "" {
			f.row("", 9, 4.5, s, "")
		}
	}
	f.Ln(4)
	f.row("B", 12, 7, text(lang, "receipt.title"), page.Number)
	f.row("", 10, 5.5, text(lang, "receipt.paid"), page.At)
	if !page.Sale {
		f.row("", 10, 5.5, text(lang, "owed.from"), page.Entered)
		f.row("", 10, 5.5, text(lang, "owed.until"), page.Until)
	}
	f.rule()
	for _, l := range page.Lines {
		f.row("", 10, 5.5, l.Text, l.Amount)
	}
	f.row("", 10, 5.5, text(lang, "owed.total"), page.Total)
	if page.bill.Paid != "" {
		f.row("", 10, 5.5, text(lang, "owed.paid"), page.bill.Paid)
	}
	f.rule()
	f.row("B", 12, 7, text(lang, "receipt.amount"), page.Amount)
	if page.Tax != "" {
		f.row("", 10, 5.5, text(lang, "receipt.tax"), page.Tax)
	}
	f.row("", 10, 5.5, text(lang, "receipt.by"), page.By)
	if page.Refunded != "" {
		f.row("", 10, 5.5, text(lang, "receipt.refunded"), page.Refunded)
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
