package gatehouse

import (
	"context"
	"time"
)

// StayBooks is what stays ask of the books.
type StayBooks interface {
	// PaymentsOf gives what was booked toward a stay, oldest first; refunds are negative.
	PaymentsOf(ctx context.Context, place Place, stay ID) ([]Payment, error)
	// BookCharge books what a stay costs. Called again, also after an interruption, it books
	// the difference to what was booked before: nothing where the charge is the same.
	BookCharge(ctx context.Context, place Place, stay ID, at time.Time, c Charge) error
}

// PassBooks is what passes and accounts ask of the books besides. None of these tells the stays
// of what it booked: they are who asks.
type PassBooks interface {
	// HeldBy gives what passes of value hold; one that never held anything is left out.
	HeldBy(ctx context.Context, place Place, passes []ID) (map[ID]Money, error)
	// TopUp books that an order that was paid put its amount on its pass, once.
	TopUp(ctx context.Context, place Place, o PassOrder) error
	// Spend books that a pass of value paid for a stay. once names it: booked again it changes
	// nothing. books.too_much where the pass holds less by then.
	Spend(ctx context.Context, place Place, pass, stay ID, amount Money, at time.Time, once ID) error
	// Invoice books that a stay's account is sent an invoice for it.
	Invoice(ctx context.Context, place Place, stay ID, amount Money, at time.Time, once ID) error
	// ReceiptsOf gives what was paid for a stay or an order from a moment up to another.
	ReceiptsOf(ctx context.Context, place Place, stay ID, from, until time.Time) ([]Receipt, error)
}

// StayQuery is what a driver says of a stay that is to be paid. Text is personal: it is
// compared, and kept nowhere.
type StayQuery struct {
	Plate   string // as typed
	Ticket  string // the code of a ticket, instead of the plate and the time
	Entered time.Time
}

// StayDue is what is owed for a stay at a moment.
type StayDue struct {
	Stay    ID
	State   StayState
	Charge  Charge
	Paid    Money
	Due     Money     // not negative
	LeaveBy time.Time // when more will be owed; zero for never
}

// StayState is where a stay is on its way.
type StayState string

// The states of a stay.
const (
	StayOpen      StayState = "open"      // entered
	StayWaiting   StayState = "waiting"   // at the exit, and something is owed
	StayLeft      StayState = "left"      // paired with its exit
	StayAmbiguous StayState = "ambiguous" // it left, or another did: a person decides
	StayLost      StayState = "lost"      // no exit was seen within the longest stay
	StayWithdrawn StayState = "withdrawn" // it did not come in after all
)

// PayableStays is what paying asks of the stays.
type PayableStays interface {
	// FindStay gives the one stay that a driver's words mean. Where there is none, or two,
	// the answer is the same: parking.not_found.
	FindStay(ctx context.Context, place Place, q StayQuery, now time.Time) (ID, error)
	// DueOf says what is owed. Errors: parking.unknown_stay, parking.no_tariff.
	DueOf(ctx context.Context, place Place, stay ID, now time.Time) (StayDue, error)
	// StayPaid is called after something was booked: a vehicle that waits at an exit, and owes
	// nothing any more, is let out; one that is still inside is known to have paid. It can be
	// called again.
	StayPaid(ctx context.Context, place Place, stay ID) error
}
