package gatehouse

import "time"

// ShiftID is a name that an operator chose, as CheckName has it.
type ShiftID string

// ShiftKind says what a shift asks for.
type ShiftKind string

// The kinds. A fixed shift of several parts is a split one, a part that ends beyond 1440
// goes over midnight, and a roster's pattern of several shifts rotates.
const (
	FixedShift    ShiftKind = "fixed"    // presence in all of its parts
	FlexibleShift ShiftKind = "flexible" // Due minutes within its part, presence in the core
	OpenShift     ShiftKind = "open"     // whatever is worked counts; Due may be 0
)

// Shift is one day's plan. Its times are minutes after local midnight of the day on which
// it begins, by the clock on the wall (RFC 5545 3.3.5): one that the clock skips in spring
// is an hour later, of one that it repeats in autumn the first is meant.
type Shift struct {
	ID    ShiftID
	Title string // for people; not personal
	Kind  ShiftKind
	// Parts are spans of the day in their order: of a fixed shift the work, of a flexible one
	// the frame in which work counts. An open shift has none.
	Parts []ShiftPart
	// Core is when somebody on flexible hours must be there.
	Core []ShiftPart
	// Due is how many minutes are to be worked, of flexible and open shifts. Those of a
	// fixed one follow from its parts less its unpaid breaks.
	Due    int
	Breaks []ShiftBreak
	Line   int // of the table it was read from; 0 for none
}

// ShiftPart is a span in minutes after local midnight of the shift's day: From is 0 to
// 1439, Until behind it. A shift spans at most 24 hours from its first part's begin.
type ShiftPart struct{ From, Until int }

// ShiftBreak is a break that need not be punched.
type ShiftBreak struct {
	// From and Until say when it is, as a part's; both 0 for one that is not fixed.
	From, Until int
	// After is how many minutes must have been worked that day before a break that is not
	// fixed is deducted, and Minutes how long it is. Punched breaks count towards it.
	After, Minutes int
	// Paid breaks are not deducted.
	Paid bool
}

// RosterKind says how a roster entry stands to others of the same day.
type RosterKind string

// A swap is approved, counts for its days only, and goes before what was planned.
const (
	StandingRoster RosterKind = "standing"
	SwapRoster     RosterKind = "swap"
)

// RosterEntry plans the days of a group or of one person. A swap goes before a person's
// own entry, and that before the group's.
type RosterEntry struct {
	ID    ID
	Kind  RosterKind
	Group GroupID   // "" where Who is set
	Who   SubjectID // zero where Group is set
	// From is the first day, Until the last; "" for no end.
	From, Until Date
	// Pattern has a shift for each day of a cycle that begins on Cycle, or on From where that is
	// ""; "" is a day off. One of 7 is a week, one of 28 four rotating weeks.
	Pattern []ShiftID
	Cycle   Date
	// FollowsCalendar makes the calendar's holidays and days off days without a shift, and
	// gives its adjusted working days the pattern's first shift: an office, not a guard house.
	FollowsCalendar bool
	// Zone is the IANA time zone of the shift's times; "" is the site's. A journey is an
	// entry with the zone of where it goes.
	Zone string
	Line int // of the table it was read from; 0 for none
}

// DayClass says what a day is for somebody.
type DayClass string

// The kinds. What is worked on the last two may be paid otherwise.
const (
	WorkDay    DayClass = "work"
	RestDay    DayClass = "rest"
	HolidayDay DayClass = "holiday" // a public holiday by law
)

// CalendarDay is a day that differs from its weekday.
type CalendarDay struct {
	Date  Date
	Kind  DayClass // WorkDay on a weekend is an adjusted working day (China's tiaoxiu)
	Title string   // for people; not personal
}

// WorkCalendar is a country's or site's days that differ, with where they are published.
type WorkCalendar struct {
	Name   string
	Source string
	Days   []CalendarDay // by date, ascending, each once
	// Weekend are the weekdays off of somebody without a roster.
	Weekend []time.Weekday
}

// ShiftSwap is two people's wish to exchange shifts: the first works the second's on
// SecondDay, and the second the first's on FirstDay. The same day exchanges its shifts.
type ShiftSwap struct {
	ID                  ID
	First, Second       SubjectID
	FirstDay, SecondDay Date
	// Agreed are the accounts of the two, and Approved is who approved it; zero for not yet.
	Agreed   [2]AccountID
	Approved AccountID
}
