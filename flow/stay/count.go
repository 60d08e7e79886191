package stay

import (
	"context"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
	"gatehouse/rules/parking/pairing"
)

// followedCount is what became of a car park since it was counted.
type followedCount struct {
	unseen map[gatehouse.ID]struct{} // stays that had begun by then, and ended without an exit
	strays map[gatehouse.ID]struct{} // exits since then whose entry nobody saw
}

// spaces are a car park's spaces as they stand. The caller holds s.mu.
func (s *Stays) spaces(c gatehouse.CarPark, now time.Time) parking.Spaces {
	out := parking.Spaces{Capacity: c.Capacity, Apart: c.Apart, Inside: map[gatehouse.VehicleClass]int{}}
	groups, there, old := map[string]int{}, map[gatehouse.SubjectID]bool{}, 0
	count, counted := s.data.counts[c.ID]
	for _, r := range s.inside {
		if r.CarPark != c.ID {
			continue
		}
		out.Inside[r.Class]++
		groups[r.Group]++
		there[r.Subject] = there[r.Subject] || r.Known
		if counted && !r.Entered.After(count.At) {
			old++
		}
	}
	if f := s.followed[c.ID]; counted && now.Sub(count.At) < c.Longest { // nobody who was counted can be there any longer
		out.Corrected = parking.Correction(parking.Counted{Difference: count.Difference, Old: old, Unseen: max(0, len(f.unseen)-count.Lost), Strays: len(f.strays)})
	}
	if c.Keeps == gatehouse.KeepNothing {
		return out
	}
	for vehicle, all := range s.data.reservations {
		if !there[vehicle] && slices.ContainsFunc(all, func(r gatehouse.Reservation) bool {
			return !now.Before(r.From.Add(-r.Early)) && now.Before(r.Until.Add(r.Late))
		}) {
			out.Kept++
		}
	}
	if c.Keeps == gatehouse.KeepQuotas {
		for _, q := range s.data.quotas {
			out.Kept += max(0, q.Spaces-groups[q.Group])
		}
	}
	return out
}

// Count says how many vehicles a person counted in a car park. Errors: parking.count,
// parking.unknown_park.
func (s *Stays) Count(ctx context.Context, park string, inside int, reason gatehouse.CountReason, by string) (gatehouse.CarParkCount, error) {
	c, ok := s.parks[park]
	switch {
	case !ok:
		return gatehouse.CarParkCount{}, gatehouse.Errorf("parking.unknown_park", "see `gatehouse parking`", "there is no such car park")
	case inside < 0 || inside > c.Capacity:
		return gatehouse.CarParkCount{}, gatehouse.Errorf("parking.count", "count the vehicles, not the free spaces", "0 to %d vehicles are in a car park of that size", c.Capacity)
	case !slices.Contains(gatehouse.CountReasons, reason):
		return gatehouse.CarParkCount{}, gatehouse.Errorf("parking.count", "use missed_exits, missed_entries or other", "a count has a reason")
	}
	one := gatehouse.CarParkCount{CarPark: park, Reason: reason, By: by, At: s.Now().UTC()}
	f, err := s.followCount(ctx, c, one.At)
	if err != nil {
		return one, err
	}
	one.Lost = len(f.unseen)
	known := 0
	s.mu.RLock()
	for _, r := range s.inside {
		if r.CarPark == park {
			known++
		}
	}
	s.mu.RUnlock()
	one.Difference = inside - known
	if err := s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.CountItem, ID: park}, one, by); err != nil {
		return one, err
	}
	return one, s.loadCounts(ctx)
}

// loadCounts finds out what became of the car parks since they were counted: from the rows, so
// that it is right after a crash, too.
func (s *Stays) loadCounts(ctx context.Context) error {
	for _, c := range s.CarParks {
		s.mu.RLock()
		count, ok := s.data.counts[c.ID]
		s.mu.RUnlock()
		if !ok || s.Now().Sub(count.At) >= c.Longest {
			continue
		}
		f, err := s.followCount(ctx, c, count.At)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.followed[c.ID] = f
		s.mu.Unlock()
	}
	return nil
}

