package stay

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/rules/parking/pairing"
)

// States of an exit besides pairing's.
const (
	exitReversed  = "reversed"  // the sensor said that nobody passed
	exitDismissed = "dismissed" // a person looked, and no entry belongs to it
)

// exitTailgated is why nothing is known of an exit: it was another's opening.
const exitTailgated = "tailgated"

// byPairing stands for nobody: the pairing corrected a text.
const byPairing = "pairing"

// leave deals with a vehicle that was let out: which stay that ends is written down first,
// and counts when this is done again.
func (s *Stays) leave(ctx context.Context, l lane, p gatehouse.Passage) error {
	e, err := s.Store.ExitOf(ctx, s.Place, p.ID)
	if gatehouse.ErrorCode(err) == "store.not_found" {
		var ours bool
		if e, ours = s.judge(l, p); !ours {
			return nil
		}
		err = s.Store.PutExit(ctx, e, nil)
	}
	if err != nil {
		return err
	}
	if err := s.leaveLane(ctx, p.Gate, e.Stay); err != nil {
		return err
	}
	switch pairing.State(e.State) {
	case pairing.Paired:
		return s.end(ctx, e, ending{charge: true})
	case pairing.Ambiguous:
		for _, id := range e.Could {
			if err := s.setState(ctx, id, gatehouse.StayOpen, gatehouse.StayAmbiguous); err != nil {
				return err
			}
		}
		fallthrough
	case pairing.Unpaired:
		s.mu.Lock()
		s.unmatched[e.ID] = e
		s.mu.Unlock()
		s.noteStray(e)
	}
	return nil
}

