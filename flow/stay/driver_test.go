package stay_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/books"
	"gatehouse/flow/stay"
	"gatehouse/pay/desk"
)

// withBooks is a car park whose stays are booked in real books, of the same store.
func withBooks(t *testing.T) (*site, *books.Books) {
	t.Helper()
	s := open(t)
	clock := func() time.Time { return s.now }
	b := books.New(books.Ports{Place: here, Store: s.store, Providers: desk.All(clock), Label: "North", Now: clock})
	s.ports.Books, s.ports.Passes = b, b
	s.restart()
	b.Stays = s.Stays
	return s, b
}

func eur(minor int64) gatehouse.Money { return gatehouse.Money{Minor: minor, Currency: "EUR"} }

// leaves lets the plate in, and out again after some time.
func (s *site) leaves(plate string, after time.Duration) gatehouse.StayRecord {
	s.Helper()
	in := s.at("in", plate)
	s.now = s.now.Add(after)
	s.at("out", plate)
	r, err := s.Stay(s.Context(), in.ID)
	s.must(err)
	return r
}

func TestAPassOfValuePaysAtTheExit(t *testing.T) {
	s, b := withBooks(t)
	v := s.enrol("AB12CDE")
	p, err := s.PutPass(t.Context(), v, gatehouse.Pass{Kind: gatehouse.ValuePass, Name: "Purse", From: s.now, Value: gatehouse.Money{Currency: "EUR"}}, "chief")
	s.must(err)
	if r := s.leaves("AB12CDE", 90*time.Minute); r.State != gatehouse.StayWaiting {
		t.Fatalf("an empty pass paid: %+v", r)
	}
	_, err = b.Desk(t.Context(), "cash", s.inside(t), eur(400), "chief", gatehouse.RandomID())
	s.must(err)
	s.now = s.now.Add(time.Minute)
	s.at("out", "AB12CDE")

	o, err := s.TopUp(t.Context(), p.ID, eur(1000), "chief")
	s.must(err)
	if again, err := s.TopUp(t.Context(), p.ID, eur(1000), "chief"); err != nil || again.ID != o.ID {
		t.Errorf("the same order twice is one: %v %v", again.ID, err)
	}
	if _, err := b.Desk(t.Context(), "cash", o.ID, eur(600), "chief", gatehouse.RandomID()); err != nil || s.holds(b, p.ID) != 0 {
		t.Errorf("a part of an order puts nothing on the pass: %v, holds %d", err, s.holds(b, p.ID))
	}
	id := gatehouse.RandomID()
	for range 2 { // told twice, it is there once
		_, err = b.Desk(t.Context(), "cash", o.ID, eur(400), "chief", id)
		s.must(err)
	}
	if got := s.holds(b, p.ID); got != 1000 {
		t.Fatalf("the pass holds %d", got)
	}
	for i, want := range []int64{600, 200} { // 2.00 for each started hour
		s.now = s.now.Add(time.Hour)
		if r := s.leaves("AB12CDE", 90*time.Minute); r.State != gatehouse.StayLeft || r.Owed != 0 {
			t.Fatalf("stay %d: %+v", i, r)
		}
		if got := s.holds(b, p.ID); got != want {
			t.Errorf("after stay %d the pass holds %d, want %d", i, got, want)
		}
	}
	// 2.00 are left: what they do not cover they pay no part of.
	s.now = s.now.Add(time.Hour)
	if r := s.leaves("AB12CDE", 90*time.Minute); r.State != gatehouse.StayWaiting {
		t.Errorf("a pass that holds too little paid: %+v", r)
	}
	if got := s.holds(b, p.ID); got != 200 {
		t.Errorf("holds %d", got)
	}
	// Given back: never more than there is, and then it is refunded as any payment.
	if _, err := b.GiveBack(t.Context(), o.ID, p.ID, eur(201), gatehouse.ForGoodwill, "chief", gatehouse.RandomID()); gatehouse.ErrorCode(err) != "books.too_much" {
		t.Errorf("more than it holds: %v", err)
	}
	_, err = b.GiveBack(t.Context(), o.ID, p.ID, eur(200), gatehouse.ForGoodwill, "chief", gatehouse.RandomID())
	s.must(err)
	report, err := b.Report(t.Context(), gatehouse.DateOf(s.now), gatehouse.DateOf(s.now))
	s.must(err)
	if len(report.Overpaid) != 1 || report.Overpaid[0].Stay != o.ID || report.Overpaid[0].Owes != eur(-200) {
		t.Errorf("to be refunded: %+v", report.Overpaid)
	}
	s.must(b.Check(t.Context()))
}

