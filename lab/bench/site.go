package bench

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/flow/passage"
	"gatehouse/gallery"
	"gatehouse/store/blob"
	"gatehouse/store/sqlite"
	"gatehouse/vault"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
)

const (
	doorID = "door"
	laneID = "lane"
)

// benchPassphrase seals a vault that is gone in a moment.
const benchPassphrase = "bench, and gone in a moment"

var place = gatehouse.Place{Org: "bench", Site: "bench"}

// site is the real sealing and storing half of a server, in a folder of its own.
type site struct {
	vault *vault.Vault
	store *sqlite.Store
	blobs *blob.Directory
	log   *slog.Logger
	once  sync.Once
}

func openSite(ctx context.Context, dir string, log *slog.Logger) (_ *site, err error) {
	s := &site{log: log}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	data, key := filepath.Join(dir, "data"), filepath.Join(dir, "gate.key")
	for _, d := range []string{data, filepath.Join(data, "db"), filepath.Join(data, "blobs"), filepath.Join(data, "vault")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, gatehouse.Errorf("bench.dir", "give a folder that can be written", "there is no place for the data: %w", err)
		}
	}
	if err := vault.CreateGateKey(data, key); err != nil {
		return nil, err
	}
	gate, err := vault.OpenGateKey(data, key)
	if err != nil {
		return nil, err
	}
	if err := vault.Init(filepath.Join(data, "vault"), benchPassphrase); err != nil {
		return nil, err
	}
	if s.vault, err = vault.Open(ctx, vault.Options{Dir: filepath.Join(data, "vault"), Gate: gate, Log: log}); err != nil {
		return nil, err
	}
	fileKey := func(file string) ([32]byte, error) { return gate.FileKey(filepath.Join("db", file)) }
	if s.store, err = sqlite.Open(ctx, sqlite.Options{Dir: filepath.Join(data, "db"), Key: fileKey, Log: log}); err != nil {
		return nil, err
	}
	s.blobs, err = blob.Open(filepath.Join(data, "blobs"))
	return s, err
}

func (s *site) close() {
	s.once.Do(func() {
		if s.store != nil {
			_ = s.store.Close()
		}
		if s.vault != nil {
			_ = s.vault.Close()
		}
	})
}

// ports wires a door that is open to everybody enrolled, at any time and as often
// as they come; it has no actuator, since what is measured ends at the commit.
func (s *site) ports(e *enrolled) passage.Ports {
	door := gatehouse.Gate{Place: place, ID: doorID, Kind: gatehouse.Door, Name: "Door", Direction: gatehouse.In, Policy: gatehouse.GatePolicy{LivenessRequired: true}}
	return passage.Ports{
		Site:    passage.Site{Place: place, Location: time.UTC, Gates: map[gatehouse.GateID]gatehouse.Gate{doorID: door}},
		Working: e, Gallery: e.gallery, Threshold: models.Threshold, Sealer: s.vault, Store: s.store, Blobs: s.blobs,
		Actuator: func(gatehouse.GateID) gatehouse.Actuator { return nil }, Feed: silent{}, Log: s.log,
	}
}

// enrolled is the open working set.
type enrolled struct {
	gallery *gallery.Gallery
	badges  map[gatehouse.SubjectID]gatehouse.Badge
	plates  map[string]gatehouse.SubjectID
}

// Badge implements passage.Working.
func (e *enrolled) Badge(id gatehouse.SubjectID) (gatehouse.Badge, bool) {
	b, ok := e.badges[id]
	return b, ok
}

// ByPlate implements passage.Working.
func (e *enrolled) ByPlate(plate string) (gatehouse.SubjectID, bool) {
	id, ok := e.plates[plate]
	return id, ok
}

// ByCredential implements passage.Working: nobody has a card.
func (e *enrolled) ByCredential(gatehouse.WorkingKind, gatehouse.Secret) (gatehouse.SubjectID, bool) {
	return gatehouse.SubjectID{}, false
}

// silent is a feed that nobody reads.
type silent struct{}

// Committed implements passage.Feed.
func (silent) Committed(gatehouse.Passage, []gatehouse.Picture) {}

// Changed implements passage.Feed.
func (silent) Changed(gatehouse.Passage) {}

// Unrecorded implements passage.Feed.
func (silent) Unrecorded(gatehouse.Passage, error) {}

// scene puts a portrait into a 1280×720 frame of grey, a third as wide as the
// frame's height is high, and gives it as a stream's decoder does.
func scene(m *imaging.RGB) gatehouse.Image {
	const w, h, side = 1280, 720, 480
	small := imaging.Resize(m, side, max(side*m.H/m.W, 1))
	frame := imaging.New(w, h)
	for i := range frame.Pix {
		frame.Pix[i] = 96
	}
	for y := range min(small.H, h) {
		copy(frame.Pix[3*(y*w+(w-side)/2):], small.Pix[3*side*y:3*side*(y+1)])
	}
	return gatehouse.Image{Format: gatehouse.YUV420, Width: w, Height: h, Bytes: yuv420(frame)}
}

// yuv420 converts to planar 4:2:0, studio range, by BT.709, the inverse of
// imaging.FromYUV420 for frames of 720 lines; both sides must be even.
func yuv420(m *imaging.RGB) []byte {
	out := make([]byte, m.W*m.H*3/2)
	u, v := out[m.W*m.H:], out[m.W*m.H*5/4:]
	for y := range m.H {
		for x := range m.W {
			p := m.Pix[3*(y*m.W+x):]
			r, g, b := float32(p[0]), float32(p[1]), float32(p[2])
			out[y*m.W+x] = byte(16.5 + 0.1826*r + 0.6142*g + 0.0620*b)
			if x%2 == 0 && y%2 == 0 {
				u[y/2*m.W/2+x/2] = byte(128.5 - 0.1006*r - 0.3386*g + 0.4392*b)
				v[y/2*m.W/2+x/2] = byte(128.5 + 0.4392*r - 0.3989*g - 0.0403*b)
			}
		}
	}
	return out
}
