package gatehouse

// PayRate is what somebody's time is paid with: an amount for so many minutes, so that a
// rate is never rounded before it is used. 12.50 an hour is {1250 EUR, 60}; a month of 8,700
// over 21.75 days of 8 hours is {870000 CNY, 10440}. It is archive data: opened in a vault
// job only.
type PayRate struct {
	Amount Money
	Per    int64 // minutes, 1 or more
}

// EarningKind says how an earnings code becomes money.
type EarningKind string

// The kinds.
const (
	PaidByTime  EarningKind = "time"      // minutes at the pay rate, times the entry's rate
	PaidPremium EarningKind = "premium"   // as PaidByTime, less the regular rate, which a salary holds already
	Unpaid      EarningKind = "unpaid"    // a line with minutes and no amount
	Allowance   EarningKind = "allowance" // a formula, added
	Deduction   EarningKind = "deduction" // a formula, taken away
)

// Earning is one code of a pay scheme. Formulas are reckoned in the order of the scheme, so
// that one may use those before it.
type Earning struct {
	Code     EarningsCode
	Title    string // for people
	Kind     EarningKind
	Formula  string   // of Allowance and Deduction
	Rounding Rounding // of the amount to minor units; "" is half up
	Line     int      // of the table it was read from; 0 for none
}

// PayLine is one line of somebody's pay.
type PayLine struct {
	Code    EarningsCode
	Title   string
	Minutes int   // 0 for an amount alone
	Rate    int   // hundredths of a per cent of the pay rate; 0 for an amount alone
	Amount  Money // below zero for a deduction
	TimeOff int   // minutes of time off earned instead of pay
	// From and Until are the days of a line that is of a part of the period, since the terms
	// changed within it; "" for the whole period.
	From, Until Date `json:",omitempty"`
	// Shares say where the line's minutes were worked, in minutes; of an amount alone, where
	// all minutes were. None where nothing is known of it.
	Shares []PayShare `json:",omitempty"`
	// Formula is that of an amount alone, for people. Like the title it is the scheme's.
	Formula string `json:",omitempty"`
	// Site, CostCentre and Project are the parts of a split; "" for the line as a whole.
	Site                SiteID `json:",omitempty"`
	CostCentre, Project string
}

// PayShare is one part of a split of lines over sites, cost centres and projects.
type PayShare struct {
	Site                SiteID `json:",omitempty"`
	CostCentre, Project string
	Weight              int64 // minutes, or parts of anything; 0 or more
}

// Pay is what somebody's period comes to.
type Pay struct {
	Subject     SubjectID
	From, Until Date
	Lines       []PayLine
	Gross       Money // earnings and allowances
	Deductions  Money // zero or below
	Net         Money
}
