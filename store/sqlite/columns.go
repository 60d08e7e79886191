package sqlite

import (
	"context"
	"database/sql"
	"time"

	"gatehouse"
)

// micros is how a time is stored; the zero time is NULL.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func fromMicros(v sql.NullInt64) time.Time {
	if !v.Valid {
		return time.Time{}
	}
	return time.UnixMicro(v.Int64).UTC()
}

// idColumn scans an id.
type idColumn struct{ id *gatehouse.ID }

func (c idColumn) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(c.id) {
		return gatehouse.Errorf("store.damaged", "restore it from a backup", "an id in the database is malformed")
	}
	copy(c.id[:], b)
	return nil
}

// checkPlace refuses what would be found under no site.
func checkPlace(p gatehouse.Place) error {
	if p.Org == "" || p.Site == "" {
		return invalid("an organization and a site are needed")
	}
	return nil
}

func checkLimit(n int) error {
	if n < 1 || n > 1000 {
		return invalid("a limit is 1 to 1000")
	}
	return nil
}

// putEvidence writes the references of one owner: table is evidence or photos,
// owner its column.
func putEvidence(ctx context.Context, tx *sql.Tx, table, owner string, place gatehouse.Place, id gatehouse.ID, list []gatehouse.Evidence) error {
	for n, e := range list {
		_, err := tx.ExecContext(ctx, `INSERT INTO `+table+` (org, site, `+owner+`, n, blob, kind, digest) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			string(place.Org), string(place.Site), id[:], n, e.Blob[:], string(e.Kind), e.Digest[:])
		if err != nil {
			return err
		}
	}
	return nil
}

// querier is a transaction or a pool.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// eachEvidence calls f for the references whose owner lies from first to last.
func eachEvidence(ctx context.Context, q querier, table, owner string, place gatehouse.Place, first, last gatehouse.ID,
	f func(owner gatehouse.ID, e gatehouse.Evidence)) error {
	rows, err := q.QueryContext(ctx, `SELECT `+owner+`, blob, kind, digest FROM `+table+`
		WHERE org = ? AND site = ? AND `+owner+` BETWEEN ? AND ? ORDER BY `+owner+`, n`,
		string(place.Org), string(place.Site), first[:], last[:])
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id gatehouse.ID
		var e gatehouse.Evidence
		var digest []byte
		if err := rows.Scan(idColumn{&id}, idColumn{&e.Blob}, &e.Kind, &digest); err != nil {
			return err
		}
		copy(e.Digest[:], digest)
		f(id, e)
	}
	return rows.Err()
}
