package index

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"gatehouse"
)

// drivable is the most terms from whose postings a search starts. Where all of its
// conditions match more, it goes through the docs, newest first: then so many match
// that a page is soon full.
var drivable = 20_000 // a variable for tests

// costly is from where on more docs make no difference to which condition a search
// starts from.
const costly = 50_000

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
	docs  int    // of the terms, counted up to costly where there is a choice
	none  bool   // there are no terms
	wide  bool   // there are more terms than drivable
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
		m, err := s.match(ctx, c, len(conditions) > 1)
		if err != nil || m.none {
			return nil, "", err
		}
		all = append(all, m)
		if !m.wide && (driver < 0 || m.docs < all[driver].docs) {
			driver = i
		}
	}
	if driver < 0 {
		return s.byTime(ctx, all, from)
	}
	return s.byTerms(ctx, all, driver, from)
}

// match finds a condition's terms, and if it is to be compared its docs.
func (s *search) match(ctx context.Context, c condition, compare bool) (matched, error) {
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
	if err != nil {
		return m, err
	}
	m.terms, m.none = array(ids), len(ids) == 0
	if compare && !m.wide {
		err = s.tx.QueryRowContext(ctx, `SELECT count(*) FROM (`+docsOfTerms+` LIMIT ?)`, m.terms, s.place, m.terms, costly).Scan(&m.docs)
	}
	return m, err
}

