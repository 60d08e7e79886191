package vault

import (
	"context"
	"crypto/hpke"

	"gatehouse"
)

// KeysStatus says which keys the vault has and what opens them. Errors: vault.missing,
// vault.key_damaged, vault.unavailable, vault.timeout, and the store's.
func (d Desk) KeysStatus(ctx context.Context) (KeysStatus, error) {
	var st KeysStatus
	_, err := d.call(ctx, methodKeysStatus, nil, nil, &st)
	return st, err
}

// AddSlot lets a new credential open the vault key, which with opens, and says which
// slot it has. While a rotation goes on it opens every key that with opens. Errors:
// UnsealWith's, vault.passphrase_short, vault.label, vault.slots_full, and custody's.
func (d Desk) AddSlot(ctx context.Context, operator string, with, added gatehouse.Credential, label string) (id string, err error) {
	_, err = callWith(ctx, d.call, methodAddSlot, addSlotRequest{request(operator, with), show(added), label}, []gatehouse.Credential{with, added}, nil, &id)
	return id, err
}

// RemoveSlot takes a slot away; with must open the key by another one. Errors:
// UnsealWith's, vault.last_slot, vault.slot_in_use, vault.no_slot.
func (d Desk) RemoveSlot(ctx context.Context, operator string, with gatehouse.Credential, id string) error {
	_, err := d.with(ctx, methodRemoveSlot, removeSlotRequest{request(operator, with), id}, with, nil)
	return err
}

// Split makes shares of the vault key, of which any threshold combine (package shares).
// Their texts are secret: enough of them are the key. Errors: UnsealWith's,
// shares.threshold.
func (d Desk) Split(ctx context.Context, operator string, with gatehouse.Credential, threshold, n int) (texts []gatehouse.Secret, err error) {
	blobs, err := d.with(ctx, methodSplit, splitRequest{request(operator, with), threshold, n}, with, nil)
	for _, b := range blobs {
		texts = append(texts, gatehouse.Secret(b))
		clear(b)
	}
	return texts, err
}

// Export returns the keyring and the public key as one bundle for safe keeping; the
// private keys in it are wrapped as they lie here. ImportKeyring takes it back.
func (d Desk) Export(ctx context.Context) ([]byte, error) {
	blobs, err := d.call(ctx, methodExport, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	if len(blobs) != 1 {
		return nil, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process gave no bundle")
	}
	return blobs[0], nil
}

// NoteKey writes an event about keys that happened outside the vault process into the
// audit log: recovered, imported, secret set, secret removed, gate key rotated, gallery
// rotated, file rekeyed. name is a name
// (gatehouse.CheckName) of what it happened to.
func (v *Vault) NoteKey(ctx context.Context, event, name string) error {
	_, err := v.process.Call(ctx, methodNote, noteRequest{event, name}, nil, nil)
	return err
}

// Rotate begins to exchange the vault key, or goes on with a rotation that was begun:
// new chains are sealed to the new key when it returns. RotateBatch does the rest, as
// long as it is given the proof; whoever stops loses nothing and begins again. Errors:
// UnsealWith's, vault.failed, store.full.
func (v *Vault) Rotate(ctx context.Context, operator string, with gatehouse.Credential) (r Rotation, proof []byte, err error) {
	r, proof, public, err := v.BeginRotation(ctx, operator, with)
	if err == nil {
		v.sealTo(public)
	}
	return r, proof, err
}

// BeginRotation is Vault.Rotate at a desk, which seals nothing; it gives the new key.
// Errors: Rotate's; vault.rotation where a shared key pair was not prepared.
func (d Desk) BeginRotation(ctx context.Context, operator string, with gatehouse.Credential) (r Rotation, proof []byte, to hpke.PublicKey, err error) {
	blobs, err := d.with(ctx, methodRotate, request(operator, with), with, &r)
	if err != nil {
		return r, nil, nil, err
	}
	if len(blobs) != 2 {
		return r, nil, nil, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process gave no key")
	}
	public, err := kem().NewPublicKey(blobs[1])
	if err != nil || publicKeyName(public) != r.To {
		return r, nil, nil, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process gave another key than it says")
	}
	return r, blobs[0], public, nil
}

// RotateBatch is Desk.RotateBatch for a gate on this machine, which Rotate told the new key.
func (v *Vault) RotateBatch(ctx context.Context, proof []byte) (RotationProgress, error) {
	return v.Desk.RotateBatch(ctx, proof, false)
}

// RotateBatch moves rows of the key store to the new key for about half a second. gate
// says that the site's gate is elsewhere, and that it is Done only when that seals to
// the new key. Errors: vault.rotation (the vault was sealed or started again: call
// Rotate), and the store's.
func (d Desk) RotateBatch(ctx context.Context, proof []byte, gate bool) (p RotationProgress, err error) {
	_, err = d.call(ctx, methodRotateBatch, rotateBatchRequest{Gate: gate}, [][]byte{proof}, &p)
	return p, err
}
