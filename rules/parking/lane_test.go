package parking_test

import (
	"testing"

	"gatehouse"
	"gatehouse/rules/parking"
	"gatehouse/rules/parking/pairing"
)

func TestAtEntry(t *testing.T) {
	visitor, full := parking.Admission{Let: true, Reason: parking.AdmitVisitor}, parking.Admission{Reason: parking.RefuseFull}
	seen := parking.Sight{CarPark: "centre", Vehicle: true, Sure: true}
	for _, c := range []struct {
		name    string
		s       parking.Sight
		a       parking.Admission
		reason  gatehouse.Reason
		certain bool
	}{
		{"a visitor", seen, visitor, gatehouse.Granted, true},
		{"full", seen, full, gatehouse.CarParkFull, true},
		{"not on the list of a closed car park", seen, parking.Admission{Reason: parking.RefuseVisitor}, gatehouse.NotAdmitted, true},
		{"on the list", seen, parking.Admission{Reason: parking.RefuseDenied}, gatehouse.NotAdmitted, true},
		{"beyond the quota", seen, parking.Admission{Reason: parking.RefuseQuota}, gatehouse.QuotaFull, true},
		{"again", parking.Sight{Vehicle: true, Sure: true, Repeated: true}, visitor, gatehouse.Repeated, true},
		{"no plate yet", parking.Sight{}, visitor, gatehouse.TakeTicket, false},
		{"no plate", parking.Sight{Enough: true}, visitor, gatehouse.TakeTicket, true},
		{"not sure yet", parking.Sight{Vehicle: true}, visitor, gatehouse.LowConfidence, false},
		{"not sure, and that is all there is", parking.Sight{Vehicle: true, Enough: true}, visitor, gatehouse.Granted, true},
	} {
		d, certain := parking.AtEntry(c.s, c.a)
		if d.Reason != c.reason || certain != c.certain || d.Grant != (c.reason == gatehouse.Granted) {
			t.Errorf("%s: %+v, certain %v", c.name, d, certain)
		}
	}
}

func TestAtExit(t *testing.T) {
	due := func(n int64) parking.Owing { return parking.Owing{Due: gatehouse.Money{Minor: n, Currency: "EUR"}} }
	paired := pairing.Verdict{State: pairing.Paired, Reason: pairing.SameText}
	sure := parking.Sight{CarPark: "centre", Vehicle: true, Sure: true}
	enough := parking.Sight{CarPark: "centre", Vehicle: true, Enough: true}
	for _, c := range []struct {
		name    string
		s       parking.Sight
		v       pairing.Verdict
		o       parking.Owing
		grant   bool
		reason  gatehouse.Reason
		certain bool
	}{
		{"nothing owed", sure, paired, due(0), true, gatehouse.Granted, true},
		{"owed", sure, paired, due(100), false, gatehouse.PaymentOwed, true},
		{"owed, not sure yet", parking.Sight{Vehicle: true}, paired, due(100), false, gatehouse.PaymentOwed, false},
		{"two stays, a better frame may come", sure, pairing.Verdict{State: pairing.Ambiguous}, due(0), true, gatehouse.StayUnclear, false},
		{"two stays", enough, pairing.Verdict{State: pairing.Ambiguous}, due(0), true, gatehouse.StayUnclear, true},
		{"no entry", enough, pairing.Verdict{State: pairing.Unpaired}, due(0), true, gatehouse.NoStay, true},
		{"a ticket that was used", enough, pairing.Verdict{State: pairing.Unpaired, Reason: pairing.UnknownTicket}, due(0), false, gatehouse.WrongCredential, true},
		{"nobody knows what is owed", enough, paired, parking.Owing{Unknown: true}, true, gatehouse.StayUnclear, true},
		{"again", parking.Sight{Repeated: true}, paired, due(0), false, gatehouse.Repeated, true},
	} {
		d, certain := parking.AtExit(c.s, c.v, c.o)
		if d.Grant != c.grant || d.Reason != c.reason || certain != c.certain {
			t.Errorf("%s: %+v, certain %v", c.name, d, certain)
		}
	}
}