// neighbours are the texts that are the plate or one character off: one replaced,
// added or left out, of the characters that occur in plates here.
func (s *search) neighbours(ctx context.Context, plate string) ([]string, error) {
	chars, err := alphabet(ctx, s.tx, s.place)
	if err != nil {
		return nil, err
	}
	runes := []rune(plate)
	all := []string{plate}
	for i := range len(runes) + 1 {
		head, tail := string(runes[:i]), string(runes[i:])
		for _, char := range chars {
			all = append(all, head+string(char)+tail)
		}
		if i == len(runes) {
			break
		}
		tail = string(runes[i+1:])
		all = append(all, head+tail)
		for _, char := range chars {
			all = append(all, head+string(char)+tail)
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

// columns are what a row of an answer is made of.
const columns = `d.doc, d.kind, d.id, d.subject, d.at, d.gate, d.reading, CASE WHEN d.text <> '' THEN d.text
	ELSE coalesce((SELECT r.text FROM docs r WHERE r.place = d.place AND r.kind = 1 AND r.id = d.subject), '') END`

// statement is a text that grows with its arguments.
type statement struct {
	strings.Builder
	args []any
}

func (b *statement) add(text string, args ...any) {
	b.WriteString(text)
	b.args = append(b.args, args...)
}

// filter adds what must hold of doc d besides the driver's terms. The indexes are
// named, or SQLite would look at every posting of a term instead of a doc's few.
func (s *search) filter(b *statement, all []matched, driver int) {
	for i, m := range all {
		switch {
		case i == driver:
		case m.wide:
			b.add(` AND EXISTS (SELECT 1 FROM postings p INDEXED BY postings_by_doc CROSS JOIN terms t ON t.term = p.term
				WHERE p.doc IN `+carriers+` AND t.field = ? AND t.text >= ? AND t.text < ?)`, m.field, m.prefix, behind(m.prefix))
		default:
			b.add(` AND EXISTS (SELECT 1 FROM postings p INDEXED BY postings_by_doc WHERE p.doc IN `+carriers+
				` AND p.term IN (SELECT value FROM json_each(?)))`, m.terms)
		}
	}
	if s.q.Gate != "" {
		b.add(` AND d.gate = ?`, string(s.q.Gate))
	}
	if s.q.Kind != "" {
		b.add(` AND d.kind = ?`, docKind(s.q.Kind))
	}
}

// span adds the query's times and the page's begin.
func (s *search) span(b *statement, from cursor) {
	if from.doc > 0 {
		b.add(` AND (at, doc) < (?, ?)`, from.at, from.doc)
	}
	if !s.q.Since.IsZero() {
		b.add(` AND at >= ?`, s.q.Since.UnixMilli())
	}
	if !s.q.Until.IsZero() {
		b.add(` AND at < ?`, s.q.Until.UnixMilli())
	}
}

// byTime goes through the docs, newest first.
func (s *search) byTime(ctx context.Context, all []matched, from cursor) ([]gatehouse.SearchHit, string, error) {
	var b statement
	b.add(`SELECT `+columns+` FROM docs d INDEXED BY docs_by_time WHERE d.place = ?`, s.place)
	s.span(&b, from)
	s.filter(&b, all, -1)
	b.add(` ORDER BY at DESC, doc DESC LIMIT ?`, s.q.Limit+1)
	rows, err := s.tx.QueryContext(ctx, b.String(), b.args...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	p := page{limit: s.q.Limit}
	for !p.more && rows.Next() {
		if err := p.take(rows.Scan); err != nil {
			return nil, "", err
		}
	}
	hits, next := p.answer()
	return hits, next, rows.Err()
}

// docsOfTerms are the docs that carry one of the terms, and the passages of the records
// that do; a doc may come twice. Its arguments are the terms, the place, the terms.
const docsOfTerms = `SELECT at, doc FROM postings WHERE term IN (SELECT value FROM json_each(?))
	UNION ALL SELECT at, doc FROM docs INDEXED BY docs_by_subject WHERE place = ? AND kind = 2 AND subject IN
		(SELECT r.id FROM postings o CROSS JOIN docs r ON r.doc = o.doc WHERE r.kind = 1 AND o.term IN (SELECT value FROM json_each(?)))`

// byTerms goes through the docs of the driver's terms, newest first, and looks at each
// until the page is full. The list comes from indexes alone, so it may be long.
func (s *search) byTerms(ctx context.Context, all []matched, driver int, from cursor) ([]gatehouse.SearchHit, string, error) {
	terms := all[driver].terms
	var b statement
	b.add(`SELECT DISTINCT at, doc FROM (`+docsOfTerms+`) WHERE 1`, terms, s.place, terms)
	s.span(&b, from)
	b.add(` ORDER BY at DESC, doc DESC`)
	candidates, err := s.tx.QueryContext(ctx, b.String(), b.args...)
	if err != nil {
		return nil, "", err
	}
	defer candidates.Close()

	var one statement
	one.add(`SELECT `+columns+` FROM docs d WHERE d.place = ?`, s.place)
	s.filter(&one, all, driver)
	one.add(` AND d.doc = ?`)
	look, err := s.tx.PrepareContext(ctx, one.String())
	if err != nil {
		return nil, "", err
	}
	defer look.Close()
	p := page{limit: s.q.Limit}
	for !p.more && candidates.Next() {
		var at, doc int64
		if err := candidates.Scan(&at, &doc); err != nil {
			return nil, "", err
		}
		err := p.take(look.QueryRowContext(ctx, append(one.args[:len(one.args):len(one.args)], doc)...).Scan)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, "", err
		}
	}
	hits, next := p.answer()
	return hits, next, candidates.Err()
}

// page is the rows of an answer.
type page struct {
	limit int
	hits  []gatehouse.SearchHit
	last  cursor
	more  bool // there was a row behind the last
}

func (p *page) answer() ([]gatehouse.SearchHit, string) {
	if !p.more {
		return p.hits, ""
	}
	return p.hits, p.last.String()
}

// take adds a row, or notes that there is one more than the page has room for.
func (p *page) take(scan func(...any) error) error {
	var h gatehouse.SearchHit
	var at cursor
	var kind int
	var id, subject []byte
	if err := scan(&at.doc, &kind, &id, &subject, &at.at, &h.Gate, &h.Reading, &h.Text); err != nil {
		return err
	}
	if len(p.hits) == p.limit {
		p.more = true
		return nil
	}
	h.Kind = gatehouse.PassageHit
	if kind == recordDoc {
		h.Kind = gatehouse.RecordHit
	}
	copy(h.ID[:], id)
	copy(h.Subject[:], subject)
	h.At = time.UnixMilli(at.at).UTC()
	p.hits, p.last = append(p.hits, h), at
	return nil
}
