package sqlite

import (
	"context"
	"database/sql"

	"gatehouse"
)

// PutWorking implements gatehouse.WorkingStore. A row belongs to its place and kind.
func (s *Store) PutWorking(ctx context.Context, items []gatehouse.WorkingItem) error {
	return s.writeWorking(ctx, items, `INSERT OR REPLACE INTO items (sealed, subject, org, site, kind, row) VALUES (?, ?, ?, ?, ?, ?)`)
}

// ReplaceWorking implements gatehouse.WorkingStore.
func (s *Store) ReplaceWorking(ctx context.Context, items []gatehouse.WorkingItem) error {
	return s.writeWorking(ctx, items, `UPDATE items SET sealed = ? WHERE subject = ? AND org = ? AND site = ? AND kind = ? AND row = ?`)
}

func (s *Store) writeWorking(ctx context.Context, items []gatehouse.WorkingItem, statement string) error {
	for _, w := range items {
		if err := checkPlace(w.Place); err != nil {
			return err
		}
		if w.Kind == "" || w.Row.IsZero() {
			return invalid("a working-set item needs a kind and a row")
		}
	}
	return s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		write, err := tx.PrepareContext(ctx, statement)
		if err != nil {
			return err
		}
		defer write.Close()
		for _, w := range items {
			sealed, err := s.current(w)
			if err != nil {
				return err
			}
			if _, err := write.ExecContext(ctx, sealed, w.Subject[:], string(w.Org), string(w.Site), string(w.Kind), w.Row[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteWorking implements gatehouse.WorkingStore. What was deleted leaves the
// file and its log at once, unless somebody reads at that moment; then with the
// next checkpoint.
func (s *Store) DeleteWorking(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID, kinds ...gatehouse.WorkingKind) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	if subject.IsZero() {
		return invalid("the items of devices belong to no subject")
	}
	err := s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if len(kinds) == 0 {
			_, err := tx.ExecContext(ctx, `DELETE FROM items WHERE org = ? AND site = ? AND subject = ?`,
				string(place.Org), string(place.Site), subject[:])
			return err
		}
		for _, kind := range kinds {
			if _, err := tx.ExecContext(ctx, `DELETE FROM items WHERE org = ? AND site = ? AND kind = ? AND subject = ?`,
				string(place.Org), string(place.Site), string(kind), subject[:]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = s.working.Checkpoint(ctx)
	return err
}

// Working implements gatehouse.WorkingStore, by place, kind and row.
func (s *Store) Working(ctx context.Context, f func(gatehouse.WorkingItem) error) error {
	var stopped error
	err := eachRow(ctx, s.working, `SELECT org, site, kind, row, subject, sealed FROM items ORDER BY org, site, kind, row`, nil,
		func(scan func(...any) error) error {
			var w gatehouse.WorkingItem
			if err := scan(&w.Org, &w.Site, &w.Kind, idColumn{&w.Row}, idColumn{&w.Subject}, &w.Sealed); err != nil {
				return err
			}
			stopped = f(w)
			return stopped
		})
	if stopped != nil {
		return stopped
	}
	return err
}
