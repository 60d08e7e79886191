package track_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse"
	"gatehouse/vision/track"
)

// Whatever vision reports, a track has at most one Final sighting and nothing
// after it, no more tracks appear than things were seen, and the end of the
// stream finishes every one, save plates that were echoes of another.
func TestPropertyEveryTrackEndsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := []*person{newPerson(1), newPerson(2), newPerson(3)}
		texts := []string{"AB123CD", "AB124CD", "XY987ZW", ""}
		tr := track.New(track.Options{})
		final, known := map[uint64]bool{}, map[uint64]bool{}
		settled, isPlate := map[uint64]bool{}, map[uint64]bool{}
		count, ms := 0, 0
		take := func(all []gatehouse.Sighting) {
			for _, s := range all {
				if final[s.Track] || settled[s.Track] {
					t.Fatalf("track %d: a sighting after its end", s.Track)
				}
				if s.Frames < 1 || s.First.After(s.Last) || s.Box.W == 0 {
					t.Fatalf("track %d: %d frames, %v to %v, box %v", s.Track, s.Frames, s.First, s.Last, s.Box)
				}
				known[s.Track], final[s.Track] = true, s.Final
				isPlate[s.Track] = s.Kind == gatehouse.PlateReading
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "frames") {
			ms += rapid.IntRange(0, 2500).Draw(t, "gap")
			o := gatehouse.Observation{Width: 1280, Height: 720}
			for range rapid.IntRange(0, 4).Draw(t, "faces") {
				f := people[rapid.IntRange(0, 2).Draw(t, "who")].face(rapid.IntRange(0, 1200).Draw(t, "x"), 100, rapid.IntRange(10, 200).Draw(t, "w"))
				f.Quality.Yaw = float32(rapid.IntRange(-90, 90).Draw(t, "yaw"))
				if rapid.Bool().Draw(t, "undescribed") {
					f.Template = nil
				}
				o.Faces = append(o.Faces, f)
			}
			for range rapid.IntRange(0, 3).Draw(t, "plates") {
				text, confidence := rapid.SampledFrom(texts).Draw(t, "text"), rapid.Float64Range(0, 1).Draw(t, "confidence")
				o.Plates = append(o.Plates, seen(text, confidence, rapid.IntRange(0, 1200).Draw(t, "px"), 300, 120))
			}
			count += len(o.Faces) + len(o.Plates)
			take(tr.Add(at(ms), o))
			if rapid.IntRange(0, 9).Draw(t, "settle") == 0 {
				for id := range known {
					tr.Settle(id)
					settled[id] = true
				}
			}
		}
		take(tr.Tick(at(ms + 120_000)))
		if len(known) > count {
			t.Fatalf("%d tracks of %d things seen", len(known), count)
		}
		for id := range known {
			if !final[id] && !settled[id] && !isPlate[id] {
				t.Fatalf("track %d never ended", id)
			}
		}
	})
}

// One person who walks at any speed, with any drop-outs shorter than the gap, is
// one track, and the order of faces in a frame changes nothing.
func TestPropertyOneWalkerIsOneTrack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		walker, sitter := newPerson(11), newPerson(12)
		tr := track.New(track.Options{})
		x, ms := 0, 0
		speed := rapid.IntRange(0, 200).Draw(t, "pixels a frame")
		ids := map[uint64]time.Time{}
		for range 20 {
			x += speed
			ms += rapid.IntRange(60, 1000).Draw(t, "gap")
			f := []gatehouse.FaceSeen{walker.face(x, 100, 100), sitter.face(600, 400, 100)}
			if rapid.Bool().Draw(t, "swapped") {
				f[0], f[1] = f[1], f[0]
			}
			for _, s := range tr.Add(at(ms), faces(f...)) {
				ids[s.Track] = s.First
			}
		}
		if len(ids) != 2 {
			t.Fatalf("%d tracks of two people", len(ids))
		}
	})
}
