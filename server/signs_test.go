package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"gatehouse"
)

// A sign says how many spaces are free, stays full until some are, and is right after a restart.
// Who stands at the entry of a full car park that queues is let in when somebody leaves.
func TestASignAndAQueue(t *testing.T) {
	told := make(chan string, 100)
	sign := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.URL.RawQuery }))
	t.Cleanup(sign.Close)
	wants := func(text string) {
		t.Helper()
		got := ""
		for end := time.After(10 * time.Second); ; {
			select {
			case got = <-told:
				if got == text {
					return
				}
			case <-end:
				t.Fatalf("the sign shows %s, not %s", got, text)
			}
		}
	}
	c := carPark(t)
	c.Parking[0].Full = "queue"
	c.Parking[0].Sign = SignConfig{Kind: "http", URL: sign.URL + "/?{free}-{word}", FreeAgain: 2}
	s := open(t, c)
	s.stays.Books = newCash()
	begin := func() context.CancelFunc {
		ctx, cancel := context.WithCancel(t.Context())
		s.wait.Go(func() { s.followStays(ctx) })
		s.wait.Go(func() { s.signs.run(ctx) })
		return cancel
	}
	end := begin()
	wants("3-FREE")
	var cars []gatehouse.Passage
	for _, plate := range []string{"AB12CDE", "FG34HJK", "LM56NPR"} {
		cars = append(cars, read(t, s, "entry", plate, time.Minute))
		eventually(t, "it is inside", func() bool { return s.stayState(cars[len(cars)-1].ID) == gatehouse.StayOpen })
	}
	wants("0-FULL")
	if p := read(t, s, "entry", "ST78UVW", 0); p.Decision.Reason != gatehouse.CarParkFull {
		t.Fatalf("let in where it is full: %+v", p.Decision)
	}
	if p := read(t, s, "exit", "AB12CDE", 0); !p.Decision.Grant {
		t.Fatalf("%+v", p.Decision)
	}
	var queued []gatehouse.StayRecord
	eventually(t, "who waits is let in", func() bool {
		queued, _ = s.stays.List(t.Context(), gatehouse.StayFilter{State: gatehouse.InsideStays, Limit: 10})
		return len(queued) == 3 && queued[0].ID != cars[2].ID
	})
	if p, err := s.store.Passage(t.Context(), s.Place(), queued[0].EntryPassage); err != nil || p.Passage.Decision.Rule != "a space is free in car park centre" {
		t.Errorf("%+v, %v", p, err)
	}
	for _, plate := range []string{"FG34HJK", "LM56NPR"} {
		if p := read(t, s, "exit", plate, 0); !p.Decision.Grant {
			t.Fatalf("%+v", p.Decision)
		}
	}
	wants("2-FREE") // and not 1 before
	end()
	s.wait.Wait()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for len(told) > 0 {
		<-told
	}
	s = open(t, c)
	defer begin()()
	wants("2-FREE")
}
