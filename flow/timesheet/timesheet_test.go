package timesheet_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
	"gatehouse/flow/timesheet"
	"gatehouse/rules/attendance"
	"gatehouse/store/sqlite"
)

var (
	place = gatehouse.Place{Org: "acme", Site: "hq"}
	zone  = time.FixedZone("site", 3600)
	boss  = timesheet.Actor{Account: gatehouse.RandomID()}
	clerk = timesheet.Actor{Account: gatehouse.RandomID()}
)

// closed stands for sealing: what comes out says nothing about what went in.
type closed struct{}

func (closed) Seal(_ context.Context, _ gatehouse.SubjectID, _ gatehouse.RetentionClass, where gatehouse.SealContext, plain []byte, _ gatehouse.Padding) ([]byte, error) {
	sum := sha256.Sum256(append([]byte(where.Table+where.Field), plain...))
	return sum[:], nil
}
func (closed) OneOff(context.Context, gatehouse.Place) (gatehouse.SubjectID, error) {
	return gatehouse.RandomID(), nil
}
func (closed) Prepare(gatehouse.Place, gatehouse.SubjectID, gatehouse.RetentionClass) {}

// site is a site's hours on a store of its own, with a clock that the test sets.
type site struct {
	*testing.T
	*timesheet.Hours
	store *sqlite.Store
	ports timesheet.Ports
	now   time.Time
}

func open(t *testing.T) *site {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Key: func(string) ([32]byte, error) { return [32]byte{1}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	s := &site{T: t, store: store, now: at(1, "07:00")}
	s.ports = timesheet.Ports{Place: place, Location: zone, Store: store, Passages: store, Subjects: store, Sealer: closed{}, Newest: store.Newest, Gates: map[gatehouse.GateID]bool{"front-door": true}, Faces: true, WebClock: true,
		CheckRecipients: func(keys []string) error {
			if keys[0] != "age1x" {
				return errors.New("no key")
			}
			return nil
		}, Now: func() time.Time { return s.now }}
	s.Hours, err = timesheet.Load(t.Context(), s.ports)
	s.must(err)
	return s
}

// at is a moment of December 2026 at the site; the 1st is a Tuesday.
func at(day int, clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", fmt.Sprintf("2026-12-%02d %s", day, clock), zone)
	if err != nil {
		panic(err)
	}
	return t
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) want(err error, code string) {
	s.Helper()
	if gatehouse.ErrorCode(err) != code {
		s.Errorf("got %v, want %s", err, code)
	}
}

func (s *site) enrol() gatehouse.SubjectID {
	s.Helper()
	sub := gatehouse.Subject{Place: place, ID: gatehouse.RandomID(), Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Enrolled: s.now, Record: []byte("sealed")}
	s.must(s.store.PutSubject(s.Context(), gatehouse.SubjectCommit{Subject: sub, Leaf: gatehouse.SubjectLeaf(sub, s.now)}))
	return sub.ID
}

// passage is one at the front door by card, as change alters it.
func (s *site) passage(who gatehouse.SubjectID, when time.Time, direction gatehouse.Direction, change ...func(*gatehouse.Passage)) gatehouse.ID {
	s.Helper()
	p := gatehouse.Passage{Place: place, ID: gatehouse.NewID(when), Gate: "front-door", Device: "reader", Direction: direction, At: when, Kind: gatehouse.CardReading, Subject: who, Known: true,
		Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted}, Outcome: gatehouse.Pending}
	for _, f := range change {
		f(&p)
	}
	c := gatehouse.PassageCommit{Passage: p, Detail: []byte("sealed")}
	c.Leaf = gatehouse.PassageLeaf(p, c.Detail, nil)
	s.must(s.store.CommitPassage(s.Context(), c))
	return p.ID
}

func (s *site) follow() int {
	s.Helper()
	n, err := follow.CatchUp(s.Context(), s.store, s.Hours)
	s.must(err)
	return n
}

func (s *site) punches(who gatehouse.SubjectID) int {
	s.Helper()
	got, err := s.store.Punches(s.Context(), place, who, at(1, "00:00").AddDate(0, -1, 0), at(31, "00:00"))
	s.must(err)
	return len(got)
}

