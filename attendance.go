package gatehouse

import "time"

// Minute is a moment to the minute: whole minutes since 1970-01-01T00:00Z. Hours are
// counted in it, so that a night in which the clocks change has the minutes that passed,
// not those that the clock on the wall shows. A punch counts from the minute that it fell
// in, as a clock shows it: 08:00:59 is 08:00.
type Minute int64

// MinuteOf is the minute that t falls in.
func MinuteOf(t time.Time) Minute {
	s := t.Unix()
	if s < 0 && s%60 != 0 {
		return Minute(s/60 - 1)
	}
	return Minute(s / 60)
}

// Time is the minute's first moment, in UTC.
func (m Minute) Time() time.Time { return time.Unix(int64(m)*60, 0).UTC() }

// Punch says that somebody came or went. It is metadata: who it was is an opaque id.
type Punch struct {
	ID      ID
	Subject SubjectID
	Source  PunchSource
	Site    SiteID
	Gate    GateID // "" where there was none: a web clock, a supervisor
	// Direction is "" where the device cannot tell; then the pairing has to.
	Direction Direction
	At        time.Time
	// Zone is the IANA time zone of the place where it was made, for showing it; "" is the
	// site's. Hours do not depend on it.
	Zone string
	// Corrects is the punch that this one takes the place of; zero for none. Both are kept,
	// and the newest by Made counts.
	Corrects ID
	// Void, in a correction, says that the corrected punch was none.
	Void bool
	// Request is the correction request that it was made for; zero for none.
	Request ID
	// Made is when the punch was recorded, which for a correction is later than At.
	Made time.Time
}

// PunchSource says where a punch came from.
type PunchSource string

// The sources.
const (
	FromPassage    PunchSource = "passage"    // a committed passage at a gate that counts for attendance
	FromTerminal   PunchSource = "terminal"   // a time clock
	FromWeb        PunchSource = "web"        // the employee's own page
	FromSupervisor PunchSource = "supervisor" // entered for somebody else
	FromImport     PunchSource = "import"     // a file of another system
	FromCorrection PunchSource = "correction" // an approved correction request
)

// PunchSources lists them all.
var PunchSources = []PunchSource{FromPassage, FromTerminal, FromWeb, FromSupervisor, FromImport, FromCorrection}

// CorrectionKind is what somebody asks to have put right.
type CorrectionKind string

// The kinds.
const (
	AddPunch    CorrectionKind = "add"     // a punch is missing
	MovePunch   CorrectionKind = "move"    // a punch has another time or direction
	VoidPunch   CorrectionKind = "void"    // a punch was none
	DisputeTime CorrectionKind = "dispute" // the hours are wrong for another reason; it changes no punch
)

// CorrectionState is how far a correction request is.
type CorrectionState string

// The states. Each but the first is final.
const (
	CorrectionRequested CorrectionState = "requested"
	CorrectionApproved  CorrectionState = "approved"
	CorrectionRefused   CorrectionState = "refused"
	CorrectionWithdrawn CorrectionState = "withdrawn"
)

// TimeCorrection is what an employee, or a supervisor for them, asks to have changed.
type TimeCorrection struct {
	Place
	ID        ID
	Subject   SubjectID
	Kind      CorrectionKind
	Punch     ID        // that of MovePunch and VoidPunch
	At        time.Time // of AddPunch and MovePunch
	Direction Direction // of AddPunch and MovePunch; "" leaves it open
	Site      SiteID
	Reason    []byte // sealed: what people write about an absence is archive data
	By        AccountID
	Made      time.Time
	State     CorrectionState
	DecidedBy AccountID
	Decided   time.Time
}

// PeriodState says who may still change a period's hours.
type PeriodState string

// The states. A closed period is being paid; a locked one was.
const (
	OpenPeriod   PeriodState = "open"
	ClosedPeriod PeriodState = "closed"
	LockedPeriod PeriodState = "locked"
)

// PayPeriod is the days that are paid together.
type PayPeriod struct {
	From, Until Date // both included
	State       PeriodState
	// ReopenedBy are the two accounts that agreed to reopen it; empty if nobody did.
	ReopenedBy [2]AccountID
}

// Leave is an approved absence. What it is for is archive data; here stand its times and
// under which earnings code it is paid.
type Leave struct {
	ID          ID
	Subject     SubjectID
	From, Until time.Time
	Code        EarningsCode // "" for unpaid
}
