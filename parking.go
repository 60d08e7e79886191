package gatehouse

import (
	"log/slog"
	"time"
)

// VehicleClass is what a tariff tells vehicles apart by: a name as CheckName has it.
type VehicleClass string

// The classes that cameras tell apart. A tariff may name others (coach, disabled, ev)
// that a person or a pass gives a vehicle.
const (
	Car       VehicleClass = "car"
	Motorbike VehicleClass = "motorbike"
	Truck     VehicleClass = "truck"
	Bus       VehicleClass = "bus"
)

// Stay is one vehicle in a car park, from its entry to its exit: metadata, without
// the plate, which is a Mark and sealed.
type Stay struct {
	Place
	ID           ID
	Subject      SubjectID // a vehicle that is known here, or a one-off
	Class        VehicleClass
	EntryGate    GateID
	ExitGate     GateID // "" while open
	EntryPassage ID
	ExitPassage  ID
	Entered      time.Time
	Left         time.Time // zero while open
	// LostTicket says that nobody knows when it began; Entered is then the earliest
	// that it may have been.
	LostTicket bool
}

// Mark is what tells one vehicle from another at a gate: personal data, of the working
// set only and for at most seven days.
type Mark struct {
	Plate  PlateRead // Text is "" where the vehicle shows no plate
	Ticket string    // the code of a ticket, "" for none
	Class  VehicleClass
	Look   Appearance
}

// LogValue redacts the mark.
func (Mark) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Appearance is what a picture shows of a vehicle besides its plate. An empty field was not seen.
type Appearance struct {
	Colour string // white, silver, grey, black, red, blue, green, yellow, brown
	Shape  string // hatchback, saloon, estate, van, pickup, truck, bus, motorbike
}

// Charge is what a stay costs, and why: Total is the sum of its lines' amounts.
type Charge struct {
	Tariff   string
	Version  int
	Currency Currency
	Class    VehicleClass
	From     time.Time
	Until    time.Time
	Lines    []ChargeLine
	Total    Money
	Tax      Money // the part of Total that is tax
	// Spent is when the time cost what: what a cap across stays counts at the next one.
	Spent []Spent
}

// Spent is what a moment of an earlier stay cost, in minor units.
type Spent struct {
	At     time.Time
	Amount int64
}

// LineKind says what a line of a charge is.
type LineKind string

// The kinds of line, in the order in which a charge is made.
const (
	GraceLine         LineKind = "grace"         // left in time to owe nothing
	ComplimentaryLine LineKind = "complimentary" // time that is never charged
	TimeLine          LineKind = "time"          // Count blocks of one step
	FlatLine          LineKind = "flat"          // one occurrence of a period
	CapLine           LineKind = "cap"           // what a cap takes off; Name is its CapSpan
	PeriodCapLine     LineKind = "period_cap"    // what a period's cap takes off
	LostLine          LineKind = "lost_ticket"
	RoundLine         LineKind = "rounding"
	PassLine          LineKind = "pass"        // what a pass or reservation takes off
	ValidationLine    LineKind = "validation"  // what a validation takes off
	IgnoredLine       LineKind = "not_counted" // a validation beyond the tariff's number
	TaxLine           LineKind = "tax"         // on top of the prices
	RenewalLine       LineKind = "renewal"     // a season pass for longer; Name is the pass
	TopUpLine         LineKind = "top_up"      // money put on a pass of value
)

// ChargeLine is one step of how a charge came about.
type ChargeLine struct {
	Kind   LineKind
	Name   string // the period's, cap's, issuer's or tax's; not personal
	From   time.Time
	Until  time.Time
	Count  int64         // of blocks
	Block  time.Duration // of one block
	Price  int64         // of the time Per, of a flat rate, or the cap's amount
	Per    time.Duration
	Amount int64 // minor units; negative for what is taken off
	Right  ID    // the pass, reservation or validation that took it off
}

// PassKind is how a pass pays.
type PassKind string

// The kinds of pass.
const (
	SeasonPass PassKind = "season" // from one time to another, within its windows
	UsesPass   PassKind = "uses"   // a number of stays, whole
	ExitPass   PassKind = "exit"   // one exit
	ValuePass  PassKind = "value"  // money that was paid before
)

// Pass is a right to park that was bought or given.
type Pass struct {
	ID          ID
	Kind        PassKind
	Name        string // of the product: "Monthly, nights"; not personal
	From, Until time.Time
	Windows     []Window       // of a season pass; none: at any time
	Classes     []VehicleClass // none: any
	Uses        int            // left
	Value       Money          // left; the books say how much, so that it is not kept with the pass
	// Price is what another month of a season pass costs, with its tax; without a currency it
	// cannot be renewed by its driver. Tax is the tax in it, in basis points of the net price.
	Price Money
	Tax   int64
	Quota string // the group that it shares spaces with; "" for none
}

// Quota is how many spaces a group (a tenant, the staff) may use at once.
type Quota struct {
	Group  string
	Spaces int
	// Pay lets those beyond the quota in as visitors; otherwise they wait outside.
	Pay bool
}

// Cover is time that is paid for otherwise, from From up to Until.
type Cover struct {
	From, Until time.Time
	Right       ID
	Name        string // of the pass; not personal
}

// Reservation is a space that was paid for in advance. It covers the time from Early
// before From until Late after Until.
type Reservation struct {
	ID          ID
	From, Until time.Time
	Early, Late time.Duration
	Classes     []VehicleClass
}

// ValidationKind is what a validation gives.
type ValidationKind string

// The kinds, in the order in which they count.
const (
	TimeValidation    ValidationKind = "time"
	PercentValidation ValidationKind = "percent"
	MoneyValidation   ValidationKind = "money"
	FullValidation    ValidationKind = "full"
)

// Validation is what a shop gives its customer toward a stay.
type Validation struct {
	ID     ID
	Issuer string // not personal
	Kind   ValidationKind
	At     time.Time
	Time   time.Duration
	Money  Money
	// BasisPoints of PercentValidation, 0..10000.
	BasisPoints int64
}

// Payment is money that came for a stay, or went back (negative).
type Payment struct {
	ID     ID
	At     time.Time // when it was made, not when it was heard of
	Amount Money
}
