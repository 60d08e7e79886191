package parking

import (
	"testing"
	"time"

	"gatehouse"

	"pgregory.net/rapid"
)

// Whoever pays what is due owes nothing for the time to leave, and afterwards only what
// the stay costs more. Nobody pays more in all than the stay costs when it ends.
func TestPayingSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawVersion(t, false)
		entered := drawEntry(t, v.Zone)
		stay := gatehouse.Stay{Class: gatehouse.Car, Entered: entered}
		r := drawRights(t, entered)
		var payments []gatehouse.Payment
		now := entered
		for range rapid.IntRange(1, 4).Draw(t, "payments") {
			now = now.Add(drawStay(t))
			if now.Sub(entered) > MaxStay {
				return
			}
			bill := settle(t, stay, now, v, r, payments)
			if bill.Due.Minor < 0 || bill.Back.Minor < 0 || bill.Due.Minor > 0 && bill.Back.Minor > 0 {
				t.Fatalf("due %s, back %s", bill.Due, bill.Back)
			}
			if bill.Due.Minor == 0 {
				continue
			}
			// The newest stands first: payments come out of order.
			payments = append([]gatehouse.Payment{{ID: gatehouse.RandomID(), At: now, Amount: bill.Due}}, payments...)
			for _, later := range []time.Duration{0, v.ExitWithin} {
				if b := settle(t, stay, now.Add(later), v, r, payments); b.Due.Minor != 0 || b.Back.Minor != 0 || !b.LeaveBy.Equal(now.Add(v.ExitWithin)) {
					t.Fatalf("%v after paying, due %s, back %s, leave by %v", later, b.Due, b.Back, b.LeaveBy)
				}
			}
		}
		bill := settle(t, stay, now, v, r, payments)
		if whole := charge(t, v, entered, now, false, r); bill.Paid.Minor+bill.Due.Minor > whole.Total.Minor {
			t.Fatalf("paid %s and due %s, of %s", bill.Paid, bill.Due, whole.Total)
		}
	})
}

