package server

import (
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// Who erases a vehicle whose pass holds money is asked what becomes of it: it goes back by the
// ways that it came, before anything is erased, or it stays in the books.
func TestErasingAsksForTheMoney(t *testing.T) {
	s, pay, _ := driversSite(t)
	euros := func(minor int64) gatehouse.Money { return gatehouse.Money{Minor: minor, Currency: "EUR"} }
	held := func(pass gatehouse.ID) int64 {
		m, err := s.books.HeldBy(t.Context(), s.Place(), []gatehouse.ID{pass})
		if err != nil {
			t.Fatal(err)
		}
		return m[pass].Minor
	}
	purse := func(plate, label string) (gatehouse.SubjectID, gatehouse.ID) {
		vehicle := enrolVehicle(t, s, plate, label)
		p, err := s.stays.PutPass(t.Context(), vehicle, gatehouse.Pass{Kind: gatehouse.ValuePass, Name: "Purse", From: time.Now(), Value: gatehouse.Money{Currency: "EUR"}}, "chief")
		if err != nil {
			t.Fatal(err)
		}
		return vehicle, p.ID
	}
	vehicle, pass := purse("AB12CDE", "Fleet 7")
	card, err := s.stays.TopUp(t.Context(), pass, euros(3000), "chief")
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.books.Begin(t.Context(), card.ID, "stripe", "en", func(gatehouse.ID) (string, string) { return "https://x/s", "https://x/c" })
	if err != nil || !pay.Pay(c.Session) {
		t.Fatal(err)
	}
	if _, err := s.books.Checkout(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	cash, err := s.stays.TopUp(t.Context(), pass, euros(2000), "chief")
	if err == nil {
		_, err = s.books.Desk(t.Context(), "cash", cash.ID, euros(2000), "chief", gatehouse.RandomID())
	}
	if err != nil || held(pass) != 5000 {
		t.Fatal(held(pass), err)
	}
	if _, err := s.books.GiveBack(t.Context(), card.ID, pass, euros(500), gatehouse.ForGoodwill, "chief", gatehouse.RandomID()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Admin().Erase(t.Context(), wire.EraseRequest{Subject: vehicle, Reason: "their request"}); gatehouse.ErrorCode(err) != "erase.money" {
		t.Fatalf("with money on a pass: %v", err)
	}
	if _, ok := s.working.Badge(vehicle); !ok || held(pass) != 4500 {
		t.Fatal("something was done although nothing was said")
	}
	if _, err := s.Admin().Erase(t.Context(), wire.EraseRequest{Subject: vehicle, Reason: "their request", Money: "refund"}); err != nil {
		t.Fatal(err)
	}
	if held(pass) != 0 {
		t.Errorf("%d are on the pass of nobody", held(pass))
	}
	for order, want := range map[gatehouse.ID]int64{card.ID: 2500, cash.ID: 2000} {
		entries, err := s.books.Entries(t.Context(), order)
		var back int64
		for _, e := range entries {
			if e.Kind == gatehouse.BookRefund {
				back += e.Amount.Minor
			}
		}
		if err != nil || back != want {
			t.Errorf("%d went back for an order, want %d (%v)", back, want, err)
		}
	}
	if err := s.store.CheckBooks(t.Context(), s.Place()); err != nil {
		t.Error(err)
	}

	other, kept := purse("XY98ZZZ", "Fleet 8")
	o, err := s.stays.TopUp(t.Context(), kept, euros(700), "chief")
	if err == nil {
		_, err = s.books.Desk(t.Context(), "cash", o.ID, euros(700), "chief", gatehouse.RandomID())
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Admin().Erase(t.Context(), wire.EraseRequest{Subject: other, Reason: "their request", Money: "keep"}); err != nil || held(kept) != 700 {
		t.Errorf("kept: %d, %v", held(kept), err)
	}
}
