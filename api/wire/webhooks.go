package wire

import (
	"log/slog"
	"time"

	"gatehouse"
)

// WebhookAddRequest adds a webhook. POST /admin/v1/webhooks.
type WebhookAddRequest struct {
	Name  string                  `json:"name"`
	URL   string                  `json:"url"`             // https; http where Local
	Kinds []gatehouse.WebhookKind `json:"kinds,omitempty"` // passage, outcome; none: both
	Gates []gatehouse.GateID      `json:"gates,omitempty"` // none: every gate
	Local bool                    `json:"local,omitempty"` // it may lead to this machine or a private network
}

// LogValue redacts the address.
func (r WebhookAddRequest) LogValue() slog.Value { return slog.StringValue(r.Name) }

// WebhookAddResponse holds the secret that signs, which is shown this once.
type WebhookAddResponse struct {
	Webhook
	Secret string `json:"secret"`
}

// LogValue redacts the secret.
func (WebhookAddResponse) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Webhook is one without its secret.
type Webhook struct {
	ID    gatehouse.ID            `json:"id"`
	Name  string                  `json:"name"`
	URL   string                  `json:"url"`
	Kinds []gatehouse.WebhookKind `json:"kinds"`
	Gates []gatehouse.GateID      `json:"gates,omitempty"`
	Local bool                    `json:"local,omitempty"`
	// Paused: nothing is sent to it, and what happens meanwhile it is not told.
	Paused bool      `json:"paused,omitempty"`
	By     string    `json:"by"`
	Made   time.Time `json:"made"`
	Last   *Delivery `json:"last,omitempty"` // the newest message
}

// LogValue redacts the address.
func (w Webhook) LogValue() slog.Value { return slog.StringValue(w.Name) }

// WebhooksResponse answers GET /admin/v1/webhooks, by name.
type WebhooksResponse struct {
	Webhooks []Webhook `json:"webhooks"`
}

// Delivery is one message and how it is doing.
type Delivery struct {
	ID       gatehouse.ID            `json:"id"`
	Kind     gatehouse.WebhookKind   `json:"kind"`
	Passage  gatehouse.ID            `json:"passage,omitzero"`
	At       time.Time               `json:"at"`
	State    gatehouse.DeliveryState `json:"state"`
	Attempts int                     `json:"attempts"`
	Next     time.Time               `json:"next,omitzero"`
	Tried    time.Time               `json:"tried,omitzero"`
	Answer   int                     `json:"answer,omitempty"` // the last HTTP status
	Code     string                  `json:"code,omitempty"`   // of the last failure
}

// DeliveriesResponse is one page, newest first. GET /admin/v1/webhooks/{name}/deliveries.
type DeliveriesResponse struct {
	Deliveries []Delivery   `json:"deliveries"`
	Next       gatehouse.ID `json:"next,omitzero"`
}

// WebhookPauseRequest stops sending to a webhook, or goes on. PUT
// /admin/v1/webhooks/{name}/paused.
type WebhookPauseRequest struct {
	Paused bool `json:"paused"`
}

// ReplayRequest sends messages again. POST /admin/v1/webhooks/{name}/replay.
type ReplayRequest struct {
	Since time.Time `json:"since,omitzero"` // zero: whatever is remembered
	All   bool      `json:"all,omitempty"`  // those that arrived, too
	// Message is the one that is sent again, whatever became of it; then nothing else is.
	Message gatehouse.ID `json:"message,omitzero"`
}

// ReplayResponse says how many.
type ReplayResponse struct {
	Messages int `json:"messages"`
}

// WebhookMessage is what is posted: the type, time and data of the Standard Webhooks
// specification.
type WebhookMessage struct {
	Type      string             `json:"type"` // gatehouse.passage, gatehouse.outcome, gatehouse.test
	Timestamp time.Time          `json:"timestamp"`
	Data      WebhookMessageData `json:"data"`
}

// WebhookMessageData says where it happened, and the passage, under opaque ids.
type WebhookMessageData struct {
	Org     gatehouse.OrgID  `json:"org"`
	Site    gatehouse.SiteID `json:"site"`
	Passage *Passage         `json:"passage,omitempty"`
}
