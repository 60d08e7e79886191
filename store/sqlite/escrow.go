package sqlite

import (
	"context"
	"database/sql"

	"gatehouse"
)

var _ gatehouse.EscrowStore = (*Store)(nil)

// PutEscrow implements gatehouse.EscrowStore. A row belongs to its place and kind. The
// copies are no change of their own: what they copy has its leaf.
func (s *Store) PutEscrow(ctx context.Context, items []gatehouse.EscrowItem) error {
	return s.writeEscrow(ctx, items, `INSERT OR REPLACE INTO escrow (sealed, subject, org, site, kind, row) VALUES (?, ?, ?, ?, ?, ?)`)
}

// ReplaceEscrow implements gatehouse.EscrowStore.
func (s *Store) ReplaceEscrow(ctx context.Context, items []gatehouse.EscrowItem) error {
	return s.writeEscrow(ctx, items, `UPDATE escrow SET sealed = ? WHERE subject = ? AND org = ? AND site = ? AND kind = ? AND row = ?`)
}

func (s *Store) writeEscrow(ctx context.Context, items []gatehouse.EscrowItem, statement string) error {
	for _, e := range items {
		if err := checkPlace(e.Place); err != nil {
			return err
		}
		if e.Kind == "" || e.Row.IsZero() {
			return invalid("an escrow item needs a kind and a row")
		}
	}
	return s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		write, err := tx.PrepareContext(ctx, statement)
		if err != nil {
			return err
		}
		defer write.Close()
		for _, e := range items {
			if _, err := write.ExecContext(ctx, notNil(e.Sealed), e.Subject[:], string(e.Org), string(e.Site), string(e.Kind), e.Row[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteEscrow implements gatehouse.EscrowStore.
func (s *Store) DeleteEscrow(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID, kinds ...gatehouse.WorkingKind) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	if subject.IsZero() {
		return invalid("the items of devices belong to no subject")
	}
	return s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if len(kinds) == 0 {
			_, err := tx.ExecContext(ctx, `DELETE FROM escrow WHERE org = ? AND site = ? AND subject = ?`, string(place.Org), string(place.Site), subject[:])
			return err
		}
		for _, kind := range kinds {
			if _, err := tx.ExecContext(ctx, `DELETE FROM escrow WHERE org = ? AND site = ? AND kind = ? AND subject = ?`,
				string(place.Org), string(place.Site), string(kind), subject[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Escrow implements gatehouse.EscrowStore, by place, kind and row.
func (s *Store) Escrow(ctx context.Context, f func(gatehouse.EscrowItem) error) error {
	var stopped error
	err := s.siteRows(ctx, `SELECT org, site, kind, row, subject, sealed FROM escrow ORDER BY org, site, kind, row`, nil,
		func(scan func(...any) error) error {
			var e gatehouse.EscrowItem
			if err := scan(&e.Org, &e.Site, &e.Kind, idColumn{&e.Row}, idColumn{&e.Subject}, &e.Sealed); err != nil {
				return err
			}
			stopped = f(e)
			return stopped
		})
	if stopped != nil {
		return stopped
	}
	return err
}
