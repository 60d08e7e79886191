// Package parkingpages is what a driver sees: on a phone, or on a screen at the lane, what is
// owed for a stay, where to pay it, and the receipt; and where providers tell of payments.
// It is no part of the console: nobody signs in, no name and no picture is in it, and no
// plate leaves it. Drivers with passes and shops show a code that they were given. What a driver types is compared once; if they then pay, it is
// kept, sealed, with the mark of the one stay that it found, and nowhere else. A stay is shown
// behind a random address for an hour, and by its receipt's.
package parkingpages

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/internal/assets"
	"gatehouse/internal/language"
)

// Books are what pages ask of the books; flow/books has them.
type Books interface {
	Due(ctx context.Context, stay gatehouse.ID) (gatehouse.StayDue, error)
	Begin(ctx context.Context, stay gatehouse.ID, provider, language string, links func(gatehouse.ID) (success, cancel string)) (gatehouse.Checkout, error)
	Checkout(ctx context.Context, id gatehouse.ID) (gatehouse.Checkout, error)
	// Receipt gives the entry of the payment of a checkout that was paid, and what of it went
	// back since.
	Receipt(ctx context.Context, c gatehouse.Checkout) (gatehouse.BookEntry, gatehouse.Money, error)
	// InvoiceNumber gives the number of what a key names, as books.Books does.
	InvoiceNumber(ctx context.Context, key string) (year int, number uint64, err error)
	Notice(ctx context.Context, provider string, header func(string) string, body []byte) (outcome gatehouse.BookOutcome, answer string, err error)
}

// Seller is who a receipt is from.
type Seller struct {
	Name, Address, TaxNumber string
}

// Options are what the pages are made of.
type Options struct {
	Place    gatehouse.Place
	Site     string // its name
	Language string // en or zh: where the browser names neither
	Location *time.Location
	BaseURL  string // of the site, without a slash at its end
	Seller   Seller
	Books    Books
	// Find gives the one stay that a driver's words mean: parking.not_found otherwise. nil: the
	// site has no stays, and all pages say so.
	Find func(ctx context.Context, q gatehouse.StayQuery) (gatehouse.ID, error)
	// Said is told what was typed by a driver who found a stay by it and begins to pay; nil: nobody.
	Said func(ctx context.Context, stay gatehouse.ID, plate string) error
	// Accounts are the pages of drivers with passes, Shops those of shops; nil: there are none.
	Accounts Accounts
	Shops    Shops
	// Kiosks are screens at lanes that were enrolled, and Help is told where somebody at one
	// calls for it; nil: there are none.
	Kiosks Kiosks
	Help   func(ctx context.Context, gate gatehouse.GateID) error
	// ShowTicket is what happens where somebody types a ticket's code at the screen of an exit:
	// what a reader of QR codes there would do. nil: nothing.
	ShowTicket func(ctx context.Context, kiosk gatehouse.ParkingKiosk, code gatehouse.Secret) (gatehouse.Decision, error)
	// Try counts a question of an address, or of an enrolled screen (KioskAsks and its id), and says whether it may be asked. Errors are the
	// store's: then nothing is answered.
	Try func(ctx context.Context, address string) (ok bool, err error)
	// Providers are the names of those with a page of their own, in the order of the buttons.
	Providers []string
	// Font is a TrueType font with Chinese characters, for receipts; nil or empty: none.
	Font func() []byte
	Log  *slog.Logger
	Now  func() time.Time
}

// Pages are one site's. They are safe for concurrent use.
type Pages struct {
	Options
	files    assets.Set
	html     map[string]*template.Template
	shown    *shown
	asked    *auth.Limiter // questions of the whole site
	hasty    *auth.Limiter // questions of one address, whatever is answered
	told     *auth.Limiter // messages by address
	forged   *auth.Limiter // refused ones by address
	acts     *auth.Limiter // what drivers with accounts do, by account
	begun    *auth.Limiter // payments that are begun, by stay
	looked   *auth.Limiter // questions what became of a payment, by its receipt
	helped   *auth.Limiter // calls for help by screen
	tickets  *auth.Limiter // tickets by screen
	refusals refusals
}

//go:embed templates
var templates embed.FS

//go:embed static
var static embed.FS

