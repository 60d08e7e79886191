package vault

import (
	"context"
	"time"

	"gatehouse"
)

var _ gatehouse.Sealer = (*Vault)(nil)

// Seal implements gatehouse.Sealer. Under a chain that is live it costs no I/O and
// some ten microseconds; the first item of a subject or a day in this process waits
// for the chain's row to be durable, unless Prepare was called before. Errors:
// sealing.unavailable (after ctx, or 15 s), store.full (the key store's disk),
// sealing.class.
func (v *Vault) Seal(ctx context.Context, subject gatehouse.SubjectID, class gatehouse.RetentionClass, where gatehouse.SealContext, plaintext []byte, pad gatehouse.Padding) ([]byte, error) {
	if !knownClass(class) {
		return nil, gatehouse.Errorf("sealing.class", "this is a fault of the program", "there is no such retention class")
	}
	now := v.now()
	keys := []chainKey{dayKey(where.Place, class, now)}
	if !subject.IsZero() {
		own := subjectKey(where.Place, subject, now)
		if where.Table == templateCopies {
			own.class = templateClass
		}
		keys = []chainKey{own, keys[0]}
		v.live.warm(keys[1]) // both are made at the same time, where neither is there
	}
	links, secrets := make([]link, len(keys)), make([][32]byte, len(keys))
	for i, key := range keys {
		var err error
		if links[i], secrets[i], err = v.live.take(ctx, key); err != nil {
			return nil, err
		}
	}
	return sealEnvelope(where, links, secrets, plaintext, pad), nil
}

// OneOff implements gatehouse.Sealer. Its errors are Seal's.
func (v *Vault) OneOff(ctx context.Context, place gatehouse.Place) (gatehouse.SubjectID, error) {
	one, err := v.strangers.take(ctx, place)
	if err != nil {
		return gatehouse.SubjectID{}, err
	}
	v.live.adopt(subjectKey(place, one.subject, v.now()), one.chain)
	return one.subject, nil
}

// Prepare begins, in the background, the chains that sealing for a subject will
// need; a gate calls it when it first thinks that it knows somebody. A zero subject
// prepares the day's chain and the one-offs.
func (v *Vault) Prepare(place gatehouse.Place, subject gatehouse.SubjectID, class gatehouse.RetentionClass) {
	now := v.now()
	if knownClass(class) {
		v.live.warm(dayKey(place, class, now))
	}
	if !subject.IsZero() {
		v.live.warm(subjectKey(place, subject, now))
		return
	}
	v.strangers.warm(place)
}

func knownClass(c gatehouse.RetentionClass) bool {
	switch c {
	case gatehouse.PassageClass, gatehouse.FrameClass, gatehouse.StrangerClass, gatehouse.RecordClass, gatehouse.PayClass, gatehouse.PayslipClass, gatehouse.ReasonClass:
		return true
	}
	return false
}

func subjectKey(place gatehouse.Place, subject gatehouse.SubjectID, now time.Time) chainKey {
	return chainKey{Place: place, subject: subject, period: now.UTC().Format("2006-01")}
}

func dayKey(place gatehouse.Place, class gatehouse.RetentionClass, now time.Time) chainKey {
	return chainKey{Place: place, class: class, period: now.UTC().Format(time.DateOnly)}
}

// newRow makes a chain and its row, which is not durable yet.
func (v *Vault) newRow(key chainKey) (chainRow, *chain, error) {
	now, to := v.now(), v.sealsTo.Load()
	row := chainRow{Place: key.Place, ID: gatehouse.NewID(now), Kind: dayChain, Class: key.class, Day: key.period,
		Recipient: to.name, Created: now.UTC().Truncate(time.Millisecond)}
	if !key.subject.IsZero() {
		row.Kind, row.Subject, row.Day = subjectChain, key.subject, ""
	}
	var seed [32]byte
	random(seed[:])
	defer clear(seed[:])
	if err := row.sealSeed(to.key, seed[:]); err != nil {
		return chainRow{}, nil, unavailable(err)
	}
	return row, newChain(row.ID, seed[:]), nil
}

// createChain makes a chain whose row is durable when it returns.
func (v *Vault) createChain(key chainKey) (*chain, error) {
	for again := true; ; again = false {
		row, c, err := v.newRow(key)
		if err != nil {
			return nil, err
		}
		if err = v.appends.append(row); err == nil {
			return c, nil
		}
		c.spend()
		if !retired(err) || !again {
			return nil, err
		}
	}
}

// retired says that the vault key was rotated between making a row and storing it; the
// row is made again, for the new one.
func retired(err error) bool { return gatehouse.ErrorCode(err) == "vault.key_retired" }

// createOneOffs makes n subjects with durable chains in one batch.
func (v *Vault) createOneOffs(place gatehouse.Place, n int) ([]oneOff, error) {
	for again := true; ; again = false {
		made, rows := make([]oneOff, n), make([]chainRow, n)
		for i := range made {
			made[i].subject = gatehouse.RandomID()
			var err error
			if rows[i], made[i].chain, err = v.newRow(chainKey{Place: place, subject: made[i].subject}); err != nil {
				return nil, err
			}
		}
		err := v.appends.append(rows...)
		if err == nil {
			return made, nil
		}
		if !retired(err) || !again {
			return nil, err
		}
	}
}
