package payroll

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"gatehouse"
)

func euros(minor int64) gatehouse.Money { return gatehouse.Money{Minor: minor, Currency: "EUR"} }

func someJob() (gatehouse.PayJob, gatehouse.PaidHours, gatehouse.PayTerms) {
	job := gatehouse.PayJob{From: "2026-11-01", Until: "2026-11-30", Figures: map[string]gatehouse.Money{"meal": euros(400)}, Scheme: []gatehouse.Earning{
		{Code: "regular", Title: "Regular hours", Kind: gatehouse.PaidByTime}, {Code: "overtime-150", Kind: gatehouse.PaidByTime},
		{Code: "meals", Kind: gatehouse.Allowance, Formula: "meal * days"}, {Code: "canteen", Kind: gatehouse.Deduction, Formula: "min(20, gross * 1 / 100)"}}}
	hours := gatehouse.PaidHours{Subject: gatehouse.RandomID(), Label: "B-1", Days: 20, Totals: []gatehouse.CodeTotal{{Code: "regular", Rate: 10000, Minutes: 9600}, {Code: "overtime-150", Rate: 15000, Minutes: 60}}}
	return job, hours, gatehouse.PayTerms{Rate: gatehouse.PayRate{Amount: euros(1500), Per: 60}}
}

func TestSlip(t *testing.T) {
	job, hours, terms := someJob()
	slip, err := InVault{}.Slip(job, hours, terms)
	if err != nil {
		t.Fatal(err)
	}
	// 160 h at 15, an hour at 22.50, 20 meals at 4, and at most 20 for the canteen.
	if slip.Gross != euros(240000+2250+8000) || slip.Deductions != euros(-2000) || slip.Net != euros(248250) || slip.Number != "B-1" || slip.Lines[0].Title != "" {
		t.Errorf("%+v", slip)
	}
	terms.Figures, terms.Number = map[string]gatehouse.Money{"meal": euros(500)}, "4711"
	if slip, err = (InVault{}).Slip(job, hours, terms); err != nil || slip.Gross != euros(240000+2250+10000) || slip.Number != "4711" {
		t.Errorf("a figure of their own: %+v, %v", slip, err)
	}
	job.Figures["meal"] = gatehouse.Money{Minor: 400, Currency: "CNY"}
	if _, err = (InVault{}).Slip(job, hours, terms); gatehouse.ErrorCode(err) != "money.currency" {
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
		slip, err := InVault{}.Slip(job, hours, terms)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, gatehouse.PayRow{Payslip: slip, Name: "Anna " + number})
	}
	for format, c := range map[string]struct{ body, want string }{
		"csv":     {``, "1001,Anna 1001,2026-11-01,2026-11-30,regular,160.00,100.00,2400.00,EUR,,\r\n"},
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
