package passage

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
)

var site = gatehouse.Place{Org: "acme", Site: "hq"}

// world is the main path's surroundings, in memory, with faults to switch on.
type world struct {
	mu        sync.Mutex
	badges    map[gatehouse.SubjectID]gatehouse.Badge
	plates    map[string]gatehouse.SubjectID
	cards     map[gatehouse.Secret]gatehouse.SubjectID
	faces     map[gatehouse.SubjectID][]float32
	commits   []gatehouse.PassageCommit
	outcomes  []gatehouse.PassageOutcome
	blobs     int
	opened    []gatehouse.ID
	committed []gatehouse.Passage
	events    []string
	failStore error
	failSeal  error
	sealed    []string // what was given to be sealed
	confirm   gatehouse.Outcome
}

func (w *world) log(e string) { w.mu.Lock(); w.events = append(w.events, e); w.mu.Unlock() }

func (w *world) Badge(id gatehouse.SubjectID) (gatehouse.Badge, bool) {
	b, ok := w.badges[id]
	return b, ok
}
func (w *world) ByPlate(p string) (gatehouse.SubjectID, bool) { id, ok := w.plates[p]; return id, ok }
func (w *world) ByCredential(_ gatehouse.WorkingKind, s gatehouse.Secret) (gatehouse.SubjectID, bool) {
	id, ok := w.cards[s]
	return id, ok
}
func (w *world) Size(gatehouse.Place) int { return len(w.faces) }
func (w *world) Nearest(_ gatehouse.Place, t []float32) (gatehouse.Match, bool) {
	best := gatehouse.Match{Similarity: -2, Second: -1}
	for id, f := range w.faces {
		var s float32
		for i := range f {
			s += f[i] * t[i]
		}
		if s > best.Similarity {
			best = gatehouse.Match{Subject: id, Similarity: s, Second: best.Similarity}
		}
	}
	return best, len(w.faces) > 0
}
func (w *world) Seal(_ context.Context, _ gatehouse.SubjectID, _ gatehouse.RetentionClass, _ gatehouse.SealContext, plain []byte, _ gatehouse.Padding) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sealed = append(w.sealed, string(plain))
	return []byte("sealed"), w.failSeal
}
func (w *world) Prepare(gatehouse.Place, gatehouse.SubjectID, gatehouse.RetentionClass) {}
func (w *world) OneOff(context.Context, gatehouse.Place) (gatehouse.SubjectID, error) {
	return gatehouse.RandomID(), nil
}
func (w *world) CommitPassage(_ context.Context, c gatehouse.PassageCommit) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failStore != nil {
		return w.failStore
	}
	w.commits = append(w.commits, c)
	w.events = append(w.events, "commit")
	return nil
}
func (w *world) CommitOutcome(_ context.Context, o gatehouse.PassageOutcome) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcomes = append(w.outcomes, o)
	return nil
}
func (w *world) PutBlob(context.Context, gatehouse.BlobID, []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blobs++
	w.events = append(w.events, "blob")
	return nil
}
func (w *world) Open(_ context.Context, c gatehouse.OpenCommand) <-chan gatehouse.Confirmation {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = append(w.opened, c.Passage)
	w.events = append(w.events, "open")
	ch := make(chan gatehouse.Confirmation, 1)
	ch <- gatehouse.Confirmation{Outcome: w.confirm, At: time.Now()}
	close(ch)
	return ch
}
func (w *world) Committed(p gatehouse.Passage, _ []gatehouse.Picture) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.committed = append(w.committed, p)
}
func (w *world) Changed(p gatehouse.Passage) { w.log("changed " + string(p.Outcome)) }
func (w *world) Unrecorded(p gatehouse.Passage, _ error) {
	w.log("unrecorded " + string(p.Decision.Reason))
}

var (
	alice = gatehouse.SubjectID{1}
	truck = gatehouse.SubjectID{2}
	front = gatehouse.Device{Place: site, ID: "cam", Gate: "front"}
	lane  = gatehouse.Device{Place: site, ID: "lpr", Gate: "lane"}
)

