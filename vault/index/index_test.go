package index

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
)

var (
	place = gatehouse.Place{Org: "acme", Site: "north"}
	other = gatehouse.Place{Org: "acme", Site: "south"}
	began = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Errorf("error %v, want the code %s", err, code)
	}
}

func newIndex(t testing.TB) *Index {
	t.Helper()
	x, err := Open(t.Context(), filepath.Join(t.TempDir(), "index.db"), [32]byte{1})
	must(t, err)
	t.Cleanup(func() { must(t, x.Close()) })
	return x
}

// site is an index beside the list of what was put into it.
type site struct {
	index   *Index
	entries []Entry
	at      uint64
}

func (s *site) put(t testing.TB, entries ...Entry) {
	t.Helper()
	must(t, s.index.Put(t.Context(), s.at, s.at+uint64(len(entries)), began, entries))
	s.at += uint64(len(entries))
	for _, e := range entries {
		s.entries = slices.DeleteFunc(s.entries, func(o Entry) bool { return o.Place == e.Place && o.Kind == e.Kind && o.ID == e.ID })
		s.entries = append(s.entries, e)
	}
}

func passageOf(n int, subject gatehouse.SubjectID, plate string) Entry {
	at := began.Add(time.Duration(n) * time.Second)
	return Entry{Place: place, Kind: gatehouse.PassageHit, ID: gatehouse.NewID(at), Subject: subject, At: at, Gate: gatehouse.GateID(fmt.Sprintf("gate-%d", n%3)),
		Reading: gatehouse.PlateReading, Class: gatehouse.PassageClass, Day: at.Format(time.DateOnly), Text: plate, Fields: Fields{Plate: plate}}
}

func recordOf(subject gatehouse.SubjectID, f Fields) Entry {
	return Entry{Place: place, Kind: gatehouse.RecordHit, ID: subject, Subject: subject, At: began.Add(-time.Hour), Class: gatehouse.RecordClass,
		Day: began.Format(time.DateOnly), Text: f.Name + f.Plate, Fields: f}
}

// all pages through a search and gives the ids.
func all(t testing.TB, x *Index, q gatehouse.SearchQuery, page int) (ids []gatehouse.ID) {
	t.Helper()
	if q.Org == "" {
		q.Place = place
	}
	q.Limit = page
	for {
		hits, next, err := x.Search(t.Context(), q)
		must(t, err)
		for _, h := range hits {
			ids = append(ids, h.ID)
		}
		if len(hits) > page {
			t.Fatalf("%d rows on a page of %d", len(hits), page)
		}
		if next == "" {
			return ids
		}
		q.After = next
	}
}

// brute is the same search over the list: what Search must be equal to.
func (s *site) brute(q gatehouse.SearchQuery) (ids []gatehouse.ID) {
	if q.Org == "" {
		q.Place = place
	}
	records := map[gatehouse.SubjectID]Entry{}
	for _, e := range s.entries {
		if e.Kind == gatehouse.RecordHit {
			records[e.ID] = e
		}
	}
	var found []Entry
	for _, e := range s.entries {
		terms := []Fields{e.Fields}
		if r, ok := records[e.Subject]; ok && r.Place == e.Place {
			terms = append(terms, r.Fields)
		}
		some := func(ok func(f Fields) bool) bool { return slices.ContainsFunc(terms, ok) }
		ok := e.Place == q.Place && (q.Gate == "" || e.Gate == q.Gate) && (q.Kind == "" || e.Kind == q.Kind) &&
			(q.Since.IsZero() || !e.At.Before(q.Since)) && (q.Until.IsZero() || e.At.Before(q.Until)) &&
			(q.Plate == "" || some(func(f Fields) bool { return plateMatches(q, gatehouse.NormalizePlate(f.Plate)) })) &&
			(q.NationalID == "" || some(func(f Fields) bool { return f.NationalID == q.NationalID })) &&
			(q.PhoneEnd == "" || some(func(f Fields) bool { return strings.HasSuffix(f.Phone, q.PhoneEnd) })) &&
			(q.Phone == "" || some(func(f Fields) bool { return f.Phone == q.Phone }))
		for _, w := range strings.Fields(strings.ToLower(q.Name)) {
			ok = ok && some(func(f Fields) bool {
				return slices.ContainsFunc(strings.Fields(strings.ToLower(f.Name)), func(have string) bool {
					return strings.HasPrefix(have, w) || w[0] > 127 && strings.Contains(have, w)
				})
			})
		}
		if ok {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b Entry) int { return b.At.Compare(a.At) })
	for _, e := range found {
		ids = append(ids, e.ID)
	}
	return ids
}

