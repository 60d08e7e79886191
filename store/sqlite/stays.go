package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

var (
	_ gatehouse.StayStore    = (*Store)(nil)
	_ gatehouse.ParkingStore = (*Store)(nil)
)

// staysFollower names the stays' position among those of site.db.
const staysFollower = "stays"

// StayCursor implements gatehouse.StayStore.
func (s *Store) StayCursor(ctx context.Context, place gatehouse.Place) (position uint64, begun bool, err error) {
	err = s.site.db.Readers().QueryRowContext(ctx, `SELECT position FROM followers WHERE org = ? AND site = ? AND name = ?`,
		string(place.Org), string(place.Site), staysFollower).Scan(&position)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return position, err == nil, sealeddb.Wrap(s.site.db.Path(), err)
}

// PutStayCursor implements gatehouse.StayStore.
func (s *Store) PutStayCursor(ctx context.Context, place gatehouse.Place, position uint64) error {
	if err := checkPlace(place); err != nil || position > 1<<62 {
		return errors.Join(err, invalid("there is no such position"))
	}
	return s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO followers (org, site, name, position) VALUES (?, ?, ?, ?)`,
			string(place.Org), string(place.Site), staysFollower, int64(position))
		return err
	})
}

const stayColumns = `id, car_park, subject, known, class, entry_gate, exit_gate, entry_passage, exit_passage, entered, left_at, lost_ticket, state, reason,
	by_right, quota, charge, owed, booked, by, changed, correction`

func stayValues(r gatehouse.StayRecord) ([]any, error) {
	if err := checkPlace(r.Place); err != nil {
		return nil, err
	}
	if r.ID.IsZero() || r.CarPark == "" || r.State == "" || r.Entered.IsZero() {
		return nil, invalid("this is no stay")
	}
	var charge []byte
	if r.Charge != nil {
		var err error
		if charge, err = json.Marshal(r.Charge); err != nil {
			return nil, err
		}
	}
	return []any{string(r.Org), string(r.Site), r.ID[:], r.CarPark, r.Subject[:], r.Known, string(r.Class), string(r.EntryGate), string(r.ExitGate), r.EntryPassage[:], r.ExitPassage[:],
		micros(r.Entered), micros(r.Left), r.LostTicket, string(r.State), r.Reason, r.Right[:], r.Group, charge, r.Owed, r.Booked, r.By, micros(r.Changed), r.Correction}, nil
}

func scanStay(place gatehouse.Place, scan func(...any) error) (gatehouse.StayRecord, error) {
	r := gatehouse.StayRecord{Stay: gatehouse.Stay{Place: place}}
	var entered, left, changed sql.NullInt64
	var charge []byte
	err := scan(idColumn{&r.ID}, &r.CarPark, idColumn{&r.Subject}, &r.Known, &r.Class, &r.EntryGate, &r.ExitGate, idColumn{&r.EntryPassage}, idColumn{&r.ExitPassage}, &entered, &left, &r.LostTicket,
		&r.State, &r.Reason, idColumn{&r.Right}, &r.Group, &charge, &r.Owed, &r.Booked, &r.By, &changed, &r.Correction)
	r.Entered, r.Left, r.Changed = fromMicros(entered), fromMicros(left), fromMicros(changed)
	if err == nil && charge != nil {
		r.Charge = new(gatehouse.Charge)
		if json.Unmarshal(charge, r.Charge) != nil {
			err = gatehouse.Errorf("store.damaged", "restore it from a backup", "a stay's charge in the database is malformed")
		}
	}
	return r, err
}

const putStay = ` INTO stays (org, site, ` + stayColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// OpenStay implements gatehouse.StayStore.
func (s *Store) OpenStay(ctx context.Context, r gatehouse.StayRecord) error {
	if _, err := stayValues(r); err != nil {
		return err
	}
	m, err := s.monthOfRow(ctx, r.ID, true)
	if err != nil {
		return err
	}
	return m.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		values, err := stayValues(s.erased.stay(r)) // no replacement runs beside it
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT OR IGNORE`+putStay, values...)
		return err
	})
}

