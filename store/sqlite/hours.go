package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"gatehouse"
)

var _ gatehouse.HoursStore = (*Store)(nil)

// subjectOrNull is how a subject that may be nobody is stored.
func (s *Store) subjectOrNull(place gatehouse.Place, id gatehouse.SubjectID) any {
	if id.IsZero() {
		return nil
	}
	id = s.erased.now(place, id)
	return id[:]
}

// Hours implements gatehouse.HoursStore.
func (s *Store) Hours(ctx context.Context, place gatehouse.Place, version uint64) (book gatehouse.StoredHours, err error) {
	if err := checkPlace(place); err != nil || version > 1<<62 {
		return book, errors.Join(err, notFound("version"))
	}
	newest := uint64(0)
	if newest, err = hoursVersion(ctx, s.site.db.Readers(), place); err != nil {
		return book, err
	}
	query, args := `SELECT kind, id, revision, subject, body FROM hours_items WHERE org = ?1 AND site = ?2 ORDER BY kind, id`, []any{string(place.Org), string(place.Site)}
	if book.Version = newest; version != 0 && version < newest {
		// What was put last, up to then, and not removed since.
		book.Version = version
		query = `SELECT kind, id, version, subject, body FROM hours_changes c WHERE org = ?1 AND site = ?2 AND version <= ?3 AND event = 'put' AND NOT EXISTS
			(SELECT 1 FROM hours_changes l WHERE l.org = ?1 AND l.site = ?2 AND l.kind = c.kind AND l.id = c.id AND l.version > c.version AND l.version <= ?3) ORDER BY kind, id`
		args = append(args, version)
	}
	err = s.siteRows(ctx, query, args, func(scan func(...any) error) error {
		var item gatehouse.HoursItem
		var subject []byte
		err := scan(&item.Kind, &item.ID, &item.Revision, &subject, &item.Body)
		copy(item.Subject[:], subject)
		book.Items = append(book.Items, item)
		return err
	})
	return book, err
}

