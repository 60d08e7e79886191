package parkingpages

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// maxNotice bounds a provider's message, in bytes; Stripe's stay far below.
const maxNotice = 256 << 10

// webhook is where a provider tells of payments. Only what it signed counts, and nothing is
// answered but a status: 2xx says that it need not tell again.
func (p *Pages) webhook(w http.ResponseWriter, r *http.Request) {
	address := auth.AddressOf(r)
	w.Header().Set("Cache-Control", "no-store")
	if ok, wait := p.told.Allow(address); !ok {
		auth.TooMany(w, r, wait, plainly)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNotice))
	if err != nil {
		p.refuse(w, r, address, "pay.too_large", http.StatusRequestEntityTooLarge)
		return
	}
	outcome, answer, err := p.Books.Notice(r.Context(), r.PathValue("provider"), r.Header.Get, body)
	switch code := gatehouse.ErrorCode(err); {
	case err == nil:
		if outcome == gatehouse.BookForeign {
			p.refusals.note(p, "pay.foreign") // another program's: there is nothing to tell again
		}
		done(w, answer)
	case code == "pay.unknown":
		p.refuse(w, r, address, code, http.StatusNotFound)
	case code == "pay.forged", code == "pay.stale", code == "pay.malformed":
		p.refuse(w, r, address, code, http.StatusBadRequest)
	case strings.HasPrefix(code, "books."):
		// It is genuine and cannot be booked: telling it again changes nothing. Reconciling
		// finds it, too.
		p.Log.Error("a provider told of something that cannot be booked; reconcile the books", "code", code, "provider", r.PathValue("provider"))
		done(w, answer)
	default:
		p.Log.Warn("a provider's message could not be taken; it will tell again", "code", code)
		http.Error(w, "later", http.StatusServiceUnavailable)
	}
}

// done says that a message need not come again, in the words that its provider wants to read.
func done(w http.ResponseWriter, answer string) {
	kind := "text/plain; charset=utf-8"
	if strings.HasPrefix(answer, "{") {
		kind = "application/json"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, answer)
}

// refuse turns a message away; an address that sends many such is slowed down.
func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, address, code string, status int) {
	p.refusals.note(p, code)
	if ok, wait := p.forged.Allow(address); !ok {
		auth.TooMany(w, r, wait, plainly)
		return
	}
	http.Error(w, code, status)
}

func plainly(w http.ResponseWriter, _ *http.Request, err error) {
	http.Error(w, gatehouse.ErrorCode(err), http.StatusTooManyRequests)
}

// refusals notes messages that were refused: the first at once, those of the minute after it
// together, so that nobody fills the log by sending.
type refusals struct {
	mu      sync.Mutex
	counts  map[string]int
	written time.Time
}

func (f *refusals) note(p *Pages, code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	f.counts[code]++
	now := p.Now()
	if !f.written.IsZero() && now.Sub(f.written) < time.Minute {
		return
	}
	for code, n := range f.counts {
		p.Log.Warn("messages about payments were refused", "code", code, "count", n)
	}
	f.counts, f.written = nil, now
}
