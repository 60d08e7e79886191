package gatehouse

import "time"

// Tariff is what a car park charges: versions in the order in which they come into
// force, all in one currency. A stay is charged by the version in force when it began.
type Tariff struct {
	Name     string // a name as CheckName has it
	Versions []TariffVersion
}

// TariffVersion is a tariff as data. All times of day are of Zone; all amounts are
// minor units of Currency. rules/parking checks it and charges by it.
type TariffVersion struct {
	Tariff   string // the tariff's name
	Number   int    // from 1
	Currency Currency
	Zone     *time.Location
	// From and Until bound when a stay begins that is charged by this version: at From
	// or later, before Until. A zero Until means until the next version, or for ever.
	From, Until time.Time

	// Grace is how long somebody may look for a space and leave without paying; whoever
	// stays longer pays from the entry on.
	Grace time.Duration
	// Complimentary is never charged: the first block begins after it.
	Complimentary time.Duration
	// ExitWithin is how long after paying somebody may take to the exit.
	ExitWithin time.Duration

	// Cut ends a started block where another period begins, which then starts a block of
	// its own. Otherwise the block runs on to its end: no minute is paid twice.
	Cut bool

	Holidays []TariffHoliday
	Plans    []Plan // one of them is for Car
	Tax      Tax
	Round    RoundTo
	// MaxValidations is how many validations count for one stay; 0 is none.
	MaxValidations int
}

// TariffHoliday is a date on which the holiday's prices hold instead of the weekday's.
type TariffHoliday struct {
	Name  string
	Year  int // 0: every year
	Month time.Month
	Day   int
}

// DayKind is a weekday that is no holiday, or a holiday.
type DayKind uint8

// The kinds of day. The weekdays count as time.Weekday does, from Sunday, 0.
const (
	OnHolidays DayKind = 7
	DayKinds   DayKind = 8 // how many there are
)

// Plan is the prices of some classes of vehicle. Its periods hold every minute of
// every kind of day once.
type Plan struct {
	Classes []VehicleClass
	Periods []Period
	Caps    []Cap
	Lost    LostTicket
}

// Period is a part of the day with prices of its own. It holds the minutes from From up
// to Until of each of its Days; where Until is not after From, those from midnight to
// Until and from From to midnight of each.
type Period struct {
	Name        string
	Days        []DayKind
	From, Until int // minutes after local midnight, 0..1440
	// Flat is the price of having been there in one occurrence of the period, whatever
	// the time; nil where Steps say the price.
	Flat  *int64
	Steps []Step
	// Repeat begins with the first step again after the last, which then has an end.
	Repeat bool
	// Restart counts the steps from when the stay came into this occurrence of the
	// period, instead of from its begin.
	Restart bool
	// Cap is the most that one occurrence costs; nil for no cap.
	Cap *int64
}

// Step is a price per started block. It holds for the time For of a stay, the last one
// for the rest (For 0).
type Step struct {
	Block time.Duration // whole minutes
	Price int64         // of the time Per
	Per   time.Duration // Block, or more where blocks are charged in proportion
	For   time.Duration // a multiple of Block
}

// CapSpan is what a cap bounds.
type CapSpan string

// The spans of caps.
const (
	CapStay    CapSpan = "stay"    // the whole stay
	CapDay     CapSpan = "day"     // each calendar day, from DayBegins to DayBegins
	Cap24h     CapSpan = "24h"     // each 24 hours from the entry
	CapRolling CapSpan = "any_24h" // any 24 hours that one could pick
)

// Cap is the most that a span of time costs.
type Cap struct {
	Per    CapSpan
	Amount int64
	// Days limits the cap to days of these kinds: the charged day's for CapDay, else the
	// day's on which the stay began. Empty for all.
	Days []DayKind
	// EnteredFrom and EnteredUntil limit it to stays that begin within these minutes of
	// the day (an early bird's price); both 0 for all.
	EnteredFrom, EnteredUntil int
	DayBegins                 int // minutes after midnight, for CapDay
	// AcrossStays counts what the same vehicle was charged before within the span, so that
	// leaving and coming back is never dearer than staying. For CapDay and CapRolling.
	AcrossStays bool
}

// LostTicket is what somebody pays who cannot say when the stay began.
type LostTicket struct {
	Price int64
	How   LostHow // "" where the tariff has no price for it
}

// LostHow says how a lost ticket's price and a known time go together.
type LostHow string

// The ways.
const (
	LostInstead LostHow = "instead"  // the price alone, whatever the time
	LostAtLeast LostHow = "at_least" // the time, and at least the price
	LostAdded   LostHow = "added"    // the time and the price
)

// Tax is a tax on what is charged.
type Tax struct {
	Name        string
	BasisPoints int64 // 1900 is 19 %; 0..10000
	// Added puts the tax on top of the prices; otherwise they contain it.
	Added bool
}

// RoundTo rounds a stay's price to a multiple of To minor units; 0 for no rounding.
type RoundTo struct {
	To  int64
	How Rounding
}
