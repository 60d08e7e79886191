package gatehouse

import (
	"context"
	"time"
)

// PayTerms are what somebody is paid by. They are archive data: sealed under the person as
// PayClass, and opened in the vault's job that reckons pay, or as a disclosure.
type PayTerms struct {
	Number string  // under which the payroll program knows them; "" is their badge label
	Rate   PayRate // the amount is 0 for nothing by time
	Salary Money   // of a period; zero for none
	// Figures are those that the scheme's formulas name, of this person: they go before the
	// site's.
	Figures map[string]Money `json:",omitempty"`
	// Shares split what is paid over cost centres and projects; none for a whole.
	Shares []PayShare `json:",omitempty"`
}

// The bounds of terms, so that what is sealed of them is of a size that says nothing.
const (
	MaxPayFigures = 20
	MaxPayShares  = 20
)

// MaxPayStretches is how often somebody's terms may count anew within a period, the first
// included.
const MaxPayStretches = 8

// StoredPayTerms are somebody's terms from a day on. Whose and since when is metadata.
type StoredPayTerms struct {
	Place
	ID      ID
	Subject SubjectID
	From    Date // a person has one of a day
	Sealed  []byte
	By      AccountID
	Made    time.Time
}

// PaidHours are somebody's hours of a closed period, and where what is reckoned of them
// belongs.
type PaidHours struct {
	Subject SubjectID
	Label   string  `json:",omitempty"` // on their badge
	Team    GroupID `json:",omitempty"`
	Parts   []PaidPart
	Days    int         // on which they worked
	Terms   []PaidTerms // in the order of their days, which are the whole period
	Slip    ID          // of the payslip that is made
}

// PaidTerms are terms, and the days of a period on which they count.
type PaidTerms struct {
	ID          ID // of StoredPayTerms
	From, Until Date
}

// PaidPart is what was worked at one site for one cost centre and project, on the days from
// From until the next change of terms.
type PaidPart struct {
	From Date
	Where
	Totals []CodeTotal
}

// Where says what hours are charged to: the site at which they began, and what the team of
// that day says.
type Where struct {
	Site                SiteID
	CostCentre, Project string `json:",omitempty"`
}

// ClosedHours are a closed period's, with the scheme as it was then.
type ClosedHours struct {
	From, Until Date
	Version     uint64 // of the book of hours
	Closed      time.Time
	Scheme      []Earning
	Figures     map[string]Money
	People      []PaidHours
}

// PayJob is what the vault reckons at a time: pay of some people of a run, at most
// MaxPayJob.
type PayJob struct {
	Place
	Run         ID
	From, Until Date
	Scheme      []Earning
	Figures     map[string]Money
	People      []PaidHours
}

// MaxPayJob is of how many people, and by how many terms, a vault reckons the pay in one
// disclosure.
const MaxPayJob = 200

// PayRun is the pay of everybody in a closed period: one account asks for it, another one
// approves, and the vault reckons it, when it is unsealed.
type PayRun struct {
	Place
	ID          ID
	From, Until Date
	By          AccountID
	Made        time.Time
	ApprovedBy  AccountID // zero while nobody has
	Approved    time.Time
	Version     uint64    // of the book by which it was reckoned
	Closed      time.Time // when the period was closed that it is of
	Done        time.Time // zero while it was not reckoned
	People      int       // with a payslip
	Problems    int       // people without one
}

// PayRunState says how far a run is.
type PayRunState string

// The states. An approved run waits for the vault where that is sealed.
const (
	PayAsked    PayRunState = "asked"
	PayApproved PayRunState = "approved"
	PayDone     PayRunState = "done"
)

// State is how far the run is.
func (r PayRun) State() PayRunState {
	switch {
	case !r.Done.IsZero():
		return PayDone
	case !r.Approved.IsZero():
		return PayApproved
	}
	return PayAsked
}

// Payslip is what a payslip says: archive data that the vault process seals. Its lines
// have no titles, which are the scheme's, and are not split: theirs and its shares say how.
// Where terms changed within the period, rate, salary and shares are the last ones.
type Payslip struct {
	Number string
	Rate   PayRate
	Salary Money
	Pay
	Shares    []PayShare   `json:",omitempty"`
	Stretches []PayStretch `json:",omitempty"` // two or more, where terms changed
}