// New returns pages. It panics where their own templates do not parse.
func New(o Options) *Pages {
	tree, err := fs.Sub(static, "static")
	if err != nil {
		panic(err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if !language.Known(o.Language) {
		o.Language = "en"
	}
	p := &Pages{Options: o, files: assets.Load(tree), html: map[string]*template.Template{}, shown: newShown(o.Now),
		asked: auth.NewLimiter(o.Now, 1, 60), acts: auth.NewLimiter(o.Now, 0.2, 30), begun: auth.NewLimiter(o.Now, 1.0/20, 10), looked: auth.NewLimiter(o.Now, 1, 20), hasty: auth.NewLimiter(o.Now, 0.5, 150), told: auth.NewLimiter(o.Now, 10, 200), forged: auth.NewLimiter(o.Now, 0.2, 10), helped: auth.NewLimiter(o.Now, 1.0/60, 1), tickets: auth.NewLimiter(o.Now, 1.0/15, 2)}
	for _, lang := range []string{"en", "zh"} {
		p.html[lang] = template.Must(template.New("").Funcs(template.FuncMap{
			"t":     func(key string) string { return text(lang, key) },
			"asset": func(name string) string { return "/pay/static/" + name + "?v=" + p.files.Tag(name) },
		}).ParseFS(templates, "templates/*.html"))
	}
	return p
}

// Routes is the pages' part of the server's table. None needs a session: what is shown
// somebody had to know, or holds nothing of anybody.
func (p *Pages) Routes() []auth.Route {
	return slices.Concat(p.accountRoutes(), p.shopRoutes(), p.screenRoutes(), []auth.Route{
		{Pattern: "GET /pay", Policy: auth.Public, Handler: p.ask},
		{Pattern: "POST /pay", Policy: auth.Public, Handler: p.find},
		{Pattern: "GET /pay/static/{name}", Policy: auth.Public, Handler: func(w http.ResponseWriter, r *http.Request) {
			p.files.Serve(w, r, r.PathValue("name"))
		}},
		{Pattern: "GET /pay/stay/{key}", Policy: auth.Public, Handler: p.owed},
		{Pattern: "POST /pay/stay/{key}/pay", Policy: auth.Public, Handler: p.pay},
		{Pattern: "GET /pay/receipt/{id}", Policy: auth.Public, Handler: p.receipt},
		{Pattern: "GET /pay/receipt/{id}/pdf", Policy: auth.Public, Handler: p.receiptPDF},
		{Pattern: "GET /pay/kiosk", Policy: auth.Public, Handler: p.kiosk},
		{Pattern: "GET /pay/qr.svg", Policy: auth.Public, Handler: p.qr},
		{Pattern: "POST /pay/{provider}/webhook", Policy: auth.Public, Handler: p.webhook},
	})
}

// view is what every template gets.
type view struct {
	Lang, Other, Site string
	Kiosk             bool   // large type, no keyboard
	Again             string // where this page is in the other language
	Refresh           int    // seconds until the page loads itself anew; 0 never
	Then              string // where it goes instead; "" for the same page
	Page              any
}

// lang is the language of a request: as it says, else as the browser prefers.
func (p *Pages) lang(r *http.Request) string {
	if l := r.URL.Query().Get("lang"); language.Known(l) {
		return l
	}
	if h := r.Header.Get("Accept-Language"); h != "" {
		return language.Of(h)
	}
	return p.Language
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	v.Lang = p.lang(r)
	v.Other = map[string]string{"en": "zh", "zh": "en"}[v.Lang]
	v.Site = p.Site
	if v.Again == "" {
		v.Again = r.URL.Path
	}
	v.Kiosk = r.URL.Query().Get("kiosk") == "1" || v.Kiosk
	var b bytes.Buffer
	if err := p.html[v.Lang].ExecuteTemplate(&b, name, v); err != nil {
		p.Log.Error("a parking page could not be made", "page", name, "error", err)
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", map[string]string{"en": "en", "zh": "zh-CN"}[v.Lang])
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// query keeps the language and the kind of screen over a redirect.
func (p *Pages) query(r *http.Request) string {
	q := "?lang=" + p.lang(r)
	if r.URL.Query().Get("kiosk") == "1" {
		q += "&kiosk=1"
	}
	return q
}

// said is a page of one sentence.
type said struct{ Title, Text, Back string }

func (p *Pages) say(w http.ResponseWriter, r *http.Request, status int, title, sentence string) {
	lang := p.lang(r)
	p.show(w, r, status, "said.html", view{Again: "/pay", Page: said{Title: text(lang, title), Text: text(lang, sentence), Back: "/pay" + p.query(r)}})
}

// fails answers what went wrong, without its cause.
func (p *Pages) fails(w http.ResponseWriter, r *http.Request, err error) {
	switch code := gatehouse.ErrorCode(err); {
	case slices.Contains([]string{"parking.unknown_stay", "parking.not_found", "store.not_found"}, code):
		p.say(w, r, http.StatusNotFound, "gone.title", "gone")
	case code == "pay.under_way":
		p.say(w, r, http.StatusConflict, "underway.title", "underway")
	case code == "pay.unavailable", code == "pay.not_set_up", code == "pay.refused", code == "pay.unknown":
		p.Log.Warn("a driver could not begin to pay", "code", code)
		p.say(w, r, http.StatusServiceUnavailable, "nopay.title", "nopay")
	default:
		p.Log.Warn("a parking page could not be shown", "code", code)
		p.say(w, r, http.StatusServiceUnavailable, "failed.title", "failed")
	}
}

// closed answers where the site has no stays.
func (p *Pages) closed(w http.ResponseWriter, r *http.Request) bool {
	if p.Find != nil {
		return false
	}
	p.say(w, r, http.StatusNotFound, "closed.title", "closed")
	return true
}
