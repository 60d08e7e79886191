package consoletest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
	"gatehouse/flow/tokens"
	"gatehouse/flow/webhooks"
)

// openPrograms gives the site access tokens and webhooks: the real ones, kept in memory.
func (s *Site) openPrograms() {
	hasGate := func(id gatehouse.GateID) bool { return id == "front-door" || id == "car-park" }
	s.Deliveries = &Deliveries{}
	s.Tokens, _ = tokens.Load(tokens.Ports{Place: Place, Working: kept{}, Log: s.Leaves, HasGate: hasGate, Now: s.now})
	s.Webhooks, _ = webhooks.Load(webhooks.Ports{Place: Place, Working: kept{}, Store: s.Deliveries, Log: s.Leaves, Decoder: follow.Decoder{}, HasGate: hasGate, Now: s.now,
		Newest: func(context.Context) (uint64, error) { return 0, nil }, Public: func(a netip.Addr) bool { return !a.IsPrivate() && !a.IsLoopback() }})
}

// kept keeps items of one kind in memory; its users call it for one change at a time.
type kept map[gatehouse.ID][]byte

func (k kept) PutKept(_ context.Context, _ gatehouse.WorkingKind, id gatehouse.ID, plain []byte) error {
	k[id] = plain
	return nil
}

func (k kept) Kept(gatehouse.WorkingKind) map[gatehouse.ID][]byte { return maps.Clone(k) }

func (k kept) RemoveKept(_ context.Context, _ gatehouse.WorkingKind, id gatehouse.ID) error {
	delete(k, id)
	return nil
}

func (k kept) AccessVerifier(token gatehouse.Secret) [32]byte {
	return sha256.Sum256([]byte(token.Reveal()))
}

// Deliveries are messages to webhooks, kept in memory, of which none is sent.
type Deliveries struct {
	mu  sync.Mutex
	all []gatehouse.Delivery
}

// AddDeliveries implements gatehouse.DeliveryStore.
func (d *Deliveries) AddDeliveries(_ context.Context, _ gatehouse.Place, _ uint64, list []gatehouse.Delivery) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, list...)
	return nil
}

// DeliveryCursor implements gatehouse.DeliveryStore.
func (d *Deliveries) DeliveryCursor(context.Context, gatehouse.Place) (uint64, bool, error) {
	return 0, true, nil
}

// DueDeliveries implements gatehouse.DeliveryStore: nothing is due here.
func (d *Deliveries) DueDeliveries(context.Context, gatehouse.Place, time.Time, int) ([]gatehouse.Delivery, error) {
	return nil, nil
}

// PutDelivery implements gatehouse.DeliveryStore.
func (d *Deliveries) PutDelivery(_ context.Context, one gatehouse.Delivery) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.all {
		if d.all[i].ID == one.ID {
			d.all[i] = one
		}
	}
	return nil
}

// Deliveries implements gatehouse.DeliveryStore.
func (d *Deliveries) Deliveries(_ context.Context, _ gatehouse.Place, webhook, before gatehouse.ID, limit int) (out []gatehouse.Delivery, _ error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range d.all {
		if one.Webhook == webhook && (before.IsZero() || bytes.Compare(one.ID[:], before[:]) < 0) {
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b gatehouse.Delivery) int { return bytes.Compare(b.ID[:], a.ID[:]) })
	return out[:min(limit, len(out))], nil
}

// DropDeliveries implements gatehouse.DeliveryStore.
func (d *Deliveries) DropDeliveries(_ context.Context, _ gatehouse.Place, webhook gatehouse.ID, _ time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = slices.DeleteFunc(d.all, func(one gatehouse.Delivery) bool { return one.Webhook == webhook })
	return nil
}
