package books

import (
	"testing"
	"time"

	"gatehouse"
)

func TestCompare(t *testing.T) {
	var l ledger
	at := func(e gatehouse.BookEvent, when time.Time) gatehouse.BookEvent { e.At, e.Heard = when, when; return e }
	for _, e := range []gatehouse.BookEvent{
		event(gatehouse.BookPayment, 500, "p1", "p1"),
		event(gatehouse.BookRefund, 200, "p1", "r1"),
		event(gatehouse.BookPayment, 300, "p2", "p2"),                             // the provider has it with another amount
		event(gatehouse.BookPayment, 400, "p3", "p3"),                             // it has not
		at(event(gatehouse.BookPayment, 700, "p4", "p4"), noon.Add(-2*time.Hour)), // before the span
		event(gatehouse.BookDispute, 300, "p2", "d1"),
		event(gatehouse.BookDisputeLost, 0, "p2", "d1"),
		event(gatehouse.BookFee, 9, "", "fee/t1"),
	} {
		if _, err := l.book(e); err != nil {
			t.Fatal(err)
		}
	}
	line := func(id string, kind gatehouse.BookKind, object string, amount, fee int64) gatehouse.Movement {
		return gatehouse.Movement{ID: id, Kind: kind, Object: object, At: noon.Add(time.Minute), Amount: gatehouse.Money{Minor: amount, Currency: "EUR"}, Fee: fee}
	}
	found, fees := Compare(l.entries, []gatehouse.Movement{line("t1", gatehouse.BookPayment, "p1", 500, 9), line("t2", gatehouse.BookRefund, "r1", -200, 0), line("t3", gatehouse.BookPayment, "p2", 301, 8),
		line("t4", gatehouse.BookDispute, "d1", -300, 1500), line("t5", gatehouse.BookPayment, "p9", 50, 1), line("t6", gatehouse.BookPayout, "o1", -100, 0), line("t7", gatehouse.BookFee, "t7", -25, 0),
		line("t8", "", "t8", 5, 0)}, noon.Add(-time.Hour), noon.Add(time.Hour))
	want := map[string]Finding{"p2": OtherMoney, "p3": NotThere, "p9": NotBooked, "o1": NotBooked, "t8": NotBooked}
	for _, d := range found {
		if want[d.Object] != d.Finding {
			t.Errorf("%s: %s", d.Object, d.Finding)
		}
		delete(want, d.Object)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
	wantFees := map[string]int64{"fee/t3": 8, "fee/t4": 1500, "fee/t5": 1, "fee/t7": 25}
	for _, f := range fees {
		if wantFees[f.Object] != f.Amount.Minor {
			t.Errorf("the fee %s is %d", f.Object, f.Amount.Minor)
		}
		delete(wantFees, f.Object)
	}
	if len(wantFees) > 0 {
		t.Errorf("fees that are not there: %v", wantFees)
	}
}

func TestDays(t *testing.T) {
	var l ledger
	for _, e := range []gatehouse.BookEvent{event(gatehouse.BookCharge, 500, "", ""), event(gatehouse.BookPayment, 500, "p1", "p1"), event(gatehouse.BookRefund, 200, "p1", "r1"), event(gatehouse.BookRefundFailed, 0, "p1", "r1")} {
		if _, err := l.book(e); err != nil {
			t.Fatal(err)
		}
		l.entries[len(l.entries)-1].Booked = noon.Add(11 * time.Hour) // the next day, farther east
	}
	days := Days(l.entries, time.FixedZone("east", 2*3600))
	if len(days) != 1 || days[0].Day != "2026-11-21" || days[0].Charged != 500 || days[0].Tax != 50 || days[0].Paid["stripe"] != 500 || days[0].Refunded != 0 || days[0].Entries != 4 {
		t.Errorf("%+v", days)
	}
}
