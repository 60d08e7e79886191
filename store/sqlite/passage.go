package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// CommitPassage implements gatehouse.PassageStore. Passages that arrive together
// share one transaction.
func (s *Store) CommitPassage(ctx context.Context, c gatehouse.PassageCommit) error {
	if err := checkPassage(c.Passage); err != nil {
		return err
	}
	name, err := monthOf(c.Passage.ID)
	if err != nil {
		return err
	}
	m, err := s.month(ctx, name, true)
	if err != nil {
		return err
	}
	return m.commit(ctx, c.Leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		return insertPassage(ctx, tx, s.erased.apply(c))
	})
}

func checkPassage(p gatehouse.Passage) error {
	if err := checkPlace(p.Place); err != nil {
		return err
	}
	if d := p.At.Sub(p.ID.Time()); p.ID.IsZero() || d < -idSlack || d > idSlack {
		return invalid("a passage's id must be made within a day of its time")
	}
	return nil
}

func insertPassage(ctx context.Context, tx *sql.Tx, c gatehouse.PassageCommit) (bool, error) {
	p := c.Passage
	result, err := tx.ExecContext(ctx, `INSERT INTO passages (org, site, id, gate, device, direction, at, kind, subject, known, frames,
		granted, reason, rule, latency, outcome, outcome_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		string(p.Org), string(p.Site), p.ID[:], string(p.Gate), string(p.Device), string(p.Direction), p.At.UnixMicro(), string(p.Kind),
		p.Subject[:], p.Known, p.Frames, p.Decision.Grant, string(p.Decision.Reason), p.Decision.Rule, p.Latency.Microseconds(),
		string(p.Outcome), micros(p.OutcomeAt))
	if err != nil {
		return false, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return false, err // it is there already
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO details (org, site, passage, sealed) VALUES (?, ?, ?, ?)`,
		string(p.Org), string(p.Site), p.ID[:], notNil(c.Detail))
	if err != nil {
		return false, err
	}
	return true, putEvidence(ctx, tx, "evidence", "passage", p.Place, p.ID, c.Evidence)
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// CommitOutcome implements gatehouse.PassageStore. An outcome that is ignored adds
// no leaf.
func (s *Store) CommitOutcome(ctx context.Context, o gatehouse.PassageOutcome) error {
	m, err := s.monthOfPassage(ctx, o.Place, o.ID)
	if err != nil {
		return err
	}
	return m.commit(ctx, o.Leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		var now string
		err := tx.QueryRowContext(ctx, `SELECT outcome FROM passages WHERE org = ? AND site = ? AND id = ?`,
			string(o.Org), string(o.Site), o.ID[:]).Scan(&now)
		if errors.Is(err, sql.ErrNoRows) {
			return false, notFound("passage")
		}
		open := now == "" || now == string(gatehouse.Pending)
		if err != nil || !open || o.Outcome == gatehouse.Pending && now == string(o.Outcome) {
			return false, err
		}
		at := o.At
		if o.Outcome == gatehouse.Pending {
			at = time.Time{}
		}
		_, err = tx.ExecContext(ctx, `UPDATE passages SET outcome = ?, outcome_at = ? WHERE org = ? AND site = ? AND id = ?`,
			string(o.Outcome), micros(at), string(o.Org), string(o.Site), o.ID[:])
		return true, err
	})
}

