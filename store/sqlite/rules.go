package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// Rules implements gatehouse.RuleStore.
func (s *Store) Rules(ctx context.Context, place gatehouse.Place) (gatehouse.StoredRules, error) {
	if err := checkPlace(place); err != nil {
		return gatehouse.StoredRules{}, err
	}
	found, err := s.readRules(ctx, place)
	return found, sealeddb.Wrap(s.site.db.Path(), err)
}

func (s *Store) readRules(ctx context.Context, place gatehouse.Place) (found gatehouse.StoredRules, err error) {
	tx, err := s.site.db.Readers().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return found, err
	}
	defer func() { _ = tx.Rollback() }()
	if found.Version, err = ruleVersion(ctx, tx, place); err != nil {
		return found, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT kind, id, revision, body FROM rule_items WHERE org = ? AND site = ? ORDER BY kind, id`, string(place.Org), string(place.Site))
	if err != nil {
		return found, err
	}
	defer rows.Close()
	for rows.Next() {
		var item gatehouse.RuleItem
		if err := rows.Scan(&item.Kind, &item.ID, &item.Revision, &item.Body); err != nil {
			return found, err
		}
		found.Items = append(found.Items, item)
	}
	if err := rows.Err(); err != nil {
		return found, err
	}
	found.Members = map[gatehouse.GroupID][]gatehouse.SubjectID{}
	members, err := tx.QueryContext(ctx, `SELECT group_id, subject FROM group_members WHERE org = ? AND site = ? ORDER BY group_id, subject`, string(place.Org), string(place.Site))
	if err != nil {
		return found, err
	}
	defer members.Close()
	for members.Next() {
		var group gatehouse.GroupID
		var id gatehouse.SubjectID
		if err := members.Scan(&group, idColumn{&id}); err != nil {
			return found, err
		}
		found.Members[group] = append(found.Members[group], id)
	}
	return found, members.Err()
}

// ruleVersion is the newest one; every change has a row.
func ruleVersion(ctx context.Context, q querier, place gatehouse.Place) (version uint64, err error) {
	err = q.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM rule_changes WHERE org = ? AND site = ?`, string(place.Org), string(place.Site)).Scan(&version)
	return version, err
}

// ChangeRules implements gatehouse.RuleStore.
func (s *Store) ChangeRules(ctx context.Context, c gatehouse.RuleChange) error {
	if err := checkPlace(c.Place); err != nil {
		return err
	}
	if c.ID == "" || c.By == "" || (c.Event == gatehouse.RulePut) != (c.Body != nil) {
		return invalid("this is no change of a rule book")
	}
	return s.site.commit(ctx, c.Leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		version, err := ruleVersion(ctx, tx, c.Place)
		if err != nil {
			return false, err
		}
		if c.Version != version+1 {
			return false, gatehouse.Errorf("rules.changed", "look at them again, then change them", "the rules were changed meanwhile")
		}
		if err := changeRules(ctx, tx, c); err != nil {
			return false, err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO rule_changes (org, site, version, at, by, event, kind, id, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			string(c.Org), string(c.Site), c.Version, micros(c.At), c.By, string(c.Event), string(c.Kind), c.ID, c.Body)
		if err != nil {
			return false, err
		}
		for _, id := range c.Members {
			_, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO rule_change_members (org, site, version, subject) VALUES (?, ?, ?, ?)`, string(c.Org), string(c.Site), c.Version, id[:])
			if err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

func changeRules(ctx context.Context, tx *sql.Tx, c gatehouse.RuleChange) error {
	org, site := string(c.Org), string(c.Site)
	switch c.Event {
	case gatehouse.RulePut:
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO rule_items (org, site, kind, id, revision, body) VALUES (?, ?, ?, ?, ?, ?)`,
			org, site, string(c.Kind), c.ID, c.Version, c.Body)
		return err
	case gatehouse.RuleRemoved:
		_, err := tx.ExecContext(ctx, `DELETE FROM rule_items WHERE org = ? AND site = ? AND kind = ? AND id = ?`, org, site, string(c.Kind), c.ID)
		if err == nil && c.Kind == gatehouse.GroupKind {
			_, err = tx.ExecContext(ctx, `DELETE FROM group_members WHERE org = ? AND site = ? AND group_id = ?`, org, site, c.ID)
		}
		return err
	case gatehouse.MembersAdded:
		var groups int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM rule_items WHERE org = ? AND site = ? AND kind = 'group' AND id = ?`, org, site, c.ID).Scan(&groups); err != nil {
			return err
		}
		if groups == 0 {
			return notFound("group")
		}
		return eachMember(c, func(id gatehouse.SubjectID) error {
			result, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO group_members (org, site, group_id, subject)
				SELECT ?1, ?2, ?4, id FROM subjects WHERE org = ?1 AND site = ?2 AND id = ?3 AND status <> 'erased'`, org, site, id[:], c.ID)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, notFound("subject"))
			}
			return nil
		})
	case gatehouse.MembersRemoved:
		return eachMember(c, func(id gatehouse.SubjectID) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM group_members WHERE org = ? AND site = ? AND group_id = ? AND subject = ?`, org, site, c.ID, id[:])
			return err
		})
	}
	return invalid("this is no change of a rule book")
}

func eachMember(c gatehouse.RuleChange, f func(gatehouse.SubjectID) error) error {
	for _, id := range c.Members {
		if err := f(id); err != nil {
			return err
		}
	}
	return nil
}

// RuleChanges implements gatehouse.RuleStore.
func (s *Store) RuleChanges(ctx context.Context, place gatehouse.Place, before uint64, limit int) ([]gatehouse.RuleChange, error) {
	if err := errors.Join(checkPlace(place), checkLimit(limit)); err != nil {
		return nil, err
	}
	if before == 0 || before > 1<<62 {
		before = 1 << 62
	}
	var found []gatehouse.RuleChange
	at := map[uint64]int{}
	err := s.siteRows(ctx, `SELECT version, at, by, event, kind, id, body FROM rule_changes WHERE org = ? AND site = ? AND version < ? ORDER BY version DESC LIMIT ?`,
		[]any{string(place.Org), string(place.Site), before, limit}, func(scan func(...any) error) error {
			c := gatehouse.RuleChange{Place: place}
			var when sql.NullInt64
			err := scan(&c.Version, &when, &c.By, &c.Event, &c.Kind, &c.ID, &c.Body)
			c.At = fromMicros(when)
			at[c.Version] = len(found)
			found = append(found, c)
			return err
		})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	err = s.siteRows(ctx, `SELECT version, subject FROM rule_change_members WHERE org = ? AND site = ? AND version BETWEEN ? AND ? ORDER BY version, subject`,
		[]any{string(place.Org), string(place.Site), found[len(found)-1].Version, found[0].Version}, func(scan func(...any) error) error {
			var version uint64
			var id gatehouse.SubjectID
			err := scan(&version, idColumn{&id})
			if i, ok := at[version]; ok {
				found[i].Members = append(found[i].Members, id)
			}
			return err
		})
	return found, err
}