func hoursVersion(ctx context.Context, q querier, place gatehouse.Place) (version uint64, err error) {
	err = q.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM hours_changes WHERE org = ? AND site = ?`, string(place.Org), string(place.Site)).Scan(&version)
	return version, err
}

// ChangeHours implements gatehouse.HoursStore.
func (s *Store) ChangeHours(ctx context.Context, c gatehouse.HoursChange) error {
	if err := checkPlace(c.Place); err != nil {
		return err
	}
	put := c.Event == gatehouse.RulePut
	if c.Item.ID == "" || c.By == "" || !put && c.Event != gatehouse.RuleRemoved || put != (c.Item.Body != nil) {
		return invalid("this is no change of a book of hours")
	}
	org, site := string(c.Org), string(c.Site)
	return s.site.commit(ctx, c.Leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		version, err := hoursVersion(ctx, tx, c.Place)
		if err != nil {
			return false, err
		}
		if c.Version != version+1 {
			return false, gatehouse.Errorf("hours.changed", "look at it again, then change it", "the plans were changed meanwhile")
		}
		subject := s.subjectOrNull(c.Place, c.Item.Subject)
		if put {
			_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO hours_items (org, site, kind, id, revision, subject, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
				org, site, string(c.Item.Kind), c.Item.ID, c.Version, subject, c.Item.Body)
		} else {
			_, err = tx.ExecContext(ctx, `DELETE FROM hours_items WHERE org = ? AND site = ? AND kind = ? AND id = ?`, org, site, string(c.Item.Kind), c.Item.ID)
		}
		if err != nil {
			return false, err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO hours_changes (org, site, version, at, by, event, kind, id, subject, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			org, site, c.Version, micros(c.At), c.By, string(c.Event), string(c.Item.Kind), c.Item.ID, subject, c.Item.Body)
		return err == nil, err
	})
}

// HoursChanges implements gatehouse.HoursStore.
func (s *Store) HoursChanges(ctx context.Context, place gatehouse.Place, before uint64, limit int) (found []gatehouse.HoursChange, err error) {
	if err := errors.Join(checkPlace(place), checkLimit(limit)); err != nil {
		return nil, err
	}
	if before == 0 || before > 1<<62 {
		before = 1 << 62
	}
	err = s.siteRows(ctx, `SELECT version, at, by, event, kind, id, subject, body FROM hours_changes WHERE org = ? AND site = ? AND version < ? ORDER BY version DESC LIMIT ?`,
		[]any{string(place.Org), string(place.Site), before, limit}, func(scan func(...any) error) error {
			c := gatehouse.HoursChange{Place: place}
			var when sql.NullInt64
			var subject []byte
			err := scan(&c.Version, &when, &c.By, &c.Event, &c.Item.Kind, &c.Item.ID, &subject, &c.Item.Body)
			copy(c.Item.Subject[:], subject)
			c.At, c.Item.Revision = fromMicros(when), c.Version
			found = append(found, c)
			return err
		})
	return found, err
}

// PutTimeCorrection implements gatehouse.HoursStore.
func (s *Store) PutTimeCorrection(ctx context.Context, c gatehouse.TimeCorrection, leaf []byte) error {
	if err := checkSubject(c.Place, c.Subject); err != nil {
		return err
	}
	if c.ID.IsZero() || c.Made.IsZero() || c.State == "" {
		return invalid("a correction needs an id, a time and a state")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		subject := s.erased.now(c.Place, c.Subject)
		if subject != c.Subject {
			c.Reason = nil
		}
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO time_corrections (org, site, id, subject, kind, punch, at, direction, at_site, reason, by, made, state, decided_by, decided)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, string(c.Org), string(c.Place.Site), c.ID[:], subject[:], string(c.Kind), c.Punch[:], micros(c.At), string(c.Direction), string(c.Site),
			c.Reason, c.By[:], micros(c.Made), string(c.State), c.DecidedBy[:], micros(c.Decided))
		return err == nil, err
	})
}

const correctionColumns = `SELECT id, subject, kind, punch, at, direction, at_site, reason, by, made, state, decided_by, decided FROM time_corrections WHERE org = ? AND site = ?`

func scanCorrection(place gatehouse.Place, scan func(...any) error) (gatehouse.TimeCorrection, error) {
	c := gatehouse.TimeCorrection{Place: place}
	var at, made, decided sql.NullInt64
	err := scan(idColumn{&c.ID}, idColumn{&c.Subject}, &c.Kind, idColumn{&c.Punch}, &at, &c.Direction, &c.Site, &c.Reason, idColumn{&c.By}, &made, &c.State, idColumn{&c.DecidedBy}, &decided)
	c.At, c.Made, c.Decided = fromMicros(at), fromMicros(made), fromMicros(decided)
	return c, err
}

// TimeCorrection implements gatehouse.HoursStore.
func (s *Store) TimeCorrection(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (c gatehouse.TimeCorrection, err error) {
	found := false
	err = s.siteRows(ctx, correctionColumns+` AND id = ?`, []any{string(place.Org), string(place.Site), id[:]}, func(scan func(...any) error) (err error) {
		found = true
		c, err = scanCorrection(place, scan)
		return err
	})
	if err == nil && !found {
		err = notFound("correction")
	}
	return c, err
}

// timesQuery is the condition of a query, and its arguments.
func timesQuery(q gatehouse.TimesQuery) (condition string, args []any, err error) {
	if err := errors.Join(checkPlace(q.Place), checkLimit(q.Limit)); err != nil {
		return "", nil, err
	}
	args = []any{string(q.Org), string(q.Site)}
	if !q.Subject.IsZero() {
		condition, args = condition+` AND subject = ?`, append(args, q.Subject[:])
	}
	if q.State != "" {
		condition, args = condition+` AND state = ?`, append(args, string(q.State))
	}
	if !q.Before.IsZero() {
		condition, args = condition+` AND id < ?`, append(args, q.Before[:])
	}
	return condition + ` ORDER BY id DESC LIMIT ?`, append(args, q.Limit), nil
}

// TimeCorrections implements gatehouse.HoursStore.
func (s *Store) TimeCorrections(ctx context.Context, q gatehouse.TimesQuery) (found []gatehouse.TimeCorrection, err error) {
	condition, args, err := timesQuery(q)
	if err != nil {
		return nil, err
	}
	err = s.siteRows(ctx, correctionColumns+condition, args, func(scan func(...any) error) error {
		c, err := scanCorrection(q.Place, scan)
		found = append(found, c)
		return err
	})
	return found, err
}

// PutLeave implements gatehouse.HoursStore.
func (s *Store) PutLeave(ctx context.Context, l gatehouse.LeaveRequest, leaf []byte) error {
	if err := checkSubject(l.Place, l.Subject); err != nil {
		return err
	}
	if l.ID.IsZero() || l.Made.IsZero() || l.State == "" || !l.From.Before(l.Until) {
		return invalid("a request for leave needs an id, times and a state")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		subject := s.erased.now(l.Place, l.Subject)
		if subject != l.Subject {
			l.Reason = nil
		}
		var approvals []byte
		for _, a := range l.Approvals {
			approvals = append(approvals, a[:]...)
		}
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO leave_requests (org, site, id, subject, kind, begins, ends, reason, by, made, state, decided_by, decided, approvals)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, string(l.Org), string(l.Site), l.ID[:], subject[:], l.Kind, micros(l.From), micros(l.Until), l.Reason, l.By[:], micros(l.Made),
			string(l.State), l.DecidedBy[:], micros(l.Decided), approvals)
		return err == nil, err
	})
}

const leaveColumns = `SELECT id, subject, kind, begins, ends, reason, by, made, state, decided_by, decided, approvals FROM leave_requests WHERE org = ? AND site = ?`

func scanLeave(place gatehouse.Place, scan func(...any) error) (gatehouse.LeaveRequest, error) {
	l := gatehouse.LeaveRequest{Place: place}
	var approvals []byte
	var from, until, made, decided sql.NullInt64
	err := scan(idColumn{&l.ID}, idColumn{&l.Subject}, &l.Kind, &from, &until, &l.Reason, idColumn{&l.By}, &made, &l.State, idColumn{&l.DecidedBy}, &decided, &approvals)
	for ; len(approvals) >= 16; approvals = approvals[16:] {
		l.Approvals = append(l.Approvals, gatehouse.AccountID(approvals[:16]))
	}
	l.From, l.Until, l.Made, l.Decided = fromMicros(from), fromMicros(until), fromMicros(made), fromMicros(decided)
	return l, err
}

// LeaveRequest implements gatehouse.HoursStore.
func (s *Store) LeaveRequest(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (l gatehouse.LeaveRequest, err error) {
	found := false
	err = s.siteRows(ctx, leaveColumns+` AND id = ?`, []any{string(place.Org), string(place.Site), id[:]}, func(scan func(...any) error) (err error) {
		found = true
		l, err = scanLeave(place, scan)
		return err
	})
	if err == nil && !found {
		err = notFound("request for leave")
	}
	return l, err
}

// LeaveRequests implements gatehouse.HoursStore.
func (s *Store) LeaveRequests(ctx context.Context, q gatehouse.TimesQuery) (found []gatehouse.LeaveRequest, err error) {
	condition, args, err := timesQuery(q)
	if err != nil {
		return nil, err
	}
	err = s.siteRows(ctx, leaveColumns+condition, args, func(scan func(...any) error) error {
		l, err := scanLeave(q.Place, scan)
		found = append(found, l)
		return err
	})
	return found, err
}

// PutPeriod implements gatehouse.HoursStore.
func (s *Store) PutPeriod(ctx context.Context, p gatehouse.StoredPeriod, leaf []byte) error {
	if err := checkPlace(p.Place); err != nil {
		return err
	}
	if p.From == "" || p.Until < p.From || p.State == "" {
		return invalid("a period needs its days and a state")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		reopened := append(append([]byte(nil), p.ReopenedBy[0][:]...), p.ReopenedBy[1][:]...)
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO pay_periods (org, site, first, last, state, version, closed, by, asked, reopened) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			string(p.Org), string(p.Site), string(p.From), string(p.Until), string(p.State), p.Version, micros(p.Closed), p.By[:], p.Asked[:], reopened)
		return err == nil, err
	})
}

// Periods implements gatehouse.HoursStore.
func (s *Store) Periods(ctx context.Context, place gatehouse.Place) (found []gatehouse.StoredPeriod, err error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	err = s.siteRows(ctx, `SELECT first, last, state, version, closed, by, asked, reopened FROM pay_periods WHERE org = ? AND site = ? ORDER BY first DESC, last DESC`,
		[]any{string(place.Org), string(place.Site)}, func(scan func(...any) error) error {
			p := gatehouse.StoredPeriod{Place: place}
			var closed sql.NullInt64
			var reopened []byte
			err := scan(&p.From, &p.Until, &p.State, &p.Version, &closed, idColumn{&p.By}, idColumn{&p.Asked}, &reopened)
			p.Closed = fromMicros(closed)
			if len(reopened) == 32 {
				copy(p.ReopenedBy[0][:], reopened)
				copy(p.ReopenedBy[1][:], reopened[16:])
			}
			found = append(found, p)
			return err
		})
	return found, err
}

// PutPayExport implements gatehouse.HoursStore.
func (s *Store) PutPayExport(ctx context.Context, e gatehouse.PayExport, leaf []byte) error {
	if err := checkPlace(e.Place); err != nil {
		return err
	}
	if e.ID.IsZero() || e.From == "" || e.Until < e.From || e.Made.IsZero() {
		return invalid("an export needs an id, a period and a time")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO pay_exports (org, site, id, first, last, format, recipients, by, made, approved_by, approved, written) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			string(e.Org), string(e.Site), e.ID[:], string(e.From), string(e.Until), string(e.Format), strings.Join(e.Recipients, "\n"), e.By[:], micros(e.Made), e.ApprovedBy[:], micros(e.Approved), micros(e.Written))
		return err == nil, err
	})
}

// PayExports implements gatehouse.HoursStore.
func (s *Store) PayExports(ctx context.Context, place gatehouse.Place, limit int) (found []gatehouse.PayExport, err error) {
	if err := errors.Join(checkPlace(place), checkLimit(limit)); err != nil {
		return nil, err
	}
	err = s.siteRows(ctx, `SELECT id, first, last, format, recipients, by, made, approved_by, approved, written FROM pay_exports WHERE org = ? AND site = ? ORDER BY id DESC LIMIT ?`,
		[]any{string(place.Org), string(place.Site), limit}, func(scan func(...any) error) error {
			e := gatehouse.PayExport{Place: place}
			var recipients string
			var made, approved, written sql.NullInt64
			err := scan(idColumn{&e.ID}, &e.From, &e.Until, &e.Format, &recipients, idColumn{&e.By}, &made, idColumn{&e.ApprovedBy}, &approved, &written)
			e.Recipients = strings.Fields(recipients)
			e.Made, e.Approved, e.Written = fromMicros(made), fromMicros(approved), fromMicros(written)
			found = append(found, e)
			return err
		})
	return found, err
}
