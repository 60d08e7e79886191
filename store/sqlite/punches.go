package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// AddPunches implements gatehouse.HoursStore. Punches are in the month of their id's time,
// which is theirs.
func (s *Store) AddPunches(ctx context.Context, place gatehouse.Place, punches []gatehouse.Punch, leaf []byte) (added int, err error) {
	if err := checkPlace(place); err != nil {
		return 0, err
	}
	byMonth := map[string][]gatehouse.Punch{}
	for _, p := range punches {
		name, err := monthOf(p.ID)
		if err != nil {
			return 0, err
		}
		if d := p.ID.Time().Sub(p.At); p.Subject.IsZero() || p.Made.IsZero() || d > idSlack || d < -idSlack || !p.Corrects.IsZero() || p.Void {
			return 0, invalid("this is no punch that is kept")
		}
		byMonth[name] = append(byMonth[name], p)
	}
	names := make([]string, 0, len(byMonth))
	for name := range byMonth {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		m, err := s.month(ctx, name, true)
		if err != nil {
			return added, err
		}
		n := 0
		write := func(ctx context.Context, tx *sql.Tx) (changed bool, err error) {
			n = 0 // a batch that failed is tried again
			for _, p := range byMonth[name] {
				subject := s.erased.now(place, p.Subject)
				result, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO punches (org, site, id, subject, source, at_site, gate, direction, at, zone, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
					string(place.Org), string(place.Site), p.ID[:], subject[:], string(p.Source), string(p.Site), string(p.Gate), string(p.Direction), p.At.UnixMicro(), p.Zone, p.Made.UnixMicro())
				if err != nil {
					return false, err
				}
				one, err := result.RowsAffected()
				if err != nil {
					return false, err
				}
				n += int(one)
			}
			return n > 0, nil
		}
		if leaf != nil {
			err = m.commit(ctx, leaf, write)
		} else {
			err = m.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
				_, err := write(ctx, tx)
				return err
			})
		}
		if err != nil {
			return added, err
		}
		added += n
	}
	return added, nil
}

// DropPunches implements gatehouse.HoursStore.
func (s *Store) DropPunches(ctx context.Context, place gatehouse.Place, ids []gatehouse.ID) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	for _, id := range ids {
		name, err := monthOf(id)
		if err != nil {
			continue
		}
		m, err := s.month(ctx, name, false)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = m.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `DELETE FROM punches WHERE org = ? AND site = ? AND id = ? AND source = 'passage'`, string(place.Org), string(place.Site), id[:])
				return err
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const punchColumns = `SELECT id, subject, source, at_site, gate, direction, at, zone, made FROM punches WHERE org = ? AND site = ?`

func scanPunch(scan func(...any) error) (p gatehouse.Punch, err error) {
	var at, made sql.NullInt64
	err = scan(idColumn{&p.ID}, idColumn{&p.Subject}, &p.Source, &p.Site, &p.Gate, &p.Direction, &at, &p.Zone, &made)
	p.At, p.Made = fromMicros(at), fromMicros(made)
	return p, err
}

// eachPunch reads the months that touch from to until.
func (s *Store) eachPunch(ctx context.Context, place gatehouse.Place, from, until time.Time, condition string, args []any, f func(gatehouse.Punch) error) error {
	if err := checkPlace(place); err != nil || !from.Before(until) {
		return err
	}
	all := append([]any{string(place.Org), string(place.Site)}, args...)
	all = append(all, from.UnixMicro(), until.UnixMicro())
	return s.monthsNewestFirst(ctx, from, until, func(m *shard) (bool, error) {
		return true, eachRow(ctx, m.db, punchColumns+condition+` AND at >= ? AND at < ?`, all, func(scan func(...any) error) error {
			p, err := scanPunch(scan)
			if err == nil {
				err = f(p)
			}
			return err
		})
	})
}

// EachPunch implements gatehouse.HoursStore, by subject.
func (s *Store) EachPunch(ctx context.Context, place gatehouse.Place, from, until time.Time, f func(gatehouse.Punch) error) error {
	return s.eachPunch(ctx, place, from, until, "", nil, f)
}

// Punches implements gatehouse.HoursStore. Within a month the ids bound what is read: times
// lie within idSlack of theirs.
func (s *Store) Punches(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID, from, until time.Time) (found []gatehouse.Punch, err error) {
	least, most := leastID(from.Add(-idSlack)), leastID(until.Add(idSlack))
	err = s.eachPunch(ctx, place, from, until, ` AND subject = ? AND id >= ? AND id < ?`, []any{subject[:], least[:], most[:]}, func(p gatehouse.Punch) error {
		found = append(found, p)
		return nil
	})
	slices.SortFunc(found, func(a, b gatehouse.Punch) int { return a.At.Compare(b.At) })
	return found, err
}

// Punch implements gatehouse.HoursStore.
func (s *Store) Punch(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (p gatehouse.Punch, err error) {
	if err := checkPlace(place); err != nil {
		return p, err
	}
	name, err := monthOf(id)
	if err != nil {
		return p, notFound("punch")
	}
	m, err := s.month(ctx, name, false)
	if errors.Is(err, fs.ErrNotExist) {
		return p, notFound("punch")
	}
	if err != nil {
		return p, err
	}
	p, err = scanPunch(m.db.Readers().QueryRowContext(ctx, punchColumns+` AND id = ?`, string(place.Org), string(place.Site), id[:]).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return p, notFound("punch")
	}
	return p, sealeddb.Wrap(name, err)
}

// PunchCursor implements gatehouse.HoursStore.
func (s *Store) PunchCursor(ctx context.Context, place gatehouse.Place) (position uint64, ok bool, err error) {
	var at int64
	err = s.site.db.Readers().QueryRowContext(ctx, `SELECT position FROM punch_cursor WHERE org = ? AND site = ?`, string(place.Org), string(place.Site)).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return uint64(at), err == nil, sealeddb.Wrap(SiteFile, err)
}

// SetPunchCursor implements gatehouse.HoursStore.
func (s *Store) SetPunchCursor(ctx context.Context, place gatehouse.Place, position uint64) error {
	if err := checkPlace(place); err != nil || position > 1<<62 {
		return errors.Join(err, invalid("there is no such position"))
	}
	return s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO punch_cursor (org, site, position) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position`,
			string(place.Org), string(place.Site), int64(position))
		return err
	})
}
