package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"gatehouse"
)

// PutTariff implements gatehouse.ParkingStore.
func (s *Store) PutTariff(ctx context.Context, place gatehouse.Place, t gatehouse.StoredTariff, leaf []byte) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	if t.Name == "" || t.By == "" || t.At.IsZero() || len(t.Body) == 0 {
		return invalid("this is no tariff")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		var last int
		err := tx.QueryRowContext(ctx, `SELECT coalesce(max(revision), 0) FROM tariffs WHERE org = ? AND site = ? AND name = ?`, string(place.Org), string(place.Site), t.Name).Scan(&last)
		if err == nil && t.Revision != last+1 {
			err = gatehouse.Errorf("parking.changed", "look at it again, then change it", "the tariff was changed meanwhile")
		}
		if err != nil {
			return false, err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO tariffs (org, site, name, revision, at, by, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			string(place.Org), string(place.Site), t.Name, t.Revision, micros(t.At), t.By, t.Body)
		return true, err
	})
}

// Tariffs implements gatehouse.ParkingStore, by name and revision.
func (s *Store) Tariffs(ctx context.Context, place gatehouse.Place) (all []gatehouse.StoredTariff, err error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	err = s.siteRows(ctx, `SELECT name, revision, at, by, body FROM tariffs WHERE org = ? AND site = ? ORDER BY name, revision`, []any{string(place.Org), string(place.Site)},
		func(scan func(...any) error) error {
			var t gatehouse.StoredTariff
			var at sql.NullInt64
			err := scan(&t.Name, &t.Revision, &at, &t.By, &t.Body)
			t.At = fromMicros(at)
			all = append(all, t)
			return err
		})
	return all, err
}

// PutParkingItem implements gatehouse.ParkingStore.
func (s *Store) PutParkingItem(ctx context.Context, place gatehouse.Place, i gatehouse.ParkingItem, leaf []byte) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	if i.Kind == "" || i.ID == "" || i.At.IsZero() || i.Body == nil {
		return invalid("this is no item of a car park")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		if s.erased.now(place, i.Subject) != i.Subject { // no replacement runs beside it
			return false, notFound("subject")
		}
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO parking_items (org, site, kind, id, subject, stay, body, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			string(place.Org), string(place.Site), string(i.Kind), i.ID, i.Subject[:], i.Stay[:], i.Body, micros(i.At))
		return true, err
	})
}

// RemoveParkingItem implements gatehouse.ParkingStore.
func (s *Store) RemoveParkingItem(ctx context.Context, place gatehouse.Place, kind gatehouse.ParkingItemKind, id string, leaf []byte) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		result, err := tx.ExecContext(ctx, `DELETE FROM parking_items WHERE org = ? AND site = ? AND kind = ? AND id = ?`, string(place.Org), string(place.Site), string(kind), id)
		if err != nil {
			return false, err
		}
		n, err := result.RowsAffected()
		if err == nil && n == 0 {
			err = notFound(string(kind))
		}
		return err == nil, err
	})
}

// ParkingItems implements gatehouse.ParkingStore, by kind and id.
func (s *Store) ParkingItems(ctx context.Context, place gatehouse.Place) (all []gatehouse.ParkingItem, err error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	err = s.siteRows(ctx, `SELECT kind, id, subject, stay, body, at FROM parking_items WHERE org = ? AND site = ? ORDER BY kind, id`, []any{string(place.Org), string(place.Site)},
		func(scan func(...any) error) error {
			var i gatehouse.ParkingItem
			var at sql.NullInt64
			err := scan(&i.Kind, &i.ID, idColumn{&i.Subject}, idColumn{&i.Stay}, &i.Body, &at)
			i.At = fromMicros(at)
			all = append(all, i)
			return err
		})
	return all, err
}

// UseRight implements gatehouse.ParkingStore.
func (s *Store) UseRight(ctx context.Context, place gatehouse.Place, right, stay gatehouse.ID) error {
	if err := checkPlace(place); err != nil || right.IsZero() || stay.IsZero() {
		return errors.Join(err, invalid("a right and a stay are needed"))
	}
	return s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO rights_used (org, site, by_right, stay) VALUES (?, ?, ?, ?)`, string(place.Org), string(place.Site), right[:], stay[:])
		return err
	})
}

// RightsUsed implements gatehouse.ParkingStore.
func (s *Store) RightsUsed(ctx context.Context, place gatehouse.Place) (map[gatehouse.ID]int, error) {
	used := map[gatehouse.ID]int{}
	err := s.siteRows(ctx, `SELECT by_right, count(*) FROM rights_used WHERE org = ? AND site = ? GROUP BY by_right`, []any{string(place.Org), string(place.Site)},
		func(scan func(...any) error) error {
			var id gatehouse.ID
			var n int
			err := scan(idColumn{&id}, &n)
			used[id] = n
			return err
		})
	return used, err
}
