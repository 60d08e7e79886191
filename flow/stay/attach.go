package stay

import (
	"context"
	"strings"
	"unicode"

	"gatehouse"
	"gatehouse/rules/parking/pairing"
)

// Attaching is a person's answer to an exit that was not paired.
type Attaching struct {
	Exit, Stay gatehouse.ID
	By         string // an account's id, or "admin-socket"
	// Charge charges what the stay cost; otherwise that is written down, and nobody owes it:
	// the vehicle was let out because it was not clear.
	Charge bool
}

// Attach ends a stay with an exit that waits for a person. What it cost is computed anew.
// Errors: parking.unknown_exit, parking.unknown_stay, parking.attached (somebody dealt with
// it already), parking.does_not_fit.
func (s *Stays) Attach(ctx context.Context, a Attaching) (gatehouse.StayRecord, error) {
	s.changes.Lock()
	defer s.changes.Unlock()
	e, err := s.unmatchedExit(ctx, a.Exit)
	if err != nil {
		return gatehouse.StayRecord{}, err
	}
	r, err := s.stay(ctx, a.Stay)
	if err != nil {
		return gatehouse.StayRecord{}, err
	}
	if r.State == gatehouse.StayLeft || r.State == gatehouse.StayWithdrawn || r.CarPark != e.CarPark || !r.Entered.Before(e.At) {
		return gatehouse.StayRecord{}, gatehouse.Errorf("parking.does_not_fit", "choose a stay of the same car park that began before and has not ended", "this stay cannot have ended with this exit")
	}
	now := s.Now().UTC()
	e.State, e.Stay, e.By, e.Attached = string(pairing.Paired), r.ID, a.By, now
	if e.Reason = "attached"; !a.Charge {
		e.Reason = "attached_free"
	}
	if err := s.Store.PutExit(ctx, e, gatehouse.ParkingLeaf(s.Place, e.Reason, e.ID.String(), a.By, r.ID[:], now)); err != nil {
		return gatehouse.StayRecord{}, err
	}
	if err := s.finish(ctx, e); err != nil {
		return gatehouse.StayRecord{}, err
	}
	return s.stay(ctx, r.ID)
}

// finish ends the stay of an exit that a person attached.
func (s *Stays) finish(ctx context.Context, e gatehouse.StayExit) error {
	if err := s.end(ctx, e, ending{by: e.By, charge: e.Reason != "attached_free"}); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.unmatched, e.ID)
	s.mu.Unlock()
	s.noStray(e)
	return s.clearAmbiguous(ctx, e)
}

// finishAttached ends the stays of exits that somebody attached just before the server was
// killed.
func (s *Stays) finishAttached(ctx context.Context) error {
	f := gatehouse.StayFilter{Place: s.Place, State: string(pairing.Paired), Since: s.Now().Add(-MarkKept), Limit: page}
	for {
		found, err := s.Store.Exits(ctx, f)
		if err != nil {
			return err
		}
		for _, e := range found {
			if _, inside := s.inside[e.Stay]; inside && e.By != "" {
				if err := s.finish(ctx, e); err != nil {
					return err
				}
			}
		}
		if len(found) < page {
			return nil
		}
		f.Before = found[page-1].ID
	}
}

// Dismiss notes that a person looked at an exit, and that no entry belongs to it.
func (s *Stays) Dismiss(ctx context.Context, exit gatehouse.ID, by string) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	e, err := s.unmatchedExit(ctx, exit)
	if err != nil {
		return err
	}
	now := s.Now().UTC()
	e.State, e.By, e.Attached = exitDismissed, by, now
	if err := s.Store.PutExit(ctx, e, gatehouse.ParkingLeaf(s.Place, "exit-dismissed", e.ID.String(), by, nil, now)); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.unmatched, e.ID)
	s.mu.Unlock()
	return s.clearAmbiguous(ctx, e)
}

// End ends a stay without an exit: a person looked, and the vehicle is gone. Nothing is
// charged.
func (s *Stays) End(ctx context.Context, stay gatehouse.ID, by string) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	r, err := s.stay(ctx, stay)
	if err != nil {
		return err
	}
	if r.Ended() {
		return gatehouse.Errorf("parking.attached", "look at it again", "the stay has ended already")
	}
	now := s.Now().UTC()
	r.State, r.Reason, r.By, r.Changed = gatehouse.StayLost, "ended_by_hand", by, now
	if err := s.Store.ChangeStay(ctx, r, gatehouse.ParkingLeaf(s.Place, "stay-ended", r.ID.String(), by, nil, now)); err != nil {
		return err
	}
	s.remember(r)
	s.noteUnseen(r)
	return nil
}

