package wire

import (
	"time"

	"gatehouse"
)

// HoursPlans is a site's book of hours: by which plans and rules hours are counted. GET
// /api/v1/attendance/plans.
type HoursPlans struct {
	Version    uint64        `json:"version"`
	Shifts     []Shift       `json:"shifts"`
	Teams      []Team        `json:"teams"`
	Members    []TeamMember  `json:"members"`
	Roster     []RosterEntry `json:"roster"`
	Rules      []HoursRules  `json:"rules"` // by their first day
	Calendar   WorkCalendar  `json:"calendar"`
	LeaveKinds []LeaveKind   `json:"leave_kinds"`
	Earnings   []Earning     `json:"earnings"`
	// Figures are what the scheme's formulas name.
	Figures map[string]Money `json:"figures,omitempty"`
	Presets []string         `json:"presets"` // rules that a law asks for, by name
}

// Shift is one day's plan. Its times are those of the clock on the wall.
type Shift struct {
	ID     gatehouse.ShiftID   `json:"id"`
	Title  string              `json:"title,omitempty"`
	Kind   gatehouse.ShiftKind `json:"kind"`
	Parts  []string            `json:"parts,omitempty"` // "08:00-16:30"; over midnight "22:00-06:00"
	Core   []string            `json:"core,omitempty"`
	Due    int                 `json:"due,omitempty"` // minutes, of flexible and open shifts
	Breaks []ShiftBreak        `json:"breaks,omitempty"`
}

// ShiftBreak is a break that need not be punched: at a time, or after so much work.
type ShiftBreak struct {
	At      string `json:"at,omitempty"`      // "12:00-12:30"
	After   int    `json:"after,omitempty"`   // minutes of work
	Minutes int    `json:"minutes,omitempty"` // how long
	Paid    bool   `json:"paid,omitempty"`
}

// Team is people who are planned together.
type Team struct {
	ID         gatehouse.GroupID `json:"id"`
	Title      string            `json:"title,omitempty"`
	CostCentre string            `json:"cost_centre,omitempty"` // what its people's hours are charged to
	Project    string            `json:"project,omitempty"`
	Members    int               `json:"members,omitempty"` // today
}

// TeamMember says that somebody is in a team for some days.
type TeamMember struct {
	ID     gatehouse.ID      `json:"id,omitzero"`
	Team   gatehouse.GroupID `json:"team"`
	Person string            `json:"person"` // in an answer the id; in a request that or the badge label
	From   gatehouse.Date    `json:"from"`
	Until  gatehouse.Date    `json:"until,omitempty"`
}

// RosterEntry plans the days of a team or of one person.
type RosterEntry struct {
	ID     gatehouse.ID        `json:"id,omitzero"`
	Team   gatehouse.GroupID   `json:"team,omitempty"`
	Person string              `json:"person,omitempty"` // as of TeamMember
	From   gatehouse.Date      `json:"from"`
	Until  gatehouse.Date      `json:"until,omitempty"`
	Shifts []gatehouse.ShiftID `json:"shifts"`          // one a day, again and again; "" is a day off
	Cycle  gatehouse.Date      `json:"cycle,omitempty"` // a day on which shifts begins; "" is from
	// FollowsCalendar makes holidays days off.
	FollowsCalendar bool   `json:"follows_calendar,omitempty"`
	Zone            string `json:"zone,omitempty"` // IANA; "" is the site's
}

// HoursRules are what counts from a day on. In a request either Preset names a law's, or
// the rest says it.
type HoursRules struct {
	From            gatehouse.Date    `json:"from"`
	Preset          string            `json:"preset,omitempty"`
	Name            string            `json:"name,omitempty"`
	Source          string            `json:"source,omitempty"`
	Pairing         gatehouse.Pairing `json:"pairing,omitempty"`
	DuplicateWithin int               `json:"duplicate_within,omitempty"` // minutes, as all that follow
	TravelWithin    int               `json:"travel_within,omitempty"`
	Longest         int               `json:"longest,omitempty"`
	DayBegins       int               `json:"day_begins,omitempty"`
	RoundIn         *PunchRounding    `json:"round_in,omitempty"`
	RoundOut        *PunchRounding    `json:"round_out,omitempty"`
	GraceIn         *PunchGrace       `json:"grace_in,omitempty"`
	GraceOut        *PunchGrace       `json:"grace_out,omitempty"`
	InShiftOnly     bool              `json:"in_shift_only,omitempty"`
	WeekBegins      int               `json:"week_begins,omitempty"` // 0 is Sunday
	Overtime        []OvertimeTier    `json:"overtime,omitempty"`
	HolidaysByClock bool              `json:"holidays_by_clock,omitempty"`
	Limits          *WorkLimits       `json:"limits,omitempty"`
}

