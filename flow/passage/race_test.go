package passage

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
)

func showCard(t *testing.T, ctx context.Context, f *Flow, number gatehouse.Secret) *gatehouse.Passage {
	t.Helper()
	p, err := f.Show(ctx, front, gatehouse.Capture{Kind: gatehouse.CardCapture, Received: time.Now(), Secret: number})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// One card shown to six readers at the same moment opens the gate once.
func TestTheSameMomentIsOneGrant(t *testing.T) {
	w, f := newWorld(nil)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			_, _ = f.Show(context.Background(), front, gatehouse.Capture{Kind: gatehouse.CardCapture, Received: time.Now(), Secret: "4711"})
		})
	}
	all.Wait()
	if err := f.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	granted := 0
	for _, c := range w.commits {
		if c.Passage.Decision.Grant {
			granted++
		} else if c.Passage.Decision.Reason != gatehouse.Repeated {
			t.Errorf("got %s", c.Passage.Decision.Reason)
		}
	}
	if granted != 1 || len(w.opened) != 1 || len(w.commits) != 6 {
		t.Errorf("%d grants, %d openings, %d passages", granted, len(w.opened), len(w.commits))
	}
}

// A grant that could not be recorded and did not open does not make the next try a
// repetition; one that opened (fail safe) does.
func TestARepetitionIsOfWhoWasLetThrough(t *testing.T) {
	for _, failSafe := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w, f := newWorld(func(p *gatehouse.GatePolicy) { p.FailSafe = failSafe })
			w.failStore = gatehouse.Errorf("store.full", "", "full")
			_, _, _ = f.Sight(t.Context(), front, sighting(0.9, true, true), time.Now())
			w.mu.Lock()
			w.failStore = nil
			w.mu.Unlock()
			want := gatehouse.Granted
			if failSafe {
				want = gatehouse.Repeated
			}
			if p := showCard(t, t.Context(), f, "4711"); p.Decision.Reason != want {
				t.Errorf("fail safe %t: %s, want %s", failSafe, p.Decision.Reason, want)
			}
			if err := f.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// An outage of hours: the passage is recorded in the end, once, under the id that
// people were shown when it happened.
func TestALongOutageLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWorld(nil)
		w.failStore = gatehouse.Errorf("store.full", "", "full")
		p, _, _ := f.Sight(t.Context(), front, sighting(0.9, true, true), time.Now())
		time.Sleep(3 * time.Hour)
		w.mu.Lock()
		w.failStore = nil
		w.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(w.commits) != 1 || w.commits[0].Passage.ID != p.ID {
			t.Errorf("%d passages, shown as %s", len(w.commits), p.ID)
		}
		// A second outage is settled as well.
		w.mu.Lock()
		w.failStore = gatehouse.Errorf("store.full", "", "full")
		w.mu.Unlock()
		_, _, _ = f.Sight(t.Context(), front, sighting(0.2, true, true), time.Now())
		w.mu.Lock()
		w.failStore = nil
		w.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(w.commits) != 2 {
			t.Errorf("%d passages after the second outage", len(w.commits))
		}
	})
}

// A reader that hangs up in the middle has shown a card all the same.
func TestHangingUpDoesNotUndoAPassage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWorld(nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if p := showCard(t, ctx, f, "4711"); !p.Decision.Grant {
			t.Errorf("got %+v", p.Decision)
		}
		synctest.Wait()
		if len(w.commits) != 1 || len(w.opened) != 1 {
			t.Errorf("%d passages, %d openings", len(w.commits), len(w.opened))
		}
	})
}

// A face that waits does not spoil the card that opens alone, whatever changed
// meanwhile.
func TestACardOpensThoughTheFaceMayNotAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWorld(func(p *gatehouse.GatePolicy) { p.SecondFactor = true })
		mustSight(t, f, front, sighting(0.9, true, false))
		b := w.badges[alice]
		b.FaceConsent = false
		w.badges[alice] = b
		if p := showCard(t, t.Context(), f, "4711"); p == nil || !p.Decision.Grant || p.Kind != gatehouse.CardReading {
			t.Errorf("got %+v", p)
		}
		time.Sleep(time.Minute)
	})
}

// Closing at the very moment of a lapse: one of them finishes, and one only.
func TestLapseAndCloseTogether(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			w, f := newWorld(func(p *gatehouse.GatePolicy) { p.SecondFactor = true })
			mustSight(t, f, front, sighting(0.9, true, false))
			time.Sleep(10 * time.Second) // exactly the patience of the gate
			if err := f.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(w.commits) != 1 {
				t.Fatalf("%d passages", len(w.commits))
			}
		})
	}
}
