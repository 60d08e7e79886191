package stay

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// payer says what pays for a stay without its driver: rules/parking decides.
func (s *Stays) payer(ctx context.Context, r gatehouse.StayRecord, subject gatehouse.SubjectID, known bool, due gatehouse.Money, at time.Time) (parking.Payer, gatehouse.ID, error) {
	if s.Passes == nil || due.Minor <= 0 {
		return "", gatehouse.ID{}, nil
	}
	var purses []parking.Purse
	var ids []gatehouse.ID
	s.mu.RLock()
	// The entry and the exit, each read by itself, must be of one enrolled vehicle.
	entry := s.marks[r.EntryPassage]
	same := known && entry.Known && entry.Subject == subject
	for _, p := range s.data.passes[subject] {
		if p.Kind == gatehouse.ValuePass {
			purses, ids = append(purses, parking.Purse{Pass: p}), append(ids, p.ID)
		}
	}
	invoice := s.data.onInvoice(subject)
	s.mu.RUnlock()
	if !same || len(ids) == 0 && !invoice {
		return "", gatehouse.ID{}, nil
	}
	held, err := s.Passes.HeldBy(ctx, s.Place, ids)
	if err != nil {
		return "", gatehouse.ID{}, err
	}
	for i, id := range ids {
		purses[i].Holds = held[id]
	}
	by, pass := parking.PaidBy(r.Stay, same, due, at, purses, invoice)
	return by, pass, nil
}

// payOtherwise books what a pass of value or an account pays for a stay that left. It is called
// after the stay's charge is booked; the exit's id makes it count once.
func (s *Stays) payOtherwise(ctx context.Context, r *gatehouse.StayRecord) error {
	if r.Owed <= 0 || s.Passes == nil {
		return nil
	}
	e, err := s.Store.ExitOf(ctx, s.Place, r.ExitPassage)
	if err != nil {
		return err
	}
	due := gatehouse.Money{Minor: r.Owed, Currency: r.Charge.Currency}
	by, pass, err := s.payer(ctx, *r, e.Subject, e.Known, due, r.Left)
	switch {
	case err != nil || by == "":
		return err
	case by == parking.PaysInvoice:
		err = s.Passes.Invoice(ctx, s.Place, r.ID, due, r.Left, r.ExitPassage)
	default:
		err = s.Passes.Spend(ctx, s.Place, pass, r.ID, due, r.Left, r.ExitPassage)
	}
	if gatehouse.ErrorCode(err) == "books.too_much" {
		// Two vehicles of one pass left at the same moment: the second is owed.
		s.Log.Warn("a pass held too little when its vehicle left; the stay is owed", "stay", r.ID)
		return nil
	}
	if err == nil {
		r.Owed = 0
	}
	return err
}
