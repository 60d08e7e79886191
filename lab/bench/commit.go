package bench

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
	"gatehouse/flow/passage"
	"gatehouse/server"

	"golang.org/x/sync/errgroup"
)

// Commit says what sealing costs.
type Commit struct {
	Sealed float64 `json:"sealed_per_s"`
	Plain  float64 `json:"plain_per_s"`
	Ratio  float64 `json:"ratio"` // sealed ÷ plain
	// Bytes is how much more a sealed passage takes on disk: padding, tags, the
	// subjects' and days' chains, the Merkle log.
	Bytes      float64 `json:"bytes_per_passage_overhead"`
	Passages   int     `json:"passages"` // of each kind
	Subjects   int     `json:"subjects"`
	ImageBytes int     `json:"image_bytes"`
	Gates      int     `json:"gates"` // that commit at the same time
	Rounds     int     `json:"rounds"`
}

// CommitOptions say what to measure.
type CommitOptions struct {
	Passages   int // of each kind
	Subjects   int
	Gates      int
	ImageBytes int
	Dir        string // for the data and the keys; on the disk that is to be measured
	Log        *slog.Logger
}

// commitRounds is how often the two take turns, so that what else the machine does
// hits both.
const commitRounds = 8

// RunCommit measures passages a second through the main path, from the reading to the
// durable commit: once with everything on (chains, sealed pictures, encrypted files, and
// the audit log, which follows as in a server), once with the same rows and pictures
// written as they are through a plain store (plain.go). Both sync each commit and each
// picture to the disk, take turns in one run, and start with nothing. Errors: bench.*,
// and those of what it runs.
func RunCommit(ctx context.Context, o CommitOptions) (Commit, error) {
	if o.Passages < commitRounds || o.Subjects < 1 || o.Gates < 1 || o.ImageBytes < 100 {
		return Commit{}, gatehouse.Errorf("bench.size", fmt.Sprintf("ask for at least %d passages, 1 subject, 1 gate and 100 bytes a picture", commitRounds), "there is nothing to measure")
	}
	dir, err := os.MkdirTemp(o.Dir, "bench-")
	if err != nil {
		return Commit{}, gatehouse.Errorf("bench.dir", "give a folder that can be written", "there is no place for the data: %w", err)
	}
	defer os.RemoveAll(dir)
	sealed, err := openSite(ctx, filepath.Join(dir, "sealed"), o.Log)
	if err != nil {
		return Commit{}, err
	}
	defer sealed.close()
	plain, err := openPlain(ctx, filepath.Join(dir, "plain"))
	if err != nil {
		return Commit{}, err
	}
	defer plain.close()

	cars := newFleet(o.Subjects, o.ImageBytes)
	ports := cars.ports(o.Log)
	log := &followed{wake: make(chan struct{}, 1), site: sealed}
	ports.Sealer, ports.Store, ports.Blobs, ports.Feed = sealed.vault, sealed.store, sealed.blobs, log
	sealedFlow := passage.New(ports)
	ports.Feed = silent{}
	ports.Sealer, ports.Store, ports.Blobs = plain, plain, plain
	plainFlow := passage.New(ports)
	defer func() {
		for _, f := range []*passage.Flow{sealedFlow, plainFlow} {
			_ = f.Close(context.WithoutCancel(ctx))
		}
	}()

	res := Commit{Passages: o.Passages / commitRounds * commitRounds, Subjects: o.Subjects, ImageBytes: o.ImageBytes, Gates: o.Gates, Rounds: commitRounds}
	var took [2]time.Duration
	for round := range commitRounds {
		for i, f := range []*passage.Flow{sealedFlow, plainFlow} {
			n := o.Passages / commitRounds
			pass := func(ctx context.Context) error { return cars.pass(ctx, f, o.Gates, round*n, n) }
			began := time.Now()
			var err error
			if f == sealedFlow {
				err = log.with(ctx, pass)
			} else {
				err = pass(ctx)
			}
			took[i] += time.Since(began)
			if err != nil {
				return Commit{}, err
			}
		}
	}
	res.Sealed = float64(res.Passages) / took[0].Seconds()
	res.Plain = float64(res.Passages) / took[1].Seconds()
	res.Ratio = res.Sealed / res.Plain
	sealed.close()
	plain.close()
	more, err := sizeOf(filepath.Join(dir, "sealed"))
	if err != nil {
		return Commit{}, err
	}
	less, err := sizeOf(filepath.Join(dir, "plain"))
	res.Bytes = float64(more-less) / float64(res.Passages)
	return res, err
}