func plateMatches(q gatehouse.SearchQuery, plate string) bool {
	switch q.PlateMatch {
	case gatehouse.PlatePrefix:
		return strings.HasPrefix(plate, q.Plate)
	case gatehouse.PlateNear:
		return plate != "" && distance([]rune(plate), []rune(q.Plate)) <= 1
	}
	return plate == q.Plate
}

// distance is Levenshtein's, by the book.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// randomPlate draws from few characters, so that plates are often close to each other.
func randomPlate(r *rand.Rand) string {
	b := []rune("京")
	for range 3 + r.IntN(3) {
		b = append(b, []rune("AB12ÖЖ")[r.IntN(6)])
	}
	return string(b)
}

// Whatever is asked for, the index finds what a search through everything finds, in
// the same order, on pages of any size.
func TestSearchEqualsBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := &site{index: newIndex(t)}
	names := []string{"Ana Silva", "Anabel Costa", "张三丰", "李三", "Ola Nordmann Silva", "丰 田"}
	var subjects []gatehouse.SubjectID
	for i := range 40 {
		id := gatehouse.RandomID()
		subjects = append(subjects, id)
		e := recordOf(id, Fields{Name: names[i%len(names)], NationalID: fmt.Sprint("ID", i%7), Phone: fmt.Sprintf("1380013%04d", r.IntN(50))})
		e.At = e.At.Add(time.Duration(i) * time.Second)
		s.put(t, e)
	}
	for i := range 600 {
		subject := gatehouse.RandomID()
		if i%2 == 0 {
			subject = subjects[r.IntN(len(subjects))]
		}
		e := passageOf(i, subject, randomPlate(r))
		if i%5 == 0 {
			e.Fields, e.Text = Fields{}, ""
		}
		s.put(t, e)
	}
	foreign := passageOf(10_000, subjects[0], "京A1")
	foreign.Place = other
	s.put(t, foreign)

	found := 0
	for range 400 {
		var q gatehouse.SearchQuery
		for q == (gatehouse.SearchQuery{}) {
			if r.IntN(2) == 0 {
				q.Plate = randomPlate(r)
				q.PlateMatch = []gatehouse.PlateMatch{gatehouse.PlateExact, gatehouse.PlatePrefix, gatehouse.PlateNear}[r.IntN(3)]
				if q.PlateMatch == gatehouse.PlatePrefix {
					q.Plate = string([]rune(q.Plate)[:2+r.IntN(2)])
				}
			}
			if r.IntN(3) == 0 {
				q.Name = []string{"ana", "silva", "sil ana", "三丰", "三", "nord"}[r.IntN(6)]
			}
			if r.IntN(6) == 0 {
				q.NationalID = fmt.Sprint("ID", r.IntN(8))
			}
			if r.IntN(6) == 0 {
				q.PhoneEnd = fmt.Sprintf("3%03d", r.IntN(50))
			}
			if r.IntN(3) == 0 {
				q.Gate = gatehouse.GateID(fmt.Sprintf("gate-%d", r.IntN(3)))
			}
			if r.IntN(3) == 0 {
				q.Since = began.Add(time.Duration(r.IntN(600)) * time.Second)
			}
			if r.IntN(3) == 0 {
				q.Until = began.Add(time.Duration(r.IntN(600)) * time.Second)
			}
			if r.IntN(4) == 0 {
				q.Kind = []gatehouse.HitKind{gatehouse.PassageHit, gatehouse.RecordHit}[r.IntN(2)]
			}
			if q.Plate == "" && q.Name == "" && q.NationalID == "" && q.PhoneEnd == "" && q.Gate == "" && q.Since.IsZero() && q.Until.IsZero() {
				q = gatehouse.SearchQuery{}
			}
		}
		got, want := all(t, s.index, q, 1+r.IntN(30)), s.brute(q)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%#v: %s", q, diff)
		}
		if len(want) > 0 {
			found++
		}
	}
	if found < 100 {
		t.Errorf("only %d searches found anything: this test says little", found)
	}
	if got := all(t, s.index, gatehouse.SearchQuery{Place: other, Plate: "京A1", PlateMatch: gatehouse.PlatePrefix}, 10); len(got) != 1 {
		t.Errorf("the other site has %d", len(got))
	}
}

