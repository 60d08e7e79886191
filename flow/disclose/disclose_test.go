package disclose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
)

var site = gatehouse.Place{Org: "acme", Site: "hq"}

// house is a vault, stores and badges in memory. The vault opens what begins with
// "sealed:" and writes down what it was asked for first.
type house struct {
	subjects map[gatehouse.SubjectID]gatehouse.Subject
	passages map[gatehouse.ID]gatehouse.StoredPassage
	blobs    map[gatehouse.BlobID][]byte
	badges   map[gatehouse.SubjectID]gatehouse.Badge
	log      []string
	sealed   bool
	fail     error
	proofs   []string  // that open something; Unseal adds one
	next     time.Time // until when the next unsealing lasts
	noRecord error
}

func (h *house) Open(_ context.Context, r gatehouse.OpenRequest) ([][]byte, error) {
	if h.fail != nil {
		return nil, h.fail
	}
	if h.sealed || !slices.Contains(h.proofs, string(r.Proof)) {
		return nil, gatehouse.Errorf("vault.sealed", "", "sealed")
	}
	out := make([][]byte, len(r.Refs))
	for i, ref := range r.Refs {
		h.log = append(h.log, r.Operator+" "+r.Purpose+" "+ref.Where.Table+"/"+ref.Where.Field)
		if plain, ok := strings.CutPrefix(string(ref.Sealed), "sealed:"); ok {
			out[i] = []byte(plain)
		}
	}
	return out, nil
}
func (h *house) UnsealWith(context.Context, string, gatehouse.Credential, time.Duration) ([]byte, time.Time, error) {
	h.sealed = false
	h.proofs = append(h.proofs, fmt.Sprint("proof ", len(h.proofs)))
	return []byte(h.proofs[len(h.proofs)-1]), h.next, nil
}
func (h *house) SealVault(context.Context) error { h.sealed, h.proofs = true, nil; return nil }
func (h *house) Record(_ context.Context, d gatehouse.Disclosure) error {
	if err := errors.Join(h.fail, h.noRecord); err != nil {
		return err
	}
	if len(d.Items) == 0 {
		h.log = append(h.log, d.Operator+" "+d.Purpose)
	}
	for _, item := range d.Items {
		table, _, _ := strings.Cut(item, "/")
		h.log = append(h.log, d.Operator+" "+d.Purpose+" "+table)
	}
	return nil
}
func (h *house) Subject(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error) {
	s, ok := h.subjects[id]
	if !ok {
		return s, gatehouse.Errorf("store.not_found", "", "gone")
	}
	return s, nil
}
func (h *house) Passage(_ context.Context, _ gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error) {
	return h.passages[id], nil
}
func (h *house) Blob(_ context.Context, id gatehouse.BlobID) ([]byte, error) {
	b, ok := h.blobs[id]
	if !ok {
		return nil, gatehouse.Errorf("store.not_found", "", "gone")
	}
	return b, nil
}
func (h *house) Badge(id gatehouse.SubjectID) (gatehouse.Badge, bool) {
	b, ok := h.badges[id]
	return b, ok
}

var (
	ana      = gatehouse.SubjectID{1}
	byAna    = gatehouse.Passage{Place: site, ID: gatehouse.ID{1}, Kind: gatehouse.FaceReading, Subject: ana, Known: true}
	stranger = gatehouse.Passage{Place: site, ID: gatehouse.ID{2}, Kind: gatehouse.FaceReading, Subject: gatehouse.SubjectID{7}}
	visitor  = gatehouse.Passage{Place: site, ID: gatehouse.ID{3}, Kind: gatehouse.PlateReading, Subject: gatehouse.SubjectID{8}}
)

func newHouse(t *testing.T, unsealed bool) (*house, *Discloser) {
	t.Helper()
	detail, _ := json.Marshal(gatehouse.Detail{Plate: "XY99ZZZ", Confidence: 0.9})
	h := &house{sealed: true,
		subjects: map[gatehouse.SubjectID]gatehouse.Subject{ana: {Place: site, ID: ana, Kind: gatehouse.PersonSubject,
			Record: gatehouse.SealedRecord{Name: []byte("sealed:Ana"), NationalID: []byte("sealed:4711"), Rest: []byte("sealed:{}")}.Pack()}},
		passages: map[gatehouse.ID]gatehouse.StoredPassage{visitor.ID: {Passage: visitor, Detail: append([]byte("sealed:"), detail...)}},
		blobs:    map[gatehouse.BlobID][]byte{{1}: []byte("sealed:jpeg")},
		badges:   map[gatehouse.SubjectID]gatehouse.Badge{ana: {Label: "B-1"}}}
	d := New(Ports{Place: site, Vault: h, Subjects: h, Passages: h, Blobs: h, Badges: h})
	if unsealed {
		if err := d.Unseal(t.Context(), "op", []byte("x"), time.Hour); err != nil {
			t.Fatal(err)
		}
		h.log = nil
	}
	return h, d
}

