package stay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/stay"
)

func TestAnAccountIsSentAnInvoice(t *testing.T) {
	s, b := withBooks(t)
	v := s.enrol("AB12CDE")
	a, err := s.OpenAccountFor(t.Context(), v, true, "chief")
	s.must(err)
	r := s.leaves("AB12CDE", 90*time.Minute)
	if r.State != gatehouse.StayLeft || r.Owed != 0 {
		t.Fatalf("%+v", r)
	}
	month := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	got, err := s.Receipts(t.Context(), a.ID, month, month.AddDate(0, 1, 0))
	s.must(err)
	if len(got) != 1 || got[0].Provider != "invoice" || got[0].Amount != eur(400) || got[0].Stay != r.ID {
		t.Errorf("%+v", got)
	}
	s.must(s.SetInvoice(t.Context(), a.ID, false, "chief"))
	if r := s.leaves("AB12CDE", 90*time.Minute); r.State != gatehouse.StayWaiting {
		t.Errorf("after it was ended: %+v", r)
	}
	s.must(b.Check(t.Context()))
}

func TestReceiptsBeginWithTheAccount(t *testing.T) {
	s, _ := withBooks(t)
	v, w := s.enrol("AB12CDE"), s.enrol("XY34ZZZ")
	first, err := s.OpenAccountFor(t.Context(), v, true, "chief")
	s.must(err)
	before := s.leaves("AB12CDE", 90*time.Minute)
	s.now = s.now.Add(time.Hour)
	s.must(s.RemoveRight(t.Context(), gatehouse.DriverAccountItem, first.ID.String(), "chief"))
	second, err := s.OpenAccountFor(t.Context(), w, true, "chief")
	s.must(err)
	s.must(s.AddVehicle(t.Context(), second.ID, v, "chief"))
	s.now = s.now.Add(time.Hour)
	after := s.leaves("AB12CDE", 90*time.Minute)
	for range 2 { // also after a restart
		got, err := s.Receipts(t.Context(), second.ID, before.Entered, s.now.Add(time.Hour))
		s.must(err)
		if len(got) != 1 || got[0].Stay != after.ID {
			t.Errorf("the new account sees %+v", got)
		}
		s.restart()
	}
}

func TestAnAccountsPageOpensOnce(t *testing.T) {
	s, _ := withBooks(t)
	v := s.enrol("AB12CDE")
	a, err := s.OpenAccountFor(t.Context(), v, false, "chief")
	s.must(err)
	code, err := s.LinkAccount(t.Context(), a.ID, "chief")
	s.must(err)
	for _, wrong := range []string{"", "A", strings.Repeat("A", 26), "' OR 1=1 --"} {
		_, err := s.EnterAccount(t.Context(), wrong)
		s.wantCode(err, "parking.unknown_account")
	}
	cookie, err := s.EnterAccount(t.Context(), strings.ToLower(code.Reveal())+" ")
	s.must(err)
	if _, err := s.EnterAccount(t.Context(), code.Reveal()); gatehouse.ErrorCode(err) != "parking.unknown_account" {
		t.Errorf("used twice: %v", err)
	}
	s.restart()
	if id, ok := s.AccountOf(cookie.Reveal()); !ok || id != a.ID {
		t.Error("after a restart the browser is signed out")
	}
	items, err := s.Rights(t.Context())
	s.must(err)
	for _, i := range items {
		if bytes.Contains(i.Body, []byte(cookie.Reveal())) || bytes.Contains(i.Body, []byte(code.Reveal())) {
			t.Error("a code or cookie is kept as it is")
		}
	}
	// Another link shuts a lost phone out; a link that is too old opens nothing.
	code, err = s.LinkAccount(t.Context(), a.ID, "chief")
	s.must(err)
	if _, ok := s.AccountOf(cookie.Reveal()); ok {
		t.Error("the browser before the new link is still signed in")
	}
	s.now = s.now.Add(15 * 24 * time.Hour)
	_, err = s.EnterAccount(t.Context(), code.Reveal())
	s.wantCode(err, "parking.unknown_account")
}

func TestTheBuyerIsSealed(t *testing.T) {
	s, _ := withBooks(t)
	v := s.enrol("AB12CDE")
	a, err := s.OpenAccountFor(t.Context(), v, false, "chief")
	s.must(err)
	s.wantCode(s.KeepBuyer(t.Context(), a.ID, gatehouse.InvoiceBuyer{Fapiao: gatehouse.OrdinaryFapiao, Name: "北方公司", TaxNumber: "123"}), "parking.buyer")
	want := gatehouse.InvoiceBuyer{Fapiao: gatehouse.SpecialFapiao, Name: "北方公司", TaxNumber: "91350100M000100Y43", Address: "福州市1号", Phone: "0591-1234567", Bank: "工商银行", BankAccount: "6222021234567890"}
	s.must(s.KeepBuyer(t.Context(), a.ID, want))
	var got gatehouse.InvoiceBuyer
	if len(s.sealed) != 1 || json.Unmarshal([]byte(s.sealed[0]), &got) != nil || got != want {
		t.Errorf("sealed %q", s.sealed)
	}
	items, err := s.Rights(t.Context())
	s.must(err)
	for _, i := range items {
		if strings.Contains(string(i.Body), "北方") || strings.Contains(string(i.Body), "91350100") {
			t.Error("the buyer lies in the open")
		}
	}
}

