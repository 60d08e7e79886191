package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// PutSubject implements gatehouse.SubjectStore. Consents that are there and not in
// c stay.
func (s *Store) PutSubject(ctx context.Context, c gatehouse.SubjectCommit) error {
	sub := c.Subject
	if err := checkPlace(sub.Place); err != nil {
		return err
	}
	if sub.ID.IsZero() {
		return invalid("a subject needs an id")
	}
	for _, consent := range c.Consents {
		if consent.Place != sub.Place || consent.Subject != sub.ID {
			return invalid("a consent is another subject's")
		}
	}
	return s.site.commit(ctx, c.Leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO subjects (org, site, id, kind, status, enrolled, record) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			string(sub.Org), string(sub.Site), sub.ID[:], string(sub.Kind), string(sub.Status), micros(sub.Enrolled), sub.Record)
		if err != nil {
			return false, err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM photos WHERE org = ? AND site = ? AND subject = ?`, string(sub.Org), string(sub.Site), sub.ID[:])
		if err != nil {
			return false, err
		}
		if err := putEvidence(ctx, tx, "photos", "subject", sub.Place, sub.ID, sub.Photos); err != nil {
			return false, err
		}
		for _, consent := range c.Consents {
			if err := putConsent(ctx, tx, consent); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

const subjectColumns = `id, kind, status, enrolled, record`

func scanSubject(place gatehouse.Place, scan func(...any) error) (gatehouse.Subject, error) {
	sub := gatehouse.Subject{Place: place}
	var enrolled sql.NullInt64
	err := scan(idColumn{&sub.ID}, &sub.Kind, &sub.Status, &enrolled, &sub.Record)
	sub.Enrolled = fromMicros(enrolled)
	return sub, err
}

// Subject implements gatehouse.SubjectStore.
func (s *Store) Subject(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error) {
	found, err := s.subjects(ctx, place, `id = ?`, id, 1)
	if err == nil && len(found) == 0 {
		err = notFound("subject")
	}
	if err != nil {
		return gatehouse.Subject{}, err
	}
	return found[0], nil
}

// Subjects implements gatehouse.SubjectStore; limit is 1 to 1000.
func (s *Store) Subjects(ctx context.Context, place gatehouse.Place, after gatehouse.SubjectID, limit int) ([]gatehouse.Subject, error) {
	return s.subjects(ctx, place, `id > ? AND status <> 'erased'`, after, limit)
}

// Roll implements gatehouse.SubjectStore, from an index.
func (s *Store) Roll(ctx context.Context, place gatehouse.Place, f func(gatehouse.Subject) error) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	return s.siteRows(ctx, `SELECT id, kind, status, enrolled FROM subjects WHERE org = ? AND site = ? AND status <> 'erased' ORDER BY enrolled DESC, id DESC`,
		[]any{string(place.Org), string(place.Site)}, func(scan func(...any) error) error {
			sub := gatehouse.Subject{Place: place}
			var enrolled sql.NullInt64
			if err := scan(idColumn{&sub.ID}, &sub.Kind, &sub.Status, &enrolled); err != nil {
				return err
			}
			sub.Enrolled = fromMicros(enrolled)
			return f(sub)
		})
}

// subjects reads rows and photos of one state of the file.
func (s *Store) subjects(ctx context.Context, place gatehouse.Place, condition string, id gatehouse.SubjectID, limit int) ([]gatehouse.Subject, error) {
	if err := errors.Join(checkPlace(place), checkLimit(limit)); err != nil {
		return nil, err
	}
	found, err := s.readSubjects(ctx, place, condition, id, limit)
	return found, sealeddb.Wrap(s.site.db.Path(), err)
}

func (s *Store) readSubjects(ctx context.Context, place gatehouse.Place, condition string, id gatehouse.SubjectID, limit int) ([]gatehouse.Subject, error) {
	tx, err := s.site.db.Readers().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	rows, err := tx.QueryContext(ctx, `SELECT `+subjectColumns+` FROM subjects WHERE org = ? AND site = ? AND `+condition+` ORDER BY id LIMIT ?`,
		string(place.Org), string(place.Site), id[:], limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []gatehouse.Subject
	at := map[gatehouse.SubjectID]int{}
	for rows.Next() {
		sub, err := scanSubject(place, rows.Scan)
		if err != nil {
			return nil, err
		}
		at[sub.ID] = len(found)
		found = append(found, sub)
	}
	if err := rows.Err(); err != nil || len(found) == 0 {
		return nil, err
	}
	err = eachEvidence(ctx, tx, "photos", "subject", place, found[0].ID, found[len(found)-1].ID, func(owner gatehouse.ID, e gatehouse.Evidence) {
		if i, ok := at[owner]; ok {
			found[i].Photos = append(found[i].Photos, e)
		}
	})
	return found, err
}

// SetStatus implements gatehouse.SubjectStore.
func (s *Store) SetStatus(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID, status gatehouse.SubjectStatus, leaf []byte) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		result, err := tx.ExecContext(ctx, `UPDATE subjects SET status = ? WHERE org = ? AND site = ? AND id = ?`,
			string(status), string(place.Org), string(place.Site), id[:])
		if err != nil {
			return false, err
		}
		n, err := result.RowsAffected()
		if err == nil && n == 0 {
			err = notFound("subject")
		}
		return err == nil, err
	})
}

// PutConsent implements gatehouse.SubjectStore: it adds a consent, or replaces the
// one of the same subject, purpose and moment, which is how one is withdrawn.
func (s *Store) PutConsent(ctx context.Context, c gatehouse.Consent, leaf []byte) error {
	if err := checkPlace(c.Place); err != nil {
		return err
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		var n int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM subjects WHERE org = ? AND site = ? AND id = ?`,
			string(c.Org), string(c.Site), c.Subject[:]).Scan(&n)
		if err == nil && n == 0 {
			err = notFound("subject")
		}
		if err != nil {
			return false, err
		}
		return true, putConsent(ctx, tx, c)
	})
}