func TestAShortUnsealingDoesNotEndALongOne(t *testing.T) {
	now := time.Now()
	for name, until := range map[string][]time.Duration{"the short one last": {10 * time.Minute, time.Minute}, "the short one first": {time.Minute, 10 * time.Minute}} {
		t.Run(name, func(t *testing.T) {
			h, d := newHouse(t, false)
			shorter := ""
			for i, u := range until {
				h.next = now.Add(u)
				if err := d.Unseal(t.Context(), "guard", []byte("x"), u); err != nil {
					t.Fatal(err)
				}
				if u == time.Minute {
					shorter = h.proofs[i]
				}
			}
			named := func(when string) {
				t.Helper()
				if lent, err := d.Live(t.Context(), "guard", []gatehouse.Passage{byAna}); err != nil || lent[byAna.ID].Text != "Ana" {
					t.Errorf("%s: %+v, %v", when, lent, err)
				}
			}
			h.proofs = slices.DeleteFunc(h.proofs, func(p string) bool { return p == shorter })
			named("after the shorter one ended")

			// The vault process started anew: only what is unsealed since then opens.
			h.proofs = nil
			h.next = now.Add(time.Second)
			if err := d.Unseal(t.Context(), "guard", []byte("x"), time.Second); err != nil {
				t.Fatal(err)
			}
			h.proofs[0] = "anew"
			d.leases[len(d.leases)-1].proof = []byte("anew")
			named("after a restart of the vault")
		})
	}
}

func TestUnsealingIsWrittenDownUnderTheOperatorsName(t *testing.T) {
	h, d := newHouse(t, false)
	if err := d.Unseal(t.Context(), "guard-7", []byte("x"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"site/guard-7 unseal"}, h.log); diff != "" {
		t.Error(diff)
	}
	h, d = newHouse(t, false)
	h.noRecord = errors.New("the disk is full")
	if err := d.Unseal(t.Context(), "guard-7", []byte("x"), time.Hour); err == nil || !h.sealed {
		t.Errorf("an unsealing that could not be written down: %v, sealed %t", err, h.sealed)
	}
}

func TestLiveUnsealedLendsNamesAndOpensNothingElse(t *testing.T) {
	h, d := newHouse(t, true)
	lent, err := d.Live(t.Context(), "guard", []gatehouse.Passage{byAna, stranger, visitor})
	if err != nil {
		t.Fatal(err)
	}
	want := map[gatehouse.ID]Lent{byAna.ID: {Text: "Ana", Opened: true}, visitor.ID: {Text: "XY99ZZZ", Opened: true, Plate: true}}
	if diff := cmp.Diff(want, lent); diff != "" {
		t.Error(diff)
	}
	// The name and nothing of the record behind it; the stranger's pictures too.
	if diff := cmp.Diff([]string{"site/guard live subjects/name", "site/guard live passages/detail", "site/guard live ring"}, h.log); diff != "" {
		t.Error(diff)
	}
}

func TestLiveSealedLendsLabelsAndIsWrittenDownAllTheSame(t *testing.T) {
	h, d := newHouse(t, false)
	lent, err := d.Live(t.Context(), "guard", []gatehouse.Passage{byAna, stranger, visitor})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[gatehouse.ID]Lent{byAna.ID: {Text: "B-1"}}, lent); diff != "" {
		t.Error(diff)
	}
	if len(h.log) != 3 {
		t.Errorf("the log: %v", h.log)
	}
	if lent, err = d.Live(t.Context(), "guard", nil); err != nil || len(lent) != 0 || len(h.log) != 4 {
		t.Errorf("an empty window shows the gates' pictures and must be written down: %v, %v", h.log, err)
	}
}

func TestNothingIsShownWhereItCannotBeWrittenDown(t *testing.T) {
	for _, unsealed := range []bool{true, false} {
		h, d := newHouse(t, unsealed)
		h.fail = errors.New("the disk is full")
		if lent, err := d.Live(t.Context(), "guard", []gatehouse.Passage{byAna}); err == nil || len(lent) != 0 {
			t.Errorf("unsealed %t: lent %v, %v", unsealed, lent, err)
		}
	}
}

func TestALeaseThatEndedGivesLabels(t *testing.T) {
	h, d := newHouse(t, true)
	h.sealed = true // the vault sealed itself
	lent, err := d.Live(t.Context(), "guard", []gatehouse.Passage{byAna})
	if err != nil || lent[byAna.ID].Opened || lent[byAna.ID].Text != "B-1" {
		t.Errorf("%+v, %v", lent, err)
	}
	if _, err := d.Evidence(t.Context(), "guard", gatehouse.StoredPassage{Evidence: []gatehouse.Evidence{{Blob: gatehouse.BlobID{1}}}}, "why"); gatehouse.ErrorCode(err) != "vault.sealed" {
		t.Errorf("evidence: %v", err)
	}
}