func (s *Stays) followCount(ctx context.Context, c gatehouse.CarPark, at time.Time) (followedCount, error) {
	f := followedCount{unseen: map[gatehouse.ID]struct{}{}, strays: map[gatehouse.ID]struct{}{}}
	err := s.eachStay(ctx, gatehouse.StayFilter{CarPark: c.ID, State: string(gatehouse.StayLost), Since: at.Add(-c.Longest)}, func(r gatehouse.StayRecord) {
		if !r.Entered.After(at) {
			f.unseen[r.ID] = struct{}{}
		}
	})
	if err != nil {
		return f, err
	}
	for _, state := range []string{string(pairing.Unpaired), exitDismissed} {
		q := gatehouse.StayFilter{Place: s.Place, CarPark: c.ID, State: state, Since: at, Limit: page}
		for {
			found, err := s.Store.Exits(ctx, q)
			if err != nil {
				return f, err
			}
			for _, e := range found {
				if e.At.After(at) {
					f.strays[e.ID] = struct{}{}
				}
			}
			if len(found) < page {
				break
			}
			q.Before = found[page-1].ID
		}
	}
	return f, nil
}

// noteUnseen and noteStray keep what followCount finds, between two starts. The caller does not
// hold s.mu.
func (s *Stays) noteUnseen(r gatehouse.StayRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.data.counts[r.CarPark]; ok && !r.Entered.After(c.At) && s.followed[r.CarPark].unseen != nil {
		s.followed[r.CarPark].unseen[r.ID] = struct{}{}
	}
}

// noStray takes an exit back that turned out to be another's, or none.
func (s *Stays) noStray(e gatehouse.StayExit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.followed[e.CarPark].strays, e.ID)
	delete(s.followed[e.CarPark].unseen, e.Stay)
}

func (s *Stays) noteStray(e gatehouse.StayExit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.data.counts[e.CarPark]; ok && e.At.After(c.At) && s.followed[e.CarPark].strays != nil {
		s.followed[e.CarPark].strays[e.ID] = struct{}{}
	}
}

// queueFor is for how long a vehicle that came while a car park was full is let in without
// being read again.
const queueFor = 15 * time.Minute

// letQueued lets those in who wait at entries, where spaces are free by now: who came first
// goes first.
func (s *Stays) letQueued(ctx context.Context) {
	for _, c := range s.CarParks {
		if !c.Queues {
			continue
		}
		now := s.Now()
		s.mu.RLock()
		opener := s.opener
		var all []gatehouse.AtLane
		for _, gate := range c.Entries {
			if v, ok := s.refused[gate]; ok && now.Sub(v.At) <= queueFor {
				all = append(all, v)
			}
		}
		s.mu.RUnlock()
		slices.SortFunc(all, func(a, b gatehouse.AtLane) int { return a.At.Compare(b.At) })
		for _, v := range all {
			at := v
			at.At = now
			if a := s.admission(c.ID, at); opener == nil || !a.Let {
				continue
			}
			s.mu.Lock()
			waits := s.refused[v.Gate.ID].At.Equal(v.At)
			if waits {
				delete(s.refused, v.Gate.ID)
				s.granted[v.Gate.ID] = grantedAt{textOf(v.Mark), now} // the camera sees it still
			}
			s.mu.Unlock()
			if !waits {
				continue
			}
			if _, err := opener.LetOut(ctx, gatehouse.LetOut{Gate: v.Gate.ID, Mark: v.Mark, Known: v.Known, Subject: v.Subject, Rule: "a space is free in car park " + c.ID}); err != nil {
				s.Log.Error("who waits at a full car park cannot be let in", "gate", v.Gate.ID, "code", gatehouse.ErrorCode(err))
			}
		}
	}
}
