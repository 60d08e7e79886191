package console

import (
	"slices"
	"testing"

	"gatehouse"
)

// A payslip of a period in which the rate was raised says both rates, and of each line its
// days and rate, its formula, or where it was worked.
func TestAPayslipExplainsItself(t *testing.T) {
	yuan := func(n int64) gatehouse.Money { return gatehouse.Money{Minor: n * 100, Currency: "CNY"} }
	rate := func(n int64) gatehouse.PayRate { return gatehouse.PayRate{Amount: yuan(n), Per: 60} }
	p := gatehouse.Payslip{Rate: rate(48), Pay: gatehouse.Pay{From: "2026-11-01", Until: "2026-11-30", Lines: []gatehouse.PayLine{
		{Code: "regular", Title: "Regular hours", From: "2026-11-01", Until: "2026-11-15", Minutes: 600, Rate: 10000, Amount: yuan(450), Shares: []gatehouse.PayShare{{Site: "depot", Weight: 240}, {Site: "main", CostCentre: "4711", Weight: 360}}},
		{Code: "regular", Title: "Regular hours", From: "2026-11-16", Until: "2026-11-30", Minutes: 60, Rate: 10000, Amount: yuan(48)},
		{Code: "meals", Formula: "meal * days", Amount: yuan(15)}, {Code: "canteen", Formula: `min(60, gross * 2 / 100 + hours("salary"))`, Amount: yuan(-9)}}},
		Stretches: []gatehouse.PayStretch{{From: "2026-11-01", Until: "2026-11-15", Rate: rate(45), Salary: yuan(900)}, {From: "2026-11-16", Until: "2026-11-30", Rate: rate(48), Salary: yuan(1000)}}}
	s := paySheetOf("en", "B-1", p)
	var notes []string
	for _, l := range s.Lines {
		notes = append(notes, l.Note)
	}
	want := []string{"2026-11-01 – 2026-11-15: 45.00 CNY / 1:00 h; depot 4:00; main 4711 6:00", "2026-11-16 – 2026-11-30: 48.00 CNY / 1:00 h", "meal * days; what changed within the period counts by days", `min(60, gross * 2 / 100 + hours("salary"))`}
	if !slices.Equal(notes, want) {
		t.Errorf("the lines say\n%q, want\n%q", notes, want)
	}
	facts := 0
	for _, f := range s.Facts {
		if f[1] == "45.00 CNY / 1:00 h (2026-11-01 – 2026-11-15)" || f[1] == "48.00 CNY / 1:00 h (2026-11-16 – 2026-11-30)" || f[1] == "900.00 CNY (2026-11-01 – 2026-11-15)" || f[1] == "1000.00 CNY (2026-11-16 – 2026-11-30)" {
			facts++
		}
	}
	if facts != 4 {
		t.Errorf("both rates and salaries: %q", s.Facts)
	}
}
