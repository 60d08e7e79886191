package parkingpages

import (
	"fmt"
	"net/http"
	"time"

	"gatehouse"
)

// paper is what a receipt says, on a page and as a PDF.
type paper struct {
	bill
	State    gatehouse.CheckoutState
	ID       string
	Number   string // of the receipt
	At       string // when it was paid
	Amount   string
	Tax      string // in the amount; "" where there is none
	TaxName  string
	By       string // the way, in words
	Refunded string // "" where nothing went back
	LeaveBy  string
	Seller   Seller
	Query    string
}

// number is a receipt's: the site and the number of the payment in its books.
func (p *Pages) number(e gatehouse.BookEntry) string {
	return fmt.Sprintf("%s-%06d", p.Place.Site, e.Number)
}

// look reads the checkout that a path names, and what is to be said of it.
func (p *Pages) look(r *http.Request) (page paper, err error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return page, gatehouse.Errorf("store.not_found", "", "there is no such receipt")
	}
	if ok, _ := p.looked.Allow(id.String()); !ok { // a provider may be asked each time
		return page, gatehouse.Errorf("pay.unavailable", "", "its state was asked for just now")
	}
	c, err := p.Books.Checkout(r.Context(), id)
	if err != nil {
		return page, err
	}
	lang := p.lang(r)
	page = paper{bill: p.bill(c.Charge, c.Paid, lang), State: c.State, ID: id.String(), Amount: c.Amount.String(), By: text(lang, "pay.by."+c.Provider), Seller: p.Seller, Query: p.query(r)}
	if c.State != gatehouse.CheckoutPaid {
		return page, nil
	}
	e, back, err := p.Books.Receipt(r.Context(), c)
	if err != nil {
		return page, err
	}
	page.Number, page.At, page.Amount = p.number(e), p.at(e.At, lang), e.Amount.String()
	// What was paid holds as much of the tax as of the charge.
	if tax, ok := gatehouse.MulDiv(c.Charge.Tax.Minor, e.Amount.Minor, max(1, c.Charge.Total.Minor), gatehouse.RoundHalfUp); ok && tax > 0 {
		page.bill.Tax, page.Tax = "", gatehouse.Money{Minor: tax, Currency: e.Amount.Currency}.String()
	}
	if back.Minor > 0 {
		page.Refunded = back.String()
	}
	if due, err := p.Books.Due(r.Context(), c.Stay); err == nil && due.Due.Minor == 0 && due.LeaveBy.After(p.Now()) && due.State != gatehouse.StayLeft {
		page.LeaveBy = p.at(due.LeaveBy, lang)
	}
	return page, nil
}

// receipt is where a driver comes back to. Until the provider has told, the page asks every
// few seconds.
func (p *Pages) receipt(w http.ResponseWriter, r *http.Request) {
	page, err := p.look(r)
	if err != nil {
		p.fails(w, r, err)
		return
	}
	v := view{Page: page}
	if page.State == gatehouse.CheckoutOpen || page.State == gatehouse.CheckoutBegun {
		v.Refresh = 3
	} else if r.URL.Query().Get("kiosk") == "1" {
		v.Refresh, v.Then = 30, "/pay/kiosk?lang="+p.lang(r) // for the next driver
	}
	p.show(w, r, http.StatusOK, "receipt.html", v)
}

func (p *Pages) receiptPDF(w http.ResponseWriter, r *http.Request) {
	page, err := p.look(r)
	if err == nil && page.State != gatehouse.CheckoutPaid {
		err = gatehouse.Errorf("store.not_found", "", "there is no such receipt")
	}
	if err != nil {
		p.fails(w, r, err)
		return
	}
	b, err := p.pdf(page, p.lang(r), time.Now())
	if err != nil {
		p.fails(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="receipt-`+page.Number+`.pdf"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b)
}
