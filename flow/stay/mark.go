package stay

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"gatehouse"
	"gatehouse/rules/parking/pairing"
)

// kept is a passage's mark as its item of the working set holds it.
type kept struct {
	At      time.Time           `json:"at"`
	Gate    gatehouse.GateID    `json:"gate"`
	Subject gatehouse.SubjectID `json:"subject"`
	Known   bool                `json:"known,omitempty"`
	Mark    gatehouse.Mark      `json:"mark"`
	// Stay is the stay that the passage ends, where that was known before: of a vehicle that
	// was let out after it had paid.
	Stay gatehouse.ID `json:"stay,omitzero"`
	// Saying is what a driver typed who then began to pay for the stay, and Said what one did
	// who paid; PaidUntil is until when the stay may leave that is paid.
	Saying    string    `json:"saying,omitempty"`
	Said      string    `json:"said,omitempty"`
	PaidUntil time.Time `json:"paid_until,omitzero"`
	// Raw is what was read, where By corrected it since.
	Raw string `json:"raw,omitempty"`
	By  string `json:"by,omitempty"`
}

// Keep implements gatehouse.Parking. Who was not let in leaves no mark.
func (s *Stays) Keep(ctx context.Context, p gatehouse.Passage, m gatehouse.Mark, stay gatehouse.ID) error {
	l, ours := s.lanes[p.Gate]
	if !ours || !p.Decision.Grant && (l.entry || p.Decision.Reason != gatehouse.PaymentOwed) {
		return nil
	}
	k := kept{At: p.At, Gate: p.Gate, Subject: p.Subject, Known: p.Known, Mark: m, Stay: stay}
	if err := s.putMark(ctx, p.ID, k); err != nil {
		return err
	}
	if l.entry {
		s.mu.Lock()
		s.admitted[p.ID] = admitted{l.park, classOf(m), p.At}
		s.mu.Unlock()
	}
	return nil
}

func (s *Stays) putMark(ctx context.Context, id gatehouse.ID, k kept) error {
	plain, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if err := s.Working.PutKept(ctx, gatehouse.MarkItem, id, plain); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks[id] = k
	return nil
}

func (s *Stays) loadMarks(context.Context) error {
	for id, plain := range s.Working.Kept(gatehouse.MarkItem) {
		var k kept
		if err := json.Unmarshal(plain, &k); err != nil {
			return gatehouse.Errorf("workingset.damaged", "this version cannot read it", "a vehicle's mark is malformed")
		}
		s.marks[id] = k
	}
	return nil
}

// dropMark forgets one, on disk first.
func (s *Stays) dropMark(ctx context.Context, id gatehouse.ID) error {
	if err := s.Working.RemoveKept(ctx, gatehouse.MarkItem, id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.marks, id)
	return nil
}

// open is what pairing looks at: a car park's stays that have a mark. The caller holds s.mu.
func (s *Stays) open(park string) []pairing.Open {
	var all []pairing.Open
	for id, r := range s.inside {
		if m, ok := s.marks[id]; ok && r.CarPark == park {
			all = append(all, pairing.Open{ID: id, Mark: m.Mark, Entered: r.Entered, Said: m.Said, PaidUntil: m.PaidUntil})
		}
	}
	return all
}

// lost are the exits of the last days that belong to no stay. The caller holds s.mu.
func (s *Stays) lost(park string, now time.Time) []pairing.Sighting {
	var all []pairing.Sighting
	for id, e := range s.unmatched {
		if m, ok := s.marks[id]; ok && e.CarPark == park && e.State == string(pairing.Unpaired) && now.Sub(e.At) < lostKept {
			all = append(all, pairing.Sighting{Mark: m.Mark, At: e.At})
		}
	}
	return all
}

// Tidy drops the marks that nothing needs any more, and ends the stays that are open for
// longer than anybody stays. It is called every minute.
func (s *Stays) Tidy(ctx context.Context) error {
	if err := s.tidyMarks(ctx); err != nil {
		return err
	}
	s.letQueued(ctx)
	return errors.Join(s.tidyOrders(ctx), s.tidyCodes(ctx), s.tidyValidations(ctx), s.tidyVehicles(ctx), s.tidyLooks(ctx))
}

