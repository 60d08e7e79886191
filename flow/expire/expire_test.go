package expire

import (
	"context"
	"slices"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/rules/retention"
)

// archive is the key store and the store, as far as expiring sees them.
type archive struct {
	days      []gatehouse.KeyDay
	tooYoung  time.Time // of passage days, those from here on are refused
	holds     []gatehouse.Hold
	expired   []gatehouse.KeyDay
	cuts      map[gatehouse.ContentKind]gatehouse.ContentCut
	months    []time.Time
	followed  uint64
	people    []gatehouse.Subject
	badges    map[gatehouse.SubjectID]gatehouse.Badge
	last      map[gatehouse.SubjectID]time.Time
	erased    []gatehouse.SubjectID
	eraseMost int
}

func (a *archive) Days(context.Context, gatehouse.Place) ([]gatehouse.KeyDay, error) {
	return slices.Clone(a.days), nil
}
func (a *archive) Expire(_ context.Context, _ gatehouse.Place, class gatehouse.RetentionClass, day time.Time) (int, error) {
	if class == gatehouse.PassageClass && !a.tooYoung.IsZero() && !day.Before(a.tooYoung) {
		return 0, gatehouse.Errorf("vault.too_young", "", "too young")
	}
	one := gatehouse.KeyDay{Class: class, Day: day}
	a.expired = append(a.expired, one)
	a.days = slices.DeleteFunc(a.days, func(d gatehouse.KeyDay) bool { return d == one })
	return 2, nil
}
func (a *archive) Holds(context.Context, gatehouse.Place) ([]gatehouse.Hold, error) {
	return a.holds, nil
}
func (a *archive) EndHolds(context.Context) (int, error) { return 1, nil }
func (a *archive) DropContent(_ context.Context, cut gatehouse.ContentCut, _ func([]gatehouse.BlobID) error) (int, error) {
	a.cuts[cut.Kind] = cut
	return 10, nil
}
func (a *archive) Months(context.Context) ([]time.Time, error) { return slices.Clone(a.months), nil }
func (a *archive) DropMonth(_ context.Context, month time.Time, followed uint64) (bool, error) {
	if followed < a.followed {
		return false, nil
	}
	a.months = slices.DeleteFunc(a.months, month.Equal)
	return true, nil
}
func (a *archive) Subjects(_ context.Context, _ gatehouse.Place, after gatehouse.SubjectID, _ int) ([]gatehouse.Subject, error) {
	if !after.IsZero() {
		return nil, nil
	}
	return a.people, nil
}
func (a *archive) SubjectTraces(_ context.Context, _ gatehouse.Place, id gatehouse.SubjectID) (gatehouse.SubjectTraces, error) {
	return gatehouse.SubjectTraces{Enrolled: true, Last: a.last[id]}, nil
}
func (a *archive) DeleteBlobs(context.Context, []gatehouse.BlobID) error { return nil }
func (a *archive) erase(_ context.Context, id gatehouse.SubjectID) error {
	if len(a.erased) >= a.eraseMost {
		return gatehouse.Errorf("vault.erase_limit", "", "enough for now")
	}
	a.erased = append(a.erased, id)
	return nil
}

var policy = retention.Policy{Passages: 90 * retention.Day, Frames: 7 * retention.Day, Strangers: 3 * retention.Day, Records: 365 * retention.Day, Metadata: 400 * retention.Day}

