package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"

	"golang.org/x/sync/errgroup"
)

// erasedIDs are the subjects that were erased since the store was opened, with their
// new ids: a passage that was on its way meanwhile must not bring the old id back.
type erasedIDs struct {
	mu sync.Mutex
	of map[erasedID]gatehouse.SubjectID
}

type erasedID struct {
	gatehouse.Place
	id gatehouse.SubjectID
}

func (e *erasedIDs) add(place gatehouse.Place, old, fresh gatehouse.SubjectID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.of == nil {
		e.of = map[erasedID]gatehouse.SubjectID{}
	}
	e.of[erasedID{place, old}] = fresh
}

// apply is called in the transaction, which no replacement runs beside.
func (e *erasedIDs) apply(c gatehouse.PassageCommit) gatehouse.PassageCommit {
	e.mu.Lock()
	defer e.mu.Unlock()
	if fresh, gone := e.of[erasedID{c.Passage.Place, c.Passage.Subject}]; gone {
		c.Passage.Subject, c.Evidence = fresh, nil
	}
	return c
}

func subjectArgs(place gatehouse.Place, id gatehouse.SubjectID) []any {
	return []any{string(place.Org), string(place.Site), id[:]}
}

func checkSubject(place gatehouse.Place, id gatehouse.SubjectID) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	if id.IsZero() {
		return invalid("a subject has an id")
	}
	return nil
}

// itsBlobs are the pictures of a subject's passages.
const itsBlobs = `SELECT blob FROM evidence WHERE org = ?1 AND site = ?2 AND passage IN
	(SELECT id FROM passages WHERE org = ?1 AND site = ?2 AND subject = ?3)`

// SubjectBlobs implements gatehouse.ErasureStore.
func (s *Store) SubjectBlobs(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID, f func(gatehouse.BlobID) error) error {
	if err := checkSubject(place, id); err != nil {
		return err
	}
	all, err := s.shards(ctx)
	if err != nil {
		return err
	}
	for i, one := range all {
		query := itsBlobs
		if i == 0 {
			query = `SELECT blob FROM photos WHERE org = ?1 AND site = ?2 AND subject = ?3`
		}
		blobs, err := idsOf(ctx, one.db.Readers(), query, subjectArgs(place, id))
		if err != nil {
			return sealeddb.Wrap(one.db.Path(), err)
		}
		for _, blob := range blobs { // no statement is open while the caller works
			if err := f(blob); err != nil {
				return err
			}
		}
	}
	return nil
}

