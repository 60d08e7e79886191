package alipay

import (
	"context"
	"crypto/rsa"
	"net/url"
	"time"

	"gatehouse"
	"gatehouse/internal/rsasign"
)

func (a *Alipay) private() (*rsa.PrivateKey, error) {
	text, ok := a.o.Secrets.Secret(KeySecret)
	if !ok {
		return nil, gatehouse.Errorf("pay.not_set_up", "set it with `gatehouse secret set "+KeySecret+"`", "the key for Alipay is not set")
	}
	return rsasign.PrivateKey(text)
}

func (a *Alipay) public() (*rsa.PublicKey, error) {
	text, ok := a.o.Secrets.Secret(PublicSecret)
	if !ok {
		return nil, gatehouse.Errorf("pay.not_set_up", "set it with `gatehouse secret set "+PublicSecret+"`", "Alipay's public key is not set")
	}
	return rsasign.PublicKey(text)
}

// BeginCheckout implements gatehouse.PaymentProvider: the order number is the checkout's ID, so
// that asking again gives a code of the same order.
func (a *Alipay) BeginCheckout(ctx context.Context, c gatehouse.CheckoutRequest) (gatehouse.CheckoutPage, error) {
	if err := takes(c.Amount); err != nil {
		return gatehouse.CheckoutPage{}, err
	}
	ask := map[string]string{"out_trade_no": c.ID.String(), "total_amount": c.Amount.Decimal(), "subject": c.Label}
	if !c.Expires.IsZero() {
		ask["time_expire"] = c.Expires.In(clock).Format(stamp)
	}
	var got struct {
		Code string `json:"qr_code"`
	}
	if err := a.call(ctx, "alipay.trade.precreate", ask, &got); err != nil {
		return gatehouse.CheckoutPage{}, err
	}
	if u, err := url.Parse(got.Code); err != nil || u.Scheme != "https" {
		return gatehouse.CheckoutPage{}, away()
	}
	return gatehouse.CheckoutPage{Session: c.ID.String(), URL: got.Code}, nil
}

// EndCheckout implements gatehouse.PaymentProvider. A code that nobody has scanned is no trade
// yet, and cannot be closed: it ends by itself. Alipay's cancel would give a payment back that
// the books may know of, so it is not asked for.
func (a *Alipay) EndCheckout(ctx context.Context, session string) error {
	var got struct{}
	return a.call(ctx, "alipay.trade.close", map[string]string{"out_trade_no": session}, &got, "ACQ.TRADE_NOT_EXIST", "ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID")
}

// trade is a payment as Alipay tells of it, asked or not.
type trade struct {
	Order  string `json:"out_trade_no"`
	Trade  string `json:"trade_no"`
	Status string `json:"trade_status"`
	Amount string `json:"total_amount"`
	Paid   string `json:"send_pay_date"`
}

// State implements gatehouse.PaymentProvider.
func (a *Alipay) State(ctx context.Context, session string) (gatehouse.PaymentNotice, error) {
	var got trade
	if err := a.call(ctx, "alipay.trade.query", map[string]string{"out_trade_no": session}, &got, "ACQ.TRADE_NOT_EXIST"); err != nil || got.Trade == "" {
		return gatehouse.PaymentNotice{}, err
	}
	return got.notice()
}

// notice says what a trade means. One that is closed was given back, where it was ever paid.
func (t trade) notice() (n gatehouse.PaymentNotice, err error) {
	if n.Checkout, err = gatehouse.ParseID(t.Order); err != nil {
		return gatehouse.PaymentNotice{}, nil // of another program with the same account
	}
	at := parseStamp(t.Paid)
	switch {
	case t.Status == "TRADE_SUCCESS", t.Status == "TRADE_FINISHED", t.Status == "TRADE_CLOSED" && !at.IsZero():
	case t.Status == "TRADE_CLOSED":
		n.Over = true
		return n, nil
	default:
		return n, nil
	}
	if t.Trade == "" {
		return gatehouse.PaymentNotice{}, malformed()
	}
	n.Event = gatehouse.BookEvent{Kind: gatehouse.BookPayment, At: at, Payment: t.Trade, Object: t.Trade}
	n.Event.Amount, err = amount(t.Amount)
	return n, err
}

// tolerance is how old a message may be: Alipay repeats one for 25 hours, with the time at which
// it was made first. The books take each once, however often it comes.
const tolerance = 26 * time.Hour

// ReadNotice implements gatehouse.PaymentProvider. What is said of refunds is left to their
// answers and to the reconciliation: a message names only the sum of them.
func (a *Alipay) ReadNotice(_ func(string) string, body []byte, now time.Time) (gatehouse.PaymentNotice, error) {
	key, err := a.public()
	if err != nil {
		return gatehouse.PaymentNotice{}, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("sign") == "" || form.Get("sign_type") != "RSA2" || !rsasign.Verify(key, signed(form, "sign", "sign_type"), form.Get("sign")) {
		return gatehouse.PaymentNotice{}, gatehouse.Errorf("pay.forged", "compare Alipay's public key with the one in its console", "the message is not signed by Alipay")
	}
	for _, values := range form {
		if len(values) != 1 { // what is signed is the first
			return gatehouse.PaymentNotice{}, malformed()
		}
	}
	at := parseStamp(form.Get("notify_time"))
	if age := now.Sub(at); age > tolerance || age < -5*time.Minute {
		return gatehouse.PaymentNotice{}, gatehouse.Errorf("pay.stale", "look at the clocks", "the message was signed too long ago, or in the future")
	}
	if form.Get("app_id") != a.o.AppID {
		return gatehouse.PaymentNotice{ID: form.Get("notify_id"), Answer: "success"}, nil // another application's
	}
	n, err := trade{form.Get("out_trade_no"), form.Get("trade_no"), form.Get("trade_status"), form.Get("total_amount"), form.Get("gmt_payment")}.notice()
	n.ID, n.Answer = form.Get("notify_id"), "success"
	return n, err
}

// Refund implements gatehouse.PaymentProvider: out_request_no is the order's ID, which Alipay
// carries out once.
func (a *Alipay) Refund(ctx context.Context, o gatehouse.RefundOrder) (gatehouse.BookEvent, error) {
	if err := takes(o.Amount); err != nil {
		return gatehouse.BookEvent{}, err
	}
	var got struct {
		Trade string `json:"trade_no"`
	}
	if err := a.call(ctx, "alipay.trade.refund", map[string]string{"trade_no": o.Payment, "refund_amount": o.Amount.Decimal(), "out_request_no": o.ID.String()}, &got); err != nil {
		return gatehouse.BookEvent{}, err
	}
	return gatehouse.BookEvent{Kind: gatehouse.BookRefund, At: a.o.Now().UTC(), Payment: o.Payment, Object: o.ID.String(), Amount: o.Amount}, nil
}
