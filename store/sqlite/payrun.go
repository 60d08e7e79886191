package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

var _ gatehouse.PayStore = (*Store)(nil)

// PutPayTerms implements gatehouse.PayStore. Those of somebody who was erased are not kept.
func (s *Store) PutPayTerms(ctx context.Context, t gatehouse.StoredPayTerms, leaf []byte) error {
	if err := checkSubject(t.Place, t.Subject); err != nil {
		return err
	}
	if t.ID.IsZero() || t.From == "" || len(t.Sealed) == 0 || t.Made.IsZero() {
		return invalid("pay terms need an id, a first day, a time and what is sealed")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		if s.erased.now(t.Place, t.Subject) != t.Subject {
			return false, nil
		}
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO pay_terms (org, site, subject, first, id, sealed, by, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			string(t.Org), string(t.Site), t.Subject[:], string(t.From), t.ID[:], t.Sealed, t.By[:], micros(t.Made))
		return err == nil, err
	})
}

// RemovePayTerms implements gatehouse.PayStore.
func (s *Store) RemovePayTerms(ctx context.Context, place gatehouse.Place, id gatehouse.ID, leaf []byte) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		done, err := tx.ExecContext(ctx, `DELETE FROM pay_terms WHERE org = ? AND site = ? AND id = ?`, string(place.Org), string(place.Site), id[:])
		if err != nil {
			return false, err
		}
		n, err := done.RowsAffected()
		if err == nil && n == 0 {
			err = notFound("pay terms")
		}
		return err == nil, err
	})
}

// PayTerms implements gatehouse.PayStore.
func (s *Store) PayTerms(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID) (found []gatehouse.StoredPayTerms, err error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	query, args := `SELECT subject, first, id, sealed, by, made FROM pay_terms WHERE org = ? AND site = ?`, []any{string(place.Org), string(place.Site)}
	if !subject.IsZero() {
		query, args = query+` AND subject = ?`, append(args, subject[:])
	}
	err = s.siteRows(ctx, query+` ORDER BY subject, first DESC`, args, func(scan func(...any) error) error {
		t := gatehouse.StoredPayTerms{Place: place}
		var made sql.NullInt64
		err := scan(idColumn{&t.Subject}, &t.From, idColumn{&t.ID}, &t.Sealed, idColumn{&t.By}, &made)
		t.Made = fromMicros(made)
		found = append(found, t)
		return err
	})
	return found, err
}

// PutPayRun implements gatehouse.PayStore.
func (s *Store) PutPayRun(ctx context.Context, r gatehouse.PayRun, leaf []byte) error {
	return s.putPayRun(ctx, r, leaf, func(context.Context, *sql.Tx) error { return nil })
}

