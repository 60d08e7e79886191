package sqlite

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// restored makes a second store of snapshots of the first.
func restored(t *testing.T, s *Store) *Store {
	t.Helper()
	dir, keys := t.TempDir(), map[string][32]byte{}
	files, err := s.BackupFiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		keys[file.Name] = sealeddb.NewKey()
		err := s.Snapshot(t.Context(), file.Name, func(snap gatehouse.Snapshot) error {
			return sealeddb.Import(filepath.Join(dir, file.Name), keys[file.Name], snap, snap.Key, snap.Size)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	keys["working.db"] = sealeddb.NewKey()
	return openStore(t, dir, func(file string) ([32]byte, error) { return keys[file], nil })
}

func openStore(t *testing.T, dir string, key func(string) ([32]byte, error)) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func commitOf(subject gatehouse.SubjectID, at time.Time) gatehouse.PassageCommit {
	p := gatehouse.Passage{Place: here, ID: gatehouse.NewID(at), Gate: "g", Device: "d", Direction: gatehouse.In, At: at, Kind: gatehouse.FaceReading,
		Subject: subject, Known: true, Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted}, Outcome: gatehouse.Pending}
	c := gatehouse.PassageCommit{Passage: p, Detail: make([]byte, 500)}
	c.Leaf = gatehouse.PassageLeaf(p, c.Detail, nil)
	return c
}

var here = gatehouse.Place{Org: "acme", Site: "north"}

func TestSnapshotsRestoreAndReplay(t *testing.T) {
	ctx := t.Context()
	s := openStore(t, t.TempDir(), func(file string) ([32]byte, error) { return [32]byte{1: file[0]}, nil })
	gone, stays := gatehouse.RandomID(), gatehouse.RandomID()
	now := time.Now()
	for i := range 20 {
		for _, subject := range []gatehouse.SubjectID{gone, stays} {
			if err := s.CommitPassage(ctx, commitOf(subject, now.AddDate(0, -(i%2), 0))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, id := range []gatehouse.SubjectID{gone, stays} {
		sub := gatehouse.Subject{Place: here, ID: id, Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Enrolled: now, Photos: []gatehouse.Evidence{{Blob: gatehouse.RandomID(), Kind: gatehouse.CropEvidence}}}
		if err := s.PutSubject(ctx, gatehouse.SubjectCommit{Subject: sub, Consents: []gatehouse.Consent{{Place: here, Subject: id, Purpose: gatehouse.FaceAtDoors, Given: now}}, Leaf: []byte("leaf")}); err != nil {
			t.Fatal(err)
		}
		if err := s.PutEscrow(ctx, []gatehouse.EscrowItem{{Place: here, Kind: gatehouse.BadgeItem, Subject: id, Row: id, Sealed: []byte("x")}}); err != nil {
			t.Fatal(err)
		}
	}
	parked := gatehouse.NewID(now)
	for _, err := range []error{
		s.OpenStay(ctx, gatehouse.StayRecord{CarPark: "centre", State: gatehouse.StayOpen, Known: true, Correction: []byte("sealed"), Stay: gatehouse.Stay{Place: here, ID: parked, Subject: gone, Entered: now}}),
		s.PutExit(ctx, gatehouse.StayExit{Place: here, ID: parked, CarPark: "centre", At: now, Subject: gone, Known: true, State: "unpaired"}, nil),
		s.PutParkingItem(ctx, here, gatehouse.ParkingItem{Kind: gatehouse.PassItem, ID: "pass", Subject: gone, Body: []byte("{}"), At: now}, []byte("leaf")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r := restored(t, s)
	if err := r.Check(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.BeginIntent(ctx, gatehouse.Intent{ID: gatehouse.RandomID(), Verb: "enrol", Body: []byte("under a key that is gone")}); err != nil {
		t.Fatal(err)
	}
	removals := []gatehouse.Removal{{Place: here, Subject: gone}, {Place: here, Class: gatehouse.PassageClass, Day: "2026-01-01"},
		{Place: gatehouse.Place{Org: "acme", Site: "south"}, Subject: stays}}
	for range 2 {
		if err := r.Replay(ctx, removals); err != nil {
			t.Fatal(err)
		}
	}
	stay, err1 := r.StayOf(ctx, here, parked)
	exit, err2 := r.ExitOf(ctx, here, parked)
	items, err3 := r.ParkingItems(ctx, here)
	if err := errors.Join(err1, err2, err3); err != nil || stay.Subject == gone || stay.Known || stay.Correction != nil || exit.Subject == gone || exit.Known || len(items) != 0 {
		t.Errorf("the erased vehicle's stay, exit and passes: %+v, %+v, %+v, %v", stay, exit, items, err)
	}
	list, err := r.Passages(ctx, gatehouse.PassageQuery{Place: here, Limit: 1000})
	if err != nil || len(list) != 40 {
		t.Fatalf("%d passages, %v", len(list), err)
	}
	ids := map[gatehouse.SubjectID]int{}
	for _, p := range list {
		ids[p.Subject]++
	}
	if ids[gone] != 0 || ids[stays] != 20 {
		t.Errorf("the erased subject stands in %d passages, the other in %d of 20", ids[gone], ids[stays])
	}
	if _, err := r.Subject(ctx, here, gone); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Errorf("the erased subject is there: %v", err)
	}
	if _, err := r.Subject(ctx, here, stays); err != nil {
		t.Error(err)
	}
	if c, _ := r.Consents(ctx, here, gone); len(c) != 0 {
		t.Error("its consents are there")
	}
	escrow, blobs := 0, 0
	_ = r.Escrow(ctx, func(e gatehouse.EscrowItem) error { escrow++; return nil })
	_ = r.Blobs(ctx, func(gatehouse.BlobID) error { blobs++; return nil })
	if escrow != 1 || blobs != 1 {
		t.Errorf("%d escrow items and %d photos are left, want 1 of each", escrow, blobs)
	}
	if left, _ := r.Intents(ctx); len(left) != 0 {
		t.Error("an intent under a lost gate key is left: no start would get past it")
	}
}

// Nothing changed: the same stamp. Something did: another one.
func TestStamps(t *testing.T) {
	ctx := t.Context()
	s := openStore(t, t.TempDir(), func(file string) ([32]byte, error) { return [32]byte{1: file[0]}, nil })
	stamps := func() map[string]string {
		files, err := s.BackupFiles(ctx)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, f := range files {
			all[f.Name] = f.Stamp
		}
		return all
	}
	c := commitOf(gatehouse.RandomID(), time.Now())
	month, _ := monthOf(c.Passage.ID)
	if err := s.CommitPassage(ctx, c); err != nil {
		t.Fatal(err)
	}
	if err := s.Snapshot(ctx, month, func(snap gatehouse.Snapshot) error { _, err := io.Copy(io.Discard, snap); return err }); err != nil {
		t.Fatal(err)
	}
	before := stamps()
	if _, err := s.Passages(ctx, gatehouse.PassageQuery{Place: here, Limit: 10}); err != nil {
		t.Fatal(err)
	}
	if stamps()[month] != before[month] {
		t.Error("reading changed the stamp")
	}
	if err := s.CommitPassage(ctx, commitOf(gatehouse.RandomID(), time.Now())); err != nil {
		t.Fatal(err)
	}
	if stamps()[month] == before[month] {
		t.Error("a commit did not change the stamp")
	}
}

// A verb that has begun is waited for.
func TestSnapshotWaitsForIntents(t *testing.T) {
	ctx := t.Context()
	s := openStore(t, t.TempDir(), func(file string) ([32]byte, error) { return [32]byte{1: file[0]}, nil })
	id := gatehouse.RandomID()
	if err := s.BeginIntent(ctx, gatehouse.Intent{ID: id, Verb: "enrol", Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	finished := make(chan error, 1)
	time.AfterFunc(50*time.Millisecond, func() { finished <- s.FinishIntent(context.WithoutCancel(ctx), id) })
	r := restored(t, s)
	if left, err := r.Intents(ctx); err != nil || len(left) != 0 {
		t.Errorf("the snapshot was taken in the middle of a verb: %d, %v", len(left), err)
	}
	if err := <-finished; err != nil {
		t.Error(err)
	}
}
