package server

import (
	"bytes"
	"crypto/sha256"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// BenchmarkErase erases somebody with 10,000 passages, each with a sealed detail and a
// picture on disk, among 20,000 of two months: keys, working set, pictures, ids in
// metadata, fresh file keys and the certificate.
func BenchmarkErase(b *testing.B) {
	c := DefaultConfig()
	c.Data, c.GateKey, c.LogLevel = filepath.Join(b.TempDir(), "data"), filepath.Join(b.TempDir(), "gate.key"), "error"
	s, err := Open(b.Context(), c, Options{NewPassphrase: []byte(passphrase)})
	if err != nil {
		b.Skip(err)
	}
	defer s.Close(b.Context())
	for b.Loop() {
		b.StopTimer()
		var ids [2]gatehouse.SubjectID
		for i := range ids {
			answer, err := s.Admin().EnrollPerson(b.Context(), wire.EnrollPersonRequest{Label: "B", Card: gatehouse.RandomID().String(), Record: gatehouse.PersonRecord{Name: "Ana"}})
			if err != nil {
				b.Fatal(err)
			}
			ids[i] = answer.Subject
		}
		fillFor(b, s, ids)
		b.StartTimer()
		got, err := s.Admin().Erase(b.Context(), wire.EraseRequest{Subject: ids[0]})
		if err != nil || got.Certificate.Passages != 10_000 {
			b.Fatal(got.Certificate, err)
		}
	}
}

// fillFor commits 20,000 passages, the subjects' in turn.
func fillFor(b *testing.B, s *Server, ids [2]gatehouse.SubjectID) {
	b.Helper()
	start := time.Now().AddDate(0, -1, 0)
	var next atomic.Int64
	var wg sync.WaitGroup
	commit := func(i int) error {
		at := start.Add(time.Duration(i) * 2 * time.Minute)
		p := gatehouse.Passage{Place: s.Place(), ID: gatehouse.NewID(at), Gate: "front-door", Device: "reader", Direction: gatehouse.In, At: at, Kind: gatehouse.FaceReading,
			Subject: ids[i%2], Known: true, Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted, Rule: "bench"}, Outcome: gatehouse.Passed}
		where := gatehouse.SealContext{Place: p.Place, Table: "passages", Row: p.ID, Field: "detail"}
		detail, err := s.vault.Seal(b.Context(), p.Subject, gatehouse.PassageClass, where, bytes.Repeat([]byte{1}, 200), gatehouse.PadField)
		if err != nil {
			return err
		}
		blob := gatehouse.RandomID()
		where = gatehouse.SealContext{Place: p.Place, Table: "evidence", Row: blob, Field: "crop"}
		sealed, err := s.vault.Seal(b.Context(), p.Subject, gatehouse.PassageClass, where, bytes.Repeat([]byte{1}, 20<<10), gatehouse.PadImage)
		if err != nil {
			return err
		}
		if err := s.blobs.PutBlob(b.Context(), blob, sealed); err != nil {
			return err
		}
		evidence := []gatehouse.Evidence{{Blob: blob, Kind: gatehouse.CropEvidence, Digest: sha256.Sum256(sealed)}}
		return s.store.CommitPassage(b.Context(), gatehouse.PassageCommit{Passage: p, Detail: detail, Evidence: evidence, Leaf: gatehouse.PassageLeaf(p, detail, evidence)})
	}
	for range 32 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < 20_000; i = int(next.Add(1)) - 1 {
				if err := commit(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
