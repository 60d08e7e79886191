package parking

import (
	"gatehouse"
)

// Spaces are a car park's spaces, and who takes them.
type Spaces struct {
	Capacity int // all of them
	// Apart are those of Capacity that only one class of vehicle may take.
	Apart  map[gatehouse.VehicleClass]int
	Inside map[gatehouse.VehicleClass]int
	// Corrected is what a person's count adds to those inside; negative where there are fewer.
	Corrected int
	// Kept are for passes and reservations whose vehicles are not inside.
	Kept int
}

// Free is how many spaces are left to visitors of a class; negative where more are inside than
// the spaces that there are. A class with spaces of its own takes no other; all others share the
// rest, of which those are kept that somebody has a right to.
func (s Spaces) Free(class gatehouse.VehicleClass) int {
	if n, ok := s.Apart[class]; ok {
		return n - s.Inside[class]
	}
	left := s.Capacity - s.Corrected - s.Kept
	for _, n := range s.Apart {
		left -= n
	}
	for c, n := range s.Inside {
		if _, ok := s.Apart[c]; !ok {
			left -= n
		}
	}
	return left
}

// Full is what a sign says: full from the last space on, and free again only when there are
// again of them, so that it does not flicker at each car that leaves. known is false where
// nothing was shown before, as after a start: then it is full until there are as many.
func Full(free, again int, was, known bool) bool {
	if was || !known {
		return free < max(1, again)
	}
	return free <= 0
}

// Counted is a person's count of a car park: what it added to the vehicles that were known to
// be inside then.
type Counted struct {
	Difference int
	// Old is how many that were inside at the count still are; Unseen how many of those have
	// ended without an exit since; Strays how many left since whose entry nobody saw.
	Old, Unseen, Strays int
}

// Correction is what is left of a count's difference. Who was counted away, since their exit was
// missed, is among the old stays and ends unseen some day; who was counted in, since their entry
// was missed, leaves some day without a stay: each of these is then counted by itself.
func Correction(c Counted) int {
	if c.Difference < 0 {
		return -max(0, min(-c.Difference-c.Unseen, c.Old))
	}
	return max(0, c.Difference-c.Strays)
}