// PunchRounding moves a punch to a multiple of so many minutes.
type PunchRounding struct {
	To   int                 `json:"to"`
	Mode gatehouse.RoundMode `json:"mode"`
}

// PunchGrace are minutes around a shift's begin or end.
type PunchGrace struct {
	Early int `json:"early"`
	Late  int `json:"late"`
}

// OvertimeTier says what is paid differently.
type OvertimeTier struct {
	Code         gatehouse.EarningsCode  `json:"code"`
	Scope        gatehouse.OvertimeScope `json:"scope"`
	After        int                     `json:"after"` // minutes
	Rate         int                     `json:"rate"`  // hundredths of a per cent
	TimeOff      bool                    `json:"time_off,omitempty"`
	CountsInWeek bool                    `json:"counts_in_week,omitempty"`
}

// WorkLimits are what is warned of, in minutes; 0 for nothing.
type WorkLimits struct {
	DailyRest     int `json:"daily_rest,omitempty"`
	WeeklyRest    int `json:"weekly_rest,omitempty"`
	DayMost       int `json:"day_most,omitempty"`
	WeekMost      int `json:"week_most,omitempty"`
	AverageWeeks  int `json:"average_weeks,omitempty"`
	BreakAfter    int `json:"break_after,omitempty"`
	BreakLeast    int `json:"break_least,omitempty"`
	OvertimeDay   int `json:"overtime_day,omitempty"`
	OvertimeMonth int `json:"overtime_month,omitempty"`
}

// WorkCalendar are the days that differ from their weekday. In a request either Place and
// years name public holidays that are known, or Days lists them.
type WorkCalendar struct {
	Place   string        `json:"place,omitempty"` // cn, de-by, us, …
	First   int           `json:"first,omitempty"` // year
	Last    int           `json:"last,omitempty"`
	Name    string        `json:"name,omitempty"`
	Source  string        `json:"source,omitempty"`
	Days    []CalendarDay `json:"days,omitempty"`
	Weekend []int         `json:"weekend,omitempty"` // 0 is Sunday
}

// CalendarDay is one of them.
type CalendarDay struct {
	Date  gatehouse.Date     `json:"date"`
	Kind  gatehouse.DayClass `json:"kind"`
	Title string             `json:"title,omitempty"`
}

// LeaveKind is a kind of leave.
type LeaveKind struct {
	ID        string                 `json:"id"`
	Title     string                 `json:"title,omitempty"`
	Code      gatehouse.EarningsCode `json:"code,omitempty"`     // "" for unpaid
	PerYear   int                    `json:"per_year,omitempty"` // minutes; 0 is not counted
	Monthly   bool                   `json:"monthly,omitempty"`
	CarryOver int                    `json:"carry_over,omitempty"`
	// Chain are the roles whose people approve it, one after the other; none: one person.
	Chain []gatehouse.Role `json:"chain,omitempty"`
}

// Earning is one code of the pay scheme.
type Earning struct {
	Code     gatehouse.EarningsCode `json:"code"`
	Title    string                 `json:"title,omitempty"`
	Kind     gatehouse.EarningKind  `json:"kind"`
	Formula  string                 `json:"formula,omitempty"`
	Rounding gatehouse.Rounding     `json:"rounding,omitempty"`
}

// PlanRequest puts one part of the book, which one of its members is. Revision is the
// version that the change is made from: 0 makes a new part, and none overwrites whatever
// is there. POST /api/v1/attendance/plans.
type PlanRequest struct {
	Shift     *Shift        `json:"shift,omitempty"`
	Team      *Team         `json:"team,omitempty"`
	Member    *TeamMember   `json:"member,omitempty"`
	Roster    *RosterEntry  `json:"roster,omitempty"`
	Rules     *HoursRules   `json:"rules,omitempty"`
	Calendar  *WorkCalendar `json:"calendar,omitempty"`
	LeaveKind *LeaveKind    `json:"leave_kind,omitempty"`
	Earnings  []Earning     `json:"earnings,omitempty"`
	// Figures are what the scheme's formulas name; an empty object takes them away.
	Figures  *map[string]Money `json:"figures,omitempty"`
	Revision *uint64           `json:"revision,omitempty"`
}

