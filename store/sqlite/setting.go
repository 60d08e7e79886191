package sqlite

import (
	"context"
	"database/sql"

	"gatehouse"
)

// PutSetting implements gatehouse.SettingStore.
func (s *Store) PutSetting(ctx context.Context, place gatehouse.Place, set gatehouse.Setting, leaf []byte) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	if set.Name == "" || set.At.IsZero() {
		return invalid("a setting needs a name and a time")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		if set.Value == "" {
			_, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE org = ? AND site = ? AND name = ?`, string(place.Org), string(place.Site), set.Name)
			return true, err
		}
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO settings (org, site, name, value, at) VALUES (?, ?, ?, ?, ?)`,
			string(place.Org), string(place.Site), set.Name, set.Value, micros(set.At))
		return true, err
	})
}

// Settings implements gatehouse.SettingStore, by name.
func (s *Store) Settings(ctx context.Context, place gatehouse.Place) (all []gatehouse.Setting, err error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	err = s.siteRows(ctx, `SELECT name, value, at FROM settings WHERE org = ? AND site = ? ORDER BY name`, []any{string(place.Org), string(place.Site)},
		func(scan func(...any) error) error {
			var one gatehouse.Setting
			var at sql.NullInt64
			err := scan(&one.Name, &one.Value, &at)
			one.At = fromMicros(at)
			all = append(all, one)
			return err
		})
	return all, err
}
