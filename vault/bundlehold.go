package vault

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
)

const methodHoldBundle = "hold-bundle" // header holdBundleRequest, attachment: proof; reply int

type holdBundleRequest struct {
	ID       gatehouse.ID
	Until    time.Time
	Operator string
	Reason   string
}

// HoldBundle notes that a key bundle is kept until a later date than its own, at most a
// year ahead: for an outage in which no backup can be made. What was erased since the
// bundle is final no sooner: its certificates get a new entry each, and postponed says
// how many. It needs the proof of an operator who has unsealed the vault. Errors:
// bundle.unknown, hold.until (also where the bundle is kept longer already),
// vault.reason, vault.sealed, vault.forbidden, vault.unavailable, vault.timeout, and the
// store's.
func (v *Vault) HoldBundle(ctx context.Context, bundle gatehouse.ID, until time.Time, operator, reason string, proof []byte) (postponed int, err error) {
	_, err = v.process.Call(ctx, methodHoldBundle, holdBundleRequest{bundle, until, operator, reason}, [][]byte{proof}, &postponed)
	return postponed, err
}

func (s *service) handleHoldBundle(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in holdBundleRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if in.ID.IsZero() || len(r.Blobs) != 1 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "a hold names a bundle and has a proof")
	}
	if in.Reason == "" || len(in.Reason) > maxReason {
		return nil, nil, gatehouse.Errorf("vault.reason", "say why, in at most 500 bytes", "a hold needs a reason")
	}
	now := time.Now()
	if err := checkHoldEnd(in.Until, now); err != nil {
		return nil, nil, err
	}
	if _, err := s.room.admit(in.Operator, r.Blobs[0]); err != nil {
		return nil, nil, err
	}
	s.destroying.Lock() // no erasure is certified meanwhile
	defer s.destroying.Unlock()
	postponed, err := s.audit.holdBundle(context.WithoutCancel(ctx), in, now)
	return postponed, nil, err
}

// holdBundle changes the bundle's end and the certificates that it postpones, in one
// transaction with their leaves.
func (a *auditDB) holdBundle(ctx context.Context, in holdBundleRequest, now time.Time) (postponed int, err error) {
	var at, expires int64
	err = a.db.Readers().QueryRowContext(ctx, `SELECT at, expires FROM bundles WHERE id = ?`, in.ID[:]).Scan(&at, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, gatehouse.Errorf("bundle.unknown", "`gatehouse backup list` shows the bundles", "there is no such key bundle")
	}
	if err != nil {
		return 0, sealeddb.Wrap(auditFile, err)
	}
	until := in.Until.UnixMilli()
	if until == expires { // noted before an interruption
		return 0, nil
	}
	if until < expires {
		return 0, gatehouse.Errorf("hold.until", "give a later date; a hold cannot be shortened", "the key bundle is kept until %s already", time.UnixMilli(expires).UTC().Format(time.DateOnly))
	}
	reason, err := a.reasons.seal(ctx, a.reasons.of("bundles", in.ID), now, in.Reason)
	if err != nil {
		return 0, err
	}
	later, err := a.finalBefore(ctx, in.ID, at, until)
	if err != nil {
		return 0, err
	}
	end := strconv.FormatInt(until, 10)
	entries := []entry{{leaf: gatehouse.EventLeaf(gatehouse.BackupLeafKind, now, "bundle held", in.ID.String(), end, in.Operator, digestOf(reason))},
		{leaf: gatehouse.EventLeaf(gatehouse.BackupLeafKind, now, bundleRecorded, in.ID.String(), end)}}
	for _, c := range later {
		entries = append(entries, entry{leaf: c.Leaf()})
	}
	_, err = a.commit(ctx, entries, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE bundles SET expires = ?, holder = ?, reason = ? WHERE id = ?`, until, in.Operator, reason, in.ID[:]); err != nil {
			return err
		}
		for i, c := range later {
			if _, err := tx.ExecContext(ctx, `UPDATE erasures SET final_at = ?, leaf = ? WHERE id = ?`, until, a.tree.Size()+2+int64(i), c.ID[:]); err != nil {
				return err
			}
		}
		return nil
	})
	return len(later), err
}

// finalBefore gives, with until in them, the certificates of the erasures that may be in
// a bundle and were to be final sooner: those that were certified since it was made at
// since, by the clock or by the log (a clock can be set back). An erasure that began
// before and waited is one of them; what was certified before has no keys in the bundle.
func (a *auditDB) finalBefore(ctx context.Context, bundle gatehouse.ID, since, until int64) (later []gatehouse.ErasureCertificate, err error) {
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT id FROM erasures WHERE leaf IS NOT NULL AND final_at < ?1
		AND (erased_at >= ?2 OR leaf >= (SELECT recorded FROM bundles WHERE id = ?3))`, until, since, bundle[:])
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	var ids []gatehouse.ID
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			return nil, sealeddb.Wrap(auditFile, err)
		}
		ids = append(ids, gatehouse.ID(id))
	}
	if err := rows.Err(); err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	for _, id := range ids {
		c, _, err := a.certificate(ctx, id)
		if err != nil {
			return nil, err
		}
		c.FinalAt = time.UnixMilli(until).UTC()
		later = append(later, c)
	}
	return later, nil
}