// PlanResponse says which version a change made, and the part's id.
type PlanResponse struct {
	Version uint64 `json:"version"`
	ID      string `json:"id,omitempty"`
}

// PlanChange is one version of the book.
type PlanChange struct {
	Version uint64              `json:"version"`
	At      time.Time           `json:"at"`
	By      string              `json:"by"`
	Event   gatehouse.RuleEvent `json:"event"`
	Kind    gatehouse.HoursKind `json:"kind"`
	ID      string              `json:"id"`
	Person  gatehouse.SubjectID `json:"person,omitzero"`
}

// PlanChanges is one page, newest first. GET /api/v1/attendance/changes.
type PlanChanges struct {
	Changes []PlanChange `json:"changes"`
	Next    uint64       `json:"next,omitempty"`
}

// Timesheet is somebody's hours. GET /api/v1/attendance/people/{id}.
type Timesheet struct {
	Person  gatehouse.SubjectID `json:"person"`
	Label   string              `json:"label,omitempty"` // of the badge
	From    gatehouse.Date      `json:"from"`
	Until   gatehouse.Date      `json:"until"`
	Version uint64              `json:"version"` // of the book
	At      time.Time           `json:"at"`      // the moment that it is calculated at
	Rules   string              `json:"rules,omitempty"`
	Days    []TimesheetDay      `json:"days"`
	Totals  []CodeTotal         `json:"totals"`
}

// TimesheetDay is one day's hours, in minutes.
type TimesheetDay struct {
	Date       gatehouse.Date     `json:"date"`
	Kind       gatehouse.DayClass `json:"kind"`
	Shift      gatehouse.ShiftID  `json:"shift,omitempty"`
	Due        int                `json:"due"`
	Worked     int                `json:"worked"`
	Entries    []TimeEntry        `json:"entries"`
	Exceptions []HoursException   `json:"exceptions"`
	Punches    []Punch            `json:"punches"`
}

// TimeEntry is a span of minutes that explains itself.
type TimeEntry struct {
	Kind    gatehouse.EntryKind    `json:"kind"`
	Code    gatehouse.EarningsCode `json:"code,omitempty"`
	Rate    int                    `json:"rate,omitempty"`
	TimeOff bool                   `json:"time_off,omitempty"`
	From    time.Time              `json:"from"`
	Until   time.Time              `json:"until"`
	Minutes int                    `json:"minutes"`
	In      gatehouse.ID           `json:"in,omitzero"` // the punches that it lies between
	Out     gatehouse.ID           `json:"out,omitzero"`
	Rule    gatehouse.TimeRule     `json:"rule"`
	Because string                 `json:"because"` // the rule in words
}

// HoursException is what a person should look at.
type HoursException struct {
	Kind    gatehouse.ExceptionKind `json:"kind"`
	Minutes int                     `json:"minutes,omitempty"`
	Limit   int                     `json:"limit,omitempty"`
	Punch   gatehouse.ID            `json:"punch,omitzero"`
	Means   string                  `json:"means"` // in words
}

// Punch is one, and what it was taken for.
type Punch struct {
	ID        gatehouse.ID          `json:"id"`
	At        time.Time             `json:"at"`
	Direction gatehouse.Direction   `json:"direction,omitempty"`
	Source    gatehouse.PunchSource `json:"source"`
	Gate      gatehouse.GateID      `json:"gate,omitempty"`
	Use       gatehouse.PunchRole   `json:"use"`
	Corrects  gatehouse.ID          `json:"corrects,omitzero"`
	Request   gatehouse.ID          `json:"request,omitzero"`
}

// CodeTotal is what a timesheet comes to under one code.
type CodeTotal struct {
	Code    gatehouse.EarningsCode `json:"code"`
	Rate    int                    `json:"rate"` // hundredths of a per cent
	TimeOff bool                   `json:"time_off,omitempty"`
	Minutes int                    `json:"minutes"`
}

