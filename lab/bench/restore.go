package bench

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/flow/backup"
	"gatehouse/server"
	"gatehouse/store/object"
	"gatehouse/vault"
)

// Restore are the figures of a backup and its restore onto a bare machine.
type Restore struct {
	Passages         int     `json:"passages"`
	Images           int     `json:"images"`
	Fill             float64 `json:"fill_s"`
	Backup           float64 `json:"backup_s"`
	BackupBytes      int64   `json:"backup_bytes"`
	Incremental      float64 `json:"incremental_s"` // after another 1,000 passages and 100 images
	IncrementalBytes int64   `json:"incremental_bytes"`
	Restored         float64 `json:"restore_s"`
	Pictures         int     `json:"restored_pictures"`
}

// RestoreOptions say what to measure.
type RestoreOptions struct {
	Passages, Images int
	Dir              string // on the disk that is to be measured
	Log              *slog.Logger
	Progress         func(stage string, done, total int64)
}

// The pictures' size, how many people pass, and over how many days.
const (
	pictureBytes = 60 << 10
	passingBy    = 1000
	spreadOver   = 60 * 24 * time.Hour
)

// RunRestore fills a store with sealed passages and pictures, backs it up to two
// directories, backs it up again after a little more, and restores it.
func RunRestore(ctx context.Context, o RestoreOptions) (Restore, error) {
	if o.Passages < 1 || o.Images < 0 || o.Images > o.Passages {
		return Restore{}, gatehouse.Errorf("bench.size", "ask for 1 or more passages, and no more images than passages", "there is nothing to measure")
	}
	dir, err := os.MkdirTemp(o.Dir, "bench-")
	if err != nil {
		return Restore{}, gatehouse.Errorf("bench.dir", "give a folder that can be written", "there is no place for the data: %w", err)
	}
	defer os.RemoveAll(dir)
	res := Restore{Passages: o.Passages, Images: o.Images}
	from, to := filepath.Join(dir, "backup-data"), filepath.Join(dir, "backup-keys")
	if err := backUpSite(ctx, o, dir, from, to, &res); err != nil {
		return res, err
	}
	c := server.DefaultConfig()
	c.Data, c.GateKey = filepath.Join(dir, "restored"), filepath.Join(dir, "restored.key")
	began := time.Now()
	got, err := server.Restore(ctx, c, server.RestoreOptions{From: from, Keys: to, With: gatehouse.Passphrase([]byte(benchPassphrase)), Log: o.Log,
		Progress: func(p server.BackupProgress) { o.Progress("restore: "+p.Stage, p.Done, p.Total) }})
	res.Restored, res.Pictures = time.Since(began).Seconds(), got.Pictures
	return res, err
}

func backUpSite(ctx context.Context, o RestoreOptions, dir, from, to string, res *Restore) error {
	site, err := openSite(ctx, dir, o.Log)
	if err != nil {
		return err
	}
	defer site.close()
	began := time.Now()
	var mu sync.Mutex
	tellAll := o.Progress
	o.Progress = func(stage string, done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		tellAll(stage, done, total)
	}
	if err := site.fill(ctx, o.Passages, o.Images, o.Progress); err != nil {
		return err
	}
	res.Fill = time.Since(began).Seconds()
	data, err := object.Open(from, nil)
	if err != nil {
		return err
	}
	keys, err := object.Open(to, nil)
	if err != nil {
		return err
	}
	f := backup.New(backup.Ports{Place: place, Data: data, Keys: keys, Files: site.store, Blobs: site.blobs, Vault: site.vault, Verify: vault.VerifyBackup,
		KeyFiles: func() ([]byte, []byte, error) { return vault.KeyFiles(filepath.Join(dir, "data", "vault")) }})
	tell := func(p backup.Progress) { o.Progress("backup: "+p.Stage, p.Done, p.Total) }
	first, err := f.Run(ctx, tell)
	if err != nil {
		return err
	}
	if err := site.fill(ctx, 1000, 100, o.Progress); err != nil {
		return err
	}
	second, err := f.Run(ctx, tell)
	res.Backup, res.BackupBytes, res.Incremental, res.IncrementalBytes = first.Seconds, first.Bytes, second.Seconds, second.Bytes
	return err
}

// fill commits passages of people who come again, spread over the last days, every so
// often with a picture.
func (s *site) fill(ctx context.Context, passages, images int, progress func(string, int64, int64)) error {
	subjects := make([]gatehouse.SubjectID, passingBy)
	for i := range subjects {
		subjects[i] = gatehouse.RandomID()
	}
	picture := make([]byte, pictureBytes)
	if _, err := rand.Read(picture); err != nil {
		return err
	}
	start := time.Now().Add(-spreadOver)
	var next atomic.Int64
	var wait sync.WaitGroup
	failed := make(chan error, 64)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for range cap(failed) {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= passages {
					return
				}
				if i%1000 == 0 {
					progress("passages", int64(i), int64(passages))
				}
				at := start.Add(time.Duration(float64(spreadOver) * float64(i) / float64(passages)))
				withPicture := images > 0 && int64(i)*int64(images)/int64(passages) != int64(i+1)*int64(images)/int64(passages)
				if err := s.pass(ctx, subjects[i%len(subjects)], at, withPicture, picture); err != nil {
					failed <- err
					stop()
					return
				}
			}
		})
	}
	wait.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return ctx.Err()
	}
}

// pass seals and commits one passage as flow/passage does.
func (s *site) pass(ctx context.Context, subject gatehouse.SubjectID, at time.Time, withPicture bool, picture []byte) error {
	p := gatehouse.Passage{Place: place, ID: gatehouse.NewID(at), Gate: doorID, Device: "camera", Direction: gatehouse.In, At: at, Kind: gatehouse.FaceReading,
		Subject: subject, Known: true, Frames: 5, Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted, Rule: "grant"}, Outcome: gatehouse.Pending}
	detail, err := s.vault.Seal(ctx, subject, gatehouse.PassageClass, gatehouse.SealContext{Place: place, Table: "details", Row: p.ID, Field: "detail"}, make([]byte, 150), gatehouse.PadField)
	if err != nil {
		return err
	}
	c := gatehouse.PassageCommit{Passage: p, Detail: detail}
	if withPicture {
		id := gatehouse.RandomID()
		sealed, err := s.vault.Seal(ctx, subject, gatehouse.PassageClass, gatehouse.SealContext{Place: place, Table: "evidence", Row: id, Field: "crop"}, picture, gatehouse.PadImage)
		if err != nil {
			return err
		}
		if err := s.blobs.PutBlob(ctx, id, sealed); err != nil {
			return err
		}
		c.Evidence = []gatehouse.Evidence{{Blob: id, Kind: gatehouse.CropEvidence, Digest: sha256.Sum256(sealed)}}
	}
	c.Leaf = gatehouse.PassageLeaf(p, detail, c.Evidence)
	return s.store.CommitPassage(ctx, c)
}
