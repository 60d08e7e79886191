package parking

import (
	"time"

	"gatehouse"
)

// Arrival is a vehicle before the entry, and what is known of it and of the car park.
type Arrival struct {
	At           time.Time // local
	Class        gatehouse.VehicleClass
	Denied       bool // it stands on the site's list of those who may not come in
	Closed       bool // to visitors who are not listed
	Listed       bool // it is enrolled, and not suspended
	Passes       []gatehouse.Pass
	Reservations []gatehouse.Reservation
	Quotas       []gatehouse.Quota
	Inside       map[string]int // spaces in use, by quota's group
	Free         int            // spaces that are left to visitors
}

// Admission is the answer at an entry.
type Admission struct {
	Let    bool
	Reason AdmitReason
	Right  gatehouse.ID // the pass or reservation by which it comes in; zero for a visitor
	Group  string       // the quota whose space it takes; "" for none
}

// AdmitReason says why.
type AdmitReason string

// The reasons.
const (
	AdmitVisitor     AdmitReason = "visitor"
	AdmitPass        AdmitReason = "pass"
	AdmitReservation AdmitReason = "reservation"
	AdmitBeyondQuota AdmitReason = "beyond_quota" // let in, and pays as a visitor does
	RefuseDenied     AdmitReason = "denied"
	RefuseVisitor    AdmitReason = "not_listed" // the car park is for those alone whom the site knows
	RefuseFull       AdmitReason = "full"
	RefuseQuota      AdmitReason = "quota_full"
)

// Admit decides at an entry. A reservation or a pass with a space of its own comes in
// also where the sign says full: that space is not a visitor's. The list of those who
// may not come in goes before every right. Where a car park is closed to visitors, every
// vehicle that is enrolled may come in all the same, and pays as a visitor does.
func Admit(a Arrival) Admission {
	if a.Denied {
		return Admission{Reason: RefuseDenied}
	}
	for _, r := range a.Reservations {
		if fits(r.Classes, a.Class) && !a.At.Before(r.From.Add(-r.Early)) && a.At.Before(r.Until.Add(r.Late)) {
			return Admission{Let: true, Reason: AdmitReservation, Right: r.ID}
		}
	}
	var beyond, wait bool
	for _, p := range a.Passes {
		if !valid(p, a) {
			continue
		}
		q, limited := quotaOf(a.Quotas, p.Quota)
		if !limited || a.Inside[q.Group] < q.Spaces {
			return Admission{Let: true, Reason: AdmitPass, Right: p.ID, Group: p.Quota}
		}
		beyond, wait = true, wait || !q.Pay
	}
	switch {
	case wait:
		return Admission{Reason: RefuseQuota}
	case a.Closed && !a.Listed:
		return Admission{Reason: RefuseVisitor}
	case a.Free <= 0:
		return Admission{Reason: RefuseFull}
	case beyond:
		return Admission{Let: true, Reason: AdmitBeyondQuota}
	}
	return Admission{Let: true, Reason: AdmitVisitor}
}

// valid reports whether a pass counts for the arrival. Money on a pass gives no right
// to come in: it pays at the exit.
func valid(p gatehouse.Pass, a Arrival) bool {
	if !within(p, a.At) || !fits(p.Classes, a.Class) || p.Kind == gatehouse.ValuePass || p.Kind == gatehouse.UsesPass && p.Uses < 1 {
		return false
	}
	minute := a.At.Hour()*60 + a.At.Minute()
	for _, w := range p.Windows {
		if w.Day == a.At.Weekday() && w.From <= minute && minute < w.Until {
			return true
		}
	}
	return len(p.Windows) == 0
}

func quotaOf(all []gatehouse.Quota, group string) (gatehouse.Quota, bool) {
	for _, q := range all {
		if q.Group == group && group != "" {
			return q, true
		}
	}
	return gatehouse.Quota{}, false
}
