package gatehouse

import "time"

// AttendanceRules is what a site decides about counting hours. The zero value pairs by
// direction, rounds nothing and knows no overtime.
type AttendanceRules struct {
	Name    string
	Source  string // of a law's preset: where the figures are published
	Pairing Pairing
	// DuplicateWithin is how many minutes apart two punches are one. The first counts for
	// coming, the last for going.
	DuplicateWithin int
	// TravelWithin is how many minutes apart punches at two sites cannot be the same person.
	TravelWithin int
	// Longest is how many minutes somebody can be there at a stretch: what is longer is a
	// missing punch. 0 is 16 hours.
	Longest int
	// DayBegins is when a day without a shift begins, in minutes after midnight.
	DayBegins int
	// RoundIn and RoundOut are by the clock on the wall; GraceIn and GraceOut are asked first.
	RoundIn, RoundOut PunchRounding
	GraceIn, GraceOut PunchGrace
	// InShiftOnly lets nothing count outside the shift.
	InShiftOnly bool
	WeekBegins  time.Weekday
	// Overtime are the tiers; of several that a minute falls under, the dearest counts.
	Overtime []OvertimeTier
	// HolidaysByClock lets a night shift's hours be holiday hours from midnight to midnight;
	// otherwise the day on which a shift begins says what all of it is.
	HolidaysByClock bool
	Limits          WorkLimits
}

// Pairing is how punches become times of work.
type Pairing string

// The pairings.
const (
	ByDirection Pairing = "direction"  // in opens, out closes
	FirstLast   Pairing = "first_last" // a day's first and last punch
	Toggling    Pairing = "toggle"     // each punch is the other way than the one before
)

// PunchRounding moves a punch to a multiple of To minutes of the hour; To 0 to none. With
// 15 and ToNearest 08:07 is 08:00 and 08:08 is 08:15.
type PunchRounding struct {
	To   int
	Mode RoundMode
}

// RoundMode is the way in which something is rounded.
type RoundMode string

// The modes. Half an interval goes to the later.
const (
	ToNearest RoundMode = "nearest"
	ToLater   RoundMode = "later"
	ToEarlier RoundMode = "earlier"
)

// PunchGrace are minutes around a shift's begin (for coming) or end (for going) within
// which the punch counts as made at that moment; beyond them the punch itself counts.
type PunchGrace struct{ Early, Late int }

// OvertimeScope is what a tier looks at.
type OvertimeScope string

// The scopes.
const (
	OverDay     OvertimeScope = "day"         // minutes of the day beyond After
	OverPlan    OvertimeScope = "plan"        // minutes of the day beyond what was due, and After
	OverWeek    OvertimeScope = "week"        // regular minutes of the week beyond After
	OnRestDay   OvertimeScope = "rest_day"    // minutes of a rest day beyond After
	OnHoliday   OvertimeScope = "holiday"     // minutes of a holiday beyond After
	SeventhDay  OvertimeScope = "seventh_day" // minutes of the seventh day in a row of a week beyond After
	RegularTime OvertimeScope = ""
)

// OvertimeTier says what is paid differently.
type OvertimeTier struct {
	Code  EarningsCode
	Scope OvertimeScope
	After int // minutes
	// Rate is in hundredths of a per cent of the regular rate: 15000 is one and a half.
	Rate int
	// TimeOff gives time off instead, at the same rate.
	TimeOff bool
	// CountsInWeek lets the tier's minutes count towards OverWeek as regular ones do.
	CountsInWeek bool
}

// WorkLimits are what a law asks for, in minutes; 0 asks for nothing. Passing one is
// a warning: it changes no hours.
type WorkLimits struct {
	DailyRest     int // between two days' work (EU: 11 hours)
	WeeklyRest    int // once in every week, in one piece (EU: 24 + 11 hours)
	DayMost       int // worked in a day
	WeekMost      int // worked in a week, on average over AverageWeeks
	AverageWeeks  int // 0 and 1: each week alone
	BreakAfter    int // worked without BreakLeast of break
	BreakLeast    int
	OvertimeDay   int // overtime in a day
	OvertimeMonth int // overtime in a calendar month
}
