package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"gatehouse"
)

// PutRequest implements gatehouse.PrivacyStore.
func (s *Store) PutRequest(ctx context.Context, r gatehouse.Request, leaf []byte) error {
	if err := checkPlace(r.Place); err != nil {
		return err
	}
	if r.ID.IsZero() || r.Opened.IsZero() || r.Due.IsZero() {
		return invalid("a request needs an id and its dates")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		var subject []byte // none: NULL
		if !r.Subject.IsZero() {
			id := s.erased.now(r.Place, r.Subject)
			if subject = id[:]; id != r.Subject {
				r.Note, r.Answer, r.Contact = nil, nil, nil
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO requests (org, site, id, kind, subject, opened, due, extended, done, outcome, note, answer, contact)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, string(r.Org), string(r.Site), r.ID[:], string(r.Kind), subject, micros(r.Opened), micros(r.Due), r.Extended,
			micros(r.Done), string(r.Outcome), r.Note, r.Answer, r.Contact)
		return true, err
	})
}

// now is the id that a subject has: another one where it was erased since the store was
// opened.
func (e *erasedIDs) now(place gatehouse.Place, id gatehouse.SubjectID) gatehouse.SubjectID {
	e.mu.Lock()
	defer e.mu.Unlock()
	if fresh, gone := e.of[erasedID{place, id}]; gone {
		return fresh
	}
	return id
}

const requestColumns = `SELECT id, kind, subject, opened, due, extended, done, outcome, note, answer, contact FROM requests WHERE org = ? AND site = ?`

func scanRequest(place gatehouse.Place, scan func(...any) error) (gatehouse.Request, error) {
	r := gatehouse.Request{Place: place}
	var subject []byte
	var opened, due, done sql.NullInt64
	err := scan(idColumn{&r.ID}, &r.Kind, &subject, &opened, &due, &r.Extended, &done, &r.Outcome, &r.Note, &r.Answer, &r.Contact)
	copy(r.Subject[:], subject)
	r.Opened, r.Due, r.Done = fromMicros(opened), fromMicros(due), fromMicros(done)
	return r, err
}

// Request implements gatehouse.PrivacyStore.
func (s *Store) Request(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (r gatehouse.Request, err error) {
	if err := checkPlace(place); err != nil {
		return r, err
	}
	found := false
	err = s.siteRows(ctx, requestColumns+` AND id = ?`, []any{string(place.Org), string(place.Site), id[:]}, func(scan func(...any) error) (err error) {
		found = true
		r, err = scanRequest(place, scan)
		return err
	})
	if err == nil && !found {
		err = notFound("request")
	}
	return r, err
}

// Requests implements gatehouse.PrivacyStore; limit is 1 to 1000.
func (s *Store) Requests(ctx context.Context, place gatehouse.Place, before gatehouse.ID, limit int) (found []gatehouse.Request, err error) {
	if err := errors.Join(checkPlace(place), checkLimit(limit)); err != nil {
		return nil, err
	}
	query, args := requestColumns, []any{string(place.Org), string(place.Site)}
	if !before.IsZero() {
		query, args = query+` AND id < ?`, append(args, before[:])
	}
	err = s.siteRows(ctx, query+` ORDER BY id DESC LIMIT ?`, append(args, limit), func(scan func(...any) error) error {
		r, err := scanRequest(place, scan)
		found = append(found, r)
		return err
	})
	return found, err
}

// EachConsent implements gatehouse.PrivacyStore.
func (s *Store) EachConsent(ctx context.Context, place gatehouse.Place, f func(gatehouse.Consent) error) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	var all []gatehouse.Consent // no statement is open while the caller works
	err := s.siteRows(ctx, `SELECT c.subject, c.purpose, c.given, c.withdrawn, c.how FROM consents c JOIN subjects s ON s.org = c.org AND s.site = c.site AND s.id = c.subject
		WHERE c.org = ? AND c.site = ? AND s.status <> 'erased' ORDER BY c.subject, c.given, c.purpose`, []any{string(place.Org), string(place.Site)},
		func(scan func(...any) error) error {
			c := gatehouse.Consent{Place: place}
			var given, withdrawn sql.NullInt64
			err := scan(idColumn{&c.Subject}, &c.Purpose, &given, &withdrawn, &c.How)
			c.Given, c.Withdrawn = fromMicros(given), fromMicros(withdrawn)
			all = append(all, c)
			return err
		})
	for i := 0; err == nil && i < len(all); i++ {
		err = f(all[i])
	}
	return err
}
