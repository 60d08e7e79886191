package parkingpages

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse"
)

// maxForm bounds what a driver's form may hold, in bytes.
const maxForm = 4 << 10

// maxPlate bounds a plate as it is typed, in characters; the longest that there are have 11.
const maxPlate = 16

// form is the page that asks.
type form struct {
	Wrong  string // what is said above it; "" at first
	Now    string // the latest moment of an entry, as the field has it
	Oldest string
}

// oldest is how long ago an entry may be that somebody types.
const oldest = 60 * 24 * time.Hour

// typed is how browsers write a field of the type datetime-local.
const typed = "2006-01-02T15:04"

func (p *Pages) form(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	now := p.Now().In(p.Location)
	f := form{Now: now.Format(typed), Oldest: now.Add(-oldest).Format(typed)}
	if wrong != "" {
		f.Wrong = text(p.lang(r), wrong)
	}
	p.show(w, r, status, "ask.html", view{Again: "/pay", Page: f})
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) {
	if p.closed(w, r) {
		return
	}
	p.form(w, r, http.StatusOK, "")
}

// find looks for the stay that a driver's words mean, and leads to it by a random key. That
// there is none, that two could be meant, and that the time is wrong get one answer: nobody
// learns here whether somebody else's car is parked.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) {
	if p.closed(w, r) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.form(w, r, http.StatusBadRequest, "ask.incomplete")
		return
	}
	q, ok := p.parse(r.PostForm.Get("plate"), r.PostForm.Get("entered"), r.PostForm.Get("ticket"))
	if !ok {
		p.form(w, r, http.StatusBadRequest, "ask.incomplete")
		return
	}
	if !p.mayTry(w, r, "ask.often", func(status int, wrong string) { p.form(w, r, status, wrong) }) {
		return
	}
	stay, err := p.Find(r.Context(), q)
	if gatehouse.ErrorCode(err) == "parking.not_found" {
		p.form(w, r, http.StatusNotFound, "ask.none")
		return
	}
	if err != nil {
		p.fails(w, r, err)
		return
	}
	to := "/pay/stay/" + p.shown.put(stay, q.Plate) + p.query(r)
	if code := r.PostForm.Get("code"); code != "" && p.Shops != nil { // that a shop's QR code brought along
		to += "&code=" + p.use(r, stay, code)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// parse makes a question of what was typed: a ticket's code, or a plate and a time.
func (p *Pages) parse(plate, entered, ticket string) (q gatehouse.StayQuery, ok bool) {
	plate, ticket = strings.TrimSpace(plate), strings.TrimSpace(ticket)
	for _, s := range []string{plate, ticket} {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			return q, false
		}
	}
	if ticket != "" {
		return gatehouse.StayQuery{Ticket: ticket}, len(ticket) <= 64
	}
	at, err := time.ParseInLocation(typed, entered, p.Location)
	now := p.Now()
	if err != nil || plate == "" || utf8.RuneCountInString(plate) > maxPlate || at.After(now.Add(15*time.Minute)) || now.Sub(at) > oldest {
		return q, false
	}
	return gatehouse.StayQuery{Plate: plate, Entered: at}, true
}
