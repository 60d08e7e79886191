package storetest

import (
	"bytes"
	"testing"
	"time"

	"gatehouse"
)

func testReplies(t *testing.T, s *suite) {
	r := gatehouse.KeptReply{Place: here, Key: [32]byte{1}, Print: [32]byte{2}, At: noon}
	begin := func(r gatehouse.KeptReply) (gatehouse.KeptReply, bool) {
		t.Helper()
		there, begun, err := s.BeginReply(s.ctx(), r)
		s.must(err)
		return there, begun
	}
	if _, begun := begin(r); !begun {
		t.Fatal("the first one was there already")
	}
	s.reopen() // as after a crash: it was begun, and nothing is known of its end
	again := r
	again.Print, again.At = [32]byte{9}, noon.Add(time.Hour)
	if there, begun := begin(again); begun || there.Status != 0 || there.Print != r.Print || !there.At.Equal(noon) {
		t.Errorf("begun twice: %+v, %t", there, begun)
	}
	r.Status, r.Sealed = 201, []byte("sealed")
	s.must(s.FinishReply(s.ctx(), r))
	s.reopen()
	if there, begun := begin(again); begun || there.Status != 201 || !bytes.Equal(there.Sealed, r.Sealed) || there.Print != r.Print {
		t.Errorf("what was answered: %+v, %t", there, begun)
	}
	s.must(s.ForgetReplies(s.ctx(), other))
	if there, _ := begin(again); there.Status != 201 {
		t.Error("another site's erasure took it")
	}
	defer func() {
		r.Key = [32]byte{7}
		begin(r)
		s.must(s.FinishReply(s.ctx(), r))
		s.must(s.ForgetReplies(s.ctx(), here))
		if there, begun := begin(r); begun || there.Status != 0 || len(there.Sealed) > 0 || there.Print != r.Print {
			t.Errorf("after an erasure: %+v, %t", there, begun)
		}
	}()
	elsewhere := r
	elsewhere.Place = other
	if _, begun := begin(elsewhere); !begun {
		t.Error("another site sees it")
	}
	if _, err := s.DropReplies(s.ctx(), here, noon); err != nil {
		t.Fatal(err)
	}
	if _, begun := begin(r); begun {
		t.Error("dropped before its time")
	}
	if n, err := s.DropReplies(s.ctx(), here, noon.Add(time.Second)); err != nil || n != 1 {
		t.Errorf("dropped %d, %v", n, err)
	}
	if _, begun := begin(r); !begun {
		t.Error("not dropped")
	}
	// One that never ended stays a day longer: who sends it again must hear of it.
	if n, err := s.DropReplies(s.ctx(), here, noon.Add(24*time.Hour)); err != nil || n != 0 {
		t.Errorf("dropped %d that never ended, %v", n, err)
	}
	s.must(s.DropReply(s.ctx(), here, r.Key))
	if _, begun := begin(r); !begun {
		t.Error("it was dropped and is there")
	}
}

// testUntil: only passages before a moment, from any cursor.
func testUntil(t *testing.T, s *suite) {
	var all []gatehouse.ID
	for i := range 6 {
		all = append([]gatehouse.ID{s.commit(newCommit(here, noon.Add(time.Duration(i)*10*time.Hour))).Passage.ID}, all...)
	}
	q := gatehouse.PassageQuery{Place: here, Since: noon.Add(10 * time.Hour), Until: noon.Add(30 * time.Hour), Limit: 1}
	if got := s.page(q); len(got) != 2 || got[0] != all[3] || got[1] != all[4] {
		t.Errorf("of two days: %v, want %v", got, all[3:5])
	}
	q = gatehouse.PassageQuery{Place: here, Until: noon, Limit: 10}
	if got := s.page(q); len(got) != 0 {
		t.Errorf("before the first: %v", got)
	}
}
