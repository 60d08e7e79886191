package vault

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"gatehouse"
)

// TestIndexingIsKilled kills the vault process at any moment of indexing: no leaf is
// missed, none counts twice, and nobody who was erased comes back.
func TestIndexingIsKilled(t *testing.T) {
	f := newFeeder(t)
	r := rand.New(rand.NewPCG(5, 6))
	var subjects []gatehouse.Subject
	for i := range 8 {
		subjects = append(subjects, f.person(t, gatehouse.PersonRecord{Name: fmt.Sprintf("Person%d Silva", i)}))
	}
	f.index(t, subjects)
	erased := subjects[7].ID
	want := map[gatehouse.ID]bool{}
	const size = 40
	rounds := 4
	if s := os.Getenv("GATEHOUSE_FAULT_ROUNDS"); s != "" {
		var err error
		rounds, err = strconv.Atoi(s)
		must(t, err)
	}
	killed := 0
	for round := range rounds {
		var batch []gatehouse.StoredPassage
		for i := range size {
			batch = append(batch, f.passage(t, subjects[(i+round)%len(subjects)].ID, fmt.Sprintf("AB%02d%03d", round, i)))
		}
		if round == rounds/2 {
			_, err := f.vault.Erase(t.Context(), eraseOf(erased))
			must(t, err)
		}
		restarts := f.vault.Process().Restarts
		done := make(chan error, 1)
		go func() { done <- f.vault.Index(t.Context(), f.batch(nil, batch...)) }()
		time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond) // a random moment
		f.kill()
		first := <-done
		f.awaitRestart(t, restarts+1)
		f.proof = f.unseal(t)
		st, err := f.vault.IndexState(t.Context())
		must(t, err)
		switch st.Position {
		case f.at:
			if first == nil {
				t.Fatal("a batch that was acknowledged is not in the index")
			}
			killed++
			must(t, f.vault.Index(t.Context(), f.batch(nil, batch...)))
			fallthrough
		case f.at + size:
			f.at += size
		default:
			t.Fatalf("the index stands at %d, between batches at %d", st.Position, f.at)
		}
		for _, p := range batch {
			if p.Passage.Subject != erased {
				want[p.Passage.ID] = true
			}
		}
	}
	got := map[gatehouse.ID]bool{}
	for round := range rounds {
		for _, h := range f.search(t, gatehouse.SearchQuery{Plate: fmt.Sprintf("AB%02d", round), PlateMatch: gatehouse.PlatePrefix}) {
			if got[h.ID] || !want[h.ID] {
				t.Errorf("a passage is found twice, or was erased")
			}
			got[h.ID] = true
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d of %d passages are found", len(got), len(want))
	}
	if hits := f.search(t, gatehouse.SearchQuery{Name: "person7"}); len(hits) != 0 {
		t.Errorf("%d rows of the erased are found", len(hits))
	}
	t.Logf("%d of %d batches were killed before they were durable", killed, rounds)
}
