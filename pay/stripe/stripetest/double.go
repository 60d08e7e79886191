// Package stripetest is a Stripe of our own for tests and demos: it keeps what it was asked,
// carries out an idempotency key once, has a page to pay at, signs its events, and tells them
// when it is told to: late, twice or in another order. The shapes of requests are held
// against Stripe's own mock elsewhere; this one has the state that the mock has not.
package stripetest

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Key and Secret are what a client and a webhook of the double are set up with.
const (
	Key    = "sk_test_double"
	Secret = "whsec_double"
)

// object is one of Stripe's, as JSON has it.
type object = map[string]any

// Double is one Stripe account. It is safe for concurrent use.
type Double struct {
	Now func() time.Time
	// Webhook is where events go by themselves; "" leaves them to Events.
	Webhook string
	// LoseAnswers makes that many of the next changes happen and be answered with an error.
	LoseAnswers int
	// Fee is what the account pays for a payment, in minor units.
	Fee int64

	mu       sync.Mutex
	n        int
	run      string
	base     string
	sessions map[string]object
	intents  map[string]object
	refunds  []object
	disputes map[string]object
	balance  []object
	done     map[string]object // by idempotency key
	events   []Event
	asked    []url.Values
}

// Event is a message as it is posted.
type Event struct {
	Type      string
	Body      []byte
	Signature string
}

// New returns an empty account.
func New() *Double {
	return &Double{Now: time.Now, run: rand.Text()[:6], sessions: map[string]object{}, intents: map[string]object{}, disputes: map[string]object{}, done: map[string]object{}}
}

// ServeHTTP answers as api.stripe.com and checkout.stripe.com do.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.base = "http://" + r.Host
	d.mu.Unlock()
	path := strings.Trim(r.URL.Path, "/")
	if id, ok := strings.CutPrefix(path, "pay/"); ok {
		d.page(w, r, id)
		return
	}
	if path == "favicon.ico" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+Key {
		fail(w, http.StatusUnauthorized, "")
		return
	}
	if err := r.ParseForm(); err != nil {
		fail(w, http.StatusBadRequest, "")
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, r.Form)
	if key := r.Header.Get("Idempotency-Key"); r.Method == http.MethodPost && key != "" && d.done[key] != nil {
		write(w, d.done[key])
		return
	}
	answer, code := d.answer(r, path)
	if answer == nil {
		fail(w, http.StatusBadRequest, code)
		return
	}
	if r.Method == http.MethodPost {
		if key := r.Header.Get("Idempotency-Key"); key != "" {
			d.done[key] = answer
		}
		if d.LoseAnswers > 0 {
			d.LoseAnswers--
			fail(w, http.StatusInternalServerError, "")
			return
		}
	}
	write(w, answer)
}

func (d *Double) answer(r *http.Request, path string) (object, string) {
	id := strings.TrimPrefix(path, "v1/checkout/sessions/")
	switch {
	case r.Method == http.MethodPost && path == "v1/checkout/sessions":
		return d.begin(r.Form), ""
	case r.Method == http.MethodPost && strings.HasSuffix(id, "/expire"):
		s := d.sessions[strings.TrimSuffix(id, "/expire")]
		if s == nil || s["status"] != "open" {
			return nil, "resource_missing"
		}
		s["status"] = "expired"
		d.tell("checkout.session.expired", s)
		return s, ""
	case r.Method == http.MethodGet && id != path:
		return d.sessions[id], "resource_missing"
	case r.Method == http.MethodPost && path == "v1/refunds":
		return d.refund(r.Form)
	case r.Method == http.MethodGet && path == "v1/refunds":
		var of []object
		for _, x := range d.refunds {
			if x["payment_intent"] == r.Form.Get("payment_intent") {
				of = append(of, x)
			}
		}
		return list(of), ""
	case r.Method == http.MethodGet && path == "v1/balance_transactions":
		from, _ := strconv.ParseInt(r.Form.Get("created[gte]"), 10, 64)
		until, _ := strconv.ParseInt(r.Form.Get("created[lt]"), 10, 64)
		var of []object
		for _, x := range d.balance {
			if at := x["created"].(int64); at >= from && at < until {
				of = append(of, x)
			}
		}
		return list(of), ""
	}
	return nil, "unknown_route"
}

