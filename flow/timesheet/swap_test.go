package timesheet_test

import (
	"context"
	"errors"
	"testing"

	"gatehouse"
	"gatehouse/flow/timesheet"
)

// halting fails once so many roster entries were put, as a crash would.
type halting struct {
	gatehouse.HoursStore
	after int
}

func (h *halting) ChangeHours(ctx context.Context, c gatehouse.HoursChange) error {
	if h.after--; h.after < 0 {
		return errors.New("the power is gone")
	}
	return h.HoursStore.ChangeHours(ctx, c)
}

// A swap takes the word of both and a third's; what it plans is whole, whatever happens in
// between.
func TestASwap(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	anna, ben, cleo := s.enrol(), s.enrol(), s.enrol()
	s.plan(anna, ben)
	as := func(who gatehouse.SubjectID) timesheet.Actor {
		return timesheet.Actor{Account: gatehouse.RandomID(), Person: who}
	}
	a, b := as(anna), as(ben)
	// Anna is off on Saturday the 5th and Ben works on Monday the 7th: she gives him nothing.
	_, err := s.AskSwap(ctx, a, "2026-12-05", ben, "2026-12-07")
	s.want(err, "swap.nothing")
	_, err = s.AskSwap(ctx, a, "2026-12-03", cleo, "2026-12-04")
	s.want(err, "swap.colleague")
	_, err = s.AskSwap(ctx, a, "2026-12-01", ben, "2026-12-04")
	s.want(err, "swap.date")
	_, err = s.AskSwap(ctx, a, "2026-12-03", ben, "2026-12-04") // both work on both
	s.want(err, "swap.two_shifts")
	_, err = s.AskSwap(ctx, timesheet.Actor{Account: a.Account}, "2026-12-03", ben, "2026-12-03")
	s.want(err, "hours.nobody")

	// Ben is off on Thursday the 3rd, Anna on Friday the 4th.
	for who, day := range map[gatehouse.SubjectID]gatehouse.Date{ben: "2026-12-03", anna: "2026-12-04"} {
		_, err := s.PutRoster(ctx, boss, gatehouse.RosterEntry{Who: who, From: day, Until: day, Pattern: []gatehouse.ShiftID{""}})
		s.must(err)
	}
	x, err := s.AskSwap(ctx, a, "2026-12-03", ben, "2026-12-04")
	s.must(err)
	_, err = s.DecideSwap(ctx, boss, x.ID, true)
	s.want(err, "swap.agreed")
	_, err = s.AnswerSwap(ctx, a, x.ID, true)
	s.want(err, "swap.not_yours")
	_, err = s.AnswerSwap(ctx, as(cleo), x.ID, true)
	s.want(err, "swap.not_yours")
	_, err = s.AnswerSwap(ctx, b, x.ID, true)
	s.must(err)
	_, err = s.DecideSwap(ctx, as(ben), x.ID, true)
	s.want(err, "swap.own")

	// The power goes after two of four entries; the next start puts the others.
	ports := s.ports
	ports.Store = &halting{s.store, 2}
	dying, err := timesheet.Load(ctx, ports)
	s.must(err)
	if _, err = dying.DecideSwap(ctx, boss, x.ID, true); err == nil {
		t.Fatal("half a swap is no error")
	}
	h, err := timesheet.Load(ctx, s.ports)
	s.must(err)
	s.must(h.FinishSwaps(ctx))
	s.must(h.FinishSwaps(ctx))
	due := func(who gatehouse.SubjectID) (out [2]int) {
		v, err := h.Sheet(ctx, who, "2026-12-03", "2026-12-04", timesheet.AsOf{})
		s.must(err)
		return [2]int{v.Sheet.Days[0].Due, v.Sheet.Days[1].Due}
	}
	if got := [][2]int{due(anna), due(ben)}; got[0] != [2]int{0, 480} || got[1] != [2]int{480, 0} {
		t.Errorf("after the swap they owe %v", got)
	}
	if list, err := h.Swaps(ctx, gatehouse.TimesQuery{Subject: ben, Limit: 9}); err != nil || len(list) != 1 || list[0].State != gatehouse.CorrectionApproved || list[0].Applied.IsZero() {
		t.Errorf("%+v, %v", list, err)
	}
	_, err = h.DecideSwap(ctx, boss, x.ID, false)
	s.want(err, "correction.decided")
	back, err := h.AskSwap(ctx, b, "2026-12-03", anna, "2026-12-08") // she works on the 8th, and he does
	s.want(err, "swap.two_shifts")
	_ = back
}