// faceAt returns a unit vector with the given similarity to alice's template.
func faceAt(similarity float64) []float32 {
	return []float32{float32(similarity), float32(math.Sqrt(1 - similarity*similarity))}
}

func newWorld(change func(*gatehouse.GatePolicy)) (*world, *Flow) {
	all := []gatehouse.Grant{{Gate: "*", Schedule: "always"}}
	w := &world{confirm: gatehouse.Passed,
		badges: map[gatehouse.SubjectID]gatehouse.Badge{
			alice: {Subject: alice, Kind: gatehouse.PersonSubject, Status: gatehouse.Active, FaceConsent: true, Grants: all},
			truck: {Subject: truck, Kind: gatehouse.VehicleSubject, Status: gatehouse.Active, Grants: all}},
		plates: map[string]gatehouse.SubjectID{"AB12CDE": truck},
		cards:  map[gatehouse.Secret]gatehouse.SubjectID{"4711": alice},
		faces:  map[gatehouse.SubjectID][]float32{alice: {1, 0}},
	}
	policy := gatehouse.GatePolicy{LivenessRequired: true, RepeatWithin: 5 * time.Second, MinPlateConfidence: 0.8, SecondFactorWithin: 10 * time.Second, ConfirmWithin: time.Second}
	if change != nil {
		change(&policy)
	}
	f := New(Ports{
		Site: Site{Place: site, Location: time.UTC, Gates: map[gatehouse.GateID]gatehouse.Gate{
			"front": {Place: site, ID: "front", Kind: gatehouse.Door, Direction: gatehouse.In, Policy: policy},
			"lane":  {Place: site, ID: "lane", Kind: gatehouse.Lane, Direction: gatehouse.In, Policy: policy}}},
		Working: w, Gallery: w, Threshold: func(int) float32 { return 0.5 }, Sealer: w, Store: w, Blobs: w,
		Actuator: func(gatehouse.GateID) gatehouse.Actuator { return w }, Feed: w, Log: slog.New(slog.DiscardHandler),
	})
	return w, f
}

func sighting(similarity float64, live, final bool) gatehouse.Sighting {
	return gatehouse.Sighting{Kind: gatehouse.FaceReading, Frames: 3, Final: final, Last: time.Now(), Template: faceAt(similarity),
		Live:     gatehouse.Liveness{Judged: true, Live: live, Score: 0.9},
		Pictures: []gatehouse.Picture{{Kind: gatehouse.CropEvidence, JPEG: []byte("jpeg")}, {Kind: gatehouse.FrameEvidence, JPEG: []byte("frame")}}}
}

func mustSight(t *testing.T, f *Flow, d gatehouse.Device, s gatehouse.Sighting) (*gatehouse.Passage, bool) {
	t.Helper()
	p, settled, err := f.Sight(t.Context(), d, s, s.Last)
	if err != nil {
		t.Fatal(err)
	}
	return p, settled
}

func TestGrantCommitsThenActuatesThenConfirms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWorld(nil)
		p, settled := mustSight(t, f, front, sighting(0.9, true, false))
		if p == nil || !settled || !p.Decision.Grant || p.Subject != alice || !p.Known {
			t.Fatalf("got %+v, settled %t", p, settled)
		}
		synctest.Wait()
		if got := strings.Join(w.events, ","); got != "blob,commit,open,changed passed" {
			t.Errorf("the order was %s", got)
		}
		c := w.commits[0]
		if len(c.Evidence) != 1 || c.Evidence[0].Kind != gatehouse.CropEvidence {
			t.Errorf("kept %+v, want the crop alone: whole frames show other people", c.Evidence)
		}
		kind, _, _, err := gatehouse.LeafParts(c.Leaf)
		if err != nil || kind != gatehouse.PassageLeafKind {
			t.Errorf("the audit leaf is %q, %v", kind, err)
		}
		if len(w.outcomes) != 1 || w.outcomes[0].Outcome != gatehouse.Passed {
			t.Errorf("outcomes %+v", w.outcomes)
		}
	})
}

