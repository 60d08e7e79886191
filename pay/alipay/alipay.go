// Package alipay takes payments by Alipay: a code that the driver scans, or opens on the phone.
// Its requests and messages are signed by RSA2; what is asked and answered is described at
// https://opendocs.alipay.com/open (alipay.trade.precreate, query, close, refund, and
// alipay.data.dataservice.bill.downloadurl.query).
//
// Alipay learns a random id, an amount and the site's name. It takes CNY alone.
package alipay

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/internal/rsasign"
)

// Names of secrets.
const (
	KeySecret    = "alipay"        // the application's private key
	PublicSecret = "alipay-public" // Alipay's public key for it
)

// Gateway is Alipay's own.
const Gateway = "https://openapi.alipay.com/gateway.do"

// Currency is the only one that is taken.
const Currency gatehouse.Currency = "CNY"

// Options are what an Alipay is made of.
type Options struct {
	AppID   string
	Secrets gatehouse.Secrets
	Notify  func() string // where the site's webhook is reached
	URL     string        // of the gateway; "" is Alipay's own. For tests
	Client  *http.Client
	Now     func() time.Time
}

// Alipay implements gatehouse.PaymentProvider. It is safe for concurrent use.
type Alipay struct{ o Options }

var _ gatehouse.PaymentProvider = (*Alipay)(nil)

// timeout bounds one call: a driver waits for it.
const timeout = 20 * time.Second

// New returns an Alipay. It calls nobody.
func New(o Options) *Alipay {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: timeout}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.URL == "" {
		o.URL = Gateway
	}
	return &Alipay{o}
}

// Name implements gatehouse.PaymentProvider.
func (*Alipay) Name() string { return "alipay" }

// clock is Alipay's: its times name no zone.
var clock = time.FixedZone("CST", 8*60*60)

const stamp = "2006-01-02 15:04:05"

func parseStamp(s string) time.Time {
	t, err := time.ParseInLocation(stamp, s, clock)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// signed is the text that is signed: all that is not empty, by name.
func signed(form url.Values, without ...string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if v := form.Get(name); v != "" && !slices.Contains(without, name) {
			parts = append(parts, name+"="+v)
		}
	}
	return strings.Join(parts, "&")
}

// answer is what all answers have.
type answer struct {
	Code    string `json:"code"` // 10000 is success
	SubCode string `json:"sub_code"`
}

// call asks for a method and reads its answer into out, after its signature. A sub code that is
// in fine is no error, and reads nothing. Errors: pay.not_set_up, pay.unavailable, pay.refused.
func (a *Alipay) call(ctx context.Context, method string, ask, out any, fine ...string) error {
	private, err := a.private()
	if err != nil {
		return err
	}
	public, err := a.public()
	if err != nil {
		return err
	}
	content, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	form := url.Values{"app_id": {a.o.AppID}, "method": {method}, "format": {"JSON"}, "charset": {"utf-8"}, "sign_type": {"RSA2"}, "version": {"1.0"},
		"timestamp": {a.o.Now().In(clock).Format(stamp)}, "biz_content": {string(content)}}
	if method == "alipay.trade.precreate" {
		form.Set("notify_url", a.o.Notify())
	}
	sign, err := rsasign.Sign(private, signed(form))
	if err != nil {
		return err
	}
	form.Set("sign", sign)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.o.URL+"?charset=utf-8", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
	body, err := a.fetch(req)
	if err != nil {
		return err
	}
	var whole map[string]json.RawMessage
	if json.Unmarshal(body, &whole) != nil {
		return away()
	}
	part, text := whole[strings.ReplaceAll(method, ".", "_")+"_response"], ""
	if part == nil {
		part = whole["error_response"]
	}
	_ = json.Unmarshal(whole["sign"], &text)
	var status answer
	if part == nil || json.Unmarshal(part, &status) != nil {
		return away()
	}
	// Some errors come unsigned; nothing is believed of them but that it failed.
	if !rsasign.Verify(public, string(part), text) && status.Code == "10000" {
		return gatehouse.Errorf("pay.unavailable", "compare Alipay's public key with the one in its console", "an answer is not signed by Alipay")
	}
	switch {
	case status.Code == "10000":
		return json.Unmarshal(part, out)
	case slices.Contains(fine, status.SubCode):
		return nil
	case status.Code == "20000" || status.Code == "10003" || status.SubCode == "ACQ.SYSTEM_ERROR":
		return away()
	case status.Code == "20001" || status.Code == "40002" && strings.HasPrefix(status.SubCode, "isv.invalid-s"):
		return gatehouse.Errorf("pay.not_set_up", "set it with `gatehouse secret set "+KeySecret+"`", "Alipay does not take the key")
	}
	return gatehouse.Errorf("pay.refused", "look at Alipay's console", "Alipay refuses that: %s", word(status.SubCode))
}

func (a *Alipay) fetch(req *http.Request) ([]byte, error) {
	resp, err := a.o.Client.Do(req)
	if err != nil {
		return nil, away()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBill))
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, away()
	}
	return body, nil
}

// word is a code of Alipay's, which names nothing that was sent; anything else stays away.
func word(code string) string {
	if code == "" || len(code) > 60 || strings.ContainsFunc(code, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
	}) {
		return "without a code"
	}
	return code
}

func away() error {
	return gatehouse.Errorf("pay.unavailable", "try again in a minute", "Alipay cannot be reached")
}

// amount reads yuan as Alipay writes them: "12.50".
func amount(s string) (gatehouse.Money, error) {
	m, err := gatehouse.ParseMoney(s, Currency)
	if err != nil {
		return m, malformed()
	}
	return m, nil
}

func malformed() error {
	return gatehouse.Errorf("pay.malformed", "look at the payment in Alipay's console", "Alipay's message cannot be read")
}

func takes(m gatehouse.Money) error {
	if m.Currency != Currency || m.Minor <= 0 {
		return gatehouse.Errorf("pay.refused", "pay in another way", "Alipay takes CNY alone, and more than nothing")
	}
	return nil
}
