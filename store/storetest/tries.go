package storetest

import (
	"testing"
	"time"
)

func testTries(t *testing.T, s *suite) {
	try := func(who byte, after time.Duration) bool {
		t.Helper()
		ok, err := s.Try(s.ctx(), here, [32]byte{who}, noon.Add(after), time.Hour, 3)
		s.must(err)
		return ok
	}
	for i := range 3 {
		if !try(1, time.Duration(i)*time.Minute) {
			t.Fatalf("try %d was refused", i+1)
		}
	}
	s.reopen()
	if try(1, 3*time.Minute) {
		t.Error("a fourth try within the hour, after a restart")
	}
	if !try(2, 3*time.Minute) {
		t.Error("somebody else may not")
	}
	if ok, err := s.Try(s.ctx(), other, [32]byte{1}, noon, time.Hour, 3); err != nil || !ok {
		t.Error("another site counts it", err)
	}
	if !try(1, time.Hour+time.Second) || try(1, time.Hour+2*time.Second) {
		t.Error("after an hour the first, and no other, is forgotten")
	}
}