func list(all []object) object {
	if all == nil {
		all = []object{}
	}
	return object{"object": "list", "data": all, "has_more": false, "url": "/v1/list"}
}

func (d *Double) id(kind string) string {
	d.n++
	return fmt.Sprintf("%s_%s%d", kind, d.run, d.n)
}

func (d *Double) begin(f url.Values) object {
	id := d.id("cs")
	amount, _ := strconv.ParseInt(f.Get("line_items[0][price_data][unit_amount]"), 10, 64)
	expires, _ := strconv.ParseInt(f.Get("expires_at"), 10, 64)
	s := object{"id": id, "object": "checkout.session", "status": "open", "payment_status": "unpaid", "amount_total": amount, "currency": f.Get("line_items[0][price_data][currency]"),
		"client_reference_id": f.Get("client_reference_id"), "url": d.base + "/pay/" + id, "success_url": f.Get("success_url"), "cancel_url": f.Get("cancel_url"),
		"expires_at": expires, "metadata": object{"checkout": f.Get("metadata[checkout]")}, "label": f.Get("line_items[0][price_data][product_data][name]")}
	d.sessions[id] = s
	return s
}

// Pay pays an open session, as its driver does on the page. false: it is not open.
func (d *Double) Pay(session string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sessions[session]
	if s == nil || s["status"] != "open" {
		return false
	}
	pi := d.id("pi")
	s["status"], s["payment_status"], s["payment_intent"] = "complete", "paid", pi
	d.intents[pi] = object{"id": pi, "object": "payment_intent", "amount": s["amount_total"], "currency": s["currency"], "refunded": int64(0)}
	d.move("charge", s["amount_total"].(int64), d.Fee, s["currency"].(string), object{"id": d.id("ch"), "object": "charge", "payment_intent": pi})
	d.tell("checkout.session.completed", s)
	return true
}

func (d *Double) move(kind string, amount, fee int64, currency string, source object) {
	d.balance = append(d.balance, object{"id": d.id("txn"), "object": "balance_transaction", "type": kind, "amount": amount, "fee": fee, "net": amount - fee, "currency": currency, "created": d.Now().Unix(), "source": source})
}

func (d *Double) refund(f url.Values) (object, string) {
	pi := d.intents[f.Get("payment_intent")]
	amount, _ := strconv.ParseInt(f.Get("amount"), 10, 64)
	if pi == nil {
		return nil, "resource_missing"
	}
	if amount <= 0 || pi["refunded"].(int64)+amount > pi["amount"].(int64) {
		return nil, "charge_already_refunded"
	}
	pi["refunded"] = pi["refunded"].(int64) + amount
	r := object{"id": d.id("re"), "object": "refund", "amount": amount, "currency": pi["currency"], "payment_intent": pi["id"], "status": "succeeded", "created": d.Now().Unix(), "metadata": object{"order": f.Get("metadata[order]")}}
	d.refunds = append(d.refunds, r)
	d.move("refund", -amount, 0, pi["currency"].(string), r)
	d.tell("refund.created", r)
	return r, ""
}

// FailRefund lets a refund come back from the bank.
func (d *Double) FailRefund(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.refunds {
		if r["id"] == id {
			r["status"] = "failed"
			pi := d.intents[r["payment_intent"].(string)]
			pi["refunded"] = pi["refunded"].(int64) - r["amount"].(int64)
			d.move("refund_failure", r["amount"].(int64), 0, r["currency"].(string), r)
			d.tell("refund.failed", r)
		}
	}
}