// monthOfPassage opens the file that would hold the passage; no file is no passage.
func (s *Store) monthOfPassage(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (*shard, error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	name, err := monthOf(id)
	if err != nil {
		return nil, notFound("passage")
	}
	m, err := s.month(ctx, name, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound("passage")
	}
	return m, err
}

const passageColumns = `id, gate, device, direction, at, kind, subject, known, frames, granted, reason, rule, latency, outcome, outcome_at`

func scanPassage(place gatehouse.Place, scan func(...any) error) (gatehouse.Passage, error) {
	p := gatehouse.Passage{Place: place}
	var at, outcomeAt sql.NullInt64
	var latency int64
	err := scan(idColumn{&p.ID}, &p.Gate, &p.Device, &p.Direction, &at, &p.Kind, idColumn{&p.Subject}, &p.Known, &p.Frames,
		&p.Decision.Grant, &p.Decision.Reason, &p.Decision.Rule, &latency, &p.Outcome, &outcomeAt)
	p.At, p.OutcomeAt = fromMicros(at), fromMicros(outcomeAt)
	p.Latency = time.Duration(latency) * time.Microsecond
	return p, err
}

// Passages implements gatehouse.PassageStore.
func (s *Store) Passages(ctx context.Context, q gatehouse.PassageQuery) ([]gatehouse.Passage, error) {
	if err := errors.Join(checkPlace(q.Place), checkLimit(q.Limit)); err != nil {
		return nil, err
	}
	query := `SELECT ` + passageColumns + ` FROM passages WHERE org = ? AND site = ?`
	args := []any{string(q.Org), string(q.Site)}
	add := func(condition string, arg any) { query, args = query+` AND `+condition, append(args, arg) }
	if q.Gate != "" {
		add(`gate = ?`, string(q.Gate))
	}
	if q.Within != nil {
		condition, gates := within(*q.Within)
		query, args = query+condition, append(args, gates...)
	}
	switch q.Only { // words of the statement, since a partial index is used for those only
	case gatehouse.OnlyGranted:
		query += ` AND granted = 1`
	case gatehouse.OnlyDenied:
		query += ` AND granted = 0`
	}
	switch q.Kind {
	case "":
	case gatehouse.RemoteReading:
		query += ` AND kind = 'remote'`
	default:
		add(`kind = ?`, string(q.Kind))
	}
	var newest time.Time
	if !q.Before.IsZero() {
		newest = q.Before.Time()
		add(`id < ?`, q.Before[:])
	}
	if !q.Since.IsZero() {
		add(`at >= ?`, q.Since.UnixMicro())
		// The same in terms of ids, so that the walk back ends there.
		least := leastID(q.Since.Add(-idSlack))
		add(`id >= ?`, least[:])
	}
	if !q.Until.IsZero() {
		add(`at < ?`, q.Until.UnixMicro())
		most := leastID(q.Until.Add(idSlack))
		add(`id < ?`, most[:])
		if end := q.Until.Add(idSlack); newest.IsZero() || end.Before(newest) {
			newest = end
		}
	}
	query += ` ORDER BY id DESC LIMIT ?`
	var found []gatehouse.Passage
	err := s.monthsNewestFirst(ctx, q.Since, newest, func(m *shard) (bool, error) {
		rows, err := m.db.Readers().QueryContext(ctx, query, append(args[:len(args):len(args)], q.Limit-len(found))...)
		if err != nil {
			return false, err
		}
		defer rows.Close()
		for rows.Next() {
			p, err := scanPassage(q.Place, rows.Scan)
			if err != nil {
				return false, err
			}
			found = append(found, p)
		}
		return len(found) < q.Limit, rows.Err()
	})
	return found, err
}

// within is the condition that a passage was at one of the gates.
func within(g gatehouse.Gates) (condition string, args []any) {
	if g.All() {
		return "", nil
	}
	for _, id := range g.List() {
		args = append(args, string(id))
	}
	return ` AND gate IN (` + strings.TrimSuffix(strings.Repeat(`?,`, len(args)), `,`) + `)`, args
}

// leastID is the smallest id of the moment t.
func leastID(t time.Time) gatehouse.ID {
	var id gatehouse.ID
	ms := max(t.UnixMilli(), 0)
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	return id
}

// Passage implements gatehouse.PassageStore.
func (s *Store) Passage(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error) {
	m, err := s.monthOfPassage(ctx, place, id)
	if err != nil {
		return gatehouse.StoredPassage{}, err
	}
	stored, err := readPassage(ctx, m.db.Readers(), place, id)
	if errors.Is(err, sql.ErrNoRows) {
		err = notFound("passage")
	}
	return stored, sealeddb.Wrap(m.db.Path(), err)
}

// readPassage needs no transaction: what a passage refers to was committed with it
// and does not change until it goes.
func readPassage(ctx context.Context, q querier, place gatehouse.Place, id gatehouse.ID) (stored gatehouse.StoredPassage, err error) {
	key := []any{string(place.Org), string(place.Site), id[:]}
	row := q.QueryRowContext(ctx, `SELECT `+passageColumns+` FROM passages WHERE org = ? AND site = ? AND id = ?`, key...)
	if stored.Passage, err = scanPassage(place, row.Scan); err != nil {
		return gatehouse.StoredPassage{}, err
	}
	row = q.QueryRowContext(ctx, `SELECT sealed FROM details WHERE org = ? AND site = ? AND passage = ?`, key...)
	if err = row.Scan(&stored.Detail); err != nil && !errors.Is(err, sql.ErrNoRows) { // it has expired
		return gatehouse.StoredPassage{}, err
	}
	err = eachEvidence(ctx, q, "evidence", "passage", place, id, id, func(_ gatehouse.ID, e gatehouse.Evidence) {
		stored.Evidence = append(stored.Evidence, e)
	})
	return stored, err
}

// CountPassages implements gatehouse.PassageStore, by Passage.At.
func (s *Store) CountPassages(ctx context.Context, place gatehouse.Place, from, until time.Time, at gatehouse.Gates) (gatehouse.PassageCounts, error) {
	counts := gatehouse.PassageCounts{ByReason: map[gatehouse.Reason]int{}}
	if err := checkPlace(place); err != nil || !from.Before(until) {
		return counts, err
	}
	condition, gates := within(at)
	err := s.monthsNewestFirst(ctx, from, until, func(m *shard) (bool, error) {
		rows, err := m.db.Readers().QueryContext(ctx, `SELECT granted, reason, count(*) FROM passages
			WHERE org = ? AND site = ? AND at >= ? AND at < ?`+condition+` GROUP BY granted, reason`,
			append([]any{string(place.Org), string(place.Site), from.UnixMicro(), until.UnixMicro()}, gates...)...)
		if err != nil {
			return false, err
		}
		defer rows.Close()
		for rows.Next() {
			var granted bool
			var reason gatehouse.Reason
			var n int
			if err := rows.Scan(&granted, &reason, &n); err != nil {
				return false, err
			}
			if granted {
				counts.Granted += n
			} else {
				counts.Denied += n
			}
			counts.ByReason[reason] += n
		}
		return true, rows.Err()
	})
	return counts, err
}

// Blobs implements gatehouse.PassageStore: the blobs of passages and of subjects'
// photos. Whoever sweeps must leave alone what was written after the call began.
func (s *Store) Blobs(ctx context.Context, f func(gatehouse.BlobID) error) error {
	all, err := s.shards(ctx)
	if err != nil {
		return err
	}
	for i, one := range all {
		table := "evidence"
		if i == 0 {
			table = "photos"
		}
		var stopped error
		err := eachRow(ctx, one.db, `SELECT blob FROM `+table, nil, func(scan func(...any) error) error {
			var id gatehouse.BlobID
			if err := scan(idColumn{&id}); err != nil {
				return err
			}
			stopped = f(id)
			return stopped
		})
		if stopped != nil {
			return stopped
		}
		if err != nil {
			return err
		}
	}
	return nil
}