// judge says which stay an exit ends. ours is false where an operator opened the lane and
// no vehicle is known to have stood there.
func (s *Stays) judge(l lane, p gatehouse.Passage) (e gatehouse.StayExit, ours bool) {
	e = gatehouse.StayExit{Place: s.Place, ID: p.ID, CarPark: l.park, Gate: p.Gate, At: p.At, Subject: p.Subject, Known: p.Known}
	if p.Kind == gatehouse.RemoteReading {
		for _, r := range s.waitingAt(p.Gate) {
			if p.At.Sub(r.ExitPassage.Time()) < waitAtExit {
				e.Subject, e.Known, e.State, e.Reason, e.Stay = r.Subject, r.Known, string(pairing.Paired), string(gatehouse.OpenedRemotely), r.ID
				return e, true
			}
		}
		return e, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	m := s.marks[p.ID]
	if _, there := s.inside[m.Stay]; there {
		e.State, e.Reason, e.Stay = string(pairing.Paired), "paid", m.Stay
		return e, true
	}
	if p.Known && p.Kind != gatehouse.PlateReading {
		// Somebody showed a card: it ends the stay that they began with it.
		for id, r := range s.inside {
			if r.Known && r.Subject == p.Subject && r.CarPark == l.park {
				e.State, e.Reason, e.Stay = string(pairing.Paired), "card", id
				return e, true
			}
		}
	}
	v := s.pair(l.park, m.Mark, p.Known, p.At)
	e.State, e.Reason, e.Stay, e.Could = string(v.State), string(v.Reason), v.Stay, v.Could
	return e, true
}

// ending is how a stay ends.
type ending struct {
	by     string // who attached the exit; "" for the pairing
	charge bool   // false: what it cost is written down, and nobody is charged
	leaf   []byte
}

// end ends a stay with its exit: what it cost is computed, kept with it, and booked.
func (s *Stays) end(ctx context.Context, e gatehouse.StayExit, how ending) error {
	r, err := s.Store.StayOf(ctx, s.Place, e.Stay)
	if err != nil {
		return err
	}
	if r.State == gatehouse.StayLeft {
		if r.ExitPassage == e.ID {
			s.remember(r)
			return s.book(ctx, r.ID)
		}
		return nil
	}
	if r, err = s.belongs(ctx, r, e.Subject, e.Known); err != nil {
		return err
	}
	r.State, r.Reason, r.Left, r.ExitGate, r.ExitPassage = gatehouse.StayLeft, e.Reason, e.At, e.Gate, e.ID
	if how.by != "" {
		r.By, r.Changed = how.by, s.Now().UTC()
	}
	if r.Correction == nil {
		if r.Correction, err = s.correctionOf(ctx, r, e); err != nil {
			return err
		}
	}
	bill, err := s.bill(ctx, r, r.Left)
	switch {
	case err != nil:
		// Nobody is charged what cannot be said. A person sees that the stay has no charge.
		s.Log.Error("a stay ended without a charge", "stay", r.ID, "code", gatehouse.ErrorCode(err))
	case bill.Charge.Currency != "":
		c := bill.Charge
		r.Charge, r.Owed = &c, bill.Due.Minor
	}
	if !how.charge {
		r.Owed, r.Booked = 0, true // there is nothing to book
	}
	if err := s.Store.ChangeStay(ctx, r, how.leaf); err != nil {
		return err
	}
	s.remember(r)
	if r.Charge == nil || !how.charge {
		return nil
	}
	if err := s.useRights(ctx, r); err != nil {
		return err
	}
	s.mu.Lock()
	s.unbooked[r.ID] = struct{}{}
	s.mu.Unlock()
	return s.book(ctx, r.ID)
}

// correctionOf keeps, sealed, what the exit's reading was where the pairing took it for the
// entry's; nil where both are the same.
func (s *Stays) correctionOf(ctx context.Context, r gatehouse.StayRecord, e gatehouse.StayExit) ([]byte, error) {
	s.mu.RLock()
	entry, exit := s.marks[r.EntryPassage].Mark.Plate.Text, s.marks[e.ID].Mark.Plate.Text
	s.mu.RUnlock()
	if entry == exit || entry == "" || exit == "" {
		return nil, nil
	}
	by := byPairing
	if e.By != "" {
		by = e.By
	}
	return s.sealCorrection(ctx, r, gatehouse.Corrected{Raw: exit, Text: entry, By: by, At: e.At})
}

// belongs gives a stay the vehicle that its exit knows, and what was corrected of it with it:
// that goes with the keys of whose plate it holds.
func (s *Stays) belongs(ctx context.Context, r gatehouse.StayRecord, subject gatehouse.SubjectID, known bool) (_ gatehouse.StayRecord, err error) {
	was := r.Subject
	if r = withSubject(r, subject, known); r.Subject == was || r.Correction == nil {
		return r, nil
	}
	s.mu.RLock()
	k, there := s.marks[r.EntryPassage]
	s.mu.RUnlock()
	if r.Correction = nil; !there || k.By == "" {
		return r, nil
	}
	r.Correction, err = s.sealCorrection(ctx, r, gatehouse.Corrected{Raw: k.Raw, Text: k.Mark.Plate.Text, By: k.By, At: r.Changed})
	return r, err
}

func (s *Stays) sealCorrection(ctx context.Context, r gatehouse.StayRecord, c gatehouse.Corrected) ([]byte, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	where := gatehouse.SealContext{Place: s.Place, Table: "stays", Row: r.ID, Field: "correction"}
	return s.Sealer.Seal(ctx, r.Subject, gatehouse.PassageClass, where, plain, gatehouse.PadField)
}

// book tells the books what a stay cost. Books that do not answer are told again later.
func (s *Stays) book(ctx context.Context, id gatehouse.ID) error {
	if s.Books == nil {
		return nil
	}
	r, err := s.Store.StayOf(ctx, s.Place, id)
	if err != nil {
		return err
	}
	if r.Charge != nil && !r.Booked && r.State == gatehouse.StayLeft {
		if err := s.Books.BookCharge(ctx, s.Place, r.ID, r.Left, *r.Charge); err != nil {
			s.Log.Warn("a stay's charge is not booked; it is tried again", "stay", r.ID, "code", gatehouse.ErrorCode(err))
			return nil
		}
		if err := s.payOtherwise(ctx, &r); err != nil {
			s.Log.Warn("what pays for a stay is not booked; it is tried again", "stay", r.ID, "code", gatehouse.ErrorCode(err))
			return nil
		}
		r.Booked = true
		if err := s.Store.ChangeStay(ctx, r, nil); err != nil {
			return err
		}
		s.remember(r)
	}
	s.mu.Lock()
	delete(s.unbooked, id)
	s.mu.Unlock()
	return nil
}

// bookAgain tries what the books did not take.
func (s *Stays) bookAgain(ctx context.Context) error {
	s.mu.RLock()
	var ids []gatehouse.ID
	for id := range s.unbooked {
		ids = append(ids, id)
	}
	s.mu.RUnlock()
	for _, id := range ids {
		if err := s.book(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// setState changes a stay that is inside from one state to another.
func (s *Stays) setState(ctx context.Context, id gatehouse.ID, from, to gatehouse.StayState) error {
	r, ok := s.stillInside(id)
	if !ok || r.State != from {
		return nil
	}
	r.State = to
	if err := s.Store.ChangeStay(ctx, r, nil); err != nil {
		return err
	}
	s.remember(r)
	return nil
}

// reverse takes back an exit whose vehicle did not leave after all. What was booked stays:
// the next exit books the difference.
func (s *Stays) reverse(ctx context.Context, id gatehouse.ID) error {
	e, err := s.Store.ExitOf(ctx, s.Place, id)
	if gatehouse.ErrorCode(err) == "store.not_found" || err == nil && e.By != "" {
		return nil
	}
	if err != nil {
		return err
	}
	if !e.Stay.IsZero() {
		r, err := s.Store.StayOf(ctx, s.Place, e.Stay)
		if err != nil {
			return err
		}
		if r.State == gatehouse.StayLeft && r.ExitPassage == id {
			r.State, r.Left, r.ExitGate, r.ExitPassage, r.Charge, r.Owed, r.Booked = gatehouse.StayOpen, time.Time{}, "", gatehouse.ID{}, nil, 0, false
			if err := s.Store.ChangeStay(ctx, r, nil); err != nil {
				return err
			}
			s.remember(r)
		}
	}
	e.State = exitReversed
	if err := s.Store.PutExit(ctx, e, nil); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.unmatched, id)
	s.mu.Unlock()
	s.noStray(e)
	return s.clearAmbiguous(ctx, e)
}

// clearAmbiguous opens the stays again that only this exit could have meant.
func (s *Stays) clearAmbiguous(ctx context.Context, e gatehouse.StayExit) error {
	for _, id := range e.Could {
		if id == e.Stay || s.couldMean(id) {
			continue
		}
		if err := s.setState(ctx, id, gatehouse.StayAmbiguous, gatehouse.StayOpen); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stays) couldMean(stay gatehouse.ID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, e := range s.unmatched {
		for _, id := range e.Could {
			if id == stay {
				return true
			}
		}
	}
	return false
}

// tailgated deals with a vehicle that passed behind another, on its opening. At an exit it is
// one that nobody read: a person looks at the pictures and says which stay it ended, and nobody
// is charged by a guess. At an entry it is inside without a stay: its exit will open, as that of
// whoever was not seen come in. Who was let in or out properly is not concerned.
func (s *Stays) tailgated(ctx context.Context, l lane, p gatehouse.Passage) error {
	if !l.entry {
		id := p.ID
		id[len(id)-1] ^= 1 // of its own, and the same when this is done again
		_, err := s.Store.ExitOf(ctx, s.Place, id)
		if err == nil {
			return nil // the alarm was raised, or will be looked for in vain: what counts is the exit
		}
		if gatehouse.ErrorCode(err) != "store.not_found" {
			return err
		}
		e := gatehouse.StayExit{Place: s.Place, ID: id, CarPark: l.park, Gate: p.Gate, At: p.At, Subject: gatehouse.RandomID(), State: string(pairing.Unpaired), Reason: exitTailgated}
		if err := s.Store.PutExit(ctx, e, nil); err != nil {
			return err
		}
		s.mu.Lock()
		s.unmatched[id] = e
		s.mu.Unlock()
		s.noteStray(e)
	}
	if s.Tailgated != nil {
		s.Tailgated(ctx, p.Gate)
	}
	return nil
}
