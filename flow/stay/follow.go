package stay

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
	"gatehouse/rules/parking/pairing"
)

var _ follow.Sink = (*Stays)(nil)

// saveEvery is behind how many leaves that concern no car park the position is kept all
// the same: those in between are read again after a restart, which makes nothing of them.
const saveEvery = 4096

// Cursor implements follow.Sink.
func (s *Stays) Cursor(context.Context) (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.position, nil
}

// Deal implements follow.Sink. Each leaf makes rows that are the same when it is dealt with
// again, and the position is kept after them.
func (s *Stays) Deal(ctx context.Context, leaves []follow.Leaf) error {
	err := s.deal(ctx, leaves)
	s.letQueued(ctx)
	return err
}

func (s *Stays) deal(ctx context.Context, leaves []follow.Leaf) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	events, err := s.decoder.Decode(ctx, leaves)
	if err != nil {
		return err
	}
	concerned := false
	for _, e := range events {
		l, ours := s.lanes[e.Passage.Gate]
		if !ours {
			continue
		}
		concerned = true
		if err := s.event(ctx, l, e); err != nil {
			return err
		}
	}
	last := leaves[len(leaves)-1].Position
	s.mu.Lock()
	s.position = last
	save := concerned || last-s.saved > saveEvery
	s.mu.Unlock()
	if !save {
		return nil
	}
	if err := s.Store.PutStayCursor(ctx, s.Place, last); err != nil {
		return err
	}
	s.mu.Lock()
	s.saved = last
	s.mu.Unlock()
	return nil
}

// event deals with one passage at a lane, or with what the sensor said of one.
func (s *Stays) event(ctx context.Context, l lane, e follow.Event) error {
	p := e.Passage
	turnedBack := p.Outcome == gatehouse.NotPassed
	switch {
	case e.Kind == follow.OutcomeEvent && turnedBack && l.entry:
		return s.withdraw(ctx, p.ID)
	case e.Kind == follow.OutcomeEvent && turnedBack:
		return s.reverse(ctx, p.ID)
	case e.Kind == follow.OutcomeEvent && p.Outcome == gatehouse.Tailgated:
		return s.tailgated(ctx, l, p)
	case e.Kind != follow.PassageEvent || p.Decision.Grant && turnedBack:
		return nil
	case p.Decision.Grant && l.entry:
		return s.enter(ctx, l, p)
	case p.Decision.Grant:
		return s.leave(ctx, l, p)
	case !l.entry && p.Decision.Reason == gatehouse.PaymentOwed:
		return s.wait(ctx, l, p)
	}
	return nil
}

// enter opens a stay. Its id is the entry passage's, so that it is opened once.
func (s *Stays) enter(ctx context.Context, l lane, p gatehouse.Passage) error {
	defer func() {
		s.mu.Lock()
		delete(s.admitted, p.ID)
		s.mu.Unlock()
	}()
	if _, err := s.Store.StayOf(ctx, s.Place, p.ID); gatehouse.ErrorCode(err) != "store.not_found" {
		return err
	}
	if p.Kind == gatehouse.RemoteReading {
		var somebody bool
		var err error
		if p, somebody, err = s.adopt(ctx, p); err != nil || !somebody {
			return err
		}
	}
	s.mu.RLock()
	m := s.marks[p.ID]
	e := pairing.Enter(m.Mark, s.open(l.park))
	s.mu.RUnlock()
	r := gatehouse.StayRecord{CarPark: l.park, State: gatehouse.StayOpen, Reason: string(e.Reason), Known: p.Known,
		Stay: gatehouse.Stay{Place: s.Place, ID: p.ID, Subject: p.Subject, Class: classOf(m.Mark), EntryGate: p.Gate, EntryPassage: p.ID, Entered: p.At}}
	admission := s.admission(l.park, gatehouse.AtLane{Mark: m.Mark, Known: p.Known, Subject: p.Subject, At: p.At})
	if admission.Let {
		r.Right, r.Group = admission.Right, admission.Group
	}
	if e.Reason == pairing.EntryAgain {
		if err := s.endUnseen(ctx, e.Missed, string(e.Reason)); err != nil {
			return err
		}
	}
	if err := s.Store.OpenStay(ctx, r); err != nil {
		return err
	}
	s.remember(r)
	if e.Reason == pairing.EntryTwice {
		s.Alarm(ctx, p.Gate)
	}
	return nil
}

