package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"gatehouse"
)

// parkingChild is the argument with which the test binary is a car park that will be
// killed: vehicles come and go for ever, and each passage that is committed is printed.
const parkingChild = "__parking"

func runParking(ctx context.Context) error {
	var c Config
	if err := json.NewDecoder(os.Stdin).Decode(&c); err != nil {
		return err
	}
	s, err := Open(ctx, c, Options{NewPassphrase: []byte(passphrase), Stderr: io.Discard})
	if err != nil {
		return err
	}
	s.stays.Books = newCash()
	if !s.stays.HasTariff("centre") {
		if _, err := s.stays.PutTariff(ctx, []byte(hourly), "chief"); err != nil {
			return err
		}
	}
	go s.followStays(ctx)
	base := os.Getpid() * 1000
	for n := 0; ; n++ {
		for _, gate := range []gatehouse.GateID{"entry", "exit"} {
			text := fmt.Sprintf("K%09d", base+n)
			if gate == "exit" {
				if n < 3 {
					continue
				}
				text = fmt.Sprintf("K%09d", base+n-3)
			}
			now := time.Now()
			p, _, err := s.flow.Sight(ctx, gatehouse.Device{Place: s.Place(), ID: "camera", Gate: gate}, gatehouse.Sighting{Kind: gatehouse.PlateReading, First: now, Last: now, Frames: 5, Final: true,
				Plate: gatehouse.PlateRead{Text: text, Raw: text, Confidence: 1}}, now)
			if err != nil {
				return err
			}
			if _, err := fmt.Println(p.ID); err != nil {
				return err
			}
		}
		time.Sleep(20 * time.Millisecond) // the stays keep up
	}
}

// A car park is killed again and again: every entry that was committed has one stay, every
// exit one row, and whoever left is out. GATEHOUSE_FAULT_ROUNDS sets how often.
func TestKillingTheCarParkLosesNoStay(t *testing.T) {
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("GATEHOUSE_FAULT_ROUNDS")); err == nil {
		rounds = n
	}
	c := carPark(t)
	c.Parking[0].Capacity = 100_000
	input := filepath.Join(t.TempDir(), "config.json")
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(input, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var acknowledged []gatehouse.ID
	for range rounds {
		acknowledged = append(acknowledged, killOne(t, parkingChild, input, 5)...) // the fifth is the first that leaves
	}
	s := open(t, c)
	books := newCash()
	s.stays.Books = books
	followed(t, s)
	newest, err := s.store.Newest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "everything is followed", func() bool {
		at, err := s.stays.Cursor(t.Context())
		leaves := 0
		_ = s.store.Leaves(t.Context(), at, func(uint64, []byte) error { leaves++; return nil })
		return err == nil && (at >= newest || leaves == 0)
	})
	entries, exits, left := 0, 0, 0
	for _, id := range acknowledged {
		p, err := s.store.Passage(t.Context(), s.Place(), id)
		if err != nil {
			t.Fatal(err)
		}
		if p.Passage.Gate == "entry" {
			entries++
			r, err := s.store.StayOf(t.Context(), s.Place(), id)
			if err != nil {
				t.Fatalf("an entry that was committed has no stay: %v", err)
			}
			if r.Ended() {
				left++
			}
			continue
		}
		exits++
		e, err := s.store.ExitOf(t.Context(), s.Place(), id)
		if err != nil || e.State != "paired" {
			t.Fatalf("an exit that was committed as %+v (%s): %+v, %v", p.Passage.Decision, p.Passage.Outcome, e, err)
		}
		if r, err := s.store.StayOf(t.Context(), s.Place(), e.Stay); err != nil || r.State != gatehouse.StayLeft || r.ExitPassage != id {
			t.Fatalf("the stay of an exit has not ended with it: %+v, %v", r, err)
		}
	}
	// Of each kill one exit may have been committed that nobody heard of.
	if exits < rounds || left < exits || left > exits+rounds {
		t.Errorf("%d entries, %d exits, %d left", entries, exits, left)
	}
	if n := s.stays.Occupancies()[0].Inside; n < entries-left {
		t.Errorf("%d inside, %d came and did not leave", n, entries-left)
	}
	t.Logf("%d kills: %d entries, %d exits", rounds, entries, exits)
}
