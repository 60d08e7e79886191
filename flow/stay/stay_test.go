package stay_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
	"gatehouse/flow/stay"
	"gatehouse/flow/workingset"
	"gatehouse/gallery"
	"gatehouse/store/sqlite"
	"gatehouse/tariff"
	"gatehouse/vault"
)

var here = gatehouse.Place{Org: "acme", Site: "north"}

// site is a car park over the real store and working set, at a clock of the test's.
type site struct {
	*testing.T
	*stay.Stays
	now     time.Time
	store   *sqlite.Store
	working *workingset.Set
	ports   stay.Ports
	booked  map[gatehouse.ID]int64
	paid    map[gatehouse.ID][]gatehouse.Payment
	sealed  []string              // what was given to be sealed
	owners  []gatehouse.SubjectID // for whom
	alarms  int
	mu      sync.Mutex // of what was sealed
}

func (s *site) Seal(_ context.Context, owner gatehouse.SubjectID, _ gatehouse.RetentionClass, _ gatehouse.SealContext, plain []byte, _ gatehouse.Padding) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed, s.owners = append(s.sealed, string(plain)), append(s.owners, owner)
	return []byte("sealed"), nil
}
func (*site) OneOff(context.Context, gatehouse.Place) (gatehouse.SubjectID, error) {
	return gatehouse.RandomID(), nil
}
func (*site) Prepare(gatehouse.Place, gatehouse.SubjectID, gatehouse.RetentionClass) {}
func (s *site) PaymentsOf(_ context.Context, _ gatehouse.Place, id gatehouse.ID) ([]gatehouse.Payment, error) {
	return s.paid[id], nil
}
func (s *site) BookCharge(_ context.Context, _ gatehouse.Place, id gatehouse.ID, _ time.Time, c gatehouse.Charge) error {
	s.booked[id] = c.Total.Minor
	return nil
}

const twoAnHour = "tariff: centre\ncurrency: EUR\ntime_zone: UTC\nversions:\n  - from: 2020-01-01\n    exit_within: 15m\n    validations: 1\n    plans: [{classes: [car], periods: [{steps: [{block: 1h, price: 2.00}]}]}]\n"

func readTariff(body []byte) (gatehouse.Tariff, error) {
	t, problems := tariff.Read(body)
	if len(problems) > 0 {
		return t, gatehouse.Errorf("parking.tariff", "", "%s", problems[0])
	}
	return t, nil
}

func open(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{T: t, now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), booked: map[gatehouse.ID]int64{}, paid: map[gatehouse.ID][]gatehouse.Payment{}}
	s.must(os.MkdirAll(filepath.Join(dir, "data", "db"), 0o700))
	s.must(vault.CreateGateKey(filepath.Join(dir, "data"), filepath.Join(dir, "gate.key")))
	key, err := vault.OpenGateKey(filepath.Join(dir, "data"), filepath.Join(dir, "gate.key"))
	s.must(err)
	s.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: filepath.Join(dir, "data", "db"), Key: func(f string) ([32]byte, error) { return key.FileKey(filepath.Join("db", f)) }})
	s.must(err)
	t.Cleanup(func() { s.must(s.store.Close()) })
	s.working, err = workingset.Load(t.Context(), here, s.store, key, gallery.New(4))
	s.must(err)
	s.ports = stay.Ports{Place: here, Location: time.UTC, Store: s.store, Passages: s.store, Newest: s.store.Newest, Working: s.working, Sealer: s, Books: s, ReadTariff: readTariff,
		Alarm: func(context.Context, gatehouse.GateID) { s.alarms++ }, Now: func() time.Time { return s.now }, Log: slog.New(slog.DiscardHandler),
		CarParks: []gatehouse.CarPark{{ID: "centre", Capacity: 3, Entries: []gatehouse.GateID{"in"}, Exits: []gatehouse.GateID{"out"}, Longest: 20 * 24 * time.Hour, Tariff: "centre"}}}
	s.restart()
	_, err = s.PutTariff(t.Context(), []byte(twoAnHour), "chief")
	s.must(err)
	return s
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) wantCode(err error, code string) {
	s.Helper()
	if gatehouse.ErrorCode(err) != code {
		s.Errorf("got %v, want %s", err, code)
	}
}

// restart loads the stays anew, as a server does that starts.
func (s *site) restart() {
	s.Helper()
	var err error
	s.Stays, err = stay.Load(s.Context(), s.ports)
	s.must(err)
}

