package gatehouse

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"
)

// HoursKind says what a part of a site's book of hours is. The book says by which plans and
// rules hours are counted; every change of it is a version that can be looked at again.
type HoursKind string

// The kinds. A part's id is a name that an operator chose, but for those of members and
// rosters, which are opaque, and of rules, which is the first day on which they count.
const (
	ShiftsOfHours   HoursKind = "shift"
	TeamsOfHours    HoursKind = "team"
	MembersOfHours  HoursKind = "member" // somebody is in a team from a day
	RosterOfHours   HoursKind = "roster"
	RulesOfHours    HoursKind = "rules"
	CalendarOfHours HoursKind = "calendar" // "site" is the one that counts
	LeaveOfHours    HoursKind = "leave"    // a kind of leave
	EarningsOfHours HoursKind = "earnings" // "site" is the pay scheme
	FiguresOfHours  HoursKind = "figures"  // "site" are the figures that its formulas name
)

// HoursKinds lists them all.
var HoursKinds = []HoursKind{ShiftsOfHours, TeamsOfHours, MembersOfHours, RosterOfHours, RulesOfHours, CalendarOfHours, LeaveOfHours, EarningsOfHours, FiguresOfHours}

// HoursItem is one part of a book of hours as it is stored.
type HoursItem struct {
	Kind     HoursKind
	ID       string
	Revision uint64    // the version that put it
	Subject  SubjectID // whom it is about; zero for nobody
	Body     []byte    // flow/timesheet's encoding; metadata, and without Subject
}

// HoursChange is one version of a book of hours: what was put, or what was removed.
type HoursChange struct {
	Place
	Version uint64
	At      time.Time
	By      string    // an account's id, or "admin-socket"
	Event   RuleEvent // RulePut or RuleRemoved
	Item    HoursItem // of what was removed, its kind, id and subject
	Leaf    []byte
}

// StoredHours is a book of hours as it was at a version.
type StoredHours struct {
	Version uint64
	Items   []HoursItem // by kind and id
}

// TeamMember says that somebody is in a team. The team's roster counts for those days.
type TeamMember struct {
	ID          ID
	Team        GroupID
	Who         SubjectID
	From, Until Date // both included; Until "" for no end
}

// Team is a group of people who are planned together. It is another thing than a group of
// the rule book: leaving one must not change what was planned before.
type Team struct {
	ID    GroupID
	Title string // for people; not personal
	// CostCentre and Project are what the hours of its people are charged to; "" for nothing.
	CostCentre, Project string `json:",omitempty"`
}

// LeaveKind is a kind of leave that a site has.
type LeaveKind struct {
	ID    string
	Title string       // for people
	Code  EarningsCode // "" for unpaid
	// PerYear is how many minutes of it somebody has in a year; 0 is not counted.
	PerYear int
	// Monthly gives a twelfth of it each month instead of all of it on 1 January.
	Monthly bool
	// CarryOver is how many minutes of a year may be taken in the next.
	CarryOver int
	// Chain are the roles whose people approve it, one after the other, each another account;
	// none: one person who may decide.
	Chain []Role `json:",omitempty"`
}

// MaxLeaveChain is how many steps an approval of leave has at most.
const MaxLeaveChain = 5

// LeaveRequest is somebody's wish to be absent, and what became of it. Its kind and times
// are metadata, its reason is sealed.
type LeaveRequest struct {
	Place
	ID          ID
	Subject     SubjectID
	Kind        string // of LeaveKind
	From, Until time.Time
	Reason      []byte // sealed
	By          AccountID
	Made        time.Time
	State       CorrectionState
	// Approvals are who approved its steps so far, but for the last.
	Approvals []AccountID
	DecidedBy AccountID
	Decided   time.Time
}

// StoredPeriod is a pay period with what it was closed with: the book's version and the
// moment, from which its hours can be calculated again as they were.
type StoredPeriod struct {
	Place
	PayPeriod
	Version uint64
	Closed  time.Time
	By      AccountID
	// Asked is who wants it reopened, and waits for a second person; zero for nobody.
	Asked AccountID
}