func TestWhatWasTakenAwayStaysAway(t *testing.T) {
	s := open(t)
	v := s.enrol("AB12CDE")
	for range 5 {
		a, err := s.OpenAccountFor(t.Context(), v, false, "chief")
		if gatehouse.ErrorCode(err) == "parking.right" { // its vehicle: of the account before
			all, err := s.Accounts(t.Context())
			s.must(err)
			a = all[len(all)-1]
		}
		code, err := s.LinkAccount(t.Context(), a.ID, "chief")
		s.must(err)
		cookie, err := s.EnterAccount(t.Context(), code.Reveal())
		s.must(err)
		stop := make(chan struct{})
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						_ = s.KeepBuyer(t.Context(), a.ID, gatehouse.InvoiceBuyer{Name: "Smith"})
					}
				}
			})
		}
		time.Sleep(20 * time.Millisecond)
		s.must(s.RemoveRight(t.Context(), gatehouse.DriverAccountItem, a.ID.String(), "chief"))
		time.Sleep(20 * time.Millisecond)
		close(stop)
		wait.Wait()
		if _, ok := s.AccountOf(cookie.Reveal()); ok {
			t.Fatal("an account that was taken away is back, with its browsers")
		}
	}
}

func TestNothingIsKeptOfWhoIsErased(t *testing.T) {
	s, _ := withBooks(t)
	v := s.enrol("AB12CDE")
	p, err := s.PutPass(t.Context(), v, gatehouse.Pass{Kind: gatehouse.ValuePass, Name: "Purse", From: s.now, Value: gatehouse.Money{Currency: "EUR"}}, "chief")
	s.must(err)
	a, err := s.OpenAccountFor(t.Context(), v, false, "chief")
	s.must(err)
	code, err := s.LinkAccount(t.Context(), a.ID, "chief")
	s.must(err)
	cookie, err := s.EnterAccount(t.Context(), code.Reveal())
	s.must(err)
	// As an erasure goes, up to the moment before the stays hear of it.
	s.must(s.working.RemoveSubject(t.Context(), v))
	_, err = s.store.ReplaceSubject(t.Context(), here, v, gatehouse.RandomID(), []byte("replaced"))
	s.must(err)
	_ = s.KeepBuyer(t.Context(), a.ID, gatehouse.InvoiceBuyer{Name: "Smith"})
	_ = s.LeaveAccount(t.Context(), a.ID, "another")
	_, _ = s.TopUp(t.Context(), p.ID, eur(500), "driver")
	_ = s.SetInvoice(t.Context(), a.ID, true, "chief")
	s.must(s.Forget(t.Context()))
	items, err := s.Rights(t.Context())
	s.must(err)
	for _, i := range items {
		if i.Subject == v {
			t.Errorf("a %s names whoever was erased", i.Kind)
		}
	}
	if _, ok := s.AccountOf(cookie.Reveal()); ok {
		t.Error("the account of whoever was erased is open")
	}
}

type failing struct{ stay.Store }

func (failing) StayOf(context.Context, gatehouse.Place, gatehouse.ID) (gatehouse.StayRecord, error) {
	return gatehouse.StayRecord{}, gatehouse.Errorf("store.failed", "", "the disk is away")
}

func TestAnErasureClosesAccounts(t *testing.T) {
	s := open(t)
	s.ports.Store = failing{s.store}
	holder, other := s.enrol("AB12CDE"), s.enrol("LK88LKL")
	s.restart()
	a, err := s.OpenAccountFor(t.Context(), holder, false, "chief")
	s.must(err)
	s.must(s.AddVehicle(t.Context(), a.ID, other, "chief"))
	code, err := s.LinkAccount(t.Context(), a.ID, "chief")
	s.must(err)
	cookie, err := s.EnterAccount(t.Context(), code.Reveal())
	s.must(err)
	s.ports.Store = s.store
	s.restart()
	in := s.at("in", "XY98ZZZ").ID
	s.ports.Store = failing{s.store}
	s.restart()
	if _, ok := s.AccountOf(cookie.Reveal()); !ok {
		t.Fatal("the control: the account is not open")
	}
	s.must(s.working.RemoveSubject(t.Context(), holder))
	_, err = s.store.ReplaceSubject(t.Context(), here, holder, gatehouse.RandomID(), []byte("replaced"))
	s.must(err)
	s.wantCode(s.Forget(t.Context()), "store.failed")
	if _, ok := s.AccountOf(cookie.Reveal()); ok {
		t.Errorf("the account is open, because stay %s could not be read", in)
	}
	s.must(s.Tidy(t.Context()))
	items, err := s.Rights(t.Context())
	if err != nil || len(items) != 0 {
		t.Errorf("%+v, %v", items, err)
	}
}
