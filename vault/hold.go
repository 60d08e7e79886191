package vault

import (
	"context"
	"encoding/binary"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

const (
	methodHold      = "hold"       // header holdRequest, attachment: proof
	methodHoldItems = "hold_items" // header holdItemsRequest, attachment: proof; reply int
	methodHolds     = "holds"      // header holdsRequest; reply []gatehouse.Hold
	methodHoldUntil = "hold_until" // header holdUntilRequest, attachment: proof
	methodHoldsEnd  = "holds_end"  // reply int
)

type holdRequest struct {
	Hold   gatehouse.Hold
	Reason string
}

type holdItemsRequest struct {
	Place    gatehouse.Place
	ID       gatehouse.ID
	Operator string
	Links    []byte // of each item 2 × (16 bytes chain id, 2 bytes position)
}

type holdsRequest struct{ Place gatehouse.Place }

type holdUntilRequest struct {
	Place    gatehouse.Place
	ID       gatehouse.ID
	Operator string
	Until    time.Time // zero: lifted now
}

// maxHold is the longest that a hold lasts before somebody has to extend it.
const maxHold = 366 * 24 * time.Hour

// maxHeldItems bounds one call of HoldItems.
const maxHeldItems = 10_000

// Hold keeps a subject's items, or a day's, openable until h.Until although their day
// expires, and keeps the subject from being erased. For a subject, HoldItems names the
// items; a day's are all held when they expire. It needs the proof of an operator who
// has unsealed the vault, and is in the audit log. Errors: hold.invalid, hold.until (at
// most a year ahead), vault.reason where none is given, vault.sealed,
// vault.forbidden, vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Hold(ctx context.Context, h gatehouse.Hold, reason string, proof []byte) error {
	_, err := v.process.Call(ctx, methodHold, holdRequest{h, reason}, [][]byte{proof}, nil)
	return err
}

// HoldItems keeps the keys of a held subject's sealed values apart, and says how many
// there are in all. Only those values can be opened with them: the others of their
// days expire. At most 10,000 values a call; the same may be named again. Errors: those
// of Hold, and hold.unknown.
func (v *Vault) HoldItems(ctx context.Context, place gatehouse.Place, hold gatehouse.ID, operator string, proof []byte, sealed [][]byte) (items int, err error) {
	r := holdItemsRequest{Place: place, ID: hold, Operator: operator}
	for _, b := range sealed {
		e, err := parseEnvelope(b)
		if err != nil || len(e.links) != 2 {
			continue // of no subject
		}
		for _, l := range e.links {
			r.Links = append(r.Links, l.chain[:]...)
			r.Links = binary.BigEndian.AppendUint16(r.Links, l.position)
		}
	}
	_, err = v.process.Call(ctx, methodHoldItems, r, [][]byte{proof}, &items)
	return items, err
}

// Holds lists a site's holds that are in force, by time. Errors: vault.unavailable,
// vault.timeout, and the store's.
func (v *Vault) Holds(ctx context.Context, place gatehouse.Place) ([]gatehouse.Hold, error) {
	var list []gatehouse.Hold
	_, err := v.process.Call(ctx, methodHolds, holdsRequest{place}, nil, &list)
	return list, err
}

// HoldUntil gives a hold another end, at most a year ahead. Its errors are those of
// Hold and hold.unknown.
func (v *Vault) HoldUntil(ctx context.Context, place gatehouse.Place, hold gatehouse.ID, operator string, proof []byte, until time.Time) error {
	_, err := v.process.Call(ctx, methodHoldUntil, holdUntilRequest{place, hold, operator, until}, [][]byte{proof}, nil)
	return err
}

// LiftHold ends a hold now: what it kept beyond its retention is noise from then on.
func (v *Vault) LiftHold(ctx context.Context, place gatehouse.Place, hold gatehouse.ID, operator string, proof []byte) error {
	return v.HoldUntil(ctx, place, hold, operator, proof, time.Time{})
}

// EndHolds deletes what holds kept whose end has come, and says how many holds ended.
func (v *Vault) EndHolds(ctx context.Context) (ended int, err error) {
	_, err = v.process.Call(ctx, methodHoldsEnd, nil, nil, &ended)
	return ended, err
}

func (s *service) holdHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodHold: s.handleHold, methodHoldItems: s.handleHoldItems, methodHolds: s.handleHolds,
		methodHoldUntil: s.handleHoldUntil, methodHoldsEnd: s.handleHoldsEnd}
}