func (s *site) follow() {
	s.Helper()
	_, err := follow.CatchUp(s.Context(), s.store, s.Stays)
	s.must(err)
}

// at asks a lane about a plate and, as the main path does, keeps the mark and commits the
// passage.
func (s *site) at(gate gatehouse.GateID, text string) gatehouse.Passage {
	s.Helper()
	return s.unsure(gate, text, 0.999)
}

// unsure is at, where the reading has another confidence.
func (s *site) unsure(gate gatehouse.GateID, text string, confidence float64) gatehouse.Passage {
	s.Helper()
	m := gatehouse.Mark{Plate: gatehouse.PlateRead{Text: text, Raw: text, Confidence: confidence}}
	subject, known := s.working.ByPlate(text)
	d, _ := s.At(s.Context(), gatehouse.AtLane{Gate: gatehouse.Gate{Place: here, ID: gate}, Mark: m, Known: known, Subject: subject, Final: true, At: s.now})
	p := gatehouse.Passage{Place: here, ID: gatehouse.NewID(s.now), Gate: gate, At: s.now, Kind: gatehouse.PlateReading, Subject: subject, Known: known, Decision: d, Outcome: gatehouse.NoAction}
	if !known {
		p.Subject = gatehouse.RandomID()
	}
	if d.Grant {
		p.Outcome = gatehouse.Pending
	}
	s.must(s.Keep(s.Context(), p, m, gatehouse.ID{}))
	c := gatehouse.PassageCommit{Passage: p, Detail: []byte("sealed")}
	c.Leaf = gatehouse.PassageLeaf(p, c.Detail, nil)
	s.must(s.store.CommitPassage(s.Context(), c))
	s.follow()
	return p
}

func (s *site) sensor(p gatehouse.Passage, o gatehouse.Outcome) {
	s.Helper()
	out := gatehouse.PassageOutcome{Place: here, ID: p.ID, Outcome: o, At: s.now}
	out.Leaf = gatehouse.OutcomeLeaf(out)
	s.must(s.store.CommitOutcome(s.Context(), out))
	s.follow()
}

func (s *site) state(id gatehouse.ID) gatehouse.StayState {
	s.Helper()
	r, err := s.Stay(s.Context(), id)
	s.must(err)
	return r.State
}

func (s *site) pay(id gatehouse.ID, minor int64) {
	s.paid[id] = append(s.paid[id], gatehouse.Payment{ID: gatehouse.RandomID(), At: s.now, Amount: gatehouse.Money{Minor: minor, Currency: "EUR"}})
}

// enrol enrols a vehicle.
func (s *site) enrol(plate string) gatehouse.SubjectID {
	s.Helper()
	id := gatehouse.RandomID()
	item, err := s.working.PlateItem(id, plate)
	s.must(err)
	s.must(s.working.Put(s.Context(), []gatehouse.WorkingItem{item}))
	s.must(s.working.PutBadge(s.Context(), gatehouse.Badge{Subject: id, Kind: gatehouse.VehicleSubject, Status: gatehouse.Active}))
	return id
}

// The sensor has the last word: who did not drive in is not inside, and who did not drive
// out is; what was booked once is booked to what it is in the end.
func TestWhoTurnsBack(t *testing.T) {
	s := open(t)
	in := s.at("in", "AB12CDE")
	s.sensor(in, gatehouse.NotPassed)
	if s.state(in.ID) != gatehouse.StayWithdrawn || s.Occupancies()[0].Inside != 0 {
		t.Errorf("who turned back at the entry: %s", s.state(in.ID))
	}
	s.now = s.now.Add(time.Minute)
	in = s.at("in", "AB12CDE")
	s.sensor(in, gatehouse.Passed)
	s.now = s.now.Add(30 * time.Minute)
	s.pay(in.ID, 200)
	out := s.at("out", "AB12CDE")
	if s.state(in.ID) != gatehouse.StayLeft || s.booked[in.ID] != 200 {
		t.Fatalf("paid, and %s with %d booked", s.state(in.ID), s.booked[in.ID])
	}
	s.sensor(out, gatehouse.NotPassed)
	if s.state(in.ID) != gatehouse.StayOpen || s.Occupancies()[0].Inside != 1 {
		t.Errorf("who turned back at the exit: %s", s.state(in.ID))
	}
	s.restart()
	s.now = s.now.Add(2 * time.Hour)
	if p := s.at("out", "AB12CDE"); p.Decision.Reason != gatehouse.PaymentOwed {
		t.Fatalf("two hours later: %+v", p.Decision)
	}
	s.pay(in.ID, 400)
	if p := s.at("out", "AB12CDE"); !p.Decision.Grant || s.booked[in.ID] != 600 {
		t.Errorf("%+v with %d booked", p.Decision, s.booked[in.ID])
	}
}

