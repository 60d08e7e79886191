package parkingpages

import (
	"context"
	"net/http"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// Kiosks are the screens at lanes; flow/stay has them. A screen is enrolled by a code that works
// once, and known by a cookie since: so its questions are its own and not its address's, and
// whoever stands there can call for help.
type Kiosks interface {
	// EnterKiosk uses a code up: parking.unknown_kiosk for whatever is wrong with it.
	EnterKiosk(ctx context.Context, code string) (cookie gatehouse.Secret, err error)
	KioskOf(cookie string) (gatehouse.ParkingKiosk, bool)
	// Entry reports whether a lane is an entry: a screen there gives tickets.
	Entry(gate gatehouse.GateID) bool
	// TakeTicket opens the entry: parking.not_admitted, gate.unknown, and those of a passage.
	TakeTicket(ctx context.Context, gate gatehouse.GateID, class gatehouse.VehicleClass) (code gatehouse.Secret, err error)
}

const kioskCookie = "gatehouse_kiosk"

// KioskAsks begins who asks, in Options.Try, where it is an enrolled screen: no address has a
// space in it.
const KioskAsks = "kiosk "

func (p *Pages) screenRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /pay/screen", Policy: auth.Public, Handler: func(w http.ResponseWriter, r *http.Request) { p.askCode(w, r, http.StatusOK, "screen", "") }},
		{Pattern: "POST /pay/screen", Policy: auth.Public, Handler: p.enterScreen},
		{Pattern: "POST /pay/help", Policy: auth.Public, Handler: p.help},
		{Pattern: "POST /pay/ticket", Policy: auth.Public, Handler: p.takeTicket},
		{Pattern: "POST /pay/ticket/show", Policy: auth.Public, Handler: p.showTicket},
	}
}

func (p *Pages) kioskOf(r *http.Request) (gatehouse.ParkingKiosk, bool) {
	cookie := cookieOf(r, kioskCookie)
	if p.Kiosks == nil || cookie == "" {
		return gatehouse.ParkingKiosk{}, false
	}
	return p.Kiosks.KioskOf(cookie)
}

// asker is whom a question is counted for.
func (p *Pages) asker(r *http.Request) string {
	if k, ok := p.kioskOf(r); ok {
		return KioskAsks + k.ID.String()
	}
	return auth.AddressOf(r)
}

func (p *Pages) enterScreen(w http.ResponseWriter, r *http.Request) {
	if p.Kiosks == nil {
		p.say(w, r, http.StatusNotFound, "closed.title", "closed")
		return
	}
	code, ok := p.code(w, r, "screen")
	if !ok {
		return
	}
	cookie, err := p.Kiosks.EnterKiosk(r.Context(), code)
	if gatehouse.ErrorCode(err) == "parking.unknown_kiosk" {
		p.askCode(w, r, http.StatusNotFound, "screen", "code.wrong")
		return
	}
	if err != nil {
		p.fails(w, r, err)
		return
	}
	setCookie(w, r, kioskCookie, cookie.Reveal(), 400*24*time.Hour) // as long as browsers keep any
	http.Redirect(w, r, "/pay/kiosk?lang="+p.lang(r), http.StatusSeeOther)
}

// help raises an alarm for the lane of an enrolled screen. Pressed again and again it is one.
func (p *Pages) help(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	k, ok := p.kioskOf(r)
	if !ok || p.Help == nil {
		p.say(w, r, http.StatusNotFound, "failed.title", "help.nobody")
		return
	}
	if ok, _ := p.helped.Allow(k.ID.String()); ok {
		if err := p.Help(r.Context(), k.Gate); err != nil {
			p.fails(w, r, err)
			return
		}
	}
	lang := p.lang(r)
	back := "/pay/kiosk?lang=" + lang
	p.show(w, r, http.StatusOK, "said.html", view{Kiosk: true, Again: "/pay/kiosk", Refresh: 60, Then: back, Page: said{Title: text(lang, "help.title"), Text: text(lang, "help.called"), Back: back}})
}
