package server

import (
	"context"
	"slices"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
	"gatehouse/flow/erase"
)

// What is erased says how far it is. One that waits for it can be stopped and has erased
// nothing then; one that has begun cannot, and is there for everybody who asks.
func TestAnErasureSaysHowFarItIs(t *testing.T) {
	s := open(t, testConfig(t))
	photo, frames := actor(t, 9)
	ana, ben := enrol(t, s, "B-1", "Ana", photo), enrol(t, s, "B-2", "Ben", nil)
	addDevice(t, s, "cam")
	if all := walk(t, s, "cam", frames); len(all) == 0 || all[0].Subject != ana {
		t.Fatalf("%d passages", len(all))
	}
	rewrite, rewrites, goOn := s.erase.Rewrite, make(chan bool), make(chan bool)
	s.erase.Rewrite = func(ctx context.Context) error {
		close(rewrites)
		<-goOn
		return rewrite(ctx)
	}
	desk, who := erasures{s}, console.Who{Operator: "site/test"}
	begin := func(ctx context.Context, subject gatehouse.SubjectID) (id gatehouse.ID, ended chan error) {
		id, ended = gatehouse.RandomID(), make(chan error, 1)
		go func() { ended <- desk.Erase(ctx, who, id, subject, "asked for it", "") }()
		return id, ended
	}
	ctx, stop := context.WithCancel(t.Context())
	first, ended := begin(ctx, ana)
	<-rewrites
	second, stopped := begin(ctx, ben)
	open := func(want int) map[gatehouse.ID]erase.Progress {
		t.Helper()
		for found := map[gatehouse.ID]erase.Progress{}; ; time.Sleep(time.Millisecond) {
			all, err := desk.Erasing(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			clear(found)
			for _, p := range all {
				found[p.ID] = p
			}
			if len(found) == want && (want == 0 || found[first].Unlinked == found[first].Pictures) {
				return found
			}
		}
	}
	all := open(2)
	if p := all[first]; p.Stage != erase.Rewrites || p.Pictures == 0 || p.Stoppable() || p.Began.IsZero() {
		t.Errorf("the first is at %+v", p)
	}
	if told, err := s.Admin().Erasing(t.Context()); err != nil || len(told.Erasing) != 2 || !slices.ContainsFunc(told.Erasing, func(p wire.Erasing) bool {
		return p.ID == first && p.Stage == "rewrites" && p.Pictures > 0 && p.Unlinked == p.Pictures
	}) {
		t.Errorf("the command line is told %+v, %v", told, err)
	}
	if _, err := s.erase.Certificate(t.Context(), first); gatehouse.ErrorCode(err) != "erase.unfinished" {
		t.Errorf("it has a certificate before it ended: %v", err)
	}
	if p := all[second]; p.Stage != erase.Waits || !p.Stoppable() {
		t.Errorf("the second is at %+v", p)
	}
	stop()
	if err := <-stopped; gatehouse.ErrorCode(err) != "erase.stopped" {
		t.Errorf("the second ended with %v", err)
	}
	if _, known := s.working.Badge(ben); !known {
		t.Error("who was not erased is not known at the gates")
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Errorf("the first, which had begun, ended with %v", err)
	}
	open(0)
	if doc, err := s.erase.Certificate(t.Context(), first); err != nil || doc.Certificate.ID != first || doc.Certificate.Subject != ana {
		t.Errorf("its certificate: %+v, %v", doc, err)
	}
}

// One that the end of the process interrupted is shown as that, and finished by itself.
func TestAnInterruptedErasureIsShown(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	ana := enrol(t, s, "B-1", "Ana", nil)
	s.erase.Rewrite = func(context.Context) error { return gatehouse.Errorf("store.failed", "", "the disk went away") }
	id := gatehouse.RandomID()
	err := erasures{s}.Erase(t.Context(), console.Who{Operator: "site/test"}, id, ana, "asked for it", "")
	if gatehouse.ErrorCode(err) != "erase.unfinished" {
		t.Fatal(err)
	}
	if all, err := s.erase.Open(t.Context()); err != nil || len(all) != 1 || all[0].ID != id || all[0].Stage != erase.Left {
		t.Errorf("%+v, %v", all, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c) // finishes it
	if all, err := s.erase.Open(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if doc, err := s.erase.Certificate(t.Context(), id); err != nil || doc.Certificate.Subject != ana {
		t.Errorf("%+v, %v", doc, err)
	}
}
