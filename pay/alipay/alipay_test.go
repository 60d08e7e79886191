package alipay

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"gatehouse"
	"gatehouse/internal/rsasign"
)

type secrets map[string]string

func (s secrets) Secret(name string) (gatehouse.Secret, bool) {
	v, ok := s[name]
	return gatehouse.Secret(v), ok
}

// double is an Alipay of our own: it checks what is signed to it, keeps trades and refunds, and
// signs what it answers and tells.
type double struct {
	app, own *rsa.PrivateKey
	mu       sync.Mutex
	trades   map[string]*trade // by order
	refunds  map[string]string // by request
	bill     []byte
	address  string
	unsigned bool
}

func open(t *testing.T) (*Alipay, *double) {
	t.Helper()
	d := &double{trades: map[string]*trade{}, refunds: map[string]string{}}
	var err error
	if d.app, err = rsa.GenerateKey(rand.Reader, 2048); err == nil {
		d.own, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	d.address = server.URL
	return New(Options{AppID: "2021000000000000", Secrets: d.secrets(), URL: server.URL, Notify: func() string { return "https://park.example/pay/alipay/webhook" }}), d
}

// secrets are what the site keeps: keys as Alipay's tool writes them, base64 alone.
func (d *double) secrets() secrets {
	public, _ := x509.MarshalPKIXPublicKey(&d.own.PublicKey)
	return secrets{KeySecret: base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(d.app)), PublicSecret: base64.StdEncoding.EncodeToString(public)}
}

func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_, _ = w.Write(d.bill)
		return
	}
	_ = r.ParseForm()
	part := strings.ReplaceAll(r.PostForm.Get("method"), ".", "_") + "_response"
	out := any(map[string]string{"code": "40002", "sub_code": "isv.invalid-signature"})
	if rsasign.Verify(&d.app.PublicKey, signed(r.PostForm, "sign"), r.PostForm.Get("sign")) {
		out = d.do(r.PostForm)
	}
	body, _ := json.Marshal(out)
	sign, _ := rsasign.Sign(d.own, string(body))
	if d.unsigned {
		sign = ""
	}
	text, _ := json.Marshal(sign)
	_, _ = w.Write([]byte(`{"` + part + `":` + string(body) + `,"sign":` + string(text) + `}`))
}

func (d *double) do(form url.Values) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	var q map[string]string
	_ = json.Unmarshal([]byte(form.Get("biz_content")), &q)
	failed := func(code string) any { return map[string]string{"code": "40004", "sub_code": code} }
	o := d.trades[q["out_trade_no"]]
	switch form.Get("method") {
	case "alipay.trade.precreate":
		if form.Get("notify_url") == "" || q["subject"] == "" || q["time_expire"] == "" {
			return failed("ACQ.INVALID_PARAMETER")
		}
		if o == nil {
			d.trades[q["out_trade_no"]] = &trade{Order: q["out_trade_no"], Amount: q["total_amount"]} // nobody has scanned it
		}
		return map[string]string{"code": "10000", "qr_code": "https://qr.alipay.com/bax" + q["out_trade_no"][:8]}
	case "alipay.trade.query":
		if o == nil || o.Trade == "" {
			return failed("ACQ.TRADE_NOT_EXIST")
		}
		return map[string]string{"code": "10000", "out_trade_no": o.Order, "trade_no": o.Trade, "trade_status": o.Status, "total_amount": o.Amount, "send_pay_date": o.Paid}
	case "alipay.trade.close":
		switch {
		case o == nil || o.Trade == "":
			return failed("ACQ.TRADE_NOT_EXIST")
		case o.Status == "TRADE_SUCCESS":
			return failed("ACQ.TRADE_STATUS_ERROR")
		}
		o.Status = "TRADE_CLOSED"
		return map[string]string{"code": "10000"}
	case "alipay.trade.refund":
		for _, x := range d.trades {
			if x.Trade == q["trade_no"] && x.Trade != "" && q["out_request_no"] != "" && len(q["refund_amount"]) <= len(x.Amount) {
				d.refunds[q["out_request_no"]] = q["refund_amount"]
				return map[string]string{"code": "10000", "trade_no": x.Trade}
			}
		}
		return failed("ACQ.TRADE_NOT_EXIST")
	case "alipay.data.dataservice.bill.downloadurl.query":
		if d.bill == nil {
			return failed("isp.bill_not_exist")
		}
		return map[string]string{"code": "10000", "bill_download_url": d.address + "/bill"}
	}
	return failed("isv.invalid-method")
}

// tell signs a message to the webhook.
func (d *double) tell(values map[string]string) []byte {
	form := url.Values{}
	for k, v := range values {
		form.Set(k, v)
	}
	sign, _ := rsasign.Sign(d.own, signed(form, "sign", "sign_type"))
	form.Set("sign", sign)
	form.Set("sign_type", "RSA2")
	return []byte(form.Encode())
}

