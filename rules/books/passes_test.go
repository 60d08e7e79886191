package books

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse"
)

func ofPassEvent(kind gatehouse.BookKind, stay gatehouse.ID, pass gatehouse.ID, amount int64, object string) gatehouse.BookEvent {
	e := gatehouse.BookEvent{Place: gatehouse.Place{Org: "acme", Site: "north"}, Kind: kind, At: noon, Heard: noon, Stay: stay, Amount: gatehouse.Money{Minor: amount, Currency: "EUR"}, Provider: gatehouse.FromPass, Payment: pass.String(), Object: object}
	if kind == gatehouse.BookGiveBack {
		e.By, e.Reason = "chief", gatehouse.ForGoodwill
	}
	return e
}

// Whatever is put on a pass, spent and given back, in whatever order and however often it is
// told: it never holds less than nothing, and holds what was put on it less what left it.
func TestAPassIsNeverInDebt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l ledger
		passes := []gatehouse.ID{{8}, {9}}
		want := map[gatehouse.ID]int64{}
		for n := range rapid.IntRange(1, 40).Draw(t, "events") {
			pass := rapid.SampledFrom(passes).Draw(t, "pass")
			stay := gatehouse.ID{byte(rapid.IntRange(1, 4).Draw(t, "stay"))}
			amount := rapid.Int64Range(1, 500).Draw(t, "amount")
			kind := rapid.SampledFrom([]gatehouse.BookKind{gatehouse.BookTopUp, gatehouse.BookSpend, gatehouse.BookGiveBack, gatehouse.BookCharge}).Draw(t, "kind")
			e := ofPassEvent(kind, stay, pass, amount, strconv.Itoa(n))
			if kind == gatehouse.BookCharge {
				e.Provider, e.Payment, e.Object = "", "", ""
			}
			for range 2 {
				outcome, err := l.book(e)
				if code := gatehouse.ErrorCode(err); err != nil && code != "books.too_much" {
					t.Fatal(err)
				}
				if outcome != gatehouse.Booked {
					continue
				}
				switch kind {
				case gatehouse.BookTopUp:
					want[pass] += amount
				case gatehouse.BookSpend, gatehouse.BookGiveBack:
					want[pass] -= amount
				}
			}
			for _, p := range passes {
				if holds := -l.balances()[gatehouse.Prepaid(p)]; holds != want[p] || holds < 0 {
					t.Fatalf("pass %v holds %d, want %d", p, holds, want[p])
				}
			}
		}
		for _, e := range l.entries {
			if !Adds(e) {
				t.Fatalf("%+v does not add up", e)
			}
		}
	})
}

func TestWhatIsNoChangeOfAPass(t *testing.T) {
	good := ofPassEvent(gatehouse.BookTopUp, stayA, gatehouse.ID{9}, 100, "x")
	for name, change := range map[string]func(*gatehouse.BookEvent){
		"no pass":                  func(e *gatehouse.BookEvent) { e.Payment = "nothing" },
		"another provider":         func(e *gatehouse.BookEvent) { e.Provider = "stripe" },
		"a payment of a pass's":    func(e *gatehouse.BookEvent) { e.Kind, e.Object = gatehouse.BookPayment, e.Payment },
		"no order":                 func(e *gatehouse.BookEvent) { e.Stay = gatehouse.ID{} },
		"negative":                 func(e *gatehouse.BookEvent) { e.Amount.Minor = -1 },
		"given back, by nobody":    func(e *gatehouse.BookEvent) { e.Kind = gatehouse.BookGiveBack },
		"of what it does not hold": func(e *gatehouse.BookEvent) { e.Kind = gatehouse.BookSpend },
	} {
		e := good
		change(&e)
		if _, outcome, err := Decide(e, gatehouse.BookKnown{}); err == nil {
			t.Errorf("%s: %s", name, outcome)
		}
	}
	var l ledger
	if _, err := l.book(good); err != nil {
		t.Fatal(err)
	}
	usd := ofPassEvent(gatehouse.BookTopUp, gatehouse.ID{7}, gatehouse.ID{9}, 100, "y")
	usd.Amount.Currency = "USD"
	if _, err := l.book(usd); gatehouse.ErrorCode(err) != "books.currency" {
		t.Errorf("a pass of two currencies: %v", err)
	}
}

func TestReceiptsHoldTheirTax(t *testing.T) {
	var l ledger
	at := noon
	put := func(e gatehouse.BookEvent) {
		t.Helper()
		e.At, e.Heard = at, at
		if _, err := l.book(e); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Hour)
	}
	put(event(gatehouse.BookPayment, 300, "p1", "p1"))
	put(event(gatehouse.BookPayment, 100, "p2", "p2"))
	put(event(gatehouse.BookCharge, 400, "", "")) // 40 of tax
	refund := event(gatehouse.BookRefund, 100, "p2", "r")
	put(refund)
	got := Receipts(l.entries, noon, at)
	if len(got) != 3 || got[0].Tax.Minor != 30 || got[1].Tax.Minor != 10 || got[2].Amount.Minor != -100 || got[2].Tax.Minor != -10 {
		t.Errorf("%+v", got)
	}
	if got := Receipts(l.entries, noon.Add(30*time.Minute), noon.Add(time.Hour)); len(got) != 0 {
		t.Errorf("a moment at which nothing was paid: %+v", got)
	}
}
