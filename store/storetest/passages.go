package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse"
)

func testPassageRoundTrip(t *testing.T, s *suite) {
	plain := newCommit(here, noon)
	empty := sealed(gatehouse.Passage{Place: here, ID: gatehouse.NewID(noon), At: noon, Outcome: gatehouse.NoAction})
	empty.Detail, empty.Evidence = []byte{}, nil
	done := newCommit(here, noon)
	done.Passage.Outcome, done.Passage.OutcomeAt = gatehouse.Passed, noon.Add(2*time.Second)
	// A time in another zone comes back as the same moment, in UTC.
	zoned := newCommit(here, noon.In(time.FixedZone("CST", 8*3600)))
	for _, c := range []gatehouse.PassageCommit{plain, empty, done, zoned} {
		s.commit(c)
	}
	for range 2 {
		for _, c := range []gatehouse.PassageCommit{plain, empty, done, zoned} {
			got, err := s.Passage(s.ctx(), here, c.Passage.ID)
			s.must(err)
			want := gatehouse.StoredPassage{Passage: c.Passage, Detail: c.Detail, Evidence: c.Evidence}
			want.Passage.At = want.Passage.At.UTC()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("stored passage differs (-want +got):\n%s", diff)
			}
		}
		s.reopen() // and once more from the disk
	}
}

func testPassageIdempotent(t *testing.T, s *suite) {
	c := s.commit(newCommit(here, noon))
	again := c
	again.Detail = noise(4096)
	again.Passage.Gate = "other"
	again.Leaf = gatehouse.PassageLeaf(again.Passage, again.Detail, again.Evidence)
	s.commit(again)
	s.reopen()
	s.commit(again)
	got, err := s.Passage(s.ctx(), here, c.Passage.ID)
	s.must(err)
	if got.Passage.Gate != c.Passage.Gate || !slices.Equal(got.Detail, c.Detail) || len(got.Evidence) != 2 {
		t.Error("a second commit of the same id changed the passage")
	}
	if all := s.leaves(0); len(all) != 1 {
		t.Errorf("%d leaves for one passage", len(all))
	}
}

func testPassageRefused(t *testing.T, s *suite) {
	for name, spoil := range map[string]func(*gatehouse.PassageCommit){
		"no leaf":              func(c *gatehouse.PassageCommit) { c.Leaf = nil },
		"no site":              func(c *gatehouse.PassageCommit) { c.Passage.Site = "" },
		"no id":                func(c *gatehouse.PassageCommit) { c.Passage.ID = gatehouse.ID{} },
		"an id of another day": func(c *gatehouse.PassageCommit) { c.Passage.At = noon.AddDate(0, 0, 3) },
	} {
		c := newCommit(here, noon)
		spoil(&c)
		err := s.CommitPassage(s.ctx(), c)
		if gatehouse.ErrorCode(err) != "store.invalid" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if all := s.leaves(0); len(all) != 0 {
		t.Errorf("%d leaves of refused passages", len(all))
	}
	for _, limit := range []int{-1, 0, 1001} {
		_, err := s.Passages(s.ctx(), gatehouse.PassageQuery{Place: here, Limit: limit})
		s.wantCode(err, "store.invalid")
	}
}

// page collects everything that a query finds, limit at a time.
func (s *suite) page(q gatehouse.PassageQuery) (ids []gatehouse.ID) {
	s.Helper()
	for {
		got, err := s.Passages(s.ctx(), q)
		s.must(err)
		for _, p := range got {
			ids = append(ids, p.ID)
		}
		if len(got) < q.Limit {
			return ids
		}
		q.Before = got[len(got)-1].ID
	}
}

func testPassagePages(t *testing.T, s *suite) {
	if got := s.page(gatehouse.PassageQuery{Place: here, Limit: 10}); len(got) != 0 {
		t.Errorf("%d passages in an empty store", len(got))
	}
	var all, lane []gatehouse.ID
	for i := range 25 {
		c := newCommit(here, noon.Add(time.Duration(i)*time.Minute))
		if i%5 == 0 {
			c.Passage.Gate = "lane"
			lane = append(lane, c.Passage.ID)
		}
		s.commit(c)
		all = append(all, c.Passage.ID)
	}
	slices.Reverse(all)
	slices.Reverse(lane)
	for _, limit := range []int{1, 7, 25, 1000} {
		if diff := cmp.Diff(all, s.page(gatehouse.PassageQuery{Place: here, Limit: limit})); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
	if diff := cmp.Diff(lane, s.page(gatehouse.PassageQuery{Place: here, Gate: "lane", Limit: 2})); diff != "" {
		t.Errorf("one gate (-want +got):\n%s", diff)
	}
	since := gatehouse.PassageQuery{Place: here, Since: noon.Add(20 * time.Minute), Limit: 2}
	if diff := cmp.Diff(all[:5], s.page(since)); diff != "" {
		t.Errorf("since (-want +got):\n%s", diff)
	}
	since.Gate = "lane"
	if diff := cmp.Diff(lane[:1], s.page(since)); diff != "" {
		t.Errorf("since at one gate (-want +got):\n%s", diff)
	}
}

func testPassageMonths(t *testing.T, s *suite) {
	var all []gatehouse.ID
	for _, at := range []time.Time{
		time.Date(2025, 12, 31, 23, 59, 59, 999e6, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC),
		// March passes without a passage.
		time.Date(2026, 4, 1, 0, 0, 0, 0, time.FixedZone("CST", 8*3600)), // still March in UTC
		time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC),
	} {
		all = append(all, s.commit(newCommit(here, at)).Passage.ID)
	}
	slices.Reverse(all)
	for range 2 {
		for _, limit := range []int{1, 2, 3, 100} {
			if diff := cmp.Diff(all, s.page(gatehouse.PassageQuery{Place: here, Limit: limit})); diff != "" {
				t.Errorf("limit %d (-want +got):\n%s", limit, diff)
			}
		}
		since := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		if diff := cmp.Diff(all[:5], s.page(gatehouse.PassageQuery{Place: here, Since: since, Limit: 2})); diff != "" {
			t.Errorf("since (-want +got):\n%s", diff)
		}
		counts, err := s.CountPassages(s.ctx(), here, since, time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC), gatehouse.AllGates())
		s.must(err)
		if counts.Granted != 3 {
			t.Errorf("%d passages counted over months, want 3", counts.Granted)
		}
		if got := len(s.leaves(0)); got != len(all) {
			t.Errorf("%d leaves over months, want %d", got, len(all))
		}
		s.reopen()
	}
	// At may lie on the other side of the month's end from the id.
	c := newCommit(here, time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))
	c.Passage.At = c.Passage.At.Add(-time.Second)
	s.commit(c)
	counts, err := s.CountPassages(s.ctx(), here, time.Date(2026, 4, 30, 0, 0, 0, 0, time.UTC), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), gatehouse.AllGates())
	s.must(err)
	if counts.Granted != 1 {
		t.Errorf("%d passages counted for the last day of April, want 1", counts.Granted)
	}
}

