package index

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

//go:embed migrations
var migrations embed.FS

// Index is an open index. Search may be called concurrently; Put and Remove are one
// caller's at a time.
type Index struct {
	db      *sealeddb.DB
	lingers atomic.Bool // what was removed may stand in the write-ahead log still
}

// Open opens or makes the index file at path. Errors: those of sealeddb.Open.
func Open(ctx context.Context, path string, key [32]byte) (*Index, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sealeddb.Open(ctx, sealeddb.Options{Path: path, Key: key, Migrations: sub, Readers: 2})
	if err != nil {
		return nil, err
	}
	return &Index{db: db}, nil
}

// Close empties the write-ahead log and closes the file.
func (x *Index) Close() error { return x.db.Close() }

// Progress is how far an index follows the committed log.
type Progress struct {
	Position uint64    // of the last leaf that was dealt with, 0 before the first
	Until    time.Time // that leaf's time; zero before the first
	Removed  bool      // rows were removed since the file was written anew
}

// Progress says how far the index is.
func (x *Index) Progress(ctx context.Context) (Progress, error) {
	var p Progress
	var position, until int64
	err := x.db.Readers().QueryRowContext(ctx, `SELECT position, until, removed FROM progress`).Scan(&position, &until, &p.Removed)
	if p.Position = uint64(position); until > 0 {
		p.Until = time.UnixMilli(until).UTC()
	}
	return p, x.wrap(err)
}

// wrap gives an error its code. One that says that the file is damaged is
// index.damaged, since a lost index is no lost database.
func (x *Index) wrap(err error) error {
	err = sealeddb.Wrap(x.db.Path(), err)
	if errors.Is(err, sql.ErrNoRows) || gatehouse.ErrorCode(err) == "store.damaged" { // every file has its row of progress
		return gatehouse.Errorf("index.damaged", "it is built again from the log", "%s is damaged: %w", filepath.Base(x.db.Path()), err)
	}
	return err
}

func (x *Index) write(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	return x.wrap(x.db.Write(ctx, f))
}

// Entry is a doc that goes into the index.
type Entry struct {
	gatehouse.Place
	Kind    gatehouse.HitKind
	ID      gatehouse.ID // the subject's for a record
	Subject gatehouse.SubjectID
	At      time.Time
	Gate    gatehouse.GateID
	Reading gatehouse.ReadingKind
	Class   gatehouse.RetentionClass // with Day: the day chain that its values hang on
	Day     string
	Text    string // what an answer shows
	Fields
}

const (
	recordDoc  = 1
	passageDoc = 2
)

func docKind(k gatehouse.HitKind) int {
	if k == gatehouse.RecordHit {
		return recordDoc
	}
	return passageDoc
}

// Put adds the entries that the leaves behind position from, up to position to, are
// about, and notes to with them in one transaction. An entry that is there already is
// replaced. until is the last leaf's time. Errors: index.position where from is not
// the position that the index is at, and the store's.
func (x *Index) Put(ctx context.Context, from, to uint64, until time.Time, entries []Entry) error {
	return x.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE progress SET position = ?, until = max(until, ?) WHERE position = ? AND ? > position`,
			int64(to), until.UnixMilli(), int64(from), int64(to))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, gatehouse.Errorf("index.position", "it is asked for again", "the search index is at another position"))
		}
		w, err := newWriter(ctx, tx)
		if err != nil {
			return err
		}
		defer w.close()
		for _, e := range entries {
			if err := w.put(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// Removal names what must not be found any more: everything of a subject, or, where
// Day is set, everything that hangs on that day of that class.
type Removal struct {
	gatehouse.Place
	Subject gatehouse.SubjectID
	Class   gatehouse.RetentionClass
	Day     string
}

func (r Removal) condition() (string, []any) {
	of := `place = (SELECT place FROM places WHERE org = ? AND site = ?)`
	if r.Day != "" {
		return of + ` AND class = ? AND day = ?`, []any{string(r.Org), string(r.Site), string(r.Class), r.Day}
	}
	return of + ` AND subject = ?`, []any{string(r.Org), string(r.Site), r.Subject[:]}
}

// Remove takes rows out for good, from the write-ahead log and from free pages too,
// and says how many docs there were. It writes nothing where there are none.
func (x *Index) Remove(ctx context.Context, removals []Removal) (docs int, err error) {
	var due []Removal
	for _, r := range removals {
		where, args := r.condition()
		var there bool
		if err := x.db.Readers().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM docs WHERE `+where+`)`, args...).Scan(&there); err != nil {
			return 0, x.wrap(err)
		}
		if there {
			due = append(due, r)
		}
	}
	if len(due) == 0 {
		return 0, nil
	}
	err = x.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, r := range due {
			n, err := remove(ctx, tx, r)
			if err != nil {
				return err
			}
			docs += n
		}
		_, err := tx.ExecContext(ctx, `UPDATE progress SET removed = 1`)
		return err
	})
	if err != nil {
		return 0, err
	}
	x.lingers.Store(true)
	return docs, x.Settle(ctx)
}

// Settle empties the write-ahead log of what was removed, unless a search looks at an
// older state just now: then a later Settle, or Close, does it.
func (x *Index) Settle(ctx context.Context) error {
	if !x.lingers.Load() {
		return nil
	}
	emptied, err := x.db.Checkpoint(ctx)
	if emptied {
		x.lingers.Store(false)
	}
	return x.wrap(err)
}

func remove(ctx context.Context, tx *sql.Tx, r Removal) (int, error) {
	where, args := r.condition()
	docs := `(SELECT doc FROM docs WHERE ` + where + `)`
	terms, err := integers(ctx, tx, `SELECT DISTINCT term FROM postings WHERE doc IN `+docs, args...)
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM postings WHERE doc IN `+docs, args...); err != nil {
		return 0, err
	}
	result, err := tx.ExecContext(ctx, `DELETE FROM docs WHERE `+where, args...)
	if err != nil {
		return 0, err
	}
	for _, t := range terms {
		if _, err := tx.ExecContext(ctx, dropTerm, t, t); err != nil {
			return 0, err
		}
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// Rewritten notes that no page of the file holds what was removed.
func (x *Index) Rewritten(ctx context.Context) error {
	return x.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE progress SET removed = 0`)
		return err
	})
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func integers(ctx context.Context, q querier, query string, args ...any) ([]int64, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}

// shown bounds what an answer shows, at a character's border.
func shown(s string) string {
	if len(s) > maxTextBytes {
		s = strings.ToValidUTF8(s[:maxTextBytes], "")
	}
	return s
}
