package vault

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"slices"
	"strings"
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

// The events of a canary, as they stand in leaves of gatehouse.CanaryLeafKind. That one
// was planted is a change of the control like any other, and has no leaf of its own.
const (
	canaryOpened = "opened"      // the trip, its kind, operator, purpose, device
	canarySigned = "lift-signed" // the trip, the operator, the signature's digest
	canaryLifted = "lifted"      // the trip, the operators
	canaryListed = "listed"
)

func errCanary() error {
	return gatehouse.Errorf("vault.canary", "see `gatehouse canary status`; two people open it again with `gatehouse canary lift`",
		"the vault is shut: something was opened that nobody has a reason to open")
}

func execute(statement string, args ...any) func(ctx context.Context, tx *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	}
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
	operator, purpose string // operators of a release: both, joined by " and "
	device            string
}

// involved reports whether an operator is one of those who opened a canary: by a
// release, or by a session that names the operator.
func involved(name, by string) bool {
	for _, who := range strings.Split(by, " and ") {
		if slices.Contains(strings.Split(who, "/"), name) { // site/NAME, or NAME/SESSION
			return true
		}
	}
	return false
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
	leaf := gatehouse.EventLeaf(gatehouse.CanaryLeafKind, at, canaryOpened, id.String(), t.kind, t.operator, t.purpose, t.device)
	var next *control
	var states stateSealer
	if unsealed && g.control != nil {
		next = g.control.clone()
		next.Tripped = id
		if first {
			next.TrippedBy = t.operator
		}
		states = g.states(key, next, g.ledger)
	}
	n, err := g.audit.recordStates(ctx, leaf, states, func(ctx context.Context, tx *sql.Tx) error {
		if err := addAlarm(ctx, tx, gatehouse.Alarm{At: at, Kind: gatehouse.CanaryAlarm, Operator: t.operator, Purpose: t.purpose, Device: gatehouse.DeviceID(t.device)}); err != nil {
			return err
		}
		if first {
			if _, err := tx.ExecContext(ctx, `INSERT INTO trips (id, at, kind, operator, purpose, device) VALUES (?, ?, ?, ?, ?, ?)`,
				id[:], at.UnixMilli(), t.kind, t.operator, t.purpose, t.device); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return errors.Join(errCanary(), err)
	}
	if next != nil {
		g.control, g.leaf = next, n
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
	if g.warnedOf(string(digest)) {
		return errCanary()
	}
	return g.spring(ctx, trip{kind: "token", device: device})
}

// warnedOf reports whether the token shut the vault already and raised its alarm within
// the hour: another showing tells nobody more.
func (g *guard) warnedOf(digest string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock()
	last, ok := g.shown[digest]
	if ok && now-last < warnEvery && !g.tripped.IsZero() {
		return true
	}
	g.shown[digest] = now // no more of them than tokens were planted
	return false
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
// vault itself knows, who were operators a day before it and did not open the canary.
// Called with the lock held. It fails with vault.canary.
func (g *guard) lift(ctx context.Context, keys openKeys) error {
	signed, err := g.signers(ctx, g.tripped)
	if err != nil {
		return err
	}
	if len(signed) < lifters {
		return errCanary()
	}
	next := g.control.clone()
	next.Tripped, next.TrippedBy = gatehouse.ID{}, ""
	key := controlKey(keys.seed())
	defer clear(key[:])
	at := time.Now()
	leaf := gatehouse.EventLeaf(gatehouse.CanaryLeafKind, at, canaryLifted, append([]string{g.tripped.String()}, signed...)...)
	id := g.tripped
	n, err := g.audit.recordStates(ctx, leaf, g.states(key, next, g.ledger), execute(`UPDATE trips SET lifted = ? WHERE id = ?`, at.UnixMilli(), id[:]))
	if err != nil {
		return err
	}
	g.control, g.leaf, g.tripped = next, n, gatehouse.ID{}
	return nil
}

// unlifted fails with vault.canary where the vault is shut and two people have not
// even signed: that costs no passphrase. Whether their signatures hold is seen later.
func (g *guard) unlifted(ctx context.Context) error {
	g.mu.Lock()
	id := g.tripped
	g.mu.Unlock()
	if id.IsZero() {
		return nil
	}
	var n int
	if err := g.audit.db.Readers().QueryRowContext(ctx, `SELECT count(*) FROM lifts WHERE trip = ?`, id[:]).Scan(&n); err != nil {
		return sealeddb.Wrap(auditFile, err)
	}
	if n < lifters {
		return errCanary()
	}
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
		o := approval.Operator{Name: name, Public: g.control.Operators[name].Public}
		if counts(g.control.Operators, name, id.Time()) && !involved(name, g.control.TrippedBy) && o.Verify(signature, approval.LiftCanary, publicKeyName(g.room.current()), id, nil) {
			names = append(names, name)
		}
	}
	return names, sealeddb.Wrap(auditFile, rows.Err())
}