// HoursDifference is what became of one code's minutes or one kind of exception.
type HoursDifference struct {
	Date      gatehouse.Date          `json:"date"`
	Code      gatehouse.EarningsCode  `json:"code,omitempty"`
	Exception gatehouse.ExceptionKind `json:"exception,omitempty"`
	Before    int                     `json:"before"`
	After     int                     `json:"after"`
	Punches   []gatehouse.ID          `json:"punches"`
	Rules     []gatehouse.TimeRule    `json:"rules"`
}

// HoursDifferences are those between two states of the same days. GET
// /api/v1/attendance/people/{id}/differences.
type HoursDifferences struct {
	Since       uint64            `json:"since"` // the version before
	At          time.Time         `json:"at"`    // and its moment
	Differences []HoursDifference `json:"differences"`
}

// PersonHours is one person's line in a list.
type PersonHours struct {
	Person     gatehouse.SubjectID `json:"person"`
	Label      string              `json:"label,omitempty"`
	Team       gatehouse.GroupID   `json:"team,omitempty"`
	Due        int                 `json:"due"`
	Worked     int                 `json:"worked"`
	Overtime   int                 `json:"overtime"`
	Exceptions int                 `json:"exceptions"`
}

// PeopleHours are everybody's hours of some days. GET /api/v1/attendance/people.
type PeopleHours struct {
	From   gatehouse.Date `json:"from"`
	Until  gatehouse.Date `json:"until"`
	People []PersonHours  `json:"people"`
}

// PunchRequest enters a punch for somebody. POST /api/v1/attendance/punches. On one's own
// page only the direction counts.
type PunchRequest struct {
	Person    string              `json:"person,omitempty"` // badge label or id
	At        time.Time           `json:"at,omitzero"`
	Direction gatehouse.Direction `json:"direction"`
}

// PunchImportRequest is a file of another system. POST /api/v1/attendance/import.
type PunchImportRequest struct {
	Layout  string     `json:"layout"` // Go's reference time as the file would write it: 02.01.2006 15:04; spreadsheet for cells that are dates to one
	Zone    string     `json:"zone,omitempty"`
	In      string     `json:"in,omitempty"`      // the word for coming, several with bars between them: C/In|0
	Out     string     `json:"out,omitempty"`     // and for going
	Neither string     `json:"neither,omitempty"` // what says nothing of it
	Rows    []PunchRow `json:"rows,omitempty"`    // or a file:
	File    *PunchFile `json:"file,omitempty"`
	DryRun  bool       `json:"dry_run,omitempty"` // say what is wrong, and write nothing
}

// PunchFile is a table as a time clock, or its program, wrote it.
type PunchFile struct {
	Data     []byte       `json:"data"`                // CSV, text between tabs, or XLSX
	Encoding string       `json:"encoding,omitempty"`  // of text: auto, utf-8, utf-16, gb18030 or windows-1252
	NoHeader bool         `json:"no_header,omitempty"` // the first row is a punch, and columns are named 1, 2, …
	Columns  PunchColumns `json:"columns"`
	Prefix   string       `json:"prefix,omitempty"` // what a badge label has before the clock's number: B- makes B-17 of 17
}

// PunchColumns are the file's names of the columns that are read; all others are not looked
// at.
type PunchColumns struct {
	Person    string `json:"person"`
	At        string `json:"at"`
	Clock     string `json:"clock,omitempty"`     // the time of the day, where at is the day alone: both are read with a space between them
	Direction string `json:"direction,omitempty"` // none where the clock does not say
	Site      string `json:"site,omitempty"`      // a site's id; none is the site that imports
}

// PunchRow is one row: cells as text.
type PunchRow struct {
	Line      int    `json:"line"`
	Person    string `json:"person"` // badge label or id
	At        string `json:"at"`
	Direction string `json:"direction,omitempty"`
	Site      string `json:"site,omitempty"` // where it was; none is the site that imports
}

// RowProblem is what is wrong with a row. It quotes nothing.
type RowProblem struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"` // as the file names it; none is the row
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// PunchImport says what came of an import: with one problem nothing was written.
type PunchImport struct {
	Rows     int          `json:"rows"`
	Added    int          `json:"added"` // the others were there
	Problems []RowProblem `json:"problems"`
}

