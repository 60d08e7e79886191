package machine

import (
	"context"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/vault"
)

// KeyRotation is how far the rotation of the vault key is that all sites of a machine
// share.
type KeyRotation struct {
	From, To   string // names of the keys; From is the oldest that was in use
	Resumed    bool   // it was begun before
	Moved      int    // rows that were sealed to the new key, of all sites
	Damaged    int    // rows that do not open: their key stays for them
	OtherSlots int    // slots of the old key whose credentials do not open the new one
	// Awaited are the sites whose gates were not heard of: each may bring what it sealed
	// to the old key, which stays for it.
	Awaited []gatehouse.Place
	Done    bool // the old key is retired, and its slots are gone
}

// RotationStep is told while a site's rows are moved.
type RotationStep struct {
	Place      gatehouse.Place
	Done, Left int // rows
}

// keyRotator is what a rotation needs of a machine.
type keyRotator interface {
	Status(ctx context.Context) ([]GateStatus, error)
	Desk(place gatehouse.Place) vault.Desk
	publish(ctx context.Context, name string) error
	finish(ctx context.Context, name string) error
}

// gateWaits is how long a gate that is connected may take to follow.
var gateWaits = 20 * time.Second

// rotateKey exchanges the vault key of all sites, or goes on with what was begun. Every
// site is prepared before the new key is published, and the old one goes when no site
// needs it: see vault/rotate_shared.go. A gate that is revoked is waited for no more.
func rotateKey(ctx context.Context, m keyRotator, with gatehouse.Credential, tell func(RotationStep)) (KeyRotation, error) {
	var all KeyRotation
	gates, err := m.Status(ctx)
	if err != nil {
		return all, err
	}
	if len(gates) == 0 {
		return all, gatehouse.Errorf("gate.none", "pair one with `gatehouse vault pair`", "no gate is paired with this vault")
	}
	for i, g := range gates {
		r, err := m.Desk(g.Place()).PrepareRotation(ctx, unsealer, with)
		if err != nil {
			return all, ofSite(g.Place(), err)
		}
		if i == 0 {
			all.From, all.To, all.Resumed, all.OtherSlots = r.From, r.To, r.Resumed, r.OtherSlots
		}
	}
	if err := m.publish(ctx, all.To); err != nil {
		return all, err
	}
	for _, g := range gates {
		if err := rotateSite(ctx, m, g, with, &all, tell); err != nil {
			return all, ofSite(g.Place(), err)
		}
	}
	if len(all.Awaited) > 0 || all.Damaged > 0 {
		return all, nil
	}
	if err := m.finish(ctx, all.To); err != nil {
		return all, err
	}
	all.Done = true
	return all, nil
}

// rotateSite moves one site's rows and waits for its gate.
func rotateSite(ctx context.Context, m keyRotator, g GateStatus, with gatehouse.Credential, all *KeyRotation, tell func(RotationStep)) error {
	desk := m.Desk(g.Place())
	_, proof, _, err := desk.BeginRotation(ctx, unsealer, with)
	if err != nil {
		return err
	}
	moved, patience := 0, time.Time{}
	for {
		p, err := desk.RotateBatch(ctx, proof, !g.Revoked)
		if err != nil {
			return err
		}
		moved, all.Moved = moved+p.Moved, all.Moved+p.Moved
		tell(RotationStep{Place: g.Place(), Done: moved, Left: p.Left})
		switch {
		case p.Done:
			all.Damaged += p.Damaged
			return nil
		case !p.Gate:
			continue
		case !g.Connected || !patience.IsZero() && time.Now().After(patience):
			all.Damaged += p.Damaged
			all.Awaited = append(all.Awaited, g.Place())
			return nil
		case patience.IsZero():
			patience = time.Now().Add(gateWaits)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ofSite says which site an error is about.
func ofSite(place gatehouse.Place, err error) error {
	var e *gatehouse.Error
	if !errors.As(err, &e) {
		return err
	}
	return gatehouse.Errorf(e.Code, e.Hint, "%s/%s: %s", place.Org, place.Site, e.Message)
}

// publish makes the new key the one that is sealed to, once every site's process takes
// rows for it; no site is paired meanwhile. Errors: vault.rotation, vault.Pinned's.
func (m *Machine) publish(ctx context.Context, name string) error {
	m.pairing.Lock()
	defer m.pairing.Unlock()
	if err := m.each(ctx, func(v *vault.Vault) error { return v.Pinned(ctx, name) }); err != nil {
		return err
	}
	public, err := vault.PublishRotation(m.o.Dir, name)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.public = public // for whoever is paired from now on
	return nil
}

// finish retires the other keys, once no site has anything for them. Errors:
// vault.rotation, vault.Retire's.
func (m *Machine) finish(ctx context.Context, name string) error {
	m.pairing.Lock()
	defer m.pairing.Unlock()
	if err := m.each(ctx, func(v *vault.Vault) error { return v.Retire(ctx, name) }); err != nil {
		return err
	}
	return vault.FinishRotation(m.o.Dir, name)
}

// each calls f with every site's vault process, those of revoked gates too.
func (m *Machine) each(ctx context.Context, f func(*vault.Vault) error) error {
	for _, g := range m.Gates() {
		p, err := m.process(ctx, g.Place())
		if err == nil {
			err = f(p.vault.Load())
		}
		if err != nil {
			return ofSite(g.Place(), err)
		}
	}
	return nil
}

func (l local) publish(ctx context.Context, name string) error { return l.m.publish(ctx, name) }
func (l local) finish(ctx context.Context, name string) error  { return l.m.finish(ctx, name) }

// RotateKey implements Admin. Gates cannot reach a machine that does not serve, so it
// ends only where all of them have followed before, or are revoked.
func (l local) RotateKey(ctx context.Context, with gatehouse.Credential, tell func(RotationStep)) (KeyRotation, error) {
	return rotateKey(ctx, l, with, tell)
}

func (s *overSocket) publish(ctx context.Context, name string) error {
	_, err := s.call(ctx, publishCommand, name, nil, nil)
	return err
}

func (s *overSocket) finish(ctx context.Context, name string) error {
	_, err := s.call(ctx, finishCommand, name, nil, nil)
	return err
}

// RotateKey implements Admin.
func (s *overSocket) RotateKey(ctx context.Context, with gatehouse.Credential, tell func(RotationStep)) (KeyRotation, error) {
	return rotateKey(ctx, s, with, tell)
}
