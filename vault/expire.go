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

const (
	methodExpire    = "expire"    // header expireRequest; reply int
	methodRetention = "retention" // header retentionRequest
	methodRemovals  = "removals"  // header removalsRequest; reply []gatehouse.Removal
	methodDays      = "days"      // header daysRequest; reply []gatehouse.KeyDay
)

type expireRequest struct {
	Place gatehouse.Place
	Class gatehouse.RetentionClass
	Day   string
}

type retentionRequest struct {
	Place gatehouse.Place
	Keep  map[gatehouse.RetentionClass]time.Duration
}

type removalsRequest struct {
	After int64
	Limit int
}

type daysRequest struct{ Place gatehouse.Place }

// shorterAfter is when a retention that was shortened takes effect: a stolen server
// can order that everything be forgotten, and somebody has this long to notice.
const shorterAfter = 7 * 24 * time.Hour

// maxKeep is the longest retention that can be asked for: required and finite.
const maxKeep = 11 * 366 * 24 * time.Hour

// Expire deletes a day's rows of one retention class, as Erase does a subject's, and
// says how many there were. The day is counted in UTC. What a hold needs of them is
// kept for the hold. Errors: vault.too_young where the day is not older than the
// retention that SetRetention set, vault.no_retention where none was set, vault.clock
// while the clock stands too far ahead to be believed (see clock.go),
// vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Expire(ctx context.Context, place gatehouse.Place, class gatehouse.RetentionClass, day time.Time) (chains int, err error) {
	key := dayKey(place, class, day)
	_, err = v.process.Call(ctx, methodExpire, expireRequest{Place: place, Class: class, Day: key.period}, nil, &chains)
	if err == nil {
		v.live.drop(func(k chainKey) bool { return k == key })
	}
	return chains, err
}

// SetRetention says how long the days of each class of a site are kept. The vault
// process expires no day that is younger. The first setting counts at once, and so
// does a longer one; a shorter one counts seven days later. Errors:
// vault.no_retention for one that is not finite, vault.unavailable, vault.timeout,
// and the store's.
func (v *Vault) SetRetention(ctx context.Context, place gatehouse.Place, keep map[gatehouse.RetentionClass]time.Duration) error {
	_, err := v.process.Call(ctx, methodRetention, retentionRequest{place, keep}, nil, nil)
	return err
}

// Removals lists what was erased and what has expired, by number, behind after; at
// most limit (1..1000). Errors: vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Removals(ctx context.Context, after int64, limit int) ([]gatehouse.Removal, error) {
	var list []gatehouse.Removal
	_, err := v.process.Call(ctx, methodRemovals, removalsRequest{after, limit}, nil, &list)
	return list, err
}

// Days lists the days of a site of which the key store has keys, by class and day.
// Errors: vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Days(ctx context.Context, place gatehouse.Place) ([]gatehouse.KeyDay, error) {
	var list []gatehouse.KeyDay
	_, err := v.process.Call(ctx, methodDays, daysRequest{place}, nil, &list)
	return list, err
}

func (s *service) expiryHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodExpire: s.handleExpire, methodRetention: s.handleRetention, methodRemovals: s.handleRemovals, methodDays: s.handleDays}
}

func (s *service) handleExpire(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in expireRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	day, err := time.Parse(time.DateOnly, in.Day)
	if err != nil || !knownClass(in.Class) {
		return nil, nil, gatehouse.Errorf("request.malformed", "use YYYY-MM-DD and a class that there is", "this is no day of a retention class")
	}
	s.destroying.Lock()
	defer s.destroying.Unlock()
	ctx = context.WithoutCancel(ctx)
	now := time.Now()
	keep, err := s.keys.retention(ctx, in.Place, in.Class, now)
	if err != nil {
		return nil, nil, err
	}
	if !day.Add(keep).Before(now) {
		return nil, nil, gatehouse.Errorf("vault.too_young", "it expires by itself; a shorter retention counts seven days after it was set",
			"the day is not older than its retention")
	}
	var chains int
	err = s.keys.db.Readers().QueryRowContext(ctx, `SELECT count(*) FROM chains WHERE kind = 'day' AND org = ? AND site = ? AND class = ? AND day = ?`,
		string(in.Place.Org), string(in.Place.Site), string(in.Class), in.Day).Scan(&chains)
	if err != nil || chains == 0 {
		return 0, nil, sealeddb.Wrap(keyStoreFile, err)
	}
	if err := s.checkClock(ctx, now); err != nil {
		return nil, nil, err
	}
	leaf := gatehouse.EventLeaf(gatehouse.ExpireLeafKind, now, "expired", string(in.Place.Org), string(in.Place.Site), string(in.Class), in.Day, strconv.Itoa(chains))
	if _, err := s.audit.record(ctx, leaf, nil); err != nil {
		return nil, nil, err
	}
	if in.Class == gatehouse.ReasonClass {
		if err := s.audit.dropAlarms(ctx, day); err != nil {
			return nil, nil, err
		}
	}
	n, err := s.keys.expireDay(ctx, in.Place, in.Class, in.Day, now)
	return n, nil, err
}

