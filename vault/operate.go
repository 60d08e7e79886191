package vault

import (
	"context"
	"slices"
	"time"

	"gatehouse"
)

var _ gatehouse.Opener = (*Vault)(nil)

// Open implements gatehouse.Opener: one disclosure, durable before the plaintexts
// leave the vault process. The request and the answer are limited to 256 MiB each.
// Errors: vault.sealed, vault.forbidden, vault.too_many, vault.purpose,
// vault.reason, vault.operator, vault.too_large, vault.unavailable, vault.timeout,
// and the store's where the disclosure cannot be written.
func (v *Vault) Open(ctx context.Context, r gatehouse.OpenRequest) ([][]byte, error) {
	if len(r.Refs) > maxRefs {
		return nil, gatehouse.Errorf("vault.too_many", "ask for less at a time", "at most %d values are opened at a time, not %d", maxRefs, len(r.Refs))
	}
	request := openRequest{Operator: r.Operator, Role: r.Role, Purpose: r.Purpose, Reason: r.Reason, Refs: make([]gatehouse.SealContext, len(r.Refs))}
	blobs := make([][]byte, 0, 1+len(r.Refs))
	blobs = append(blobs, r.Proof)
	for i, ref := range r.Refs {
		request.Refs[i] = ref.Where
		blobs = append(blobs, ref.Sealed)
	}
	var reply openReply
	plain, err := v.process.Call(ctx, methodOpen, request, blobs, &reply)
	if err != nil {
		return nil, err
	}
	if len(plain) != len(r.Refs) || len(reply.Opened) != len(r.Refs) {
		return nil, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process answered with %d values to %d", len(plain), len(r.Refs))
	}
	for i, opened := range reply.Opened {
		if !opened {
			plain[i] = nil
		}
	}
	return plain, nil
}

// Unseal lets an operator open the vault for a while (up to 24 hours): the proof
// goes into OpenRequest.Proof, and is worth nothing once until has passed or the
// vault process has ended. A wrong passphrase costs about a second and is counted.
// Errors: vault.passphrase, vault.busy (another one is being checked), vault.key_damaged, vault.missing, vault.duration,
// vault.operator, vault.unavailable, vault.timeout, vault.elsewhere (it is on another
// machine: see Claim).
func (v *Vault) Unseal(ctx context.Context, operator, passphrase string, lasts time.Duration) (proof []byte, until time.Time, err error) {
	if v.remote != nil {
		return nil, until, errElsewhere()
	}
	var reply unsealReply
	blobs, err := v.process.Call(ctx, methodUnseal, unsealRequest{Operator: operator, Lasts: lasts}, [][]byte{[]byte(passphrase)}, &reply)
	if err != nil {
		return nil, until, err
	}
	if len(blobs) != 1 || len(blobs[0]) != proofSize {
		return nil, until, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process gave no proof")
	}
	return blobs[0], reply.Until, nil
}

// SealVault ends every operator's lease and zeroes the private key. Errors:
// vault.unavailable (then there is no key either), vault.timeout.
func (v *Vault) SealVault(ctx context.Context) error {
	_, err := v.process.Call(ctx, methodSeal, nil, nil, nil)
	return err
}

// Status reports the vault's state. Errors: vault.unavailable, vault.timeout, and
// the store's.
func (v *Vault) Status(ctx context.Context) (Status, error) {
	var s Status
	_, err := v.process.Call(ctx, methodStatus, nil, nil, &s)
	return s, err
}

// Disclosures lists what was opened, newest first: at most limit (1..1000), those
// before a disclosure's id where before is not zero. It works while the vault is
// sealed. Errors: vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Disclosures(ctx context.Context, before gatehouse.ID, limit int) ([]gatehouse.Disclosure, error) {
	var list []gatehouse.Disclosure
	_, err := v.process.Call(ctx, methodDisclosures, listRequest{Before: before, Limit: limit}, nil, &list)
	return list, err
}

// Erase deletes subjects' rows in the key store, all or none, and says how many
// there were: everything that was ever sealed for them is noise from then on, in
// every copy. Whoever erases first sees to it that nothing more is sealed for them.
// Errors: vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Erase(ctx context.Context, place gatehouse.Place, subjects ...gatehouse.SubjectID) (chains int, err error) {
	drop := func() {
		v.live.drop(func(k chainKey) bool {
			return k.Place == place && k.class == "" && slices.Contains(subjects, k.subject)
		})
	}
	drop()
	_, err = v.process.Call(ctx, methodErase, eraseRequest{Place: place, Subjects: subjects}, nil, &chains)
	drop() // one that was begun meanwhile may have been deleted
	return chains, err
}

// Expire deletes a day's rows of one retention class, as Erase does a subject's.
// The day is counted in UTC.
func (v *Vault) Expire(ctx context.Context, place gatehouse.Place, class gatehouse.RetentionClass, day time.Time) (chains int, err error) {
	key := dayKey(place, class, day)
	drop := func() { v.live.drop(func(k chainKey) bool { return k == key }) }
	drop()
	_, err = v.process.Call(ctx, methodExpire, expireRequest{Place: place, Class: class, Day: key.period}, nil, &chains)
	drop()
	return chains, err
}