// CorrectionAsk asks for a correction. POST /api/v1/attendance/corrections.
type CorrectionAsk struct {
	Person    string                   `json:"person,omitempty"` // badge label or id; on one's own page nothing
	Kind      gatehouse.CorrectionKind `json:"kind"`
	Punch     gatehouse.ID             `json:"punch,omitzero"`
	At        time.Time                `json:"at,omitzero"`
	Direction gatehouse.Direction      `json:"direction,omitempty"`
	Reason    string                   `json:"reason"`
}

// Correction is a request, without its reason, which is sealed.
type Correction struct {
	ID        gatehouse.ID              `json:"id"`
	Person    gatehouse.SubjectID       `json:"person"`
	Label     string                    `json:"label,omitempty"`
	Kind      gatehouse.CorrectionKind  `json:"kind"`
	Punch     gatehouse.ID              `json:"punch,omitzero"`
	At        time.Time                 `json:"at"`
	Direction gatehouse.Direction       `json:"direction,omitempty"`
	By        gatehouse.AccountID       `json:"by"`
	Made      time.Time                 `json:"made"`
	State     gatehouse.CorrectionState `json:"state"`
	DecidedBy gatehouse.AccountID       `json:"decided_by,omitzero"`
	Decided   time.Time                 `json:"decided,omitzero"`
	// Preview is what approving it would change.
	Preview []HoursDifference `json:"preview,omitempty"`
}

// Corrections is one page, newest first. GET /api/v1/attendance/corrections.
type Corrections struct {
	Corrections []Correction `json:"corrections"`
	Next        gatehouse.ID `json:"next,omitzero"`
}

// TimeDecision approves or refuses.
type TimeDecision struct {
	Approve bool `json:"approve"`
}