// Correct gives a stay that is open the plate that a person read in its picture. What the
// camera read is kept beside it, sealed, with who corrected it. Errors:
// parking.unknown_stay, parking.no_mark, parking.plate.
func (s *Stays) Correct(ctx context.Context, stay gatehouse.ID, plate gatehouse.Secret, by string) error {
	text := gatehouse.NormalizePlate(plate.Reveal())
	if n := len([]rune(text)); n < 2 || n > 16 || len(plate) > 64 || strings.ContainsFunc(plate.Reveal(), notOfAPlate) {
		return gatehouse.Errorf("parking.plate", "type its letters and digits", "a plate has 2 to 16 letters and digits")
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	var err error
	r, ok := s.stillInside(stay)
	if !ok {
		return gatehouse.Errorf("parking.unknown_stay", "see the list of stays", "no such stay is open")
	}
	s.mu.RLock()
	k, there := s.marks[r.EntryPassage]
	s.mu.RUnlock()
	if !there {
		return gatehouse.Errorf("parking.no_mark", "after seven days only the archive has it", "the plate of this stay is not kept any more")
	}
	now := s.Now().UTC()
	// Whose stay it is comes first: the correction holds their plate, and goes with their keys.
	// One that was another's by the plate that the camera took it for is theirs no more.
	if id, known := s.Working.ByPlate(text); known {
		r.Subject, r.Known = id, true
	} else if misread, _ := s.Working.ByPlate(k.Mark.Plate.Text); r.Known && misread == r.Subject {
		if r.Subject, err = s.Sealer.OneOff(ctx, s.Place); err != nil {
			return err
		}
		r.Known, k.Known, k.Subject = false, false, r.Subject
	}
	if k.By == "" {
		k.Raw = k.Mark.Plate.Text
	}
	k.By, k.Saying, k.Said = by, "", ""
	// The person looked: nothing of the camera's doubts holds for what they typed.
	k.Mark.Plate = gatehouse.PlateRead{Text: text, Raw: k.Mark.Plate.Raw, Region: k.Mark.Plate.Region, Class: k.Mark.Plate.Class, Confidence: 1}
	if r.Correction, err = s.sealCorrection(ctx, r, gatehouse.Corrected{Raw: k.Raw, Text: text, By: by, At: now}); err != nil {
		return err
	}
	r.By, r.Changed = by, now
	if err := s.Store.ChangeStay(ctx, r, gatehouse.ParkingLeaf(s.Place, "plate-corrected", r.ID.String(), by, r.Correction, now)); err != nil {
		return err
	}
	s.remember(r)
	return s.putMark(ctx, r.EntryPassage, k)
}

// notOfAPlate reports what stands on no plate: more than letters, digits, and what keeps
// them apart.
func notOfAPlate(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" -·•.", r)
}

func (s *Stays) unmatchedExit(ctx context.Context, id gatehouse.ID) (gatehouse.StayExit, error) {
	e, err := s.Store.ExitOf(ctx, s.Place, id)
	if gatehouse.ErrorCode(err) == "store.not_found" {
		return e, gatehouse.Errorf("parking.unknown_exit", "see the list of exits", "there is no such exit")
	}
	if err == nil && e.State != string(pairing.Ambiguous) && e.State != string(pairing.Unpaired) {
		return e, gatehouse.Errorf("parking.attached", "look at it again", "this exit waits for nobody any more")
	}
	return e, err
}

// stay reads one: parking.unknown_stay.
func (s *Stays) stay(ctx context.Context, id gatehouse.ID) (gatehouse.StayRecord, error) {
	r, err := s.Store.StayOf(ctx, s.Place, id)
	if gatehouse.ErrorCode(err) == "store.not_found" {
		err = gatehouse.Errorf("parking.unknown_stay", "see the list of stays", "there is no such stay")
	}
	return r, err
}

// Stay reads one. Errors: parking.unknown_stay.
func (s *Stays) Stay(ctx context.Context, id gatehouse.ID) (gatehouse.StayRecord, error) {
	return s.stay(ctx, id)
}

// List gives stays, newest first.
func (s *Stays) List(ctx context.Context, f gatehouse.StayFilter) ([]gatehouse.StayRecord, error) {
	f.Place = s.Place
	return s.Store.Stays(ctx, f)
}

// Unmatched gives the exits that wait for a person, newest first.
func (s *Stays) Unmatched(ctx context.Context, park string, before gatehouse.ID, limit int) ([]gatehouse.StayExit, error) {
	return s.Store.Exits(ctx, gatehouse.StayFilter{Place: s.Place, CarPark: park, State: gatehouse.UnmatchedExits, Before: before, Limit: limit})
}

// Candidates are the stays that could have ended with an exit: those that the pairing named,
// then the others, the latest first. Their plates stay where they are.
func (s *Stays) Candidates(ctx context.Context, exit gatehouse.ID, limit int) ([]gatehouse.StayRecord, error) {
	e, err := s.unmatchedExit(ctx, exit)
	if err != nil {
		return nil, err
	}
	all, err := s.List(ctx, gatehouse.StayFilter{CarPark: e.CarPark, State: gatehouse.InsideStays, Since: e.At.Add(-s.parks[e.CarPark].Longest), Limit: 1000})
	if err != nil {
		return nil, err
	}
	return rank(e, all, limit), nil
}

func rank(e gatehouse.StayExit, all []gatehouse.StayRecord, limit int) []gatehouse.StayRecord {
	var named, others []gatehouse.StayRecord
	for _, r := range all {
		if !r.Entered.Before(e.At) {
			continue
		}
		could := false
		for _, id := range e.Could {
			could = could || id == r.ID
		}
		if could {
			named = append(named, r)
		} else {
			others = append(others, r)
		}
	}
	all = append(named, others...)
	return all[:min(len(all), limit)]
}

// Exit reads one: parking.unknown_exit.
func (s *Stays) Exit(ctx context.Context, id gatehouse.ID) (gatehouse.StayExit, error) {
	e, err := s.Store.ExitOf(ctx, s.Place, id)
	if gatehouse.ErrorCode(err) == "store.not_found" {
		err = gatehouse.Errorf("parking.unknown_exit", "see the list of exits", "there is no such exit")
	}
	return e, err
}
