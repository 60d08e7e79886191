package gatehouse

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// Webhook is where a site posts what happens, for a program of somebody else's: signed as
// the Standard Webhooks specification says, under opaque ids, tried again until it arrives.
type Webhook struct {
	Place
	ID    ID
	Name  string        // an operator's label, as CheckName has it
	URL   string        // https; http where Local
	Kinds []WebhookKind // what it is told of
	At    []GateID      // of these gates; none for every gate
	// Local lets it lead to this machine or a private network, which an operator must say:
	// otherwise an address is one more way into the network behind the server.
	Local  bool
	Paused bool   // nothing is sent to it; what happens meanwhile it is not told
	Secret Secret // "whsec_" and base64; signs
	By     string // who made it: an account's id, or "admin-socket"
	Made   time.Time
}

// WebhookKind is what a webhook is told of.
type WebhookKind string

// The kinds. A test is sent to whoever is named, whatever they are told of.
const (
	PassageHook WebhookKind = "passage"
	OutcomeHook WebhookKind = "outcome"
	TestHook    WebhookKind = "test"
)

// WebhookKinds are those that a webhook may be told of.
var WebhookKinds = []WebhookKind{PassageHook, OutcomeHook}

// Told reports whether the webhook is told of something at a gate.
func (w Webhook) Told(kind WebhookKind, at GateID) bool {
	return !w.Paused && slices.Contains(w.Kinds, kind) && (len(w.At) == 0 || slices.Contains(w.At, at))
}

// LogValue keeps the address and the secret out of logs.
func (w Webhook) LogValue() slog.Value { return slog.StringValue(w.ID.String()) }

// String keeps them out of texts.
func (w Webhook) String() string { return "webhook " + w.ID.String() }

// DeliveryState is how a message is doing.
type DeliveryState string

// The states. One that failed is tried no more, unless somebody replays it.
const (
	DeliveryWaits  DeliveryState = "waiting"
	DeliveryDone   DeliveryState = "delivered"
	DeliveryFailed DeliveryState = "failed"
)

// Delivery is one message on its way to one webhook. What it says is not kept: it is read
// again from the store at each try, so that an erasure meanwhile counts.
type Delivery struct {
	Place
	ID       ID // time-ordered; names the message to its receiver
	Webhook  ID
	Kind     WebhookKind
	Passage  ID        // zero for a test
	At       time.Time // when it happened
	State    DeliveryState
	Attempts int
	Next     time.Time // when it is tried next, where it waits
	Tried    time.Time // zero: never
	// Answer is the last HTTP status, 0 where none came; Code the error's, "" for none.
	Answer int
	Code   string
}

// DeliveryStore keeps messages until they have arrived, and for a while after that. It is
// never backed up. Errors: store.full, store.failed.
type DeliveryStore interface {
	// AddDeliveries adds messages and notes up to where the log was followed, in one
	// transaction; cursor 0 leaves that as it is.
	AddDeliveries(ctx context.Context, place Place, cursor uint64, list []Delivery) error
	// DeliveryCursor is that position; ok is false before the first.
	DeliveryCursor(ctx context.Context, place Place) (cursor uint64, ok bool, err error)
	// DueDeliveries gives those that wait and whose time has come, the oldest first.
	DueDeliveries(ctx context.Context, place Place, now time.Time, limit int) ([]Delivery, error)
	// PutDelivery replaces one that is there.
	PutDelivery(ctx context.Context, d Delivery) error
	// Deliveries lists a webhook's, newest first, with an id smaller than before (zero:
	// from the newest).
	Deliveries(ctx context.Context, place Place, webhook ID, before ID, limit int) ([]Delivery, error)
	// DropDeliveries forgets a webhook's; those of every webhook that do not wait and
	// are older where webhook is zero.
	DropDeliveries(ctx context.Context, place Place, webhook ID, before time.Time) error
}

// WebhookLeaf records that a webhook was added, paused, resumed or removed; by is who did it. Its address is
// not in it: it may hold what only its receiver should know.
func WebhookLeaf(at time.Time, w Webhook, event, by string) []byte {
	parts := []string{w.Name}
	for _, k := range w.Kinds {
		parts = append(parts, string(k))
	}
	for _, g := range w.At {
		parts = append(parts, "at "+string(g))
	}
	if w.Local {
		parts = append(parts, "local")
	}
	return AccountLeaf(at, w.Place, event, w.ID, by, parts...)
}
