package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// Book implements gatehouse.BookStore.
func (s *Store) Book(ctx context.Context, e gatehouse.BookEvent, decide gatehouse.BookDecision) (entry gatehouse.BookEntry, outcome gatehouse.BookOutcome, err error) {
	if err := checkPlace(e.Place); err != nil {
		return entry, "", err
	}
	err = s.books.commitWith(ctx, func(ctx context.Context, tx *sql.Tx) ([]byte, error) {
		var known gatehouse.BookKnown
		var err error
		if known.OfStay, err = entriesOf(ctx, tx, e.Place, `stay = ?`, e.Stay[:]); err != nil {
			return nil, err
		}
		if e.Payment != "" {
			// The second condition repeats the index's own, or it would not be used.
			if known.OfPayment, err = entriesOf(ctx, tx, e.Place, `provider = ? AND payment = ? AND payment <> ''`, e.Provider, e.Payment); err != nil {
				return nil, err
			}
		}
		if entry, outcome, err = decide(e, known); err != nil {
			return nil, err
		}
		switch outcome {
		case gatehouse.Booked:
			there, err := entriesOf(ctx, tx, e.Place, `key = ?`, entry.Key)
			if err != nil {
				return nil, err
			}
			if len(there) > 0 {
				entry, outcome = there[0], gatehouse.BookDuplicate
				return nil, dropWaiting(ctx, tx, e)
			}
			if err := addEntry(ctx, tx, &entry); err != nil {
				return nil, err
			}
			return gatehouse.BookLeaf(entry), dropWaiting(ctx, tx, e)
		case gatehouse.BookDuplicate:
			for _, x := range append(known.OfPayment, known.OfStay...) {
				if x.Kind == e.Kind && x.Provider == e.Provider && x.Object == e.Object {
					entry = x
					break
				}
			}
			return nil, dropWaiting(ctx, tx, e)
		case gatehouse.BookWaiting:
			return nil, keepWaiting(ctx, tx, e)
		}
		return nil, nil
	})
	if err != nil {
		return gatehouse.BookEntry{}, "", sealeddb.Wrap(s.books.db.Path(), err)
	}
	return entry, outcome, nil
}