func (a *archive) run(t *testing.T, now time.Time) Report {
	t.Helper()
	a.cuts = map[gatehouse.ContentKind]gatehouse.ContentCut{}
	e := Expirer{Policy: policy, Keys: a, Store: a, Blobs: a, Erase: a.erase, Followed: func(context.Context) (uint64, error) { return 100, nil },
		Badge: func(id gatehouse.SubjectID) (gatehouse.Badge, bool) { b, ok := a.badges[id]; return b, ok }}
	r, err := e.Run(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	now   = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	today = now.Truncate(retention.Day)
)

func TestDaysExpireByTheirClass(t *testing.T) {
	a := &archive{}
	for i := range 120 {
		for _, class := range []gatehouse.RetentionClass{gatehouse.PassageClass, gatehouse.FrameClass, gatehouse.StrangerClass, gatehouse.RecordClass} {
			a.days = append(a.days, gatehouse.KeyDay{Class: class, Day: today.AddDate(0, 0, -i)})
		}
	}
	r := a.run(t, now)
	// A day's first second must not be older than its time, so its last goes earlier.
	if r.Days != 30+113+117 || r.Chains != 2*r.Days || r.Delayed != 0 || r.Holds != 1 || r.Items != 40 {
		t.Errorf("%+v", r)
	}
	for _, d := range a.expired {
		keep, ok := policy.Classes()[d.Class]
		if !ok || now.Sub(d.Day) <= keep {
			t.Fatalf("%v expired", d)
		}
	}
	for kind, back := range map[gatehouse.ContentKind]int{gatehouse.DetailContent: 89, gatehouse.CropContent: 89, gatehouse.FrameContent: 6, gatehouse.StrangerContent: 2} {
		if got := a.cuts[kind].Before; !got.Equal(today.AddDate(0, 0, -back)) {
			t.Errorf("%s is dropped before %v", kind, got)
		}
	}
}

// Where the vault does not let keys go yet, the content stays with them.
func TestContentStaysWithItsKeys(t *testing.T) {
	a := &archive{tooYoung: today.AddDate(0, 0, -100)}
	for i := range 120 {
		a.days = append(a.days, gatehouse.KeyDay{Class: gatehouse.PassageClass, Day: today.AddDate(0, 0, -i)})
	}
	subject := gatehouse.RandomID()
	a.holds = []gatehouse.Hold{{Subject: subject}, {Day: "2026-08-01"}}
	r := a.run(t, now)
	if r.Days != 19 || r.Delayed != 11 {
		t.Errorf("%+v", r)
	}
	cut := a.cuts[gatehouse.DetailContent]
	if !cut.Before.Equal(today.AddDate(0, 0, -100)) || len(cut.HeldSubjects) != 1 || cut.HeldSubjects[0] != subject || len(cut.HeldDays) != 1 || cut.HeldDays[0].Day() != 1 {
		t.Errorf("the cut is %+v", cut)
	}
}

func TestMonthsGoWhenTheyWereFollowed(t *testing.T) {
	months := []time.Time{time.Date(2025, 8, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC)}
	a := &archive{months: slices.Clone(months), followed: 101}
	if r := a.run(t, now); r.Months != 0 || len(a.months) != 3 {
		t.Errorf("months went that the audit log does not have: %+v", r)
	}
	a.followed = 100
	a.holds = []gatehouse.Hold{{Day: "2025-08-02"}}
	if r := a.run(t, now); r.Months != 0 {
		t.Errorf("a month went under a hold: %+v", r)
	}
	a.holds = nil
	if r := a.run(t, now); r.Months != 2 || len(a.months) != 1 || !a.months[0].Equal(months[2]) {
		t.Errorf("%+v, left %v", r, a.months)
	}
}

func TestWhoHasLeftIsErased(t *testing.T) {
	a := &archive{badges: map[gatehouse.SubjectID]gatehouse.Badge{}, last: map[gatehouse.SubjectID]time.Time{}, eraseMost: 2}
	var left []gatehouse.SubjectID
	for i := range 6 {
		id := gatehouse.RandomID()
		a.people = append(a.people, gatehouse.Subject{ID: id, Status: gatehouse.Active, Enrolled: now.AddDate(-3, 0, 0)})
		b := gatehouse.Badge{}
		if i < 4 {
			b.ValidUntil = now.AddDate(-2, 0, 0)
		}
		if i == 3 {
			a.last[id] = now.AddDate(0, -1, 0) // came back under some exception
		}
		a.badges[id] = b
		if i < 3 {
			left = append(left, id)
		}
	}
	if r := a.run(t, now); r.Erased != 2 {
		t.Errorf("%+v: the vault allowed two", r)
	}
	a.people = a.people[2:]
	a.eraseMost = 10
	if r := a.run(t, now); r.Erased != 1 || !slices.Equal(a.erased, left) {
		t.Errorf("%+v", r)
	}
}