func settle(t interface{ Fatal(...any) }, stay gatehouse.Stay, now time.Time, v gatehouse.TariffVersion, r Rights, p []gatehouse.Payment) Bill {
	b, err := Settle(stay, now, v, r, p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func hourly(exit time.Duration) gatehouse.TariffVersion {
	return gatehouse.TariffVersion{Currency: "EUR", Zone: time.UTC, ExitWithin: exit, Grace: 10 * time.Minute, Plans: []gatehouse.Plan{{Classes: []gatehouse.VehicleClass{gatehouse.Car},
		Periods: []gatehouse.Period{{Name: "time", Days: everyDay, Until: dayMinutes, Steps: []gatehouse.Step{{Block: time.Hour, Price: 200, Per: time.Hour}}}}}}}
}

// The three times are three: to find no space, to be given, and to leave after paying.
func TestPaymentsThatAreNotTheRule(t *testing.T) {
	v := hourly(15 * time.Minute)
	in := at(t, "UTC", "2026-03-02 10:00")
	stay := gatehouse.Stay{Class: gatehouse.Car, Entered: in}
	pay := func(after time.Duration, cents int64) gatehouse.Payment {
		return gatehouse.Payment{At: in.Add(after), Amount: gatehouse.Money{Minor: cents, Currency: "EUR"}}
	}
	for name, c := range map[string]struct {
		now       time.Duration
		payments  []gatehouse.Payment
		due, back int64
		leave     bool
	}{
		"left at once":                {10 * time.Minute, nil, 0, 0, false},
		"a minute later":              {11 * time.Minute, nil, 200, 0, false},
		"paid, and in time":           {70 * time.Minute, []gatehouse.Payment{pay(55*time.Minute, 200)}, 0, 0, true},
		"paid, and too late":          {71 * time.Minute, []gatehouse.Payment{pay(55*time.Minute, 200)}, 200, 0, true},
		"paid too little":             {80 * time.Minute, []gatehouse.Payment{pay(79*time.Minute, 200)}, 200, 0, false},
		"paid twice":                  {58 * time.Minute, []gatehouse.Payment{pay(55*time.Minute, 200), pay(56*time.Minute, 200)}, 0, 200, true},
		"paid and refunded":           {58 * time.Minute, []gatehouse.Payment{pay(55*time.Minute, 200), pay(57*time.Minute, -200)}, 200, 0, false},
		"in two parts":                {90 * time.Minute, []gatehouse.Payment{pay(80*time.Minute, 250), pay(85*time.Minute, 150)}, 0, 0, true},
		"a payment of the future":     {58 * time.Minute, []gatehouse.Payment{pay(59*time.Minute, 200)}, 200, 0, false},
		"paid before it cost a thing": {5 * time.Hour, []gatehouse.Payment{pay(-time.Minute, 200)}, 800, 0, true},
	} {
		b := settle(t, stay, in.Add(c.now), v, Rights{}, c.payments)
		if b.Due.Minor != c.due || b.Back.Minor != c.back || b.LeaveBy.IsZero() == c.leave {
			t.Errorf("%s: due %s, back %s, leave by %v", name, b.Due, b.Back, b.LeaveBy)
		}
	}
	dollars := gatehouse.Payment{At: in, Amount: gatehouse.Money{Minor: 200, Currency: "USD"}}
	if _, err := Settle(stay, in.Add(time.Hour), v, Rights{}, []gatehouse.Payment{dollars}); gatehouse.ErrorCode(err) != "parking.payment_currency" {
		t.Errorf("dollars paid for euros: %v", err)
	}
}

// Rights, by hand.
func TestRights(t *testing.T) {
	v := hourly(0)
	v.MaxValidations = 2
	in := at(t, "UTC", "2026-03-02 10:00") // a Monday
	long := []gatehouse.Window{{Day: time.Monday, From: 11 * 60, Until: 13 * 60}}
	season := gatehouse.Pass{Kind: gatehouse.SeasonPass, Name: "noon", From: in.AddDate(0, -1, 0), Until: in.AddDate(0, 1, 0), Windows: long}
	shop := func(kind gatehouse.ValidationKind, hours int, cents, share int64) gatehouse.Validation {
		return gatehouse.Validation{Kind: kind, Issuer: "shop", Time: time.Duration(hours) * time.Hour, Money: gatehouse.Money{Minor: cents, Currency: "EUR"}, BasisPoints: share}
	}
	for name, c := range map[string]struct {
		r     Rights
		cents int64 // of five hours, which cost 10.00
	}{
		"nothing":               {Rights{}, 1000},
		"a pass for two hours":  {Rights{Passes: []gatehouse.Pass{season}}, 600},
		"of another class":      {Rights{Passes: []gatehouse.Pass{{Kind: gatehouse.SeasonPass, From: season.From, Until: season.Until, Classes: []gatehouse.VehicleClass{gatehouse.Bus}}}}, 1000},
		"that ends on the way":  {Rights{Passes: []gatehouse.Pass{{Kind: gatehouse.SeasonPass, From: season.From, Until: in.Add(3 * time.Hour)}}}, 400},
		"one use":               {Rights{Passes: []gatehouse.Pass{{Kind: gatehouse.UsesPass, Uses: 1}}}, 0},
		"no use left":           {Rights{Passes: []gatehouse.Pass{{Kind: gatehouse.UsesPass}}}, 1000},
		"one exit":              {Rights{Passes: []gatehouse.Pass{{Kind: gatehouse.ExitPass}}}, 0},
		"a reservation":         {Rights{Reservations: []gatehouse.Reservation{{From: in.Add(15 * time.Minute), Until: in.Add(2 * time.Hour), Early: 15 * time.Minute}}}, 600},
		"a shop's hour":         {Rights{Validations: []gatehouse.Validation{shop(gatehouse.TimeValidation, 1, 0, 0)}}, 800},
		"a fifth":               {Rights{Validations: []gatehouse.Validation{shop(gatehouse.PercentValidation, 0, 0, 2000)}}, 800},
		"three euros":           {Rights{Validations: []gatehouse.Validation{shop(gatehouse.MoneyValidation, 0, 300, 0)}}, 700},
		"more than it costs":    {Rights{Validations: []gatehouse.Validation{shop(gatehouse.MoneyValidation, 0, 3000, 0)}}, 0},
		"all":                   {Rights{Validations: []gatehouse.Validation{shop(gatehouse.FullValidation, 0, 0, 0)}}, 0},
		"an hour and half":      {Rights{Validations: []gatehouse.Validation{shop(gatehouse.PercentValidation, 0, 0, 5000), shop(gatehouse.TimeValidation, 1, 0, 0)}}, 400},
		"three, of which two":   {Rights{Validations: []gatehouse.Validation{shop(gatehouse.TimeValidation, 1, 0, 0), shop(gatehouse.TimeValidation, 1, 0, 0), shop(gatehouse.FullValidation, 0, 0, 0)}}, 600},
		"a pass and two hours":  {Rights{Passes: []gatehouse.Pass{season}, Validations: []gatehouse.Validation{shop(gatehouse.TimeValidation, 2, 0, 0)}}, 400},
		"a pass over the price": {Rights{Passes: []gatehouse.Pass{season, season}}, 600},
	} {
		if got := charge(t, v, in, in.Add(5*time.Hour), false, c.r); got.Total.Minor != c.cents {
			t.Errorf("%s: %s, want %d: %v", name, got.Total, c.cents, got.Lines)
		}
	}
	value := gatehouse.Pass{Kind: gatehouse.ValuePass, Value: gatehouse.Money{Minor: 700, Currency: "EUR"}}
	if pays, left := FromValue(value, gatehouse.Money{Minor: 1000, Currency: "EUR"}, in); pays.Minor != 700 || left.Minor != 0 {
		t.Errorf("a value pass pays %s, %s left", pays, left)
	}
	if pays, left := FromValue(value, gatehouse.Money{Minor: 1000, Currency: "JPY"}, in); pays.Minor != 0 || left.Minor != 700 {
		t.Errorf("euros paid yen: %s, %s left", pays, left)
	}
}

func TestAdmit(t *testing.T) {
	noon := at(t, "UTC", "2026-03-02 12:00")
	month := gatehouse.Pass{ID: gatehouse.RandomID(), Kind: gatehouse.SeasonPass, From: noon.AddDate(0, -1, 0), Until: noon.AddDate(0, 1, 0), Quota: "tenant-a"}
	nights := month
	nights.Windows = []gatehouse.Window{{Day: time.Monday, From: 18 * 60, Until: 24 * 60}}
	booked := gatehouse.Reservation{From: noon.Add(10 * time.Minute), Until: noon.Add(time.Hour), Early: 10 * time.Minute}
	quota := func(pay bool) []gatehouse.Quota {
		return []gatehouse.Quota{{Group: "tenant-a", Spaces: 2, Pay: pay}}
	}
	for name, c := range map[string]struct {
		a      Arrival
		let    bool
		reason AdmitReason
	}{
		"a visitor":                     {Arrival{Free: 1}, true, AdmitVisitor},
		"a visitor, full":               {Arrival{}, false, RefuseFull},
		"a visitor, closed":             {Arrival{Free: 1, Closed: true}, false, RefuseVisitor},
		"listed, closed":                {Arrival{Free: 1, Closed: true, Listed: true}, true, AdmitVisitor},
		"listed, closed, full":          {Arrival{Closed: true, Listed: true}, false, RefuseFull},
		"a pass, closed":                {Arrival{Passes: []gatehouse.Pass{month}, Closed: true}, true, AdmitPass},
		"listed and denied":             {Arrival{Free: 1, Closed: true, Listed: true, Denied: true}, false, RefuseDenied},
		"a pass, full":                  {Arrival{Passes: []gatehouse.Pass{month}}, true, AdmitPass},
		"a reservation, full":           {Arrival{Reservations: []gatehouse.Reservation{booked}}, true, AdmitReservation},
		"a pass on the deny list":       {Arrival{Passes: []gatehouse.Pass{month}, Denied: true, Free: 9}, false, RefuseDenied},
		"a pass at the wrong time":      {Arrival{Passes: []gatehouse.Pass{nights}, Free: 1}, true, AdmitVisitor},
		"a pass within the quota":       {Arrival{Passes: []gatehouse.Pass{month}, Quotas: quota(false), Inside: map[string]int{"tenant-a": 1}}, true, AdmitPass},
		"beyond, waits":                 {Arrival{Passes: []gatehouse.Pass{month}, Quotas: quota(false), Inside: map[string]int{"tenant-a": 2}, Free: 9}, false, RefuseQuota},
		"beyond, pays":                  {Arrival{Passes: []gatehouse.Pass{month}, Quotas: quota(true), Inside: map[string]int{"tenant-a": 2}, Free: 9}, true, AdmitBeyondQuota},
		"beyond, pays, full":            {Arrival{Passes: []gatehouse.Pass{month}, Quotas: quota(true), Inside: map[string]int{"tenant-a": 2}}, false, RefuseFull},
		"money alone lets nobody in":    {Arrival{Passes: []gatehouse.Pass{{Kind: gatehouse.ValuePass, Value: gatehouse.Money{Minor: 1, Currency: "EUR"}}}}, false, RefuseFull},
		"a pass that has ended":         {Arrival{Passes: []gatehouse.Pass{{Kind: gatehouse.SeasonPass, Until: noon}}}, false, RefuseFull},
		"a reservation that comes late": {Arrival{Reservations: []gatehouse.Reservation{{From: noon.Add(-2 * time.Hour), Until: noon}}}, false, RefuseFull},
	} {
		c.a.At, c.a.Class = noon, gatehouse.Car
		if got := Admit(c.a); got.Let != c.let || got.Reason != c.reason {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
