package vault

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/vault/budget"
)

// The server holds the keys of the vault's database files, and may edit them beneath
// the vault process. So what controls disclosures is sealed once more, under a key
// that follows from the private key alone: it can be lost or put back to an earlier
// state, and nothing else. Lost levels count as spent; a lost control shuts the vault
// until somebody with its passphrase begins anew. Each state holds the number of the
// leaf that was written with it and that commits to it, and counts only while no later
// leaf commits to another one: see states.go. An earlier state of the whole file is
// found by the audit log's witness; another machine or user for the vault process
// keeps the server from writing it at all.
const (
	labelControl = "gatehouse/control/v1" // private key's seed -> the key; also begins its AAD

	controlState = "control" // a control
	levelState   = "levels"  // []budget.Spent
	genesisState = "genesis" // a random id: Init made this vault, and it was never unsealed
)

// genesisFile is written by Init and consumed by the first unsealing: only a vault
// that was never unsealed has no control of its own yet.
const genesisFile = "control.new"

// control is what disclosures are controlled by. It changes seldom, and only by
// somebody who gives the vault's passphrase, or because a canary was opened.
type control struct {
	Limits    budget.Limits
	Canaries  map[gatehouse.SubjectID]canary
	Tokens    map[string]canary // by the token's SHA-256, hexadecimal
	Operators map[string]registered
	Tripped   gatehouse.ID // the canary that shut the vault; zero while it may be unsealed
	TrippedBy string       // who opened it, as in trip.operator
}

// canary is a person, vehicle or token that nobody has a reason to open.
type canary struct {
	Kind    gatehouse.SubjectKind // empty for a token
	Label   string                // where it was planted, in the operator's words
	Planted time.Time
}

func newControl() *control {
	return &control{Limits: budget.Defaults(), Canaries: map[gatehouse.SubjectID]canary{}, Tokens: map[string]canary{}, Operators: map[string]registered{}}
}

// clone copies c, so that a change counts once it is durable.
func (c *control) clone() *control {
	n := *c
	n.Canaries, n.Tokens, n.Operators = maps.Clone(c.Canaries), maps.Clone(c.Tokens), maps.Clone(c.Operators)
	return &n
}

// controlKey derives the key of the sealed state from the private key's seed.
func controlKey(seed []byte) [32]byte { return expand(seed, labelControl) }

func controlAAD(name string) []byte { return bind([]byte(labelControl), []byte(name)) }

// sealState seals one state: nonce, AES-256-GCM of the JSON padded to 4 KiB, tag. How
// many canaries there are is nobody's to count.
func sealState(key [32]byte, name string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	out := padBehind(nonceSize, plain, gatehouse.PadRecord)
	clear(plain)
	random(out[:nonceSize])
	return newAEAD(key[:]).Seal(out[:nonceSize], out[:nonceSize], out[nonceSize:], controlAAD(name)), nil
}

// openState undoes sealState; false where anything does not fit.
func openState(key [32]byte, name string, sealed []byte, v any) bool {
	if len(sealed) < nonceSize+tagSize {
		return false
	}
	padded, err := newAEAD(key[:]).Open(nil, sealed[:nonceSize], sealed[nonceSize:], controlAAD(name))
	if err != nil {
		return false
	}
	plain, ok := unpad(padded)
	return ok && json.Unmarshal(plain, v) == nil
}

// writeGenesis says that the vault of this seed was made just now.
func writeGenesis(dir string, seed []byte) error {
	sealed, err := sealState(controlKey(seed), genesisState, gatehouse.RandomID())
	if err != nil {
		return err
	}
	return writeDurably(filepath.Join(dir, genesisFile), sealed, true)
}

