package gatehouse

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestIDsGrowEvenWithinAMillisecondAndWhenTheClockStandsStill(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	last := NewID(now)
	for i := range 100_000 {
		id := NewID(now)
		if bytes.Compare(id[:], last[:]) <= 0 {
			t.Fatalf("id %d is not larger than the one before", i)
		}
		last = id
	}
	if d := NewID(now.Add(time.Hour)).Time().Sub(now); d != time.Hour {
		t.Errorf("the time in an id is off by %v", d-time.Hour)
	}
	parsed, err := ParseID(last.String())
	if err != nil || parsed != last {
		t.Errorf("parsed %v, %v", parsed, err)
	}
	for _, bad := range []string{"", "xyz", strings.Repeat("g", 32), last.String() + "0"} {
		if _, err := ParseID(bad); ErrorCode(err) != "id.malformed" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{"front-door": true, "a": true, "7": true, "": false, "-a": false, "Front": false, "a b": false, "a/b": false,
		"..": false, "é": false, strings.Repeat("a", 40): true, strings.Repeat("a", 41): false} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestErrors(t *testing.T) {
	err := fmt.Errorf("opening: %w", Errorf("store.full", "free some space", "the disk is full: %w", fs.ErrPermission))
	if ErrorCode(err) != "store.full" || !errors.Is(err, fs.ErrPermission) || !errors.Is(err, &Error{Code: "store.full"}) || errors.Is(err, &Error{Code: "store.failed"}) {
		t.Errorf("the chain of %v is wrong", err)
	}
	if ErrorCode(nil) != "" || ErrorCode(fs.ErrExist) != "" {
		t.Error("an error that is none of ours has a code")
	}
}

// Every reason has a sentence in both languages, and no sentence stands for two.
func TestReasonsAreAClosedList(t *testing.T) {
	seen := map[string]Reason{}
	for _, r := range Reasons {
		for _, lang := range []string{"en", "zh"} {
			s := r.Sentence(lang)
			if s == string(r) || seen[s] != "" {
				t.Errorf("%s in %s: %q (also of %q)", r, lang, s, seen[s])
			}
			seen[s] = r
		}
	}
	if len(sentences) != len(Reasons) {
		t.Errorf("%d sentences for %d reasons", len(sentences), len(Reasons))
	}
}

func TestPersonalDataRedactsItself(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	log.Info("x", "secret", Secret("geheim"), "person", PersonRecord{Name: "geheim"}, "vehicle", VehicleRecord{Plate: "geheim"},
		"image", Image{Bytes: []byte("geheim")})
	text := b.String() + fmt.Sprintf("%v %s %#v %+v", Secret("geheim"), Secret("geheim"), Secret("geheim"), Capture{Secret: "geheim"})
	if strings.Contains(text, "geheim") {
		t.Errorf("personal data was printed: %s", text)
	}
	if Secret("geheim").Reveal() != "geheim" {
		t.Error("a secret cannot be read at all")
	}
}

func TestNormalizePlate(t *testing.T) {
	for in, want := range map[string]string{"ab-12 cde": "AB12CDE", "皖A·338B7": "皖A338B7", "粤Ｚ１２３４港": "粤Z1234港", " ": "", "B·XK 4521": "BXK4521", "ö-1": "Ö1"} {
		if got := NormalizePlate(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestConsentIsInForceBetweenItsDays(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	c := Consent{Given: noon, Withdrawn: noon.Add(time.Hour)}
	for after, want := range map[time.Duration]bool{-1: false, 0: true, time.Hour - 1: true, time.Hour: false} {
		if c.InForce(noon.Add(after)) != want {
			t.Errorf("after %v: %t", after, !want)
		}
	}
	if (Consent{}).InForce(noon) || !(Consent{Given: noon}).InForce(noon.AddDate(50, 0, 0)) {
		t.Error("a consent that was never given counts, or one that was not withdrawn does not")
	}
}

// The leaf commits to everything that it is made of: another value anywhere gives
// another leaf, and the subject does not occur in it.
func TestPassageLeafCommits(t *testing.T) {
	p := Passage{Place: Place{"o", "s"}, ID: ID{1}, Gate: "g", Device: "d", Direction: In, At: time.UnixMilli(5), Kind: FaceReading, Subject: SubjectID{9, 9, 9, 9},
		Decision: Decision{Grant: true, Reason: Granted, Rule: "r"}}
	e := []Evidence{{Digest: [32]byte{1}}}
	base := PassageLeaf(p, []byte("detail"), e)
	if bytes.Contains(base, p.Subject[:4]) {
		t.Error("the leaf holds the subject: erasing it would break the proof")
	}
	for name, change := range map[string]func(p *Passage){
		"site": func(p *Passage) { p.Site = "t" }, "gate": func(p *Passage) { p.Gate = "h" }, "id": func(p *Passage) { p.ID = ID{2} },
		"time": func(p *Passage) { p.At = time.UnixMilli(6) }, "reason": func(p *Passage) { p.Decision.Reason = Unknown }, "rule": func(p *Passage) { p.Decision.Rule = "q" },
		"org and site shifted": func(p *Passage) { p.Org, p.Site = "os", "" },
	} {
		q := p
		change(&q)
		if bytes.Equal(PassageLeaf(q, []byte("detail"), e), base) {
			t.Errorf("another %s gives the same leaf", name)
		}
	}
	if bytes.Equal(PassageLeaf(p, []byte("other"), e), base) || bytes.Equal(PassageLeaf(p, []byte("detail"), nil), base) {
		t.Error("another detail or evidence gives the same leaf")
	}
	q := p
	q.Subject = SubjectID{7}
	if !bytes.Equal(PassageLeaf(q, []byte("detail"), e), base) {
		t.Error("replacing the subject's id changes the leaf")
	}
}

func FuzzLeafParts(f *testing.F) {
	f.Add(OutcomeLeaf(PassageOutcome{Place: Place{"o", "s"}, Outcome: Passed}))
	f.Add([]byte{0, 0, 0, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, at, parts, err := LeafParts(b)
		if err != nil {
			return
		}
		if again := leaf(kind, at, parts...); !bytes.Equal(again, b) {
			t.Errorf("a leaf has two encodings: %x and %x", b, again)
		}
	})
}

func FuzzUnpackRecord(f *testing.F) {
	f.Add(SealedRecord{Name: []byte("n"), Rest: []byte("rest")}.Pack())
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := UnpackRecord(b)
		if err == nil && !bytes.Equal(r.Pack(), b) {
			t.Errorf("%x unpacks and packs to %x", b, r.Pack())
		}
	})
	if got, _ := UnpackRecord(SealedRecord{Name: []byte("n"), NationalID: []byte("i"), Rest: []byte("r")}.Pack()); !cmp.Equal(got, SealedRecord{Name: []byte("n"), NationalID: []byte("i"), Rest: []byte("r")}) {
		f.Error(got)
	}
}
