package sqlite

import (
	"context"
	"database/sql"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// resealBatch is how many items one transaction rewrites.
const resealBatch = 500

// ResealWorking gives every item of the working set the sealed form that f returns for
// it; nil leaves it as it is. An item that was changed or deleted meanwhile is left
// alone: what is put goes through Options.Current. step hears how many of how many
// were looked at. Errors are f's and the store's; what was rewritten before stays so.
func (s *Store) ResealWorking(ctx context.Context, f func(gatehouse.WorkingItem) ([]byte, error), step func(done, all int)) error {
	// Whoever puts items now may have looked at the key before it changed; their
	// transaction ends before this one begins.
	if err := s.working.Write(ctx, func(context.Context, *sql.Tx) error { return nil }); err != nil {
		return err
	}
	var all int
	if err := s.working.Readers().QueryRowContext(ctx, `SELECT count(*) FROM items`).Scan(&all); err != nil {
		return sealeddb.Wrap(s.working.Path(), err)
	}
	var last gatehouse.WorkingItem
	for done := 0; ; {
		batch, err := s.workingAfter(ctx, last)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		if err := s.resealBatch(ctx, batch, f); err != nil {
			return err
		}
		last, done = batch[len(batch)-1], done+len(batch)
		step(done, max(done, all))
	}
	_, err := s.working.Checkpoint(ctx)
	return err
}

// workingAfter reads the items behind one, in the order of their keys.
func (s *Store) workingAfter(ctx context.Context, last gatehouse.WorkingItem) (items []gatehouse.WorkingItem, err error) {
	err = eachRow(ctx, s.working, `SELECT org, site, kind, row, subject, sealed FROM items WHERE (org, site, kind, row) > (?, ?, ?, ?)
		ORDER BY org, site, kind, row LIMIT ?`, []any{string(last.Org), string(last.Site), string(last.Kind), last.Row[:], resealBatch},
		func(scan func(...any) error) error {
			var w gatehouse.WorkingItem
			err := scan(&w.Org, &w.Site, &w.Kind, idColumn{&w.Row}, idColumn{&w.Subject}, &w.Sealed)
			items = append(items, w)
			return err
		})
	return items, err
}

func (s *Store) resealBatch(ctx context.Context, items []gatehouse.WorkingItem, f func(gatehouse.WorkingItem) ([]byte, error)) error {
	return s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		update, err := tx.PrepareContext(ctx, `UPDATE items SET sealed = ? WHERE org = ? AND site = ? AND kind = ? AND row = ? AND sealed = ?`)
		if err != nil {
			return err
		}
		defer update.Close()
		for _, w := range items {
			sealed, err := f(w)
			if err != nil {
				return err
			}
			if sealed == nil {
				continue
			}
			if _, err := update.ExecContext(ctx, sealed, string(w.Org), string(w.Site), string(w.Kind), w.Row[:], w.Sealed); err != nil {
				return err
			}
		}
		return nil
	})
}

// current gives an item the form in which it may be written now.
func (s *Store) current(w gatehouse.WorkingItem) ([]byte, error) {
	if s.options.Current == nil {
		return notNil(w.Sealed), nil
	}
	sealed, err := s.options.Current(w)
	return notNil(sealed), err
}
