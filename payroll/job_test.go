package payroll

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
)

func euros(minor int64) gatehouse.Money { return gatehouse.Money{Minor: minor, Currency: "EUR"} }

func someJob() (gatehouse.PayJob, gatehouse.PaidHours, gatehouse.PayTerms) {
	job := gatehouse.PayJob{From: "2026-11-01", Until: "2026-11-30", Figures: map[string]gatehouse.Money{"meal": euros(400)}, Scheme: []gatehouse.Earning{
		{Code: "regular", Title: "Regular hours", Kind: gatehouse.PaidByTime}, {Code: "overtime-150", Kind: gatehouse.PaidByTime},
		{Code: "meals", Kind: gatehouse.Allowance, Formula: "meal * days"}, {Code: "canteen", Kind: gatehouse.Deduction, Formula: "min(20, gross * 1 / 100)"}}}
	hours := gatehouse.PaidHours{Subject: gatehouse.RandomID(), Label: "B-1", Days: 20, Terms: []gatehouse.PaidTerms{{From: job.From, Until: job.Until}},
		Parts: []gatehouse.PaidPart{{From: job.From, Where: gatehouse.Where{Site: "hq"}, Totals: []gatehouse.CodeTotal{{Code: "regular", Rate: 10000, Minutes: 9600}, {Code: "overtime-150", Rate: 15000, Minutes: 60}}}}}
	return job, hours, gatehouse.PayTerms{Rate: gatehouse.PayRate{Amount: euros(1500), Per: 60}}
}

func TestSlip(t *testing.T) {
	job, hours, terms := someJob()
	one := func() []gatehouse.PayTerms { return []gatehouse.PayTerms{terms} }
	slip, err := InVault{}.Slip(job, hours, one())
	if err != nil {
		t.Fatal(err)
	}
	// 160 h at 15, an hour at 22.50, 20 meals at 4, and at most 20 for the canteen.
	if slip.Gross != euros(240000+2250+8000) || slip.Deductions != euros(-2000) || slip.Net != euros(248250) || slip.Number != "B-1" || slip.Lines[0].Title != "" {
		t.Errorf("%+v", slip)
	}
	terms.Figures, terms.Number = map[string]gatehouse.Money{"meal": euros(500)}, "4711"
	if slip, err = (InVault{}).Slip(job, hours, one()); err != nil || slip.Gross != euros(240000+2250+10000) || slip.Number != "4711" {
		t.Errorf("a figure of their own: %+v, %v", slip, err)
	}
	job.Figures["meal"] = gatehouse.Money{Minor: 400, Currency: "CNY"}
	if _, err = (InVault{}).Slip(job, hours, one()); gatehouse.ErrorCode(err) != "money.currency" {
		t.Errorf("yuan were added to euros: %v", err)
	}
}

func TestTermsThatCannotBe(t *testing.T) {
	good := func() gatehouse.PayTerms {
		_, _, terms := someJob()
		return terms
	}
	if err := CheckTerms(good()); err != nil {
		t.Fatal(err)
	}
	for code, change := range map[string]func(*gatehouse.PayTerms){
		"pay.rate":    func(t *gatehouse.PayTerms) { t.Rate.Per = 0 },
		"pay.number":  func(t *gatehouse.PayTerms) { t.Number = "4711\n" },
		"pay.figures": func(t *gatehouse.PayTerms) { t.Figures = map[string]gatehouse.Money{"gross": euros(1)} },
		"pay.split":   func(t *gatehouse.PayTerms) { t.Shares = []gatehouse.PayShare{{CostCentre: "a"}} },
	} {
		terms := good()
		if change(&terms); gatehouse.ErrorCode(CheckTerms(terms)) != code {
			t.Errorf("%s is not refused: %v", code, CheckTerms(terms))
		}
	}
}