// pay lets the driver pay an order, and gives what the message about it says.
func (d *double) pay(order string) map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	o, now := d.trades[order], time.Now().In(clock).Format(stamp)
	o.Trade, o.Status, o.Paid = "20260302"+order[:12], "TRADE_SUCCESS", now
	return map[string]string{"notify_id": "n-" + order[:6], "notify_time": now, "app_id": "2021000000000000", "out_trade_no": order, "trade_no": o.Trade, "trade_status": o.Status, "total_amount": o.Amount, "gmt_payment": now, "subject": "停车 North", "empty": ""}
}

func none(string) string { return "" }

func fen(n int64) gatehouse.Money { return gatehouse.Money{Minor: n, Currency: "CNY"} }

func begin(t *testing.T, a *Alipay) gatehouse.CheckoutPage {
	t.Helper()
	page, err := a.BeginCheckout(t.Context(), gatehouse.CheckoutRequest{ID: gatehouse.RandomID(), Amount: fen(450), Label: "停车 North", Expires: time.Now().Add(time.Hour)})
	if err != nil || !strings.HasPrefix(page.URL, "https://qr.alipay.com/") {
		t.Fatal(page, err)
	}
	return page
}

// A payment, asked for and told; its refund, carried out once; and what is refused.
func TestAPayment(t *testing.T) {
	a, d := open(t)
	page := begin(t, a)
	if n, err := a.State(t.Context(), page.Session); err != nil || n.Event.Kind != "" || n.Over {
		t.Errorf("nobody has scanned it: %+v, %v", n, err)
	}
	if err := a.EndCheckout(t.Context(), page.Session); err != nil {
		t.Errorf("ending one that nobody has scanned: %v", err)
	}
	told, err := a.ReadNotice(none, d.tell(d.pay(page.Session)), time.Now())
	if err != nil || told.Checkout.String() != page.Session || told.Event.Kind != gatehouse.BookPayment || told.Event.Amount != fen(450) || told.Answer != "success" || told.ID == "" {
		t.Fatalf("%+v, %v", told, err)
	}
	if asked, err := a.State(t.Context(), page.Session); err != nil || asked.Event != told.Event {
		t.Errorf("asked %+v, told %+v, %v", asked.Event, told.Event, err)
	}
	if err := a.EndCheckout(t.Context(), page.Session); err != nil {
		t.Errorf("ending one that is paid: %v", err)
	}
	order := gatehouse.RefundOrder{ID: gatehouse.RandomID(), Payment: told.Event.Payment, Amount: fen(100)}
	for range 2 {
		e, err := a.Refund(t.Context(), order)
		if err != nil || e.Kind != gatehouse.BookRefund || e.Amount != fen(100) || e.Object != order.ID.String() {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if len(d.refunds) != 1 {
		t.Errorf("%d refunds for one order", len(d.refunds))
	}
	order.Payment = "none"
	if _, err := a.Refund(t.Context(), order); gatehouse.ErrorCode(err) != "pay.refused" {
		t.Errorf("of nothing: %v", err)
	}
	for _, m := range []gatehouse.Money{{Minor: 450, Currency: "EUR"}, {Minor: 0, Currency: "CNY"}} {
		if _, err := a.BeginCheckout(t.Context(), gatehouse.CheckoutRequest{ID: gatehouse.RandomID(), Amount: m}); gatehouse.ErrorCode(err) != "pay.refused" {
			t.Errorf("%v: %v", m, err)
		}
	}
	closed := begin(t, a)
	d.trades[closed.Session].Trade, d.trades[closed.Session].Status = "2026", "WAIT_BUYER_PAY"
	if err := a.EndCheckout(t.Context(), closed.Session); err != nil {
		t.Error(err)
	}
	if n, err := a.State(t.Context(), closed.Session); err != nil || !n.Over {
		t.Errorf("closed: %+v, %v", n, err)
	}
}

// Only what Alipay signed, and not long ago, is read.
func TestMessagesThatAreRefused(t *testing.T) {
	a, d := open(t)
	page := begin(t, a)
	good := d.pay(page.Session)
	now := time.Now()
	with := func(name, value string) []byte {
		m := map[string]string{}
		for k, v := range good {
			m[k] = v
		}
		m[name] = value
		return d.tell(m)
	}
	signedMessage := string(d.tell(good))
	_, forger := open(t)
	for name, c := range map[string]struct {
		body string
		now  time.Time
		code string
	}{
		"another key":           {string(forger.tell(good)), now, "pay.forged"},
		"unsigned":              {"trade_status=TRADE_SUCCESS&sign_type=RSA2", now, "pay.forged"},
		"altered":               {strings.Replace(signedMessage, "total_amount=4.50", "total_amount=0.01", 1), now, "pay.forged"},
		"more than was signed":  {signedMessage + "&buyer=x", now, "pay.forged"},
		"another kind of sign":  {strings.Replace(signedMessage, "RSA2", "RSA", 1), now, "pay.forged"},
		"no form":               {"%zz", now, "pay.forged"},
		"replayed days later":   {signedMessage, now.Add(27 * time.Hour), "pay.stale"},
		"of the future":         {signedMessage, now.Add(-time.Hour), "pay.stale"},
		"no time":               {string(with("notify_time", "")), now, "pay.stale"},
		"twice the same name":   {signedMessage + "&total_amount=9.99", now, "pay.malformed"},
		"no amount":             {string(with("total_amount", "")), now, "pay.malformed"},
		"a negative amount":     {string(with("total_amount", "-4.50")), now, "pay.malformed"},
		"another application's": {string(with("app_id", "1")), now, ""},
		"another program's":     {string(with("out_trade_no", "shoes-17")), now, ""},
		"not paid":              {string(with("trade_status", "WAIT_BUYER_PAY")), now, ""},
	} {
		if n, err := a.ReadNotice(none, []byte(c.body), c.now); gatehouse.ErrorCode(err) != c.code || err == nil && n.Event.Kind != "" {
			t.Errorf("%s: %v (%s), want %s", name, err, n.Event.Kind, c.code)
		}
	}
	if n, err := a.ReadNotice(none, []byte(signedMessage), now.Add(25*time.Hour)); err != nil || n.Event.Kind != gatehouse.BookPayment {
		t.Errorf("the last that Alipay repeats: %+v, %v", n, err)
	}
	d.unsigned = true
	if _, err := a.State(t.Context(), page.Session); gatehouse.ErrorCode(err) != "pay.unavailable" {
		t.Errorf("an answer that is not Alipay's: %v", err)
	}
	d.unsigned = false
	wrong := *a
	for _, s := range []secrets{{}, {KeySecret: "x", PublicSecret: "y"}, {KeySecret: forger.secrets()[KeySecret], PublicSecret: d.secrets()[PublicSecret]}} {
		wrong.o.Secrets = s
		if _, err := wrong.State(t.Context(), page.Session); gatehouse.ErrorCode(err) != "pay.not_set_up" {
			t.Errorf("with other keys: %v", err)
		}
	}
}

// The lines of a day's bill, as Alipay packs one.
func TestTheDaysBill(t *testing.T) {
	a, d := open(t)
	table := "#支付宝业务明细查询\n#账号：[2088]\n支付宝交易号,商户订单号,业务类型,商品名称,完成时间,订单金额（元）,退款批次号/请求号,服务费（元）\n" +
		"20260302A\t,a\t,交易,停车,2026-03-02 10:11:12,12.50,,-0.07\n20260302A\t,a\t,退款,停车,2026-03-02 11:00:00,-2.00,r1,0.01\n#合计\n"
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{"2088_20260302_业务明细.csv": table, "2088_20260302_业务明细(汇总).csv": "门店编号,交易订单总笔数\n1,2\n"} {
		packed, err := simplifiedchinese.GB18030.NewEncoder().String(name)
		if err != nil {
			t.Fatal(err)
		}
		w, _ := z.CreateHeader(&zip.FileHeader{Name: packed, NonUTF8: true, Method: zip.Deflate})
		bytesOf, _ := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text))
		_, _ = w.Write(bytesOf)
	}
	_ = z.Close()
	d.bill = b.Bytes()
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, clock)
	lines, err := a.Movements(t.Context(), from, from.Add(24*time.Hour))
	if err != nil || len(lines) != 2 {
		t.Fatal(lines, err)
	}
	if x := lines[0]; x.Kind != gatehouse.BookPayment || x.Payment != "20260302A" || x.Amount != fen(1250) || x.Fee != 7 || !x.At.Equal(time.Date(2026, 3, 2, 2, 11, 12, 0, time.UTC)) {
		t.Errorf("%+v", x)
	}
	if x := lines[1]; x.Kind != gatehouse.BookRefund || x.Object != "r1" || x.Payment != "20260302A" || x.Amount != fen(-200) || x.Fee != -1 {
		t.Errorf("%+v", x)
	}
	d.bill = []byte("no zip")
	if _, err := a.Movements(t.Context(), from, from.Add(24*time.Hour)); gatehouse.ErrorCode(err) != "pay.malformed" {
		t.Errorf("a bill that cannot be read: %v", err)
	}
	d.bill = nil
	if lines, err := a.Movements(t.Context(), from, from.Add(24*time.Hour)); err != nil || len(lines) != 0 {
		t.Errorf("a day without any: %v, %v", lines, err)
	}
}

func FuzzReadNotice(f *testing.F) {
	f.Add([]byte("sign=AAAA&sign_type=RSA2&trade_status=TRADE_SUCCESS"))
	f.Fuzz(func(t *testing.T, body []byte) {
		a := New(Options{Secrets: secrets{}})
		if n, err := a.ReadNotice(none, body, time.Unix(1, 0)); err == nil {
			t.Errorf("read without a key: %+v", n)
		}
		_, _ = readTable(string(body))
		_, _ = readBill(body)
	})
}