func TestDetailAndEvidence(t *testing.T) {
	_, d := newHouse(t, true)
	detail, _ := json.Marshal(gatehouse.Detail{Confidence: 0.5})
	who, opened, err := d.Detail(t.Context(), "guard", gatehouse.StoredPassage{Passage: byAna, Detail: append([]byte("sealed:"), detail...)})
	if err != nil || who.Text != "Ana" || opened == nil || opened.Confidence != 0.5 {
		t.Errorf("%+v, %+v, %v", who, opened, err)
	}
	// Erased: nothing opens, and that is no error.
	_, opened, err = d.Detail(t.Context(), "guard", gatehouse.StoredPassage{Passage: stranger, Detail: []byte("noise")})
	if err != nil || opened != nil {
		t.Errorf("erased: %+v, %v", opened, err)
	}
	pictures, err := d.Evidence(t.Context(), "guard", gatehouse.StoredPassage{Evidence: []gatehouse.Evidence{{Blob: gatehouse.BlobID{1}}, {Blob: gatehouse.BlobID{2}}}}, "a dispute")
	if err != nil || len(pictures) != 2 || string(pictures[0]) != "jpeg" || pictures[1] != nil {
		t.Errorf("%q, %v", pictures, err)
	}
	names, err := d.Names(t.Context(), "guard", []gatehouse.SubjectID{ana, {9}})
	if diff := cmp.Diff(map[gatehouse.SubjectID]string{ana: "Ana"}, names); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// Another call of the vault that discloses gets the site's proof, and the next one
// where the first has ended.
func TestWithProof(t *testing.T) {
	h, d := newHouse(t, false)
	ended := errors.New("f was called with the site's proof")
	use := func(_ context.Context, operator string, proof []byte) error {
		if operator != "site/guard" {
			t.Errorf("the operator is %q", operator)
		}
		if h.sealed || !slices.Contains(h.proofs, string(proof)) {
			return gatehouse.Errorf("vault.sealed", "", "sealed")
		}
		return ended
	}
	if err := d.WithProof(t.Context(), "guard", use); gatehouse.ErrorCode(err) != "vault.sealed" {
		t.Errorf("while sealed: %v", err)
	}
	for range 2 {
		h.next = h.next.Add(time.Hour)
		if err := d.Unseal(t.Context(), "op", []byte("x"), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	h.proofs = h.proofs[:1] // the one that lasts longest has ended
	if err := d.WithProof(t.Context(), "guard", use); !errors.Is(err, ended) {
		t.Errorf("with a proof left: %v", err)
	}
	h.proofs = nil
	if err := d.WithProof(t.Context(), "guard", use); gatehouse.ErrorCode(err) != "vault.sealed" {
		t.Errorf("after the last: %v", err)
	}
}

func TestARecordIsOpenedForAReason(t *testing.T) {
	h, d := newHouse(t, true)
	s := h.subjects[ana]
	s.Photos = []gatehouse.Evidence{{Blob: gatehouse.BlobID{1}}, {Blob: gatehouse.BlobID{2}}}
	h.subjects[ana] = s
	if _, err := d.Record(t.Context(), "hr", ana, "", false); gatehouse.ErrorCode(err) != "vault.reason" || len(h.log) != 0 {
		t.Errorf("without a reason: %v, %v", err, h.log)
	}
	r, err := d.Record(t.Context(), "hr", ana, "her phone changed", false)
	if err != nil || r.Name != "Ana" || r.NationalID != "" || string(r.Rest) != "{}" {
		t.Errorf("%+v, %v", r, err)
	}
	if diff := cmp.Diff([]string{"site/hr person subjects/name", "site/hr person subjects/record"}, h.log); diff != "" {
		t.Errorf("the ID number was opened as well: %s", diff)
	}
	if r, err = d.Record(t.Context(), "hr", ana, "tax", true); err != nil || r.NationalID != "4711" {
		t.Errorf("%+v, %v", r, err)
	}
	if photos, err := d.Photos(t.Context(), "hr", ana, "a complaint"); err != nil || len(photos) != 2 || string(photos[0]) != "jpeg" || photos[1] != nil {
		t.Errorf("%q, %v", photos, err)
	}
	h.sealed, h.proofs = true, nil
	if _, err := d.Record(t.Context(), "hr", ana, "tax", true); gatehouse.ErrorCode(err) != "vault.sealed" {
		t.Errorf("sealed: %v", err)
	}
}
