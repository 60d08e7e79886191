package stay

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// Hour is how full a car park was in one hour.
type Hour = parking.Busy

// busyStays is how many stays are read for one answer of Busy.
const busyStays = 100_000

// Busy says how full a car park was in each hour from from until until, by its stays. One
// that was lost counts until somebody ended it, else as long as a stay may last. whole is
// false where there were more stays than are read: the oldest are missing then.
// Errors: store.*.
func (s *Stays) Busy(ctx context.Context, park string, from, until time.Time) (hours []Hour, whole bool, err error) {
	c, ok := s.parks[park]
	if !ok {
		return nil, false, gatehouse.Errorf("store.not_found", "", "there is no such car park")
	}
	var all []parking.Presence
	f := gatehouse.StayFilter{CarPark: park, Since: from.Add(-c.Longest), Before: gatehouse.FirstID(until), Limit: 1000}
	for whole = true; ; {
		found, err := s.List(ctx, f)
		if err != nil {
			return nil, false, err
		}
		for _, r := range found {
			if r.State != gatehouse.StayWithdrawn {
				all = append(all, parking.Presence{From: r.Entered, Until: left(r, c.Longest)})
			}
			f.Before = r.ID
		}
		if len(found) < f.Limit {
			break
		}
		if len(all) >= busyStays {
			whole = false
			break
		}
	}
	return parking.Busiest(all, from, until, time.Hour), whole, nil
}

// left is when a stay's vehicle was no longer inside, zero while it is.
func left(r gatehouse.StayRecord, longest time.Duration) time.Time {
	switch {
	case !r.Ended():
		return time.Time{}
	case !r.Left.IsZero():
		return r.Left
	case !r.Changed.IsZero():
		return r.Changed
	}
	return r.Entered.Add(longest)
}
