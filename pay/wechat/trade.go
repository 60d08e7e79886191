package wechat

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"gatehouse"
)

// money is an amount in fen, with the names of an order and of a refund.
type money struct {
	Total    int64              `json:"total"`
	Refund   int64              `json:"refund,omitempty"`
	Currency gatehouse.Currency `json:"currency"`
}

func (m money) of(n int64) (gatehouse.Money, error) {
	if n <= 0 || n > gatehouse.MaxMinor || m.Currency != Currency && m.Currency != "" {
		return gatehouse.Money{}, malformed()
	}
	return gatehouse.Money{Minor: n, Currency: Currency}, nil
}

// BeginCheckout implements gatehouse.PaymentProvider: the order number is the checkout's ID, so
// that asking again gives a code of the same order. Its URL is no page, but what a code holds
// (weixin://…).
func (p *WeChat) BeginCheckout(ctx context.Context, c gatehouse.CheckoutRequest) (gatehouse.CheckoutPage, error) {
	if err := takes(c.Amount); err != nil {
		return gatehouse.CheckoutPage{}, err
	}
	ask := map[string]any{"appid": p.o.AppID, "mchid": p.o.Merchant, "description": c.Label, "out_trade_no": c.ID.String(), "notify_url": p.o.Notify(),
		"amount": money{Total: c.Amount.Minor, Currency: Currency}}
	if !c.Expires.IsZero() {
		ask["time_expire"] = c.Expires.Format(time.RFC3339)
	}
	var got struct {
		Code string `json:"code_url"`
	}
	if err := p.call(ctx, "POST", "/v3/pay/transactions/native", ask, &got); err != nil {
		return gatehouse.CheckoutPage{}, err
	}
	if u, err := url.Parse(got.Code); err != nil || u.Scheme != "weixin" {
		return gatehouse.CheckoutPage{}, away()
	}
	return gatehouse.CheckoutPage{Session: c.ID.String(), URL: got.Code}, nil
}

// EndCheckout implements gatehouse.PaymentProvider.
func (p *WeChat) EndCheckout(ctx context.Context, session string) error {
	return p.call(ctx, "POST", "/v3/pay/transactions/out-trade-no/"+url.PathEscape(session)+"/close", map[string]string{"mchid": p.o.Merchant}, nil, "ORDERPAID", "ORDER_PAID", "ORDER_CLOSED", "ORDERCLOSED", "ORDER_NOT_EXIST")
}

// transaction is a payment as WeChat Pay tells of it, asked or not.
type transaction struct {
	Merchant string `json:"mchid"`
	Order    string `json:"out_trade_no"`
	ID       string `json:"transaction_id"`
	State    string `json:"trade_state"`
	At       string `json:"success_time"`
	Amount   money  `json:"amount"`
}

// notice says what a transaction means. One that was refunded had been paid.
func (t transaction) notice() (n gatehouse.PaymentNotice, err error) {
	if n.Checkout, err = gatehouse.ParseID(t.Order); err != nil {
		return gatehouse.PaymentNotice{}, nil // of another program with the same account
	}
	switch t.State {
	case "SUCCESS", "REFUND":
	case "CLOSED", "REVOKED", "PAYERROR":
		n.Over = true
		return n, nil
	default:
		return n, nil
	}
	if t.ID == "" {
		return gatehouse.PaymentNotice{}, malformed()
	}
	n.Event = gatehouse.BookEvent{Kind: gatehouse.BookPayment, At: moment(t.At), Payment: t.ID, Object: t.ID}
	n.Event.Amount, err = t.Amount.of(t.Amount.Total)
	return n, err
}

// moment reads a time; zero where there is none.
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// State implements gatehouse.PaymentProvider.
func (p *WeChat) State(ctx context.Context, session string) (gatehouse.PaymentNotice, error) {
	var got transaction
	err := p.call(ctx, "GET", "/v3/pay/transactions/out-trade-no/"+url.PathEscape(session)+"?mchid="+url.QueryEscape(p.o.Merchant), nil, &got, "ORDER_NOT_EXIST", "ORDERNOTEXIST")
	if err != nil || got.Order == "" {
		return gatehouse.PaymentNotice{}, err
	}
	return got.notice()
}

// refund is one as WeChat Pay tells of it.
type refund struct {
	ID          string `json:"refund_id"`
	Transaction string `json:"transaction_id"`
	Status      string `json:"status"`        // in an answer
	Told        string `json:"refund_status"` // in a message
	At          string `json:"success_time"`
	Amount      money  `json:"amount"`
}

