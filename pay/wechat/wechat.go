// Package wechat takes payments by WeChat Pay: a code that the driver scans with WeChat (Native
// pay). Its requests, answers and messages are signed by RSA; what a message says is sealed by
// AES-256-GCM besides. They are described at https://pay.weixin.qq.com/doc/v3 (Native orders,
// refunds, trade bills, and "verify signatures with WeChat Pay's public key").
//
// WeChat learns a random id, an amount and the site's name. It takes CNY alone.
package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/internal/rsasign"
)

// Names of secrets.
const (
	KeySecret    = "wechat"        // the merchant's private key
	PublicSecret = "wechat-public" // WeChat Pay's public key
	SealSecret   = "wechat-v3"     // the APIv3 key, 32 characters
)

// Base is WeChat Pay's own.
const Base = "https://api.mch.weixin.qq.com"

// Currency is the only one that is taken.
const Currency gatehouse.Currency = "CNY"

// Options are what a WeChat is made of.
type Options struct {
	Merchant    string // mchid
	AppID       string
	Certificate string // the serial number of the merchant's certificate
	PublicKey   string // the id of WeChat Pay's public key, PUB_KEY_ID_…
	Secrets     gatehouse.Secrets
	Notify      func() string // where the site's webhook is reached
	URL         string        // of the API; "" is WeChat Pay's own. For tests
	Client      *http.Client
	Now         func() time.Time
}

// WeChat implements gatehouse.PaymentProvider. It is safe for concurrent use.
type WeChat struct{ o Options }

var _ gatehouse.PaymentProvider = (*WeChat)(nil)

// timeout bounds one call: a driver waits for it.
const timeout = 20 * time.Second

// maxAnswer bounds an answer and a day's bill, in bytes.
const maxAnswer = 64 << 20

// New returns a WeChat. It calls nobody.
func New(o Options) *WeChat {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: timeout}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.URL == "" {
		o.URL = Base
	}
	return &WeChat{o}
}

// Name implements gatehouse.PaymentProvider.
func (*WeChat) Name() string { return "wechat" }

func (p *WeChat) secret(name string) (gatehouse.Secret, error) {
	text, ok := p.o.Secrets.Secret(name)
	if !ok {
		return "", gatehouse.Errorf("pay.not_set_up", "set it with `gatehouse secret set "+name+"`", "a key for WeChat Pay is not set")
	}
	return text, nil
}

// call asks for a path (with its query) and reads the answer into out, after its signature. An
// error code that is in fine is no error, and reads nothing. Errors: pay.not_set_up,
// pay.unavailable, pay.refused.
func (p *WeChat) call(ctx context.Context, method, path string, ask, out any, fine ...string) error {
	var body []byte
	if ask != nil {
		var err error
		if body, err = json.Marshal(ask); err != nil {
			return err
		}
	}
	status, header, got, err := p.send(ctx, method, p.o.URL+path, body)
	if err != nil {
		return err
	}
	if status/100 != 2 {
		var e struct {
			Code string `json:"code"`
		}
		_ = json.Unmarshal(got, &e)
		for _, code := range fine {
			if e.Code == code {
				return nil
			}
		}
		switch {
		case status == http.StatusUnauthorized || e.Code == "SIGN_ERROR" || e.Code == "NO_AUTH":
			return gatehouse.Errorf("pay.not_set_up", "set it with `gatehouse secret set "+KeySecret+"`", "WeChat Pay does not take the key")
		case status == http.StatusTooManyRequests || status >= 500:
			return away()
		}
		return gatehouse.Errorf("pay.refused", "look at WeChat Pay's console", "WeChat Pay refuses that: %s", word(e.Code))
	}
	if err := p.verify(header.Get, got); err != nil {
		return gatehouse.Errorf("pay.unavailable", "compare WeChat Pay's public key with the one in its console", "an answer is not signed by WeChat Pay")
	}
	if out == nil || len(got) == 0 {
		return nil
	}
	if json.Unmarshal(got, out) != nil {
		return away()
	}
	return nil
}

// send makes one request with its signature.
func (p *WeChat) send(ctx context.Context, method, address string, body []byte) (int, http.Header, []byte, error) {
	text, err := p.secret(KeySecret)
	if err != nil {
		return 0, nil, nil, err
	}
	key, err := rsasign.PrivateKey(text)
	if err != nil {
		return 0, nil, nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return 0, nil, nil, away()
	}
	at, nonce := strconv.FormatInt(p.o.Now().Unix(), 10), gatehouse.RandomID().String()
	sign, err := rsasign.Sign(key, method+"\n"+u.RequestURI()+"\n"+at+"\n"+nonce+"\n"+string(body)+"\n")
	if err != nil {
		return 0, nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, away()
	}
	req.Header.Set("Authorization", fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",signature="%s",timestamp="%s",serial_no="%s"`, p.o.Merchant, nonce, sign, at, p.o.Certificate))
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Wechatpay-Serial", p.o.PublicKey) // answers are signed by this key then
	resp, err := p.o.Client.Do(req)
	if err != nil {
		return 0, nil, nil, away()
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, nil, away()
	}
	return resp.StatusCode, resp.Header, got, nil
}

// verify checks the signature of an answer or message. Errors: pay.forged, pay.not_set_up.
func (p *WeChat) verify(header func(string) string, body []byte) error {
	text, err := p.secret(PublicSecret)
	if err != nil {
		return err
	}
	key, err := rsasign.PublicKey(text)
	if err != nil {
		return err
	}
	signed := header("Wechatpay-Timestamp") + "\n" + header("Wechatpay-Nonce") + "\n" + string(body) + "\n"
	if header("Wechatpay-Serial") != p.o.PublicKey || !rsasign.Verify(key, signed, header("Wechatpay-Signature")) {
		return gatehouse.Errorf("pay.forged", "compare WeChat Pay's public key and its id with those in its console", "the message is not signed by WeChat Pay")
	}
	return nil
}

// word is a code of WeChat Pay's, which names nothing that was sent; anything else stays away.
func word(code string) string {
	if code == "" || len(code) > 60 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return "without a code"
	}
	return code
}

func away() error {
	return gatehouse.Errorf("pay.unavailable", "try again in a minute", "WeChat Pay cannot be reached")
}

func malformed() error {
	return gatehouse.Errorf("pay.malformed", "look at the payment in WeChat Pay's console", "WeChat Pay's message cannot be read")
}

func takes(m gatehouse.Money) error {
	if m.Currency != Currency || m.Minor <= 0 {
		return gatehouse.Errorf("pay.refused", "pay in another way", "WeChat Pay takes CNY alone, and more than nothing")
	}
	return nil
}