// twoSites is a month in which the rate was raised on the 16th: 80 hours before, 60 of them
// at the depot, and 80 and an hour of overtime behind, all at headquarters, for a project.
func twoSites() (gatehouse.PayJob, gatehouse.PaidHours, []gatehouse.PayTerms) {
	job, hours, terms := someJob()
	hours.Terms = []gatehouse.PaidTerms{{From: "2026-11-01", Until: "2026-11-15"}, {From: "2026-11-16", Until: "2026-11-30"}}
	part := func(from gatehouse.Date, where gatehouse.Where, totals ...gatehouse.CodeTotal) gatehouse.PaidPart {
		return gatehouse.PaidPart{From: from, Where: where, Totals: totals}
	}
	regular := func(h int) gatehouse.CodeTotal {
		return gatehouse.CodeTotal{Code: "regular", Rate: 10000, Minutes: h * 60}
	}
	hours.Parts = []gatehouse.PaidPart{part("2026-11-01", gatehouse.Where{Site: "depot", CostCentre: "4711"}, regular(60)), part("2026-11-01", gatehouse.Where{Site: "hq", CostCentre: "4711"}, regular(20)),
		part("2026-11-16", gatehouse.Where{Site: "hq", CostCentre: "4711", Project: "P7"}, regular(80), gatehouse.CodeTotal{Code: "overtime-150", Rate: 15000, Minutes: 60})}
	raised := terms
	raised.Rate.Amount = euros(1600)
	return job, hours, []gatehouse.PayTerms{terms, raised}
}

// Hours before and behind a change are paid each at their own rate, on lines of their own;
// what is reckoned by formula takes a value that changed by the days that it had.
func TestTermsThatChangeWithinAPeriod(t *testing.T) {
	job, hours, terms := twoSites()
	terms[0].Salary, terms[1].Salary = euros(300000), euros(330000)
	job.Scheme = append(job.Scheme, gatehouse.Earning{Code: "salary", Kind: gatehouse.Allowance, Formula: "salary"}, gatehouse.Earning{Code: "hour", Kind: gatehouse.Allowance, Formula: "rate"})
	slip, err := InVault{}.Slip(job, hours, terms)
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		code   gatehouse.EarningsCode
		from   gatehouse.Date
		minor  int64
		places int
	}
	var got []line
	for _, l := range slip.Lines {
		got = append(got, line{l.Code, l.From, l.Amount.Minor, len(l.Shares)})
	}
	want := []line{{"regular", "2026-11-01", 80 * 1500, 2}, {"regular", "2026-11-16", 80 * 1600, 1}, {"overtime-150", "2026-11-16", 2400, 1}, {"meals", "", 8000, 3}, {"canteen", "", -2000, 3}, {"salary", "", 315000, 3}, {"hour", "", 1550, 3}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if len(slip.Stretches) != 2 || slip.Stretches[0].Rate.Amount != euros(1500) || slip.Stretches[1].Rate.Amount != euros(1600) || slip.Rate.Amount != euros(1600) {
		t.Errorf("the payslip's rates: %+v", slip.Stretches)
	}
	terms[1].Rate.Amount.Currency, terms[1].Salary.Currency = "CNY", "CNY"
	if _, err := (InVault{}).Slip(job, hours, terms); err == nil {
		t.Error("a period is paid in two currencies")
	}
	if _, err := (InVault{}).Slip(job, hours, terms[:1]); gatehouse.ErrorCode(err) != "pay.rate" {
		t.Errorf("terms that are missing: %v", err)
	}
}

// A file has each line apart by site, cost centre and project, and the parts add up; shares
// of somebody's own take the place of their team's.
func TestPayBySiteAndProject(t *testing.T) {
	job, hours, terms := twoSites()
	file := func() string {
		t.Helper()
		slip, err := InVault{}.Slip(job, hours, terms)
		if err != nil {
			t.Fatal(err)
		}
		b, err := InVault{}.File(gatehouse.PayForm{Format: "csv"}, []gatehouse.PayRow{{Payslip: slip, Name: "Anna"}})
		if err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for line := range strings.Lines(string(b)) {
			if cells := strings.Split(line, ","); cells[0] != "Number" {
				m, err := gatehouse.ParseMoney(strings.TrimPrefix(cells[7], "-"), "EUR")
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(cells[7], "-") {
					m.Minor = -m.Minor
				}
				sum += m.Minor
			}
		}
		if sum != slip.Net.Minor {
			t.Errorf("the rows come to %d, the payslip to %v", sum, slip.Net)
		}
		return string(b)
	}
	got := file()
	for _, want := range []string{"B-1,Anna,2026-11-01,2026-11-15,regular,60.00,100.00,900.00,EUR,depot,4711,\r\n", "B-1,Anna,2026-11-01,2026-11-15,regular,20.00,100.00,300.00,EUR,hq,4711,\r\n",
		"B-1,Anna,2026-11-16,2026-11-30,regular,80.00,100.00,1280.00,EUR,hq,4711,P7\r\n", "B-1,Anna,2026-11-01,2026-11-30,meals,0.00,0.00,29.81,EUR,depot,4711,\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no row %q in\n%s", want, got)
		}
	}
	terms[0].Shares = []gatehouse.PayShare{{CostCentre: "own", Weight: 1}, {CostCentre: "other", Weight: 1}}
	if got = file(); !strings.Contains(got, "regular,30.00,100.00,450.00,EUR,depot,own,\r\n") || strings.Contains(got, "regular,60.00") {
		t.Errorf("somebody's own shares:\n%s", got)
	}
}

