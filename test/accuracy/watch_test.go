package accuracy

import (
	"testing"
	"time"

	"gatehouse/lab/watch"
	"gatehouse/vision/worker"
)

var clipStart = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// passages watches a clip and returns what was reported.
func passages(t *testing.T, o watch.Options) (all []watch.Passage) {
	t.Helper()
	o.Start = clipStart
	o.Warn = t.Logf
	if err := watch.Run(t.Context(), o, func(p watch.Passage) error { all = append(all, p); return nil }); err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		report(t, p)
	}
	return all
}

func TestOneCarDrivingUpIsOnePassage(t *testing.T) {
	clip := data(t, "clips", "car-uk.mp4")
	for _, c := range []struct {
		region string
		faces  bool
	}{{"eu", false}, {"any", true}} {
		t.Run(c.region, func(t *testing.T) {
			got := passages(t, watch.Options{Source: clip, Eyes: eyes(t, worker.Options{Plates: true}), Plates: true, Faces: c.faces, Region: c.region})
			if len(got) != 1 || got[0].Plate == nil || *got[0].Plate != "LS15EBC" {
				t.Errorf("%d passages, want one with LS15EBC", len(got))
			}
		})
	}
}

// The clip shows, by looking at it: until 1.5 s a singer, with a pianist far
// behind; then the pianist's head, close and in full profile; the singer again from
// 3.5 to 7.8 s; then an audience, one of the gallery in three-quarter profile among
// strangers. The fourth person of the gallery does not appear.
func TestPeopleOnAStage(t *testing.T) {
	clip, dir := data(t, "clips", "people-stage.mp4"), data(t, "clips", "gallery")
	w := eyes(t, worker.Options{Faces: true})
	people, err := watch.LoadPeople(t.Context(), dir, w, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	got := passages(t, watch.Options{Source: clip, Eyes: w, Faces: true, Gallery: people})
	type span struct{ from, to float64 } // seconds
	appears := map[string][]span{
		"lin-manuel-miranda": {{0, 1.6}, {3.4, 7.9}},
		"alex-lacamoire":     {{0, 3.4}},
		"obama":              {{7.8, 10}},
	}
	found := map[string]bool{}
	strangers := 0
	for _, p := range got {
		if p.Subject == nil {
			strangers++
			continue
		}
		found[*p.Subject] = true
		at, there := p.Time.Sub(clipStart).Seconds(), false
		for _, s := range appears[*p.Subject] {
			there = there || at >= s.from && at < s.to
		}
		if !there {
			t.Errorf("%s is named at %.2f s, where they do not appear", *p.Subject, at)
		}
	}
	if !found["lin-manuel-miranda"] || !found["obama"] {
		t.Errorf("found %v, want the singer and the one in the audience", found)
	}
	if strangers < 3 || len(got) > 10 {
		t.Errorf("%d passages, of them %d strangers", len(got), strangers)
	}
}