// adopt gives an entry that an operator opened the vehicle that had been turned away there a
// moment ago. Where none had, nobody is known to have come in.
func (s *Stays) adopt(ctx context.Context, p gatehouse.Passage) (_ gatehouse.Passage, somebody bool, err error) {
	s.mu.Lock()
	v, stood := s.refused[p.Gate]
	delete(s.refused, p.Gate)
	s.mu.Unlock()
	if !stood || p.At.Sub(v.At) > refusedFor {
		return p, false, nil
	}
	if v.Known {
		p.Subject, p.Known = v.Subject, true
	}
	return p, true, s.putMark(ctx, p.ID, kept{At: p.At, Gate: p.Gate, Subject: p.Subject, Known: p.Known, Mark: v.Mark})
}

// refusedFor is for how long a vehicle that was turned away counts as standing there.
const refusedFor = 5 * time.Minute

func classOf(m gatehouse.Mark) gatehouse.VehicleClass {
	if m.Class == "" {
		return gatehouse.Car
	}
	return m.Class
}

// endUnseen ends a stay whose exit nobody saw: without a charge.
func (s *Stays) endUnseen(ctx context.Context, id gatehouse.ID, reason string) error {
	r, ok := s.stillInside(id)
	if !ok {
		return nil
	}
	r.State, r.Reason = gatehouse.StayLost, reason
	if err := s.Store.ChangeStay(ctx, r, nil); err != nil {
		return err
	}
	s.remember(r)
	s.noteUnseen(r)
	return nil
}

func (s *Stays) stillInside(id gatehouse.ID) (gatehouse.StayRecord, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.inside[id]
	if !ok {
		return gatehouse.StayRecord{}, false
	}
	return *r, true
}

// endOverdue ends the stays that are open for longer than anybody stays in their car park.
func (s *Stays) endOverdue(ctx context.Context, now time.Time) error {
	for _, c := range s.CarParks {
		s.mu.RLock()
		var open []pairing.Open
		for id, r := range s.inside {
			if r.CarPark == c.ID {
				open = append(open, pairing.Open{ID: id, Entered: r.Entered})
			}
		}
		s.mu.RUnlock()
		for _, id := range pairing.Overdue(open, c.Longest, now) {
			if err := s.endUnseen(ctx, id, "overdue"); err != nil {
				return err
			}
		}
	}
	return nil
}

// withdraw takes back a stay whose vehicle did not come in after all.
func (s *Stays) withdraw(ctx context.Context, id gatehouse.ID) error {
	r, ok := s.stillInside(id)
	if !ok {
		return nil
	}
	r.State, r.Reason = gatehouse.StayWithdrawn, "reversed"
	if err := s.Store.ChangeStay(ctx, r, nil); err != nil {
		return err
	}
	s.remember(r)
	return nil
}

// wait notes a vehicle that stands at an exit and owes something.
func (s *Stays) wait(ctx context.Context, l lane, p gatehouse.Passage) error {
	s.mu.RLock()
	m := s.marks[p.ID]
	v := s.pair(l.park, m.Mark, p.Known, p.At)
	s.mu.RUnlock()
	if err := s.leaveLane(ctx, p.Gate, v.Stay); err != nil {
		return err
	}
	r, ok := s.stillInside(v.Stay)
	if v.State != pairing.Paired || !ok || r.ExitPassage == p.ID {
		return nil
	}
	r, err := s.belongs(ctx, r, p.Subject, p.Known)
	if err != nil {
		return err
	}
	r.State, r.ExitGate, r.ExitPassage = gatehouse.StayWaiting, p.Gate, p.ID
	if err := s.Store.ChangeStay(ctx, r, nil); err != nil {
		return err
	}
	s.remember(r)
	return nil
}

// leaveLane notes that whoever waited at an exit is not there any more, except one.
func (s *Stays) leaveLane(ctx context.Context, gate gatehouse.GateID, except gatehouse.ID) error {
	for _, r := range s.waitingAt(gate) {
		if r.ID == except {
			continue
		}
		r.State, r.ExitGate, r.ExitPassage = gatehouse.StayOpen, "", gatehouse.ID{}
		if err := s.Store.ChangeStay(ctx, r, nil); err != nil {
			return err
		}
		s.remember(r)
	}
	return nil
}

func (s *Stays) waitingAt(gate gatehouse.GateID) (all []gatehouse.StayRecord) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.inside {
		if r.State == gatehouse.StayWaiting && r.ExitGate == gate {
			all = append(all, *r)
		}
	}
	return all
}
