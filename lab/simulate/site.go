package simulate

import (
	"context"
	"crypto/rand"
	"time"

	"gatehouse"
)

// books are what the simulated stays are booked in: in memory, as the port says.
type books struct {
	paid   map[gatehouse.ID][]gatehouse.Payment
	booked map[gatehouse.ID]int64
}

// PaymentsOf implements gatehouse.StayBooks.
func (b *books) PaymentsOf(_ context.Context, _ gatehouse.Place, stay gatehouse.ID) ([]gatehouse.Payment, error) {
	return b.paid[stay], nil
}

// BookCharge implements gatehouse.StayBooks.
func (b *books) BookCharge(_ context.Context, _ gatehouse.Place, stay gatehouse.ID, _ time.Time, c gatehouse.Charge) error {
	b.booked[stay] = c.Total.Minor
	return nil
}

func (b *books) pay(stay gatehouse.ID, at time.Time, amount gatehouse.Money) {
	b.paid[stay] = append(b.paid[stay], gatehouse.Payment{ID: gatehouse.NewID(at), At: at, Amount: amount})
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