// Two stays could be meant: the barrier opens, nobody is charged, and a person decides.
func TestAPersonDecides(t *testing.T) {
	s := open(t)
	a, b := s.at("in", "AB10CDE"), s.at("in", "AB1DCDE")
	s.now = s.now.Add(90 * time.Minute)
	out := s.unsure("out", "AB1OCDE", 0.9)
	if !out.Decision.Grant || out.Decision.Reason != gatehouse.StayUnclear || s.state(a.ID) != gatehouse.StayAmbiguous || s.state(b.ID) != gatehouse.StayAmbiguous {
		t.Fatalf("%+v, %s, %s", out.Decision, s.state(a.ID), s.state(b.ID))
	}
	all, err := s.Candidates(t.Context(), out.ID, 10)
	if err != nil || len(all) != 2 {
		t.Errorf("%d candidates, %v", len(all), err)
	}
	s.restart()
	_, err = s.Attach(t.Context(), stay.Attaching{Exit: out.ID, Stay: gatehouse.NewID(s.now), By: "chief"})
	s.wantCode(err, "parking.unknown_stay")
	r, err := s.Attach(t.Context(), stay.Attaching{Exit: out.ID, Stay: a.ID, By: "chief"})
	if err != nil || r.State != gatehouse.StayLeft || r.Charge.Total.Minor != 400 || r.Owed != 0 || r.By != "chief" || s.booked[a.ID] != 0 {
		t.Errorf("attached without a charge: %+v, %d booked, %v", r, s.booked[a.ID], err)
	}
	if s.state(b.ID) != gatehouse.StayOpen {
		t.Errorf("the other is %s", s.state(b.ID))
	}
	_, err = s.Attach(t.Context(), stay.Attaching{Exit: out.ID, Stay: b.ID, By: "chief"})
	s.wantCode(err, "parking.attached")
	stranger := s.at("out", "ZZ99ZZZ")
	if stranger.Decision.Reason != gatehouse.NoStay {
		t.Errorf("%+v", stranger.Decision)
	}
	if r, err = s.Attach(t.Context(), stay.Attaching{Exit: stranger.ID, Stay: b.ID, By: "chief", Charge: true}); err != nil || r.Owed != 400 || s.booked[b.ID] != 400 {
		t.Errorf("attached with a charge: %+v, %d booked, %v", r, s.booked[b.ID], err)
	}
	again := s.at("out", "YY88YYY")
	s.must(s.Dismiss(t.Context(), again.ID, "chief"))
	s.wantCode(s.Dismiss(t.Context(), again.ID, "chief"), "parking.attached")
	if n := s.Occupancies()[0].Unmatched; n != 0 {
		t.Errorf("%d exits wait", n)
	}
}

// A driver at the exit has lost the ticket: the operator says whose stay it is, the tariff's price
// for it is owed beside the time, and paying it opens the exit, also after a restart.
func TestALostTicket(t *testing.T) {
	s := open(t)
	_, err := s.PutTariff(t.Context(), []byte(strings.Replace(twoAnHour, "classes: [car], ", "classes: [car], lost_ticket: {price: 20.00, how: added}, ", 1)), "chief")
	s.must(err)
	s.now = s.now.Add(time.Minute)
	doors := &exits{site: s}
	s.Opens(doors)
	code, err := s.Ticket(t.Context(), "in", gatehouse.Motorbike)
	s.must(err)
	s.follow()
	all, err := s.List(t.Context(), gatehouse.StayFilter{State: gatehouse.InsideStays, Limit: 5})
	if err != nil || len(all) != 1 || code == "" {
		t.Fatalf("%v, %v", all, err)
	}
	in := all[0].ID
	s.now = s.now.Add(90 * time.Minute)
	_, err = s.LoseTicket(t.Context(), in, "in", "chief")
	s.wantCode(err, "parking.does_not_fit")
	_, err = s.LoseTicket(t.Context(), gatehouse.RandomID(), "out", "chief")
	s.wantCode(err, "parking.unknown_stay")
	r, err := s.LoseTicket(t.Context(), in, "out", "chief")
	if err != nil || r.State != gatehouse.StayWaiting || !r.LostTicket {
		t.Fatalf("%+v, %v", r, err)
	}
	s.restart()
	s.Opens(doors)
	due, err := s.DueOf(t.Context(), here, in, s.now)
	if err != nil || due.Due.Minor != 2400 {
		t.Fatalf("it owes %+v, %v", due, err)
	}
	s.must(s.StayPaid(t.Context(), here, in))
	if doors.opened["out"] != 0 {
		t.Fatal("it was let out unpaid")
	}
	s.pay(in, 2400)
	s.must(s.StayPaid(t.Context(), here, in))
	s.follow()
	if doors.opened["out"] != 1 || s.state(in) != gatehouse.StayLeft || s.booked[in] != 2400 {
		t.Errorf("opened %d times, %s, booked %d", doors.opened["out"], s.state(in), s.booked[in])
	}
	_, err = s.LoseTicket(t.Context(), in, "out", "chief")
	s.wantCode(err, "parking.attached")
}

