package sqlite

import (
	"context"
	"database/sql"
	"slices"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// Replay brings a restored store up to the erasure list: what the list names loses its
// row, its consents, photos, escrow and groups, and has another random id in every passage
// from then on. Verbs that were under way at the time of the backup are dropped: they
// lie under a gate key that is gone, and none of them had been acknowledged. Days need
// nothing here: their content is noise, and the next retention run removes it. Replay
// may be repeated.
func (s *Store) Replay(ctx context.Context, removals []gatehouse.Removal) error {
	err := s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM intents`); err != nil {
			return err
		}
		return eachErased(removals, func(r gatehouse.Removal) error {
			for _, table := range []string{"photos", "consents", "escrow", "group_members", "hours_items", "parking_items", "pay_terms"} {
				if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE org = ? AND site = ? AND subject = ?`,
					string(r.Org), string(r.Site), r.Subject[:]); err != nil {
					return err
				}
			}
			fresh := gatehouse.RandomID()
			if _, err := tx.ExecContext(ctx, `UPDATE rule_change_members SET subject = ?4 WHERE org = ?1 AND site = ?2 AND subject = ?3`,
				string(r.Org), string(r.Site), r.Subject[:], fresh[:]); err != nil {
				return err
			}
			for _, statement := range forgetHours {
				if _, err := tx.ExecContext(ctx, statement, string(r.Org), string(r.Site), r.Subject[:], fresh[:]); err != nil {
					return err
				}
			}
			_, err := tx.ExecContext(ctx, `DELETE FROM subjects WHERE org = ? AND site = ? AND id = ?`, string(r.Org), string(r.Site), r.Subject[:])
			return err
		})
	})
	if err != nil {
		return err
	}
	names, err := s.monthNames()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(removals, gatehouse.Removal.Erasure) {
		names = nil // nothing to look for
	}
	for _, name := range names {
		m, err := s.month(ctx, name, false)
		if err != nil {
			return err
		}
		if err := replaceErased(ctx, m.db, removals); err != nil {
			return err
		}
		if _, err := m.db.Checkpoint(ctx); err != nil {
			return err
		}
	}
	_, err = s.site.db.Checkpoint(ctx)
	return err
}

func eachErased(removals []gatehouse.Removal, f func(gatehouse.Removal) error) error {
	for _, r := range removals {
		if !r.Erasure() {
			continue
		}
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

// replaceErased goes once through a month, whatever the length of the list. Passages
// of one subject stay together under the new id.
func replaceErased(ctx context.Context, db *sealeddb.DB, removals []gatehouse.Removal) error {
	return db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TEMP TABLE IF NOT EXISTS erased (org TEXT, site TEXT, subject BLOB, fresh BLOB, PRIMARY KEY (org, site, subject)) WITHOUT ROWID`)
		if err != nil {
			return err
		}
		err = eachErased(removals, func(r gatehouse.Removal) error {
			fresh := gatehouse.RandomID()
			_, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO erased VALUES (?, ?, ?, ?)`, string(r.Org), string(r.Site), r.Subject[:], fresh[:])
			return err
		})
		if err != nil {
			return err
		}
		for table, set := range map[string]string{"passages": "known = 0", "stays": "known = 0, correction = NULL", "exits": "known = 0"} {
			_, err = tx.ExecContext(ctx, `UPDATE `+table+` SET `+set+`, subject = erased.fresh FROM erased
				WHERE erased.org = `+table+`.org AND erased.site = `+table+`.site AND erased.subject = `+table+`.subject`)
			if err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE punches SET subject = erased.fresh FROM erased
			WHERE erased.org = punches.org AND erased.site = punches.site AND erased.subject = punches.subject`)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DROP TABLE erased`)
		return err
	})
}
