package vault

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// A clock that was set forward makes every day look old enough to expire, and what has
// expired is gone. So a jump of more than clockJump, against the monotonic clock of this
// process or against the time of the log before it started, holds expiring back for
// clockWait of monotonic time: that long somebody can notice.
const (
	clockJump = time.Hour
	clockWait = 24 * time.Hour
)

// clockGuard is what is known of the wall clock. Monotonic times count from the start of
// the process.
type clockGuard struct {
	wall  time.Time     // that was right,
	mono  time.Duration // at this moment
	since time.Duration // when a jump was seen first; -1 while there is none
}

// judge reports whether the wall clock may be believed. A jump that has lasted for
// clockWait is the time.
func (c *clockGuard) judge(wall time.Time, mono time.Duration) bool {
	if wall.Sub(c.wall)-(mono-c.mono) <= clockJump {
		c.since = -1
		return true
	}
	if c.since < 0 {
		c.since = mono
	}
	if mono-c.since < clockWait {
		return false
	}
	*c = clockGuard{wall: wall, mono: mono, since: -1}
	return true
}

// begin sets the guard to what an earlier process knew: the last right time that it
// noted when it saw a jump, or else the time of the newest leaf of the vault's own.
func (c *clockGuard) begin(ctx context.Context, keys *keyStore, audit *auditDB, now time.Time) error {
	*c = clockGuard{wall: now.Round(0), since: -1}
	var ms int64
	err := keys.db.Readers().QueryRowContext(ctx, `SELECT wall FROM clock`).Scan(&ms)
	if errors.Is(err, sql.ErrNoRows) {
		var leaf []byte
		err = audit.db.Readers().QueryRowContext(ctx, `SELECT leaf FROM leaves WHERE position IS NULL ORDER BY n DESC LIMIT 1`).Scan(&leaf)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // a new log
		}
		if err == nil {
			var at time.Time
			if _, at, _, err = gatehouse.LeafParts(leaf); err == nil {
				ms = at.UnixMilli()
			}
		}
	}
	if err != nil {
		return sealeddb.Wrap(keyStoreFile, err)
	}
	c.wall = time.UnixMilli(ms)
	return nil
}

// checkClock fails with vault.clock while the clock is not to be believed. That it is
// not, and since when, outlasts a restart. The caller holds destroying.
func (s *service) checkClock(ctx context.Context, now time.Time) error {
	if s.clock.judge(now.Round(0), now.Sub(s.started)) {
		return s.keys.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM clock`)
			return err
		})
	}
	right := s.clock.wall.Add(now.Sub(s.started) - s.clock.mono)
	err := s.keys.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO clock (one, wall) VALUES (1, ?) ON CONFLICT DO UPDATE SET wall = excluded.wall`, right.UnixMilli())
		return err
	})
	if err != nil {
		return err
	}
	return gatehouse.Errorf("vault.clock", "set the clock right; if it is right, it is believed when the server has run for 24 hours",
		"the clock stands %v ahead of what the log and the time since say, so that nothing expires", now.Round(0).Sub(right).Round(time.Minute))
}