// exits commit a passage where the stays let somebody through, as the main path does.
type exits struct {
	*site
	opened map[gatehouse.GateID]int
}

// LetOut implements stay.Opener.
func (e *exits) LetOut(ctx context.Context, l gatehouse.LetOut) (gatehouse.Passage, error) {
	p := gatehouse.Passage{Place: here, ID: gatehouse.NewID(e.now), Gate: l.Gate, At: e.now, Kind: gatehouse.QRReading, Subject: gatehouse.RandomID(),
		Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted, Rule: l.Rule}, Outcome: gatehouse.Pending}
	if err := e.Keep(ctx, p, l.Mark, l.Stay); err != nil {
		return p, err
	}
	c := gatehouse.PassageCommit{Passage: p, Detail: []byte("sealed")}
	c.Leaf = gatehouse.PassageLeaf(p, c.Detail, nil)
	if e.opened == nil {
		e.opened = map[gatehouse.GateID]int{}
	}
	e.opened[l.Gate]++
	return p, e.store.CommitPassage(ctx, c)
}

// What was read is kept beside what somebody corrected it to, with who did.
func TestAPlateIsCorrected(t *testing.T) {
	s := open(t)
	in := s.at("in", "QQ77QQQ") // the camera saw something else
	s.wantCode(s.Correct(t.Context(), in.ID, "<script>'; DROP TABLE", "chief"), "parking.plate")
	s.must(s.Correct(t.Context(), in.ID, "ab 12-cde", "chief"))
	var c gatehouse.Corrected
	s.must(json.Unmarshal([]byte(s.sealed[len(s.sealed)-1]), &c))
	if c.Raw != "QQ77QQQ" || c.Text != "AB12CDE" || c.By != "chief" {
		t.Errorf("%+v", c)
	}
	s.restart()
	s.now = s.now.Add(10 * time.Minute)
	s.pay(in.ID, 200)
	if p := s.at("out", "AB12CDE"); !p.Decision.Grant || p.Decision.Reason != gatehouse.Granted || s.state(in.ID) != gatehouse.StayLeft {
		t.Errorf("%+v, %s", p.Decision, s.state(in.ID))
	}
	s.wantCode(s.Correct(t.Context(), in.ID, "AB12CDE", "chief"), "parking.unknown_stay")
}

// A correction holds a plate: it is sealed for whose plate that is, so that their erasure makes
// every copy of it noise; and a stay is nobody's whose plate it was not.
func TestACorrectionGoesWithItsVehicle(t *testing.T) {
	s := open(t)
	of := func(id gatehouse.ID) gatehouse.StayRecord {
		t.Helper()
		r, err := s.Stay(t.Context(), id)
		s.must(err)
		if last := s.owners[len(s.owners)-1]; last != r.Subject {
			t.Errorf("the stay is %s's, and its correction sealed for %s", r.Subject, last)
		}
		return r
	}
	v := s.enrol("AB12CDE")
	misread := s.at("in", "QQ77QQQ").ID
	s.must(s.Correct(t.Context(), misread, "AB12CDE", "chief"))
	if r := of(misread); r.Subject != v || !r.Known {
		t.Errorf("%+v", r)
	}
	s.must(s.End(t.Context(), misread, "chief"))

	s.now = s.now.Add(time.Hour)
	taken := s.at("in", "AB12CDE").ID // the camera took another's plate for it
	s.must(s.Correct(t.Context(), taken, "ZZ11ZZZ", "chief"))
	if r := of(taken); r.Subject == v || r.Known {
		t.Errorf("the stay of another vehicle is the enrolled one's: %+v", r)
	}

	// What was corrected before anybody knew whose it is.
	s.now = s.now.Add(time.Hour)
	later := s.at("in", "WW22WWW").ID
	s.must(s.Correct(t.Context(), later, "LK88LKL", "chief"))
	of(later)
	v = s.enrol("LK88LKL")
	s.now = s.now.Add(time.Hour)
	s.at("out", "LK88LKL")
	if r := of(later); r.State != gatehouse.StayWaiting || r.Subject != v {
		t.Errorf("%+v", r)
	}
}

