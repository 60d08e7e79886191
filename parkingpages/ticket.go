package parkingpages

import (
	"html/template"
	"net/http"

	"gatehouse"
)

// ticketView is a ticket as the screen at an entry shows it, for a moment.
type ticketView struct {
	Code string
	QR   template.HTML // our own drawing
	Back string
}

// ticketShown is for how many seconds a ticket stands on the screen.
const ticketShown = 45

// takeTicket gives whoever touches the screen at an entry a ticket, and opens.
func (p *Pages) takeTicket(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	k, ok := p.kioskOf(r)
	if !ok || !p.Kiosks.Entry(k.Gate) {
		p.say(w, r, http.StatusNotFound, "failed.title", "ticket.nowhere")
		return
	}
	if ok, _ := p.tickets.Allow(k.ID.String()); !ok {
		p.kioskPage(w, r, http.StatusTooManyRequests, "ticket.often")
		return
	}
	code, err := p.Kiosks.TakeTicket(r.Context(), k.Gate, gatehouse.VehicleClass(r.PostFormValue("class")))
	switch gatehouse.ErrorCode(err) {
	case "":
	case "parking.not_admitted", "parking.class":
		p.kioskPage(w, r, http.StatusConflict, "ticket.none")
		return
	default:
		p.fails(w, r, err)
		return
	}
	svg, err := qrSVG(p.BaseURL + "/pay#t=" + gatehouse.TicketCode(code.Reveal()))
	if err != nil {
		p.fails(w, r, err)
		return
	}
	back := "/pay/kiosk?lang=" + p.lang(r)
	p.show(w, r, http.StatusOK, "ticket.html", view{Kiosk: true, Again: "/pay/kiosk", Refresh: ticketShown, Then: back,
		Page: ticketView{Code: code.Reveal(), QR: template.HTML(svg), Back: back}}) //nolint:gosec // drawn by qrSVG
}

// showTicket takes a ticket's code that somebody types at the screen of an exit.
func (p *Pages) showTicket(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	k, ok := p.kioskOf(r)
	if !ok || p.ShowTicket == nil || p.Kiosks.Entry(k.Gate) {
		p.say(w, r, http.StatusNotFound, "failed.title", "ticket.nowhere")
		return
	}
	code := gatehouse.TicketCode(r.PostFormValue("ticket"))
	if !p.mayTry(w, r, "code.often", func(status int, _ string) { p.kioskPage(w, r, status, "ask.busy") }) {
		return
	}
	d, err := p.ShowTicket(r.Context(), k, gatehouse.Secret(code))
	lang := p.lang(r)
	back := "/pay/kiosk?lang=" + lang
	switch {
	case err != nil:
		p.fails(w, r, err)
	case d.Grant:
		p.show(w, r, http.StatusOK, "said.html", view{Kiosk: true, Again: "/pay/kiosk", Refresh: 20, Then: back, Page: said{Title: text(lang, "ticket.go.title"), Text: text(lang, "ticket.go"), Back: back}})
	case d.Reason == gatehouse.PaymentOwed:
		stay, err := p.Find(r.Context(), gatehouse.StayQuery{Ticket: code})
		if err != nil {
			p.fails(w, r, err)
			return
		}
		http.Redirect(w, r, "/pay/stay/"+p.shown.put(stay, "")+"?lang="+lang+"&kiosk=1", http.StatusSeeOther)
	default:
		p.kioskPage(w, r, http.StatusNotFound, "ticket.unknown")
	}
}
