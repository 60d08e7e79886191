package feed

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func pic(n int) gatehouse.Picture { return gatehouse.Picture{JPEG: make([]byte, n)} }

func id(n byte) gatehouse.ID { return gatehouse.ID{n} }

func TestRingDropsByAge(t *testing.T) {
	c := &clock{time.Unix(1000, 0)}
	r := NewRing(time.Hour, 0, c.now) // an hour is cut to ten minutes
	r.Put("door", id(1), []gatehouse.Picture{pic(10), pic(20)})
	r.PutStill("door", pic(5))
	c.t = c.t.Add(MaxAge - time.Second)
	if r.Count(id(1)) != 2 || r.Bytes() != 35 {
		t.Fatalf("before its time: %d pictures, %d bytes", r.Count(id(1)), r.Bytes())
	}
	c.t = c.t.Add(time.Second)
	if _, ok := r.Still("door"); ok || r.Count(id(1)) != 0 || r.Bytes() != 0 {
		t.Fatalf("after ten minutes: %d pictures, still %t, %d bytes", r.Count(id(1)), ok, r.Bytes())
	}
}

func TestRingDropsWithoutTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := NewRing(time.Minute, 0, nil)
		go r.Run(ctx)
		r.Put("door", id(1), []gatehouse.Picture{pic(10)})
		time.Sleep(66 * time.Second)
		synctest.Wait()
		r.mu.Lock()
		size := r.size // not Bytes, which would sweep by itself
		r.mu.Unlock()
		if size != 0 {
			t.Errorf("%d bytes are kept at a gate where nothing happens", size)
		}
		cancel()
	})
}

func TestRingIsBounded(t *testing.T) {
	r := NewRing(0, 100, nil)
	r.Put("quiet", id(1), []gatehouse.Picture{pic(20)})
	for n := byte(2); n < 50; n++ {
		r.Put("busy", id(n), []gatehouse.Picture{pic(15)})
		if r.Bytes() > 100 {
			t.Fatalf("%d bytes are held of 100", r.Bytes())
		}
	}
	if r.Count(id(1)) != 1 {
		t.Error("a busy gate emptied a quiet one")
	}
	if r.Count(id(2)) != 0 || r.Count(id(49)) != 1 {
		t.Error("the oldest should go first")
	}
	r.PutStill("quiet", pic(90))
	if r.Bytes() > 100 {
		t.Errorf("a still made it %d bytes", r.Bytes())
	}
	r.Put("busy", id(60), []gatehouse.Picture{pic(101), pic(40)})
	if r.Count(id(60)) != 1 {
		t.Error("a picture larger than the ring must be left out, the next one kept")
	}
}

func TestRingReplacesAndForgets(t *testing.T) {
	r := NewRing(0, 0, nil)
	r.Put("door", id(1), []gatehouse.Picture{pic(10)})
	r.Put("door", id(1), []gatehouse.Picture{pic(7), pic(7)})
	if r.Count(id(1)) != 2 || r.Bytes() != 14 {
		t.Errorf("%d pictures, %d bytes", r.Count(id(1)), r.Bytes())
	}
	r.Forget(id(1))
	r.Forget(id(9))
	if r.Bytes() != 0 {
		t.Errorf("%d bytes after forgetting", r.Bytes())
	}
}

func commit(h *Hub, n byte) { h.PassageCommitted(gatehouse.Passage{ID: id(n)}) }

func seen(events []Event) string {
	s := ""
	for _, e := range events {
		switch e.Kind {
		case Committed:
			s += fmt.Sprint(e.Passage.ID[0], " ")
		default:
			s += string(e.Kind) + " "
		}
	}
	return s
}

func TestHubResumes(t *testing.T) {
	h := NewHub(nil)
	before := h.LastID()
	commit(h, 1)
	commit(h, 2)
	mid := h.LastID()
	commit(h, 3)
	for _, c := range []struct{ last, want string }{
		{before, "1 2 3 "}, {mid, "3 "}, {h.LastID(), ""}, {"", ""},
		{NewHub(nil).LastID(), "resync "}, {"nonsense", "resync "}, {h.id(99), "resync "}, {h.boot + "-x", "resync "},
	} {
		s := h.Subscribe(c.last)
		if got := seen(s.Take()); got != c.want {
			t.Errorf("resumed behind %q: %q, want %q", c.last, got, c.want)
		}
		s.Close()
	}
	for n := range 3 * history {
		commit(h, byte(n))
	}
	if got := seen(h.Subscribe(mid).Take()); got != "resync " {
		t.Errorf("resumed behind what is forgotten: %.40q", got)
	}
}

func TestASlowSubscriberHoldsUpNobody(t *testing.T) {
	h := NewHub(nil)
	slow, quick := h.Subscribe(""), h.Subscribe("")
	got := 0
	for n := range bufferLimit + 1 {
		commit(h, byte(n))
		got += len(quick.Take())
	}
	if got != bufferLimit+1 {
		t.Errorf("the quick one saw %d of %d", got, bufferLimit+1)
	}
	if s := seen(slow.Take()); s != "resync " {
		t.Errorf("the slow one saw %.60q", s)
	}
	commit(h, 7)
	if s := seen(slow.Take()); s != "7 " {
		t.Errorf("after its resync the slow one saw %q", s)
	}
}

func TestABurstIsOneUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(nil)
		s := h.Subscribe("")
		go func() {
			for n := range byte(10) {
				commit(h, n)
				time.Sleep(5 * time.Millisecond)
			}
		}()
		if got := seen(s.TakeWithin(t.Context(), 100*time.Millisecond)); got != "0 1 2 3 4 5 6 7 8 9 " {
			t.Errorf("one update held %q", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got := s.TakeWithin(ctx, 100*time.Millisecond); got != nil {
			t.Errorf("nothing happened, and %v came", got)
		}
	})
}

func TestHubTellsChangesOnly(t *testing.T) {
	h := NewHub(nil)
	s := h.Subscribe("")
	for range 3 {
		h.SetGate(gatehouse.GateState{Gate: "door", State: "closed", Camera: "ok"})
		h.SetFaces(true)
	}
	h.SetGate(gatehouse.GateState{Gate: "door", State: "open", Camera: "ok"})
	h.SetFaces(false)
	h.SetFaces(false)
	if got := seen(s.Take()); got != "gate gate health " {
		t.Errorf("told %q", got)
	}
	if g := h.Gates(); len(g) != 1 || g[0].State != "open" || h.Faces() {
		t.Errorf("remembered %v, faces %t", g, h.Faces())
	}
}

func TestHubUnderLoad(t *testing.T) {
	h := NewHub(nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s := h.Subscribe(h.LastID())
			defer s.Close()
			for range 50 {
				s.Take()
			}
		})
		wg.Go(func() {
			for n := range 200 {
				commit(h, byte(n))
			}
		})
	}
	wg.Wait()
	if len(h.subs) != 0 {
		t.Errorf("%d subscriptions were left", len(h.subs))
	}
}
