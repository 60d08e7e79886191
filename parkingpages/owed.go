package parkingpages

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// line is one line of how a charge came about, in words.
type line struct{ Text, Amount string }

// bill is what a page says of a charge.
type bill struct {
	Entered, Until, Time string
	Lines                []line
	Total, Tax           string // Tax "" where there is none
	Paid                 string // "" where nothing was
	Sale                 bool   // of a pass: there is no stay
}

func (p *Pages) bill(c gatehouse.Charge, paid gatehouse.Money, lang string) bill {
	b := bill{Entered: p.at(c.From, lang), Until: p.at(c.Until, lang), Time: parking.Spoken(c.Until.Sub(c.From), lang), Total: c.Total.String(), Sale: c.Tariff == "" && c.Currency != ""}
	for _, l := range c.Lines {
		b.Lines = append(b.Lines, line{parking.Say(l, c.Currency, lang), gatehouse.Money{Minor: l.Amount, Currency: c.Currency}.Decimal()})
	}
	if c.Tax.Minor != 0 {
		b.Tax = c.Tax.String()
	}
	if paid.Minor != 0 {
		b.Paid = paid.Neg().String()
	}
	return b
}

// at writes a moment as people read it.
func (p *Pages) at(t time.Time, lang string) string {
	if lang == "zh" {
		return t.In(p.Location).Format("2006年1月2日 15:04")
	}
	return t.In(p.Location).Format("Mon 2 Jan 2006, 15:04")
}

// owing is the page of what is owed.
type owing struct {
	bill
	Key     string
	Owes    bool
	Charged bool // there is a charge to show
	Due     string
	LeaveBy string // "" where nothing is to be said
	Ways    []way
	Query   string
	QR      string // on a kiosk: the picture that leads a phone here
	Codes   bool   // a shop's code can be shown here
	Said    string // what became of the one that was; "" for nothing
	Given   bool
}

// way is one way to pay.
type way struct{ Name, Label string }

func (p *Pages) owed(w http.ResponseWriter, r *http.Request) {
	stay, ok := p.shown.get(r.PathValue("key"))
	if !ok || p.Find == nil {
		p.say(w, r, http.StatusNotFound, "gone.title", "gone")
		return
	}
	due, err := p.Books.Due(r.Context(), stay)
	if err != nil {
		p.fails(w, r, err)
		return
	}
	lang := p.lang(r)
	page := owing{bill: p.bill(due.Charge, due.Paid, lang), Key: r.PathValue("key"), Owes: due.Due.Minor > 0, Due: due.Due.String(), Query: p.query(r)}
	page.Charged = due.Charge.Currency != ""
	page.Codes = p.Shops != nil && !page.Sale && page.Owes
	if word := r.URL.Query().Get("code"); slices.Contains(codeWords, word) {
		page.Said, page.Given = text(lang, "code."+word), word == "given"
	}
	if !due.LeaveBy.IsZero() && !page.Owes {
		page.LeaveBy = p.at(due.LeaveBy, lang)
	}
	for _, name := range p.Providers {
		if (name == "alipay" || name == "wechat") && due.Due.Currency != "CNY" {
			continue // they would refuse it
		}
		page.Ways = append(page.Ways, way{name, text(lang, "pay.by."+name)})
	}
	p.show(w, r, http.StatusOK, "owed.html", view{Refresh: 60, Page: page})
}

// leaving is the page that leads to a provider's. It is a page with a link, and no redirect:
// a form's redirect to another site would need that site in the policy of what forms may do.
type leaving struct {
	URL, Amount string
	Code        template.HTML // of qrSVG, where URL is no page but what a program on a phone reads
	Done        string        // where the payment is looked for
}

// pay begins to pay what is owed now.
func (p *Pages) pay(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	key := r.PathValue("key")
	stay, ok := p.shown.get(key)
	if !ok || p.Find == nil {
		p.say(w, r, http.StatusNotFound, "gone.title", "gone")
		return
	}
	lang, way := p.lang(r), r.PostFormValue("way")
	if !slices.Contains(p.Providers, way) {
		p.fails(w, r, gatehouse.Errorf("pay.unknown", "", "there is no such way to pay on a page"))
		return
	}
	// Each beginning may be a row of the books and a question to a provider.
	if ok, _ := p.begun.Allow(stay.String()); !ok {
		p.say(w, r, http.StatusTooManyRequests, "nopay.title", "ask.busy")
		return
	}
	c, err := p.Books.Begin(r.Context(), stay, way, lang, func(id gatehouse.ID) (string, string) {
		return p.BaseURL + "/pay/receipt/" + id.String() + p.query(r), p.BaseURL + "/pay/stay/" + key + p.query(r)
	})
	if gatehouse.ErrorCode(err) == "books.nothing_due" {
		http.Redirect(w, r, "/pay/stay/"+key+p.query(r), http.StatusSeeOther)
		return
	}
	if err != nil {
		p.fails(w, r, err)
		return
	}
	if plate := p.shown.typed(key); plate != "" && p.Said != nil {
		if err := p.Said(r.Context(), stay, plate); err != nil { // the payment counts without it
			p.Log.Warn("what a driver typed could not be kept", "code", gatehouse.ErrorCode(err), "stay", stay)
		}
	}
	page := leaving{URL: c.URL, Amount: c.Amount.String(), Done: "/pay/receipt/" + c.ID.String() + p.query(r)}
	if !strings.HasPrefix(c.URL, "https://") && !strings.HasPrefix(c.URL, "http://") {
		code, err := qrSVG(c.URL)
		if err != nil {
			p.fails(w, r, err)
			return
		}
		page.Code = template.HTML(code) //nolint:gosec // squares alone
	}
	p.show(w, r, http.StatusOK, "leaving.html", view{Again: "/pay/stay/" + key, Page: page})
}
