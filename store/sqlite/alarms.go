package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gatehouse"
)

// PutAlarm implements gatehouse.AlarmStore.
func (s *Store) PutAlarm(ctx context.Context, place gatehouse.Place, a gatehouse.Alarm) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	if a.ID.IsZero() || a.Kind == "" {
		return invalid("an alarm needs an id and a kind")
	}
	return s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO alarms (org, site, id, at, kind, operator, purpose, scope, device, gate, by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '') ON CONFLICT DO NOTHING`,
			string(place.Org), string(place.Site), a.ID[:], a.At.UnixMicro(), string(a.Kind), a.Operator, a.Purpose, a.Scope, string(a.Device), string(a.Gate))
		return err
	})
}

// AcknowledgeAlarm implements gatehouse.AlarmStore.
func (s *Store) AcknowledgeAlarm(ctx context.Context, place gatehouse.Place, id gatehouse.ID, by string, at time.Time, leaf []byte) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	if by == "" || at.IsZero() {
		return invalid("somebody acknowledges an alarm at some time")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		key := []any{string(place.Org), string(place.Site), id[:]}
		var done bool
		err := tx.QueryRowContext(ctx, `SELECT acknowledged IS NOT NULL FROM alarms WHERE org = ? AND site = ? AND id = ?`, key...).Scan(&done)
		if errors.Is(err, sql.ErrNoRows) {
			return false, notFound("alarm")
		}
		if err != nil || done {
			return false, err
		}
		_, err = tx.ExecContext(ctx, `UPDATE alarms SET acknowledged = ?, by = ? WHERE org = ? AND site = ? AND id = ?`, append([]any{at.UnixMicro(), by}, key...)...)
		return true, err
	})
}

// Alarms implements gatehouse.AlarmStore.
func (s *Store) Alarms(ctx context.Context, q gatehouse.AlarmQuery) ([]gatehouse.RaisedAlarm, error) {
	if err := errors.Join(checkPlace(q.Place), checkLimit(q.Limit)); err != nil {
		return nil, err
	}
	query, args := `SELECT id, at, kind, operator, purpose, scope, device, gate, acknowledged, by FROM alarms WHERE org = ? AND site = ?`, []any{string(q.Org), string(q.Site)}
	if q.Open {
		query += ` AND acknowledged IS NULL`
	}
	if !q.Before.IsZero() {
		query, args = query+` AND id < ?`, append(args, q.Before[:])
	}
	var found []gatehouse.RaisedAlarm
	err := s.siteRows(ctx, query+` ORDER BY id DESC LIMIT ?`, append(args, q.Limit), func(scan func(...any) error) error {
		var a gatehouse.RaisedAlarm
		var at, done sql.NullInt64
		err := scan(idColumn{&a.ID}, &at, &a.Kind, &a.Operator, &a.Purpose, &a.Scope, &a.Device, &a.Gate, &done, &a.By)
		a.At, a.Acknowledged = fromMicros(at), fromMicros(done)
		found = append(found, a)
		return err
	})
	return found, err
}

// DropAlarms implements gatehouse.AlarmStore.
func (s *Store) DropAlarms(ctx context.Context, place gatehouse.Place, before time.Time) (dropped int, err error) {
	if err := checkPlace(place); err != nil {
		return 0, err
	}
	err = s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM alarms WHERE org = ? AND site = ? AND acknowledged IS NOT NULL AND at < ?`, string(place.Org), string(place.Site), before.UnixMicro())
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		dropped = int(n)
		return err
	})
	return dropped, err
}