func putConsent(ctx context.Context, tx *sql.Tx, c gatehouse.Consent) error {
	if c.Given.IsZero() {
		return invalid("a consent needs the time when it was given")
	}
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO consents (org, site, subject, purpose, given, withdrawn, how, reference, notice, guardian, recorder)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, string(c.Org), string(c.Site), c.Subject[:], string(c.Purpose), micros(c.Given), micros(c.Withdrawn), c.How, c.Reference,
		c.Notice, c.Guardian, c.By)
	return err
}

// Consents implements gatehouse.SubjectStore, in the order in which they were given.
func (s *Store) Consents(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) ([]gatehouse.Consent, error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	var found []gatehouse.Consent
	err := s.siteRows(ctx, `SELECT purpose, given, withdrawn, how, reference, notice, guardian, recorder FROM consents
		WHERE org = ? AND site = ? AND subject = ? ORDER BY given, purpose`, []any{string(place.Org), string(place.Site), id[:]},
		func(scan func(...any) error) error {
			c := gatehouse.Consent{Place: place, Subject: id}
			var given, withdrawn sql.NullInt64
			err := scan(&c.Purpose, &given, &withdrawn, &c.How, &c.Reference, &c.Notice, &c.Guardian, &c.By)
			c.Given, c.Withdrawn = fromMicros(given), fromMicros(withdrawn)
			found = append(found, c)
			return err
		})
	return found, err
}

// PutDevice implements gatehouse.SubjectStore.
func (s *Store) PutDevice(ctx context.Context, d gatehouse.Device, leaf []byte) error {
	if err := checkPlace(d.Place); err != nil {
		return err
	}
	if d.ID == "" {
		return invalid("a device needs an id")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO devices (org, site, id, kind, gate) VALUES (?, ?, ?, ?, ?)`,
			string(d.Org), string(d.Site), string(d.ID), string(d.Kind), string(d.Gate))
		return true, err
	})
}

// Devices implements gatehouse.SubjectStore, by id.
func (s *Store) Devices(ctx context.Context, place gatehouse.Place) ([]gatehouse.Device, error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	var found []gatehouse.Device
	err := s.siteRows(ctx, `SELECT id, kind, gate FROM devices WHERE org = ? AND site = ? ORDER BY id`,
		[]any{string(place.Org), string(place.Site)}, func(scan func(...any) error) error {
			d := gatehouse.Device{Place: place}
			err := scan(&d.ID, &d.Kind, &d.Gate)
			found = append(found, d)
			return err
		})
	return found, err
}

// siteRows calls f for each row of a query to site.db.
func (s *Store) siteRows(ctx context.Context, query string, args []any, f func(scan func(...any) error) error) error {
	return eachRow(ctx, s.site.db, query, args, f)
}

// eachRow calls f for each row of a query.
func eachRow(ctx context.Context, db *sealeddb.DB, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := db.Readers().QueryContext(ctx, query, args...)
	if err != nil {
		return sealeddb.Wrap(db.Path(), err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return sealeddb.Wrap(db.Path(), err)
		}
	}
	return sealeddb.Wrap(db.Path(), rows.Err())
}
