package parkingpages

import (
	"context"
	"net/http"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/rules/parking"
)

// Accounts are the pages of drivers who have passes; flow/stay has them. Who somebody is they
// show by a cookie, which a code that works once gave them; nobody types a name or a plate.
type Accounts interface {
	// EnterAccount uses a code up: parking.unknown_account for whatever is wrong with it.
	EnterAccount(ctx context.Context, code string) (cookie gatehouse.Secret, err error)
	AccountOf(cookie string) (gatehouse.ID, bool)
	LeaveAccount(ctx context.Context, id gatehouse.ID, cookie string) error
	Account(ctx context.Context, id gatehouse.ID) (gatehouse.DriverView, error)
	HasPass(id, pass gatehouse.ID) bool
	// Renew and TopUp order: parking.not_for_sale, parking.right, parking.too_many.
	Renew(ctx context.Context, pass gatehouse.ID, by string) (gatehouse.PassOrder, error)
	TopUp(ctx context.Context, pass gatehouse.ID, amount gatehouse.Money, by string) (gatehouse.PassOrder, error)
	Receipts(ctx context.Context, id gatehouse.ID, from, until time.Time) ([]gatehouse.DriverReceipt, error)
	// KeepBuyer seals whom invoices are made out to: parking.buyer.
	KeepBuyer(ctx context.Context, id gatehouse.ID, b gatehouse.InvoiceBuyer) error
}

// The cookies' names. Over TLS they are __Host- cookies, as the console's is.
const (
	driverCookie = "gatehouse_driver"
	shopCookie   = "gatehouse_shop"
	hostPrefix   = "__Host-"
	cookieFor    = 90 * 24 * time.Hour
)

// maxBuyerForm bounds the form of whom an invoice is made out to, in bytes: 200 characters a
// field, each of up to 9 bytes as a form writes it.
const maxBuyerForm = 16 << 10

// byDriver stands for the driver in what is written down of a change.
const byDriver = "driver"

func cookieName(r *http.Request, name string) string {
	if r.TLS != nil {
		return hostPrefix + name
	}
	return name
}

func cookieOf(r *http.Request, name string) string {
	c, err := r.Cookie(cookieName(r, name))
	if err != nil || len(c.Value) > 128 {
		return ""
	}
	return c.Value
}

func setCookie(w http.ResponseWriter, r *http.Request, name, value string, lives time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: cookieName(r, name), Value: value, Path: "/", MaxAge: int(lives.Seconds()), Secure: r.TLS != nil, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

func (p *Pages) accountRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /pay/account", Policy: auth.Public, Handler: p.accountPage},
		{Pattern: "POST /pay/account", Policy: auth.Public, Handler: p.enterAccount},
		{Pattern: "POST /pay/account/leave", Policy: auth.Public, Handler: p.driver(p.leaveAccount)},
		{Pattern: "POST /pay/account/passes/{id}/renew", Policy: auth.Public, Handler: p.driver(p.renew)},
		{Pattern: "POST /pay/account/passes/{id}/top-up", Policy: auth.Public, Handler: p.driver(p.topUp)},
		{Pattern: "GET /pay/account/receipts", Policy: auth.Public, Handler: p.driver(p.receipts)},
		{Pattern: "POST /pay/account/receipts/invoice", Policy: auth.Public, Handler: p.driver(p.invoice)},
	}
}

// driver serves a page of whoever shows an account's cookie; everybody else is asked for a code.
func (p *Pages) driver(do func(w http.ResponseWriter, r *http.Request, account gatehouse.ID)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBuyerForm)
		id, ok := p.accountOf(r)
		if !ok {
			p.askCode(w, r, http.StatusUnauthorized, "account", "")
			return
		}
		// What a driver does may read months, draw a sheet, and be a leaf of the log.
		if ok, _ := p.acts.Allow(id.String()); !ok {
			p.say(w, r, http.StatusTooManyRequests, "failed.title", "ask.busy")
			return
		}
		do(w, r, id)
	}
}

func (p *Pages) accountOf(r *http.Request) (gatehouse.ID, bool) {
	cookie := cookieOf(r, driverCookie)
	if p.Accounts == nil || cookie == "" {
		return gatehouse.ID{}, false
	}
	return p.Accounts.AccountOf(cookie)
}

// asking is the page that asks for the code of an account's page, or of a shop's.
type asking struct{ What, Wrong string }

func (p *Pages) askCode(w http.ResponseWriter, r *http.Request, status int, what, wrong string) {
	a := asking{What: what}
	if wrong != "" {
		a.Wrong = text(p.lang(r), wrong)
	}
	p.show(w, r, status, "code.html", view{Again: "/pay/" + what, Page: a})
}

// code reads a code that somebody shows, and counts it as a question of their address: guesses
// are as few as those of plates, and get one answer.
func (p *Pages) code(w http.ResponseWriter, r *http.Request, what string) (string, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	code := strings.TrimSpace(r.PostFormValue("code"))
	if code == "" || len(code) > 64 {
		p.askCode(w, r, http.StatusBadRequest, what, "code.wrong")
		return "", false
	}
	return code, p.mayTry(w, r, "code.often", func(status int, wrong string) { p.askCode(w, r, status, what, wrong) })
}

// mayTry counts a question of an address, and refuses one too many. What an address may not ask
// takes nothing from the others: the site's own limit counts the questions that are answered.
func (p *Pages) mayTry(w http.ResponseWriter, r *http.Request, often string, refuse func(status int, wrong string)) bool {
	asker := p.asker(r)
	if ok, _ := p.hasty.Allow(asker); !ok { // before anything is written
		refuse(http.StatusTooManyRequests, often)
		return false
	}
	if !p.asked.Has("") {
		refuse(http.StatusTooManyRequests, "ask.busy")
		return false
	}
	ok, err := p.Try(r.Context(), asker)
	if err != nil {
		p.fails(w, r, err)
		return false
	}
	if !ok {
		refuse(http.StatusTooManyRequests, often)
		return false
	}
	if ok, _ := p.asked.Allow(""); !ok { // others were faster
		refuse(http.StatusTooManyRequests, "ask.busy")
		return false
	}
	return true
}

