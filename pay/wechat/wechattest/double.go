// Package wechattest is a WeChat Pay of our own, for tests: it checks what is signed to it, keeps
// orders and refunds, and signs and seals what it tells.
package wechattest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/internal/rsasign"
)

// What the double knows its merchant by.
const (
	Merchant    = "1900000109"
	AppID       = "wx0123456789abcdef"
	Certificate = "3775B6A45ACD588826D15E583A95F5DD"
	PublicKey   = "PUB_KEY_ID_0119000001092026"
	SealKey     = "0123456789abcdef0123456789ABCDEF"
)

// Double is the double. Its fields are set before it is asked.
type Double struct {
	Now         func() time.Time
	Bill        string // of any day; "" for none
	LoseAnswers int    // so many are carried out, and not answered

	merchant, own *rsa.PrivateKey
	mu            sync.Mutex
	orders        map[string]*order
	refunds       map[string]map[string]any // by the merchant's number
	asked         []string
}

type order struct {
	ID, State string
	Total     int64
	At        time.Time
}

// New makes the double, with keys of its own.
func New(t *testing.T) *Double {
	t.Helper()
	d := &Double{Now: time.Now, orders: map[string]*order{}, refunds: map[string]map[string]any{}}
	var err error
	if d.merchant, err = rsa.GenerateKey(rand.Reader, 2048); err == nil {
		d.own, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Secrets are what the site keeps.
func (d *Double) Secrets() map[string]string {
	private, _ := x509.MarshalPKCS8PrivateKey(d.merchant)
	public, _ := x509.MarshalPKIXPublicKey(&d.own.PublicKey)
	return map[string]string{"wechat": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		"wechat-public": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), "wechat-v3": SealKey}
}

var authorization = regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 mchid="` + Merchant + `",nonce_str="([^"]+)",signature="([^"]+)",timestamp="([0-9]+)",serial_no="` + Certificate + `"$`)

// ServeHTTP implements http.Handler.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil || !rsasign.Verify(&d.merchant.PublicKey, r.Method+"\n"+r.URL.RequestURI()+"\n"+m[3]+"\n"+m[1]+"\n"+string(body)+"\n", m[2]) {
		d.answer(w, http.StatusUnauthorized, map[string]string{"code": "SIGN_ERROR"})
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, string(body))
	status, out := d.do(r, body)
	if d.LoseAnswers > 0 {
		d.LoseAnswers--
		panic(http.ErrAbortHandler)
	}
	if text, ok := out.(string); ok {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
		return
	}
	d.answer(w, status, out)
}

func (d *Double) do(r *http.Request, body []byte) (int, any) {
	var q struct {
		Order  string `json:"out_trade_no"`
		Of     string `json:"transaction_id"`
		Refund string `json:"out_refund_no"`
		Amount struct {
			Total, Refund int64
			Currency      string
		} `json:"amount"`
	}
	_ = json.Unmarshal(body, &q)
	code := func(status int, text string) (int, any) { return status, map[string]string{"code": text} }
	last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch path := r.Method + " " + r.URL.Path; {
	case path == "POST /v3/pay/transactions/native":
		o := d.orders[q.Order]
		if o == nil {
			o = &order{ID: "42000" + q.Order[:10], State: "NOTPAY", Total: q.Amount.Total}
			d.orders[q.Order] = o
		}
		if o.Total != q.Amount.Total || q.Amount.Currency != "CNY" {
			return code(400, "INVALID_REQUEST")
		}
		return 200, map[string]string{"code_url": "weixin://wxpay/bizpayurl?pr=" + q.Order[:7]}
	case strings.HasSuffix(path, "/close"):
		o := d.orders[strings.Split(r.URL.Path, "/")[5]]
		switch {
		case o == nil:
			return code(404, "ORDER_NOT_EXIST")
		case o.State == "SUCCESS":
			return code(400, "ORDERPAID")
		}
		o.State = "CLOSED"
		return 204, nil
	case strings.HasPrefix(path, "GET /v3/pay/transactions/out-trade-no/"):
		if d.orders[last] == nil {
			return code(404, "ORDER_NOT_EXIST")
		}
		return 200, d.transaction(last)
	case strings.HasPrefix(path, "GET /v3/pay/transactions/id/"):
		for number, o := range d.orders {
			if o.ID == last {
				return 200, d.transaction(number)
			}
		}
		return code(404, "ORDER_NOT_EXIST")
	case path == "POST /v3/refund/domestic/refunds":
		for _, o := range d.orders {
			if o.ID == q.Of && o.State == "SUCCESS" && q.Amount.Total == o.Total && q.Amount.Refund <= o.Total {
				if d.refunds[q.Refund] == nil {
					d.refunds[q.Refund] = map[string]any{"refund_id": fmt.Sprintf("50000%d", len(d.refunds)), "transaction_id": q.Of, "status": "PROCESSING",
						"amount": map[string]any{"total": o.Total, "refund": q.Amount.Refund, "currency": "CNY"}}
				}
				return 200, d.refunds[q.Refund]
			}
		}
		return code(400, "INVALID_REQUEST")
	case path == "GET /v3/bill/tradebill" && d.Bill != "":
		return 200, map[string]string{"download_url": "http://" + r.Host + "/v3/billdownload/file?token=x"}
	case path == "GET /v3/billdownload/file":
		return 200, d.Bill
	}
	return code(404, "NO_STATEMENT_EXIST")
}

func (d *Double) transaction(number string) map[string]any {
	o := d.orders[number]
	t := map[string]any{"mchid": Merchant, "appid": AppID, "out_trade_no": number, "trade_state": o.State, "amount": map[string]any{"total": o.Total, "currency": "CNY"}}
	if o.State == "SUCCESS" {
		t["transaction_id"], t["success_time"] = o.ID, o.At.Format(time.RFC3339)
	}
	return t
}

func (d *Double) answer(w http.ResponseWriter, status int, out any) {
	var body []byte
	if out != nil {
		body, _ = json.Marshal(out)
	}
	for name, v := range d.sign(body, d.Now()) {
		w.Header().Set(name, v)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (d *Double) sign(body []byte, at time.Time) map[string]string {
	seconds, nonce := strconv.FormatInt(at.Unix(), 10), gatehouse.RandomID().String()
	s, _ := rsasign.Sign(d.own, seconds+"\n"+nonce+"\n"+string(body)+"\n")
	return map[string]string{"Wechatpay-Timestamp": seconds, "Wechatpay-Nonce": nonce, "Wechatpay-Signature": s, "Wechatpay-Serial": PublicKey}
}

// Message is one to the site's webhook.
type Message struct {
	Header map[string]string
	Body   []byte
}

// Get gives a header.
func (m Message) Get(name string) string { return m.Header[name] }

// Tell seals and signs a message.
func (d *Double) Tell(event string, what any, at time.Time) Message {
	plain, _ := json.Marshal(what)
	block, _ := aes.NewCipher([]byte(SealKey))
	gcm, _ := cipher.NewGCM(block)
	nonce := gatehouse.RandomID().String()[:12]
	text := base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), plain, []byte("transaction")))
	body, _ := json.Marshal(map[string]any{"id": gatehouse.RandomID().String(), "event_type": event, "resource_type": "encrypt-resource",
		"resource": map[string]string{"algorithm": "AEAD_AES_256_GCM", "ciphertext": text, "nonce": nonce, "associated_data": "transaction"}})
	return Message{d.sign(body, at), body}
}

// Pay lets the driver pay an order, and gives the message about it.
func (d *Double) Pay(number string) Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.orders[number]
	o.State, o.At = "SUCCESS", d.Now()
	return d.Tell("TRANSACTION.SUCCESS", d.transaction(number), d.Now())
}

// Refunded gives the message about a refund, by the merchant's number.
func (d *Double) Refunded(number, event string) Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := map[string]any{}
	for k, v := range d.refunds[number] {
		r[k] = v
	}
	delete(r, "status")
	r["refund_status"], r["success_time"] = strings.TrimPrefix(event, "REFUND."), d.Now().Format(time.RFC3339)
	return d.Tell(event, r, d.Now())
}

// Refunds counts them.
func (d *Double) Refunds() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.refunds)
}

// Asked are the bodies of what was asked.
func (d *Double) Asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.asked...)
}
