package track_test

import (
	"math"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vision/track"
)

// seen is a plate of text at x, y, w pixels wide.
func seen(text string, confidence float64, x, y, w int) gatehouse.PlateSeen {
	return gatehouse.PlateSeen{Box: gatehouse.Box{X: x, Y: y, W: w, H: w / 4}, Read: gatehouse.PlateRead{Text: text, Confidence: confidence}}
}

func plates(p ...gatehouse.PlateSeen) gatehouse.Observation {
	return gatehouse.Observation{Width: 1280, Height: 720, Plates: p}
}

func TestOneCarDrivingUp(t *testing.T) {
	// distant frames are misread, each in its own way, and some are not read at all
	reads := []string{"L5I5EBG", "LS1SE8C", "", "LSI5EBC", "LS15E8C", "", "LS15EBC", "LS15EBC", "LS15EBC", "LS15EBC", "LS15EBC", "LS15EBC", "LS15EBC", "LS15EBC"}
	r := newRun(t, track.Options{})
	for i, text := range reads {
		o := plates()
		if text != "" {
			confidence := 0.6
			if text == "LS15EBC" {
				confidence = 0.97
			}
			o = plates(seen(text, confidence, 300+12*i, 200+5*i, 40+4*i))
		}
		r.add(i*150, o)
	}
	got := r.end(60_000)
	if len(got) != 1 || got[0].Plate.Text != "LS15EBC" {
		t.Fatalf("got %d sightings, want one of LS15EBC", len(got))
	}
	if r.end(120_000); len(r.seq) != 1 {
		t.Fatalf("%d tracks appeared", len(r.seq))
	}
}

func TestPlateScenarios(t *testing.T) {
	type step struct {
		ms int
		p  []gatehouse.PlateSeen
	}
	one := func(ms int, p ...gatehouse.PlateSeen) step { return step{ms, p} }
	for _, c := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"one sure frame counts", []step{one(0, seen("AB123CD", 0.95, 100, 100, 100))}, []string{"AB123CD"}},
		{"one doubtful frame does not", []step{one(0, seen("AB123CD", 0.7, 100, 100, 100))}, nil},
		{"two doubtful frames do", []step{one(0, seen("AB123CD", 0.7, 100, 100, 100)), one(200, seen("AB123CD", 0.7, 105, 100, 100))}, []string{"AB123CD"}},
		{"hidden for four seconds, then read again", []step{
			one(0, seen("AB123CD", 0.95, 100, 100, 100)), one(200, seen("AB123CD", 0.95, 100, 100, 100)),
			one(4200, seen("AB123CD", 0.95, 500, 300, 150))}, []string{"AB123CD"}},
		{"back after a minute", []step{
			one(0, seen("AB123CD", 0.95, 100, 100, 100)), one(60_000, seen("AB123CD", 0.95, 100, 100, 100))}, []string{"AB123CD", "AB123CD"}},
		{"the next car at the same place", []step{
			one(0, seen("AB123CD", 0.95, 100, 100, 100)), one(200, seen("AB123CD", 0.95, 100, 100, 100)),
			one(900, seen("XY987ZW", 0.95, 100, 100, 100)), one(1100, seen("XY987ZW", 0.95, 100, 100, 100))}, []string{"AB123CD", "XY987ZW"}},
		{"the next car of a fleet, one digit on", []step{
			one(0, seen("AB123CD", 0.97, 100, 100, 100)), one(200, seen("AB123CD", 0.97, 100, 100, 100)),
			one(3000, seen("AB124CD", 0.97, 100, 100, 100)), one(3200, seen("AB124CD", 0.97, 100, 100, 100))}, []string{"AB123CD", "AB124CD"}},
		{"two cars side by side", []step{
			one(0, seen("AB123CD", 0.95, 100, 100, 100), seen("XY987ZW", 0.95, 700, 100, 100)),
			one(200, seen("XY987ZW", 0.95, 705, 100, 100), seen("AB123CD", 0.95, 105, 100, 100))}, []string{"AB123CD", "XY987ZW"}},
		{"a passing misread of the same car", []step{
			one(0, seen("AB123CD", 0.95, 100, 100, 100)), one(150, seen("8123C0", 0.5, 102, 100, 100)), one(300, seen("AB123CD", 0.95, 104, 100, 100))}, []string{"AB123CD"}},
		{"nothing readable", []step{one(0, seen("", 0, 100, 100, 100)), one(200, seen("", 0, 100, 100, 100))}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRun(t, track.Options{})
			last := 0
			for _, s := range c.steps {
				r.add(s.ms, plates(s.p...))
				last = s.ms
			}
			got := r.end(last + 60_000)
			var texts []string
			for _, s := range got {
				texts = append(texts, s.Plate.Text)
			}
			if len(texts) != len(c.want) {
				t.Fatalf("got %d sightings, want %d", len(texts), len(c.want))
			}
			for i := range texts {
				if texts[i] != c.want[i] {
					t.Errorf("sighting %d is another text", i)
				}
			}
		})
	}
}

