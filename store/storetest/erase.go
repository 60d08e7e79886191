package storetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

func (s *suite) blobsOf(id gatehouse.SubjectID) (all []gatehouse.BlobID) {
	s.Helper()
	s.must(s.SubjectBlobs(s.ctx(), here, id, func(b gatehouse.BlobID) error { all = append(all, b); return nil }))
	return all
}

func sortIDs(ids []gatehouse.ID) []gatehouse.ID {
	slices.SortFunc(ids, func(a, b gatehouse.ID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

// testReplaceSubject erases somebody with passages in three months.
func testReplaceSubject(t *testing.T, s *suite) {
	gone, stays := newSubject(here), newSubject(here)
	elsewhere := newSubject(there)
	elsewhere.Subject.ID, elsewhere.Consents[0].Subject = gone.Subject.ID, gone.Subject.ID
	for _, c := range []gatehouse.SubjectCommit{gone, stays, elsewhere} {
		s.must(s.PutSubject(s.ctx(), c))
	}
	old, fresh := gone.Subject.ID, gatehouse.RandomID()
	wantBlobs := []gatehouse.BlobID{gone.Subject.Photos[0].Blob}
	var its, others []gatehouse.ID
	for month := range 3 {
		for i := range 4 {
			c := newCommit(here, noon.AddDate(0, -month, 0).Add(time.Duration(i)*time.Minute))
			c.Passage.Subject = old
			if i == 3 {
				c.Passage.Subject = stays.Subject.ID
			}
			s.commit(c)
			if i == 3 {
				others = append(others, c.Passage.ID)
				continue
			}
			its = append(its, c.Passage.ID)
			for _, e := range c.Evidence {
				wantBlobs = append(wantBlobs, e.Blob)
			}
		}
	}
	if traces, err := s.SubjectTraces(s.ctx(), here, old); err != nil || traces.Passages != len(its) || !traces.Enrolled || !traces.Last.Equal(noon.Add(2*time.Minute)) {
		t.Errorf("%+v, %v", traces, err)
	}
	var latest []gatehouse.ID
	s.must(s.SubjectPassages(s.ctx(), here, old, noon.Add(time.Minute), func(id gatehouse.ID, pictures []gatehouse.BlobID) error {
		if latest = append(latest, id); len(pictures) != 2 {
			t.Errorf("a passage has %d pictures", len(pictures))
		}
		return nil
	}))
	if !slices.Equal(sortIDs(latest), sortIDs(slices.Clone(its[1:3]))) {
		t.Errorf("%d passages since a minute past noon, want 2", len(latest))
	}
	for span, want := range map[time.Duration]bool{time.Hour: true, time.Second: false} {
		if seen, err := s.SubjectSeen(s.ctx(), here, old, noon.AddDate(0, -1, 0).Add(-span), noon.AddDate(0, -1, 0).Add(-span+time.Hour)); err != nil || seen != !want {
			t.Errorf("seen from %v before: %t, %v", span, seen, err)
		}
	}
	if got := sortIDs(s.blobsOf(old)); !slices.Equal(got, sortIDs(wantBlobs)) {
		t.Errorf("%d pictures are the subject's, want %d", len(got), len(wantBlobs))
	}
	leavesBefore := len(s.leaves(0))
	n, err := s.ReplaceSubject(s.ctx(), here, old, fresh, []byte("leaf"))
	s.must(err)
	again, err := s.ReplaceSubject(s.ctx(), here, old, fresh, []byte("leaf"))
	s.must(err)
	if n != len(its) || again != 0 {
		t.Errorf("%d passages and, repeated, %d; want %d and none", n, again, len(its))
	}
	s.reopen()
	if got := len(s.leaves(0)); got != leavesBefore+1 {
		t.Errorf("%d leaves were added, want 1", got-leavesBefore)
	}
	for _, id := range its {
		stored, err := s.Passage(s.ctx(), here, id)
		s.must(err)
		if stored.Passage.Subject != fresh || len(stored.Detail) != 4096 {
			t.Errorf("a passage has subject %s and %d bytes of detail", stored.Passage.Subject, len(stored.Detail))
		}
	}
	for _, id := range others {
		stored, err := s.Passage(s.ctx(), here, id)
		s.must(err)
		if stored.Passage.Subject != stays.Subject.ID || len(stored.Detail) == 0 || len(stored.Evidence) != 2 {
			t.Error("somebody else's passage was changed")
		}
	}
	_, err = s.Subject(s.ctx(), here, old)
	s.wantCode(err, "store.not_found")
	tomb, err := s.Subject(s.ctx(), here, fresh)
	s.must(err)
	if tomb.Status != gatehouse.ErasedStatus || len(tomb.Record) != 0 || len(tomb.Photos) != 0 || !tomb.Enrolled.Equal(noon) {
		t.Errorf("the tombstone is %+v", tomb)
	}
	consents, err := s.Consents(s.ctx(), here, fresh)
	s.must(err)
	if len(consents) != 1 || consents[0].Reference != nil || !consents[0].Given.Equal(noon) {
		t.Errorf("the consents are %+v", consents)
	}
	if left, err := s.Consents(s.ctx(), here, old); err != nil || len(left) != 0 {
		t.Errorf("%d consents under the old id (%v)", len(left), err)
	}
	listed, err := s.Subjects(s.ctx(), here, gatehouse.SubjectID{}, 10)
	s.must(err)
	if len(listed) != 1 || listed[0].ID != stays.Subject.ID {
		t.Errorf("%d subjects are listed, want the one who stays", len(listed))
	}
	if other, err := s.Subject(s.ctx(), there, old); err != nil || len(other.Record) == 0 {
		t.Errorf("another site's subject was touched (%v)", err)
	}
	if traces, err := s.SubjectTraces(s.ctx(), here, old); err != nil || traces != (gatehouse.SubjectTraces{}) {
		t.Errorf("%+v is left, %v", traces, err)
	}
	_, err = s.ReplaceSubject(s.ctx(), here, gatehouse.SubjectID{}, fresh, []byte("leaf"))
	s.wantCode(err, "store.invalid")
	_, err = s.ReplaceSubject(s.ctx(), here, fresh, fresh, []byte("leaf"))
	s.wantCode(err, "store.invalid")
}

// testReplaceOnItsWay commits for a subject while it is erased.
func testReplaceOnItsWay(t *testing.T, s *suite) {
	old, fresh := gatehouse.RandomID(), gatehouse.RandomID()
	var wg sync.WaitGroup
	half := make(chan struct{})
	const each = 30
	for g := range 4 {
		wg.Go(func() {
			for i := range each {
				c := newCommit(here, noon.Add(time.Duration(i)*time.Second))
				c.Passage.Subject = old
				if err := s.CommitPassage(s.ctx(), c); err != nil {
					t.Error(err)
				}
				if g == 0 && i == each/2 {
					close(half)
				}
			}
		})
	}
	<-half
	_, err := s.ReplaceSubject(s.ctx(), here, old, fresh, []byte("leaf"))
	s.must(err)
	wg.Wait()
	left, err := s.SubjectTraces(s.ctx(), here, old)
	s.must(err)
	moved, err := s.SubjectTraces(s.ctx(), here, fresh)
	s.must(err)
	if left.Passages != 0 || moved.Passages != 4*each {
		t.Errorf("%d passages have the old id and %d the new one, want all %d", left.Passages, moved.Passages, 4*each)
	}
}