// addEntry numbers an entry and writes it with its postings and what they add up to.
func addEntry(ctx context.Context, tx *sql.Tx, e *gatehouse.BookEntry) error {
	org, site := string(e.Org), string(e.Site)
	var last, booked int64
	err := tx.QueryRowContext(ctx, `SELECT number, booked FROM entries WHERE org = ? AND site = ? ORDER BY number DESC LIMIT 1`, org, site).Scan(&last, &booked)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	e.Number = uint64(last) + 1
	// As it will be read: to the microsecond; and never before the entry that it follows.
	e.At, e.Heard = time.UnixMicro(e.At.UnixMicro()).UTC(), time.UnixMicro(e.Heard.UnixMicro()).UTC()
	e.Booked = time.UnixMicro(max(booked, e.Heard.UnixMicro())).UTC()
	var charge []byte
	if e.Charge != nil {
		if charge, err = json.Marshal(e.Charge); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO entries (`+entryColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		org, site, e.Number, e.Key, string(e.Kind), micros(e.At), micros(e.Heard), micros(e.Booked), e.Stay[:], e.Amount.Minor, string(e.Amount.Currency), e.Tax,
		e.Provider, e.Payment, e.Object, e.Notice, e.By, string(e.Reason), charge)
	if err != nil {
		return err
	}
	for n, p := range e.Postings {
		if _, err := tx.ExecContext(ctx, `INSERT INTO postings (org, site, entry, n, account, amount) VALUES (?, ?, ?, ?, ?, ?)`, org, site, e.Number, n, string(p.Account), p.Amount); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO balances (org, site, account, currency, amount) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (org, site, account, currency) DO UPDATE SET amount = amount + excluded.amount`, org, site, string(p.Account), string(e.Amount.Currency), p.Amount)
		if err != nil {
			return err
		}
		if p.Account != gatehouse.Receivable {
			continue
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO owed (org, site, stay, currency, amount) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (org, site, stay, currency) DO UPDATE SET amount = amount + excluded.amount`, org, site, e.Stay[:], string(e.Amount.Currency), p.Amount)
		if err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM owed WHERE org = ? AND site = ? AND stay = ? AND amount = 0`, org, site, e.Stay[:])
	return err
}

const entryColumns = `org, site, number, key, kind, at, heard, booked, stay, amount, currency, tax, provider, payment, object, notice, by, reason, charge`

// entriesOf reads the entries that a condition holds for, by number, with their postings.
func entriesOf(ctx context.Context, q querier, place gatehouse.Place, where string, args ...any) ([]gatehouse.BookEntry, error) {
	args = append([]any{string(place.Org), string(place.Site)}, args...)
	rows, err := q.QueryContext(ctx, `SELECT `+entryColumns+` FROM entries WHERE org = ? AND site = ? AND `+where+` ORDER BY number`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []gatehouse.BookEntry
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	if err := rows.Err(); err != nil || len(found) == 0 {
		return nil, err
	}
	for i := range found {
		if found[i].Postings, err = postingsOf(ctx, q, place, found[i].Number); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func scanEntry(rows *sql.Rows) (e gatehouse.BookEntry, err error) {
	var at, heard, booked int64
	var charge []byte
	err = rows.Scan(&e.Org, &e.Site, &e.Number, &e.Key, &e.Kind, &at, &heard, &booked, idColumn{&e.Stay}, &e.Amount.Minor, &e.Amount.Currency, &e.Tax,
		&e.Provider, &e.Payment, &e.Object, &e.Notice, &e.By, &e.Reason, &charge)
	e.At, e.Heard, e.Booked = time.UnixMicro(at).UTC(), time.UnixMicro(heard).UTC(), time.UnixMicro(booked).UTC()
	if err == nil && charge != nil {
		e.Charge = &gatehouse.Charge{}
		err = json.Unmarshal(charge, e.Charge)
	}
	return e, err
}

func postingsOf(ctx context.Context, q querier, place gatehouse.Place, number uint64) ([]gatehouse.Posting, error) {
	rows, err := q.QueryContext(ctx, `SELECT account, amount FROM postings WHERE org = ? AND site = ? AND entry = ? ORDER BY n`, string(place.Org), string(place.Site), number)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []gatehouse.Posting
	for rows.Next() {
		var p gatehouse.Posting
		if err := rows.Scan(&p.Account, &p.Amount); err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, rows.Err()
}

func keepWaiting(ctx context.Context, tx *sql.Tx, e gatehouse.BookEvent) error {
	event, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT OR IGNORE INTO waiting (org, site, provider, payment, kind, object, heard, event) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		string(e.Org), string(e.Site), e.Provider, e.Payment, string(e.Kind), e.Object, micros(e.Heard), event)
	return err
}

func dropWaiting(ctx context.Context, tx *sql.Tx, e gatehouse.BookEvent) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM waiting WHERE org = ? AND site = ? AND provider = ? AND payment = ? AND kind = ? AND object = ?`,
		string(e.Org), string(e.Site), e.Provider, e.Payment, string(e.Kind), e.Object)
	return err
}

// WaitingBooks implements gatehouse.BookStore.
func (s *Store) WaitingBooks(ctx context.Context, place gatehouse.Place, provider, payment string) (found []gatehouse.BookEvent, err error) {
	err = contents(ctx, s, `SELECT event FROM waiting WHERE org = ?1 AND site = ?2 AND (?4 = '' OR provider = ?3 AND payment = ?4) ORDER BY heard, kind, object`, place, &found, provider, payment)
	return found, err
}

// ReadyBooks implements gatehouse.BookStore.
func (s *Store) ReadyBooks(ctx context.Context, place gatehouse.Place) (found []gatehouse.BookEvent, err error) {
	err = contents(ctx, s, `SELECT event FROM waiting w WHERE org = ? AND site = ? AND EXISTS (SELECT 1 FROM entries e
		WHERE e.org = w.org AND e.site = w.site AND e.provider = w.provider AND e.payment = w.payment AND e.payment <> '') ORDER BY heard, kind, object`, place, &found)
	return found, err
}

// StayEntries implements gatehouse.BookStore.
func (s *Store) StayEntries(ctx context.Context, place gatehouse.Place, stay gatehouse.ID) ([]gatehouse.BookEntry, error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	found, err := entriesOf(ctx, s.books.db.Readers(), place, `stay = ?`, stay[:])
	return found, sealeddb.Wrap(s.books.db.Path(), err)
}

// BookEntries implements gatehouse.BookStore.
func (s *Store) BookEntries(ctx context.Context, q gatehouse.BookQuery) ([]gatehouse.BookEntry, error) {
	if err := errors.Join(checkPlace(q.Place), checkLimit(q.Limit)); err != nil {
		return nil, err
	}
	from, until := int64(0), int64(1<<62)
	if !q.From.IsZero() {
		from = q.From.UnixMicro()
	}
	if !q.Until.IsZero() {
		until = q.Until.UnixMicro()
	}
	// Numbers and times grow together, so that the first of the span is found by its time.
	var first int64
	err := s.books.db.Readers().QueryRowContext(ctx, `SELECT coalesce(min(number), 0) FROM entries WHERE org = ? AND site = ? AND booked >= ?`, string(q.Org), string(q.Site), from).Scan(&first)
	if err != nil || first == 0 {
		return nil, sealeddb.Wrap(s.books.db.Path(), err)
	}
	found, err := entriesOf(ctx, s.books.db.Readers(), q.Place, `number > ? AND number >= ? AND booked < ? AND number <= ?`,
		int64(min(q.After, 1<<62)), first, until, max(first-1, int64(min(q.After, 1<<61)))+int64(q.Limit))
	return found, sealeddb.Wrap(s.books.db.Path(), err)
}

// BookBalances implements gatehouse.BookStore.
func (s *Store) BookBalances(ctx context.Context, place gatehouse.Place) ([]gatehouse.Balance, error) {
	return s.balances(ctx, place, `SELECT account, currency, amount FROM balances WHERE org = ? AND site = ? AND amount <> 0 ORDER BY account, currency`)
}

// BookTurnover implements gatehouse.BookStore.
func (s *Store) BookTurnover(ctx context.Context, place gatehouse.Place, after, upTo uint64) ([]gatehouse.Balance, error) {
	return s.balances(ctx, place, `SELECT p.account, e.currency, sum(p.amount) FROM postings p JOIN entries e ON e.org = p.org AND e.site = p.site AND e.number = p.entry
		WHERE p.org = ? AND p.site = ? AND p.entry > ? AND p.entry <= ? GROUP BY p.account, e.currency HAVING sum(p.amount) <> 0 ORDER BY p.account, e.currency`, int64(min(after, 1<<62)), int64(min(upTo, 1<<62)))
}

func (s *Store) balances(ctx context.Context, place gatehouse.Place, query string, args ...any) ([]gatehouse.Balance, error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	var found []gatehouse.Balance
	err := eachRow(ctx, s.books.db, query, append([]any{string(place.Org), string(place.Site)}, args...), func(scan func(...any) error) error {
		var b gatehouse.Balance
		err := scan(&b.Account, &b.Amount.Currency, &b.Amount.Minor)
		found = append(found, b)
		return err
	})
	return found, err
}

// Unsettled implements gatehouse.BookStore.
func (s *Store) Unsettled(ctx context.Context, place gatehouse.Place, after gatehouse.ID, limit int) ([]gatehouse.StayBalance, error) {
	if err := errors.Join(checkPlace(place), checkLimit(limit)); err != nil {
		return nil, err
	}
	var found []gatehouse.StayBalance
	err := eachRow(ctx, s.books.db, `SELECT stay, currency, amount FROM owed WHERE org = ? AND site = ? AND stay > ? ORDER BY stay, currency LIMIT ?`,
		[]any{string(place.Org), string(place.Site), after[:], limit}, func(scan func(...any) error) error {
			var b gatehouse.StayBalance
			err := scan(idColumn{&b.Stay}, &b.Owes.Currency, &b.Owes.Minor)
			found = append(found, b)
			return err
		})
	return found, err
}

// LastBooked implements gatehouse.BookStore.
func (s *Store) LastBooked(ctx context.Context, place gatehouse.Place, before time.Time) (last uint64, err error) {
	err = s.books.db.Readers().QueryRowContext(ctx, `SELECT coalesce(max(number), 0) FROM entries WHERE org = ? AND site = ? AND booked < ?`,
		string(place.Org), string(place.Site), before.UnixMicro()).Scan(&last)
	return last, sealeddb.Wrap(s.books.db.Path(), err)
}

// closingContent is a closing's column content.
type closingContent struct {
	Turnover, Balances []gatehouse.Balance
	Digest             []byte
}

// CloseBooks implements gatehouse.BookStore.
func (s *Store) CloseBooks(ctx context.Context, c gatehouse.BookClosing) error {
	if err := checkPlace(c.Place); err != nil {
		return err
	}
	content, err := json.Marshal(closingContent{c.Turnover, c.Balances, c.Digest[:]})
	if err != nil {
		return err
	}
	return s.books.commit(ctx, gatehouse.ClosingLeaf(c), func(ctx context.Context, tx *sql.Tx) (bool, error) {
		var day string
		var last, top uint64
		err := tx.QueryRowContext(ctx, `SELECT day, last FROM closings WHERE org = ? AND site = ? ORDER BY day DESC LIMIT 1`, string(c.Org), string(c.Site)).Scan(&day, &last)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
		if day >= string(c.Day) {
			return false, gatehouse.Errorf("books.closed", "nothing is to be done", "%s is closed", c.Day)
		}
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(number), 0) FROM entries WHERE org = ? AND site = ?`, string(c.Org), string(c.Site)).Scan(&top); err != nil {
			return false, err
		}
		if c.First != last+1 || c.Last < last || c.Last > top {
			return false, gatehouse.Errorf("books.changed", "close the day again", "the books were changed meanwhile")
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO closings (org, site, day, first, last, at, by, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			string(c.Org), string(c.Site), string(c.Day), c.First, c.Last, micros(c.At), c.By, content)
		return true, err
	})
}

// Closings implements gatehouse.BookStore.
func (s *Store) Closings(ctx context.Context, place gatehouse.Place, limit int) ([]gatehouse.BookClosing, error) {
	if err := errors.Join(checkPlace(place), checkLimit(limit)); err != nil {
		return nil, err
	}
	var found []gatehouse.BookClosing
	err := eachRow(ctx, s.books.db, `SELECT day, first, last, at, by, content FROM closings WHERE org = ? AND site = ? ORDER BY day DESC LIMIT ?`,
		[]any{string(place.Org), string(place.Site), limit}, func(scan func(...any) error) error {
			c := gatehouse.BookClosing{Place: place}
			var at sql.NullInt64
			var content []byte
			if err := scan(&c.Day, &c.First, &c.Last, &at, &c.By, &content); err != nil {
				return err
			}
			var x closingContent
			err := json.Unmarshal(content, &x)
			c.At, c.Turnover, c.Balances = fromMicros(at), x.Turnover, x.Balances
			copy(c.Digest[:], x.Digest)
			found = append(found, c)
			return err
		})
	return found, err
}

// NumberInvoice implements gatehouse.BookStore.
func (s *Store) NumberInvoice(ctx context.Context, place gatehouse.Place, key string, year int, at time.Time) (inYear int, number uint64, err error) {
	if err := checkPlace(place); err != nil {
		return 0, 0, err
	}
	if key == "" || year < 1970 || year > 9999 {
		return 0, 0, invalid("an invoice is of something, in some year")
	}
	err = s.books.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT year, number FROM invoices WHERE org = ? AND site = ? AND key = ?`, string(place.Org), string(place.Site), key).Scan(&inYear, &number)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		inYear = year
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(number), 0) + 1 FROM invoices WHERE org = ? AND site = ? AND year = ?`, string(place.Org), string(place.Site), year).Scan(&number); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO invoices (org, site, year, number, key, at) VALUES (?, ?, ?, ?, ?, ?)`, string(place.Org), string(place.Site), year, number, key, micros(at))
		return err
	})
	return inYear, number, err
}

// CheckBooks implements gatehouse.BookStore.
func (s *Store) CheckBooks(ctx context.Context, place gatehouse.Place) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	for _, one := range []struct{ what, query string }{
		{"an entry's postings do not add up to nothing", `SELECT count(*) FROM (SELECT 1 FROM postings WHERE org = ?1 AND site = ?2 GROUP BY entry HAVING sum(amount) <> 0)`},
		{"an entry has no postings", `SELECT count(*) FROM entries e WHERE e.org = ?1 AND e.site = ?2 AND NOT EXISTS (SELECT 1 FROM postings p WHERE p.org = e.org AND p.site = e.site AND p.entry = e.number)`},
		{"a posting has no entry", `SELECT count(*) FROM postings p WHERE p.org = ?1 AND p.site = ?2 AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.org = p.org AND e.site = p.site AND e.number = p.entry)`},
		{"a number is missing", `SELECT coalesce(max(number), 0) <> count(*) FROM entries WHERE org = ?1 AND site = ?2`},
		{"an invoice's number is missing", `SELECT count(*) FROM (SELECT 1 FROM invoices WHERE org = ?1 AND site = ?2 GROUP BY year HAVING max(number) <> count(*))`},
		{"a balance is not the sum of its postings", `WITH sums AS (SELECT p.account, e.currency, sum(p.amount) AS amount FROM postings p JOIN entries e ON e.org = p.org AND e.site = p.site AND e.number = p.entry
			WHERE p.org = ?1 AND p.site = ?2 GROUP BY p.account, e.currency)
			SELECT (SELECT count(*) FROM (SELECT account, currency, amount FROM sums WHERE amount <> 0 EXCEPT SELECT account, currency, amount FROM balances WHERE org = ?1 AND site = ?2))
			 + (SELECT count(*) FROM (SELECT account, currency, amount FROM balances WHERE org = ?1 AND site = ?2 AND amount <> 0 EXCEPT SELECT account, currency, amount FROM sums))`},
		{"what a stay owes is not the sum of its postings", `WITH sums AS (SELECT e.stay, e.currency, sum(p.amount) AS amount FROM postings p JOIN entries e ON e.org = p.org AND e.site = p.site AND e.number = p.entry
			WHERE p.org = ?1 AND p.site = ?2 AND p.account = 'receivable' GROUP BY e.stay, e.currency)
			SELECT (SELECT count(*) FROM (SELECT stay, currency, amount FROM sums WHERE amount <> 0 EXCEPT SELECT stay, currency, amount FROM owed WHERE org = ?1 AND site = ?2))
			 + (SELECT count(*) FROM (SELECT stay, currency, amount FROM owed WHERE org = ?1 AND site = ?2 EXCEPT SELECT stay, currency, amount FROM sums))`},
	} {
		var n int64
		if err := s.books.db.Readers().QueryRowContext(ctx, one.query, string(place.Org), string(place.Site)).Scan(&n); err != nil {
			return sealeddb.Wrap(s.books.db.Path(), err)
		}
		if n != 0 {
			return gatehouse.Errorf("books.unbalanced", "restore books.db from a backup", "the books do not balance: %s", one.what)
		}
	}
	return nil
}
