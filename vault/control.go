package vault

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/budget"
)

// The server holds the keys of the vault's database files, and may edit them beneath
// the vault process. So what controls disclosures is sealed once more, under a key
// that follows from the private key alone: it can be lost or put back to an earlier
// state, and nothing else. Lost levels count as spent; a lost control shuts the vault
// until somebody with its credential begins anew. An earlier state of the file is
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
// somebody who gives the vault's credential, or because a canary was opened.
type control struct {
	Limits    budget.Limits
	Canaries  map[gatehouse.SubjectID]canary
	Tokens    map[string]string // labels of canary tokens, by digest in hexadecimal; nil in earlier versions
	Operators map[string]ed25519.PublicKey
	Tripped   gatehouse.ID // the canary that shut the vault; zero while it may be unsealed
}

// canary is a person or vehicle that nobody has a reason to open.
type canary struct {
	Kind    gatehouse.SubjectKind
	Label   string // where it was planted, in the operator's words
	Planted time.Time
}

func newControl() *control {
	return &control{Limits: budget.Defaults(), Canaries: map[gatehouse.SubjectID]canary{}, Operators: map[string]ed25519.PublicKey{}}
}

// clone copies c, so that a change counts once it is durable.
func (c *control) clone() *control {
	n := *c
	n.Canaries, n.Operators, n.Tokens = map[gatehouse.SubjectID]canary{}, map[string]ed25519.PublicKey{}, map[string]string{}
	for k, v := range c.Canaries {
		n.Canaries[k] = v
	}
	for k, v := range c.Operators {
		n.Operators[k] = v
	}
	for k, v := range c.Tokens {
		n.Tokens[k] = v
	}
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

// putState writes a sealed state in a transaction.
func putState(ctx context.Context, tx *sql.Tx, name string, sealed []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO control (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed`, name, sealed)
	return err
}

// state reads a sealed state; nil where it is not there.
func (a *auditDB) state(ctx context.Context, name string) (sealed []byte, err error) {
	err = a.db.Readers().QueryRowContext(ctx, `SELECT sealed FROM control WHERE name = ?`, name).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return sealed, sealeddb.Wrap(auditFile, err)
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
	levels  []budget.Spent
	spent   bool // the levels were altered or lost
	fresh   bool // the vault's very first unsealing
	older   bool // it is sealed under a key that a rotation has replaced
}

// loadControl opens the sealed state with the keys of a person who unseals the vault:
// the current one, or an older one where a rotation was interrupted. It fails with
// vault.altered where the control was altered or lost.
func (a *auditDB) loadControl(ctx context.Context, dir string, keys openKeys) (loaded, error) {
	sealed, err := a.state(ctx, controlState)
	if err != nil {
		return loaded{}, err
	}
	if sealed == nil {
		for _, k := range keys {
			fresh, err := isGenesis(dir, k.seed[:])
			if fresh || err != nil {
				return loaded{control: newControl(), fresh: true}, err
			}
		}
		return loaded{}, errAltered("lost")
	}
	got := loaded{control: newControl()}
	older, ok := openWith(keys, controlState, sealed, got.control)
	if !ok {
		return loaded{}, errAltered("altered")
	}
	got.older = older
	if sealed, err = a.state(ctx, levelState); err != nil {
		return loaded{}, err
	}
	_, ok = openWith(keys, levelState, sealed, &got.levels)
	got.spent = !ok
	return got, nil
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