// plan puts somebody into a team that works from 8 to 16:30 with half an hour of break.
func (s *site) plan(people ...gatehouse.SubjectID) {
	s.Helper()
	ctx := s.Context()
	s.must(s.PutShift(ctx, boss, 0, gatehouse.Shift{ID: "day", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 480, Until: 990}}, Breaks: []gatehouse.ShiftBreak{{From: 720, Until: 750}}}))
	s.must(s.PutTeam(ctx, boss, 0, gatehouse.Team{ID: "line-1", Title: "Line 1"}))
	_, err := s.PutRoster(ctx, boss, gatehouse.RosterEntry{Group: "line-1", From: "2026-11-30", Pattern: []gatehouse.ShiftID{"day", "day", "day", "day", "day", "", ""}})
	s.must(err)
	s.must(s.PutRules(ctx, boss, 0, "2026-01-01", attendance.China()))
	for _, who := range people {
		_, err := s.PutMember(ctx, boss, gatehouse.TeamMember{Team: "line-1", Who: who, From: "2026-11-30"})
		s.must(err)
	}
}

func (s *site) minutes(who gatehouse.SubjectID, day int, as timesheet.AsOf) int {
	s.Helper()
	d := gatehouse.DateOf(at(day, "12:00"))
	v, err := s.Sheet(s.Context(), who, d, d, as)
	s.must(err)
	return v.Sheet.Days[0].Worked
}

func TestPassagesBecomePunches(t *testing.T) {
	s := open(t)
	who, agreed := s.enrol(), s.enrol()
	s.passage(who, at(1, "06:00"), gatehouse.In) // before attendance was switched on
	cursor, err := s.Cursor(s.Context())
	if s.must(err); cursor == 0 {
		t.Fatal("what was before is followed")
	}
	face := func(p *gatehouse.Passage) { p.Kind = gatehouse.FaceReading }
	s.must(s.store.PutConsent(s.Context(), gatehouse.Consent{Place: place, Subject: agreed, Purpose: gatehouse.FaceAtAttendance, Given: at(1, "06:00"), How: "terminal"}, []byte("leaf")))
	s.must(s.store.PutConsent(s.Context(), gatehouse.Consent{Place: place, Subject: who, Purpose: gatehouse.FaceAtDoors, Given: at(1, "06:00"), How: "terminal"}, []byte("leaf")))

	s.now = at(1, "20:00")
	s.passage(who, at(1, "08:00"), gatehouse.In)
	s.passage(who, at(1, "08:01"), gatehouse.In, face) // agreed to doors alone
	s.passage(agreed, at(1, "08:02"), gatehouse.In, face)
	s.passage(agreed, at(1, "05:00"), gatehouse.In, face) // before they agreed
	s.passage(who, at(1, "08:03"), gatehouse.In, func(p *gatehouse.Passage) { p.Gate = "back-door" })
	s.passage(who, at(1, "08:04"), gatehouse.In, func(p *gatehouse.Passage) {
		p.Decision, p.Outcome = gatehouse.Decision{Reason: gatehouse.NotHere}, gatehouse.NoAction
	})
	s.passage(gatehouse.RandomID(), at(1, "08:05"), gatehouse.In, func(p *gatehouse.Passage) { p.Known = false })
	turned := s.passage(who, at(1, "16:30"), gatehouse.Out)
	s.follow()
	if a, b := s.punches(who), s.punches(agreed); a != 2 || b != 1 {
		t.Fatalf("%d and %d punches, want 2 and 1", a, b)
	}
	// Nobody passed after all.
	o := gatehouse.PassageOutcome{Place: place, ID: turned, Outcome: gatehouse.NotPassed, At: at(1, "16:31")}
	o.Leaf = gatehouse.OutcomeLeaf(o)
	s.must(s.store.CommitOutcome(s.Context(), o))
	s.follow()
	if a := s.punches(who); a != 1 {
		t.Errorf("%d punches, want the one of 08:00", a)
	}

	// The same after a crash between the punches and the position, and after a restart.
	for _, store := range []gatehouse.HoursStore{forgetful{s.store}, s.store} {
		s.ports.Store = store
		again, err := timesheet.Load(t.Context(), s.ports)
		s.must(err)
		s.passage(who, at(1, "17:00"), gatehouse.Out)
		_, err = follow.CatchUp(t.Context(), s.store, again)
		if _, fails := store.(forgetful); fails != (err != nil) {
			t.Fatal(err)
		}
	}
	if a, b := s.punches(who), s.punches(agreed); a != 3 || b != 1 {
		t.Errorf("after a crash %d and %d punches, want 3 and 1", a, b)
	}
}