// SubjectPassages implements gatehouse.ErasureStore.
func (s *Store) SubjectPassages(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID, since time.Time, f func(passage gatehouse.ID, pictures []gatehouse.BlobID) error) error {
	if err := checkSubject(place, id); err != nil {
		return err
	}
	least := leastID(since.Add(-idSlack)) // in terms of ids, which the index has
	args := append(subjectArgs(place, id), least[:], since.UnixMicro())
	return s.monthsNewestFirst(ctx, since, time.Time{}, func(m *shard) (bool, error) {
		ids, err := idsOf(ctx, m.db.Readers(), `SELECT id FROM passages WHERE org = ? AND site = ? AND subject = ? AND id >= ? AND at >= ?`, args)
		if err != nil {
			return false, err
		}
		for _, passage := range ids { // no statement is open while the caller works
			pictures, err := idsOf(ctx, m.db.Readers(), `SELECT blob FROM evidence WHERE org = ? AND site = ? AND passage = ?`, subjectArgs(place, passage))
			if err != nil {
				return false, err
			}
			if err := f(passage, pictures); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// SubjectContent implements gatehouse.ErasureStore.
func (s *Store) SubjectContent(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID, f func(detail []byte, pictures []gatehouse.BlobID) error) error {
	if err := checkSubject(place, id); err != nil {
		return err
	}
	all, err := s.shards(ctx)
	if err != nil {
		return err
	}
	for _, month := range all[1:] {
		ids, err := idsOf(ctx, month.db.Readers(), `SELECT id FROM passages WHERE org = ? AND site = ? AND subject = ?`, subjectArgs(place, id))
		if err != nil {
			return sealeddb.Wrap(month.db.Path(), err)
		}
		for _, passage := range ids {
			stored, err := readPassage(ctx, month.db.Readers(), place, passage)
			if err != nil {
				return sealeddb.Wrap(month.db.Path(), err)
			}
			var pictures []gatehouse.BlobID
			for _, e := range stored.Evidence {
				pictures = append(pictures, e.Blob)
			}
			if err := f(stored.Detail, pictures); err != nil {
				return err
			}
		}
	}
	return nil
}

// idsOf reads ids.
func idsOf(ctx context.Context, q querier, query string, args []any) (ids []gatehouse.ID, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id gatehouse.ID
		if err := rows.Scan(idColumn{&id}); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// SubjectTraces implements gatehouse.ErasureStore.
func (s *Store) SubjectTraces(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (traces gatehouse.SubjectTraces, err error) {
	if err := checkSubject(place, id); err != nil {
		return traces, err
	}
	all, err := s.shards(ctx)
	if err != nil {
		return traces, err
	}
	args := subjectArgs(place, id)
	err = s.site.db.Readers().QueryRowContext(ctx, `SELECT count(*) > 0 FROM subjects WHERE org = ? AND site = ? AND id = ? AND status <> 'erased'`, args...).Scan(&traces.Enrolled)
	if err != nil {
		return traces, sealeddb.Wrap(SiteFile, err)
	}
	err = s.site.db.Readers().QueryRowContext(ctx, `SELECT (SELECT count(*) FROM group_members WHERE org = ?1 AND site = ?2 AND subject = ?3) +
		(SELECT count(*) FROM rule_change_members WHERE org = ?1 AND site = ?2 AND subject = ?3)`, args...).Scan(&traces.Rules)
	if err != nil {
		return traces, sealeddb.Wrap(SiteFile, err)
	}
	for _, table := range hoursTables {
		var n int
		if err := s.site.db.Readers().QueryRowContext(ctx, `SELECT count(*) FROM `+table+` WHERE org = ? AND site = ? AND subject = ?`, args...).Scan(&n); err != nil {
			return traces, sealeddb.Wrap(SiteFile, err)
		}
		traces.Hours += n
	}
	var swaps int // in which they are the other one
	if err := s.site.db.Readers().QueryRowContext(ctx, `SELECT count(*) FROM shift_swaps WHERE org = ? AND site = ? AND other = ?`, args...).Scan(&swaps); err != nil {
		return traces, sealeddb.Wrap(SiteFile, err)
	}
	traces.Hours += swaps
	err = s.site.db.Readers().QueryRowContext(ctx, `SELECT count(*) FROM parking_items WHERE org = ? AND site = ? AND subject = ?`, args...).Scan(&traces.Parking)
	if err != nil {
		return traces, sealeddb.Wrap(SiteFile, err)
	}
	err = s.site.db.Readers().QueryRowContext(ctx, `SELECT count(*) FROM requests WHERE org = ? AND site = ? AND subject = ?`, args...).Scan(&traces.Requests)
	if err != nil {
		return traces, sealeddb.Wrap(SiteFile, err)
	}
	for _, month := range all[1:] {
		var parked int
		err := month.db.Readers().QueryRowContext(ctx, `SELECT (SELECT count(*) FROM stays WHERE org = ?1 AND site = ?2 AND subject = ?3) +
			(SELECT count(*) FROM exits WHERE org = ?1 AND site = ?2 AND subject = ?3)`, args...).Scan(&parked)
		if err != nil {
			return traces, sealeddb.Wrap(month.db.Path(), err)
		}
		traces.Parking += parked
		var punches int
		if err := month.db.Readers().QueryRowContext(ctx, `SELECT count(*) FROM punches WHERE org = ? AND site = ? AND subject = ?`, args...).Scan(&punches); err != nil {
			return traces, sealeddb.Wrap(month.db.Path(), err)
		}
		traces.Hours += punches
		n, last, err := month.traces(ctx, args)
		if err != nil {
			return traces, sealeddb.Wrap(month.db.Path(), err)
		}
		traces.Passages += n
		if last.After(traces.Last) {
			traces.Last = last
		}
	}
	return traces, nil
}

// traces counts a subject's passages of a month from the index alone. Only the last of
// them are read: times lie within idSlack of those in the ids.
func (m *shard) traces(ctx context.Context, subject []any) (passages int, last time.Time, err error) {
	r := m.db.Readers()
	if err := r.QueryRowContext(ctx, `SELECT count(*) FROM passages WHERE org = ? AND site = ? AND subject = ?`, subject...).Scan(&passages); err != nil || passages == 0 {
		return 0, last, err
	}
	var newest gatehouse.ID
	var at sql.NullInt64
	err = r.QueryRowContext(ctx, `SELECT id FROM passages WHERE org = ? AND site = ? AND subject = ? ORDER BY id DESC LIMIT 1`, subject...).Scan(idColumn{&newest})
	if errors.Is(err, sql.ErrNoRows) { // replaced or dropped meanwhile
		return passages, last, nil
	}
	if err == nil {
		least := leastID(newest.Time().Add(-2 * idSlack))
		err = r.QueryRowContext(ctx, `SELECT max(at) FROM passages WHERE org = ? AND site = ? AND subject = ? AND id >= ?`, append(subject[:3:3], least[:])...).Scan(&at)
	}
	return passages, fromMicros(at), err
}

// SubjectSeen implements gatehouse.ErasureStore.
func (s *Store) SubjectSeen(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID, from, until time.Time) (seen bool, err error) {
	if err := checkSubject(place, id); err != nil || !from.Before(until) {
		return false, err
	}
	err = s.monthsNewestFirst(ctx, from, until, func(m *shard) (bool, error) {
		err := m.db.Readers().QueryRowContext(ctx, `SELECT count(*) > 0 FROM passages WHERE org = ? AND site = ? AND subject = ? AND at >= ? AND at < ?`,
			append(subjectArgs(place, id), from.UnixMicro(), until.UnixMicro())...).Scan(&seen)
		return !seen, err
	})
	return seen, err
}

// monthsAtOnce is how many months are changed side by side: each waits for its own
// file's disk.
const monthsAtOnce = 4

// ReplaceSubject implements gatehouse.ErasureStore: the months, each in one
// transaction, and site.db last.
func (s *Store) ReplaceSubject(ctx context.Context, place gatehouse.Place, old, fresh gatehouse.SubjectID, leaf []byte) (passages int, err error) {
	if err := errors.Join(checkSubject(place, old), checkSubject(place, fresh)); err != nil {
		return 0, err
	}
	if old == fresh {
		return 0, invalid("the new id is the old one")
	}
	s.erased.add(place, old, fresh)
	all, err := s.shards(ctx)
	if err != nil {
		return 0, err
	}
	var replaced atomic.Int64
	var months errgroup.Group
	months.SetLimit(monthsAtOnce)
	for _, month := range all[1:] {
		months.Go(func() error {
			n, err := month.replaceSubject(ctx, place, old, fresh)
			replaced.Add(int64(n))
			return sealeddb.Wrap(month.db.Path(), err)
		})
	}
	err = months.Wait()
	passages = int(replaced.Load())
	if err != nil {
		return passages, err
	}
	return passages, s.replaceEnrolled(ctx, place, old, fresh, leaf)
}

// replaceSubject changes one month. The old id leaves the file and its log at once,
// unless somebody reads at that moment; then with the next checkpoint.
func (m *shard) replaceSubject(ctx context.Context, place gatehouse.Place, old, fresh gatehouse.SubjectID) (passages int, err error) {
	var changed int64
	err = m.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		both := append(subjectArgs(place, old), fresh[:])
		for i, statement := range []string{
			`UPDATE passages SET subject = ?4 WHERE org = ?1 AND site = ?2 AND subject = ?3`,
			`UPDATE punches SET subject = ?4 WHERE org = ?1 AND site = ?2 AND subject = ?3`,
			`UPDATE stays SET subject = ?4, known = 0, correction = NULL WHERE org = ?1 AND site = ?2 AND subject = ?3`,
			`UPDATE exits SET subject = ?4, known = 0 WHERE org = ?1 AND site = ?2 AND subject = ?3`,
		} {
			result, err := tx.ExecContext(ctx, statement, both...)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			if changed += n; i == 0 {
				passages = int(n)
			}
		}
		return nil
	})
	if err == nil && changed > 0 {
		_, err = m.db.Checkpoint(ctx)
	}
	return passages, err
}

// hoursTables are those of site.db that name subjects for their hours.
var hoursTables = []string{"hours_items", "hours_changes", "time_corrections", "leave_requests", "shift_swaps", "pay_terms", "payslips"}

// forgetHours makes what was planned, corrected and excused nobody's: closed periods go on
// adding up under the new id.
var forgetHours = []string{
	`UPDATE hours_changes SET subject = ?4 WHERE org = ?1 AND site = ?2 AND subject = ?3`,
	`UPDATE time_corrections SET subject = ?4, reason = NULL WHERE org = ?1 AND site = ?2 AND subject = ?3`,
	`UPDATE leave_requests SET subject = ?4, reason = NULL WHERE org = ?1 AND site = ?2 AND subject = ?3`,
	`UPDATE shift_swaps SET subject = ?4, entries = NULL WHERE org = ?1 AND site = ?2 AND subject = ?3`,
	`UPDATE shift_swaps SET other = ?4, entries = NULL WHERE org = ?1 AND site = ?2 AND other = ?3`,
	`UPDATE payslips SET subject = ?4, sealed = NULL WHERE org = ?1 AND site = ?2 AND subject = ?3`,
}

func (s *Store) replaceEnrolled(ctx context.Context, place gatehouse.Place, old, fresh gatehouse.SubjectID, leaf []byte) error {
	its, both := subjectArgs(place, old), append(subjectArgs(place, old), fresh[:])
	err := s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (changed bool, err error) {
		for _, table := range []string{"photos", "escrow", "group_members", "parking_items", "hours_items", "pay_terms"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE org = ? AND site = ? AND subject = ?`, its...); err != nil {
				return false, err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE consents SET subject = ?4, reference = NULL WHERE org = ?1 AND site = ?2 AND subject = ?3`, both...); err != nil {
			return false, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE rule_change_members SET subject = ?4 WHERE org = ?1 AND site = ?2 AND subject = ?3`, both...); err != nil {
			return false, err
		}
		for _, statement := range forgetHours {
			if _, err := tx.ExecContext(ctx, statement, both...); err != nil {
				return false, err
			}
		}
		// What a request says is noise from now on; that there was one, and when, stays.
		if _, err := tx.ExecContext(ctx, `UPDATE requests SET subject = ?4, note = NULL, answer = NULL, contact = NULL WHERE org = ?1 AND site = ?2 AND subject = ?3`, both...); err != nil {
			return false, err
		}
		result, err := tx.ExecContext(ctx, `UPDATE subjects SET id = ?4, status = 'erased', record = NULL WHERE org = ?1 AND site = ?2 AND id = ?3`, both...)
		if err != nil {
			return false, err
		}
		n, err := result.RowsAffected()
		return n > 0, err
	})
	if err == nil {
		_, err = s.site.db.Checkpoint(ctx)
	}
	return err
}