// ChangeStay implements gatehouse.StayStore.
func (s *Store) ChangeStay(ctx context.Context, r gatehouse.StayRecord, leaf []byte) error {
	if _, err := stayValues(r); err != nil {
		return err
	}
	m, err := s.monthOfRow(ctx, r.ID, false)
	if err != nil {
		return err
	}
	return m.commitOrWrite(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		values, err := stayValues(s.erased.stay(r))
		if err != nil {
			return false, err
		}
		var there int
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM stays WHERE org = ? AND site = ? AND id = ?`, values[:3]...).Scan(&there)
		if err == nil && there == 0 {
			err = notFound("stay")
		}
		if err != nil {
			return false, err
		}
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE`+putStay, values...)
		return true, err
	})
}

// commitOrWrite commits with a leaf, where there is one: what follows from the log alone
// has none of its own.
func (s *shard) commitOrWrite(ctx context.Context, leaf []byte, write func(context.Context, *sql.Tx) (bool, error)) error {
	if leaf != nil {
		return s.commit(ctx, leaf, write)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := write(ctx, tx)
		return err
	})
}

// monthOfRow opens the file of a time-ordered id.
func (s *Store) monthOfRow(ctx context.Context, id gatehouse.ID, create bool) (*shard, error) {
	name, err := monthOf(id)
	if err != nil {
		return nil, err
	}
	m, err := s.month(ctx, name, create)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound("stay")
	}
	return m, err
}

const exitColumns = `id, car_park, gate, at, subject, known, state, reason, stay, could, by, attached`

