package wire

import (
	"time"

	"gatehouse"
)

// PayTerms are what somebody is paid by. They are personal.
type PayTerms struct {
	Number  string           `json:"number,omitempty"` // under which the payroll program knows them; none is their badge label
	Rate    Money            `json:"rate"`
	Per     int64            `json:"per"`               // minutes that rate is for: 60 for an hour
	Salary  Money            `json:"salary,omitzero"`   // of a period
	Figures map[string]Money `json:"figures,omitempty"` // that the scheme's formulas name; they go before the site's
	Shares  []PayShare       `json:"shares,omitempty"`  // over which cost centres and projects it is split
}

// PayShare is one part of a split.
type PayShare struct {
	CostCentre string `json:"cost_centre,omitempty"`
	Project    string `json:"project,omitempty"`
	Weight     int64  `json:"weight"`
}

// PayTermsRequest says what somebody is paid by from a day on. POST
// /api/v1/attendance/people/{id}/pay.
type PayTermsRequest struct {
	From  gatehouse.Date `json:"from"`
	Terms PayTerms       `json:"terms"`
}

// PayTermsRef are terms that are sealed.
type PayTermsRef struct {
	ID   gatehouse.ID        `json:"id"`
	From gatehouse.Date      `json:"from"`
	By   gatehouse.AccountID `json:"by"`
	Made time.Time           `json:"made"`
}

// PayslipRef is a payslip that is sealed, or why there is none.
type PayslipRef struct {
	ID      gatehouse.ID        `json:"id"`
	Run     gatehouse.ID        `json:"run"`
	Person  gatehouse.SubjectID `json:"person"`
	Label   string              `json:"label,omitempty"`
	From    gatehouse.Date      `json:"from"`
	Until   gatehouse.Date      `json:"until"`
	Problem string              `json:"problem,omitempty"` // the code of an error
	Made    time.Time           `json:"made"`
}

// PersonPay is what is kept of somebody's pay, sealed. GET
// /api/v1/attendance/people/{id}/pay.
type PersonPay struct {
	Terms    []PayTermsRef `json:"terms"`    // the newest first
	Payslips []PayslipRef  `json:"payslips"` // the newest first
}

// PayReason says why sealed pay is opened.
type PayReason struct {
	Reason string `json:"reason"`
}

// PayLine is one line of a payslip.
type PayLine struct {
	Code    gatehouse.EarningsCode `json:"code"`
	Title   string                 `json:"title,omitempty"`
	Minutes int                    `json:"minutes,omitempty"`
	Rate    int                    `json:"rate,omitempty"` // hundredths of a per cent of the pay rate
	Amount  Money                  `json:"amount"`         // below zero for a deduction
	TimeOff int                    `json:"time_off,omitempty"`
	From    gatehouse.Date         `json:"from,omitempty"`    // of a line of a part of the period
	Until   gatehouse.Date         `json:"until,omitempty"`   // of it, too
	Formula string                 `json:"formula,omitempty"` // of an allowance or a deduction
	Worked  []WorkedAt             `json:"worked,omitempty"`  // where its minutes were worked
}

// WorkedAt is how long was worked at one place.
type WorkedAt struct {
	Site       gatehouse.SiteID `json:"site,omitempty"`
	CostCentre string           `json:"cost_centre,omitempty"` // of the team of that day
	Project    string           `json:"project,omitempty"`     // of it, too
	Minutes    int64            `json:"minutes"`
}

// PayStretch are days of a period on which the same terms counted.
type PayStretch struct {
	From   gatehouse.Date `json:"from"`
	Until  gatehouse.Date `json:"until"`
	Rate   Money          `json:"rate"`
	Per    int64          `json:"per"`
	Salary Money          `json:"salary,omitzero"` // of a whole period
}

// Payslip is what somebody's period comes to. It is personal.
type Payslip struct {
	Person     gatehouse.SubjectID `json:"person"`
	Number     string              `json:"number,omitempty"`
	From       gatehouse.Date      `json:"from"`
	Until      gatehouse.Date      `json:"until"`
	Rate       Money               `json:"rate"`
	Per        int64               `json:"per"`
	Salary     Money               `json:"salary,omitzero"`
	Lines      []PayLine           `json:"lines"`
	Gross      Money               `json:"gross"`
	Deductions Money               `json:"deductions"` // zero or below
	Net        Money               `json:"net"`
	Stretches  []PayStretch        `json:"stretches,omitempty"` // two or more where terms changed within the period; rate and salary are the last ones
}

// PayRun is the pay of everybody in a closed period.
type PayRun struct {
	ID         gatehouse.ID          `json:"id"`
	From       gatehouse.Date        `json:"from"`
	Until      gatehouse.Date        `json:"until"`
	State      gatehouse.PayRunState `json:"state"`
	By         gatehouse.AccountID   `json:"by"`
	Made       time.Time             `json:"made"`
	ApprovedBy gatehouse.AccountID   `json:"approved_by,omitzero"`
	Approved   time.Time             `json:"approved,omitzero"`
	Done       time.Time             `json:"done,omitzero"`
	People     int                   `json:"people"`   // with a payslip
	Problems   int                   `json:"problems"` // people without one
}

// PayRuns are the newest. GET /api/v1/attendance/pay.
type PayRuns struct {
	Runs []PayRun `json:"runs"`
}

// Payslips are a list of them, sealed.
type Payslips struct {
	Payslips []PayslipRef `json:"payslips"`
}

// PayFilePlan names the values of a bulk release that makes a payroll program's file of a
// run. POST /admin/v1/releases/pay.
type PayFilePlan struct {
	Run   gatehouse.ID `json:"run"`
	Names bool         `json:"names"` // with people's names, each of which is released too
}
