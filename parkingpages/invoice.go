package parkingpages

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// monthsShown is how many months of receipts a driver can look at.
const monthsShown = 18

// month is how a month is written in an address and in a form.
const month = "2006-01"

func (p *Pages) months(now time.Time) (all []string) {
	first := p.monthOf(now)
	for i := range monthsShown {
		all = append(all, first.AddDate(0, -i, 0).Format(month))
	}
	return all
}

// monthOf is the first moment of a moment's month, at the site.
func (p *Pages) monthOf(t time.Time) time.Time {
	t = t.In(p.Location)
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, p.Location)
}

// receiptRow is one line of a month.
type receiptRow struct {
	Number, At, What, Way, Amount, Tax string
	Deposit                            bool // money put on a pass: invoiced when it is spent
}

// monthSum is what a month comes to in one currency.
type monthSum struct{ Net, Tax, Gross, Paid, Open string }

// monthView is what was paid in a month, and the invoice over it.
type monthView struct {
	Month  string
	Months []string
	Number string // of the invoice; "" until there is one
	Day    string // on which it is made
	Rows   []receiptRow
	Sums   []monthSum
	Seller Seller
	Buyer  gatehouse.InvoiceBuyer // as it was typed just now
	Wrong  string                 // "" or what is wrong with it
	Field  string                 // that is wrong
	Kept   string                 // when a buyer was kept; "" for never
	Query  string
}

// plural writes how many of how many.
func plural(n, of int) string { return strconv.Itoa(n) + " / " + strconv.Itoa(of) }

// monthOfAccount gathers a month.
func (p *Pages) monthOfAccount(r *http.Request, account gatehouse.ID) (v monthView, err error) {
	now := p.Now()
	from := p.monthOf(now)
	if s := r.FormValue("month"); s != "" {
		if from, err = time.ParseInLocation(month, s, p.Location); err != nil || from.After(now) || from.Before(p.monthOf(now).AddDate(0, 1-monthsShown, 0)) {
			return v, gatehouse.Errorf("store.not_found", "", "there is no such month")
		}
	}
	all, err := p.Accounts.Receipts(r.Context(), account, from, from.AddDate(0, 1, 0))
	if err != nil {
		return v, err
	}
	a, err := p.Accounts.Account(r.Context(), account)
	if err != nil {
		return v, err
	}
	lang := p.lang(r)
	v = monthView{Month: from.Format(month), Months: p.months(now), Day: p.day(now, lang), Seller: p.Seller, Query: p.query(r)}
	if !a.BuyerAt.IsZero() {
		v.Kept = p.at(a.BuyerAt, lang)
	}
	sums := map[gatehouse.Currency][4]int64{} // gross, tax, paid, open
	for _, x := range all {
		v.Rows = append(v.Rows, receiptRow{Number: p.number(gatehouse.BookEntry{Number: x.Number}), At: p.day(x.At, lang), What: p.what(x, lang), Way: text(lang, "pay.by."+x.Provider), Amount: x.Amount.String(), Tax: x.Tax.Decimal(), Deposit: x.Deposit})
		if x.Deposit {
			continue
		}
		s := sums[x.Amount.Currency]
		s[0] += x.Amount.Minor
		s[1] += x.Tax.Minor
		if x.Provider == "invoice" {
			s[3] += x.Amount.Minor
		} else {
			s[2] += x.Amount.Minor
		}
		sums[x.Amount.Currency] = s
	}
	var currencies []gatehouse.Currency
	for c := range sums {
		currencies = append(currencies, c)
	}
	slices.SortFunc(currencies, cmp.Compare[gatehouse.Currency])
	for _, c := range currencies {
		s := sums[c]
		say := func(n int64) string { return gatehouse.Money{Minor: n, Currency: c}.String() }
		v.Sums = append(v.Sums, monthSum{Net: say(s[0] - s[1]), Tax: say(s[1]), Gross: say(s[0]), Paid: say(s[2]), Open: say(s[3])})
	}
	return v, nil
}

// what says what a receipt was for. It names no plate.
func (p *Pages) what(x gatehouse.DriverReceipt, lang string) string {
	switch {
	case x.Name != "" && x.Deposit:
		return parking.Say(gatehouse.ChargeLine{Kind: gatehouse.TopUpLine, Name: x.Name}, "", lang)
	case x.Name != "":
		return x.Name
	}
	s := text(lang, "receipt.stay") + " " + p.at(x.Entered, lang)
	if !x.Left.IsZero() {
		s += " – " + p.at(x.Left, lang)
	}
	return s
}

// day writes a date as people read it.
func (p *Pages) day(t time.Time, lang string) string {
	if lang == "zh" {
		return t.In(p.Location).Format("2006年1月2日")
	}
	return t.In(p.Location).Format("2 Jan 2006")
}