func (s *service) handleRetention(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in retentionRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	s.destroying.Lock()
	defer s.destroying.Unlock()
	ctx = context.WithoutCancel(ctx)
	now := time.Now()
	for class, keep := range in.Keep {
		if !knownClass(class) || class == gatehouse.RecordClass || class == gatehouse.PayClass || keep <= 0 || keep > maxKeep {
			return nil, nil, gatehouse.Errorf("vault.no_retention", "give every class a time; records go with their subjects", "that is no retention of a class")
		}
		var last sql.NullInt64
		err := s.keys.db.Readers().QueryRowContext(ctx, `SELECT keep FROM retention WHERE org = ? AND site = ? AND class = ? ORDER BY n DESC LIMIT 1`,
			string(in.Place.Org), string(in.Place.Site), string(class)).Scan(&last)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, nil, sealeddb.Wrap(keyStoreFile, err)
		}
		if last.Valid && last.Int64 == keep.Milliseconds() {
			continue
		}
		leaf := gatehouse.EventLeaf(gatehouse.PolicyLeafKind, now, "retention", string(in.Place.Org), string(in.Place.Site), string(class), keep.String())
		if _, err := s.audit.record(ctx, leaf, nil); err != nil {
			return nil, nil, err
		}
		err = s.keys.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO retention (org, site, class, keep, since) VALUES (?, ?, ?, ?, ?)`,
				string(in.Place.Org), string(in.Place.Site), string(class), keep.Milliseconds(), now.UnixMilli())
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, nil
}

// retention is how long a class is kept: the longest time that held at any moment of
// the last seven days.
func (k *keyStore) retention(ctx context.Context, place gatehouse.Place, class gatehouse.RetentionClass, now time.Time) (keep time.Duration, err error) {
	rows, err := k.db.Readers().QueryContext(ctx, `SELECT keep, since FROM retention WHERE org = ? AND site = ? AND class = ? ORDER BY n DESC`,
		string(place.Org), string(place.Site), string(class))
	if err != nil {
		return 0, sealeddb.Wrap(keyStoreFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var ms, since int64
		if err := rows.Scan(&ms, &since); err != nil {
			return 0, sealeddb.Wrap(keyStoreFile, err)
		}
		keep = max(keep, time.Duration(ms)*time.Millisecond)
		if now.Sub(time.UnixMilli(since)) >= shorterAfter {
			break // what held before this one ended earlier
		}
	}
	if err := rows.Err(); err != nil {
		return 0, sealeddb.Wrap(keyStoreFile, err)
	}
	if keep == 0 {
		return 0, gatehouse.Errorf("vault.no_retention", "set one in gatehouse.yml", "no retention was set for these days")
	}
	return keep, nil
}

func (s *service) handleRemovals(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in removalsRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	list, err := s.keys.removals(ctx, in.After, max(1, min(in.Limit, maxListing)))
	return list, nil, err
}

// removals is the erasure list behind after, in the order in which it grew; limit -1
// gives all of it.
func (k *keyStore) removals(ctx context.Context, after int64, limit int) ([]gatehouse.Removal, error) {
	rows, err := k.db.Readers().QueryContext(ctx, `SELECT n, at, org, site, subject, class, day FROM removals WHERE n > ? ORDER BY n LIMIT ?`, after, limit)
	if err != nil {
		return nil, sealeddb.Wrap(keyStoreFile, err)
	}
	defer rows.Close()
	list := []gatehouse.Removal{}
	for rows.Next() {
		var one gatehouse.Removal
		var at int64
		var subject []byte
		if err := rows.Scan(&one.N, &at, &one.Org, &one.Site, &subject, &one.Class, &one.Day); err != nil {
			return nil, sealeddb.Wrap(keyStoreFile, err)
		}
		copy(one.Subject[:], subject)
		one.At = time.UnixMilli(at).UTC()
		list = append(list, one)
	}
	return list, sealeddb.Wrap(keyStoreFile, rows.Err())
}

func (s *service) handleDays(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in daysRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	rows, err := s.keys.db.Readers().QueryContext(ctx, `SELECT DISTINCT class, day FROM chains WHERE kind = 'day' AND org = ? AND site = ? ORDER BY class, day`,
		string(in.Place.Org), string(in.Place.Site))
	if err != nil {
		return nil, nil, sealeddb.Wrap(keyStoreFile, err)
	}
	defer rows.Close()
	list := []gatehouse.KeyDay{}
	for rows.Next() {
		var one gatehouse.KeyDay
		var day string
		if err := rows.Scan(&one.Class, &day); err != nil {
			return nil, nil, sealeddb.Wrap(keyStoreFile, err)
		}
		if one.Day, err = time.Parse(time.DateOnly, day); err != nil {
			return nil, nil, gatehouse.Errorf("store.damaged", "restore it from a backup", "a row of the key store has no day")
		}
		list = append(list, one)
	}
	return list, nil, sealeddb.Wrap(keyStoreFile, rows.Err())
}
