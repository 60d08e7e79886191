package bench

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"gatehouse"
	"gatehouse/flow/passage"
	"gatehouse/gallery"
	"gatehouse/vision/face"
	"gatehouse/vision/models"
	"gatehouse/vision/track"
)

// Path are the figures of the main path.
type Path struct {
	Gallery  int     `json:"gallery"`
	Captures int     `json:"captures"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	PerS     float64 `json:"captures_per_s"`
	Granted  int     `json:"granted"` // of the captures: those that a door would have opened for
	Stages   Stages  `json:"stages_p50_ms"`
}

// Stages are the parts of the path: vision (over the socket to the child and back,
// liveness and pictures included), and match, decision, sealing and commit.
type Stages struct {
	Vision float64 `json:"vision"`
	Commit float64 `json:"commit"`
}

// PathOptions say what to measure.
type PathOptions struct {
	Gallery  int // enrolled people
	Captures int
	Eyes     gatehouse.Eyes
	Dir      string // for the data and the keys; on the disk that is to be measured
	Log      *slog.Logger
}

// warmup is how many captures come before those that are measured.
const warmup = 10

// RunPath measures from a decoded frame (1280×720, 4:2:0, as a camera's stream
// gives it, with one face) to the committed decision: detection, template,
// liveness, pictures, 1:N match, rules, sealing, commit to the encrypted store.
// Every capture is a passage of its own: liveness is judged on it alone, so that
// each pays for everything. Errors: bench.*, and those of what it runs.
func RunPath(ctx context.Context, o PathOptions) (Path, error) {
	if o.Gallery < 1 || o.Captures < 1 {
		return Path{}, gatehouse.Errorf("bench.size", "ask for 1 or more", "there is nothing to measure")
	}
	people, err := portraits(ctx, o.Eyes, min(o.Gallery, 40))
	if err != nil {
		return Path{}, err
	}
	dir, err := os.MkdirTemp(o.Dir, "bench-")
	if err != nil {
		return Path{}, gatehouse.Errorf("bench.dir", "give a folder that can be written", "there is no place for the data: %w", err)
	}
	defer os.RemoveAll(dir)
	site, err := openSite(ctx, dir, o.Log)
	if err != nil {
		return Path{}, err
	}
	defer site.close()

	enrolled := enrol(people, o.Gallery)
	flow := passage.New(site.ports(enrolled))
	defer func() { _ = flow.Close(context.WithoutCancel(ctx)) }()

	device := gatehouse.Device{Place: place, ID: "camera", Kind: gatehouse.Camera, Gate: doorID}
	look := gatehouse.Look{Faces: true, Templates: true, Live: true, Crops: true}
	res := Path{Gallery: o.Gallery, Captures: o.Captures}
	var total, vision, commit []float64
	var lastStill time.Time
	for i := range warmup + o.Captures {
		frame := scene(people[i%len(people)].picture)
		// A tracker of its own makes every capture a passage; one frame is enough.
		tracker := track.New(track.Options{LiveFrames: 1, JudgeLive: face.JudgeLiveness, LiveThreshold: models.LiveThreshold})
		received := time.Now()
		// As the server does: the whole picture goes to the memory ring once a second.
		if look.Still = received.Sub(lastStill) >= time.Second; look.Still {
			lastStill = received
		}
		obs, err := o.Eyes.See(ctx, frame, look)
		if err != nil {
			return Path{}, err
		}
		seen := time.Now()
		var p *gatehouse.Passage
		for _, s := range append(tracker.Add(received, obs), tracker.Tick(received.Add(time.Minute))...) {
			if p, _, err = flow.Sight(ctx, device, s, received); err != nil {
				return Path{}, err
			}
			if p != nil {
				break
			}
		}
		done := time.Now()
		if i < warmup {
			continue
		}
		if p != nil && p.Decision.Grant {
			res.Granted++
		}
		total = append(total, float64(done.Sub(received).Microseconds())/1000)
		vision = append(vision, float64(seen.Sub(received).Microseconds())/1000)
		commit = append(commit, float64(done.Sub(seen).Microseconds())/1000)
	}
	var busy float64
	for _, ms := range total {
		busy += ms / 1000
	}
	res.PerS = float64(o.Captures) / busy
	res.P50, res.P99 = percentile(total, 0.50), percentile(total, 0.99)
	res.Stages = Stages{percentile(vision, 0.50), percentile(commit, 0.50)}
	return res, nil
}

// enrol makes a gallery of n people: those of the portraits, and others made of
// their templates, far enough away not to be taken for them.
func enrol(people []portrait, n int) *enrolled {
	e := &enrolled{gallery: gallery.New(len(people[0].template)), badges: map[gatehouse.SubjectID]gatehouse.Badge{}}
	e.gallery.Rotate(place, benchSeed)
	var real [][]float32
	for _, p := range people {
		real = append(real, p.template)
	}
	others := crowd(rand.New(rand.NewPCG(1, 2)), real, n, 3)
	for i := range n {
		t := others[i]
		if i < len(people) {
			t = people[i].template
		}
		id := gatehouse.RandomID()
		e.badges[id] = gatehouse.Badge{Subject: id, Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Label: "bench", FaceConsent: true,
			Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}
		if err := e.gallery.Add(place, id, gatehouse.RandomID(), e.gallery.Turn(t, [32]byte{}, benchSeed)); err != nil {
			panic(err) // the templates are of the gallery's own dimension and not zero
		}
	}
	return e
}
