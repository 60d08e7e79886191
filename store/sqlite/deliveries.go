package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gatehouse"
)

const deliveryColumns = `webhook, id, kind, passage, at, state, attempts, next, tried, answer, code`

// AddDeliveries implements gatehouse.DeliveryStore.
func (s *Store) AddDeliveries(ctx context.Context, place gatehouse.Place, cursor uint64, list []gatehouse.Delivery) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	return s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, d := range list {
			if err := putDelivery(ctx, tx, `INSERT OR IGNORE`, place, d); err != nil {
				return err
			}
		}
		if cursor == 0 {
			return nil
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO delivery_cursor (org, site, cursor) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET cursor = excluded.cursor`,
			string(place.Org), string(place.Site), int64(cursor))
		return err
	})
}

func putDelivery(ctx context.Context, tx *sql.Tx, how string, place gatehouse.Place, d gatehouse.Delivery) error {
	_, err := tx.ExecContext(ctx, how+` INTO deliveries (org, site, `+deliveryColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(place.Org), string(place.Site), d.Webhook[:], d.ID[:], string(d.Kind), d.Passage[:], d.At.UnixMicro(), string(d.State), d.Attempts, micros(d.Next), micros(d.Tried), d.Answer, d.Code)
	return err
}

// DeliveryCursor implements gatehouse.DeliveryStore.
func (s *Store) DeliveryCursor(ctx context.Context, place gatehouse.Place) (uint64, bool, error) {
	var at int64
	err := s.working.Readers().QueryRowContext(ctx, `SELECT cursor FROM delivery_cursor WHERE org = ? AND site = ?`, string(place.Org), string(place.Site)).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return uint64(at), err == nil, err
}

// DueDeliveries implements gatehouse.DeliveryStore.
func (s *Store) DueDeliveries(ctx context.Context, place gatehouse.Place, now time.Time, limit int) ([]gatehouse.Delivery, error) {
	return s.deliveries(ctx, place, `state = ? AND next <= ? ORDER BY next LIMIT ?`, string(gatehouse.DeliveryWaits), now.UnixMicro(), limit)
}

// PutDelivery implements gatehouse.DeliveryStore. One that was dropped meanwhile stays so.
func (s *Store) PutDelivery(ctx context.Context, d gatehouse.Delivery) error {
	return s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = ?, attempts = ?, next = ?, tried = ?, answer = ?, code = ? WHERE org = ? AND site = ? AND webhook = ? AND id = ?`,
			string(d.State), d.Attempts, micros(d.Next), micros(d.Tried), d.Answer, d.Code, string(d.Org), string(d.Site), d.Webhook[:], d.ID[:])
		return err
	})
}

// Deliveries implements gatehouse.DeliveryStore.
func (s *Store) Deliveries(ctx context.Context, place gatehouse.Place, webhook, before gatehouse.ID, limit int) ([]gatehouse.Delivery, error) {
	if before.IsZero() {
		for i := range before {
			before[i] = 0xff
		}
	}
	return s.deliveries(ctx, place, `webhook = ? AND id < ? ORDER BY id DESC LIMIT ?`, webhook[:], before[:], limit)
}

func (s *Store) deliveries(ctx context.Context, place gatehouse.Place, where string, args ...any) (found []gatehouse.Delivery, err error) {
	err = eachRow(ctx, s.working, `SELECT `+deliveryColumns+` FROM deliveries WHERE org = ? AND site = ? AND `+where, append([]any{string(place.Org), string(place.Site)}, args...),
		func(scan func(...any) error) error {
			d := gatehouse.Delivery{Place: place}
			var at int64
			var next, tried sql.NullInt64
			if err := scan(idColumn{&d.Webhook}, idColumn{&d.ID}, &d.Kind, idColumn{&d.Passage}, &at, &d.State, &d.Attempts, &next, &tried, &d.Answer, &d.Code); err != nil {
				return err
			}
			d.At, d.Next, d.Tried = time.UnixMicro(at).UTC(), fromMicros(next), fromMicros(tried)
			found = append(found, d)
			return nil
		})
	return found, err
}

// DropDeliveries implements gatehouse.DeliveryStore.
func (s *Store) DropDeliveries(ctx context.Context, place gatehouse.Place, webhook gatehouse.ID, before time.Time) error {
	return s.working.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if !webhook.IsZero() {
			_, err := tx.ExecContext(ctx, `DELETE FROM deliveries WHERE org = ? AND site = ? AND webhook = ?`, string(place.Org), string(place.Site), webhook[:])
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM deliveries WHERE org = ? AND site = ? AND state <> ? AND at < ?`,
			string(place.Org), string(place.Site), string(gatehouse.DeliveryWaits), before.UnixMicro())
		return err
	})
}
