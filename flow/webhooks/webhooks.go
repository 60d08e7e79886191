// Package webhooks is the verb of where events are posted: webhooks are added, listed, paused
// and removed, and what happens becomes a message to each that is told of it. Each change of
// one is an audit leaf, written before it counts. They are kept in the working
// set, with the secret that signs, sealed under the gate key.
package webhooks

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
)

// Working keeps what this package makes of a webhook.
type Working interface {
	PutKept(ctx context.Context, kind gatehouse.WorkingKind, id gatehouse.ID, plain []byte) error
	Kept(kind gatehouse.WorkingKind) map[gatehouse.ID][]byte
	RemoveKept(ctx context.Context, kind gatehouse.WorkingKind, id gatehouse.ID) error
}

// Ports are what webhooks need of the rest.
type Ports struct {
	Place   gatehouse.Place
	Working Working
	Store   gatehouse.DeliveryStore
	Log     gatehouse.LeafWriter
	// Decoder reads events out of the committed log, which begins behind Newest at first.
	Decoder follow.Decoder
	Newest  func(ctx context.Context) (uint64, error)
	HasGate func(gatehouse.GateID) bool
	// Public reports whether an address is one of the internet, by the rule that each
	// connection is judged by.
	Public func(netip.Addr) bool
	Now    func() time.Time
}

// maxWebhooks bounds what is kept.
const maxWebhooks = 50

// Webhooks are a site's. All methods are safe for concurrent use; it is a follow.Sink.
type Webhooks struct {
	Ports
	writes sync.Mutex

	mu  sync.RWMutex
	all map[gatehouse.ID]gatehouse.Webhook
}

// Load reads the webhooks out of the working set.
func Load(p Ports) (*Webhooks, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	w := &Webhooks{Ports: p, all: map[gatehouse.ID]gatehouse.Webhook{}}
	for id, plain := range p.Working.Kept(gatehouse.WebhookItem) {
		var one gatehouse.Webhook
		if err := json.Unmarshal(plain, &one); err != nil || one.ID != id {
			return nil, gatehouse.Errorf("webhook.damaged", "this version cannot read it", "a webhook in the working set is malformed")
		}
		w.all[id] = one
	}
	return w, nil
}

// Add makes a webhook of n's Name, URL, Kinds, At and Local; the answer holds its secret.
// Errors: webhook.name, webhook.exists, webhook.address, webhook.private, webhook.kinds,
// webhook.gates, webhook.too_many.
func (w *Webhooks) Add(ctx context.Context, by string, n gatehouse.Webhook) (gatehouse.Webhook, error) {
	w.writes.Lock()
	defer w.writes.Unlock()
	if err := w.check(&n); err != nil {
		return n, err
	}
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	n.Place, n.ID, n.By, n.Made = w.Place, gatehouse.RandomID(), by, w.Now().UTC().Truncate(time.Second)
	n.Secret = gatehouse.Secret("whsec_" + base64.StdEncoding.EncodeToString(b[:]))
	if err := w.Log.WriteLeaf(ctx, gatehouse.WebhookLeaf(w.Now(), n, "webhook-added", by)); err != nil {
		return n, err
	}
	if len(w.List()) == 0 { // nobody was told of anything until now
		at, err := w.Newest(ctx)
		if err == nil {
			err = w.Store.AddDeliveries(ctx, w.Place, at, nil)
		}
		if err != nil {
			return n, err
		}
	}
	return n, w.put(ctx, n)
}

// put keeps a webhook, and counts it from then on.
func (w *Webhooks) put(ctx context.Context, n gatehouse.Webhook) error {
	plain, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := w.Working.PutKept(ctx, gatehouse.WebhookItem, n.ID, plain); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[n.ID] = n
	return nil
}

// SetPaused stops sending to a webhook, or goes on. One that is paused is told of nothing
// that happens meanwhile; what waited for it is sent afterwards. Errors: webhook.unknown.
func (w *Webhooks) SetPaused(ctx context.Context, by, name string, paused bool) error {
	w.writes.Lock()
	defer w.writes.Unlock()
	one, err := w.Named(name)
	if err != nil || one.Paused == paused {
		return err
	}
	event := "webhook-resumed"
	if paused {
		event = "webhook-paused"
	}
	if err := w.Log.WriteLeaf(ctx, gatehouse.WebhookLeaf(w.Now(), one, event, by)); err != nil {
		return err
	}
	one.Paused = paused
	return w.put(ctx, one)
}

