package timesheet_test

import (
	"testing"

	"gatehouse"
	"gatehouse/flow/timesheet"
)

// Leave with a chain is granted by the last step, each of another person in its role; until
// then it excuses nothing.
func TestLeaveIsApprovedInSteps(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	anna := s.enrol()
	s.plan(anna)
	s.want(s.PutLeaveKind(ctx, boss, 0, gatehouse.LeaveKind{ID: "long", Chain: []gatehouse.Role{gatehouse.Guard}}), "hours.leave")
	s.must(s.PutLeaveKind(ctx, boss, 0, gatehouse.LeaveKind{ID: "long", Code: "leave", Chain: []gatehouse.Role{gatehouse.SiteManager, gatehouse.HR}}))
	own := timesheet.Actor{Account: gatehouse.RandomID(), Person: anna}
	manager := timesheet.Actor{Account: gatehouse.RandomID(), Roles: []gatehouse.Role{gatehouse.SiteManager, gatehouse.HR}}
	hr := timesheet.Actor{Account: gatehouse.RandomID(), Roles: []gatehouse.Role{gatehouse.HR}}
	ask := func() gatehouse.LeaveRequest {
		l, err := s.AskLeave(ctx, own, anna, "long", at(3, "00:00"), at(4, "00:00"), "a move")
		s.must(err)
		return l
	}
	due := func() int {
		v, err := s.Sheet(ctx, anna, "2026-12-03", "2026-12-03", timesheet.AsOf{})
		s.must(err)
		return v.Sheet.Days[0].Due
	}
	l := ask()
	_, err := s.DecideLeave(ctx, hr, l.ID, true)
	s.want(err, "leave.step")
	l, err = s.DecideLeave(ctx, manager, l.ID, true)
	s.must(err)
	if l.State != gatehouse.CorrectionRequested || len(l.Approvals) != 1 || due() != 480 {
		t.Errorf("after one step: %+v, %d due", l, due())
	}
	_, err = s.DecideLeave(ctx, manager, l.ID, true) // has the role of the second step, too
	s.want(err, "leave.step")
	if l, err = s.DecideLeave(ctx, hr, l.ID, true); err != nil || l.State != gatehouse.CorrectionApproved || due() != 0 {
		t.Errorf("after both: %+v, %v, %d due", l, err, due())
	}
	refused := ask()
	if l, err = s.DecideLeave(ctx, manager, refused.ID, false); err != nil || l.State != gatehouse.CorrectionRefused {
		t.Errorf("a first step that refuses: %+v, %v", l, err)
	}
}
