package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"gatehouse"
)

// PutSwap implements gatehouse.HoursStore.
func (s *Store) PutSwap(ctx context.Context, x gatehouse.StoredSwap, leaf []byte) error {
	if err := errors.Join(checkSubject(x.Place, x.First), checkSubject(x.Place, x.Second)); err != nil {
		return err
	}
	if x.ID.IsZero() || x.Made.IsZero() || x.State == "" || x.FirstDay == "" || x.SecondDay == "" {
		return invalid("a swap needs an id, days, a time and a state")
	}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		first, second := s.erased.now(x.Place, x.First), s.erased.now(x.Place, x.Second)
		agreed := append(append([]byte(nil), x.Agreed[0][:]...), x.Agreed[1][:]...)
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO shift_swaps (org, site, id, subject, other, first_day, second_day, agreed, decided_by, state, made, decided, entries, applied)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, string(x.Org), string(x.Site), x.ID[:], first[:], second[:], string(x.FirstDay), string(x.SecondDay), agreed, x.Approved[:], string(x.State),
			micros(x.Made), micros(x.Decided), x.Entries, micros(x.Applied))
		return err == nil, err
	})
}

const swapColumns = `SELECT id, subject, other, first_day, second_day, agreed, decided_by, state, made, decided, entries, applied FROM shift_swaps WHERE org = ? AND site = ?`

func scanSwap(place gatehouse.Place, scan func(...any) error) (gatehouse.StoredSwap, error) {
	x := gatehouse.StoredSwap{Place: place}
	var agreed []byte
	var made, decided, applied sql.NullInt64
	err := scan(idColumn{&x.ID}, idColumn{&x.First}, idColumn{&x.Second}, &x.FirstDay, &x.SecondDay, &agreed, idColumn{&x.Approved}, &x.State, &made, &decided, &x.Entries, &applied)
	if len(agreed) == 32 {
		copy(x.Agreed[0][:], agreed)
		copy(x.Agreed[1][:], agreed[16:])
	}
	x.Made, x.Decided, x.Applied = fromMicros(made), fromMicros(decided), fromMicros(applied)
	return x, err
}

// Swap implements gatehouse.HoursStore.
func (s *Store) Swap(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (x gatehouse.StoredSwap, err error) {
	found := false
	err = s.siteRows(ctx, swapColumns+` AND id = ?`, []any{string(place.Org), string(place.Site), id[:]}, func(scan func(...any) error) (err error) {
		found = true
		x, err = scanSwap(place, scan)
		return err
	})
	if err == nil && !found {
		err = notFound("swap")
	}
	return x, err
}

// Swaps implements gatehouse.HoursStore.
func (s *Store) Swaps(ctx context.Context, q gatehouse.TimesQuery) (found []gatehouse.StoredSwap, err error) {
	condition, args, err := timesQuery(q)
	if err != nil {
		return nil, err
	}
	if !q.Subject.IsZero() { // of either of the two
		condition = strings.Replace(condition, "subject = ?", "(subject = ? OR other = ?)", 1)
		args = append(args[:3:3], append([]any{q.Subject[:]}, args[3:]...)...)
	}
	err = s.siteRows(ctx, swapColumns+condition, args, func(scan func(...any) error) error {
		x, err := scanSwap(q.Place, scan)
		found = append(found, x)
		return err
	})
	return found, err
}
