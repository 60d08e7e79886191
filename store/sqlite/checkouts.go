package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// PutCheckout implements gatehouse.BookStore. One that was paid stays so.
func (s *Store) PutCheckout(ctx context.Context, c gatehouse.Checkout) error {
	if err := checkPlace(c.Place); err != nil {
		return err
	}
	content, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return s.books.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO checkouts (org, site, id, begun, state, content) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (org, site, id) DO UPDATE SET state = excluded.state, content = excluded.content WHERE state <> 'paid'`,
			string(c.Org), string(c.Site), c.ID[:], micros(c.Begun), string(c.State), content)
		return err
	})
}

// Checkout implements gatehouse.BookStore.
func (s *Store) Checkout(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (c gatehouse.Checkout, err error) {
	var content []byte
	err = s.books.db.Readers().QueryRowContext(ctx, `SELECT content FROM checkouts WHERE org = ? AND site = ? AND id = ?`, string(place.Org), string(place.Site), id[:]).Scan(&content)
	if errors.Is(err, sql.ErrNoRows) {
		return c, notFound("checkout")
	}
	if err == nil {
		err = json.Unmarshal(content, &c)
	}
	return c, sealeddb.Wrap(s.books.db.Path(), err)
}

// OpenCheckouts implements gatehouse.BookStore.
func (s *Store) OpenCheckouts(ctx context.Context, place gatehouse.Place) (found []gatehouse.Checkout, err error) {
	err = contents(ctx, s, `SELECT content FROM checkouts WHERE org = ? AND site = ? AND state IN ('begun', 'open') ORDER BY begun`, place, &found)
	return found, err
}

// PutRefundOrder implements gatehouse.BookStore.
func (s *Store) PutRefundOrder(ctx context.Context, o gatehouse.RefundOrder) error {
	if err := checkPlace(o.Place); err != nil {
		return err
	}
	content, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return s.books.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var paid, ordered int64
		err := tx.QueryRowContext(ctx, `SELECT coalesce(sum(CASE kind WHEN 'payment' THEN amount ELSE 0 END), 0) FROM entries
			WHERE org = ? AND site = ? AND provider = ? AND payment = ? AND payment <> ''`, string(o.Org), string(o.Site), o.Provider, o.Payment).Scan(&paid)
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `SELECT coalesce(sum(amount), 0) FROM refund_orders WHERE org = ? AND site = ? AND provider = ? AND payment = ? AND state <> 'failed' AND id <> ?`,
			string(o.Org), string(o.Site), o.Provider, o.Payment, o.ID[:]).Scan(&ordered)
		if err != nil {
			return err
		}
		if o.State != gatehouse.RefundFailed && (o.Amount.Minor <= 0 || o.Amount.Minor > paid-ordered) {
			return gatehouse.Errorf("books.too_much", "refund what is left of it, or less", "more would be refunded than is left of the payment")
		}
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO refund_orders (org, site, id, at, state, provider, payment, amount, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			string(o.Org), string(o.Site), o.ID[:], micros(o.At), string(o.State), o.Provider, o.Payment, o.Amount.Minor, content)
		return err
	})
}

// RefundOrders implements gatehouse.BookStore.
func (s *Store) RefundOrders(ctx context.Context, place gatehouse.Place) (found []gatehouse.RefundOrder, err error) {
	err = contents(ctx, s, `SELECT content FROM refund_orders WHERE org = ? AND site = ? AND state = 'asked' ORDER BY at`, place, &found)
	return found, err
}

// contents reads rows of one column of JSON.
func contents[T any](ctx context.Context, s *Store, query string, place gatehouse.Place, into *[]T, args ...any) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	return eachRow(ctx, s.books.db, query, append([]any{string(place.Org), string(place.Site)}, args...), func(scan func(...any) error) error {
		var content []byte
		if err := scan(&content); err != nil {
			return err
		}
		var one T
		err := json.Unmarshal(content, &one)
		*into = append(*into, one)
		return err
	})
}
