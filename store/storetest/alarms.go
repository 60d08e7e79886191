package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse"
)

func testAlarms(t *testing.T, s *suite) {
	var made []gatehouse.RaisedAlarm // the newest first
	for i := range 7 {
		a := gatehouse.Alarm{ID: gatehouse.NewID(noon.Add(time.Duration(i) * time.Minute)), At: noon.Add(time.Duration(i) * time.Minute), Kind: gatehouse.BudgetAlarm,
			Operator: "op", Purpose: "live", Scope: "organization.hour", Device: "reader-1", Gate: "front"}
		s.must(s.PutAlarm(s.ctx(), here, a))
		made = append([]gatehouse.RaisedAlarm{{Alarm: a}}, made...)
	}
	again := made[0].Alarm
	again.Kind = gatehouse.TestAlarm
	s.must(s.PutAlarm(s.ctx(), here, again)) // one that is there stays
	list := func(q gatehouse.AlarmQuery) (all []gatehouse.RaisedAlarm) {
		t.Helper()
		q.Limit = 3
		for {
			page, err := s.Alarms(s.ctx(), q)
			s.must(err)
			all = append(all, page...)
			if len(page) < q.Limit {
				return all
			}
			q.Before = page[len(page)-1].ID
		}
	}
	same := func(what string, got, want []gatehouse.RaisedAlarm) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	same("at first", list(gatehouse.AlarmQuery{Place: here, Open: true}), made)
	leaves := len(s.leaves(0))
	done := noon.Add(time.Hour)
	s.must(s.AcknowledgeAlarm(s.ctx(), here, made[2].ID, "chief", done, gatehouse.AlarmLeaf(done, here, made[2].ID, "chief")))
	s.must(s.AcknowledgeAlarm(s.ctx(), here, made[2].ID, "other", done.Add(time.Hour), []byte("leaf"))) // the first one stays
	s.must(s.PutAlarm(s.ctx(), here, made[2].Alarm))
	made[2].Acknowledged, made[2].By = done, "chief"
	if n := len(s.leaves(0)) - leaves; n != 1 {
		t.Errorf("%d leaves, want 1", n)
	}
	s.wantCode(s.AcknowledgeAlarm(s.ctx(), here, gatehouse.RandomID(), "chief", done, []byte("leaf")), "store.not_found")
	s.wantCode(s.AcknowledgeAlarm(s.ctx(), there, made[0].ID, "chief", done, []byte("leaf")), "store.not_found")
	s.wantCode(s.AcknowledgeAlarm(s.ctx(), here, made[0].ID, "chief", done, nil), "store.invalid")
	s.reopen()
	same("after a restart", list(gatehouse.AlarmQuery{Place: here}), made)
	same("open ones", list(gatehouse.AlarmQuery{Place: here, Open: true}), append(append([]gatehouse.RaisedAlarm{}, made[:2]...), made[3:]...))
	late := noon.AddDate(1, 0, 0)
	for _, c := range []struct {
		place  gatehouse.Place
		before time.Time
		want   int
	}{{there, late, 0}, {here, made[2].At, 0}, {here, late, 1}, {here, late, 0}} {
		if n, err := s.DropAlarms(s.ctx(), c.place, c.before); err != nil || n != c.want {
			t.Errorf("before %v: dropped %d, %v; want %d", c.before, n, err, c.want)
		}
	}
	same("after dropping", list(gatehouse.AlarmQuery{Place: here}), append(append([]gatehouse.RaisedAlarm{}, made[:2]...), made[3:]...))
	same("another site's", list(gatehouse.AlarmQuery{Place: there}), nil)
}
