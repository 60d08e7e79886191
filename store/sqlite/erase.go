package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"gatehouse"
	"gatehouse/internal/sealeddb"
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
		blobs, err := blobsOf(ctx, one.db.Readers(), query, subjectArgs(place, id))
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

func blobsOf(ctx context.Context, q querier, query string, args []any) (blobs []gatehouse.BlobID, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id gatehouse.BlobID
		if err := rows.Scan(idColumn{&id}); err != nil {
			return nil, err
		}
		blobs = append(blobs, id)
	}
	return blobs, rows.Err()
}

// SubjectPassages implements gatehouse.ErasureStore.
func (s *Store) SubjectPassages(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (passages int, enrolled bool, err error) {
	if err := checkSubject(place, id); err != nil {
		return 0, false, err
	}
	all, err := s.shards(ctx)
	if err != nil {
		return 0, false, err
	}
	for i, one := range all {
		var n int
		query := `SELECT count(*) FROM passages WHERE org = ? AND site = ? AND subject = ?`
		if i == 0 {
			query = `SELECT count(*) FROM subjects WHERE org = ? AND site = ? AND id = ? AND status <> 'erased'`
		}
		if err := one.db.Readers().QueryRowContext(ctx, query, subjectArgs(place, id)...).Scan(&n); err != nil {
			return 0, false, sealeddb.Wrap(one.db.Path(), err)
		}
		if i == 0 {
			enrolled = n > 0
		} else {
			passages += n
		}
	}
	return passages, enrolled, nil
}

// ReplaceSubject implements gatehouse.ErasureStore: month by month, each in one
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
	for _, month := range all[1:] {
		n, err := month.replaceSubject(ctx, place, old, fresh)
		if err != nil {
			return passages, sealeddb.Wrap(month.db.Path(), err)
		}
		passages += n
	}
	return passages, s.replaceEnrolled(ctx, place, old, fresh, leaf)
}

// replaceSubject changes one month. The old id leaves the file and its log at once,
// unless somebody reads at that moment; then with the next checkpoint.
func (m *shard) replaceSubject(ctx context.Context, place gatehouse.Place, old, fresh gatehouse.SubjectID) (passages int, err error) {
	err = m.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE passages SET subject = ?4 WHERE org = ?1 AND site = ?2 AND subject = ?3`,
			append(subjectArgs(place, old), fresh[:])...)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		passages = int(n)
		return err
	})
	if err == nil && passages > 0 {
		_, err = m.db.Checkpoint(ctx)
	}
	return passages, err
}

func (s *Store) replaceEnrolled(ctx context.Context, place gatehouse.Place, old, fresh gatehouse.SubjectID, leaf []byte) error {
	its, both := subjectArgs(place, old), append(subjectArgs(place, old), fresh[:])
	err := s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (changed bool, err error) {
		if _, err := tx.ExecContext(ctx, `DELETE FROM photos WHERE org = ? AND site = ? AND subject = ?`, its...); err != nil {
			return false, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE consents SET subject = ?4, reference = NULL WHERE org = ?1 AND site = ?2 AND subject = ?3`, both...); err != nil {
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
