package vault

import (
	"context"
	"sync"
	"time"

	"gatehouse"
)

// What an operator says when asking for somebody's data may name them, so a reason is
// archive data like what it was given for: the vault process seals it under a day chain
// of its own in the key store, the audit leaf commits to what was sealed, and a listing
// gives it sealed. Until its day expires it can be opened like anything else: with a
// proof, a leaf and a unit of the budget. The chain's seed is in no place but its
// row, and its state in this process goes forward after each reason.

// reasons seals the reasons of one vault. It is safe for concurrent use.
type reasons struct {
	place gatehouse.Place
	keys  *keyStore
	room  *strongroom

	mu    sync.Mutex
	day   string
	chain *chain // nil before the first reason of a day, or where the last is spent
}

// of is where the reason of a row of that table belongs.
func (r *reasons) of(table string, id gatehouse.ID) gatehouse.SealContext {
	return gatehouse.SealContext{Place: r.place, Table: table, Row: id, Field: "reason"}
}

// seal returns the sealed reason, empty for none. The chain's row is durable then.
func (r *reasons) seal(ctx context.Context, where gatehouse.SealContext, at time.Time, reason string) ([]byte, error) {
	if reason == "" {
		return []byte{}, nil
	}
	return r.sealBytes(ctx, where, at, []byte(reason), gatehouse.PadField)
}

// sealBytes seals what holds a reason.
func (r *reasons) sealBytes(ctx context.Context, where gatehouse.SealContext, at time.Time, plain []byte, how gatehouse.Padding) ([]byte, error) {
	l, secret, err := r.take(ctx, at)
	if err != nil {
		return nil, err
	}
	return sealEnvelope(where, []link{l}, [][32]byte{secret}, plain, how), nil
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
	row := chainRow{Place: r.place, ID: gatehouse.NewID(now), Kind: dayChain, Class: gatehouse.ReasonClass, Day: at.UTC().Format(time.DateOnly),
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