func (w *Webhooks) check(n *gatehouse.Webhook) error {
	if gatehouse.CheckName(n.Name) != nil {
		return gatehouse.Errorf("webhook.name", "use 1 to 40 lower-case letters, digits and hyphens", "this cannot name a webhook")
	}
	if err := w.checkURL(n.URL, n.Local); err != nil {
		return err
	}
	if len(n.Kinds) == 0 {
		n.Kinds = slices.Clone(gatehouse.WebhookKinds)
	}
	n.Kinds = slices.Compact(slices.Sorted(slices.Values(n.Kinds)))
	for _, k := range n.Kinds {
		if !slices.Contains(gatehouse.WebhookKinds, k) {
			return gatehouse.Errorf("webhook.kinds", "use passage, outcome or both", "there is no such kind of event")
		}
	}
	for _, g := range n.At {
		if !w.HasGate(g) {
			return gatehouse.Errorf("webhook.gates", "use ids from `gates` in gatehouse.yml", "there is no such gate")
		}
	}
	n.At = gatehouse.SomeGates(n.At...).List()
	all := w.List()
	if slices.ContainsFunc(all, func(o gatehouse.Webhook) bool { return o.Name == n.Name }) {
		return gatehouse.Errorf("webhook.exists", "remove it first, or choose another name", "a webhook has this name")
	}
	if len(all) >= maxWebhooks {
		return gatehouse.Errorf("webhook.too_many", "remove one first", "there are %d webhooks", maxWebhooks)
	}
	return nil
}

// List gives the webhooks by name.
func (w *Webhooks) List() []gatehouse.Webhook {
	w.mu.RLock()
	defer w.mu.RUnlock()
	out := make([]gatehouse.Webhook, 0, len(w.all))
	for _, one := range w.all {
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b gatehouse.Webhook) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Webhook returns one; false where it was removed.
func (w *Webhooks) Webhook(id gatehouse.ID) (gatehouse.Webhook, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	one, ok := w.all[id]
	return one, ok
}

// Named returns the one of a name: webhook.unknown.
func (w *Webhooks) Named(name string) (gatehouse.Webhook, error) {
	for _, one := range w.List() {
		if one.Name == name {
			return one, nil
		}
	}
	return gatehouse.Webhook{}, gatehouse.Errorf("webhook.unknown", "see `gatehouse webhook list`", "there is no such webhook")
}

// Remove forgets a webhook and its messages. Errors: webhook.unknown.
func (w *Webhooks) Remove(ctx context.Context, by, name string) error {
	w.writes.Lock()
	defer w.writes.Unlock()
	one, err := w.Named(name)
	if err != nil {
		return err
	}
	if err := w.Log.WriteLeaf(ctx, gatehouse.WebhookLeaf(w.Now(), one, "webhook-removed", by)); err != nil {
		return err
	}
	if err := w.Working.RemoveKept(ctx, gatehouse.WebhookItem, one.ID); err != nil {
		return err
	}
	w.mu.Lock()
	delete(w.all, one.ID)
	w.mu.Unlock()
	return w.Store.DropDeliveries(ctx, w.Place, one.ID, time.Time{})
}

// Cursor implements follow.Sink.
func (w *Webhooks) Cursor(ctx context.Context) (uint64, error) {
	at, _, err := w.Store.DeliveryCursor(ctx, w.Place)
	return at, err
}

// Source is the log as long as there is somebody to tell: a site without webhooks neither
// reads nor writes for them.
func (w *Webhooks) Source(log follow.Log) follow.Log { return source{w, log} }

type source struct {
	*Webhooks
	log follow.Log
}

// Leaves implements follow.Log.
func (s source) Leaves(ctx context.Context, after uint64, f func(uint64, []byte) error) error {
	s.mu.RLock()
	none := len(s.all) == 0
	s.mu.RUnlock()
	if none {
		return nil
	}
	return s.log.Leaves(ctx, after, f)
}

// Deal implements follow.Sink: what happened becomes messages, in the transaction that
// notes how far it got.
func (w *Webhooks) Deal(ctx context.Context, leaves []follow.Leaf) error {
	events, err := w.Decoder.Decode(ctx, leaves)
	if err != nil {
		return err
	}
	var list []gatehouse.Delivery
	for _, e := range events {
		for _, h := range w.List() {
			if kind := gatehouse.WebhookKind(e.Kind); h.Told(kind, e.Passage.Gate) {
				list = append(list, w.message(h, kind, e.Passage.ID, e.At))
			}
		}
	}
	return w.Store.AddDeliveries(ctx, w.Place, leaves[len(leaves)-1].Position, list)
}
