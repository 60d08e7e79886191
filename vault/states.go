package vault

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// A state beside the log is replaced, so an earlier one could be put back in its place.
// The leaf that is written with a state commits to its bytes, and the state holds, under
// its seal, that leaf's number. So the newest leaf that commits to a state of a name is
// the one that counts; a later leaf that somebody forges for an earlier state has
// another number than the state.

// numbered is what is sealed of a state.
type numbered[T any] struct {
	Leaf    int64 // the number of the leaf that commits to it
	Control int64 // in the levels: the number of the leaf that commits to the control
	State   T
}

// newState is a state that a transaction writes; sealed is nil where the rows
// themselves are the state, and the leaf commits to what the rows say.
type newState struct {
	name   string
	sealed []byte
	digest [sha256.Size]byte
}

func sealedNow(name string, sealed []byte) newState {
	return newState{name: name, sealed: sealed, digest: sha256.Sum256(sealed)}
}

// stateSealer makes the states that are written with leaf number n.
type stateSealer func(n int64) ([]newState, error)

// ofNoState refuses a leaf that looks as if it committed to a state.
func ofNoState(leaf []byte) error {
	if _, states := gatehouse.SplitStates(leaf); len(states) > 0 {
		return gatehouse.Errorf("request.malformed", "this is a fault of the program, or an attack", "what is to be written down looks like the digest of a state")
	}
	return nil
}

// recordStates is commit of one leaf of the vault's own with the states that change
// in its transaction (seal may be nil). It gives the leaf's number.
func (a *auditDB) recordStates(ctx context.Context, leaf []byte, seal stateSealer, also func(ctx context.Context, tx *sql.Tx) error) (int64, error) {
	if err := ofNoState(leaf); err != nil {
		return 0, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var states []newState
	if seal != nil {
		var err error
		if states, err = seal(a.tree.Size()); err != nil {
			return 0, err
		}
	}
	var digests []gatehouse.StateDigest
	for _, s := range states {
		digests = append(digests, gatehouse.StateDigest{Name: s.name, Digest: s.digest})
	}
	n, err := a.add(ctx, []entry{{leaf: gatehouse.WithStates(leaf, digests)}}, func(ctx context.Context, tx *sql.Tx) error {
		for _, s := range states {
			if s.sealed == nil {
				continue
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO control (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed`, s.name, s.sealed); err != nil {
				return err
			}
		}
		if also == nil {
			return nil
		}
		return also(ctx, tx)
	})
	if err == nil {
		a.signer.grown()
	}
	return n, err
}

// state reads a sealed state; nil where it is not there.
func (a *auditDB) state(ctx context.Context, name string) (sealed []byte, err error) {
	err = a.db.Readers().QueryRowContext(ctx, `SELECT sealed FROM control WHERE name = ?`, name).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return sealed, sealeddb.Wrap(auditFile, err)
}

// commitment is a leaf that commits to a state.
type commitment struct {
	leaf   int64
	digest [sha256.Size]byte
}

// is reports whether the leaf commits to these bytes, which say that it does.
func (c commitment) is(sealed []byte, leaf int64) bool {
	return c.leaf == leaf && c.digest == sha256.Sum256(sealed)
}

// foundStates is what committed saw on its way back.
type foundStates struct {
	states   map[string]commitment // the newest of each
	tripped  gatehouse.ID          // the newest canary that was opened and not lifted
	unsealed bool                  // the vault was
}

// committed walks the vault's own leaves from the newest one back to one that commits to
// the named state, or to the first leaf. Leaves of the gate's files do not count: the
// server writes those.
func (a *auditDB) committed(ctx context.Context, name string) (foundStates, error) {
	found := foundStates{states: map[string]commitment{}}
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT n, leaf FROM leaves WHERE position IS NULL ORDER BY n DESC`)
	if err != nil {
		return found, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	lifted := map[string]bool{}
	for rows.Next() {
		var n int64
		var leaf []byte
		if err := rows.Scan(&n, &leaf); err != nil {
			return found, sealeddb.Wrap(auditFile, err)
		}
		plain, states := gatehouse.SplitStates(leaf)
		for _, s := range states {
			if _, ok := found.states[s.Name]; !ok {
				found.states[s.Name] = commitment{n, s.Digest}
			}
		}
		kind, _, parts, err := gatehouse.LeafParts(plain)
		if err != nil {
			return found, err
		}
		if len(parts) > 1 && kind == gatehouse.CanaryLeafKind {
			switch id := string(parts[1]); string(parts[0]) {
			case canaryLifted:
				lifted[id] = true
			case canaryOpened:
				if found.tripped.IsZero() && !lifted[id] {
					if found.tripped, err = gatehouse.ParseID(id); err != nil {
						return found, err
					}
				}
			}
		}
		if len(parts) > 0 && kind == gatehouse.VaultLeafKind && string(parts[0]) == eventUnsealed {
			found.unsealed = true
		}
		if _, ok := found.states[name]; ok {
			break
		}
	}
	return found, sealeddb.Wrap(auditFile, rows.Err())
}

// committedBy is what leaf number n, of the vault's own, says of a state; its zero value
// fits none.
func (a *auditDB) committedBy(ctx context.Context, n int64, name string) (commitment, error) {
	var leaf []byte
	err := a.db.Readers().QueryRowContext(ctx, `SELECT leaf FROM leaves WHERE n = ? AND position IS NULL`, n).Scan(&leaf)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return commitment{}, sealeddb.Wrap(auditFile, err)
	}
	_, states := gatehouse.SplitStates(leaf)
	for _, s := range states {
		if s.Name == name {
			return commitment{n, s.Digest}, nil
		}
	}
	return commitment{}, nil
}
