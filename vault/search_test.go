package vault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// feeder is a gate's log as the index sees it.
type feeder struct {
	*installation
	proof []byte
	at    uint64
}

func newFeeder(t testing.TB, change ...func(*Options)) *feeder {
	in := install(t, change...)
	return &feeder{installation: in, proof: in.unseal(t)}
}

func (f *feeder) person(t testing.TB, r gatehouse.PersonRecord) gatehouse.Subject {
	t.Helper()
	s := gatehouse.Subject{Place: place, ID: gatehouse.RandomID(), Kind: gatehouse.PersonSubject, Enrolled: time.Now()}
	s.Record = f.record(t, s, r)
	return s
}

func (f *feeder) record(t testing.TB, s gatehouse.Subject, r gatehouse.PersonRecord) []byte {
	t.Helper()
	seal := func(field, plain string) []byte {
		if plain == "" {
			return nil
		}
		b, err := f.vault.Seal(t.Context(), s.ID, gatehouse.RecordClass, gatehouse.SealContext{Place: place, Table: "subjects", Row: s.ID, Field: field}, []byte(plain), gatehouse.PadField)
		must(t, err)
		return b
	}
	rest := r
	rest.Name, rest.NationalID = "", ""
	plain, err := json.Marshal(rest)
	must(t, err)
	return gatehouse.SealedRecord{Name: seal("name", r.Name), NationalID: seal("national_id", r.NationalID), Rest: seal("record", string(plain))}.Pack()
}

func (f *feeder) passage(t testing.TB, subject gatehouse.SubjectID, plate string) gatehouse.StoredPassage {
	t.Helper()
	now := time.Now()
	if f.options.Now != nil {
		now = f.options.Now()
	}
	p := gatehouse.Passage{Place: place, ID: gatehouse.NewID(now), Gate: "lane", At: now, Kind: gatehouse.PlateReading, Subject: subject}
	plain, err := json.Marshal(gatehouse.Detail{Plate: plate})
	must(t, err)
	sealed, err := f.vault.Seal(t.Context(), subject, gatehouse.PassageClass, gatehouse.SealContext{Place: place, Table: "passages", Row: p.ID, Field: "detail"}, plain, gatehouse.PadField)
	must(t, err)
	return gatehouse.StoredPassage{Passage: p, Detail: sealed}
}

// index feeds one batch.
func (f *feeder) index(t testing.TB, subjects []gatehouse.Subject, passages ...gatehouse.StoredPassage) {
	t.Helper()
	must(t, f.vault.Index(t.Context(), f.batch(subjects, passages...)))
	f.at += uint64(len(subjects) + len(passages))
}

func (f *feeder) batch(subjects []gatehouse.Subject, passages ...gatehouse.StoredPassage) gatehouse.IndexBatch {
	return gatehouse.IndexBatch{From: f.at, To: f.at + uint64(len(subjects)+len(passages)), Until: time.Now(), Passages: passages, Subjects: subjects}
}

func (f *feeder) ask(q gatehouse.SearchQuery) gatehouse.SearchRequest {
	q.Place, q.Limit = place, gatehouse.MaxSearchPage
	return gatehouse.SearchRequest{Operator: operator, Proof: f.proof, Reason: "case 7 about Ana", Query: q}
}

func (f *feeder) search(t testing.TB, q gatehouse.SearchQuery) []gatehouse.SearchHit {
	t.Helper()
	answer, err := f.vault.Search(t.Context(), f.ask(q))
	must(t, err)
	return answer.Hits
}

func TestSearchTheArchive(t *testing.T) {
	f := newFeeder(t)
	ana := f.person(t, gatehouse.PersonRecord{Name: "Ana Silva", NationalID: "X4711", Phone: "5550100", Number: "E-7", Email: "ana@example.org"})
	car := gatehouse.Subject{Place: place, ID: gatehouse.RandomID(), Kind: gatehouse.VehicleSubject, Enrolled: time.Now()}
	car.Record = f.record(t, car, gatehouse.PersonRecord{Name: "京A12345"})
	hers, stranger := f.passage(t, ana.ID, ""), f.passage(t, gatehouse.RandomID(), "京A12346")
	f.index(t, []gatehouse.Subject{ana, car}, hers, stranger)
	for name, c := range map[string]struct {
		q    gatehouse.SearchQuery
		want []gatehouse.ID
	}{
		"name":   {gatehouse.SearchQuery{Name: "silva"}, []gatehouse.ID{hers.Passage.ID, ana.ID}},
		"id":     {gatehouse.SearchQuery{NationalID: "x4711"}, []gatehouse.ID{hers.Passage.ID, ana.ID}},
		"phone":  {gatehouse.SearchQuery{PhoneEnd: "0100"}, []gatehouse.ID{hers.Passage.ID, ana.ID}},
		"number": {gatehouse.SearchQuery{Number: "e7"}, []gatehouse.ID{hers.Passage.ID, ana.ID}},
		"email":  {gatehouse.SearchQuery{Email: "ANA@example.org"}, []gatehouse.ID{hers.Passage.ID, ana.ID}},
		"plate":  {gatehouse.SearchQuery{Plate: "京A·12345"}, []gatehouse.ID{car.ID}},
		"near":   {gatehouse.SearchQuery{Plate: "京A12345", PlateMatch: gatehouse.PlateNear}, []gatehouse.ID{stranger.Passage.ID, car.ID}},
		"gate":   {gatehouse.SearchQuery{Gate: "lane"}, []gatehouse.ID{stranger.Passage.ID, hers.Passage.ID}},
		"none":   {gatehouse.SearchQuery{Name: "nobody"}, nil},
	} {
		var got []gatehouse.ID
		for _, h := range f.search(t, c.q) {
			got = append(got, h.ID)
		}
		if name == "near" || name == "gate" {
			slices.SortFunc(got, func(a, b gatehouse.ID) int { return bytes.Compare(b[:], a[:]) })
			slices.SortFunc(c.want, func(a, b gatehouse.ID) int { return bytes.Compare(b[:], a[:]) })
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: found %v, want %v", name, got, c.want)
		}
	}
	if hits := f.search(t, gatehouse.SearchQuery{Name: "ana", Kind: gatehouse.PassageHit}); len(hits) != 1 || hits[0].Text != "Ana Silva" || hits[0].Gate != "lane" || hits[0].Subject != ana.ID {
		t.Errorf("the row says %+v", hits)
	}
}