func (p *Pages) receipts(w http.ResponseWriter, r *http.Request, account gatehouse.ID) {
	v, err := p.monthOfAccount(r, account)
	if err != nil {
		p.fails(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, "receipts.html", view{Page: v})
}

// invoice makes an invoice of a month, for whom the driver says. That is on the sheet and goes
// with the answer; it is kept only if the driver says so, and then sealed.
func (p *Pages) invoice(w http.ResponseWriter, r *http.Request, account gatehouse.ID) {
	v, err := p.monthOfAccount(r, account)
	if err != nil {
		p.fails(w, r, err)
		return
	}
	f := r.PostFormValue
	v.Buyer = gatehouse.InvoiceBuyer{Fapiao: gatehouse.FapiaoKind(f("fapiao")), Name: f("name"), TaxNumber: f("tax_number"), Address: f("address"), Phone: f("phone"), Bank: f("bank"), BankAccount: f("bank_account")}
	lang := p.lang(r)
	again := func(status int, field, wrong string) {
		v.Field, v.Wrong = field, wrong
		p.show(w, r, status, "receipts.html", view{Again: "/pay/account/receipts", Page: v})
	}
	var field string
	if v.Buyer, field, err = parking.CheckBuyer(v.Buyer); err != nil {
		again(http.StatusUnprocessableEntity, field, text(lang, "buyer.wrong")+" "+text(lang, "buyer."+field))
		return
	}
	if f("keep") != "" {
		if err := p.Accounts.KeepBuyer(r.Context(), account, v.Buyer); err != nil {
			p.fails(w, r, err)
			return
		}
	}
	if f("what") == "keep" { // and no sheet
		v.Kept = p.at(p.Now(), lang)
		v.Buyer = gatehouse.InvoiceBuyer{}
		again(http.StatusOK, "", "")
		return
	}
	if v.Number, err = p.invoiceNumber(r, account, v); err != nil {
		p.fails(w, r, err)
		return
	}
	b, err := p.invoicePDF(v, lang, p.Now())
	if err != nil {
		p.fails(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="invoice-`+v.Number+`.pdf"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b)
}

// invoiceNumber is the invoice's in its year. A month that says the same has the same number,
// also for another buyer, of whom nothing is kept with it; one to which something was added is
// another invoice.
func (p *Pages) invoiceNumber(r *http.Request, account gatehouse.ID, v monthView) (string, error) {
	sum := sha256.New()
	for _, x := range v.Rows {
		fmt.Fprintf(sum, "%q %q %v\n", x.Number, x.Amount, x.Deposit)
	}
	year, n, err := p.Books.InvoiceNumber(r.Context(), account.String()+"/"+v.Month+"/"+hex.EncodeToString(sum.Sum(nil)[:16]))
	return fmt.Sprintf("%s-%d-%06d", p.Place.Site, year, n), err
}

// invoicePDF draws an invoice.
func (p *Pages) invoicePDF(v monthView, lang string, now time.Time) ([]byte, error) {
	b := v.Buyer
	all := []string{v.Seller.Name, v.Seller.Address, v.Seller.TaxNumber, b.Name, b.TaxNumber, b.Address, b.Phone, b.Bank, b.BankAccount}
	for _, x := range v.Rows {
		all = append(all, x.What)
	}
	s, lang := p.sheet(text(lang, "invoice.title")+" "+v.Number, lang, strings.Join(all, " "), now)
	s.row("B", 15, 8, v.Seller.Name, "")
	for _, t := range []string{v.Seller.Address, v.Seller.TaxNumber} {
		if t != "" {
			s.row("", 9, 4.5, t, "")
		}
	}
	s.Ln(4)
	s.row("B", 12, 7, text(lang, "invoice.title"), v.Number)
	s.row("", 10, 5.5, text(lang, "invoice.day"), v.Day)
	s.row("", 10, 5.5, text(lang, "invoice.month"), v.Month)
	s.rule()
	for _, t := range [][2]string{{"buyer.name", b.Name}, {"buyer.tax_number", b.TaxNumber}, {"buyer.address", b.Address}, {"buyer.phone", b.Phone}, {"buyer.bank", b.Bank}, {"buyer.bank_account", b.BankAccount}} {
		if t[1] != "" {
			s.row("", 10, 5.5, text(lang, t[0])+": "+t[1], "")
		}
	}
	s.rule()
	for _, x := range v.Rows {
		if !x.Deposit {
			s.row("", 9, 4.8, x.Number+"  "+x.At+"  "+x.What, x.Amount)
		}
	}
	s.rule()
	for _, m := range v.Sums {
		s.row("", 10, 5.5, text(lang, "invoice.net"), m.Net)
		s.row("", 10, 5.5, text(lang, "receipt.tax"), m.Tax)
		s.row("B", 12, 7, text(lang, "invoice.gross"), m.Gross)
		s.row("", 10, 5.5, text(lang, "invoice.paid"), m.Paid)
		s.row("", 10, 5.5, text(lang, "invoice.open"), m.Open)
	}
	var out bytes.Buffer
	err := s.Output(&out)
	return out.Bytes(), err
}
