package parking

import (
	"slices"
	"time"
)

// Presence is one vehicle in a car park. Until is zero while it is still inside.
type Presence struct{ From, Until time.Time }

// Busy is how full a car park was from From until the next one's From: the most vehicles
// that were inside at one moment, and how many came in and left.
type Busy struct {
	From          time.Time
	Most, In, Out int
}

// Busiest cuts the time from from until until into steps (> 0; the last may be shorter) and
// says of each how full it was. A vehicle that leaves in the moment in which another comes
// in has left first. What began before from counts; all may be in any order.
func Busiest(all []Presence, from, until time.Time, step time.Duration) (steps []Busy) {
	for at := from; at.Before(until); at = at.Add(step) {
		steps = append(steps, Busy{From: at})
	}
	type change struct {
		at time.Time
		by int
	}
	inside := 0
	var changes []change
	for _, p := range all {
		switch {
		case !p.Until.IsZero() && !p.Until.After(p.From), !p.From.Before(until):
			continue // it was never inside, or later
		case !p.From.Before(from):
			changes = append(changes, change{p.From, 1})
		case p.Until.IsZero() || !p.Until.Before(from):
			inside++
		default:
			continue // it had left before
		}
		if !p.Until.IsZero() && p.Until.Before(until) {
			changes = append(changes, change{p.Until, -1})
		}
	}
	slices.SortFunc(changes, func(a, b change) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.by - b.by
	})
	i := 0
	for n := range steps {
		s := &steps[n]
		end := s.From.Add(step)
		// Who leaves in the step's first moment is not in it.
		for ; i < len(changes) && changes[i].at.Equal(s.From) && changes[i].by < 0; i++ {
			inside, s.Out = inside-1, s.Out+1
		}
		s.Most = inside
		for ; i < len(changes) && changes[i].at.Before(end); i++ {
			if inside += changes[i].by; changes[i].by > 0 {
				s.In++
			} else {
				s.Out++
			}
			s.Most = max(s.Most, inside)
		}
	}
	return steps
}