// PayFormat is what a payroll program takes.
type PayFormat string

// The formats.
const (
	PayCSV  PayFormat = "csv"
	PayXLSX PayFormat = "xlsx"
)

// PayExport is a closed period's hours on their way to a payroll program: one account asks,
// another one approves, and the file is encrypted to whom the first one named. The same
// period gives the same file within, byte for byte.
type PayExport struct {
	Place
	ID          ID
	From, Until Date // of a closed period
	Format      PayFormat
	Recipients  []string // age public keys
	By          AccountID
	Made        time.Time
	ApprovedBy  AccountID // zero while nobody has
	Approved    time.Time
	Written     time.Time // zero while nobody has taken the file
}

// SocketAccount stands for whoever holds the machine's admin socket, where accounts are
// named. Nobody signs in with it.
var SocketAccount = AccountID{0: 0xFF, 15: 0x01}

// TimesQuery asks for corrections or requests for leave, the newest first.
type TimesQuery struct {
	Place
	Subject SubjectID       // zero for everybody
	State   CorrectionState // "" for any
	Before  ID              // cursor; zero from the newest
	Limit   int             // 1..1000
}

// HoursStore keeps hours: the book, punches by month, corrections, leave and periods. Every
// method is a whole command. What is written for a subject that was erased since the
// store was opened is written for its new id, and without what is sealed. Errors:
// store.full, store.failed, store.not_found.
type HoursStore interface {
	// Hours gives the book as it was at a version; 0 is the newest.
	Hours(ctx context.Context, place Place, version uint64) (StoredHours, error)
	// ChangeHours MUST fail with hours.changed unless the change is the next version, and
	// commits part, history and leaf in one transaction.
	ChangeHours(ctx context.Context, c HoursChange) error
	// HoursChanges are the versions below before (0: all), the newest first.
	HoursChanges(ctx context.Context, place Place, before uint64, limit int) ([]HoursChange, error)

	// AddPunches adds punches, those of each month in one transaction; one whose id is there
	// changes nothing. leaf is added where something was; nil for those that follow from
	// passages, which have leaves.
	AddPunches(ctx context.Context, place Place, punches []Punch, leaf []byte) (added int, err error)
	// DropPunches takes away punches of passages at which, as the sensor said later, nobody
	// passed; one that is not there is passed over.
	DropPunches(ctx context.Context, place Place, ids []ID) error
	// Punches are one subject's from inclusive until exclusive, by time; EachPunch calls f
	// for everybody's, in no order. f MUST NOT call the store.
	Punches(ctx context.Context, place Place, subject SubjectID, from, until time.Time) ([]Punch, error)
	EachPunch(ctx context.Context, place Place, from, until time.Time, f func(Punch) error) error
	Punch(ctx context.Context, place Place, id ID) (Punch, error)
	// PunchCursor is how far the committed log was followed; false before SetPunchCursor.
	PunchCursor(ctx context.Context, place Place) (position uint64, ok bool, err error)
	SetPunchCursor(ctx context.Context, place Place, position uint64) error

	// PutTimeCorrection and PutLeave add a request or replace the one with its id.
	PutTimeCorrection(ctx context.Context, c TimeCorrection, leaf []byte) error
	TimeCorrection(ctx context.Context, place Place, id ID) (TimeCorrection, error)
	TimeCorrections(ctx context.Context, q TimesQuery) ([]TimeCorrection, error)
	PutLeave(ctx context.Context, l LeaveRequest, leaf []byte) error
	LeaveRequest(ctx context.Context, place Place, id ID) (LeaveRequest, error)
	LeaveRequests(ctx context.Context, q TimesQuery) ([]LeaveRequest, error)

	// PutSwap adds a swap or replaces the one with its id; Swaps finds a subject's as either of
	// the two.
	PutSwap(ctx context.Context, s StoredSwap, leaf []byte) error
	Swap(ctx context.Context, place Place, id ID) (StoredSwap, error)
	Swaps(ctx context.Context, q TimesQuery) ([]StoredSwap, error)

	// PutPeriod adds a period or replaces the one with its days.
	PutPeriod(ctx context.Context, p StoredPeriod, leaf []byte) error
	// Periods lists all of them, the newest first.
	Periods(ctx context.Context, place Place) ([]StoredPeriod, error)

	// PutPayExport adds an export or replaces the one with its id.
	PutPayExport(ctx context.Context, e PayExport, leaf []byte) error
	// PayExports lists the newest, at most limit (1..1000).
	PayExports(ctx context.Context, place Place, limit int) ([]PayExport, error)
}

