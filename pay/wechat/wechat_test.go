package wechat

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/pay/wechat/wechattest"
)

type secrets map[string]string

func (s secrets) Secret(name string) (gatehouse.Secret, bool) {
	v, ok := s[name]
	return gatehouse.Secret(v), ok
}

func open(t *testing.T) (*WeChat, *wechattest.Double) {
	t.Helper()
	d := wechattest.New(t)
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return New(Options{Merchant: wechattest.Merchant, AppID: wechattest.AppID, Certificate: wechattest.Certificate, PublicKey: wechattest.PublicKey, Secrets: secrets(d.Secrets()), URL: server.URL,
		Notify: func() string { return "https://park.example/pay/wechat/webhook" }}), d
}

func fen(n int64) gatehouse.Money { return gatehouse.Money{Minor: n, Currency: "CNY"} }

// A payment, asked for and told; its refund, carried out once; and what is refused.
func TestAPayment(t *testing.T) {
	p, d := open(t)
	id := gatehouse.RandomID()
	ask := gatehouse.CheckoutRequest{ID: id, Amount: fen(450), Label: "North", Expires: time.Now().Add(time.Hour)}
	page, err := p.BeginCheckout(t.Context(), ask)
	if err != nil || !strings.HasPrefix(page.URL, "weixin://") || page.Session != id.String() {
		t.Fatal(page, err)
	}
	if again, err := p.BeginCheckout(t.Context(), ask); err != nil || again != page {
		t.Errorf("asked again: %v, %v", again, err)
	}
	if n, err := p.State(t.Context(), page.Session); err != nil || n.Event.Kind != "" || n.Over {
		t.Errorf("not paid yet: %+v, %v", n, err)
	}
	if n, err := p.State(t.Context(), gatehouse.RandomID().String()); err != nil || n.Event.Kind != "" || n.Over {
		t.Errorf("never asked: %+v, %v", n, err)
	}
	m := d.Pay(page.Session)
	told, err := p.ReadNotice(m.Get, m.Body, time.Now())
	if err != nil || told.Checkout != id || told.Event.Kind != gatehouse.BookPayment || told.Event.Amount != fen(450) || told.Answer == "" || told.ID == "" {
		t.Fatalf("%+v, %v", told, err)
	}
	asked, err := p.State(t.Context(), page.Session)
	if err != nil || asked.Event != told.Event || asked.Checkout != id {
		t.Errorf("asked %+v, told %+v, %v", asked.Event, told.Event, err)
	}
	if err := p.EndCheckout(t.Context(), page.Session); err != nil {
		t.Errorf("ending one that is paid: %v", err)
	}
	order := gatehouse.RefundOrder{ID: gatehouse.RandomID(), Payment: told.Event.Payment, Amount: fen(100), At: time.Now()}
	d.LoseAnswers = 0
	for range 2 {
		e, err := p.Refund(t.Context(), order)
		if err != nil || e.Kind != gatehouse.BookRefund || e.Amount != fen(100) || e.Payment != order.Payment || e.Object == "" || e.At.IsZero() {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if d.Refunds() != 1 {
		t.Errorf("%d refunds for one order", d.Refunds())
	}
	for event, kind := range map[string]gatehouse.BookKind{"REFUND.SUCCESS": gatehouse.BookRefund, "REFUND.ABNORMAL": gatehouse.BookRefundFailed} {
		m := d.Refunded(order.ID.String(), event)
		if n, err := p.ReadNotice(m.Get, m.Body, time.Now()); err != nil || n.Event.Kind != kind || n.Event.Amount != fen(100) {
			t.Errorf("%s: %+v, %v", event, n, err)
		}
	}
	order.Amount = fen(1000)
	if order.ID = gatehouse.RandomID(); true {
		if _, err := p.Refund(t.Context(), order); gatehouse.ErrorCode(err) != "pay.refused" {
			t.Errorf("more than was paid: %v", err)
		}
	}
	for _, m := range []gatehouse.Money{{Minor: 450, Currency: "EUR"}, {Minor: 0, Currency: "CNY"}, {Minor: -1, Currency: "CNY"}} {
		if _, err := p.BeginCheckout(t.Context(), gatehouse.CheckoutRequest{ID: gatehouse.RandomID(), Amount: m}); gatehouse.ErrorCode(err) != "pay.refused" {
			t.Errorf("%v: %v", m, err)
		}
	}
	for _, body := range d.Asked() {
		if strings.Contains(body, "receipt") {
			t.Errorf("WeChat is told %s", body)
		}
	}
	other := gatehouse.RandomID()
	if _, err := p.BeginCheckout(t.Context(), gatehouse.CheckoutRequest{ID: other, Amount: fen(1)}); err != nil {
		t.Fatal(err)
	}
	if err := p.EndCheckout(t.Context(), other.String()); err != nil {
		t.Error(err)
	}
	if n, err := p.State(t.Context(), other.String()); err != nil || !n.Over {
		t.Errorf("closed: %+v, %v", n, err)
	}
}

// Only what WeChat Pay signed, and just now, is read.
func TestMessagesThatAreRefused(t *testing.T) {
	p, d := open(t)
	id := gatehouse.RandomID()
	if _, err := p.BeginCheckout(t.Context(), gatehouse.CheckoutRequest{ID: id, Amount: fen(450)}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	m := d.Pay(id.String())
	forger := wechattest.New(t)
	changed := func(name, value string) wechattest.Message {
		h := map[string]string{name: value}
		for k, v := range m.Header {
			if k != name {
				h[k] = v
			}
		}
		return wechattest.Message{Header: h, Body: m.Body}
	}
	empty := d.Tell("TRANSACTION.SUCCESS", nil, now)
	for name, c := range map[string]struct {
		m    wechattest.Message
		now  time.Time
		code string
	}{
		"another key":           {forger.Tell("TRANSACTION.SUCCESS", map[string]string{}, now), now, "pay.forged"},
		"another key's name":    {changed("Wechatpay-Serial", "PUB_KEY_ID_0"), now, "pay.forged"},
		"unsigned":              {changed("Wechatpay-Signature", ""), now, "pay.forged"},
		"another time":          {changed("Wechatpay-Timestamp", "1"), now, "pay.forged"},
		"altered":               {wechattest.Message{Header: m.Header, Body: []byte(strings.Replace(string(m.Body), "TRANSACTION", "REFUND", 1))}, now, "pay.forged"},
		"replayed later":        {m, now.Add(6 * time.Minute), "pay.stale"},
		"of the future":         {m, now.Add(-6 * time.Minute), "pay.stale"},
		"nothing in it":         {empty, now, ""},
		"a refund of no amount": {d.Tell("REFUND.SUCCESS", map[string]string{"refund_id": "x", "transaction_id": "y"}, now), now, "pay.malformed"},
		"dollars":               {d.Tell("TRANSACTION.SUCCESS", map[string]any{"mchid": wechattest.Merchant, "out_trade_no": id.String(), "transaction_id": "y", "trade_state": "SUCCESS", "amount": map[string]any{"total": 5, "currency": "USD"}}, now), now, "pay.malformed"},
		"another merchant's":    {d.Tell("TRANSACTION.SUCCESS", map[string]any{"mchid": "1", "out_trade_no": id.String(), "transaction_id": "y", "trade_state": "SUCCESS", "amount": map[string]any{"total": 5, "currency": "CNY"}}, now), now, ""},
		"another program's":     {d.Tell("TRANSACTION.SUCCESS", map[string]any{"mchid": wechattest.Merchant, "out_trade_no": "shoes-17", "transaction_id": "y", "trade_state": "SUCCESS", "amount": map[string]any{"total": 5, "currency": "CNY"}}, now), now, ""},
	} {
		if n, err := p.ReadNotice(c.m.Get, c.m.Body, c.now); gatehouse.ErrorCode(err) != c.code || err == nil && n.Event.Kind != "" {
			t.Errorf("%s: %v (%s), want %s", name, err, n.Event.Kind, c.code)
		}
	}
	if n, err := p.ReadNotice(m.Get, m.Body, now); err != nil || n.Event.Kind != gatehouse.BookPayment {
		t.Errorf("the control: %+v, %v", n, err)
	}
	wrong := *p
	keys := d.Secrets()
	keys[SealSecret] = strings.Repeat("x", 32)
	wrong.o.Secrets = secrets(keys)
	if _, err := wrong.ReadNotice(m.Get, m.Body, now); gatehouse.ErrorCode(err) != "pay.malformed" {
		t.Errorf("with another APIv3 key: %v", err)
	}
	wrong.o.Secrets = secrets{}
	if _, err := wrong.BeginCheckout(t.Context(), gatehouse.CheckoutRequest{ID: id, Amount: fen(450)}); gatehouse.ErrorCode(err) != "pay.not_set_up" {
		t.Errorf("without keys: %v", err)
	}
	wrong.o.Secrets = secrets(forger.Secrets())
	if _, err := wrong.BeginCheckout(t.Context(), gatehouse.CheckoutRequest{ID: id, Amount: fen(450)}); gatehouse.ErrorCode(err) != "pay.not_set_up" {
		t.Errorf("with another's keys: %v", err)
	}
	keys = d.Secrets()
	keys[PublicSecret] = forger.Secrets()[PublicSecret]
	wrong.o.Secrets = secrets(keys)
	if _, err := wrong.State(t.Context(), id.String()); gatehouse.ErrorCode(err) != "pay.unavailable" {
		t.Errorf("an answer that is not WeChat Pay's: %v", err)
	}
}

// The lines of a day's bill, as WeChat Pay writes one.
func TestTheDaysBill(t *testing.T) {
	p, d := open(t)
	d.Bill = "\ufeff交易时间,公众账号ID,微信订单号,商户订单号,交易状态,货币种类,应结订单金额,微信退款单号,商户退款单号,退款金额,手续费,费率\r\n" +
		"`2026-03-02 10:11:12,`wx,`4200001,`a,`SUCCESS,`CNY,`12.50,`0,`0,`0.00,`0.07500,`0.60%\r\n" +
		"`2026-03-02 11:00:00,`wx,`4200001,`a,`REFUND,`CNY,`0.00,`50001,`b,`2.00,`-0.01200,`0.60%\r\n" +
		"总交易单数,应结订单总金额\r\n`2,`12.50\r\n"
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, clock)
	lines, err := p.Movements(t.Context(), from, from.Add(24*time.Hour))
	if err != nil || len(lines) != 2 {
		t.Fatal(lines, err)
	}
	if a := lines[0]; a.Kind != gatehouse.BookPayment || a.Payment != "4200001" || a.Object != a.Payment || a.Amount != fen(1250) || a.Fee != 7 || !a.At.Equal(time.Date(2026, 3, 2, 2, 11, 12, 0, time.UTC)) {
		t.Errorf("%+v", a)
	}
	if b := lines[1]; b.Kind != gatehouse.BookRefund || b.Payment != "4200001" || b.Object != "50001" || b.Amount != fen(-200) || b.Fee != -1 {
		t.Errorf("%+v", b)
	}
	d.Bill = strings.Replace(d.Bill, "`12.50,", "`12.x,", 1)
	if _, err := p.Movements(t.Context(), from, from.Add(24*time.Hour)); gatehouse.ErrorCode(err) != "pay.malformed" {
		t.Errorf("a bill that cannot be read: %v", err)
	}
	d.Bill = ""
	if lines, err := p.Movements(t.Context(), from, from.Add(24*time.Hour)); err != nil || len(lines) != 0 {
		t.Errorf("a day without any: %v, %v", lines, err)
	}
}

func FuzzReadNotice(f *testing.F) {
	f.Add([]byte(`{"id":"1","event_type":"TRANSACTION.SUCCESS","resource":{"algorithm":"AEAD_AES_256_GCM","nonce":"0123456789ab","ciphertext":"AAAA"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p := New(Options{Secrets: secrets{SealSecret: wechattest.SealKey}})
		if n, err := p.ReadNotice(func(string) string { return "1" }, body, time.Unix(1, 0)); err == nil {
			t.Errorf("read without a key: %+v", n)
		}
		_, _ = readBill(string(body))
	})
}
