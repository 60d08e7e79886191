package inform

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gatehouse"
)

// Hours finds what is kept of somebody's hours.
type Hours interface {
	Punches(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID, from, until time.Time) ([]gatehouse.Punch, error)
	TimeCorrections(ctx context.Context, q gatehouse.TimesQuery) ([]gatehouse.TimeCorrection, error)
	LeaveRequests(ctx context.Context, q gatehouse.TimesQuery) ([]gatehouse.LeaveRequest, error)
}

// Pay finds what somebody is paid by, and their payslips, sealed.
type Pay interface {
	PayTerms(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID) ([]gatehouse.StoredPayTerms, error)
	Payslips(ctx context.Context, q gatehouse.PayslipQuery) ([]gatehouse.StoredPayslip, error)
}

// Punch is one time at which somebody came or went.
type Punch struct {
	At        time.Time             `json:"at"`
	Direction gatehouse.Direction   `json:"direction,omitempty"`
	Source    gatehouse.PunchSource `json:"source"`
	Gate      gatehouse.GateID      `json:"gate,omitempty"`
}

// Correction is a request to have hours put right, with what was written for it.
type Correction struct {
	Kind      gatehouse.CorrectionKind  `json:"kind"`
	At        time.Time                 `json:"at"`
	Direction gatehouse.Direction       `json:"direction,omitempty"`
	Made      time.Time                 `json:"made"`
	State     gatehouse.CorrectionState `json:"state"`
	Decided   time.Time                 `json:"decided,omitzero"`
	Reason    string                    `json:"reason,omitempty"`
}

// Leave is a request for leave.
type Leave struct {
	Kind    string                    `json:"kind"`
	From    time.Time                 `json:"from"`
	Until   time.Time                 `json:"until"`
	Made    time.Time                 `json:"made"`
	State   gatehouse.CorrectionState `json:"state"`
	Decided time.Time                 `json:"decided,omitzero"`
	Reason  string                    `json:"reason,omitempty"`
}

// PaidBy are pay terms: the newest are opened, of the others it says since when.
type PaidBy struct {
	From  gatehouse.Date  `json:"from"`
	Terms json.RawMessage `json:"terms,omitempty"` // a gatehouse.PayTerms
}

// Payslip is one: the newest are opened, the others are read on the person's own page.
type Payslip struct {
	From  gatehouse.Date  `json:"from"`
	Until gatehouse.Date  `json:"until"`
	Slip  json.RawMessage `json:"payslip,omitempty"` // a gatehouse.Payslip
}

// Bounds of what is opened of hours and pay: terms and payslips cost what records do.
const (
	maxPunches  = 50_000
	maxReasons  = 50 // of corrections, and of leave
	termsOpened = 1
	slipsOpened = 3
	maxSlips    = 200
)

// want asks for a sealed value to be opened.
type want func(where gatehouse.SealContext, sealed []byte, f func([]byte))

// worked fills in hours and pay, asks for what is sealed of them, and returns the ids that
// disclosures name them by.
func (h *Held) worked(ctx context.Context, p Ports, now time.Time, open want) (about []gatehouse.ID, err error) {
	if p.Hours != nil {
		if about, err = h.hours(ctx, p, now, open); err != nil {
			return nil, err
		}
	}
	if p.Pay == nil {
		return about, nil
	}
	terms, err := p.Pay.PayTerms(ctx, p.Place, h.Subject)
	if err != nil {
		return nil, err
	}
	h.PaidBy = make([]PaidBy, len(terms))
	for i, t := range terms {
		about = append(about, t.ID)
		if h.PaidBy[i].From = t.From; i < termsOpened {
			open(gatehouse.PayTermsContext(p.Place, t.ID), t.Sealed, func(b []byte) { h.PaidBy[i].Terms = slices.Clone(b) })
		}
	}
	slips, err := p.Pay.Payslips(ctx, gatehouse.PayslipQuery{Place: p.Place, Subject: h.Subject, Limit: maxSlips})
	if err != nil {
		return nil, err
	}
	h.Payslips = make([]Payslip, 0, len(slips))
	for _, s := range slips {
		about = append(about, s.ID)
		if s.Sealed == nil {
			continue
		}
		i := len(h.Payslips)
		h.Payslips = append(h.Payslips, Payslip{From: s.From, Until: s.Until})
		if i < slipsOpened {
			open(gatehouse.PayslipContext(p.Place, s.ID), s.Sealed, func(b []byte) { h.Payslips[i].Slip = slices.Clone(b) })
		}
	}
	return about, nil
}

func (h *Held) hours(ctx context.Context, p Ports, now time.Time, open want) (about []gatehouse.ID, err error) {
	punches, err := p.Hours.Punches(ctx, p.Place, h.Subject, now.Add(-oldest), now.AddDate(1, 0, 0))
	if err != nil {
		return nil, err
	}
	slices.Reverse(punches)
	if h.MorePunches = len(punches) > maxPunches; h.MorePunches {
		punches = punches[:maxPunches]
	}
	for _, x := range punches {
		h.Punches = append(h.Punches, Punch{At: x.At, Direction: x.Direction, Source: x.Source, Gate: x.Gate})
	}
	q := gatehouse.TimesQuery{Place: p.Place, Subject: h.Subject, Limit: 1000}
	corrections, err := p.Hours.TimeCorrections(ctx, q)
	if err != nil {
		return nil, err
	}
	h.Corrections = make([]Correction, len(corrections))
	for i, c := range corrections {
		about = append(about, c.ID)
		h.Corrections[i] = Correction{Kind: c.Kind, At: c.At, Direction: c.Direction, Made: c.Made, State: c.State, Decided: c.Decided}
		if i < maxReasons {
			open(gatehouse.TimeContext(p.Place, "corrections", c.ID), c.Reason, func(b []byte) { h.Corrections[i].Reason = string(b) })
		}
	}
	leave, err := p.Hours.LeaveRequests(ctx, q)
	if err != nil {
		return nil, err
	}
	h.Leave = make([]Leave, len(leave))
	for i, l := range leave {
		about = append(about, l.ID)
		h.Leave[i] = Leave{Kind: l.Kind, From: l.From, Until: l.Until, Made: l.Made, State: l.State, Decided: l.Decided}
		if i < maxReasons {
			open(gatehouse.TimeContext(p.Place, "leave", l.ID), l.Reason, func(b []byte) { h.Leave[i].Reason = string(b) })
		}
	}
	return about, nil
}

// looksBack is how far the list on one's own page reaches, looksShown how long it is.
const (
	looksBack  = 366 * 24 * time.Hour
	looksShown = 500
)

// Looks lists who looked at somebody's record, hours and pay within a year, the newest
// first: by role and purpose, as the disclosure log has it. It opens nothing.
func Looks(ctx context.Context, p Ports, id gatehouse.SubjectID) ([]Look, error) {
	now := time.Now()
	if p.Now != nil {
		now = p.Now()
	}
	h := Held{Subject: id}
	ids, err := h.worked(ctx, p, now, func(gatehouse.SealContext, []byte, func([]byte)) {})
	if err != nil {
		return nil, err
	}
	about := map[string]bool{id.String(): true}
	for _, x := range ids {
		about[x.String()] = true
	}
	if err := h.looked(ctx, p, about, now.Add(-looksBack)); err != nil {
		return nil, err
	}
	return h.Looked[:min(len(h.Looked), looksShown)], nil
}
