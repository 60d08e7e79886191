package payroll

import (
	"math/big"
	"strings"
	"testing"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func usd(minor int64) gatehouse.Money { return gatehouse.Money{Minor: minor, Currency: "USD"} }

func total(code gatehouse.EarningsCode, hours, rate int) gatehouse.CodeTotal {
	return gatehouse.CodeTotal{Code: code, Rate: rate, Minutes: hours * 60}
}

var hourly = []gatehouse.Earning{{Code: "regular", Title: "Regular", Kind: gatehouse.PaidByTime}, {Code: "overtime-150", Title: "Overtime 150 %", Kind: gatehouse.PaidByTime}}

// The published examples of what hours come to.
func TestPublishedExamples(t *testing.T) {
	for name, c := range map[string]struct {
		in         Input
		gross, net int64
	}{
		// 29 CFR 778.110(a) (76 FR 18857, 2011): 46 hours at $12: 40 at $12 and 6 at $18, $588 together.
		"29 CFR 778.110(a)": {Input{Rate: gatehouse.PayRate{Amount: usd(1200), Per: 60}, Scheme: hourly,
			Totals: []gatehouse.CodeTotal{total("overtime-150", 6, 15000), total("regular", 40, 10000)}}, 58800, 58800},
		// 29 CFR 778.113(a) in its wording of 1981 (46 FR 7309): $182.70 for 35 hours is $5.22 an hour for the first 40 and $7.83 beyond:
		// here for 42 hours.
		"29 CFR 778.113(a)": {Input{Rate: gatehouse.PayRate{Amount: usd(18270), Per: 35 * 60}, Scheme: hourly,
			Totals: []gatehouse.CodeTotal{total("overtime-150", 2, 15000), total("regular", 40, 10000)}}, 40*522 + 2*783, 40*522 + 2*783},
		// Ministry of Labour and Social Security [2008] No. 3: 21.75 paid days a month. 8,700 a month are
		// 400 a day and 50 an hour; Labour Law art. 44: 150, 200 and 300 %.
		"21.75 days": {Input{Rate: gatehouse.PayRate{Amount: gatehouse.Money{Minor: 870000, Currency: "CNY"}, Per: 10440}, Salary: gatehouse.Money{Minor: 870000, Currency: "CNY"},
			Scheme: []gatehouse.Earning{{Code: "salary", Kind: gatehouse.Allowance, Formula: "salary"}, {Code: "regular", Kind: gatehouse.Unpaid}, {Code: "overtime-150", Kind: gatehouse.PaidByTime},
				{Code: "overtime-200", Kind: gatehouse.PaidByTime}, {Code: "overtime-300", Kind: gatehouse.PaidByTime}},
			Totals: []gatehouse.CodeTotal{total("regular", 168, 10000), total("overtime-150", 2, 15000), total("overtime-200", 8, 20000), total("overtime-300", 8, 30000)}},
			870000 + 2*7500 + 8*10000 + 8*15000, 870000 + 2*7500 + 8*10000 + 8*15000},
	} {
		pay, err := Calculate(c.in)
		if err != nil || pay.Gross.Minor != c.gross || pay.Net.Minor != c.net {
			t.Errorf("%s: gross %v, net %v, %v; want %d", name, pay.Gross, pay.Net, err, c.gross)
		}
	}
}

func TestAScheme(t *testing.T) {
	in := Input{Rate: gatehouse.PayRate{Amount: usd(2000), Per: 60}, Days: 21, Parameters: map[string]gatehouse.Money{"meal": usd(350)},
		Totals: []gatehouse.CodeTotal{total("regular", 160, 10000), total("night", 20, 12500), {Code: "overtime-150", Rate: 15000, Minutes: 100, TimeOff: true}},
		Scheme: []gatehouse.Earning{
			{Code: "regular", Kind: gatehouse.PaidByTime},
			{Code: "night", Kind: gatehouse.PaidPremium},
			{Code: "overtime-150", Kind: gatehouse.PaidByTime},
			{Code: "meals", Kind: gatehouse.Allowance, Formula: `meal * days`},
			{Code: "attendance", Kind: gatehouse.Allowance, Formula: `when(days >= 20 && hours("regular") > 150, 100, 0)`},
			{Code: "never", Kind: gatehouse.Allowance, Formula: `when(days > 31, 100, 0)`},
			{Code: "fund", Kind: gatehouse.Deduction, Formula: `min(200, pay("regular") * 5.5 / 100)`},
			{Code: "canteen", Kind: gatehouse.Deduction, Formula: `gross / 3 / 1000`},
		}}
	pay, err := Calculate(in)
	if err != nil {
		t.Fatal(err)
	}
	want := []gatehouse.PayLine{
		{Code: "regular", Minutes: 9600, Rate: 10000, Amount: usd(320000)},
		{Code: "night", Minutes: 1200, Rate: 12500, Amount: usd(10000)},
		{Code: "overtime-150", Minutes: 100, Rate: 15000, Amount: usd(0), TimeOff: 150},
		{Code: "meals", Amount: usd(7350)},
		{Code: "attendance", Amount: usd(10000)},
		{Code: "fund", Amount: usd(-17600)},
		{Code: "canteen", Amount: usd(-116)}, // 3473.50 / 3000 = 1.1578…
	}
	if diff := cmp.Diff(want, pay.Lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if pay.Gross != usd(347350) || pay.Deductions != usd(-17716) || pay.Net != usd(347350-17716) {
		t.Errorf("gross %v, deductions %v, net %v", pay.Gross, pay.Deductions, pay.Net)
	}
	in.Scheme = in.Scheme[1:]
	if _, err := Calculate(in); gatehouse.ErrorCode(err) != "pay.code" {
		t.Errorf("hours that nobody pays: %v", err)
	}
	for name, change := range map[string]func(*Input){
		"no currency":       func(in *Input) { in.Rate.Amount.Currency = "XYZ" },
		"no minutes":        func(in *Input) { in.Rate.Per = 0 },
		"below zero":        func(in *Input) { in.Rate.Amount.Minor = -1 },
		"another currency":  func(in *Input) { in.Salary = gatehouse.Money{Minor: 1, Currency: "EUR"} },
		"more than any pay": func(in *Input) { in.Rate.Amount.Minor = gatehouse.MaxMinor; in.Totals[0].Minutes = 1 << 40 },
	} {
		in := Input{Rate: gatehouse.PayRate{Amount: usd(2000), Per: 60}, Scheme: hourly, Totals: []gatehouse.CodeTotal{total("regular", 160, 10000)}}
		change(&in)
		if _, err := Calculate(in); err == nil {
			t.Errorf("%s: paid", name)
		}
	}
}

// Formulas are arithmetic: right results in exact fractions, and nothing else gets through.
func TestFormulas(t *testing.T) {
	e := env{in: Input{Days: 3, Stretches: []Stretch{{Rate: gatehouse.PayRate{Amount: usd(870000), Per: 10440}, Parameters: map[string]gatehouse.Money{"meal": usd(150)},
		Totals: []gatehouse.CodeTotal{{Code: "regular", Minutes: 90}}}}}, gross: &gatehouse.Money{Minor: 10000, Currency: "USD"}, deductions: &gatehouse.Money{Minor: -500, Currency: "USD"}}
	for text, want := range map[string]int64{
		"1 + 2 * 3": 700, "(1 + 2) * 3": 900, "10 / 4": 250, "10 / 3 * 3": 1000, "0.1 + 0.2": 30, "-2 + 5": 300, "rate": 5000, "gross * 5 / 100": 500, "deductions": 500, "meal * days": 450,
		`hours("regular") * 2`: 300, "min(3, 1, 2)": 100, "max(0, -4)": 0, "when(1 < 2, 5, 1 / 0)": 500, "when(!(1 == 2) && 2 != 3 || 1 > 2, 1, 0)": 100, "0.005": 1, "0.00499999999": 0, "1 / 3": 33, "2 / 3": 67,
	} {
		if err := CheckFormula(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got, err := e.reckon(text, "USD", gatehouse.RoundHalfUp); err != nil || got != want {
			t.Errorf("%s is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1 +", "import \"os\"", "func() int { return 1 }()", "os.Exit(1)", "a[0]", "[]int{1}[0]", "x.y", "&gross", "*gross", "<-c", "1 << 60", "1 % 2", "1e999999", "0x10", "1_000",
		"'a'", `"text"`, "hours(regular)", `hours("../etc")`, "hours()", "sqrt(2)", "min()", "when(1, 2)", "min(x...)", "1i", strings.Repeat("(", 60) + "1" + strings.Repeat(")", 60), strings.Repeat("1+", 300) + "1", "gross = 1", "1; 2"} {
		if CheckFormula(text) == nil {
			t.Errorf("%.40q is a formula", text)
		}
	}
	for _, text := range []string{"1 / 0", "1 / (gross - 100)", "nobody", "1 < 2", "when(1, 2, 3)", "1 + (1 < 2)", "!1", "-(1 < 2)", "min(1 < 2, 1)", "9999999999999999 * 9999999999", strings.Repeat("9999999999*", 40) + "1", "when(" + strings.Repeat("9999999999*", 40) + "1 > 1, 1, 0)"} {
		if got, err := e.reckon(text, "USD", gatehouse.RoundHalfUp); err == nil {
			t.Errorf("%.40q is %d", text, got)
		}
	}
}

func FuzzFormula(f *testing.F) {
	for _, s := range []string{"1 + 2", "when(gross > 100, min(1, 2), 3)", `hours("a") * 1.5`, "1 / 3 / 7 / 11"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e := env{in: Input{Stretches: []Stretch{{Rate: gatehouse.PayRate{Amount: usd(1), Per: 60}}}}, gross: &gatehouse.Money{Currency: "USD"}, deductions: &gatehouse.Money{Currency: "USD"}}
		n, err := e.reckon(text, "USD", gatehouse.RoundHalfUp)
		if err == nil && (n > gatehouse.MaxMinor || n < -gatehouse.MaxMinor) {
			t.Errorf("%q is %d", text, n)
		}
	})
}

// round and gatehouse.MulDiv round alike.
func TestRoundingIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, d := rapid.Int64Range(-1e12, 1e12).Draw(t, "n"), rapid.Int64Range(1, 1e6).Draw(t, "d")
		if rapid.Bool().Draw(t, "half") {
			n, d = 2*(n/2)+1, 2
		}
		for _, r := range []gatehouse.Rounding{gatehouse.RoundDown, gatehouse.RoundUp, gatehouse.RoundHalfUp, gatehouse.RoundHalfEven} {
			want, ok := gatehouse.MulDiv(n, 1, d, r)
			got, ok2 := round(big.NewRat(n, d), r)
			if got != want || ok != ok2 {
				t.Fatalf("%d/%d %s: %d and %d", n, d, r, got, want)
			}
		}
	})
}

// Whatever the weights, the parts add up to the line, and a part is at most a minor unit
// from its share.
func TestSplitsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := gatehouse.PayLine{Code: "regular", Minutes: rapid.IntRange(0, 50000).Draw(t, "minutes"), Amount: usd(rapid.Int64Range(-1e9, 1e12).Draw(t, "amount"))}
		var shares []gatehouse.PayShare
		var total int64
		for range rapid.IntRange(1, 8).Draw(t, "parts") {
			w := rapid.Int64Range(0, 1e9).Draw(t, "weight")
			shares, total = append(shares, gatehouse.PayShare{Weight: w}), total+w
		}
		parts, err := Split(l, shares)
		if total == 0 {
			if gatehouse.ErrorCode(err) != "pay.split" {
				t.Fatalf("no weight: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		minutes, amount := 0, int64(0)
		for _, p := range parts {
			minutes, amount = minutes+p.Minutes, amount+p.Amount.Minor
			if (p.Amount.Minor < 0) != (l.Amount.Minor < 0) && p.Amount.Minor != 0 {
				t.Fatalf("a part of %v is %v", l.Amount, p.Amount)
			}
		}
		if minutes != l.Minutes || amount != l.Amount.Minor {
			t.Fatalf("%d minutes and %d of %d and %d", minutes, amount, l.Minutes, l.Amount.Minor)
		}
	})
	parts, _ := Split(gatehouse.PayLine{Minutes: 100, Amount: usd(-1000)}, []gatehouse.PayShare{{Project: "a", Weight: 1}, {Project: "b", Weight: 1}, {Project: "c", Weight: 1}, {Project: "d"}})
	want := []gatehouse.PayLine{{Project: "a", Minutes: 34, Amount: usd(-334)}, {Project: "b", Minutes: 33, Amount: usd(-333)}, {Project: "c", Minutes: 33, Amount: usd(-333)}}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Error(diff)
	}
}

func TestSchemesThatSayNothing(t *testing.T) {
	found := CheckScheme([]gatehouse.Earning{{Code: "a", Kind: gatehouse.PaidByTime, Line: 2}, {Code: "a", Kind: gatehouse.Unpaid, Line: 3}, {Code: "B", Kind: "x", Line: 4},
		{Code: "c", Kind: gatehouse.Allowance, Formula: "1 +", Line: 5}, {Code: "d", Kind: gatehouse.PaidByTime, Formula: "1", Line: 6}})
	var got []string
	for _, p := range found {
		got = append(got, strings.Join(strings.SplitN(p.String(), ": ", 3)[:2], " "))
	}
	if diff := cmp.Diff([]string{"line 3 pay.twice", "line 4 pay.code", "line 4 pay.kind", "line 5 pay.formula", "line 6 pay.formula"}, got); diff != "" {
		t.Error(diff)
	}
}
