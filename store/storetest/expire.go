package storetest

import (
	"testing"
	"time"

	"gatehouse"
)

func testDropContent(t *testing.T, s *suite) {
	heldSubject := gatehouse.RandomID()
	day := noon.Truncate(24 * time.Hour)
	heldDay := day.AddDate(0, -1, 3)
	type made struct {
		gatehouse.PassageCommit
		held bool
	}
	var all []made
	for i := range 700 { // more than go at a time
		c := newCommit(here, noon.AddDate(0, -2, 0).Add(time.Duration(i)*3*time.Hour))
		c.Passage.Known = i%2 == 0
		one := made{c, c.Passage.At.Truncate(24 * time.Hour).Equal(heldDay)}
		if i%10 == 0 {
			one.Passage.Subject, one.held = heldSubject, true
		}
		s.commit(one.PassageCommit)
		all = append(all, one)
	}
	elsewhere := s.commit(newCommit(there, noon.AddDate(0, -2, 0)))
	cut := gatehouse.ContentCut{Place: here, Before: day.AddDate(0, 0, -10), HeldSubjects: []gatehouse.SubjectID{heldSubject}, HeldDays: []time.Time{heldDay}}
	gone := func(m made) bool { return !m.held && m.Passage.At.Before(cut.Before) }
	deleted := map[gatehouse.BlobID]bool{}
	deleteBlobs := func(ids []gatehouse.BlobID) error {
		for _, id := range ids {
			deleted[id] = true
		}
		return nil
	}
	for _, kind := range []gatehouse.ContentKind{gatehouse.StrangerContent, gatehouse.FrameContent, gatehouse.DetailContent} {
		cut.Kind = kind
		n, err := s.DropContent(s.ctx(), cut, deleteBlobs)
		s.must(err)
		again, err := s.DropContent(s.ctx(), cut, deleteBlobs)
		s.must(err)
		if n == 0 || again != 0 {
			t.Errorf("%s: %d were dropped, and %d the second time", kind, n, again)
		}
	}
	s.reopen()
	for _, m := range all {
		got, err := s.Passage(s.ctx(), here, m.Passage.ID)
		s.must(err)
		crop, frame := m.Evidence[0].Blob, m.Evidence[1].Blob
		if (len(got.Detail) == 0) != gone(m) || deleted[frame] != gone(m) || deleted[crop] != (gone(m) && !m.Passage.Known) {
			t.Fatalf("of %v, known %t, held %t: detail %d bytes, crop deleted %t, frame deleted %t", m.Passage.At, m.Passage.Known, m.held, len(got.Detail), deleted[crop], deleted[frame])
		}
		for _, e := range got.Evidence {
			if deleted[e.Blob] {
				t.Fatal("a picture that was deleted is still referred to")
			}
		}
	}
	if got, err := s.Passage(s.ctx(), there, elsewhere.Passage.ID); err != nil || len(got.Detail) == 0 || len(got.Evidence) != 2 {
		t.Error("another site's content was dropped")
	}
	cut.Kind = "everything"
	_, err := s.DropContent(s.ctx(), cut, deleteBlobs)
	s.wantCode(err, "store.invalid")
}

func testDropMonth(t *testing.T, s *suite) {
	old := time.Date(2021, 3, 14, 12, 0, 0, 0, time.UTC)
	first := s.commit(newCommit(here, old))
	second := s.commit(newCommit(here, old.AddDate(0, 1, 0)))
	march := time.Date(2021, 3, 1, 0, 0, 0, 0, time.UTC)
	months, err := s.Months(s.ctx())
	s.must(err)
	if len(months) != 2 || !months[0].Equal(march) || !months[1].Equal(march.AddDate(0, 1, 0)) {
		t.Fatalf("months %v", months)
	}
	position := s.leaves(0)[0].position
	if dropped, err := s.DropMonth(s.ctx(), march, position-1); err != nil || dropped {
		t.Errorf("a month was dropped that the audit log does not have yet (%v)", err)
	}
	if _, err := s.Passage(s.ctx(), here, first.Passage.ID); err != nil {
		t.Error(err)
	}
	if dropped, err := s.DropMonth(s.ctx(), march, position); err != nil || !dropped {
		t.Errorf("dropped %t, %v", dropped, err)
	}
	_, err = s.DropMonth(s.ctx(), march, position)
	s.wantCode(err, "store.not_found")
	_, err = s.DropMonth(s.ctx(), time.Now(), 1<<40)
	s.wantCode(err, "store.invalid")
	_, err = s.Passage(s.ctx(), here, first.Passage.ID)
	s.wantCode(err, "store.not_found")
	s.reopen()
	if all := s.leaves(0); len(all) != 1 || all[0].leaf != string(second.Leaf) {
		t.Errorf("%d leaves are left", len(all))
	}
	s.commit(newCommit(here, old)) // one that comes late makes the month anew
	if got := s.leaves(0); len(got) != 2 {
		t.Errorf("%d leaves, want the second's and the late one's", len(got))
	}
}
