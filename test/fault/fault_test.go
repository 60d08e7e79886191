// Package fault_test takes the store's and a whole site's processes and disks away in
// the middle of their work and proves that nothing that was acknowledged is lost and
// nothing is half-written.
package fault_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/internal/child/childtest"
	"gatehouse/store/blob"
	"gatehouse/store/sqlite"
	"gatehouse/vault"
	"gatehouse/vision/worker"
)

var (
	here  = gatehouse.Place{Org: "acme", Site: "north"}
	start = time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC)
)

// childEnv tells the test binary that it is the process that will be killed.
const childEnv = "GATEHOUSE_FAULT_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		work := commitForever
		if os.Getenv(rekeyEnv) != "" {
			work = rekeyForever
		}
		if err := work(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	childtest.Main(m, map[string]func(context.Context) error{"__vault": vault.RunChild, worker.ChildArg: runVision, siteChild: runSite})
}

// fileKeys are the keys of the store's files by name; they travel to the child on
// its standard input.
type fileKeys map[string][]byte

func newKeys() fileKeys {
	keys := fileKeys{}
	for _, file := range []string{"site.db", "working.db", "books.db", "2026-11.db", "2026-12.db"} {
		keys[file] = make([]byte, 32)
		if _, err := rand.Read(keys[file]); err != nil {
			panic(err)
		}
	}
	return keys
}

func (k fileKeys) key(file string) ([32]byte, error) {
	if len(k[file]) != 32 {
		return [32]byte{}, fmt.Errorf("no key for %s", file)
	}
	return [32]byte(k[file]), nil
}

// stores are what a server keeps its passages in.
type stores struct {
	*sqlite.Store
	blobs *blob.Directory
}

func openStores(ctx context.Context, dir, blobs string, keys fileKeys) (*stores, error) {
	s, err := sqlite.Open(ctx, sqlite.Options{Dir: dir, Key: keys.key, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	b, err := blob.Open(blobs)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &stores{s, b}, nil
}

// commitOne puts a blob and commits a passage that refers to it.
func (s *stores) commitOne(ctx context.Context, at time.Time) (gatehouse.ID, error) {
	picture, detail := make([]byte, 2048), make([]byte, 4096)
	_, _ = rand.Read(picture)
	_, _ = rand.Read(detail)
	e := gatehouse.Evidence{Blob: gatehouse.RandomID(), Kind: gatehouse.CropEvidence, Digest: sha256.Sum256(picture)}
	if err := s.blobs.PutBlob(ctx, e.Blob, picture); err != nil {
		return gatehouse.ID{}, err
	}
	p := gatehouse.Passage{Place: here, ID: gatehouse.NewID(at), Gate: "front-door", Device: "camera-1", At: at, Kind: gatehouse.FaceReading,
		Subject: gatehouse.RandomID(), Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted}, Outcome: gatehouse.Pending}
	evidence := []gatehouse.Evidence{e}
	return p.ID, s.CommitPassage(ctx, gatehouse.PassageCommit{Passage: p, Detail: detail, Evidence: evidence,
		Leaf: gatehouse.PassageLeaf(p, detail, evidence)})
}

func (s *stores) confirm(ctx context.Context, id gatehouse.ID) error {
	o := gatehouse.PassageOutcome{Place: here, ID: id, Outcome: gatehouse.Passed, At: id.Time().Add(time.Second)}
	o.Leaf = gatehouse.OutcomeLeaf(o)
	return s.CommitOutcome(ctx, o)
}

// passages reads all that are there, whole.
func (s *stores) passages(t *testing.T) map[gatehouse.ID]gatehouse.StoredPassage {
	t.Helper()
	all := map[gatehouse.ID]gatehouse.StoredPassage{}
	q := gatehouse.PassageQuery{Place: here, Limit: 1000}
	for {
		page, err := s.Passages(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page {
			if all[p.ID], err = s.Passage(t.Context(), here, p.ID); err != nil {
				t.Fatalf("a passage that is listed cannot be read: %v", err)
			}
		}
		if len(page) < q.Limit {
			return all
		}
		q.Before = page[len(page)-1].ID
	}
}

// verify proves that the files hold together, that every passage is whole, and that
// everything acknowledged is there.
func (s *stores) verify(t *testing.T, acknowledged []ack) {
	t.Helper()
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	leaves := map[string]int{}
	last := uint64(0)
	err := s.Leaves(t.Context(), 0, func(position uint64, leaf []byte) error {
		if position <= last {
			t.Errorf("leaf %d behind %d", position, last)
		}
		last = position
		leaves[string(leaf)]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all := s.passages(t)
	confirmed := 0
	for id, p := range all {
		if len(p.Detail) != 4096 || len(p.Evidence) != 1 {
			t.Errorf("passage %v is half-written", id)
			continue
		}
		if n := leaves[string(gatehouse.PassageLeaf(p.Passage, p.Detail, p.Evidence))]; n != 1 {
			t.Errorf("passage %v has %d leaves that fit it", id, n)
		}
		picture, err := s.blobs.Blob(t.Context(), p.Evidence[0].Blob)
		if err != nil || sha256.Sum256(picture) != p.Evidence[0].Digest {
			t.Errorf("the evidence of passage %v is not what it was: %v", id, err)
		}
		if p.Passage.Outcome == gatehouse.Passed {
			confirmed++
		}
	}
	if len(leaves) != len(all)+confirmed {
		t.Errorf("%d leaves for %d passages and %d outcomes", len(leaves), len(all), confirmed)
	}
	for _, a := range acknowledged {
		p, ok := all[a.ID]
		if !ok {
			t.Errorf("passage %v was acknowledged and is lost", a.ID)
		} else if a.Confirmed && p.Passage.Outcome != gatehouse.Passed {
			t.Errorf("the outcome of passage %v was acknowledged and is lost", a.ID)
		}
	}
}

// ack is one line that the child prints when a commit has returned.
type ack struct {
	ID        gatehouse.ID
	Confirmed bool
}

// commitForever is the child: several gates that commit and confirm, over the end
// of a month, and print what was acknowledged.
func commitForever(dir string) error {
	var keys fileKeys
	if err := json.NewDecoder(os.Stdin).Decode(&keys); err != nil {
		return err
	}
	ctx := context.Background()
	s, err := openStores(ctx, dir, filepath.Join(dir, "blobs"), keys)
	if err != nil {
		return err
	}
	// Nobody reads on: the parent is gone, and so is the need for this process.
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); os.Exit(1) }()
	failed := make(chan error)
	for gate := range 4 {
		go func() {
			for i := 0; ; i++ {
				id, err := s.commitOne(ctx, start.Add(time.Duration(i)*10*time.Second))
				if err == nil {
					err = acknowledge(ack{ID: id})
				}
				if err == nil && gate%2 == 0 {
					if err = s.confirm(ctx, id); err == nil {
						err = acknowledge(ack{ID: id, Confirmed: true})
					}
				}
				if err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

// acknowledge writes one line with one system call, so that what was acknowledged
// before the kill is in the pipe.
func acknowledge(a ack) error {
	line, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(line, '\n'))
	return err
}