// ShareGenesis says in a site's directory, whose vault process has not run yet, that
// this vault was never unsealed for that site: to is the site's directory, from the one
// that Init was called with. Errors: vault.failed.
func ShareGenesis(from, to string) error {
	for _, file := range []string{auditFile, genesisFile} {
		if _, err := os.Lstat(filepath.Join(to, file)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	sealed, err := os.ReadFile(filepath.Join(from, genesisFile))
	if err == nil {
		err = writeDurably(filepath.Join(to, genesisFile), sealed, false)
	}
	if err != nil {
		return gatehouse.Errorf("vault.failed", "restore control.new from the copy of the vault's directory", "the first state of a site's vault cannot be made: %w", err)
	}
	return nil
}

// isGenesis reports whether the vault of this seed was made and never unsealed.
func isGenesis(dir string, seed []byte) (bool, error) {
	sealed, err := os.ReadFile(filepath.Join(dir, genesisFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, gatehouse.Errorf("vault.failed", "check who may read the vault's directory", "the vault's first state cannot be read: %w", err)
	}
	var id gatehouse.ID
	return openState(controlKey(seed), genesisState, sealed, &id), nil
}

// endGenesis takes the mark away; it is called at every unsealing, since a crash may
// have come between.
func endGenesis(dir string) error {
	err := os.Remove(filepath.Join(dir, genesisFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return gatehouse.Errorf("vault.failed", "check who may write the vault's directory", "the vault's first state cannot be ended: %w", err)
	}
	return nil
}

// loaded is what loadControl found.
type loaded struct {
	control *control
	leaf    int64 // the number of the leaf that commits to the control
	levels  []budget.Spent
	tripped gatehouse.ID // a canary that was opened since the control was written
	spent   bool         // the levels were altered, put back or lost
	fresh   bool         // the vault's very first unsealing
	older   bool         // it is sealed under a key that a rotation has replaced
}

// loadControl opens the sealed state with the keys of a person who unseals the vault:
// the current one, or an older one where a rotation was interrupted. It fails with
// vault.altered where the control was altered, put back or lost.
func (a *auditDB) loadControl(ctx context.Context, dir string, keys openKeys) (loaded, error) {
	sealed, err := a.state(ctx, controlState)
	if err != nil {
		return loaded{}, err
	}
	if sealed == nil {
		return a.loadGenesis(ctx, dir, keys)
	}
	found, err := a.committed(ctx, levelState)
	if err != nil {
		return loaded{}, err
	}
	got := loaded{control: newControl(), tripped: found.tripped}
	sealedLevels, err := a.state(ctx, levelState)
	if err != nil {
		return loaded{}, err
	}
	var levels numbered[[]budget.Spent]
	_, ok := openWith(keys, levelState, sealedLevels, &levels)
	at, known := found.states[levelState]
	if ok && known && at.is(sealedLevels, levels.Leaf) {
		got.levels = levels.State
		at, err = a.committedBy(ctx, levels.Control, controlState)
	} else {
		// Nothing in the levels says where the control's leaf is.
		got.spent = true
		found, err = a.committed(ctx, controlState)
		at, got.tripped = found.states[controlState], found.tripped
	}
	if err != nil {
		return loaded{}, err
	}
	var c numbered[*control]
	c.State = got.control
	older, ok := openWith(keys, controlState, sealed, &c)
	if !ok || !at.is(sealed, c.Leaf) {
		return loaded{}, errAltered("altered")
	}
	got.control, got.leaf, got.older = c.State, c.Leaf, older
	return got, nil
}

// loadGenesis is loadControl where there is no control: that is right only before the
// first unsealing, which the log would name, whatever files lie there.
func (a *auditDB) loadGenesis(ctx context.Context, dir string, keys openKeys) (loaded, error) {
	found, err := a.committed(ctx, "")
	if err != nil {
		return loaded{}, err
	}
	if len(found.states) > 0 || found.unsealed {
		return loaded{}, errAltered("lost")
	}
	for _, k := range keys {
		fresh, err := isGenesis(dir, k.seed[:])
		if fresh || err != nil {
			return loaded{control: newControl(), fresh: true, tripped: found.tripped}, err
		}
	}
	return loaded{}, errAltered("lost")
}

// openWith opens a state with the first of the keys that fits; older says that it was
// not the current one.
func openWith(keys openKeys, name string, sealed []byte, v any) (older, ok bool) {
	for i := range keys {
		key := controlKey(keys[i].seed[:])
		ok := openState(key, name, sealed, v)
		clear(key[:])
		if ok {
			return i > 0, true
		}
	}
	return false, false
}

func errAltered(how string) error {
	return gatehouse.Errorf("vault.altered", "restore the vault's directory from a backup, or begin anew with `gatehouse budget set --anew`: no canaries, no operators, and all budgets spent",
		"what controls the vault's disclosures was %s outside of the vault", how)
}