func (r refund) event() (e gatehouse.BookEvent, err error) {
	e = gatehouse.BookEvent{Kind: gatehouse.BookRefund, At: moment(r.At), Payment: r.Transaction, Object: r.ID}
	// One that is under way has left the account already.
	if s := r.Status + r.Told; s == "ABNORMAL" || s == "CLOSED" {
		e.Kind, e.At = gatehouse.BookRefundFailed, time.Time{}
	}
	if r.ID == "" || r.Transaction == "" {
		return gatehouse.BookEvent{}, malformed()
	}
	e.Amount, err = r.Amount.of(r.Amount.Refund)
	return e, err
}

// Refund implements gatehouse.PaymentProvider: out_refund_no is the order's ID, which WeChat Pay
// carries out once. It wants to hear what was paid in all, which is asked for first.
func (p *WeChat) Refund(ctx context.Context, o gatehouse.RefundOrder) (gatehouse.BookEvent, error) {
	if err := takes(o.Amount); err != nil {
		return gatehouse.BookEvent{}, err
	}
	var paid transaction
	if err := p.call(ctx, "GET", "/v3/pay/transactions/id/"+url.PathEscape(o.Payment)+"?mchid="+url.QueryEscape(p.o.Merchant), nil, &paid); err != nil {
		return gatehouse.BookEvent{}, err
	}
	var got refund
	ask := map[string]any{"transaction_id": o.Payment, "out_refund_no": o.ID.String(), "notify_url": p.o.Notify(), "amount": money{Total: paid.Amount.Total, Refund: o.Amount.Minor, Currency: Currency}}
	if err := p.call(ctx, "POST", "/v3/refund/domestic/refunds", ask, &got); err != nil {
		return gatehouse.BookEvent{}, err
	}
	e, err := got.event()
	if e.At.IsZero() {
		e.At = p.o.Now().UTC()
	}
	if err == nil && e.Kind == gatehouse.BookRefundFailed {
		err = gatehouse.Errorf("pay.refused", "look at the payment in WeChat Pay's console", "WeChat Pay could not refund it")
	}
	return e, err
}

// tolerance is how far the time of a signature may lie from ours, either way: WeChat Pay's own
// figure. A message that it repeats is signed anew.
const tolerance = 5 * time.Minute

// ReadNotice implements gatehouse.PaymentProvider.
func (p *WeChat) ReadNotice(header func(string) string, body []byte, now time.Time) (n gatehouse.PaymentNotice, err error) {
	if err := p.verify(header, body); err != nil {
		return n, err
	}
	seconds, err := strconv.ParseInt(header("Wechatpay-Timestamp"), 10, 64)
	if err != nil {
		return n, malformed()
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return n, gatehouse.Errorf("pay.stale", "look at the clocks", "the message was signed too long ago, or in the future")
	}
	var m struct {
		ID       string `json:"id"`
		Type     string `json:"event_type"`
		Resource sealed `json:"resource"`
	}
	if json.Unmarshal(body, &m) != nil || m.ID == "" {
		return n, malformed()
	}
	switch m.Type {
	case "TRANSACTION.SUCCESS":
		var t transaction
		if err := p.open(m.Resource, &t); err != nil {
			return n, err
		}
		if t.Merchant == p.o.Merchant {
			n, err = t.notice()
		}
	case "REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED":
		var r refund
		if err := p.open(m.Resource, &r); err != nil {
			return n, err
		}
		n.Event, err = r.event()
	}
	n.ID, n.Answer = m.ID, `{"code":"SUCCESS"}`
	return n, err
}

// sealed is the part of a message that says what happened.
type sealed struct {
	Algorithm string `json:"algorithm"`
	Text      []byte `json:"ciphertext"` // base64
	Nonce     string `json:"nonce"`
	With      string `json:"associated_data"`
}

func (p *WeChat) open(s sealed, out any) error {
	text, err := p.secret(SealSecret)
	if err != nil {
		return err
	}
	block, err := aes.NewCipher([]byte(text.Reveal()))
	if err != nil || len(text.Reveal()) != 32 {
		return gatehouse.Errorf("pay.not_set_up", "set it with `gatehouse secret set "+SealSecret+"`", "the APIv3 key has 32 characters")
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return err
	}
	if s.Algorithm != "AEAD_AES_256_GCM" || len(s.Nonce) != gcm.NonceSize() {
		return malformed()
	}
	plain, err := gcm.Open(nil, []byte(s.Nonce), s.Text, []byte(s.With))
	if err != nil {
		return gatehouse.Errorf("pay.malformed", "compare the APIv3 key with the one in WeChat Pay's console", "a message does not open")
	}
	if json.Unmarshal(plain, out) != nil {
		return malformed()
	}
	return nil
}
