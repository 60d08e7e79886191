package parking

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse"
)

// maxBuyer bounds each field of a buyer, in characters.
const maxBuyer = 200

// chineseTaxNumber is a unified social credit code (GB 32100: 18 characters), or an older
// taxpayer's number of 15 or 20.
var chineseTaxNumber = regexp.MustCompile(`^(?:[0-9A-HJ-NP-RTUWXY]{18}|[0-9A-Z]{15}|[0-9A-Z]{20})$`)

// CheckBuyer tidies what somebody typed of whom an invoice is made out to, and names the field
// that is wrong: "parking.buyer". An ordinary fapiao needs a name and a tax number, a special
// one all fields.
func CheckBuyer(b gatehouse.InvoiceBuyer) (_ gatehouse.InvoiceBuyer, field string, err error) {
	wrong := func(field, what string) (gatehouse.InvoiceBuyer, string, error) {
		return b, field, gatehouse.Errorf("parking.buyer", "correct it and send it again", "the buyer's %s %s", field, what)
	}
	b.TaxNumber = strings.ToUpper(strings.ReplaceAll(b.TaxNumber, " ", ""))
	fields := []struct {
		name string
		text *string
	}{{"name", &b.Name}, {"tax_number", &b.TaxNumber}, {"address", &b.Address}, {"phone", &b.Phone}, {"bank", &b.Bank}, {"bank_account", &b.BankAccount}}
	for _, f := range fields {
		*f.text = strings.TrimSpace(*f.text)
		switch {
		case !utf8.ValidString(*f.text) || strings.ContainsFunc(*f.text, unicode.IsControl):
			return wrong(f.name, "has characters that no invoice can show")
		case utf8.RuneCountInString(*f.text) > maxBuyer:
			return wrong(f.name, "is too long")
		case *f.text == "" && (f.name == "name" || b.Fapiao == gatehouse.SpecialFapiao || b.Fapiao == gatehouse.OrdinaryFapiao && f.name == "tax_number"):
			return wrong(f.name, "is missing")
		}
	}
	switch b.Fapiao {
	case gatehouse.NoFapiao:
	case gatehouse.OrdinaryFapiao, gatehouse.SpecialFapiao:
		if !chineseTaxNumber.MatchString(b.TaxNumber) {
			return wrong("tax_number", "is no Chinese tax number: 18 digits and capital letters, or 15 or 20")
		}
	default:
		return wrong("fapiao", "is no kind of invoice")
	}
	return b, "", nil
}
