package index

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"gatehouse"
)

// drivable is the most terms from whose postings a search starts. Where all of its
// conditions match more, it goes through the docs, newest first: then so many match
// that a page is soon full.
const drivable = 1000

// Search answers one page, newest first; next is the cursor of the page behind it, ""
// at the end. Errors: search.malformed, and the store's.
func (x *Index) Search(ctx context.Context, q gatehouse.SearchQuery) (hits []gatehouse.SearchHit, next string, err error) {
	conditions, from, err := parse(q)
	if err != nil {
		return nil, "", err
	}
	// One state of the file for all the questions.
	tx, err := x.db.Readers().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, "", x.wrap(err)
	}
	defer func() { _ = tx.Rollback() }()
	s := search{tx: tx, q: q}
	hits, next, err = s.page(ctx, conditions, from)
	return hits, next, x.wrap(err)
}

type search struct {
	tx    *sql.Tx
	q     gatehouse.SearchQuery
	place int64
}

// matched is a condition with the terms that it matches.
type matched struct {
	condition
	terms string // a JSON array
	count int
	wide  bool // there are more than drivable
}

func (s *search) page(ctx context.Context, conditions []condition, from cursor) ([]gatehouse.SearchHit, string, error) {
	places, err := integers(ctx, s.tx, `SELECT place FROM places WHERE org = ? AND site = ?`, string(s.q.Org), string(s.q.Site))
	if err != nil || len(places) == 0 {
		return nil, "", err
	}
	s.place = places[0]
	var all []matched
	driver := -1
	for i, c := range conditions {
		m, err := s.match(ctx, c)
		if err != nil || m.count == 0 {
			return nil, "", err
		}
		all = append(all, m)
		if !m.wide && (driver < 0 || m.count < all[driver].count) {
			driver = i
		}
	}
	query, args := s.statement(all, driver, from)
	return s.rows(ctx, query, args)
}

// match finds a condition's terms.
func (s *search) match(ctx context.Context, c condition) (matched, error) {
	m := matched{condition: c}
	var ids []int64
	var err error
	if c.near != "" {
		if c.exact, err = s.neighbours(ctx, c.near); err != nil {
			return m, err
		}
	}
	if c.exact != nil {
		ids, err = integers(ctx, s.tx, `SELECT term FROM terms WHERE place = ? AND field = ? AND text IN (SELECT value FROM json_each(?))`,
			s.place, c.field, array(c.exact))
	} else {
		ids, err = integers(ctx, s.tx, `SELECT term FROM terms WHERE place = ? AND field = ? AND text >= ? AND text < ? LIMIT ?`,
			s.place, c.field, c.prefix, behind(c.prefix), drivable+1)
		m.wide = len(ids) > drivable
	}
	m.terms, m.count = array(ids), len(ids)
	return m, err
}

