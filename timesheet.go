package gatehouse

// EarningsCode names what minutes are paid as: "regular", "overtime-150".
type EarningsCode string

// Regular is the code of minutes that no tier makes anything else.
const Regular EarningsCode = "regular"

// EntryKind says what became of a span of minutes.
type EntryKind string

// The kinds. A pair's minutes are those of its Worked, Pause and Uncounted entries; Credited
// and Absence lie outside of what was punched.
const (
	Worked    EntryKind = "worked"
	Pause     EntryKind = "pause"     // between punches, and not paid
	Uncounted EntryKind = "uncounted" // between punches, and outside what counts
	Credited  EntryKind = "credited"  // counted although not between punches: rounding, grace
	OnLeave   EntryKind = "leave"     // due, and excused
)

// TimeEntry is a span of minutes that explains itself: which punches it lies between and
// which rule made it what it is.
type TimeEntry struct {
	Kind        EntryKind
	Code        EarningsCode // of Worked, Credited and OnLeave: what it is paid as
	Rate        int          // hundredths of a per cent; 10000 is the regular rate
	TimeOff     bool         // given as time off, not as pay
	From, Until Minute
	In, Out     ID // the punches, or the leave in In
	Rule        TimeRule
	N           int // the rule's figure in minutes: the rounding's step, the tier's After
}

// Minutes is how long the entry is.
func (e TimeEntry) Minutes() int { return int(e.Until - e.From) }

// Paid reports whether the entry's minutes count as worked.
func (e TimeEntry) Paid() bool { return e.Kind == Worked || e.Kind == Credited }

// ExceptionKind is what a person should look at.
type ExceptionKind string

// The exceptions. None of them changes hours.
const (
	MissingIn     ExceptionKind = "missing_in"
	MissingOut    ExceptionKind = "missing_out"
	MissingPunch  ExceptionKind = "missing_punch" // one punch, and nothing says which way
	NoDirection   ExceptionKind = "no_direction"
	TooLong       ExceptionKind = "too_long" // a pair beyond Longest: nothing of it counts
	FuturePunch   ExceptionKind = "future_punch"
	TwoSites      ExceptionKind = "two_sites"
	LateIn        ExceptionKind = "late"
	EarlyOut      ExceptionKind = "early"
	AwayTime      ExceptionKind = "away" // gone in the middle of a part or the core, beyond the breaks
	Absent        ExceptionKind = "absent"
	ShortDay      ExceptionKind = "short" // fewer minutes than due on flexible hours
	Unplanned     ExceptionKind = "unplanned"
	RosterClash   ExceptionKind = "roster_clash"  // two plans that nothing decides between: the day has none
	ShiftUnknown  ExceptionKind = "shift_unknown" // the roster names a shift that is not there
	DailyRest     ExceptionKind = "daily_rest"
	WeeklyRest    ExceptionKind = "weekly_rest"
	DayLimit      ExceptionKind = "day_limit"
	WeekLimit     ExceptionKind = "week_limit"
	BreakMissing  ExceptionKind = "break_missing"
	OvertimeLimit ExceptionKind = "overtime_limit"
)

// Exception is one of them, on one day.
type Exception struct {
	Kind    ExceptionKind
	Minutes int // how late, how short, how little rest; 0 where it is no time
	Limit   int // what it is measured by; 0 for nothing
	Punch   ID  // zero for none
}

// PunchUse says what became of a punch.
type PunchUse struct {
	Punch ID
	At    Minute
	Use   PunchRole
}

// PunchRole is what a punch was taken for.
type PunchRole string

// The roles.
const (
	UsedIn       PunchRole = "in"
	UsedOut      PunchRole = "out"
	Duplicate    PunchRole = "duplicate"
	Between      PunchRole = "between"    // neither first nor last, where only those count
	Superseded   PunchRole = "superseded" // a correction took its place
	Voided       PunchRole = "voided"
	Unpaired     PunchRole = "unpaired"
	FromTomorrow PunchRole = "future"
)

// TimesheetDay is a day's hours. A shift over midnight belongs to the day on which it begins.
type TimesheetDay struct {
	Date       Date
	Kind       DayClass
	Shift      ShiftID // "" for none
	Due        int     // minutes, less leave
	Worked     int     // minutes that count, credited ones included
	Entries    []TimeEntry
	Exceptions []Exception
	Punches    []PunchUse
}

// Timesheet is somebody's hours of a period.
type Timesheet struct {
	Subject     SubjectID
	From, Until Date
	Rules       string // their name
	Days        []TimesheetDay
}

// CodeTotal is what a timesheet comes to under one code.
type CodeTotal struct {
	Code    EarningsCode
	Rate    int
	TimeOff bool
	Minutes int
}

// TimesheetDifference is what one day's hours under one code, or one exception, became.
type TimesheetDifference struct {
	Date          Date
	Code          EarningsCode  // "" where it is an exception
	Exception     ExceptionKind // "" where it is a code
	Before, After int           // minutes of the code; how many of the exception
	// Punches are those that only one of the two has used, or in another way.
	Punches []ID
	// Rules are those that made minutes in only one of the two.
	Rules []TimeRule
}