// A search is written down before it is answered, also when it finds nothing; what was
// searched for is not in the log.
func TestSearchIsADisclosure(t *testing.T) {
	f := newFeeder(t)
	f.index(t, []gatehouse.Subject{f.person(t, gatehouse.PersonRecord{Name: "Ana Silva", Phone: "5550100"})})
	newest := func() gatehouse.Disclosure {
		list, err := f.vault.Disclosures(t.Context(), gatehouse.ID{}, 1)
		must(t, err)
		if len(list) == 0 {
			t.Fatal("there is no disclosure")
		}
		return list[0]
	}
	f.search(t, gatehouse.SearchQuery{Name: "nobody", PhoneEnd: "99998888"})
	d := newest()
	if d.Purpose != "search" || d.Units != 5 || f.reason(t, f.unseal(t), d) != "case 7 about Ana" || d.Operator != operator || len(d.Items) != 3 || d.Items[0] != "search/name" || d.Items[1] != "search/phone" {
		t.Errorf("a search that found nothing is logged as %+v", d)
	}
	hits := f.search(t, gatehouse.SearchQuery{Name: "silva"})
	first := newest()
	if first.Units != 6 || !slices.Contains(first.Items, "subjects/"+hits[0].ID.String()+"/found") {
		t.Errorf("a search that found one is logged as %+v", first)
	}
	f.search(t, gatehouse.SearchQuery{Name: "silva"})
	// The same words look different every time: the log does not even say that they are the same.
	if again := newest(); again.Items[1] == first.Items[1] || !strings.HasPrefix(again.Items[1], "search/query/") {
		t.Errorf("the digests are %s and %s", first.Items[1], again.Items[1])
	}
	if text := strings.ToLower(fmt.Sprint(first.Items, d.Items)); strings.Contains(text, "silva") || strings.Contains(text, "nobody") || strings.Contains(text, "99998888") {
		t.Errorf("the log quotes the search: %s", text)
	}
	for name, c := range map[string]struct {
		change func(*gatehouse.SearchRequest)
		code   string
	}{
		"no reason":   {func(r *gatehouse.SearchRequest) { r.Reason = "" }, "vault.reason"},
		"no proof":    {func(r *gatehouse.SearchRequest) { r.Proof = make([]byte, proofSize) }, "vault.forbidden"},
		"no operator": {func(r *gatehouse.SearchRequest) { r.Operator = "" }, "vault.operator"},
		"another":     {func(r *gatehouse.SearchRequest) { r.Operator = "op-2" }, "vault.forbidden"},
		"everything":  {func(r *gatehouse.SearchRequest) { r.Query = gatehouse.SearchQuery{Place: place, Limit: 1} }, "search.malformed"},
		"a huge page": {func(r *gatehouse.SearchRequest) { r.Query.Limit = 201 }, "search.malformed"},
	} {
		before := newest().ID
		r := f.ask(gatehouse.SearchQuery{Name: "silva"})
		c.change(&r)
		answer, err := f.vault.Search(t.Context(), r)
		wantCode(t, err, c.code)
		if len(answer.Hits) > 0 || newest().ID != before {
			t.Errorf("%s: refused and yet %d rows", name, len(answer.Hits))
		}
	}
}

func TestNothingIsFoundWhileSealed(t *testing.T) {
	f := newFeeder(t)
	f.index(t, []gatehouse.Subject{f.person(t, gatehouse.PersonRecord{Name: "Ana Silva"})})
	must(t, f.vault.SealVault(t.Context()))
	_, err := f.vault.Search(t.Context(), f.ask(gatehouse.SearchQuery{Name: "silva"}))
	wantCode(t, err, "vault.sealed")
	_, err = f.vault.IndexState(t.Context())
	wantCode(t, err, "vault.sealed")
	wantCode(t, f.vault.Index(t.Context(), f.batch(nil, f.passage(t, gatehouse.RandomID(), "AAA111"))), "vault.sealed")
	f.proof = f.unseal(t)
	if len(f.search(t, gatehouse.SearchQuery{Name: "silva"})) != 1 {
		t.Error("the index did not survive the sealing")
	}
	if st, err := f.vault.IndexState(t.Context()); err != nil || st.Position != f.at || st.Until.IsZero() {
		t.Errorf("state %+v, %v", st, err)
	}
}
