package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse"
)

// Webhook posts alarms as JSON, signed as the Standard Webhooks specification says
// (standardwebhooks.com, symmetric signatures, v1).
type Webhook struct {
	URL string
	// Secret gives "whsec_" and base64 of 24 to 64 random bytes; it is asked for at
	// every delivery, so that a secret that is set later counts.
	Secret func() (gatehouse.Secret, bool)
	Client *http.Client // nil: one of its own that follows no redirects
	Now    func() time.Time
}

// webhookBody is what is posted: the specification's type, timestamp and data.
type webhookBody struct {
	Type      string      `json:"type"` // gatehouse.alarm.canary
	Timestamp time.Time   `json:"timestamp"`
	Data      webhookData `json:"data"`
}

type webhookData struct {
	Org      gatehouse.OrgID    `json:"org"`
	Site     gatehouse.SiteID   `json:"site"`
	ID       gatehouse.ID       `json:"id"`
	Sentence string             `json:"sentence"`
	Operator string             `json:"operator,omitempty"`
	Purpose  string             `json:"purpose,omitempty"`
	Scope    string             `json:"scope,omitempty"`
	Device   gatehouse.DeviceID `json:"device,omitempty"`
	Gate     gatehouse.GateID   `json:"gate,omitempty"`
}

// direct follows no redirect: an alarm goes where the operator said and nowhere else.
var direct = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// NewWebhook returns the channel "webhook" for a place.
func NewWebhook(w Webhook, place gatehouse.Place) Channel {
	if w.Client == nil {
		w.Client = direct
	}
	if w.Now == nil {
		w.Now = time.Now
	}
	return webhook{w, place}
}

type webhook struct {
	Webhook
	place gatehouse.Place
}

// Name implements Channel.
func (webhook) Name() string { return "webhook" }

// Deliver implements Channel. Errors: webhook.secret, webhook.unreachable,
// webhook.refused.
func (w webhook) Deliver(ctx context.Context, a gatehouse.Alarm) error {
	key, err := w.key()
	if err != nil {
		return err
	}
	body, err := json.Marshal(webhookBody{Type: "gatehouse.alarm." + string(a.Kind), Timestamp: a.At.UTC(), Data: webhookData{Org: w.place.Org, Site: w.place.Site, ID: a.ID,
		Sentence: a.Sentence(), Operator: a.Operator, Purpose: a.Purpose, Scope: a.Scope, Device: a.Device, Gate: a.Gate}})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return gatehouse.Errorf("webhook.unreachable", "check alarms.webhook.url", "the webhook's address is none")
	}
	id, stamp := "msg_"+a.ID.String(), strconv.FormatInt(w.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Gatehouse")
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", stamp)
	r.Header.Set("webhook-signature", sign(key, id, stamp, body))
	answer, err := w.Client.Do(r)
	if err != nil { // whose words would name the address
		return gatehouse.Errorf("webhook.unreachable", "check alarms.webhook.url and the network", "the webhook cannot be reached")
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be used again
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return gatehouse.Errorf("webhook.refused", "look at the receiver's log", "the webhook answered with status %d", answer.StatusCode)
	}
	return nil
}

func (w webhook) key() ([]byte, error) {
	secret, ok := w.Secret()
	if !ok {
		return nil, gatehouse.Errorf("webhook.secret", "`gatehouse secret set webhook`", "the webhook's secret is not set")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, gatehouse.Errorf("webhook.secret", "set it as whsec_ and base64 of 24 to 64 random bytes", "the webhook's secret is malformed")
	}
	return key, nil
}

// sign gives the signature header's value.
func sign(key []byte, id, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