func TestStrangerIsDeniedAtTheEndAndLeavesNoPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWorld(nil)
		if p, settled := mustSight(t, f, front, sighting(0.2, true, false)); p != nil || settled {
			t.Fatalf("a stranger was decided before the track's end: %+v", p)
		}
		p, _ := mustSight(t, f, front, sighting(0.2, true, true))
		if p == nil || p.Decision.Reason != gatehouse.Unknown || p.Known || p.Subject.IsZero() {
			t.Fatalf("got %+v", p)
		}
		synctest.Wait()
		if w.blobs != 0 || len(w.opened) != 0 || p.Outcome != gatehouse.NoAction {
			t.Errorf("blobs %d, opened %d, outcome %s", w.blobs, len(w.opened), p.Outcome)
		}
	})
}

func TestKeptStrangersAreSubjectsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWorld(nil)
		f.Site.KeepStrangers = true
		mustSight(t, f, front, sighting(0.2, true, true))
		mustSight(t, f, front, sighting(0.2, true, true))
		if w.blobs != 2 || w.commits[0].Passage.Subject == w.commits[1].Passage.Subject {
			t.Errorf("blobs %d, subjects %v", w.blobs, w.commits)
		}
	})
}

func TestRepeatedWithinSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWorld(nil)
		for _, c := range []struct {
			after time.Duration
			want  gatehouse.Reason
		}{{0, gatehouse.Granted}, {4 * time.Second, gatehouse.Repeated}, {2 * time.Second, gatehouse.Granted}} {
			time.Sleep(c.after)
			if p, _ := mustSight(t, f, front, sighting(0.9, true, true)); p.Decision.Reason != c.want {
				t.Errorf("after %v: %s, want %s", c.after, p.Decision.Reason, c.want)
			}
		}
		synctest.Wait()
		if len(w.opened) != 2 {
			t.Errorf("opened %d times", len(w.opened))
		}
	})
}

func TestSecondFactor(t *testing.T) {
	two := func(p *gatehouse.GatePolicy) { p.SecondFactor = true }
	card := func(f *Flow, t *testing.T, number gatehouse.Secret) *gatehouse.Passage {
		p, err := f.Show(t.Context(), front, gatehouse.Capture{Kind: gatehouse.CardCapture, Received: time.Now(), Secret: number})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Run("comes in time: one passage of both", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, f := newWorld(two)
			if p, settled := mustSight(t, f, front, sighting(0.9, true, false)); p != nil || !settled {
				t.Fatalf("got %+v, settled %t: it should wait", p, settled)
			}
			time.Sleep(3 * time.Second)
			p := card(f, t, "4711")
			if p == nil || !p.Decision.Grant || p.Kind != gatehouse.FaceReading {
				t.Fatalf("got %+v", p)
			}
			time.Sleep(time.Minute)
			if len(w.commits) != 1 {
				t.Errorf("%d passages", len(w.commits))
			}
		})
	})
	t.Run("does not come: denied", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, f := newWorld(two)
			mustSight(t, f, front, sighting(0.9, true, false))
			mustSight(t, f, front, sighting(0.9, true, true)) // seen again meanwhile: still one
			time.Sleep(11 * time.Second)
			synctest.Wait()
			if len(w.commits) != 1 || w.commits[0].Passage.Decision.Reason != gatehouse.NeedSecondFactor || len(w.opened) != 0 {
				t.Errorf("commits %+v, opened %d", w.commits, len(w.opened))
			}
		})
	})
	t.Run("somebody else's card does not help", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, f := newWorld(two)
			mustSight(t, f, front, sighting(0.9, true, false))
			if p := card(f, t, "0815"); p == nil || p.Decision.Reason != gatehouse.WrongCredential {
				t.Errorf("got %+v", p)
			}
			time.Sleep(time.Minute)
		})
	})
	t.Run("closing commits who waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, f := newWorld(two)
			mustSight(t, f, front, sighting(0.9, true, false))
			if err := f.Close(t.Context()); err != nil || len(w.commits) != 1 {
				t.Errorf("%v, %d passages", err, len(w.commits))
			}
		})
	})
}