// Dispute begins a dispute of a whole payment, and gives its id.
func (d *Double) Dispute(payment string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	pi := d.intents[payment]
	x := object{"id": d.id("dp"), "object": "dispute", "amount": pi["amount"], "currency": pi["currency"], "payment_intent": payment, "status": "needs_response", "created": d.Now().Unix()}
	d.disputes[x["id"].(string)] = x
	d.move("adjustment", -pi["amount"].(int64), 1500, pi["currency"].(string), x)
	d.tell("charge.dispute.funds_withdrawn", x)
	return x["id"].(string)
}

// EndDispute ends one.
func (d *Double) EndDispute(id string, won bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	x := d.disputes[id]
	if x["status"] = "lost"; won {
		x["status"] = "won"
		d.move("adjustment", x["amount"].(int64), 0, x["currency"].(string), x)
		d.tell("charge.dispute.funds_reinstated", x)
	}
	d.tell("charge.dispute.closed", x)
}

// Payout pays out an amount.
func (d *Double) Payout(amount int64, currency string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.move("payout", -amount, 0, currency, object{"id": d.id("po"), "object": "payout"})
}

// Other is a session of another program that shares the account, paid.
func (d *Double) Other() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tell("checkout.session.completed", object{"id": d.id("cs"), "object": "checkout.session", "status": "complete", "payment_status": "paid", "amount_total": int64(700), "currency": "eur",
		"client_reference_id": "order-7", "payment_intent": d.id("pi")})
}

// tell makes an event of an object as it is now.
func (d *Double) tell(kind string, o object) {
	body, err := json.Marshal(object{"id": d.id("evt"), "object": "event", "type": kind, "created": d.Now().Unix(), "api_version": "2026-03-25.dahlia", "data": object{"object": o}})
	if err != nil {
		panic(err)
	}
	e := Event{Type: kind, Body: body, Signature: Sign(body, Secret, d.Now())}
	d.events = append(d.events, e)
	if d.Webhook != "" {
		go func() { _, _ = e.Post(d.Webhook) }()
	}
}

// Sign signs a message as Stripe does: v1 is the HMAC-SHA256 of time and body.
func Sign(body []byte, secret string, at time.Time) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

// Post sends the event to a webhook and gives the status.
func (e Event) Post(webhook string) (int, error) {
	r, err := http.NewRequest(http.MethodPost, webhook, bytes.NewReader(e.Body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Stripe-Signature", e.Signature)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, nil
}

// Events gives what was told so far.
func (d *Double) Events() []Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Event(nil), d.events...)
}

// Asked gives the forms of all requests so far: what a Stripe learned.
func (d *Double) Asked() []url.Values {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]url.Values(nil), d.asked...)
}

// Holds is what the account holds, and how many payments and refunds it carried out.
func (d *Double) Holds() (net int64, payments, refunds int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range d.balance {
		net += b["net"].(int64)
	}
	return net, len(d.intents), len(d.refunds)
}

// page is where a driver pays.
func (d *Double) page(w http.ResponseWriter, r *http.Request, id string) {
	d.mu.Lock()
	s := d.sessions[id]
	d.mu.Unlock()
	if s == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method == http.MethodPost {
		if d.Pay(id) {
			http.Redirect(w, r, s["success_url"].(string), http.StatusSeeOther)
			return
		}
		http.Redirect(w, r, s["cancel_url"].(string), http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Checkout (a double, for tests)</title><body><main><h1>%s</h1><p>%d %s</p><form method="post"><button id="pay">Pay</button></form></main></body></html>`,
		html.EscapeString(fmt.Sprint(s["label"])), s["amount_total"], html.EscapeString(strings.ToUpper(fmt.Sprint(s["currency"]))))
}

func write(w http.ResponseWriter, o object) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(o)
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	// A key that is no key is not tried again by clients.
	w.Header().Set("Stripe-Should-Retry", "false")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object{"error": object{"type": "invalid_request_error", "code": code, "message": "refused"}})
}
