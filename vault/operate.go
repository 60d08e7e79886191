package vault

import (
	"context"
	"time"

	"gatehouse"
)

var _ gatehouse.Opener = (*Vault)(nil)

// Open implements gatehouse.Opener: one disclosure, durable before the plaintexts
// leave the vault process. The request and the answer are limited to 256 MiB each.
// Errors: vault.sealed, vault.forbidden, vault.too_many, vault.purpose,
// vault.reason, vault.operator, vault.too_large, vault.unavailable, vault.timeout,
// vault.budget (the message says when it suffices again), vault.canary (the vault is
// shut from now on), and the store's where the disclosure cannot be written.
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

// Unseal is UnsealWith of a passphrase.
func (v *Vault) Unseal(ctx context.Context, operator, passphrase string, lasts time.Duration) (proof []byte, until time.Time, err error) {
	return v.UnsealWith(ctx, operator, gatehouse.Passphrase([]byte(passphrase)), lasts)
}

// UnsealWith lets an operator open the vault for a while (up to 24 hours): the proof
// goes into OpenRequest.Proof, and is worth nothing once until has passed or the
// vault process has ended. A wrong passphrase costs about a second; whatever is wrong is
// counted. Errors: vault.passphrase, vault.credential, vault.no_slot, vault.busy (another
// one is being checked), vault.key_damaged, vault.missing, vault.duration,
// vault.operator, vault.unavailable, vault.timeout, vault.elsewhere (it is on another
// machine: see Claim), vault.letterbox, and those of package custody.
func (v *Vault) UnsealWith(ctx context.Context, operator string, c gatehouse.Credential, lasts time.Duration) (proof []byte, until time.Time, err error) {
	if v.remote != nil {
		return nil, until, errElsewhere()
	}
	var reply unsealReply
	blobs, err := callWith(ctx, v.process.Call, methodUnseal, unsealRequest{Operator: operator, With: show(c), Lasts: lasts}, []gatehouse.Credential{c}, nil, &reply)
	if err != nil {
		return nil, until, err
	}
	if len(blobs) != 1 || len(blobs[0]) != proofSize {
		return nil, until, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process gave no proof")
	}
	return blobs[0], reply.Until, nil
}

// Await returns when the vault process can be asked, or when ctx ends: vault.unavailable,
// vault.timeout.
func (v *Vault) Await(ctx context.Context) error { return v.process.Wait(ctx) }

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
// sealed; reasons come sealed, and are opened by Open with the purpose audit (see
// gatehouse.ReasonContext). Errors: vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Disclosures(ctx context.Context, before gatehouse.ID, limit int) ([]gatehouse.Disclosure, error) {
	var list []gatehouse.Disclosure
	_, err := v.process.Call(ctx, methodDisclosures, listRequest{Before: before, Limit: limit}, nil, &list)
	return list, err
}