func testOutcome(t *testing.T, s *suite) {
	outcome := func(c gatehouse.PassageCommit, o gatehouse.Outcome, after time.Duration) gatehouse.PassageOutcome {
		out := gatehouse.PassageOutcome{Place: c.Passage.Place, ID: c.Passage.ID, Outcome: o, At: noon.Add(after)}
		out.Leaf = gatehouse.OutcomeLeaf(out)
		return out
	}
	for _, c := range []struct {
		name    string
		initial gatehouse.Outcome
		then    []gatehouse.Outcome
		want    gatehouse.Outcome
		at      time.Duration
		leaves  int // of outcomes
	}{
		{"passed", gatehouse.Pending, []gatehouse.Outcome{gatehouse.Passed}, gatehouse.Passed, time.Second, 1},
		{"the first counts", gatehouse.Pending, []gatehouse.Outcome{gatehouse.Unconfirmed, gatehouse.Passed}, gatehouse.Unconfirmed, time.Second, 1},
		{"the same twice", gatehouse.Pending, []gatehouse.Outcome{gatehouse.Passed, gatehouse.Passed}, gatehouse.Passed, time.Second, 1},
		{"pending is no outcome", gatehouse.Pending, []gatehouse.Outcome{gatehouse.Pending, gatehouse.Unreachable}, gatehouse.Unreachable, 2 * time.Second, 1},
		{"a denied passage has none", gatehouse.NoAction, []gatehouse.Outcome{gatehouse.Passed}, gatehouse.NoAction, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(s.leaves(0))
			commit := newCommit(here, noon)
			commit.Passage.Outcome = c.initial
			s.commit(commit)
			for i, o := range c.then {
				s.must(s.CommitOutcome(s.ctx(), outcome(commit, o, time.Duration(i+1)*time.Second)))
			}
			s.reopen()
			got, err := s.Passage(s.ctx(), here, commit.Passage.ID)
			s.must(err)
			if got.Passage.Outcome != c.want {
				t.Errorf("outcome %q, want %q", got.Passage.Outcome, c.want)
			}
			at := time.Time{}
			if c.at > 0 {
				at = noon.Add(c.at)
			}
			if !got.Passage.OutcomeAt.Equal(at) {
				t.Errorf("outcome at %v, want %v", got.Passage.OutcomeAt, at)
			}
			if leaves := len(s.leaves(0)) - before - 1; leaves != c.leaves {
				t.Errorf("%d outcome leaves, want %d", leaves, c.leaves)
			}
		})
	}
}

func testNoPassage(_ *testing.T, s *suite) {
	s.commit(newCommit(here, noon))
	for _, id := range []gatehouse.ID{{}, gatehouse.NewID(noon), gatehouse.NewID(noon.AddDate(-3, 0, 0)), gatehouse.RandomID()} {
		_, err := s.Passage(s.ctx(), here, id)
		s.wantCode(err, "store.not_found")
		o := gatehouse.PassageOutcome{Place: here, ID: id, Outcome: gatehouse.Passed, At: noon}
		o.Leaf = gatehouse.OutcomeLeaf(o)
		s.wantCode(s.CommitOutcome(s.ctx(), o), "store.not_found")
	}
}

func testCounts(t *testing.T, s *suite) {
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for i, at := range []time.Time{day.Add(-time.Microsecond), day, day.Add(time.Hour), day.Add(24*time.Hour - time.Microsecond), day.Add(24 * time.Hour)} {
		s.commit(newCommit(here, at))
		s.commit(denied(newCommit(here, at), gatehouse.Unknown))
		if i == 1 {
			s.commit(denied(newCommit(here, at), gatehouse.NotLive))
		}
	}
	got, err := s.CountPassages(s.ctx(), here, day, day.Add(24*time.Hour), gatehouse.AllGates())
	s.must(err)
	want := gatehouse.PassageCounts{Granted: 3, Denied: 4,
		ByReason: map[gatehouse.Reason]int{gatehouse.Granted: 3, gatehouse.Unknown: 3, gatehouse.NotLive: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	got, err = s.CountPassages(s.ctx(), here, day.AddDate(1, 0, 0), day.AddDate(1, 0, 1), gatehouse.AllGates())
	s.must(err)
	if got.Granted != 0 || got.Denied != 0 || got.ByReason == nil {
		t.Errorf("counts of a day without passages: %+v", got)
	}
}
