package sqlite

import (
	"context"
	"database/sql"

	"gatehouse"
)

// BeginIntent implements gatehouse.SubjectStore. Beginning the same one again
// replaces it.
func (s *Store) BeginIntent(ctx context.Context, i gatehouse.Intent) error {
	if i.ID.IsZero() {
		return invalid("an intent needs an id")
	}
	return s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO intents (id, verb, body) VALUES (?, ?, ?)`, i.ID[:], i.Verb, notNil(i.Body))
		return err
	})
}

// FinishIntent implements gatehouse.SubjectStore. One that is not there is finished.
func (s *Store) FinishIntent(ctx context.Context, id gatehouse.ID) error {
	return s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM intents WHERE id = ?`, id[:])
		return err
	})
}

// Intents implements gatehouse.SubjectStore, by id.
func (s *Store) Intents(ctx context.Context) ([]gatehouse.Intent, error) {
	var found []gatehouse.Intent
	err := s.siteRows(ctx, `SELECT id, verb, body FROM intents ORDER BY id`, nil, func(scan func(...any) error) error {
		var i gatehouse.Intent
		err := scan(idColumn{&i.ID}, &i.Verb, &i.Body)
		found = append(found, i)
		return err
	})
	return found, err
}