// forgetful is a store that crashes before the position is written.
type forgetful struct{ *sqlite.Store }

func (forgetful) SetPunchCursor(context.Context, gatehouse.Place, uint64) error {
	return errors.New("crash")
}

func TestACorrection(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	who := s.enrol()
	s.plan(who)
	_, err := s.Cursor(ctx)
	s.must(err)
	s.passage(who, at(1, "08:00"), gatehouse.In)
	s.now = at(2, "08:00")
	s.follow()
	if got := s.minutes(who, 1, timesheet.AsOf{}); got != 0 {
		t.Fatalf("%d minutes without a going", got)
	}
	own := timesheet.Actor{Account: gatehouse.RandomID(), Person: who}
	ask := timesheet.Asked{Who: who, Kind: gatehouse.AddPunch, At: at(1, "16:30"), Direction: gatehouse.Out, Reason: "the reader was dark"}
	for code, change := range map[string]func(*timesheet.Asked){
		"correction.reason": func(a *timesheet.Asked) { a.Reason = " " },
		"correction.kind":   func(a *timesheet.Asked) { a.Kind = "more" },
		"hours.direction":   func(a *timesheet.Asked) { a.Direction = "" },
		"hours.future":      func(a *timesheet.Asked) { a.At = at(2, "08:01") },
		"correction.punch":  func(a *timesheet.Asked) { a.Kind, a.Punch = gatehouse.MovePunch, gatehouse.NewID(at(1, "08:00")) },
		"subject.unknown":   func(a *timesheet.Asked) { a.Who = gatehouse.RandomID() },
	} {
		a := ask
		change(&a)
		_, err := s.Ask(ctx, own, a)
		s.want(err, code)
	}
	c, err := s.Ask(ctx, own, ask)
	s.must(err)
	if strings.Contains(string(c.Reason), "reader") || c.State != gatehouse.CorrectionRequested {
		t.Errorf("%+v", c)
	}
	preview, err := s.Preview(ctx, c.ID)
	s.must(err)
	_, err = s.Decide(ctx, own, c.ID, true)
	s.want(err, "correction.own")
	_, err = s.Decide(ctx, timesheet.Actor{Account: boss.Account, Person: who}, c.ID, true) // with another account
	s.want(err, "correction.own")
	if got := s.minutes(who, 1, timesheet.AsOf{}); got != 0 {
		t.Errorf("%d minutes before anybody approved", got)
	}
	before := timesheet.AsOf{Version: s.List().Version, At: s.now}
	s.now = at(2, "09:00")
	_, err = s.Decide(ctx, boss, c.ID, true)
	s.must(err)
	_, err = s.Decide(ctx, boss, c.ID, false)
	s.want(err, "correction.decided")
	if got := s.minutes(who, 1, timesheet.AsOf{}); got != 480 {
		t.Errorf("%d minutes, want 480", got)
	}
	if got := s.minutes(who, 1, before); got != 0 {
		t.Errorf("as it was: %d minutes", got)
	}
	diff, err := s.Difference(ctx, who, "2026-12-01", "2026-12-01", before)
	s.must(err)
	if len(diff) != 2 || diff[0].Code != gatehouse.Regular || diff[0].Before != 0 || diff[0].After != 480 || diff[1].Exception != gatehouse.MissingOut || !reflect.DeepEqual(diff, preview) {
		t.Errorf("difference %+v\npreview %+v", diff, preview)
	}

	// Both versions stay, and a correction may itself be corrected.
	move, err := s.Ask(ctx, own, timesheet.Asked{Who: who, Kind: gatehouse.MovePunch, Punch: c.ID, At: at(1, "15:30"), Direction: gatehouse.Out, Reason: "it was earlier"})
	s.must(err)
	_, err = s.Decide(ctx, boss, move.ID, true)
	s.must(err)
	v, err := s.Sheet(ctx, who, "2026-12-01", "2026-12-01", timesheet.AsOf{})
	s.must(err)
	if v.Sheet.Days[0].Worked != 420 || len(v.Punches) != 3 || v.Punches[c.ID].Request != c.ID {
		t.Errorf("%d minutes, punches %+v", v.Sheet.Days[0].Worked, v.Punches)
	}
	other := s.enrol()
	_, err = s.Ask(ctx, own, timesheet.Asked{Who: other, Kind: gatehouse.VoidPunch, Punch: c.ID, Reason: "not mine"})
	s.want(err, "correction.punch")
	dispute, err := s.Ask(ctx, own, timesheet.Asked{Who: who, Kind: gatehouse.DisputeTime, At: at(1, "12:00"), Reason: "no break was given"})
	s.must(err)
	s.want(s.Withdraw(ctx, boss, dispute.ID), "correction.not_yours")
	s.must(s.Withdraw(ctx, own, dispute.ID))
	if waiting, err := s.Corrections(ctx, gatehouse.TimesQuery{State: gatehouse.CorrectionRequested, Limit: 10}); err != nil || len(waiting) != 0 {
		t.Errorf("%+v wait, %v", waiting, err)
	}
}

