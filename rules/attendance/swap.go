package attendance

import (
	"slices"

	"gatehouse"
)

// ApproveSwap approves a swap that both agreed to. Neither of them approves it. Errors:
// swap.agreed, swap.own, swap.approved.
func ApproveSwap(s gatehouse.ShiftSwap, by gatehouse.AccountID) (gatehouse.ShiftSwap, error) {
	switch {
	case s.Agreed[0].IsZero() || s.Agreed[1].IsZero() || s.Agreed[0] == s.Agreed[1]:
		return s, gatehouse.Errorf("swap.agreed", "ask both of them", "a swap takes both people's word")
	case by.IsZero() || slices.Contains(s.Agreed[:], by):
		return s, gatehouse.Errorf("swap.own", "ask somebody else to approve it", "nobody approves their own swap")
	case !s.Approved.IsZero():
		return s, gatehouse.Errorf("swap.approved", "", "the swap was approved already")
	}
	s.Approved = by
	return s, nil
}

// Swap gives the roster entries that an approved swap makes, from both people's input. It
// fails where one of them would have two shifts on a day, or has none to give. Errors:
// swap.approved, swap.date, swap.nothing, swap.two_shifts.
func Swap(s gatehouse.ShiftSwap, first, second Input, newID func() gatehouse.ID) ([]gatehouse.RosterEntry, error) {
	one, ok1 := dayOf(s.FirstDay)
	two, ok2 := dayOf(s.SecondDay)
	switch {
	case s.Approved.IsZero():
		return nil, gatehouse.Errorf("swap.approved", "somebody else approves it first", "the swap is not approved")
	case !ok1 || !ok2 || s.First == s.Second:
		return nil, gatehouse.Errorf("swap.date", "give two people, and days as 2026-12-25", "this is no swap")
	}
	first.Subject, second.Subject = s.First, s.Second
	given, gives := first.planned(one)
	taken, takes := second.planned(two)
	if !gives || !takes {
		return nil, gatehouse.Errorf("swap.nothing", "look at the roster", "one of them has no shift on their day")
	}
	entry := func(who gatehouse.SubjectID, on gatehouse.Date, shift plannedShift) gatehouse.RosterEntry {
		return gatehouse.RosterEntry{ID: newID(), Kind: gatehouse.SwapRoster, Who: who, From: on, Until: on, Pattern: []gatehouse.ShiftID{shift.id}, Zone: shift.zone}
	}
	if one == two {
		return []gatehouse.RosterEntry{entry(s.First, s.FirstDay, taken), entry(s.Second, s.FirstDay, given)}, nil
	}
	_, busy := first.planned(two)
	_, busy2 := second.planned(one)
	if busy || busy2 {
		return nil, gatehouse.Errorf("swap.two_shifts", "swap days on which the other one is off", "one of them would have two shifts on a day")
	}
	off := plannedShift{}
	return []gatehouse.RosterEntry{entry(s.First, s.FirstDay, off), entry(s.First, s.SecondDay, taken), entry(s.Second, s.SecondDay, off), entry(s.Second, s.FirstDay, given)}, nil
}

type plannedShift struct {
	id   gatehouse.ShiftID
	zone string
}

// planned is the shift that the roster gives somebody on a day; false for none.
func (in Input) planned(d day) (plannedShift, bool) {
	c := calculation{Input: in, first: d, last: d}
	c.zone = clock{zone: in.Zone}
	c.plan()
	p := c.plans[slices.IndexFunc(c.plans, func(p plan) bool { return p.day == d })]
	if p.shift == nil {
		return plannedShift{}, false
	}
	return plannedShift{p.shift.ID, p.zone}, true
}
