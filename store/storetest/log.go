package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

func testConcurrentCommits(t *testing.T, s *suite) {
	const gates, each = 8, 25
	var wg sync.WaitGroup
	var mu sync.Mutex
	committed := map[string]bool{}
	for range gates {
		wg.Go(func() {
			for i := range each {
				c := newCommit(here, noon.Add(time.Duration(i)*time.Hour*24))
				if err := s.CommitPassage(s.ctx(), c); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				committed[string(c.Leaf)] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	s.reopen()
	if got := s.page(gatehouse.PassageQuery{Place: here, Limit: 1000}); len(got) != gates*each {
		t.Errorf("%d passages, want %d", len(got), gates*each)
	}
	all := s.leaves(0)
	for _, l := range all {
		delete(committed, l.leaf)
	}
	if len(all) != gates*each || len(committed) != 0 {
		t.Errorf("%d leaves, %d missing", len(all), len(committed))
	}
}

func testCancelled(t *testing.T, s *suite) {
	ended, cancel := context.WithCancel(s.ctx())
	cancel()
	c := newCommit(here, noon)
	if err := s.CommitPassage(ended, c); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v from a context that had ended", err)
	}
	if _, err := s.Passage(s.ctx(), here, c.Passage.ID); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Errorf("a commit that was refused is there: %v", err)
	}
	// Whenever the context ends: nil means there, an error means there whole or not
	// at all.
	var wg sync.WaitGroup
	for i := range 60 {
		c := newCommit(here, noon)
		ctx, cancel := context.WithCancel(s.ctx())
		time.AfterFunc(time.Duration(i)*50*time.Microsecond, cancel)
		wg.Go(func() {
			defer cancel()
			err := s.CommitPassage(ctx, c)
			got, readErr := s.Passage(s.ctx(), here, c.Passage.ID)
			switch {
			case err == nil && readErr != nil:
				t.Errorf("acknowledged and lost: %v", readErr)
			case err != nil && !errors.Is(err, context.Canceled):
				t.Error(err)
			case readErr == nil && (len(got.Evidence) != 2 || !slices.Equal(got.Detail, c.Detail)):
				t.Error("half a passage")
			}
		})
	}
	wg.Wait()
	if passages, leaves := len(s.page(gatehouse.PassageQuery{Place: here, Limit: 1000})), len(s.leaves(0)); passages != leaves {
		t.Errorf("%d passages and %d leaves", passages, leaves)
	}
	if _, err := s.Passages(ended, gatehouse.PassageQuery{Place: here, Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("a query went on without its context: %v", err)
	}
}

func testLeaves(t *testing.T, s *suite) {
	var want []string
	person := newSubject(here)
	s.must(s.PutSubject(s.ctx(), person))
	want = append(want, string(person.Leaf))
	first := s.commit(newCommit(here, noon.AddDate(0, -1, 0)))
	second := s.commit(newCommit(other, noon))
	want = append(want, string(first.Leaf), string(second.Leaf))
	s.reopen()
	device := gatehouse.Device{Place: here, ID: "camera-1", Kind: gatehouse.Camera, Gate: "front-door"}
	leaf := gatehouse.DeviceLeaf(device, noon)
	s.must(s.PutDevice(s.ctx(), device, leaf))
	want = append(want, string(leaf))
	// An outcome that comes after the month has turned, and after a restart.
	o := gatehouse.PassageOutcome{Place: here, ID: first.Passage.ID, Outcome: gatehouse.Passed, At: noon}
	o.Leaf = gatehouse.OutcomeLeaf(o)
	s.must(s.CommitOutcome(s.ctx(), o))
	want = append(want, string(o.Leaf))

	for range 2 {
		all := s.leaves(0)
		var got []string
		for _, l := range all {
			got = append(got, l.leaf)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d leaves in another order than committed, want %d", len(got), len(want))
		}
		for i, l := range all {
			if rest := s.leaves(l.position); len(rest) != len(want)-i-1 {
				t.Errorf("%d leaves behind the %dth, want %d", len(rest), i, len(want)-i-1)
			}
		}
		s.reopen()
	}
	stop := errors.New("enough")
	n := 0
	err := s.Leaves(s.ctx(), 0, func(uint64, []byte) error { n++; return stop })
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("the caller's error: %v after %d leaves", err, n)
	}
}

// testFollower reads behind its cursor while leaves are committed to several files.
func testFollower(t *testing.T, s *suite) {
	const writers, each = 4, 20
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				var err error
				if w == 0 {
					err = s.PutSubject(s.ctx(), newSubject(here))
				} else {
					err = s.CommitPassage(s.ctx(), newCommit(here, noon.AddDate(0, -w, i)))
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	finished := make(chan struct{})
	go func() { wg.Wait(); close(finished) }()
	var cursor uint64
	seen := map[string]bool{}
	for last := false; ; {
		for _, l := range s.leaves(cursor) {
			seen[l.leaf] = true
			cursor = l.position
		}
		if last {
			break
		}
		select {
		case <-finished:
			last = true
		default:
		}
	}
	if len(seen) != writers*each {
		t.Errorf("the follower saw %d leaves, want %d", len(seen), writers*each)
	}
}

func testBlobReferences(t *testing.T, s *suite) {
	want := map[gatehouse.BlobID]bool{}
	for _, c := range []gatehouse.PassageCommit{newCommit(here, noon), newCommit(other, noon.AddDate(0, -2, 0))} {
		s.commit(c)
		for _, e := range c.Evidence {
			want[e.Blob] = true
		}
	}
	person := newSubject(here)
	s.must(s.PutSubject(s.ctx(), person))
	want[person.Subject.Photos[0].Blob] = true
	s.reopen()
	s.must(s.Blobs(s.ctx(), func(id gatehouse.BlobID) error {
		if !want[id] {
			t.Errorf("blob %v belongs to nothing", id)
		}
		delete(want, id)
		return nil
	}))
	if len(want) != 0 {
		t.Errorf("%d blobs that are needed were not named", len(want))
	}
	stop := errors.New("enough")
	if err := s.Blobs(s.ctx(), func(gatehouse.BlobID) error { return stop }); !errors.Is(err, stop) || gatehouse.ErrorCode(err) != "" {
		t.Errorf("the caller's error came back as %v", err)
	}
}

// A leaf that belongs to no row stands among the others, also after a restart.
func testWriteLeaf(t *testing.T, s *suite) {
	s.commit(newCommit(here, noon))
	leaf := gatehouse.SignInLeaf(noon, here, gatehouse.ByPasskey, gatehouse.RandomID(), "k")
	if err := s.WriteLeaf(s.ctx(), leaf); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteLeaf(s.ctx(), nil); gatehouse.ErrorCode(err) != "store.invalid" {
		t.Errorf("no leaf: %v", err)
	}
	s.reopen()
	if all := s.leaves(0); len(all) != 2 || all[1].leaf != string(leaf) {
		t.Errorf("%d leaves", len(all))
	}
}

// What somebody may see of some gates holds nothing of the others.
func testWithin(t *testing.T, s *suite) {
	for i, gate := range []gatehouse.GateID{"front", "back", "front", "lane"} {
		c := newCommit(here, noon.Add(time.Duration(i)*time.Minute))
		c.Passage.Gate = gate
		s.commit(c)
	}
	for name, w := range map[string]struct {
		gates gatehouse.Gates
		want  int
	}{"all": {gatehouse.AllGates(), 4}, "none": {gatehouse.Gates{}, 0}, "front": {gatehouse.SomeGates("front"), 2}, "two": {gatehouse.SomeGates("front", "lane"), 3}, "another": {gatehouse.SomeGates("x'--"), 0}} {
		if got := len(s.page(gatehouse.PassageQuery{Place: here, Within: &w.gates, Limit: 10})); got != w.want {
			t.Errorf("%s: %d passages", name, got)
		}
		if got := len(s.page(gatehouse.PassageQuery{Place: here, Within: &w.gates, Gate: "front", Limit: 10})); w.gates.Has("front") != (got == 2) || !w.gates.Has("front") && got > 0 {
			t.Errorf("%s: %d passages at the front", name, got)
		}
		n, err := s.CountPassages(s.ctx(), here, noon, noon.Add(time.Hour), w.gates)
		if err != nil || n.Granted+n.Denied != w.want {
			t.Errorf("%s: counted %d, %v", name, n.Granted+n.Denied, err)
		}
	}
}

// testFilters asks by verdict and kind, with everything else that a query may say.
func testFilters(t *testing.T, s *suite) {
	kinds := []gatehouse.ReadingKind{gatehouse.FaceReading, gatehouse.CardReading, gatehouse.RemoteReading}
	var all []gatehouse.Passage
	for i := range 24 {
		c := newCommit(here, noon.AddDate(0, 0, -2*i).Add(time.Duration(i)*time.Minute)) // over two months
		c.Passage.Kind, c.Passage.Gate = kinds[i%3], []gatehouse.GateID{"front", "back"}[i/12]
		if i%4 == 0 {
			c = denied(c, gatehouse.Suspended)
		}
		s.commit(sealed(c.Passage))
		all = append(all, c.Passage)
	}
	front := gatehouse.SomeGates("front")
	for _, only := range []gatehouse.Verdict{"", gatehouse.OnlyGranted, gatehouse.OnlyDenied} {
		for _, kind := range append(kinds, "", gatehouse.PINReading) {
			for _, within := range []*gatehouse.Gates{nil, &front} {
				q := gatehouse.PassageQuery{Place: here, Only: only, Kind: kind, Within: within, Limit: 3}
				var got, want []gatehouse.ID
				for _, p := range all { // the newest first
					if q.Has(p) {
						want = append(want, p.ID)
					}
				}
				for {
					page := s.page(q)
					got = append(got, page...)
					if len(page) < q.Limit {
						break
					}
					q.Before = page[len(page)-1]
				}
				if !slices.Equal(got, want) {
					t.Errorf("%q, %q, %v: %d passages, want %d", only, kind, within, len(got), len(want))
				}
			}
		}
	}
}
