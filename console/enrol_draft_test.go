package console

import (
	"testing"
	"time"

	"gatehouse"
)

// Drafts are forgotten by time, by signing out, and one by one; photos are bounded.
func TestDraftsAreForgotten(t *testing.T) {
	now := time.Now()
	d := newDrafts(func() time.Time { return now })
	begin := func(session string) *draft {
		t.Helper()
		one := &draft{}
		if err := d.begin(session, one); err != nil {
			t.Fatal(err)
		}
		return one
	}
	mine, other := begin("a"), begin("b")
	d.hand("a", gatehouse.SubjectID{1}, "qr")
	if d.of("a", mine.id) == nil || d.of("b", mine.id) != nil || d.handedTo("a", gatehouse.SubjectID{1}) != "qr" || d.handedTo("b", gatehouse.SubjectID{1}) != "" {
		t.Error("a draft is not its session's own")
	}
	if !d.grow(mine, maxDraftBytes) || d.grow(other, 1) {
		t.Error("photos are not bounded")
	}
	d.end("a")
	if d.of("a", mine.id) != nil || d.handedTo("a", gatehouse.SubjectID{1}) != "" || d.of("b", other.id) == nil {
		t.Error("signing out forgets too little, or too much")
	}
	if !d.grow(other, 1) {
		t.Error("what was forgotten still counts")
	}
	now = now.Add(draftFor)
	if d.of("b", other.id) != nil {
		t.Error("time forgets nothing")
	}
	for i := range maxDrafts {
		begin(string(rune('A' + i)))
	}
	if err := d.begin("z", &draft{}); gatehouse.ErrorCode(err) != "enroll.busy" {
		t.Errorf("one too many: %v", err)
	}
}
