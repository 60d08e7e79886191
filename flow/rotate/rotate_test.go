package rotate

import (
	"context"
	"slices"
	"testing"
	"time"

	"gatehouse"
)

// world is a key and a store that note what is done in which order.
type world struct {
	did     []string
	intents []gatehouse.Intent
	hold    chan struct{} // resealing waits for it
}

func (w *world) BeginRotation() (bool, error) { w.did = append(w.did, "begin"); return true, nil }
func (w *world) Rewrap(step func(done, all int)) error {
	w.did = append(w.did, "rewrap")
	step(2, 2)
	return nil
}
func (w *world) Reseal(gatehouse.SealContext, []byte) ([]byte, error) { return nil, nil }
func (w *world) Stale(sealed []byte) bool                             { return string(sealed) == "old" }
func (w *world) FinishRotation() error                                { w.did = append(w.did, "finish"); return nil }
func (w *world) Intents(context.Context) ([]gatehouse.Intent, error)  { return w.intents, nil }
func (w *world) ResealWorking(ctx context.Context, _ func(gatehouse.WorkingItem) ([]byte, error), step func(done, all int)) error {
	w.did = append(w.did, "reseal")
	step(3, 7)
	select {
	case <-w.hold:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newRotator(t *testing.T, w *world) *Rotator {
	r := New(Ports{Key: w, Store: w, Settle: func(context.Context) error { w.did = append(w.did, "settle"); return nil }})
	t.Cleanup(r.Close)
	return r
}

// TestRun: the old key goes last, whoever asks meanwhile joins, and the end is said.
func TestRun(t *testing.T) {
	w := &world{hold: make(chan struct{})}
	r := newRotator(t, w)
	var p Progress
	var err error
	for p.Stage != Items && err == nil {
		p, err = r.Run(t.Context(), time.Millisecond)
	}
	if err != nil || p.Done != 3 || p.All != 7 || !p.Resumed {
		t.Fatalf("%+v, %v", p, err)
	}
	close(w.hold)
	if p, err = r.Run(t.Context(), time.Minute); err != nil || p.Stage != Finished {
		t.Fatalf("%+v, %v", p, err)
	}
	if want := []string{"begin", "rewrap", "settle", "reseal", "finish"}; !slices.Equal(w.did, want) {
		t.Errorf("did %q", w.did)
	}
}

// TestWhatIsLeftUnderTheOldKeyKeepsIt: an intent that nothing could finish stops the
// rotation before the old key goes, and the next one does the rest.
func TestWhatIsLeftUnderTheOldKeyKeepsIt(t *testing.T) {
	w := &world{hold: make(chan struct{}), intents: []gatehouse.Intent{{Verb: "enrol", Body: []byte("new")}, {Verb: "enrol", Body: []byte("old")}}}
	close(w.hold)
	r := newRotator(t, w)
	if _, err := r.Run(t.Context(), time.Minute); gatehouse.ErrorCode(err) != "gatekey.leftover" || slices.Contains(w.did, "finish") {
		t.Fatalf("%v after %q", err, w.did)
	}
	w.intents = w.intents[:1]
	if p, err := r.Run(t.Context(), time.Minute); err != nil || p.Stage != Finished {
		t.Fatalf("%+v, %v", p, err)
	}
}

// TestClose: a rotation that the server's end stops does not take the old key away.
func TestClose(t *testing.T) {
	w := &world{hold: make(chan struct{})}
	r := newRotator(t, w)
	if _, err := r.Run(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if slices.Contains(w.did, "finish") {
		t.Error("it was finished")
	}
}