// LeaveAsk asks for leave. POST /api/v1/attendance/leave.
type LeaveAsk struct {
	Person string    `json:"person,omitempty"` // as of CorrectionAsk
	Kind   string    `json:"kind"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

// LeaveRequest is one, without its reason.
type LeaveRequest struct {
	ID        gatehouse.ID              `json:"id"`
	Person    gatehouse.SubjectID       `json:"person"`
	Label     string                    `json:"label,omitempty"`
	Kind      string                    `json:"kind"`
	From      time.Time                 `json:"from"`
	Until     time.Time                 `json:"until"`
	By        gatehouse.AccountID       `json:"by"`
	Made      time.Time                 `json:"made"`
	Steps     int                       `json:"steps"` // of its chain that were approved
	Of        int                       `json:"of"`    // steps of the chain; 1 without one
	State     gatehouse.CorrectionState `json:"state"`
	DecidedBy gatehouse.AccountID       `json:"decided_by,omitzero"`
	Decided   time.Time                 `json:"decided,omitzero"`
}

// LeaveRequests is one page, newest first. GET /api/v1/attendance/leave.
type LeaveRequests struct {
	Leave []LeaveRequest `json:"leave"`
	Next  gatehouse.ID   `json:"next,omitzero"`
}

// LeaveBalance is what somebody has of a kind of leave this year, in minutes.
type LeaveBalance struct {
	Kind    string `json:"kind"`
	Accrued int    `json:"accrued"`
	Carried int    `json:"carried"`
	Taken   int    `json:"taken"`
	Left    int    `json:"left"`
}

// LeaveBalances answers GET /api/v1/attendance/people/{id}/balances.
type LeaveBalances struct {
	Balances []LeaveBalance `json:"balances"`
}

// PayPeriod is days that are paid together.
type PayPeriod struct {
	From    gatehouse.Date        `json:"from"`
	Until   gatehouse.Date        `json:"until"`
	State   gatehouse.PeriodState `json:"state"`
	Version uint64                `json:"version"` // of the book when it was closed
	Closed  time.Time             `json:"closed"`
	Waits   bool                  `json:"waits,omitempty"` // somebody wants it reopened; a second person has to agree
}

// PayPeriods are those that were closed once, newest first. GET /api/v1/attendance/periods.
type PayPeriods struct {
	Periods []PayPeriod `json:"periods"`
}

// PeriodRequest names a period.
type PeriodRequest struct {
	From  gatehouse.Date `json:"from"`
	Until gatehouse.Date `json:"until"`
}

// SwapAsk asks a colleague of one's own team to exchange shifts. POST
// /api/v1/attendance/own/swaps.
type SwapAsk struct {
	Day       gatehouse.Date `json:"day"`       // of one's own shift
	Colleague string         `json:"colleague"` // badge label or id
	TheirDay  gatehouse.Date `json:"their_day"`
}

// Swap is two people's wish to exchange shifts.
type Swap struct {
	ID        gatehouse.ID              `json:"id"`
	First     gatehouse.SubjectID       `json:"first"` // who asked
	Second    gatehouse.SubjectID       `json:"second"`
	Labels    [2]string                 `json:"labels"`
	FirstDay  gatehouse.Date            `json:"first_day"`
	SecondDay gatehouse.Date            `json:"second_day"`
	Agreed    bool                      `json:"agreed"` // the second has
	State     gatehouse.CorrectionState `json:"state"`
	Made      time.Time                 `json:"made"`
	DecidedBy gatehouse.AccountID       `json:"decided_by,omitzero"`
	Decided   time.Time                 `json:"decided,omitzero"`
}

// Swaps are the newest. GET /api/v1/attendance/swaps.
type Swaps struct {
	Swaps []Swap `json:"swaps"`
}

// Look is one disclosure of something of somebody's.
type Look struct {
	At      time.Time      `json:"at"`
	Role    gatehouse.Role `json:"role,omitempty"` // of who looked
	Purpose string         `json:"purpose"`
	Items   int            `json:"items"`
	What    []string       `json:"what,omitempty"` // kinds of data: name, national_id, record, hours, terms, payslip, reason, passage, picture, other
}

// Looks are disclosures of one's own data. GET /api/v1/attendance/own/looks.
type Looks struct {
	Looks []Look `json:"looks"`
}

// PayExport is a closed period's hours on their way to a payroll program.
type PayExport struct {
	ID         gatehouse.ID        `json:"id"`
	From       gatehouse.Date      `json:"from"`
	Until      gatehouse.Date      `json:"until"`
	Format     gatehouse.PayFormat `json:"format"`
	Recipients []string            `json:"recipients"` // age public keys
	By         gatehouse.AccountID `json:"by"`
	Made       time.Time           `json:"made"`
	ApprovedBy gatehouse.AccountID `json:"approved_by,omitzero"`
	Approved   time.Time           `json:"approved,omitzero"`
	Written    time.Time           `json:"written,omitzero"`
}

// PayExports are the newest. GET /api/v1/attendance/exports.
type PayExports struct {
	Exports []PayExport `json:"exports"`
}

// PayExportAsk asks for an export. POST /api/v1/attendance/exports.
type PayExportAsk struct {
	From       gatehouse.Date      `json:"from"`
	Until      gatehouse.Date      `json:"until"`
	Format     gatehouse.PayFormat `json:"format"`
	Recipients []string            `json:"recipients"`
}

// PayExportFile is an approved export's file, encrypted to its recipients.
type PayExportFile struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of what is in it: the same hours give the same
	Sealed []byte `json:"sealed"`
}

// TeamFigures are a team's hours: of no one person. What is hidden has no figures.
type TeamFigures struct {
	Team        gatehouse.GroupID `json:"team,omitempty"` // "" for nobody's, or for all
	People      int               `json:"people"`
	Hidden      bool              `json:"hidden,omitempty"` // too small to be shown
	Planned     int               `json:"planned"`          // shifts
	Late        int               `json:"late"`
	Early       int               `json:"early"`
	Missed      int               `json:"missed"`
	LateMinutes int               `json:"late_minutes"`
	Due         int               `json:"due"` // minutes, as all that follow
	Worked      int               `json:"worked"`
	Overtime    int               `json:"overtime"`
	OnLeave     int               `json:"on_leave"`
}

// Performance answers GET /api/v1/attendance/performance.
type Performance struct {
	From  gatehouse.Date `json:"from"`
	Until gatehouse.Date `json:"until"`
	Least int            `json:"least"` // people whom a team has whose figures are shown
	Teams []TeamFigures  `json:"teams"`
	All   TeamFigures    `json:"all"` // of the teams that are shown
}

// AccountPersonRequest says which enrolled person has an account. POST
// /admin/v1/accounts/{login}/person.
type AccountPersonRequest struct {
	Person string `json:"person"` // badge label or id; "" for nobody
}