// What a closed period was paid with does not change, whatever is changed later, and it
// takes two people to change it.
func TestAClosedPeriod(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	who := s.enrol()
	s.plan(who)
	_, err := s.Cursor(ctx)
	s.must(err)
	s.now = at(8, "09:00")
	for day := 1; day <= 4; day++ {
		s.passage(who, at(day, "08:00"), gatehouse.In)
		s.passage(who, at(day, "17:30"), gatehouse.Out)
	}
	s.follow()
	_, err = s.Close(ctx, clerk, "2026-12-01", "2026-12-10")
	s.want(err, "period.running")
	c, err := s.Ask(ctx, clerk, timesheet.Asked{Who: who, Kind: gatehouse.VoidPunch, Punch: s.first(who), Reason: "a test card"})
	s.must(err)
	_, err = s.Close(ctx, clerk, "2026-12-01", "2026-12-07")
	s.want(err, "period.waiting")
	s.must(s.Withdraw(ctx, clerk, c.ID))
	p, err := s.Close(ctx, clerk, "2026-12-01", "2026-12-07")
	s.must(err)
	then := timesheet.AsOf{Version: p.Version, At: p.Closed}
	paid, err := s.Sheet(ctx, who, "2026-12-01", "2026-12-07", then)
	s.must(err)
	if len(paid.Totals) != 2 || paid.Totals[0].Code != "overtime-150" || paid.Totals[0].Minutes != 4*60 {
		t.Fatalf("%+v", paid.Totals)
	}
	_, err = s.Close(ctx, clerk, "2026-12-07", "2026-12-07")
	s.want(err, "period.overlap")
	s.now = at(9, "09:00")
	s.want(s.Enter(ctx, boss, who, at(7, "08:00"), gatehouse.In), "correction.period")
	_, err = s.Ask(ctx, clerk, timesheet.Asked{Who: who, Kind: gatehouse.AddPunch, At: at(7, "08:00"), Direction: gatehouse.In, Reason: "late"})
	s.want(err, "correction.period")
	_, found, err := s.ImportPunches(ctx, clerk, []attendance.PunchRow{{Line: 2, Who: "a", At: "2026-12-07 08:00", Direction: "in"}, {Line: 3, Who: "a", At: "08.12.2026 08:00", Direction: "in"}}, attendance.PunchFormat{Layout: "2006-01-02 15:04", In: "in", Out: "out"}, map[string]gatehouse.SubjectID{"a": who}, false)
	if s.must(err); len(found) != 2 || found[0].Line != 2 || found[0].Code != "correction.period" || found[1].Line != 3 {
		t.Errorf("%+v", found)
	}

	// Rules, plans and late passages change what would be paid, and not what was.
	s.must(s.PutRules(ctx, boss, timesheet.Any, "2026-01-01", gatehouse.AttendanceRules{Name: "none"}))
	s.must(s.PutShift(ctx, boss, timesheet.Any, gatehouse.Shift{ID: "day", Kind: gatehouse.OpenShift, Due: 60}))
	s.passage(who, at(7, "10:00"), gatehouse.In)
	s.passage(who, at(7, "11:00"), gatehouse.Out)
	s.follow()
	again, err := s.Sheet(ctx, who, "2026-12-01", "2026-12-07", then)
	s.must(err)
	if !reflect.DeepEqual(again.Sheet, paid.Sheet) {
		t.Errorf("what was paid changed:\n%+v\n%+v", paid.Sheet, again.Sheet)
	}
	diff, err := s.Difference(ctx, who, "2026-12-01", "2026-12-07", then)
	s.must(err)
	if len(diff) < 8 { // the overtime of four days, their regular hours, and the new day
		t.Errorf("differences %+v", diff)
	}
	var all []gatehouse.Timesheet
	s.must(s.Everybody(ctx, "2026-12-01", "2026-12-07", then, func(team gatehouse.GroupID, sheet gatehouse.Timesheet) error {
		if team != "line-1" {
			t.Errorf("team %q", team)
		}
		all = append(all, sheet)
		return nil
	}))
	if len(all) != 1 || !reflect.DeepEqual(all[0], paid.Sheet) {
		t.Errorf("of everybody: %+v", all)
	}

	// Two people export it, as it was closed.
	_, err = s.AskExport(ctx, clerk, "2026-12-01", "2026-12-06", gatehouse.PayCSV, []string{"age1x"})
	s.want(err, "period.unknown")
	_, err = s.AskExport(ctx, clerk, "2026-12-01", "2026-12-07", gatehouse.PayCSV, []string{"nobody"})
	s.want(err, "export.recipients")
	export, err := s.AskExport(ctx, clerk, "2026-12-01", "2026-12-07", gatehouse.PayCSV, []string{"age1x"})
	s.must(err)
	_, _, err = s.TakeExport(ctx, clerk, export.ID)
	s.want(err, "export.two_people")
	_, err = s.ApproveExport(ctx, clerk, export.ID)
	s.want(err, "export.two_people")
	_, err = s.ApproveExport(ctx, boss, export.ID)
	s.must(err)
	_, totals, err := s.TakeExport(ctx, clerk, export.ID)
	if s.must(err); len(totals) != 1 || totals[0].Subject != who || len(totals[0].Parts) != 1 || totals[0].Parts[0].Where != (gatehouse.Where{Site: s.Place.Site}) || !reflect.DeepEqual(totals[0].Parts[0].Totals, paid.Totals) {
		t.Errorf("exported %+v, paid %+v", totals, paid.Totals)
	}

	_, err = s.Reopen(ctx, boss, "2026-12-01", "2026-12-06")
	s.want(err, "period.unknown")
	asked, err := s.Reopen(ctx, boss, "2026-12-01", "2026-12-07")
	if s.must(err); asked.State != gatehouse.ClosedPeriod {
		t.Error("one person reopened it")
	}
	_, err = s.Reopen(ctx, boss, "2026-12-01", "2026-12-07")
	s.want(err, "period.two_people")
	reopened, err := s.Reopen(ctx, clerk, "2026-12-01", "2026-12-07")
	if s.must(err); reopened.State != gatehouse.OpenPeriod || reopened.ReopenedBy != [2]gatehouse.AccountID{boss.Account, clerk.Account} {
		t.Errorf("%+v", reopened)
	}
	_, _, err = s.TakeExport(ctx, clerk, export.ID)
	s.want(err, "period.state")
	s.must(s.Enter(ctx, boss, who, at(7, "08:00"), gatehouse.In))
}

