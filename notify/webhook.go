package notify

import (
	"context"
	"encoding/json"
	"net/http"
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
	secret, ok := w.Secret()
	if !ok {
		return gatehouse.Errorf("webhook.secret", "`gatehouse secret set webhook`", "the webhook's secret is not set")
	}
	body, err := json.Marshal(webhookBody{Type: "gatehouse.alarm." + string(a.Kind), Timestamp: a.At.UTC(), Data: webhookData{Org: w.place.Org, Site: w.place.Site, ID: a.ID,
		Sentence: a.Sentence(), Operator: a.Operator, Purpose: a.Purpose, Scope: a.Scope, Device: a.Device, Gate: a.Gate}})
	if err != nil {
		return err
	}
	_, err = postSigned(ctx, w.Client, w.URL, secret, "msg_"+a.ID.String(), w.Now(), body)
	return err
}