func TestPlates(t *testing.T) {
	read := func(text string, confidence float64, candidates ...string) gatehouse.Sighting {
		s := gatehouse.Sighting{Kind: gatehouse.PlateReading, Frames: 3, Final: true, Last: time.Now(), Plate: gatehouse.PlateRead{Text: text, Confidence: confidence}}
		for _, c := range candidates {
			s.Plate.Candidates = append(s.Plate.Candidates, gatehouse.PlateCandidate{Text: c})
		}
		return s
	}
	for _, c := range []struct {
		name string
		s    gatehouse.Sighting
		want gatehouse.Reason
	}{
		{"allowed", read("AB12CDE", 0.95), gatehouse.Granted},
		{"allowed, badly read", read("AB12CDE", 0.5), gatehouse.LowConfidence},
		{"unknown", read("ZZ99ZZZ", 0.99), gatehouse.Unknown},
		{"unknown, but an allowed one is close", read("AB12CDF", 0.9, "AB12CDE"), gatehouse.LowConfidence},
		{"unreadable", read("", 0), gatehouse.LowConfidence},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, f := newWorld(nil)
				if p, _ := mustSight(t, f, lane, c.s); p == nil || p.Decision.Reason != c.want {
					t.Errorf("got %+v, want %s", p, c.want)
				}
			})
		})
	}
}

func TestUnrecordedIsAPolicyAndNothingIsLost(t *testing.T) {
	full := gatehouse.Errorf("store.full", "free some space", "the disk is full")
	for _, c := range []struct {
		name     string
		failSafe bool
		err      error
		seal     error
		reason   gatehouse.Reason
		opened   int
	}{
		{"fail secure stays shut", false, full, nil, gatehouse.StorageFull, 0},
		{"fail safe opens", true, full, nil, gatehouse.StorageFull, 1},
		{"other I/O", false, errors.New("broken"), nil, gatehouse.StorageFailed, 0},
		{"no sealing", false, nil, gatehouse.Errorf("sealing.unavailable", "", "down"), gatehouse.SealingFailed, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, f := newWorld(func(p *gatehouse.GatePolicy) { p.FailSafe = c.failSafe })
				w.failStore, w.failSeal = c.err, c.seal
				p, settled, err := f.Sight(t.Context(), front, sighting(0.9, true, true), time.Now())
				if gatehouse.ErrorCode(err) != "passage.unrecorded" || !settled || p.Decision.Reason != c.reason || len(w.opened) != c.opened {
					t.Fatalf("got %+v, %v, opened %d", p, err, len(w.opened))
				}
				if !slices.Contains(w.events, "unrecorded "+string(c.reason)) {
					t.Errorf("nobody was told: %v", w.events)
				}
				time.Sleep(20 * time.Second)
				w.mu.Lock()
				w.failStore, w.failSeal = nil, nil
				w.mu.Unlock()
				time.Sleep(20 * time.Second)
				synctest.Wait()
				if len(w.commits) != 1 || w.commits[0].Passage.Decision.Reason != c.reason || len(w.opened) != c.opened {
					t.Errorf("afterwards: commits %+v, opened %d", w.commits, len(w.opened))
				}
			})
		})
	}
}

// A strangers' face that scores just below the threshold never opens, one just
// above does: the boundary itself counts as a match.
func TestThresholdIsTheBoundary(t *testing.T) {
	for similarity, want := range map[float64]gatehouse.Reason{0.499: gatehouse.Unknown, 0.5: gatehouse.Granted, 0.501: gatehouse.Granted} {
		synctest.Test(t, func(t *testing.T) {
			_, f := newWorld(nil)
			if p, _ := mustSight(t, f, front, sighting(similarity, true, true)); p.Decision.Reason != want {
				t.Errorf("similarity %v: %s, want %s", similarity, p.Decision.Reason, want)
			}
		})
	}
}