func (s *site) first(who gatehouse.SubjectID) gatehouse.ID {
	s.Helper()
	got, err := s.store.Punches(s.Context(), place, who, at(1, "00:00"), at(2, "00:00"))
	if s.must(err); len(got) == 0 {
		s.Fatal("no punches")
	}
	return got[0].ID
}

func TestLeave(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	who := s.enrol()
	s.plan(who)
	own := timesheet.Actor{Account: gatehouse.RandomID(), Person: who}
	s.must(s.PutLeaveKind(ctx, boss, 0, gatehouse.LeaveKind{ID: "annual", Title: "Annual leave", Code: "leave", PerYear: 24 * 480}))
	_, err := s.AskLeave(ctx, own, who, "gone", at(2, "00:00"), at(4, "00:00"), "a wedding")
	s.want(err, "hours.unknown")
	_, err = s.AskLeave(ctx, own, who, "annual", at(4, "00:00"), at(2, "00:00"), "a wedding")
	s.want(err, "leave.times")
	l, err := s.AskLeave(ctx, own, who, "annual", at(2, "00:00"), at(4, "00:00"), "a wedding")
	s.must(err)
	_, err = s.DecideLeave(ctx, own, l.ID, true)
	s.want(err, "correction.own")
	_, err = s.DecideLeave(ctx, boss, l.ID, true)
	s.must(err)
	s.now = at(5, "09:00")
	v, err := s.Sheet(ctx, who, "2026-12-01", "2026-12-04", timesheet.AsOf{})
	s.must(err)
	for i, absent := range []bool{true, false, false, true} {
		d := v.Sheet.Days[i]
		if got := len(d.Exceptions) > 0 && d.Exceptions[0].Kind == gatehouse.Absent; got != absent {
			t.Errorf("%s: %+v", d.Date, d.Exceptions)
		}
	}
	b, err := s.Balances(ctx, who)
	if s.must(err); len(b) != 1 || b[0].Taken != 960 || b[0].Accrued != 24*480*2/12 { // in the team since 30 November
		t.Errorf("%+v", b)
	}
}