// followed keeps the audit log up with the passages, as a server does: woken by each.
type followed struct {
	silent
	wake chan struct{}
	site *site
}

// Committed implements passage.Feed.
func (f *followed) Committed(gatehouse.Passage, []gatehouse.Picture) {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// with runs the log beside work, and brings it to its end behind it.
func (f *followed) with(ctx context.Context, work func(context.Context) error) error {
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		follow.Run(running, f.site.store, server.AuditSink(f.site.vault), time.Second, f.wake, func(error) {})
	}()
	err := work(ctx)
	stop()
	<-ended
	if err == nil {
		_, err = follow.CatchUp(ctx, f.site.store, server.AuditSink(f.site.vault))
	}
	return err
}

// fleet is the enrolled vehicles; they come one after the other, as on a morning.
type fleet struct {
	enrolled
	plates  []string
	picture []byte
}

func newFleet(n, imageBytes int) *fleet {
	f := &fleet{enrolled: enrolled{badges: map[gatehouse.SubjectID]gatehouse.Badge{}, plates: map[string]gatehouse.SubjectID{}}, picture: make([]byte, imageBytes)}
	r := rand.NewChaCha8([32]byte{}) // as hard to compress as a JPEG
	_, _ = r.Read(f.picture)
	for i := range n {
		id, plate := gatehouse.RandomID(), fmt.Sprintf("BN%06d", i)
		f.plates = append(f.plates, plate)
		f.enrolled.plates[plate] = id
		f.badges[id] = gatehouse.Badge{Subject: id, Kind: gatehouse.VehicleSubject, Status: gatehouse.Active, Label: "bench",
			Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}
	}
	return f
}

// ports are a lane's, without sealer and stores.
func (f *fleet) ports(log *slog.Logger) passage.Ports {
	lane := gatehouse.Gate{Place: place, ID: laneID, Kind: gatehouse.Lane, Name: "Lane", Direction: gatehouse.In, Region: "any"}
	return passage.Ports{
		Site:    passage.Site{Place: place, Location: time.UTC, Gates: map[gatehouse.GateID]gatehouse.Gate{laneID: lane}, CommitWithin: time.Minute},
		Working: &f.enrolled, Actuator: func(gatehouse.GateID) gatehouse.Actuator { return nil }, Feed: silent{}, Log: log,
	}
}

// pass lets n vehicles through, over as many cameras at the same time.
func (f *fleet) pass(ctx context.Context, flow *passage.Flow, gates, from, n int) error {
	next := make(chan int)
	group, ctx := errgroup.WithContext(ctx)
	for range gates {
		group.Go(func() error {
			for i := range next {
				plate := f.plates[i%len(f.plates)]
				now := time.Now()
				p, _, err := flow.Sight(ctx, gatehouse.Device{Place: place, ID: "camera", Kind: gatehouse.Camera, Gate: laneID}, gatehouse.Sighting{
					Track: uint64(i), Kind: gatehouse.PlateReading, First: now, Last: now, Frames: 5, Final: true,
					Plate: gatehouse.PlateRead{Text: plate, Raw: plate, Region: "any", Confidence: 0.97, Candidates: []gatehouse.PlateCandidate{{Text: plate + "X", Confidence: 0.2}}},
					Box:   gatehouse.Box{X: 100, Y: 200, W: 180, H: 50}, FrameW: 1280, FrameH: 720,
					Pictures: []gatehouse.Picture{{Kind: gatehouse.CropEvidence, JPEG: f.picture, At: now}}}, now)
				if err != nil {
					return err
				}
				if p == nil || !p.Decision.Grant {
					return gatehouse.Errorf("bench.denied", "this is a fault of the program", "a vehicle was not let through")
				}
			}
			return nil
		})
	}
	for i := from; i < from+n; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	return group.Wait()
}

func sizeOf(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		total += info.Size()
		return err
	})
	return total, err
}
