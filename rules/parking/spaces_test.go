package parking

import (
	"testing"

	"gatehouse"

	"pgregory.net/rapid"
)

func TestSpaces(t *testing.T) {
	s := Spaces{Capacity: 100, Apart: map[gatehouse.VehicleClass]int{"motorbike": 10}, Inside: map[gatehouse.VehicleClass]int{"motorbike": 12, "car": 60, "truck": 1}, Corrected: -3, Kept: 4}
	if got := s.Free(gatehouse.Car); got != 100-10-60-1+3-4 || s.Free("bus") != got {
		t.Errorf("%d for cars", got)
	}
	if got := s.Free("motorbike"); got != -2 {
		t.Errorf("%d for motorbikes", got)
	}
}

// A sign that stands at the last spaces changes its mind at most once for as many cars as the
// tariff of its flickering says, and never says free when there is none.
func TestASignDoesNotFlicker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		again := rapid.IntRange(0, 8).Draw(t, "again")
		free := rapid.IntRange(-2, 12).Draw(t, "free")
		full := Full(free, again, false, false)
		moved := max(1, again) // enough for the first change
		for _, step := range rapid.SliceOfN(rapid.SampledFrom([]int{-1, 1}), 0, 60).Draw(t, "steps") {
			free += step
			moved++
			now := Full(free, again, full, true)
			if free <= 0 && !now {
				t.Fatalf("%d free, and the sign says so", free)
			}
			if free >= max(1, again) && now {
				t.Fatalf("%d free, and the sign says full", free)
			}
			if now != full {
				if !now && moved < max(1, again) {
					t.Fatalf("free again after %d cars", moved)
				}
				full, moved = now, 0
			}
		}
	})
}

func TestCorrection(t *testing.T) {
	for _, c := range []struct {
		name string
		c    Counted
		want int
	}{
		{"two fewer", Counted{Difference: -2, Old: 10}, -2},
		{"one of them has ended unseen", Counted{Difference: -2, Old: 9, Unseen: 1}, -1},
		{"all others have left", Counted{Difference: -2, Old: 1}, -1},
		{"more ended unseen", Counted{Difference: -2, Old: 5, Unseen: 4}, 0},
		{"three more", Counted{Difference: 3, Old: 4}, 3},
		{"one of them has left", Counted{Difference: 3, Strays: 1}, 2},
		{"more left than that", Counted{Difference: 3, Strays: 9}, 0},
		{"as it was", Counted{Old: 7, Unseen: 1, Strays: 2}, 0},
	} {
		if got := Correction(c.c); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