// Every format makes a file of payslips, and the same one in whatever order they come.
func TestFilesOfPayslips(t *testing.T) {
	job, hours, terms := someJob()
	var rows []gatehouse.PayRow
	for i, number := range []string{"1001", "1002", "1003"} {
		terms.Number, terms.Rate.Amount.Minor = number, int64(1500+i)
		if i == 2 {
			terms.Shares = []gatehouse.PayShare{{CostCentre: "north", Weight: 1}, {CostCentre: "south", Weight: 2}}
		}
		job.Scheme = job.Scheme[:3] // ADP takes no deductions
		slip, err := InVault{}.Slip(job, hours, []gatehouse.PayTerms{terms})
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, gatehouse.PayRow{Payslip: slip, Name: "Anna " + number})
	}
	for format, c := range map[string]struct{ body, want string }{
		"csv":     {``, "1001,Anna 1001,2026-11-01,2026-11-30,regular,160.00,100.00,2400.00,EUR,hq,,\r\n"},
		"xlsx":    {``, "PK"},
		"fixed":   {`{"columns":[{"title":"n","field":"number","width":8,"zeros":true},{"title":"a","field":"amount","width":10,"zeros":true},{"title":"c","field":"cost_centre","width":6}]}`, "000010030000801.07north "},
		"adp":     {`{"company":"AB1","batch":"11","regular":["regular"],"overtime":["overtime-150"],"earnings":{"meals":"M"}}`, "AB1,11,1001,160.00,1.00,,,M,80.00,,\r\n"},
		"paychex": {`{"client":"12345678","components":{"regular":"Hourly","overtime-150":"Overtime","meals":"Meals"},"org":true}`, "12345678,1001,,,Hourly,,,160.00,,11/30/2026,,,,,,\r\n"},
	} {
		form := gatehouse.PayForm{Format: format, Body: []byte(c.body)}
		first, err := InVault{}.File(form, rows)
		if err != nil || !strings.Contains(string(first), c.want) {
			t.Errorf("%s: %v, want a line %q in\n%s", format, err, c.want, first)
			continue
		}
		rand.Shuffle(len(rows), func(i, k int) { rows[i], rows[k] = rows[k], rows[i] })
		if again, err := (InVault{}).File(form, rows); err != nil || !bytes.Equal(first, again) {
			t.Errorf("%s: the same payslips give another file", format)
		}
	}
	rows[0].Name = "=cmd"
	if _, err := (InVault{}).File(gatehouse.PayForm{Format: "csv"}, rows); gatehouse.ErrorCode(err) != "export.cell" {
		t.Errorf("a formula got into a file: %v", err)
	}
}

func TestFormsThatCannotBe(t *testing.T) {
	for _, f := range []gatehouse.PayForm{{Format: "pdf"}, {Format: "fixed"}, {Format: "adp"}, {Format: "csv", Body: []byte(`{"colums":[]}`)}, {Format: "csv", Body: []byte(`{"comma":";;"}`)},
		{Format: "csv", Body: []byte(`{} {}`)}, {Format: "csv", Body: []byte(`{"columns":[{"title":"x","field":"salary"}]}`)}} {
		if err := (InVault{}).CheckForm(f); gatehouse.ErrorCode(err) != "export.template" {
			t.Errorf("%s %s: %v", f.Format, f.Body, err)
		}
	}
}