func TestRightsToPark(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	one, two, banned := s.enrol("AA11AAA"), s.enrol("BB22BBB"), s.enrol("CC33CCC")
	s.must(s.PutQuota(ctx, gatehouse.Quota{Group: "staff", Spaces: 1}, "chief"))
	entry, err := s.Deny(ctx, banned, "chief")
	s.must(err)
	if entry == banned {
		t.Error("an entry's leaf would name the vehicle after its erasure")
	}
	_, err = s.Deny(ctx, banned, "chief")
	s.wantCode(err, "parking.right")
	season := gatehouse.Pass{Kind: gatehouse.SeasonPass, Name: "Monthly", From: s.now.Add(-time.Hour), Until: s.now.AddDate(0, 1, 0), Quota: "staff"}
	for _, id := range []gatehouse.SubjectID{one, two} {
		_, err := s.PutPass(ctx, id, season, "chief")
		s.must(err)
	}
	for name, p := range map[string]gatehouse.Pass{"no end": {Kind: gatehouse.SeasonPass, Name: "x", From: s.now}, "no uses": {Kind: gatehouse.UsesPass, Name: "x", From: s.now}, "money": {Kind: gatehouse.ValuePass, Name: "x", From: s.now},
		"no quota": {Kind: gatehouse.ExitPass, Name: "x", From: s.now, Quota: "nobody"}, "a line break": {Kind: gatehouse.ExitPass, Name: "a\nb", From: s.now}} {
		if _, err := s.PutPass(ctx, one, p, "chief"); gatehouse.ErrorCode(err) != "parking.right" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p := s.at("in", "CC33CCC"); p.Decision.Reason != gatehouse.NotAdmitted {
		t.Errorf("on the list: %+v", p.Decision)
	}
	first := s.at("in", "AA11AAA")
	if second := s.at("in", "BB22BBB"); second.Decision.Reason != gatehouse.QuotaFull {
		t.Errorf("beyond the quota: %+v", second.Decision)
	}
	s.now = s.now.Add(5 * time.Hour)
	if p := s.at("out", "AA11AAA"); !p.Decision.Grant || s.booked[first.ID] != 0 {
		t.Errorf("a season pass: %+v, %d booked", p.Decision, s.booked[first.ID])
	}
	// Two uses are two stays, also over a restart.
	third := s.enrol("DD44DDD")
	_, err = s.PutPass(ctx, third, gatehouse.Pass{Kind: gatehouse.UsesPass, Name: "Two", From: s.now, Uses: 2}, "chief")
	s.must(err)
	for visit, reason := range []gatehouse.Reason{gatehouse.Granted, gatehouse.Granted, gatehouse.PaymentOwed} {
		s.restart()
		in := s.at("in", "DD44DDD")
		s.now = s.now.Add(time.Hour)
		if p := s.at("out", "DD44DDD"); p.Decision.Reason != reason {
			t.Errorf("visit %d: %+v", visit+1, p.Decision)
		}
		if reason == gatehouse.PaymentOwed {
			if _, err := s.Validate(ctx, in.ID, gatehouse.Validation{Issuer: "Bakery", Kind: gatehouse.PercentValidation, BasisPoints: 20_000}, "shop"); gatehouse.ErrorCode(err) != "parking.validation" {
				t.Errorf("more than all: %v", err)
			}
			_, err := s.Validate(ctx, in.ID, gatehouse.Validation{Issuer: "Bakery", Kind: gatehouse.TimeValidation, Time: time.Hour}, "shop")
			s.must(err)
			if p := s.at("out", "DD44DDD"); !p.Decision.Grant {
				t.Errorf("with a validation: %+v", p.Decision)
			}
		}
		s.now = s.now.Add(time.Hour)
	}
}

// A stay is charged by the revision that was the newest when it began.
func TestATariffIsChanged(t *testing.T) {
	s := open(t)
	before := s.at("in", "AB12CDE")
	s.now = s.now.Add(30 * time.Minute)
	_, err := s.PutTariff(t.Context(), []byte(twoAnHour[:len(twoAnHour)-len("2.00}]}]}]\n")]+"9.00}]}]}]\n"), "chief")
	s.must(err)
	s.now = s.now.Add(time.Minute)
	after := s.at("in", "XY34ZZZ")
	s.restart()
	s.now = s.now.Add(20 * time.Minute)
	for id, want := range map[gatehouse.ID]int64{before.ID: 200, after.ID: 900} {
		if due, err := s.DueOf(t.Context(), here, id, s.now); err != nil || due.Due.Minor != want {
			t.Errorf("owes %v, %v; want %d", due.Due, err, want)
		}
	}
	_, err = s.PutTariff(t.Context(), []byte("tariff: centre\ncurrency: JPY\n"+twoAnHour[len("tariff: centre\ncurrency: EUR\n"):]), "chief")
	if code := gatehouse.ErrorCode(err); code != "parking.currency" && code != "parking.tariff" {
		t.Errorf("another currency: %v", err)
	}
}

// Marks go: ten minutes after nothing is open or owed, and after seven days in any case.
func TestMarksGo(t *testing.T) {
	s := open(t)
	marks := func() int { return len(s.working.Kept(gatehouse.MarkItem)) }
	wait := func(d time.Duration) { s.Helper(); s.now = s.now.Add(d); s.must(s.Tidy(t.Context())) }
	in := s.at("in", "AB12CDE")
	s.pay(in.ID, 200)
	out := s.at("out", "AB12CDE")
	s.sensor(out, gatehouse.Passed)
	if s.state(in.ID) != gatehouse.StayLeft || marks() != 2 {
		t.Fatalf("%s, %d marks", s.state(in.ID), marks())
	}
	wait(25 * time.Minute)
	if marks() != 0 {
		t.Errorf("%d marks of a stay that left", marks())
	}
	stays := s.at("in", "XY34ZZZ")
	wait(6 * 24 * time.Hour)
	if marks() != 1 {
		t.Errorf("%d marks of a stay that is open", marks())
	}
	wait(25 * time.Hour)
	if marks() != 0 || s.state(stays.ID) != gatehouse.StayOpen {
		t.Errorf("after more than seven days: %d marks, %s", marks(), s.state(stays.ID))
	}
	if p := s.at("out", "XY34ZZZ"); p.Decision.Reason != gatehouse.NoStay {
		t.Errorf("its exit is left to a person: %+v", p.Decision)
	}
	wait(20 * 24 * time.Hour)
	if s.state(stays.ID) != gatehouse.StayLost {
		t.Errorf("longer than anybody stays: %s", s.state(stays.ID))
	}
}

// A plate that is inside already is an alarm, and both stays go on.
func TestAClonedPlate(t *testing.T) {
	s := open(t)
	a := s.at("in", "AB12CDE")
	s.now = s.now.Add(time.Minute)
	b := s.at("in", "AB12CDE")
	if s.alarms != 1 || s.state(a.ID) != gatehouse.StayOpen || s.state(b.ID) != gatehouse.StayOpen {
		t.Errorf("%d alarms, %s, %s", s.alarms, s.state(a.ID), s.state(b.ID))
	}
	s.now = s.now.Add(time.Hour)
	if p := s.at("out", "AB12CDE"); !p.Decision.Grant || p.Decision.Reason != gatehouse.StayUnclear {
		t.Errorf("its exit: %+v", p.Decision)
	}
}

// Who is erased leaves no mark, and a vehicle nobody knows under the stay's new id.
func TestAnErasureReachesStays(t *testing.T) {
	s := open(t)
	id := s.enrol("AB12CDE")
	in := s.at("in", "AB12CDE")
	fresh := gatehouse.RandomID()
	_, err := s.store.ReplaceSubject(t.Context(), here, id, fresh, []byte("replaced"))
	s.must(err)
	s.must(s.Forget(t.Context()))
	r, err := s.Stay(t.Context(), in.ID)
	if err != nil || r.Subject != fresh || r.Known || len(s.working.Kept(gatehouse.MarkItem)) != 0 {
		t.Errorf("%+v, %d marks, %v", r, len(s.working.Kept(gatehouse.MarkItem)), err)
	}
	if _, err := s.FindStay(t.Context(), here, gatehouse.StayQuery{Plate: "AB12CDE", Entered: s.now}, s.now); gatehouse.ErrorCode(err) != "parking.not_found" {
		t.Errorf("it is found by its plate: %v", err)
	}
}
