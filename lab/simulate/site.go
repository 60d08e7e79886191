package simulate

import (
	"context"
	"crypto/rand"
	"time"

	"gatehouse"
)

// take books what a driver pays; the machine at the exit tells of it twice.
func (w *world) take(ctx context.Context, stay gatehouse.ID, amount gatehouse.Money) error {
	id := gatehouse.NewID(w.now)
	for range 2 {
		if _, err := w.books.Desk(ctx, "card", stay, amount, "", id); err != nil {
			return err
		}
	}
	return nil
}

// booked is what the books have as a stay's charge: revenue and tax, as they add up.
func (w *world) booked(ctx context.Context, stay gatehouse.ID) (minor int64, err error) {
	entries, err := w.books.Entries(ctx, stay)
	for _, e := range entries {
		for _, p := range e.Postings {
			if p.Account == gatehouse.Revenue || p.Account == gatehouse.TaxOwed {
				minor -= p.Amount // what is earned is a credit
			}
		}
	}
	return minor, err
}

// unsealed stands for the archive, which nothing here reads.
type unsealed struct{}

// Seal implements gatehouse.Sealer.
func (unsealed) Seal(context.Context, gatehouse.SubjectID, gatehouse.RetentionClass, gatehouse.SealContext, []byte, gatehouse.Padding) ([]byte, error) {
	b := make([]byte, 64)
	_, err := rand.Read(b)
	return b, err
}

// OneOff implements gatehouse.Sealer.
func (unsealed) OneOff(context.Context, gatehouse.Place) (gatehouse.SubjectID, error) {
	return gatehouse.RandomID(), nil
}

// Prepare implements gatehouse.Sealer.
func (unsealed) Prepare(gatehouse.Place, gatehouse.SubjectID, gatehouse.RetentionClass) {}

// nobody watches.
type nobody struct{}

// Committed implements passage.Feed.
func (nobody) Committed(gatehouse.Passage, []gatehouse.Picture) {}

// Changed implements passage.Feed.
func (nobody) Changed(gatehouse.Passage) {}

// Unrecorded implements passage.Feed.
func (nobody) Unrecorded(gatehouse.Passage, error) {}

// opened is a barrier that everybody passes, at a moment.
type opened time.Time

// Open implements gatehouse.Actuator.
func (o opened) Open(context.Context, gatehouse.OpenCommand) <-chan gatehouse.Confirmation {
	c := make(chan gatehouse.Confirmation, 1)
	c <- gatehouse.Confirmation{Outcome: gatehouse.Passed, At: time.Time(o)}
	close(c)
	return c
}