// accountView is a driver's page.
type accountView struct {
	gatehouse.DriverView
	Passes []passRow
	Query  string
	Months []string // for receipts, the newest first
}

// passRow is one pass in words.
type passRow struct {
	ID, Name, Label, Kind string
	From, Until           string // "" for none
	Over                  bool
	Holds, Currency       string // of a pass of value
	Left                  string // of a pass of uses: "3 / 10"
	Price                 string // of another month; "" where it is not sold
	TopUp                 bool
}

func (p *Pages) accountPage(w http.ResponseWriter, r *http.Request) {
	id, ok := p.accountOf(r)
	if !ok {
		p.askCode(w, r, http.StatusOK, "account", "")
		return
	}
	a, err := p.Accounts.Account(r.Context(), id)
	if err != nil {
		p.fails(w, r, err)
		return
	}
	lang, now := p.lang(r), p.Now()
	page := accountView{DriverView: a, Query: p.query(r), Months: p.months(now)}
	for _, x := range a.Passes {
		row := passRow{ID: x.ID.String(), Name: x.Name, Label: x.Label, Kind: text(lang, "pass."+string(x.Kind)), From: p.at(x.From, lang)}
		if !x.Until.IsZero() {
			row.Until, row.Over = p.at(x.Until, lang), !now.Before(x.Until)
		}
		switch {
		case x.Kind == gatehouse.ValuePass:
			row.Holds, row.Currency, row.TopUp = x.Holds.String(), string(x.Value.Currency), x.Sold
		case x.Kind == gatehouse.UsesPass:
			row.Left = plural(x.Uses, x.Uses+x.Used)
		case x.Sold:
			row.Price = x.Price.String()
		}
		page.Passes = append(page.Passes, row)
	}
	p.show(w, r, http.StatusOK, "account.html", view{Page: page})
}

func (p *Pages) enterAccount(w http.ResponseWriter, r *http.Request) {
	if p.Accounts == nil {
		p.say(w, r, http.StatusNotFound, "closed.title", "closed")
		return
	}
	code, ok := p.code(w, r, "account")
	if !ok {
		return
	}
	cookie, err := p.Accounts.EnterAccount(r.Context(), code)
	if gatehouse.ErrorCode(err) == "parking.unknown_account" {
		p.askCode(w, r, http.StatusNotFound, "account", "code.wrong")
		return
	}
	if err != nil {
		p.fails(w, r, err)
		return
	}
	setCookie(w, r, driverCookie, cookie.Reveal(), cookieFor)
	http.Redirect(w, r, "/pay/account"+p.query(r), http.StatusSeeOther)
}

func (p *Pages) leaveAccount(w http.ResponseWriter, r *http.Request, id gatehouse.ID) {
	if err := p.Accounts.LeaveAccount(r.Context(), id, cookieOf(r, driverCookie)); err != nil {
		p.fails(w, r, err)
		return
	}
	setCookie(w, r, driverCookie, "", -time.Second)
	http.Redirect(w, r, "/pay/account"+p.query(r), http.StatusSeeOther)
}

// order leads to where an order is paid, as a stay is.
func (p *Pages) order(w http.ResponseWriter, r *http.Request, account gatehouse.ID, make func(pass gatehouse.ID) (gatehouse.PassOrder, error)) {
	pass, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil || !p.Accounts.HasPass(account, pass) {
		p.say(w, r, http.StatusNotFound, "gone.title", "nopass")
		return
	}
	o, err := make(pass)
	switch gatehouse.ErrorCode(err) {
	case "":
		http.Redirect(w, r, "/pay/stay/"+p.shown.put(o.ID, "")+p.query(r), http.StatusSeeOther)
	case "parking.not_for_sale", "parking.unknown_right":
		p.say(w, r, http.StatusNotFound, "gone.title", "nopass")
	case "parking.too_many":
		p.say(w, r, http.StatusTooManyRequests, "failed.title", "orders.many")
	case "parking.right", "money.malformed":
		p.say(w, r, http.StatusUnprocessableEntity, "failed.title", "amount.wrong")
	default:
		p.fails(w, r, err)
	}
}

func (p *Pages) renew(w http.ResponseWriter, r *http.Request, account gatehouse.ID) {
	p.order(w, r, account, func(pass gatehouse.ID) (gatehouse.PassOrder, error) {
		return p.Accounts.Renew(r.Context(), pass, byDriver)
	})
}

func (p *Pages) topUp(w http.ResponseWriter, r *http.Request, account gatehouse.ID) {
	p.order(w, r, account, func(pass gatehouse.ID) (gatehouse.PassOrder, error) {
		amount, err := gatehouse.ParseMoney(strings.TrimSpace(r.PostFormValue("amount")), gatehouse.Currency(r.PostFormValue("currency")))
		if err != nil {
			return gatehouse.PassOrder{}, err
		}
		return p.Accounts.TopUp(r.Context(), pass, amount, byDriver)
	})
}

// gives says what a shop's validation gives.
func gives(v gatehouse.Validation, lang string) string {
	switch v.Kind {
	case gatehouse.TimeValidation:
		return parking.Duration(v.Time)
	case gatehouse.PercentValidation:
		return parking.Percent(v.BasisPoints)
	case gatehouse.MoneyValidation:
		return v.Money.String()
	}
	return text(lang, "shop.all")
}
