package index

import (
	"context"
	"database/sql"
	"errors"

	"gatehouse"
)

const dropTerm = `DELETE FROM terms WHERE term = ? AND NOT EXISTS (SELECT 1 FROM postings WHERE term = ?)`

// writer puts entries in within one transaction.
type writer struct {
	tx     *sql.Tx
	places map[gatehouse.Place]int64
	last   int64 // doc number that was given out

	findDoc, addDoc, findTerm, addTerm, addPosting, addChar *sql.Stmt
	open                                                    []*sql.Stmt
}

func newWriter(ctx context.Context, tx *sql.Tx) (*writer, error) {
	w := &writer{tx: tx, places: map[gatehouse.Place]int64{}}
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
		{&w.addTerm, `INSERT INTO terms (place, field, text) VALUES (?, ?, ?)`},
		{&w.addPosting, `INSERT INTO postings (term, at, doc) VALUES (?, ?, ?)`},
		{&w.addChar, `INSERT INTO alphabet (place, char) VALUES (?, ?) ON CONFLICT DO NOTHING`},
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

func (w *writer) term(ctx context.Context, place int64, t term) (id int64, err error) {
	err = w.findTerm.QueryRowContext(ctx, place, t.field, t.text).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	result, err := w.addTerm.ExecContext(ctx, place, t.field, t.text)
	if err != nil {
		return 0, err
	}
	if t.field == plateField {
		for _, char := range t.text {
			if _, err := w.addChar.ExecContext(ctx, place, string(char)); err != nil {
				return 0, err
			}
		}
	}
	return result.LastInsertId()
}