// A plate that is read as a pass's at the exit alone costs the pass nothing.
func TestAMisreadPlateCostsNobodysPass(t *testing.T) {
	s, b := withBooks(t)
	v := s.enrol("AB12CDE")
	p, err := s.PutPass(t.Context(), v, gatehouse.Pass{Kind: gatehouse.ValuePass, Name: "Purse", From: s.now, Value: gatehouse.Money{Currency: "EUR"}}, "chief")
	s.must(err)
	o, err := s.TopUp(t.Context(), p.ID, eur(1000), "chief")
	s.must(err)
	_, err = b.Desk(t.Context(), "cash", o.ID, eur(1000), "chief", gatehouse.RandomID())
	s.must(err)
	in := s.unsure("in", "A812CDE", 0.9) // another car, whose B was read as an 8
	s.now = s.now.Add(90 * time.Minute)
	s.unsure("out", "AB12CDE", 0.8)
	if got := s.state(in.ID); got != gatehouse.StayWaiting {
		t.Errorf("its driver is not asked: %s", got)
	}
	if got := s.holds(b, p.ID); got != 1000 {
		t.Errorf("the pass holds %d", got)
	}
}

// Whose account a vehicle is added to sees nothing of where it was driven before.
func TestARenewalCountsOnceItIsPaid(t *testing.T) {
	s, b := withBooks(t)
	v := s.enrol("AB12CDE")
	until := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	s.now = until.Add(-time.Hour)
	plain, err := s.PutPass(t.Context(), v, gatehouse.Pass{Kind: gatehouse.SeasonPass, Name: "Free", From: s.now.Add(-time.Hour), Until: until}, "chief")
	s.must(err)
	_, err = s.Renew(t.Context(), plain.ID, "driver")
	s.wantCode(err, "parking.not_for_sale")
	p, err := s.PutPass(t.Context(), v, gatehouse.Pass{Kind: gatehouse.SeasonPass, Name: "Monthly", From: s.now.Add(-time.Hour), Until: until, Price: eur(11900), Tax: 1900}, "chief")
	s.must(err)
	a, err := s.OpenAccountFor(t.Context(), v, false, "chief")
	s.must(err)
	if !s.HasPass(a.ID, p.ID) || s.HasPass(gatehouse.RandomID(), p.ID) {
		t.Error("whose pass it is")
	}
	o, err := s.Renew(t.Context(), p.ID, "driver")
	s.must(err)
	due, err := s.DueOf(t.Context(), here, o.ID, s.now)
	s.must(err)
	if due.Due != eur(11900) || due.Charge.Tax != eur(1900) || !o.Until.Equal(time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v", due)
	}
	validity := func() time.Time {
		got, err := s.Account(t.Context(), a.ID)
		s.must(err)
		for _, x := range got.Passes {
			if x.ID == p.ID {
				return x.Until
			}
		}
		return time.Time{}
	}
	if !validity().Equal(until) {
		t.Error("before it is paid")
	}
	id := gatehouse.RandomID()
	for range 2 {
		_, err = b.Desk(t.Context(), "card", o.ID, eur(11900), "chief", id)
		s.must(err)
	}
	s.restart()
	b.Stays = s.Stays
	if got := validity(); !got.Equal(time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("paid once, valid until %v", got)
	}
	if due, err := s.DueOf(t.Context(), here, o.ID, s.now); err != nil || due.Due.Minor != 0 {
		t.Errorf("%+v %v", due, err)
	}
	entries, err := b.Entries(t.Context(), o.ID)
	s.must(err)
	if len(entries) != 2 || entries[0].Kind != gatehouse.BookPayment && entries[1].Kind != gatehouse.BookPayment {
		t.Errorf("%d entries", len(entries))
	}
	s.must(b.Check(t.Context()))
}

