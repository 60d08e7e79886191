package console

import (
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/flow/timesheet"
)

// sheetView is a timesheet in words.
type sheetView struct {
	Days   []dayView
	Totals []totalView
	Worked string
	Due    string
	Open   int // exceptions
	// Choices are the punches that a correction may be about.
	Choices []punchView
}

type dayView struct {
	Date       gatehouse.Date
	Weekday    string // a key of texts behind "day."
	Kind       gatehouse.DayClass
	Shift      string
	Due        string
	Worked     string
	Over       bool // more than was due
	Punches    []punchView
	Entries    []entryView
	Exceptions []string
}

type punchView struct {
	ID        gatehouse.ID
	At        time.Time
	Direction gatehouse.Direction
	Source    gatehouse.PunchSource
	Use       gatehouse.PunchRole
	Gone      bool // superseded, voided, a duplicate
}

type entryView struct {
	From, Until time.Time
	Minutes     string
	Kind        gatehouse.EntryKind
	Code        gatehouse.EarningsCode
	Rate        string
	Because     string
}

type totalView struct {
	Code    gatehouse.EarningsCode
	Rate    string
	TimeOff bool
	Minutes string
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// sheetViewOf puts a timesheet into words.
func sheetViewOf(lang string, v timesheet.View) sheetView {
	out := sheetView{}
	worked, due := 0, 0
	for _, d := range v.Sheet.Days {
		day, _ := time.Parse(time.DateOnly, string(d.Date))
		one := dayView{Date: d.Date, Weekday: weekdays[day.Weekday()], Kind: d.Kind, Shift: string(d.Shift), Due: minutesText(d.Due), Worked: minutesText(d.Worked), Over: d.Worked > d.Due && d.Due > 0}
		worked, due = worked+d.Worked, due+d.Due
		for _, u := range d.Punches {
			p := v.Punches[u.Punch]
			x := punchView{ID: u.Punch, At: u.At.Time(), Direction: p.Direction, Source: p.Source, Use: u.Use, Gone: u.Use == gatehouse.Superseded || u.Use == gatehouse.Voided || u.Use == gatehouse.Duplicate}
			one.Punches = append(one.Punches, x)
			if !x.Gone {
				out.Choices = append(out.Choices, x)
			}
		}
		for _, e := range d.Entries {
			x := entryView{From: e.From.Time(), Until: e.Until.Time(), Minutes: minutesText(e.Minutes()), Kind: e.Kind, Code: e.Code, Because: e.Rule.Sentence(lang, e.N)}
			if e.Rate != 0 && e.Code != "" {
				x.Rate = percentText(e.Rate)
			}
			one.Entries = append(one.Entries, x)
		}
		for _, e := range d.Exceptions {
			one.Exceptions = append(one.Exceptions, e.Sentence(lang))
		}
		out.Open += len(one.Exceptions)
		out.Days = append(out.Days, one)
	}
	for _, t := range v.Totals {
		out.Totals = append(out.Totals, totalView{Code: t.Code, Rate: percentText(t.Rate), TimeOff: t.TimeOff, Minutes: minutesText(t.Minutes)})
	}
	out.Worked, out.Due = minutesText(worked), minutesText(due)
	return out
}

// differenceView is one difference in words.
type differenceView struct {
	Date          gatehouse.Date
	Code          gatehouse.EarningsCode
	Exception     gatehouse.ExceptionKind
	Before, After string
	Rules         []gatehouse.TimeRule
}

func differencesOf(list []gatehouse.TimesheetDifference) (out []differenceView) {
	for _, d := range list {
		one := differenceView{Date: d.Date, Code: d.Code, Exception: d.Exception, Before: minutesText(d.Before), After: minutesText(d.After), Rules: d.Rules}
		if d.Exception != "" {
			one.Before, one.After = strconv.Itoa(d.Before), strconv.Itoa(d.After)
		}
		out = append(out, one)
	}
	return out
}

// correctionView is a request in a list.
type correctionView struct {
	gatehouse.TimeCorrection
	Label  string
	Own    bool // whoever reads it may not decide it
	Change []differenceView
	Reason string // opened for this page
}

type leaveView struct {
	gatehouse.LeaveRequest
	Next   gatehouse.Role // whose step of the chain is next; "" without a chain
	Done   int            // steps that were approved
	Steps  int
	Label  string
	Title  string
	Own    bool
	Reason string
}

// balanceView is a balance in words.
type balanceView struct {
	Title, Accrued, Carried, Taken, Left string
}

func balancesOf(list []timesheet.LeaveBalance, kinds map[string]gatehouse.LeaveKind) (out []balanceView) {
	for _, b := range list {
		out = append(out, balanceView{kindTitle(kinds, b.Kind), minutesText(b.Accrued), minutesText(b.Carried), minutesText(b.Taken), minutesText(b.Left())})
	}
	return out
}

func kindTitle(kinds map[string]gatehouse.LeaveKind, id string) string {
	if k := kinds[id]; k.Title != "" {
		return k.Title
	}
	return id
}

// swapView is a swap in a list.
type swapView struct {
	gatehouse.StoredSwap
	Labels   struct{ First, Second string }
	Own      bool // whoever reads it is one of the two
	MayAgree bool
}

func leaveViewOf(l gatehouse.LeaveRequest, kinds map[string]gatehouse.LeaveKind) leaveView {
	v := leaveView{LeaveRequest: l, Title: kindTitle(kinds, l.Kind), Done: len(l.Approvals)}
	if chain := kinds[l.Kind].Chain; l.State == gatehouse.CorrectionRequested && len(chain) > v.Done {
		v.Next, v.Steps = chain[v.Done], len(chain)
	}
	return v
}
