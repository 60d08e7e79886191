package vault

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"gatehouse"
)

// What an operator says when asking for somebody's data may name them, so a reason is
// archive data like what it was given for: the vault process seals it, with the salt
// that hides it in the audit leaf, under a day chain of its own in the key store, and
// shows it again while the vault is unsealed. The chain's seed is in no place but its
// row, and its state in this process goes forward after each reason.
const reasonClass gatehouse.RetentionClass = "reason"

// reasons seals and opens the reasons of one vault. It is safe for concurrent use.
type reasons struct {
	keys *keyStore
	room *strongroom

	mu    sync.Mutex
	day   string
	chain *chain // nil before the first reason of a day, or where the last is spent
}

// sealedReason is what is sealed of a disclosure.
type sealedReason struct {
	Salt   [16]byte
	Reason string
}

// reasonContext is where a disclosure's reason belongs.
func reasonContext(id gatehouse.ID) gatehouse.SealContext {
	return gatehouse.SealContext{Table: "disclosures", Row: id, Field: "reason"}
}

// seal returns the sealed reason and salt of d. The chain's row is durable then.
func (r *reasons) seal(ctx context.Context, d gatehouse.Disclosure) ([]byte, error) {
	plain, err := json.Marshal(sealedReason{d.Salt, d.Reason})
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	l, secret, err := r.take(ctx, d.At)
	if err != nil {
		return nil, err
	}
	return sealEnvelope(reasonContext(d.ID), []link{l}, [][32]byte{secret}, plain, gatehouse.PadField), nil
}

func (r *reasons) take(ctx context.Context, at time.Time) (link, [32]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if day := at.UTC().Format(time.DateOnly); r.chain != nil && r.day == day {
		if l, secret, ok := r.chain.take(); ok {
			return l, secret, nil
		}
	}
	if r.chain != nil {
		r.chain.spend()
		r.chain = nil
	}
	now, public := time.Now(), r.room.current()
	row := chainRow{ID: gatehouse.NewID(now), Kind: dayChain, Class: reasonClass, Day: at.UTC().Format(time.DateOnly),
		Recipient: publicKeyName(public), Created: now.UTC().Truncate(time.Millisecond)}
	var seed [32]byte
	random(seed[:])
	defer clear(seed[:])
	if err := row.sealSeed(public, seed[:]); err != nil {
		return link{}, [32]byte{}, unavailable(err)
	}
	if err := r.keys.append(ctx, []chainRow{row}); err != nil {
		return link{}, [32]byte{}, err
	}
	r.chain, r.day = newChain(row.ID, seed[:]), row.Day
	l, secret, _ := r.chain.take() // a new chain has room
	return l, secret, nil
}

// openReasons fills in the reasons and salts of a listing, those that are sealed (the others
// are nil). While the vault is sealed, and where a day's chain has been deleted, they
// stay away and ReasonSealed says so.
func (s *service) openReasons(ctx context.Context, list []gatehouse.Disclosure, sealed [][]byte) error {
	var refs []gatehouse.SealContext
	var values [][]byte
	var of []int
	for i, v := range sealed {
		if v != nil {
			list[i].ReasonSealed = true
			refs, values, of = append(refs, reasonContext(list[i].ID)), append(values, v), append(of, i)
		}
	}
	private, err := s.room.use()
	if err != nil || len(refs) == 0 {
		return nil // sealed
	}
	plain, err := s.openAll(ctx, private, refs, values)
	if err != nil {
		return err
	}
	for k, p := range plain {
		var was sealedReason
		if p == nil || json.Unmarshal(p, &was) != nil {
			continue
		}
		d := &list[of[k]]
		d.Salt, d.Reason, d.ReasonSealed = was.Salt, was.Reason, false
		clear(p)
	}
	return nil
}