// A condition that matches more than a search can start from gives the same.
func TestWideSearches(t *testing.T) {
	before := drivable
	drivable = 1000
	t.Cleanup(func() { drivable = before })
	s := &site{index: newIndex(t)}
	subject := gatehouse.RandomID()
	s.put(t, recordOf(subject, Fields{Name: "Ana Silva"}))
	var batch []Entry
	for i := range drivable + 200 {
		e := passageOf(i, gatehouse.RandomID(), fmt.Sprintf("粤B%05d", i))
		if i%100 == 0 {
			e.Subject = subject
		}
		batch = append(batch, e)
	}
	s.put(t, batch...)
	for _, q := range []gatehouse.SearchQuery{
		{Plate: "粤B", PlateMatch: gatehouse.PlatePrefix},
		{Plate: "粤B", PlateMatch: gatehouse.PlatePrefix, Gate: "gate-1"},
		{Plate: "粤B", PlateMatch: gatehouse.PlatePrefix, Name: "silva"},
		{Plate: "粤B001", PlateMatch: gatehouse.PlatePrefix, Name: "silva"},
	} {
		if diff := cmp.Diff(s.brute(q), all(t, s.index, q, 150)); diff != "" {
			t.Errorf("%#v: %s", q, diff)
		}
	}
}

// People write plates, names and numbers in many ways.
func TestSpellings(t *testing.T) {
	s := &site{index: newIndex(t)}
	id := gatehouse.RandomID()
	s.put(t, recordOf(id, Fields{Name: "O'Brien-Ströß, ＡＮＡ 欧阳 娜娜", NationalID: "11010119900307123x", Number: "e-0042", Phone: "+86 138-0013-8000", Email: " Ana@Example.org "}))
	s.put(t, passageOf(1, id, "ａｂ 12·cde"))
	for name, q := range map[string]gatehouse.SearchQuery{
		"plate":       {Plate: "AB-12 CDE"},
		"full width":  {Plate: "ＡＢ１２ＣＤＥ"},
		"word":        {Name: "brien"},
		"folded":      {Name: "STRÖSS"},
		"two words":   {Name: "ana o'br"},
		"middle":      {Name: "阳"},
		"two runs":    {Name: "娜 欧阳"},
		"id":          {NationalID: "110101 19900307 123X"},
		"number":      {Number: "E0042"},
		"phone":       {Phone: "8613800138000"},
		"end":         {PhoneEnd: "0013 8000"},
		"email":       {Email: "ana@example.ORG"},
		"all of them": {Plate: "ab12cde", Name: "ana", PhoneEnd: "8000", Email: "ana@example.org"},
	} {
		if got := all(t, s.index, q, 10); !slices.Contains(got, s.entries[1].ID) {
			t.Errorf("%s: the passage is not found", name)
		}
	}
	for name, q := range map[string]gatehouse.SearchQuery{
		"another word": {Name: "ana maria"}, "middle of a word": {Name: "rien"}, "middle of a phone number": {PhoneEnd: "1380013"}, "wrong digit": {Phone: "8613800138001"},
		"beginning of an ID": {NationalID: "11010119900307"}, "beginning of a plate": {Plate: "AB12"},
	} {
		if got := all(t, s.index, q, 10); len(got) != 0 {
			t.Errorf("%s: found %d", name, len(got))
		}
	}
}

func TestMalformedSearches(t *testing.T) {
	x := newIndex(t)
	for name, q := range map[string]gatehouse.SearchQuery{
		"nothing": {}, "too short a prefix": {Plate: "A", PlateMatch: gatehouse.PlatePrefix}, "too short a plate to be near": {Plate: "AB1", PlateMatch: gatehouse.PlateNear},
		"no plate": {PlateMatch: gatehouse.PlateNear, Gate: "g"}, "only separators": {Plate: "--"}, "one letter": {Name: "a"}, "three digits": {PhoneEnd: "123"}, "no digits": {Phone: "abc"},
		"another match": {Plate: "AB123", PlateMatch: "like"}, "a cursor": {Plate: "AB123", After: "1"}, "an injected cursor": {Plate: "AB123", After: "1.1 OR 1"},
		"huge": {Name: strings.Repeat("x", 1000)}, "no text": {Name: "\xff\xfe"}, "a kind": {Plate: "AB123", Kind: "x"}, "nine words": {Name: "a b c d e f g h i"},
	} {
		q.Place, q.Limit = place, 10
		_, _, err := x.Search(t.Context(), q)
		wantCode(t, err, "search.malformed")
		if err == nil {
			t.Error(name)
		} else if secret := q.Plate + q.Name; secret != "" && len(secret) > 2 && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error quotes it", name)
		}
	}
	for _, limit := range []int{0, -1, 201} {
		_, _, err := x.Search(t.Context(), gatehouse.SearchQuery{Place: place, Gate: "g", Limit: limit})
		wantCode(t, err, "search.malformed")
	}
}