func TestPunchesByHand(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	who := s.enrol()
	own := timesheet.Actor{Account: gatehouse.RandomID(), Person: who}
	s.want(s.Clock(ctx, boss, gatehouse.In), "hours.nobody")
	s.want(s.Clock(ctx, own, "sideways"), "hours.direction")
	s.now = at(1, "08:00")
	s.must(s.Clock(ctx, own, gatehouse.In))
	s.want(s.Enter(ctx, own, who, at(1, "07:00"), gatehouse.In), "hours.own")
	s.want(s.Enter(ctx, boss, who, at(1, "09:00"), gatehouse.In), "hours.future")
	s.now = at(1, "12:00")
	s.must(s.Clock(ctx, own, gatehouse.Out))
	if got := s.minutes(who, 1, timesheet.AsOf{}); got != 240 {
		t.Errorf("%d minutes of the web clock", got)
	}
	rows := []attendance.PunchRow{{Line: 2, Who: "a", At: "30.11.2026 08:00", Direction: "in"}, {Line: 3, Who: "a", At: "30.11.2026 12:00", Direction: "out"}, {Line: 4, Who: "b", At: "2026-11-30 12:00", Direction: "out"}, {Line: 5, Who: "a", At: "30.11.1926 12:00", Direction: "out"}}
	format := attendance.PunchFormat{Layout: "02.01.2006 15:04", In: "in", Out: "out"}
	people := map[string]gatehouse.SubjectID{"a": who}
	if _, found, err := s.ImportPunches(ctx, boss, rows, format, people, false); err != nil || len(found) != 2 || found[0].Line != 4 || found[1].Line != 5 || s.punches(who) != 2 {
		t.Errorf("%+v, %v: nothing is written while one row is wrong", found, err)
	}
	if added, found, err := s.ImportPunches(ctx, boss, rows[:2], format, people, true); err != nil || len(found) != 0 || added != 0 || s.punches(who) != 2 {
		t.Errorf("a dry import: %d, %+v, %v", added, found, err)
	}
	for i, want := range []int{2, 0} { // a second time it is there
		if added, found, err := s.ImportPunches(ctx, boss, rows[:2], format, people, false); err != nil || len(found) != 0 || added != want {
			t.Errorf("import %d: %d, %+v, %v", i, added, found, err)
		}
	}
	if s.punches(who) != 4 {
		t.Errorf("%d punches", s.punches(who))
	}
}