// TimeContext is what a sealed reason is bound to; table is "corrections" or "leave".
func TimeContext(place Place, table string, id ID) SealContext {
	return SealContext{Place: place, Table: table, Row: id, Field: "reason"}
}

// IDAt is the time-ordered id of the moment t that follows from seed: the same seed gives
// the same id, so that what is written twice is there once.
func IDAt(t time.Time, seed []byte) ID {
	sum := sha256.Sum256(seed)
	id := ID(sum[:16])
	binary.BigEndian.PutUint64(id[:8], uint64(max(t.UnixMilli(), 0))<<16|uint64(binary.BigEndian.Uint16(sum[16:])))
	return id
}

// HoursLeaf records a change of the book of hours by its version, and commits to what was
// put. Whom it is about is not in it: erasing a subject replaces its id.
func HoursLeaf(c HoursChange) []byte {
	parts := [][]byte{[]byte(c.Event), []byte(c.Org), []byte(c.Site), []byte(c.By), []byte(strconv.FormatUint(c.Version, 10)), []byte(c.Item.Kind), []byte(c.Item.ID), nil}
	if c.Event == RulePut {
		parts[len(parts)-1] = digest(c.Item.Body)
	}
	return leaf(HoursLeafKind, c.At, parts...)
}

// PunchesLeaf records that punches were entered by hand, by a web clock or from a file, and how many.
func PunchesLeaf(at time.Time, place Place, by string, source PunchSource, count int) []byte {
	return EventLeaf(HoursLeafKind, at, "punches", string(place.Org), string(place.Site), by, string(source), strconv.Itoa(count))
}

// TimeCorrectionLeaf records a correction request as it stands now, by the digest of its
// sealed reason.
func TimeCorrectionLeaf(at time.Time, c TimeCorrection, by string) []byte {
	return leaf(HoursLeafKind, at, []byte("correction-"+string(c.State)), []byte(c.Org), []byte(c.Place.Site), []byte(by), c.ID[:], []byte(c.Kind), digest(c.Reason))
}

// LeaveLeaf records a request for leave as it stands now. Its kind may say something
// about somebody's health, and is not in it.
func LeaveLeaf(at time.Time, l LeaveRequest, by string) []byte {
	return leaf(HoursLeafKind, at, []byte("leave-"+string(l.State)), []byte(l.Org), []byte(l.Site), []byte(by), l.ID[:], digest(l.Reason))
}

// LeaveStepLeaf records that somebody approved one step of leave, and that others follow.
func LeaveStepLeaf(at time.Time, l LeaveRequest, by string) []byte {
	return EventLeaf(HoursLeafKind, at, "leave-step", string(l.Org), string(l.Site), by, l.ID.String(), strconv.Itoa(len(l.Approvals)))
}

// PeriodLeaf records what became of a pay period: event is closed, locked, reopen-asked or
// reopened.
func PeriodLeaf(at time.Time, event string, p StoredPeriod, by string) []byte {
	return EventLeaf(HoursLeafKind, at, "period-"+event, string(p.Org), string(p.Site), by, string(p.From), string(p.Until), strconv.FormatUint(p.Version, 10))
}

// PayExportLeaf records what became of an export: event is asked, approved or written.
func PayExportLeaf(at time.Time, event string, e PayExport, by string) []byte {
	return EventLeaf(HoursLeafKind, at, "export-"+event, string(e.Org), string(e.Site), by, e.ID.String(), string(e.From), string(e.Until), string(e.Format))
}
