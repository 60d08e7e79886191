package vault

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"gatehouse"
)

// controlCheck compares the rows of the disclosure control with the vault's own leaves:
// the sealed states and the copies with the newest leaf that commits to them; trips,
// signatures for lifting and releases with the leaves of their events. The rows of
// alarms are a queue to the server, and no leaf speaks of them.
type controlCheck struct {
	states   map[string]commitment
	trips    map[string]tripRow
	lifts    map[string]liftRow // by trip and operator
	releases map[string]releaseMark
}

type tripRow struct{ at, kind, operator, purpose, device, lifted string }

type liftRow struct{ at, signature string }

// releaseMark is what the events of a release say of its row; digests hexadecimal.
type releaseMark struct{ operator, body, signature, approver, approval, approved, written string }

func newControlCheck() *controlCheck {
	return &controlCheck{states: map[string]commitment{}, trips: map[string]tripRow{}, lifts: map[string]liftRow{}, releases: map[string]releaseMark{}}
}

func millis(at time.Time) string { return fmt.Sprint(at.UnixMilli()) }

// leaf takes in a leaf of the vault's own.
func (c *controlCheck) leaf(l NumberedLeaf) {
	plain, states := gatehouse.SplitStates(l.Leaf)
	for _, s := range states {
		c.states[s.Name] = commitment{l.Index, s.Digest}
	}
	kind, at, raw, err := gatehouse.LeafParts(plain)
	if err != nil || kind != gatehouse.CanaryLeafKind && kind != gatehouse.ReleaseLeafKind || len(raw) < 2 {
		return
	}
	parts := make([]string, 8) // none of these events has more that is looked at
	for i, p := range raw[:min(len(raw), len(parts))] {
		parts[i] = string(p)
	}
	id, when := parts[1], millis(at)
	switch r := c.releases[id]; {
	case kind == gatehouse.CanaryLeafKind && parts[0] == canaryOpened:
		if _, again := c.trips[id]; !again { // a later one was opened while the vault was shut
			c.trips[id] = tripRow{when, parts[2], parts[3], parts[4], parts[5], "0"}
		}
	case kind == gatehouse.CanaryLeafKind && parts[0] == canarySigned:
		c.lifts[id+" "+parts[2]] = liftRow{when, parts[3]}
	case kind == gatehouse.CanaryLeafKind && parts[0] == canaryLifted:
		t := c.trips[id]
		t.lifted = when
		c.trips[id] = t
	case kind == gatehouse.CanaryLeafKind:
	case parts[0] == releaseRequested:
		c.releases[id] = releaseMark{operator: parts[2], body: parts[7], signature: parts[6], approved: "0", written: "0", approval: digestOf(nil)}
	case parts[0] == releaseApproved:
		r.approver, r.approval, r.approved = parts[2], parts[4], when
		c.releases[id] = r
	case parts[0] == releaseWritten:
		r.written = when
		c.releases[id] = r
	}
}

// readControl compares what walk has taken in with the rows.
func (v *verifier) readControl(ctx context.Context) error {
	for _, f := range []func(context.Context) error{v.readStates, v.readCopies, v.readTrips, v.readLifts, v.readReleases} {
		if err := f(ctx); err != nil {
			return err
		}
	}
	return nil
}

// readStates compares the sealed states. No two sealings give the same bytes, so a leaf
// that commits to what an earlier one commits to was forged for a state that is put back.
func (v *verifier) readStates(ctx context.Context) error {
	rows := map[string][sha256.Size]byte{}
	list, err := v.db.QueryContext(ctx, `SELECT name, sealed FROM control`)
	if err != nil {
		return err
	}
	defer list.Close()
	for list.Next() {
		var name string
		var sealed []byte
		if err := list.Scan(&name, &sealed); err != nil {
			return err
		}
		rows[name] = sha256.Sum256(sealed)
		if _, ok := v.control.states[name]; !ok {
			v.report.Add("audit.control", "there is a state %q of the disclosure control, and no entry that commits to one", name)
		}
	}
	if err := list.Err(); err != nil {
		return err
	}
	for _, name := range []string{controlState, levelState} {
		at, ok := v.control.states[name]
		if !ok {
			continue
		}
		if digest, there := rows[name]; !there || digest != at.digest {
			v.report.Add("audit.control", "the state %q of the disclosure control is not the one that entry %d commits to: it was altered, put back or lost", name, at.leaf)
			continue
		}
		var n int
		if err := v.db.QueryRowContext(ctx, `SELECT count(*) FROM leaves WHERE position IS NULL AND instr(leaf, ?) > 0`, at.digest[:]).Scan(&n); err != nil {
			return err
		}
		if n != 1 {
			v.report.Add("audit.control", "%d entries commit to one state %q of the disclosure control: it was put back", n, name)
		}
	}
	return nil
}

func (v *verifier) readCopies(ctx context.Context) error {
	operators, tokens, err := readCopies(ctx, v.db)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name   string
		digest [sha256.Size]byte
		rows   int
	}{{operatorRows, operatorsDigest(operators), len(operators)}, {tokenRows, tokensDigest(tokens), len(tokens)}} {
		at, ok := v.control.states[c.name]
		if ok && at.digest != c.digest || !ok && c.rows > 0 {
			v.report.Add("audit.control", "the list of %s is not the one that the log commits to", c.name)
		}
	}
	return nil
}

func (v *verifier) readTrips(ctx context.Context) error {
	return compareRows(ctx, v, "canary that was opened", v.control.trips, `SELECT lower(hex(id)), at, kind, operator, purpose, device, lifted FROM trips`,
		func(scan func(...any) error) (id string, t tripRow, err error) {
			return id, t, scan(&id, &t.at, &t.kind, &t.operator, &t.purpose, &t.device, &t.lifted)
		})
}

func (v *verifier) readLifts(ctx context.Context) error {
	return compareRows(ctx, v, "signature for lifting a canary", v.control.lifts, `SELECT lower(hex(trip)) || ' ' || operator, at, signature FROM lifts`,
		func(scan func(...any) error) (id string, l liftRow, err error) {
			var signature []byte
			err = scan(&id, &l.at, &signature)
			l.signature = digestOf(signature)
			return id, l, err
		})
}

func (v *verifier) readReleases(ctx context.Context) error {
	return compareRows(ctx, v, "bulk release", v.control.releases, `SELECT lower(hex(id)), operator, body, signature, approver, approval, approved, written FROM releases`,
		func(scan func(...any) error) (id string, r releaseMark, err error) {
			var body, signature, approval []byte
			err = scan(&id, &r.operator, &body, &signature, &r.approver, &approval, &r.approved, &r.written)
			r.body, r.signature, r.approval = digestOf(body), digestOf(signature), digestOf(approval)
			return id, r, err
		})
}

// compareRows compares every row of a query with what the leaves say of it, and finds
// those that are missing.
func compareRows[R comparable](ctx context.Context, v *verifier, what string, want map[string]R, query string, read func(func(...any) error) (string, R, error)) error {
	rows, err := v.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	seen := map[string]bool{}
	for rows.Next() {
		id, got, err := read(rows.Scan)
		if err != nil {
			return err
		}
		seen[id] = true
		if w, ok := want[id]; !ok || w != got {
			v.report.Add("audit.control", "a row about a %s is not what the log's entries say: %s", what, id)
		}
	}
	for id := range want {
		if !seen[id] {
			v.report.Add("audit.control", "a row about a %s is missing: %s", what, id)
		}
	}
	return rows.Err()
}
