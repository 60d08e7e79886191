package vault

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/approval"
)

// A canary is a person, vehicle or token that nobody has a reason to open or use.
// Listing its name is no opening. Where one is opened the vault seals itself before
// anything is released, and stays shut until two people have signed that it may be
// unsealed again.

func errCanary() error {
	return gatehouse.Errorf("vault.canary", "see `gatehouse canary status`; two people open it again with `gatehouse canary lift`",
		"the vault is shut: something was opened that nobody has a reason to open")
}

// shut fails with vault.canary while a canary keeps the vault shut.
func (g *guard) shut() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tripped.IsZero() {
		return nil
	}
	return errCanary()
}

// baited reports whether one of these values belongs to a canary. listed says that
// names are only listed, which trips nothing. A value names its subject twice, by its
// place and by its chain, and does not open where either was changed.
func (g *guard) baited(ctx context.Context, refs []gatehouse.SealContext, sealed [][]byte, listed bool) (bool, error) {
	g.mu.Lock()
	canaries := map[gatehouse.SubjectID]bool{}
	if g.control != nil {
		for id := range g.control.Canaries {
			canaries[id] = true
		}
	}
	g.mu.Unlock()
	if len(canaries) == 0 {
		return false, nil
	}
	for i, where := range refs {
		if listed && where.Table == "subjects" && where.Field == "name" {
			continue
		}
		if canaries[where.Row] {
			return true, nil
		}
		e, err := parseEnvelope(sealed[i])
		if err != nil {
			continue
		}
		for _, l := range e.links {
			row, found, err := g.keys.row(ctx, where.Place, l.chain)
			if err != nil {
				return false, err
			}
			if found && row.Kind == subjectChain && canaries[row.Subject] {
				return true, nil
			}
		}
	}
	return false, nil
}

// trip is what opened a canary.
type trip struct {
	kind              string // subject or token
	operator, purpose string
	device            string
}

// spring seals the vault at once, then writes down why, raises the alarm and keeps
// the vault shut. It returns vault.canary, joined with what kept it from writing.
func (g *guard) spring(ctx context.Context, t trip) error {
	key, unsealed := g.room.controlKey()
	defer clear(key[:])
	g.room.seal()
	g.mu.Lock()
	defer g.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	at := time.Now()
	id := g.tripped
	first := id.IsZero()
	if first {
		id = gatehouse.NewID(at)
		g.tripped = id // whatever the disk does
	}
	child.NewLog().Error("a canary was opened: the vault is shut", "operator", t.operator, "purpose", t.purpose, "device", t.device)
	leaf := gatehouse.EventLeaf(gatehouse.CanaryLeafKind, at, "opened", id.String(), t.kind, t.operator, t.purpose, t.device)
	var next *control
	if unsealed && g.control != nil {
		next = g.control.clone()
		next.Tripped = id
	}
	_, err := g.audit.record(ctx, leaf, func(ctx context.Context, tx *sql.Tx) error {
		if err := addAlarm(ctx, tx, gatehouse.Alarm{At: at, Kind: gatehouse.CanaryAlarm, Operator: t.operator, Purpose: t.purpose, Device: gatehouse.DeviceID(t.device)}); err != nil {
			return err
		}
		if first {
			if _, err := tx.ExecContext(ctx, `INSERT INTO trips (id, at, kind, operator, purpose, device) VALUES (?, ?, ?, ?, ?, ?)`,
				id[:], at.UnixMilli(), t.kind, t.operator, t.purpose, t.device); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		return g.putAll(ctx, tx, key, next, g.ledger)
	})
	if err != nil {
		return errors.Join(errCanary(), err)
	}
	if next != nil {
		g.control = next
	}
	return errCanary()
}

// token springs the trap where the token is a canary's.
func (g *guard) token(ctx context.Context, digest []byte, device string) error {
	if len(digest) != sha256.Size {
		return gatehouse.Errorf("request.malformed", "this is a fault of the program", "this is no token's digest")
	}
	var n int
	if err := g.audit.db.Readers().QueryRowContext(ctx, `SELECT count(*) FROM canary_tokens WHERE digest = ?`, digest).Scan(&n); err != nil {
		return sealeddb.Wrap(auditFile, err)
	}
	if n == 0 {
		return nil
	}
	return g.spring(ctx, trip{kind: "token", device: device})
}

// tripped gives the canary that keeps the vault shut, zero for none.
func (a *auditDB) tripped(ctx context.Context) (id gatehouse.ID, err error) {
	var b []byte
	err = a.db.Readers().QueryRowContext(ctx, `SELECT id FROM trips WHERE lifted = 0 ORDER BY id LIMIT 1`).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return id, nil
	}
	copy(id[:], b)
	return id, sealeddb.Wrap(auditFile, err)
}

// lifters is how many people must agree.
const lifters = 2

// lift lets the vault be unsealed again where two people have signed it whom the
// vault itself knows. Called with the lock held. It fails with vault.canary.
func (g *guard) lift(ctx context.Context, seed []byte) error {
	signed, err := g.signers(ctx, g.tripped)
	if err != nil {
		return err
	}
	if len(signed) < lifters {
		return errCanary()
	}
	next := g.control.clone()
	next.Tripped = gatehouse.ID{}
	key := controlKey(seed)
	defer clear(key[:])
	at := time.Now()
	leaf := gatehouse.EventLeaf(gatehouse.CanaryLeafKind, at, "lifted", append([]string{g.tripped.String()}, signed...)...)
	id := g.tripped
	_, err = g.audit.record(ctx, leaf, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE trips SET lifted = ? WHERE id = ?`, at.UnixMilli(), id[:]); err != nil {
			return err
		}
		return g.putAll(ctx, tx, key, next, g.ledger)
	})
	if err != nil {
		return err
	}
	g.control, g.tripped = next, gatehouse.ID{}
	return nil
}

// signers are the operators of the control whose signatures for lifting this trip
// are there and hold.
func (g *guard) signers(ctx context.Context, id gatehouse.ID) (names []string, err error) {
	rows, err := g.audit.db.Readers().QueryContext(ctx, `SELECT operator, signature FROM lifts WHERE trip = ? ORDER BY operator`, id[:])
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var signature []byte
		if err := rows.Scan(&name, &signature); err != nil {
			return nil, sealeddb.Wrap(auditFile, err)
		}
		o := approval.Operator{Name: name, Public: g.control.Operators[name]}
		if o.Verify(signature, approval.LiftCanary, publicKeyName(g.room.public), id, nil) {
			names = append(names, name)
		}
	}
	return names, sealeddb.Wrap(auditFile, rows.Err())
}
