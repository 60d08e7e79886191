package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gatehouse"
)

// BeginReply implements gatehouse.ReplyStore.
func (s *Store) BeginReply(ctx context.Context, r gatehouse.KeptReply) (there gatehouse.KeptReply, begun bool, err error) {
	if err := checkPlace(r.Place); err != nil {
		return there, false, err
	}
	err = s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		there, begun = gatehouse.KeptReply{Place: r.Place, Key: r.Key}, false
		var print []byte
		var at int64
		err := tx.QueryRowContext(ctx, `SELECT print, at, status, sealed FROM replies WHERE org = ? AND site = ? AND key = ?`, string(r.Org), string(r.Site), r.Key[:]).
			Scan(&print, &at, &there.Status, &there.Sealed)
		if err == nil {
			copy(there.Print[:], print)
			there.At = time.UnixMicro(at).UTC()
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		begun = true
		_, err = tx.ExecContext(ctx, `INSERT INTO replies (org, site, key, print, at, status, sealed) VALUES (?, ?, ?, ?, ?, 0, x'')`,
			string(r.Org), string(r.Site), r.Key[:], r.Print[:], r.At.UnixMicro())
		return err
	})
	return there, begun && err == nil, err
}

// FinishReply implements gatehouse.ReplyStore.
func (s *Store) FinishReply(ctx context.Context, r gatehouse.KeptReply) error {
	return s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE replies SET status = ?, sealed = ? WHERE org = ? AND site = ? AND key = ?`,
			r.Status, notNil(r.Sealed), string(r.Org), string(r.Site), r.Key[:])
		return err
	})
}

// DropReply implements gatehouse.ReplyStore.
func (s *Store) DropReply(ctx context.Context, place gatehouse.Place, key [32]byte) error {
	return s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM replies WHERE org = ? AND site = ? AND key = ?`, string(place.Org), string(place.Site), key[:])
		return err
	})
}

// ForgetReplies implements gatehouse.ReplyStore.
func (s *Store) ForgetReplies(ctx context.Context, place gatehouse.Place) error {
	return s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE replies SET status = 0, sealed = x'' WHERE org = ? AND site = ?`, string(place.Org), string(place.Site))
		return err
	})
}

// DropReplies implements gatehouse.ReplyStore. One that never ended is dropped a day later
// than the others.
func (s *Store) DropReplies(ctx context.Context, place gatehouse.Place, before time.Time) (dropped int, err error) {
	err = s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM replies WHERE org = ? AND site = ? AND at < CASE status WHEN 0 THEN ? ELSE ? END`,
			string(place.Org), string(place.Site), before.Add(-24*time.Hour).UnixMicro(), before.UnixMicro())
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		dropped = int(n)
		return err
	})
	return dropped, err
}