// PutExit implements gatehouse.StayStore.
func (s *Store) PutExit(ctx context.Context, e gatehouse.StayExit, leaf []byte) error {
	if err := checkPlace(e.Place); err != nil {
		return err
	}
	if e.ID.IsZero() || e.CarPark == "" || e.State == "" || e.At.IsZero() {
		return invalid("this is no exit")
	}
	could := []byte{}
	for _, id := range e.Could {
		could = append(could, id[:]...)
	}
	m, err := s.monthOfRow(ctx, e.ID, true)
	if err != nil {
		return err
	}
	return m.commitOrWrite(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		if now := s.erased.now(e.Place, e.Subject); now != e.Subject {
			e.Subject, e.Known = now, false
		}
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO exits (org, site, `+exitColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			string(e.Org), string(e.Site), e.ID[:], e.CarPark, string(e.Gate), micros(e.At), e.Subject[:], e.Known, e.State, e.Reason, e.Stay[:], could, e.By, micros(e.Attached))
		return true, err
	})
}

func scanExit(place gatehouse.Place, scan func(...any) error) (gatehouse.StayExit, error) {
	e := gatehouse.StayExit{Place: place}
	var at, attached sql.NullInt64
	var could []byte
	err := scan(idColumn{&e.ID}, &e.CarPark, &e.Gate, &at, idColumn{&e.Subject}, &e.Known, &e.State, &e.Reason, idColumn{&e.Stay}, &could, &e.By, &attached)
	e.At, e.Attached = fromMicros(at), fromMicros(attached)
	for ; len(could) >= len(gatehouse.ID{}); could = could[len(gatehouse.ID{}):] {
		e.Could = append(e.Could, gatehouse.ID(could[:len(gatehouse.ID{})]))
	}
	return e, err
}

// StayOf implements gatehouse.StayStore.
func (s *Store) StayOf(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (r gatehouse.StayRecord, err error) {
	return r, s.oneRow(ctx, place, id, `SELECT `+stayColumns+` FROM stays`, func(scan func(...any) error) (err error) {
		r, err = scanStay(place, scan)
		return err
	})
}

// ExitOf implements gatehouse.StayStore.
func (s *Store) ExitOf(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (e gatehouse.StayExit, err error) {
	return e, s.oneRow(ctx, place, id, `SELECT `+exitColumns+` FROM exits`, func(scan func(...any) error) (err error) {
		e, err = scanExit(place, scan)
		return err
	})
}

func (s *Store) oneRow(ctx context.Context, place gatehouse.Place, id gatehouse.ID, query string, f func(scan func(...any) error) error) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	m, err := s.monthOfRow(ctx, id, false)
	if gatehouse.ErrorCode(err) == "store.invalid" {
		return notFound("stay")
	}
	if err != nil {
		return err
	}
	err = f(m.db.Readers().QueryRowContext(ctx, query+` WHERE org = ? AND site = ? AND id = ?`, string(place.Org), string(place.Site), id[:]).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return notFound("stay")
	}
	return sealeddb.Wrap(m.db.Path(), err)
}

// Stays implements gatehouse.StayStore.
func (s *Store) Stays(ctx context.Context, f gatehouse.StayFilter) (found []gatehouse.StayRecord, err error) {
	states := map[string]string{gatehouse.InsideStays: ` AND state IN ('open', 'waiting', 'ambiguous')`, gatehouse.UnpaidStays: ` AND state = 'left' AND owed > 0`}
	err = s.parkingRows(ctx, f, `SELECT `+stayColumns+` FROM stays`, "entered", states, func() int { return len(found) }, func(scan func(...any) error) error {
		r, err := scanStay(f.Place, scan)
		found = append(found, r)
		return err
	})
	return found, err
}

// Exits implements gatehouse.StayStore.
func (s *Store) Exits(ctx context.Context, f gatehouse.StayFilter) (found []gatehouse.StayExit, err error) {
	states := map[string]string{gatehouse.UnmatchedExits: ` AND state IN ('ambiguous', 'unpaired')`}
	err = s.parkingRows(ctx, f, `SELECT `+exitColumns+` FROM exits`, "at", states, func() int { return len(found) }, func(scan func(...any) error) error {
		e, err := scanExit(f.Place, scan)
		found = append(found, e)
		return err
	})
	return found, err
}

// parkingRows calls row for what a filter asks for, newest first. states are conditions in
// words of the statement, since a partial index is used for those only.
func (s *Store) parkingRows(ctx context.Context, f gatehouse.StayFilter, query, since string, states map[string]string, have func() int, row func(scan func(...any) error) error) error {
	if err := errors.Join(checkPlace(f.Place), checkLimit(f.Limit)); err != nil {
		return err
	}
	query += ` WHERE org = ? AND site = ?`
	args := []any{string(f.Org), string(f.Site)}
	add := func(condition string, arg any) { query, args = query+` AND `+condition, append(args, arg) }
	if condition, ok := states[f.State]; ok {
		query += condition
	} else if f.State != "" {
		add(`state = ?`, f.State)
	}
	if f.CarPark != "" {
		add(`car_park = ?`, f.CarPark)
	}
	if !f.Subject.IsZero() {
		add(`subject = ?`, f.Subject[:])
	}
	if !f.Since.IsZero() {
		add(since+` >= ?`, f.Since.UnixMicro())
		least := leastID(f.Since.Add(-idSlack))
		add(`id >= ?`, least[:])
	}
	var newest time.Time
	if !f.Before.IsZero() {
		newest = f.Before.Time()
		add(`id < ?`, f.Before[:])
	}
	query += ` ORDER BY id DESC LIMIT ?`
	return s.monthsNewestFirst(ctx, f.Since, newest, func(m *shard) (bool, error) {
		rows, err := m.db.Readers().QueryContext(ctx, query, append(args[:len(args):len(args)], f.Limit-have())...)
		if err != nil {
			return false, err
		}
		defer rows.Close()
		for rows.Next() {
			if err := row(rows.Scan); err != nil {
				return false, err
			}
		}
		return have() < f.Limit, rows.Err()
	})
}

// stay is the record of somebody who may have been erased on its way; then its sealed
// correction opens no more, and goes.
func (e *erasedIDs) stay(r gatehouse.StayRecord) gatehouse.StayRecord {
	if now := e.now(r.Place, r.Subject); now != r.Subject {
		r.Subject, r.Known, r.Correction = now, false, nil
	}
	return r
}