func TestPlansThatCannotBe(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	who := s.enrol()
	s.plan(who)
	part := func(from, until int) gatehouse.Shift {
		return gatehouse.Shift{ID: "odd", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: from, Until: until}}}
	}
	s.want(s.PutShift(ctx, boss, 0, part(480, 480)), "hours.shift")
	s.want(s.PutShift(ctx, boss, 0, part(0, 1800)), "hours.shift")
	s.want(s.PutShift(ctx, boss, 0, gatehouse.Shift{ID: "day", Kind: gatehouse.OpenShift}), "hours.exists")
	s.want(s.PutShift(ctx, boss, 99, gatehouse.Shift{ID: "day", Kind: gatehouse.OpenShift}), "hours.changed")
	s.want(s.PutTeam(ctx, boss, 0, gatehouse.Team{ID: "Line"}), "hours.name")
	s.want(s.PutTeam(ctx, boss, 0, gatehouse.Team{ID: "line-2", Title: "a\nb"}), "hours.title")
	s.want(s.Remove(ctx, boss, gatehouse.ShiftsOfHours, "day"), "hours.in_use")
	s.want(s.Remove(ctx, boss, gatehouse.TeamsOfHours, "line-1"), "hours.in_use")
	s.want(s.Remove(ctx, boss, gatehouse.ShiftsOfHours, "gone"), "hours.unknown")
	s.must(s.PutTeam(ctx, boss, 0, gatehouse.Team{ID: "line-2"}))
	_, err := s.PutMember(ctx, boss, gatehouse.TeamMember{Team: "line-2", Who: who, From: "2026-12-10"})
	s.want(err, "hours.member")
	_, err = s.PutMember(ctx, boss, gatehouse.TeamMember{Team: "line-3", Who: s.enrol(), From: "2026-12-10"})
	s.want(err, "hours.unknown")
	for _, e := range []gatehouse.RosterEntry{
		{Group: "line-1", From: "2026-12-01", Pattern: []gatehouse.ShiftID{""}},     // plans days otherwise than the other entry
		{Group: "line-2", From: "soon", Pattern: []gatehouse.ShiftID{"day"}},        // no date
		{Group: "line-2", From: "2026-12-01", Pattern: []gatehouse.ShiftID{"gone"}}, // no such shift
		{Group: "line-2", From: "2026-12-01"},
		{Group: "line-2", From: "2026-12-01", Pattern: []gatehouse.ShiftID{"day"}, Zone: "Moon/Sea"},
	} {
		_, err := s.PutRoster(ctx, boss, e)
		s.want(err, "hours.roster")
	}
	s.want(s.PutRules(ctx, boss, 0, "2026-12-01", gatehouse.AttendanceRules{DayBegins: 5000}), "hours.rules")
	s.want(s.PutCalendar(ctx, boss, 0, gatehouse.WorkCalendar{Days: []gatehouse.CalendarDay{{Date: "2026-12-25", Kind: "feast"}}}), "hours.calendar")
	s.must(s.PutHolidays(ctx, boss, 0, "cn", 2026, 2026))

	// Whoever left a team had its plan until then, and the book is the same after a restart.
	l := s.List()
	m := l.Members[0]
	m.Until = "2026-12-02"
	_, err = s.PutMember(ctx, boss, m)
	s.must(err)
	s.now = at(5, "09:00")
	v, err := s.Sheet(ctx, who, "2026-12-01", "2026-12-03", timesheet.AsOf{})
	s.must(err)
	if v.Sheet.Days[1].Due != 480 || v.Sheet.Days[2].Due != 0 {
		t.Errorf("due %d and %d", v.Sheet.Days[1].Due, v.Sheet.Days[2].Due)
	}
	again, err := timesheet.Load(ctx, s.ports)
	s.must(err)
	if !reflect.DeepEqual(s.List(), again.List()) {
		t.Errorf("before a restart\n%+v\nafter\n%+v", s.List(), again.List())
	}
	changes, err := s.Changes(ctx, 0, 3)
	if s.must(err); len(changes) != 3 || changes[0].Version != again.List().Version || changes[0].Item.Subject != who {
		t.Errorf("%+v", changes)
	}
}