func (s *Stays) tidyMarks(ctx context.Context) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	now := s.Now()
	if err := s.endOverdue(ctx, now); err != nil {
		return err
	}
	s.mu.Lock()
	for id, at := range s.left {
		if now.Sub(at) > settling {
			delete(s.left, id)
		}
	}
	for id, r := range s.owing {
		if now.Sub(r.Entered) > MarkKept {
			delete(s.owing, id)
		}
	}
	for id, a := range s.admitted {
		if now.Sub(a.at) > time.Minute {
			delete(s.admitted, id)
		}
	}
	for id, e := range s.unmatched {
		if now.Sub(e.At) > lostKept {
			delete(s.unmatched, id)
		}
	}
	maps.DeleteFunc(s.letting, func(_ gatehouse.ID, at time.Time) bool { return now.Sub(at) > waitAtExit })
	var gone []gatehouse.ID
	for id, k := range s.marks {
		if !s.needed(id, k, now) {
			gone = append(gone, id)
		}
	}
	s.mu.Unlock()
	for _, id := range gone {
		if err := s.dropMark(ctx, id); err != nil {
			return err
		}
	}
	return s.bookAgain(ctx)
}

// needed reports whether a mark is still of use: of a stay that is open or unpaid, or that
// ended a moment ago, and of an exit that waits for a person or for money. The caller holds
// s.mu.
func (s *Stays) needed(id gatehouse.ID, k kept, now time.Time) bool {
	age := now.Sub(k.At)
	if age >= MarkKept {
		return false
	}
	if age < settling {
		return true // its passage may not be followed yet
	}
	if s.lanes[k.Gate].entry {
		_, inside := s.inside[id]
		_, owing := s.owing[id]
		_, left := s.left[id]
		return inside || owing || left
	}
	_, unmatched := s.unmatched[id]
	return unmatched || age < waitAtExit
}

// Forget follows an erasure: what was given to whoever is gone (a pass, an account and its
// browsers) goes, marks of vehicles that are not known any more do, and rows are read again under
// the ids that they have now. What fails keeps nothing else from going.
func (s *Stays) Forget(ctx context.Context) error {
	if s.None() {
		return nil
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	return errors.Join(s.loadData(ctx), s.forgetMarks(ctx))
}

// forgetMarks is the part of Forget that is about marks and rows; the caller holds s.changes.
func (s *Stays) forgetMarks(ctx context.Context) (failed error) {
	s.mu.RLock()
	marks := maps.Clone(s.marks)
	var stays []gatehouse.StayRecord
	for _, of := range []map[gatehouse.ID]*gatehouse.StayRecord{s.inside, s.owing} {
		for _, r := range of {
			stays = append(stays, *r)
		}
	}
	exits := maps.Clone(s.unmatched)
	s.mu.RUnlock()
	gone := map[gatehouse.ID]bool{}
	for id, k := range marks {
		if _, here := s.Working.Badge(k.Subject); k.Known && !here {
			gone[id] = true
		}
	}
	for _, r := range stays {
		now, err := s.Store.StayOf(ctx, s.Place, r.ID)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if now.Subject != r.Subject {
			gone[r.ID] = true
			s.remember(now)
		}
	}
	for id, e := range exits {
		now, err := s.Store.ExitOf(ctx, s.Place, id)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if now.Subject != e.Subject {
			gone[id] = true
			s.mu.Lock()
			s.unmatched[id] = now
			s.mu.Unlock()
		}
	}
	for id := range gone {
		failed = errors.Join(failed, s.dropMark(ctx, id))
	}
	return failed
}

// remember takes a stay's row into memory, where it belongs now.
func (s *Stays) remember(r gatehouse.StayRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inside, r.ID)
	delete(s.owing, r.ID)
	switch {
	case !r.Ended():
		s.inside[r.ID] = &r
		delete(s.left, r.ID)
	case r.State == gatehouse.StayLeft:
		s.left[r.ID] = s.Now()
		if r.Owed > 0 {
			s.owing[r.ID] = &r
		}
	}
}