// FinishPayRun implements gatehouse.PayStore.
func (s *Store) FinishPayRun(ctx context.Context, r gatehouse.PayRun, slips []gatehouse.StoredPayslip, leaf []byte) error {
	return s.putPayRun(ctx, r, leaf, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM payslips WHERE org = ? AND site = ? AND run = ?`, string(r.Org), string(r.Site), r.ID[:]); err != nil {
			return err
		}
		insert, err := tx.PrepareContext(ctx, `INSERT INTO payslips (org, site, id, run, subject, first, last, problem, sealed, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, p := range slips {
			subject := s.erased.now(r.Place, p.Subject)
			if subject != p.Subject {
				p.Sealed = nil
			}
			if _, err := insert.ExecContext(ctx, string(r.Org), string(r.Site), p.ID[:], r.ID[:], subject[:], string(r.From), string(r.Until), p.Problem, p.Sealed, micros(p.Made)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) putPayRun(ctx context.Context, r gatehouse.PayRun, leaf []byte, also func(context.Context, *sql.Tx) error) error {
	if err := checkPlace(r.Place); err != nil {
		return err
	}
	if r.ID.IsZero() || r.From == "" || r.Until < r.From || r.Made.IsZero() {
		return invalid("a pay run needs an id, a period and a time")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO pay_runs (org, site, id, first, last, by, made, approved_by, approved, version, closed, done, people, problems) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			string(r.Org), string(r.Site), r.ID[:], string(r.From), string(r.Until), r.By[:], micros(r.Made), r.ApprovedBy[:], micros(r.Approved), r.Version, micros(r.Closed), micros(r.Done), r.People, r.Problems)
		if err == nil {
			err = also(ctx, tx)
		}
		return err == nil, err
	})
}

// PayRuns implements gatehouse.PayStore.
func (s *Store) PayRuns(ctx context.Context, place gatehouse.Place, limit int) (found []gatehouse.PayRun, err error) {
	if err := errors.Join(checkPlace(place), checkLimit(limit)); err != nil {
		return nil, err
	}
	err = s.siteRows(ctx, `SELECT id, first, last, by, made, approved_by, approved, version, closed, done, people, problems FROM pay_runs WHERE org = ? AND site = ? ORDER BY id DESC LIMIT ?`,
		[]any{string(place.Org), string(place.Site), limit}, func(scan func(...any) error) error {
			r := gatehouse.PayRun{Place: place}
			var made, approved, closed, done sql.NullInt64
			err := scan(idColumn{&r.ID}, &r.From, &r.Until, idColumn{&r.By}, &made, idColumn{&r.ApprovedBy}, &approved, &r.Version, &closed, &done, &r.People, &r.Problems)
			r.Made, r.Approved, r.Closed, r.Done = fromMicros(made), fromMicros(approved), fromMicros(closed), fromMicros(done)
			found = append(found, r)
			return err
		})
	return found, err
}

const payslipColumns = `SELECT id, run, subject, first, last, problem, sealed, made FROM payslips WHERE org = ? AND site = ?`

func scanPayslip(place gatehouse.Place, scan func(...any) error) (gatehouse.StoredPayslip, error) {
	p := gatehouse.StoredPayslip{Place: place}
	var made sql.NullInt64
	err := scan(idColumn{&p.ID}, idColumn{&p.Run}, idColumn{&p.Subject}, &p.From, &p.Until, &p.Problem, &p.Sealed, &made)
	p.Made = fromMicros(made)
	return p, err
}

// Payslips implements gatehouse.PayStore.
func (s *Store) Payslips(ctx context.Context, q gatehouse.PayslipQuery) (found []gatehouse.StoredPayslip, err error) {
	if err := checkPlace(q.Place); err != nil {
		return nil, err
	}
	if q.Limit < 1 || q.Limit > gatehouse.MaxReleaseItems {
		return nil, invalid("a page has 1 to 20,000 payslips")
	}
	query, args := payslipColumns, []any{string(q.Org), string(q.Site)}
	if !q.Subject.IsZero() {
		query, args = query+` AND subject = ?`, append(args, q.Subject[:])
	}
	if !q.Run.IsZero() {
		query, args = query+` AND run = ?`, append(args, q.Run[:])
	}
	err = s.siteRows(ctx, query+` ORDER BY first DESC, last DESC, made DESC, subject, id LIMIT ?`, append(args, q.Limit), func(scan func(...any) error) error {
		p, err := scanPayslip(q.Place, scan)
		found = append(found, p)
		return err
	})
	return found, err
}

// Payslip implements gatehouse.PayStore.
func (s *Store) Payslip(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (p gatehouse.StoredPayslip, err error) {
	found := false
	err = s.siteRows(ctx, payslipColumns+` AND id = ?`, []any{string(place.Org), string(place.Site), id[:]}, func(scan func(...any) error) (err error) {
		found = true
		p, err = scanPayslip(place, scan)
		return err
	})
	if err == nil && !found {
		err = notFound("payslip")
	}
	return p, err
}

// ExpirePayslips implements gatehouse.PayStore.
func (s *Store) ExpirePayslips(ctx context.Context, place gatehouse.Place, before time.Time) (dropped int, err error) {
	if err := checkPlace(place); err != nil {
		return 0, err
	}
	err = s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM payslips WHERE org = ? AND site = ? AND made < ?`, string(place.Org), string(place.Site), micros(before))
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		dropped = int(n)
		return err
	})
	return dropped, sealeddb.Wrap(SiteFile, err)
}