func (s *service) handleHold(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in holdRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	h, now := in.Hold, time.Now()
	_, badDay := time.Parse(time.DateOnly, h.Day)
	switch {
	case len(r.Blobs) != 1 || h.ID.IsZero() || h.Subject.IsZero() == (h.Day == "") || h.Day != "" && badDay != nil:
		return nil, nil, gatehouse.Errorf("hold.invalid", "name a subject or a day (YYYY-MM-DD)", "a hold is on one subject or on one day")
	case in.Reason == "" || len(in.Reason) > maxReason:
		return nil, nil, gatehouse.Errorf("vault.reason", "say why, in at most 500 bytes", "a hold needs a reason")
	}
	if err := checkHoldEnd(h.Until, now); err != nil {
		return nil, nil, err
	}
	if _, err := s.room.admit(h.Operator, r.Blobs[0]); err != nil {
		return nil, nil, err
	}
	s.destroying.Lock()
	defer s.destroying.Unlock()
	if begun, err := s.audit.erasing(ctx, h.Place, h.Subject); err != nil || begun {
		if err == nil {
			err = gatehouse.Errorf("hold.invalid", "nothing of it is left to be held", "this subject was erased")
		}
		return nil, nil, err
	}
	h.Made = now
	key, err := newHoldKey(h, s.room.current())
	if err != nil {
		return nil, nil, err
	}
	reason, err := s.audit.reasons.seal(ctx, s.audit.reasons.of("holds", h.ID), now, in.Reason)
	if err != nil {
		return nil, nil, err
	}
	if err := s.recordHold(ctx, now, "made", h, h.Operator, digestOf(reason)); err != nil {
		return nil, nil, err
	}
	return nil, nil, s.keys.addHold(ctx, h, reason, key)
}

func checkHoldEnd(until, now time.Time) error {
	if !until.After(now) || until.Sub(now) > maxHold {
		return gatehouse.Errorf("hold.until", "give a date within a year; it can be extended", "a hold has an end, at most a year ahead")
	}
	return nil
}

// recordHold writes what happens to a hold; the leaf names a subject by its alias.
func (s *service) recordHold(ctx context.Context, now time.Time, event string, h gatehouse.Hold, operator string, more ...string) error {
	subject := ""
	if !h.Subject.IsZero() {
		alias, err := s.keys.alias(ctx, h.Place, h.Subject)
		if err != nil {
			return err
		}
		subject = alias.String()
	}
	parts := []string{h.ID.String(), string(h.Org), string(h.Site), subject, h.Day, operator, h.Until.UTC().Format(time.RFC3339)}
	_, err := s.audit.record(ctx, gatehouse.EventLeaf(gatehouse.HoldLeafKind, now, event, append(parts, more...)...), nil)
	return err
}

func (s *service) handleHoldItems(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in holdItemsRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) != 1 || len(in.Links)%(2*linkSize) != 0 || len(in.Links) > maxHeldItems*2*linkSize {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "items are named by two links each")
	}
	private, err := s.room.admit(in.Operator, r.Blobs[0])
	if err != nil {
		return nil, nil, err
	}
	h, err := s.keys.hold(ctx, in.Place, in.ID, time.Now())
	if err != nil {
		return nil, nil, err
	}
	if h.Subject.IsZero() {
		return nil, nil, gatehouse.Errorf("hold.invalid", "a day's items are held when they expire", "this hold is on a day")
	}
	key, err := h.openKey(private)
	if err != nil {
		return nil, nil, err
	}
	defer clear(key[:])
	secrets, err := s.heldSecrets(ctx, h, private, in.Links)
	if err != nil {
		return nil, nil, err
	}
	n, err := s.keys.addHeldItems(ctx, h, key, secrets)
	return n, nil, err
}

func (s *service) handleHolds(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in holdsRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	list, err := s.keys.holds(ctx, in.Place, time.Now())
	return list, nil, err
}

func (s *service) handleHoldUntil(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in holdUntilRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) != 1 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "the proof is missing")
	}
	if _, err := s.room.admit(in.Operator, r.Blobs[0]); err != nil {
		return nil, nil, err
	}
	s.destroying.Lock()
	defer s.destroying.Unlock()
	ctx, now := context.WithoutCancel(ctx), time.Now()
	h, err := s.keys.hold(ctx, in.Place, in.ID, now)
	if err != nil {
		return nil, nil, err
	}
	event := "extended"
	if in.Until.IsZero() {
		event, in.Until = "lifted", now
	} else if err := checkHoldEnd(in.Until, now); err != nil {
		return nil, nil, err
	}
	h.Until = in.Until
	if err := s.recordHold(ctx, now, event, h.Hold, in.Operator); err != nil {
		return nil, nil, err
	}
	if event == "lifted" {
		return nil, nil, s.keys.endHold(ctx, h.ID, now)
	}
	return nil, nil, s.keys.setHoldEnd(ctx, h.ID, in.Until)
}

// handleHoldsEnd ends the holds whose time has come.
func (s *service) handleHoldsEnd(ctx context.Context, _ *child.Request) (any, [][]byte, error) {
	s.destroying.Lock()
	defer s.destroying.Unlock()
	ended, err := s.endHolds(context.WithoutCancel(ctx), time.Now())
	return ended, nil, err
}

// endHolds is called with the lock on destroying held. By a clock that is not to be
// believed no hold ends.
func (s *service) endHolds(ctx context.Context, now time.Time) (ended int, err error) {
	over, err := s.keys.overdueHolds(ctx, now)
	if err != nil {
		return 0, err
	}
	if len(over) > 0 {
		if err := s.checkClock(ctx, now); gatehouse.ErrorCode(err) == "vault.clock" {
			return 0, nil
		} else if err != nil {
			return 0, err
		}
	}
	for _, h := range over {
		if err := s.recordHold(ctx, now, "ended", h, ""); err != nil {
			return 0, err
		}
		if err := s.keys.endHold(ctx, h.ID, now); err != nil {
			return 0, err
		}
	}
	return len(over), nil
}