// A provider's message and the driver's own page tell of one payment at the same moment, and
// another is paid just then: each is a month.
func TestRenewalsPaidAtOnce(t *testing.T) {
	s, b := withBooks(t)
	v := s.enrol("AB12CDE")
	until := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	p, err := s.PutPass(t.Context(), v, gatehouse.Pass{Kind: gatehouse.SeasonPass, Name: "Monthly", From: s.now.Add(-time.Hour), Until: until, Price: eur(11900)}, "chief")
	s.must(err)
	var orders []gatehouse.PassOrder
	for range 3 {
		o, err := s.Renew(t.Context(), p.ID, "driver")
		s.must(err)
		orders = append(orders, o)
		s.now = s.now.Add(4 * 24 * time.Hour) // so that the next is another order
	}
	stays := b.Stays
	b.Stays = nil
	for _, o := range orders {
		_, err = b.Desk(t.Context(), "card", o.ID, eur(11900), "chief", gatehouse.RandomID())
		s.must(err)
	}
	b.Stays = stays
	var all sync.WaitGroup
	for range 8 {
		for _, o := range orders {
			all.Go(func() {
				if err := s.StayPaid(t.Context(), here, o.ID); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	a, err := s.OpenAccountFor(t.Context(), v, false, "chief")
	s.must(err)
	if got := a.Passes[0].Until; !got.Equal(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("three months were paid for, and it is valid until %v", got)
	}
}

// A payment whose news did not arrive counts within a minute.
func TestARenewalWhoseNewsWasLost(t *testing.T) {
	s, b := withBooks(t)
	v := s.enrol("AB12CDE")
	p, err := s.PutPass(t.Context(), v, gatehouse.Pass{Kind: gatehouse.SeasonPass, Name: "Monthly", From: s.now, Until: s.now.Add(time.Hour), Price: eur(5000)}, "chief")
	s.must(err)
	o, err := s.Renew(t.Context(), p.ID, "driver")
	s.must(err)
	b.Stays = nil
	_, err = b.Desk(t.Context(), "card", o.ID, eur(5000), "chief", gatehouse.RandomID())
	s.must(err)
	s.must(s.Tidy(t.Context()))
	if due, err := s.DueOf(t.Context(), here, o.ID, s.now); err != nil || due.State != gatehouse.StayLeft {
		t.Errorf("%+v %v", due, err)
	}
	// One that nobody pays is forgotten.
	o2, err := s.Renew(t.Context(), p.ID, "driver")
	s.must(err)
	s.now = s.now.Add(8 * 24 * time.Hour)
	s.must(s.Tidy(t.Context()))
	_, err = s.DueOf(t.Context(), here, o2.ID, s.now)
	s.wantCode(err, "parking.unknown_stay")
}

// given is the id of the one validation of a stay.
func (s *site) holds(b *books.Books, pass gatehouse.ID) int64 {
	s.Helper()
	all, err := b.HeldBy(s.Context(), here, []gatehouse.ID{pass})
	s.must(err)
	return all[pass].Minor
}

// inside is the one stay that has not ended.
func (s *site) inside(t *testing.T) gatehouse.ID {
	t.Helper()
	all, err := s.List(t.Context(), gatehouse.StayFilter{State: gatehouse.InsideStays, Limit: 10})
	s.must(err)
	if len(all) != 1 {
		t.Fatalf("%d inside", len(all))
	}
	return all[0].ID
}

// Who drives out behind another is looked for by a person: the one in front is charged what it
// cost, once, and the other nothing until somebody says which stay it was.
func TestWhoDrivesOutBehindAnother(t *testing.T) {
	s := open(t)
	raised := 0
	s.ports.Tailgated = func(context.Context, gatehouse.GateID) { raised++ }
	s.restart()
	first, second := s.at("in", "AB12CDE"), s.at("in", "XY98ZZZ")
	s.now = s.now.Add(30 * time.Minute)
	s.pay(first.ID, 200)
	out := s.at("out", "AB12CDE")
	s.sensor(out, gatehouse.Tailgated)
	s.restart() // and the log is followed again from where it was
	s.follow()
	if s.state(first.ID) != gatehouse.StayLeft || s.state(second.ID) != gatehouse.StayOpen || raised != 1 {
		t.Fatalf("%s, %s, %d alarms", s.state(first.ID), s.state(second.ID), raised)
	}
	waiting, err := s.Unmatched(t.Context(), "centre", gatehouse.ID{}, 10)
	s.must(err)
	if len(waiting) != 1 || waiting[0].Reason != "tailgated" {
		t.Fatalf("%+v", waiting)
	}
	r, err := s.Attach(t.Context(), stay.Attaching{Exit: waiting[0].ID, Stay: second.ID, By: "chief", Charge: true})
	s.must(err)
	if r.State != gatehouse.StayLeft || s.booked[second.ID] != 200 {
		t.Errorf("%+v, booked %d", r, s.booked[second.ID])
	}
	in := s.at("in", "CD34EFG")
	s.sensor(in, gatehouse.Tailgated)
	if raised != 2 || s.state(in.ID) != gatehouse.StayOpen {
		t.Errorf("at an entry: %d alarms, %s", raised, s.state(in.ID))
	}
}

// Whoever has an account's page open fills nothing with orders that they do not pay.
func TestOrdersThatNobodyPays(t *testing.T) {
	s, _ := withBooks(t)
	v := s.enrol("AB12CDE")
	p, err := s.PutPass(t.Context(), v, gatehouse.Pass{Kind: gatehouse.ValuePass, Name: "Purse", From: s.now, Value: gatehouse.Money{Currency: "EUR"}}, "chief")
	s.must(err)
	made := 0
	for i := range 50 {
		if _, err := s.TopUp(t.Context(), p.ID, eur(int64(100+i)), "driver"); err == nil {
			made++
		} else if gatehouse.ErrorCode(err) != "parking.too_many" {
			t.Fatal(err)
		}
	}
	if made != 10 {
		t.Errorf("%d orders of one pass are open", made)
	}
	if _, err := s.TopUp(t.Context(), p.ID, eur(105), "driver"); err != nil {
		t.Errorf("one that is open cannot be paid: %v", err)
	}
	var wait sync.WaitGroup
	ids := make([]gatehouse.ID, 8)
	q, err := s.PutPass(t.Context(), v, gatehouse.Pass{Kind: gatehouse.ValuePass, Name: "Other", From: s.now, Value: gatehouse.Money{Currency: "EUR"}}, "chief")
	s.must(err)
	for i := range ids {
		wait.Go(func() { o, _ := s.TopUp(t.Context(), q.ID, eur(100), "driver"); ids[i] = o.ID })
	}
	wait.Wait()
	if slices.ContainsFunc(ids, func(id gatehouse.ID) bool { return id.IsZero() || id != ids[0] }) {
		t.Errorf("the same order at once is several: %v", ids)
	}
	s.now = s.now.Add(8 * 24 * time.Hour)
	s.must(s.Tidy(t.Context()))
	if _, err := s.TopUp(t.Context(), p.ID, eur(1), "driver"); err != nil {
		t.Errorf("a week later: %v", err)
	}
}

// What shops gave is forgotten some time after the stay has ended, or a car park's list is full
// one day.
// An account that was taken away stays away, whatever its driver does at that moment; and
// nothing is kept under the id of whoever was erased.
// failing is a store whose stays cannot be read.
// An erasure closes the account of whoever is gone also where something else fails, and then
// nothing says that its vehicles belong together.