// neighbours are the texts that are the plate or one character off: one replaced,
// added or left out, of the characters that occur in plates here.
func (s *search) neighbours(ctx context.Context, plate string) ([]string, error) {
	rows, err := s.tx.QueryContext(ctx, `SELECT char FROM alphabet WHERE place = ?`, s.place)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var alphabet []string
	for rows.Next() {
		var char string
		if err := rows.Scan(&char); err != nil {
			return nil, err
		}
		alphabet = append(alphabet, char)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	runes := []rune(plate)
	all := []string{plate}
	for i := range len(runes) + 1 {
		head, tail := string(runes[:i]), string(runes[i:])
		for _, char := range alphabet {
			all = append(all, head+char+tail)
		}
		if i == len(runes) {
			break
		}
		tail = string(runes[i+1:])
		all = append(all, head+tail)
		for _, char := range alphabet {
			all = append(all, head+char+tail)
		}
	}
	return all, nil
}

// behind is a text behind all that begin with the prefix.
func behind(prefix string) string { return prefix + "\U0010FFFF" }

func array[T any](list []T) string {
	b, err := json.Marshal(list)
	if err != nil {
		panic(err) // numbers and texts always encode
	}
	return string(b)
}

// carriers are the docs whose terms count for doc d: itself and its subject's record.
const carriers = `(d.doc, coalesce((SELECT r.doc FROM docs r WHERE r.place = d.place AND r.kind = 1 AND r.id = d.subject), 0))`

// statement makes the page's query: from the driver's postings where there is a
// driver, else from the docs by time.
func (s *search) statement(all []matched, driver int, from cursor) (string, []any) {
	var b strings.Builder
	var args []any
	add := func(text string, more ...any) { b.WriteString(text); args = append(args, more...) }
	add(`SELECT d.doc, d.kind, d.id, d.subject, d.at, d.gate, d.reading, CASE WHEN d.text <> '' THEN d.text
		ELSE coalesce((SELECT r.text FROM docs r WHERE r.place = d.place AND r.kind = 1 AND r.id = d.subject), '') END FROM docs d`)
	// Left alone, SQLite goes through all docs by time even where the driver names a few.
	if driver < 0 {
		add(` INDEXED BY docs_by_time WHERE d.place = ?`, s.place)
	} else {
		terms := all[driver].terms
		add(` NOT INDEXED WHERE d.place = ? AND d.doc IN (SELECT doc FROM postings WHERE term IN (SELECT value FROM json_each(?))
			UNION SELECT p.doc FROM docs p WHERE p.place = ? AND p.kind = 2 AND p.subject IN
				(SELECT r.id FROM postings o JOIN docs r ON r.doc = o.doc WHERE r.kind = 1 AND o.term IN (SELECT value FROM json_each(?))))`,
			s.place, terms, s.place, terms)
	}
	for i, m := range all {
		switch {
		case i == driver:
		case m.wide:
			add(` AND EXISTS (SELECT 1 FROM postings p JOIN terms t ON t.term = p.term WHERE p.doc IN `+carriers+` AND t.field = ? AND t.text >= ? AND t.text < ?)`,
				m.field, m.prefix, behind(m.prefix))
		default:
			add(` AND EXISTS (SELECT 1 FROM postings p WHERE p.doc IN `+carriers+` AND p.term IN (SELECT value FROM json_each(?)))`, m.terms)
		}
	}
	if from.doc > 0 {
		add(` AND (d.at, d.doc) < (?, ?)`, from.at, from.doc)
	}
	if !s.q.Since.IsZero() {
		add(` AND d.at >= ?`, s.q.Since.UnixMilli())
	}
	if !s.q.Until.IsZero() {
		add(` AND d.at < ?`, s.q.Until.UnixMilli())
	}
	if s.q.Gate != "" {
		add(` AND d.gate = ?`, string(s.q.Gate))
	}
	if s.q.Kind != "" {
		add(` AND d.kind = ?`, docKind(s.q.Kind))
	}
	add(` ORDER BY d.at DESC, d.doc DESC LIMIT ?`, s.q.Limit+1)
	return b.String(), args
}

func (s *search) rows(ctx context.Context, query string, args []any) (hits []gatehouse.SearchHit, next string, err error) {
	rows, err := s.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	var last cursor
	for rows.Next() {
		if len(hits) == s.q.Limit {
			return hits, last.String(), rows.Err()
		}
		var h gatehouse.SearchHit
		var kind int
		var id, subject []byte
		if err := rows.Scan(&last.doc, &kind, &id, &subject, &last.at, &h.Gate, &h.Reading, &h.Text); err != nil {
			return nil, "", err
		}
		h.Kind = gatehouse.PassageHit
		if kind == recordDoc {
			h.Kind = gatehouse.RecordHit
		}
		copy(h.ID[:], id)
		copy(h.Subject[:], subject)
		h.At = time.UnixMilli(last.at).UTC()
		hits = append(hits, h)
	}
	return hits, "", rows.Err()
}
