package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gatehouse"
)

const dropTerm = `DELETE FROM terms WHERE term = ? AND NOT EXISTS (SELECT 1 FROM postings WHERE term = ?)`

// writer puts entries in within one transaction.
type writer struct {
	tx     *sql.Tx
	places map[gatehouse.Place]int64
	chars  map[int64]map[rune]bool // the alphabet by place
	last   int64                   // doc number that was given out

	findDoc, addDoc, findTerm, addTerm, addPosting *sql.Stmt
	open                                           []*sql.Stmt
}

// writerCache is the writing connection's page cache in KiB: new plates go to random
// places of an index, and each page that is not there must be read and decrypted.
const writerCache = 32 << 10

func newWriter(ctx context.Context, tx *sql.Tx) (*writer, error) {
	w := &writer{tx: tx, places: map[gatehouse.Place]int64{}, chars: map[int64]map[rune]bool{}}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA cache_size = -%d`, writerCache)); err != nil {
		return nil, err
	}
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(doc), 0) FROM docs`).Scan(&w.last); err != nil {
		return nil, err
	}
	for _, s := range []struct {
		into **sql.Stmt
		text string
	}{
		{&w.findDoc, `SELECT doc FROM docs WHERE place = ? AND kind = ? AND id = ?`},
		{&w.addDoc, `INSERT INTO docs (doc, place, kind, id, subject, at, gate, reading, class, day, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&w.findTerm, `SELECT term FROM terms WHERE place = ? AND field = ? AND text = ?`},
		{&w.addTerm, `INSERT INTO terms (place, field, text) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`},
		{&w.addPosting, `INSERT INTO postings (term, at, doc) VALUES (?, ?, ?)`},
	} {
		prepared, err := tx.PrepareContext(ctx, s.text)
		if err != nil {
			w.close()
			return nil, err
		}
		*s.into, w.open = prepared, append(w.open, prepared)
	}
	return w, nil
}

// close releases the statements; the transaction's own end would do it too.
func (w *writer) close() {
	for _, s := range w.open {
		_ = s.Close()
	}
}

func (w *writer) put(ctx context.Context, e Entry) error {
	place, err := w.place(ctx, e.Place)
	if err != nil {
		return err
	}
	doc, err := w.take(ctx, place, e)
	if err != nil {
		return err
	}
	at := e.At.UnixMilli()
	_, err = w.addDoc.ExecContext(ctx, doc, place, docKind(e.Kind), e.ID[:], e.Subject[:], at, string(e.Gate), string(e.Reading), string(e.Class), e.Day, shown(e.Text))
	if err != nil {
		return err
	}
	for _, t := range e.terms() {
		id, err := w.term(ctx, place, t)
		if err != nil {
			return err
		}
		if _, err := w.addPosting.ExecContext(ctx, id, at, doc); err != nil {
			return err
		}
	}
	return nil
}

// take gives the entry's doc number: of the one that it replaces, which is removed, or
// the next one.
func (w *writer) take(ctx context.Context, place int64, e Entry) (doc int64, err error) {
	err = w.findDoc.QueryRowContext(ctx, place, docKind(e.Kind), e.ID[:]).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		w.last++
		return w.last, nil
	}
	if err != nil {
		return doc, err
	}
	terms, err := integers(ctx, w.tx, `SELECT term FROM postings WHERE doc = ?`, doc)
	if err != nil {
		return doc, err
	}
	for _, statement := range []string{`DELETE FROM postings WHERE doc = ?`, `DELETE FROM docs WHERE doc = ?`} {
		if _, err := w.tx.ExecContext(ctx, statement, doc); err != nil {
			return doc, err
		}
	}
	for _, t := range terms {
		if _, err := w.tx.ExecContext(ctx, dropTerm, t, t); err != nil {
			return doc, err
		}
	}
	return doc, nil
}

func (w *writer) place(ctx context.Context, p gatehouse.Place) (int64, error) {
	if id, ok := w.places[p]; ok {
		return id, nil
	}
	var id int64
	err := w.tx.QueryRowContext(ctx, `INSERT INTO places (org, site) VALUES (?, ?) ON CONFLICT (org, site) DO UPDATE SET org = org RETURNING place`,
		string(p.Org), string(p.Site)).Scan(&id)
	if err == nil {
		w.places[p] = id
	}
	return id, err
}

// term gives the number of a term, which is made where it is not there.
func (w *writer) term(ctx context.Context, place int64, t term) (id int64, err error) {
	result, err := w.addTerm.ExecContext(ctx, place, t.field, t.text)
	if err != nil {
		return 0, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		if err == nil {
			err = w.findTerm.QueryRowContext(ctx, place, t.field, t.text).Scan(&id)
		}
		return id, err
	}
	if id, err = result.LastInsertId(); err == nil && t.field == plateField {
		err = w.spell(ctx, place, t.text)
	}
	return id, err
}

// spell adds a plate's characters to the alphabet.
func (w *writer) spell(ctx context.Context, place int64, plate string) error {
	known := w.chars[place]
	if known == nil {
		chars, err := alphabet(ctx, w.tx, place)
		if err != nil {
			return err
		}
		known = map[rune]bool{}
		for _, char := range chars {
			known[char] = true
		}
		w.chars[place] = known
	}
	for _, char := range plate {
		if known[char] {
			continue
		}
		known[char] = true
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO alphabet (place, char) VALUES (?, ?)`, place, int64(char)); err != nil {
			return err
		}
	}
	return nil
}

// alphabet gives the characters that occur in plates.
func alphabet(ctx context.Context, q querier, place int64) ([]rune, error) {
	codes, err := integers(ctx, q, `SELECT char FROM alphabet WHERE place = ?`, place)
	all := make([]rune, len(codes))
	for i, code := range codes {
		all[i] = rune(code)
	}
	return all, err
}