func TestPlateFinal(t *testing.T) {
	t.Run("settles in five equal sure frames", func(t *testing.T) {
		r := newRun(t, track.Options{})
		for i := range 20 {
			r.add(i*200, plates(seen("AB123CD", 0.95, 100, 100, 100)))
		}
		s := r.all[r.seq[0]]
		if got := s[len(s)-1]; !got.Final || got.Frames != 5 {
			t.Fatalf("final %v after %d frames, want 5", got.Final, got.Frames)
		}
	})
	t.Run("waits while it comes nearer", func(t *testing.T) {
		r := newRun(t, track.Options{})
		for i := range 15 { // a quarter larger each second
			r.add(i*200, plates(seen("AB123CD", 0.95, 100+i, 100, int(50*math.Pow(1.05, float64(i))))))
		}
		s := r.all[r.seq[0]]
		if got := s[len(s)-1]; got.Final {
			t.Fatalf("final after %d frames", got.Frames)
		}
	})
	t.Run("settles in fifteen equal doubtful frames", func(t *testing.T) {
		r := newRun(t, track.Options{})
		for i := range 30 {
			r.add(i*200, plates(seen("AB123CD", 0.5, 100, 100, 100)))
		}
		s := r.all[r.seq[0]]
		if got := s[len(s)-1]; !got.Final || got.Frames != 15 {
			t.Fatalf("final %v after %d frames, want 15", got.Final, got.Frames)
		}
	})
	t.Run("is given up after eight seconds of doubt", func(t *testing.T) {
		r := newRun(t, track.Options{})
		for i := range 100 {
			r.add(i*200, plates(seen([]string{"AB123CD", "A8123CD"}[i%2], 0.5, 100, 100, 100)))
		}
		s := r.all[r.seq[0]]
		if got := s[len(s)-1]; !got.Final || got.Last.Sub(at(0)) < 8*time.Second || got.Last.Sub(at(0)) > 8500*time.Millisecond || len(r.seq) != 1 {
			t.Fatalf("final %v after %v, %d tracks", got.Final, got.Last.Sub(at(0)), len(r.seq))
		}
	})
}

func TestVoteIsInjected(t *testing.T) {
	var most int
	r := newRun(t, track.Options{Vote: func(reads []gatehouse.PlateRead) gatehouse.PlateRead {
		most = max(most, len(reads))
		return gatehouse.PlateRead{Text: "VOTED", Confidence: 0.5}
	}})
	for i := range 100 {
		r.add(i*50, plates(seen("AB123CD", 0.5, 100, 100, 100)))
	}
	if got := r.end(60_000); len(got) != 1 || got[0].Plate.Text != "VOTED" {
		t.Fatalf("got %d sightings", len(got))
	}
	if most == 0 || most > 64 {
		t.Errorf("the vote was asked over %d reads; at most 64 are kept", most)
	}
}

func TestAlike(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{{"", "", 0}, {"A", "", 0}, {"AB123CD", "AB123CD", 1}, {"皖A12345", "皖A12346", 1 - 1.0/7}, {"ABC", "BC", 1 - 1.0/3}, {"AAA", "BBB", 0}} {
		if got := track.Alike(c.a, c.b); got < c.want-1e-9 || got > c.want+1e-9 || got != track.Alike(c.b, c.a) {
			t.Errorf("Alike(%q, %q) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
