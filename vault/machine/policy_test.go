package machine

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func TestCheckPlace(t *testing.T) {
	for header, code := range map[string]string{
		``:                                       "",
		`null`:                                   "",
		`{}`:                                     "",
		`{"Org":"acme","Site":"north","ID":"x"}`: "",
		`[{"Org":"acme","Site":"north"},{"Org":"acme","Site":"north","Refs":[1,{}]}]`: "",
		`{"Place":{"Org":"acme","Site":"north"},"Day":"2026-01-01"}`:                  "",
		`{"Reason":"org","Refs":["site",{"Table":"site"}]}`:                           "",
		`{"Org":"evil","Site":"north"}`:                                               "vault.place",
		`{"Org":"acme","Site":"south"}`:                                               "vault.place",
		`{"a":[[{"b":{"Org":"acme","Site":"south"}}]]}`:                               "vault.place",
		`{"org":"evil"}`:                      "vault.place",
		`{"\u006frg":"evil"}`:                 "vault.place",
		`{"ſite":"south"}`:                    "vault.place", // folds to site, as encoding/json does it
		`{"Org":"evil","Org":"acme"}`:         "vault.place",
		`{"Place":{"Org":"evil"},"Place":{}}`: "vault.place", // encoding/json merges the two
		`{"Org":null}`:                        "vault.place",
		`{"Org":["acme"]}`:                    "vault.place",
		`{"Org":{"Org":"acme"}}`:              "vault.place",
		`{"Org":"acme"`:                       "request.malformed",
		`{"Org":"acme"}}`:                     "request.malformed",
		`{"Org" "acme"}`:                      "request.malformed",
		strings.Repeat(`[`, 100):              "request.malformed",
	} {
		if err := checkPlace([]byte(header), north); gatehouse.ErrorCode(err) != code {
			t.Errorf("%s: %v, want %q", header, err, code)
		}
	}
}

// FuzzCheckPlace: whatever passes names no other site when the vault process decodes it.
func FuzzCheckPlace(f *testing.F) {
	for _, s := range []string{`{"Org":"acme","Site":"north","Refs":[{"Org":"acme","Site":"north"}]}`, `{"Place":{"Org":"evil"},"Place":{}}`, `{"ſite":"south","oRg":null}`, `[]`, `1 2`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, header []byte) {
		if checkPlace(header, north) != nil {
			return
		}
		var got struct {
			gatehouse.Place
			Refs  []gatehouse.SealContext
			Named struct{ gatehouse.Place }
		}
		if json.Unmarshal(header, &got) != nil {
			return
		}
		for _, p := range append([]gatehouse.SealContext{{Place: got.Place}, {Place: got.Named.Place}}, got.Refs...) {
			if p.Org != "" && p.Org != north.Org || p.Site != "" && p.Site != north.Site {
				t.Fatalf("%q names %v", header, p.Place)
			}
		}
	})
}

// TestPace: a burst goes through, then so many a second.
func TestPace(t *testing.T) {
	now := time.Now()
	p := &pace{now: func() time.Time { return now }}
	for range callsAtOnce {
		if err := p.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if p.free != 0 {
		t.Errorf("%v calls are free after the burst", p.free)
	}
	now = now.Add(time.Second)
	if err := p.wait(t.Context()); err != nil || p.free != callsPerSecond-1 {
		t.Errorf("%v calls are free a second later, %v", p.free, err)
	}
	now = now.Add(time.Hour)
	if err := p.wait(t.Context()); err != nil || p.free != callsAtOnce-1 {
		t.Errorf("%v calls are free an hour later, %v", p.free, err)
	}
	now = now.Add(-time.Hour) // a clock that is set back gives nothing
	if err := p.wait(t.Context()); err != nil || p.free != callsAtOnce-2 {
		t.Errorf("%v calls are free with the clock set back, %v", p.free, err)
	}
}
