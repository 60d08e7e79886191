package sqlite

import (
	"context"
	"database/sql"
	"time"

	"gatehouse"
)

// Try implements gatehouse.TryStore.
func (s *Store) Try(ctx context.Context, place gatehouse.Place, who [32]byte, now time.Time, within time.Duration, most int) (ok bool, err error) {
	if err := checkPlace(place); err != nil {
		return false, err
	}
	err = s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ok = false
		// Also what a clock that was put back left in the future.
		if _, err := tx.ExecContext(ctx, `DELETE FROM tries WHERE at <= ? OR at > ?`, now.Add(-within).UnixMicro(), now.Add(within).UnixMicro()); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM tries WHERE org = ? AND site = ? AND who = ?`, string(place.Org), string(place.Site), who[:]).Scan(&n); err != nil {
			return err
		}
		if n >= most {
			return nil
		}
		ok = true
		_, err := tx.ExecContext(ctx, `INSERT INTO tries (org, site, who, at) VALUES (?, ?, ?, ?)`, string(place.Org), string(place.Site), who[:], now.UnixMicro())
		return err
	})
	return ok && err == nil, err
}
