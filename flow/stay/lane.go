package stay

import (
	"context"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
	"gatehouse/rules/parking/pairing"
)

var _ gatehouse.Parking = (*Stays)(nil)

// Lane implements gatehouse.Parking.
func (s *Stays) Lane(gate gatehouse.GateID) bool {
	_, ours := s.lanes[gate]
	return ours
}

// At implements gatehouse.Parking.
func (s *Stays) At(ctx context.Context, v gatehouse.AtLane) (d gatehouse.Decision, certain bool) {
	l := s.lanes[v.Gate.ID]
	if v.Mark.Class == "" && v.Mark.Ticket == "" { // a ticket says nothing of what drives
		v.Mark.Class = gatehouse.Car
	}
	sight := s.sight(l, v)
	if l.entry {
		d, certain = parking.AtEntry(sight, s.admission(l.park, v))
	} else {
		d, certain = s.atExit(ctx, l, v, sight)
	}
	if certain || v.Final {
		s.mu.Lock()
		if d.Grant {
			s.granted[v.Gate.ID] = grantedAt{textOf(v.Mark), v.At}
		}
		if delete(s.refused, v.Gate.ID); !d.Grant && l.entry && d.Reason != gatehouse.Repeated {
			s.refused[v.Gate.ID] = v
		}
		s.mu.Unlock()
	}
	return d, certain
}

func textOf(m gatehouse.Mark) string {
	if m.Ticket != "" {
		return "ticket " + m.Ticket
	}
	return m.Plate.Text
}

func (s *Stays) sight(l lane, v gatehouse.AtLane) parking.Sight {
	text := textOf(v.Mark)
	s.mu.RLock()
	last, before := s.granted[v.Gate.ID]
	s.mu.RUnlock()
	return parking.Sight{CarPark: l.park, Vehicle: text != "",
		Sure:     v.Mark.Ticket != "" || v.Mark.Plate.Confidence >= v.Gate.Policy.MinPlateConfidence,
		Enough:   v.Final || v.Seen >= patience,
		Repeated: before && text != "" && last.text == text && v.At.Sub(last.at).Abs() < v.Gate.Policy.RepeatWithin}
}

// admission is the answer at an entry, whatever was seen of the vehicle.
func (s *Stays) admission(park string, v gatehouse.AtLane) parking.Admission {
	a := parking.Arrival{At: v.At.In(s.Location), Class: v.Mark.Class, Closed: s.parks[park].Closed}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if v.Known {
		a.Denied = s.data.denied[v.Subject] > 0
		if b, ok := s.Working.Badge(v.Subject); ok && b.Status == gatehouse.Active {
			a.Listed = true
			a.Passes, a.Reservations = s.data.passesOf(v.Subject), s.data.reservations[v.Subject]
		}
	}
	a.Quotas, a.Inside = s.data.quotaList(), map[string]int{}
	for _, r := range s.inside {
		if r.CarPark == park {
			a.Inside[r.Group]++
		}
	}
	spaces := s.spaces(s.parks[park], v.At)
	for _, x := range s.admitted { // let in, and not followed yet
		if x.park == park {
			spaces.Inside[x.class]++
		}
	}
	a.Free = spaces.Free(v.Mark.Class)
	return parking.Admit(a)
}

func (s *Stays) atExit(ctx context.Context, l lane, v gatehouse.AtLane, sight parking.Sight) (gatehouse.Decision, bool) {
	s.mu.RLock()
	verdict := s.pair(l.park, v.Mark, v.Known, v.At)
	var r gatehouse.StayRecord
	if verdict.State == pairing.Paired {
		r = *s.inside[verdict.Stay]
	}
	s.mu.RUnlock()
	var o parking.Owing
	if verdict.State == pairing.Paired && !sight.Repeated {
		bill, err := s.bill(ctx, withSubject(r, v.Subject, v.Known), v.At)
		if err != nil {
			s.Log.Error("what a stay owes cannot be found out; the barrier opens", "stay", r.ID, "code", gatehouse.ErrorCode(err))
		}
		o = parking.Owing{Due: bill.Due, Unknown: err != nil, Paid: bill.Paid.Minor > 0}
		if err == nil {
			if o.By, _, err = s.payer(ctx, r, v.Subject, v.Known, bill.Due, v.At); err != nil {
				s.Log.Error("whether a pass pays for a stay cannot be found out; its driver is asked", "stay", r.ID, "code", gatehouse.ErrorCode(err))
			}
		}
	}
	return parking.AtExit(sight, verdict, o)
}

// pair says which stay a vehicle at an exit ends. The caller holds s.mu.
func (s *Stays) pair(park string, m gatehouse.Mark, known bool, at time.Time) pairing.Verdict {
	open := s.open(park)
	slices.SortFunc(open, func(a, b pairing.Open) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return pairing.Pair(pairing.Exit{Mark: m, At: at, Known: known, Lost: s.lost(park, at)}, open)
}

// withSubject gives a stay the vehicle that its exit knows, where its entry was misread.
func withSubject(r gatehouse.StayRecord, subject gatehouse.SubjectID, known bool) gatehouse.StayRecord {
	if known && !r.Known {
		r.Subject, r.Known = subject, true
	}
	return r
}

// Occupancy is how full a car park is.
type Occupancy struct {
	CarPark   gatehouse.CarPark
	Inside    int
	Free      int // left to visitors' cars, not negative: for the sign
	Full      bool
	Classes   map[gatehouse.VehicleClass]int // the same of classes with spaces of their own
	Kept      int                            // for passes and reservations that are not inside
	Corrected int                            // of Inside, what a person's count added
	Groups    map[string]int                 // spaces in use, by quota's group
	Waiting   int                            // vehicles that wait at an exit, and owe something
	Unmatched int                            // exits of the last days that wait for a person
}

// Occupancies says how full each car park is, in the configuration's order.
func (s *Stays) Occupancies() []Occupancy {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := []Occupancy{}
	for _, c := range s.CarParks {
		o := Occupancy{CarPark: c, Groups: map[string]int{}}
		for _, r := range s.inside {
			if r.CarPark != c.ID {
				continue
			}
			o.Inside++
			if r.Group != "" {
				o.Groups[r.Group]++
			}
			if r.State == gatehouse.StayWaiting {
				o.Waiting++
			}
		}
		for _, e := range s.unmatched {
			if e.CarPark == c.ID {
				o.Unmatched++
			}
		}
		spaces := s.spaces(c, s.Now())
		o.Kept, o.Corrected, o.Free = spaces.Kept, spaces.Corrected, max(0, spaces.Free(gatehouse.Car))
		o.Inside = max(0, o.Inside+o.Corrected)
		o.Full, o.Classes = o.Free == 0, map[gatehouse.VehicleClass]int{}
		for class := range c.Apart {
			o.Classes[class] = max(0, spaces.Free(class))
		}
		all = append(all, o)
	}
	return all
}