// PayStretch are the days of a period on which the same terms counted.
type PayStretch struct {
	From, Until Date
	Rate        PayRate
	Salary      Money      // of a whole period
	Shares      []PayShare `json:",omitempty"`
}

// StoredPayslip is one person's of a run, or why there is none.
type StoredPayslip struct {
	Place
	ID          ID
	Run         ID
	Subject     SubjectID
	From, Until Date
	Problem     string // the code of an error; "" where there is a payslip
	Sealed      []byte // nil with a problem, and after an erasure
	Made        time.Time
}

// PayslipQuery asks for payslips, those of the newest period first.
type PayslipQuery struct {
	Place
	Subject SubjectID // zero for everybody
	Run     ID        // zero for any
	Limit   int       // 1..MaxReleaseItems
}

// PayForm says what file a bulk release makes of payslips: its format, and the rest as
// payroll's JSON of that format.
type PayForm struct {
	Format string
	Body   []byte
}

// PayRow is one payslip on its way into a file, with the name that was released for it.
type PayRow struct {
	Payslip
	Name string
}

// PayStore keeps terms, runs and payslips. Every method is a whole command. What is
// written for a subject that was erased since the store was opened is written for its new
// id, and without what is sealed. Errors: store.full, store.failed, store.not_found.
type PayStore interface {
	// PutPayTerms adds terms, in the place of those of the same day.
	PutPayTerms(ctx context.Context, t StoredPayTerms, leaf []byte) error
	RemovePayTerms(ctx context.Context, place Place, id ID, leaf []byte) error
	// PayTerms are one subject's, or with a zero subject everybody's; by subject, the
	// newest first.
	PayTerms(ctx context.Context, place Place, subject SubjectID) ([]StoredPayTerms, error)

	// PutPayRun adds a run or replaces the one with its id.
	PutPayRun(ctx context.Context, r PayRun, leaf []byte) error
	// FinishPayRun is PutPayRun with the run's payslips, in the place of any that it had.
	FinishPayRun(ctx context.Context, r PayRun, slips []StoredPayslip, leaf []byte) error
	// PayRuns lists the newest, at most limit (1..1000).
	PayRuns(ctx context.Context, place Place, limit int) ([]PayRun, error)
	Payslips(ctx context.Context, q PayslipQuery) ([]StoredPayslip, error)
	Payslip(ctx context.Context, place Place, id ID) (StoredPayslip, error)
	// ExpirePayslips drops the rows of those that were made before a moment, whose keys have
	// expired.
	ExpirePayslips(ctx context.Context, place Place, before time.Time) (dropped int, err error)
}

// The tables of sealed pay, as the disclosure log names them.
const (
	PayTermsTable = "pay_terms"
	PayslipTable  = "payslips"
)

// PayTermsContext and PayslipContext are what each is bound to.
func PayTermsContext(place Place, id ID) SealContext {
	return SealContext{Place: place, Table: PayTermsTable, Row: id, Field: "terms"}
}

// PayslipContext is PayTermsContext of a payslip.
func PayslipContext(place Place, id ID) SealContext {
	return SealContext{Place: place, Table: PayslipTable, Row: id, Field: "slip"}
}

// PayTermsLeaf records that somebody's terms were set or removed, by the digest of what
// is sealed. Whose they are is not in it.
func PayTermsLeaf(at time.Time, event string, t StoredPayTerms, by string) []byte {
	return leaf(HoursLeafKind, at, []byte("terms-"+event), []byte(t.Org), []byte(t.Site), []byte(by), t.ID[:], []byte(t.From), digest(t.Sealed))
}

// PayRunLeaf records what became of a run: event is asked, approved or done.
func PayRunLeaf(at time.Time, event string, r PayRun, by string) []byte {
	return EventLeaf(HoursLeafKind, at, "pay-"+event, string(r.Org), string(r.Site), by, r.ID.String(), string(r.From), string(r.Until))
}
