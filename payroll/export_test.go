package payroll

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gatehouse"

	"github.com/xuri/excelize/v2"
)

func rows() []Row {
	line := func(code gatehouse.EarningsCode, minutes, rate int, minor int64) gatehouse.PayLine {
		return gatehouse.PayLine{Code: code, Title: "Line", Minutes: minutes, Rate: rate, Amount: usd(minor)}
	}
	base := Row{Number: "000123", Name: "王小明", Unit: "Night, shift", Date: "2026-11-30", PeriodFrom: "2026-11-01", PeriodTo: "2026-11-30"}
	var out []Row
	for _, l := range []gatehouse.PayLine{line("regular", 9600, 10000, 320000), line("overtime-150", 100, 15000, 5000), line("overtime-200", 480, 20000, 32000), line("night", 60, 12500, 500), line("meals", 0, 0, 7350)} {
		r := base
		r.Line = l
		out = append(out, r)
	}
	second := base
	second.Number, second.Name, second.Line = "000124", "O'Neil \"Bob\"", line("regular", 20, 10000, 667)
	return append(out, second)
}

var table = []Column{{Title: "Number", Field: FieldNumber, Width: 8, Need: true}, {Title: "Name", Field: FieldName, Width: 16}, {Title: "Unit", Field: FieldUnit, Width: 14}, {Title: "Code", Field: FieldCode, Width: 12},
	{Title: "Hours", Field: FieldHours, Width: 8, Right: true}, {Title: "Amount", Field: FieldAmount, Width: 10, Zeros: true}, {Title: "Date", Field: FieldDate, Layout: "02.01.2006", Width: 10}}

func TestCSV(t *testing.T) {
	b, found := Template{Format: CSV, Columns: table, Codes: map[gatehouse.EarningsCode]string{"meals": "MEAL"}}.Write(rows())
	want := "Number,Name,Unit,Code,Hours,Amount,Date\r\n" +
		"000123,王小明,\"Night, shift\",MEAL,0.00,73.50,30.11.2026\r\n" +
		"000123,王小明,\"Night, shift\",night,1.00,5.00,30.11.2026\r\n" +
		"000123,王小明,\"Night, shift\",overtime-150,1.67,50.00,30.11.2026\r\n" +
		"000123,王小明,\"Night, shift\",overtime-200,8.00,320.00,30.11.2026\r\n" +
		"000123,王小明,\"Night, shift\",regular,160.00,3200.00,30.11.2026\r\n" +
		"000124,\"O'Neil \"\"Bob\"\"\",\"Night, shift\",regular,0.33,6.67,30.11.2026\r\n"
	if string(b) != want || len(found) > 0 {
		t.Errorf("%v\n%s", found, b)
	}
	if b, _ = (Template{Format: CSV, Columns: table, Codes: map[gatehouse.EarningsCode]string{"meals": "MEAL"}, BOM: true}).Write(rows()); string(b) != "\xEF\xBB\xBF"+want {
		t.Errorf("with a mark: %q", b[:20])
	}
}

func TestFixedWidth(t *testing.T) {
	list := rows()[3:5]
	list[0].Line.Amount = usd(-500)
	b, found := Template{Format: FixedWidth, Columns: table}.Write(list)
	want := "000123  王小明             Night, shift  meals           0.000000073.5030.11.2026\r\n" +
		"000123  王小明             Night, shift  night           1.00-000005.0030.11.2026\r\n"
	if string(b) != want || len(found) > 0 {
		t.Errorf("%v\n%q\n%q", found, b, want)
	}
	if b, found := (Template{Format: FixedWidth, Columns: []Column{{Title: "Number", Field: FieldNumber, Width: 3}}}).Write(rows()[:1]); b != nil || len(found) != 1 || found[0].String() != "line 1: export.cell: column Number is longer than 3" {
		t.Errorf("%q %v", b, found)
	}
}

func TestXLSXOpens(t *testing.T) {
	b, found := Template{Format: XLSX, Columns: table}.Write(rows())
	if len(found) > 0 {
		t.Fatal(found)
	}
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := f.GetRows("Sheet1")
	if err != nil || len(got) != 7 || got[0][0] != "Number" || got[1][0] != "000123" || got[1][1] != "王小明" || got[5][4] != "160.00" {
		t.Errorf("%v %v", got, err)
	}
	if kind, _ := f.GetCellType("Sheet1", "A2"); kind != excelize.CellTypeSharedString && kind != excelize.CellTypeInlineString {
		t.Errorf("a number that begins with zeros is of type %v", kind)
	}
}

// The same rows in any order give the same bytes, in every format.
func TestExportsAreTheSameByteForByte(t *testing.T) {
	adp := ADP{Company: "AB1", Batch: "NOV", Regular: []gatehouse.EarningsCode{"regular"}, Overtime: []gatehouse.EarningsCode{"overtime-150"},
		Hours: map[gatehouse.EarningsCode]string{"overtime-200": "D", "night": "N"}, Earnings: map[gatehouse.EarningsCode]string{"meals": "M"}}
	paychex := Paychex{Client: "12345678", Components: map[gatehouse.EarningsCode]string{"regular": "Hourly", "overtime-150": "Overtime", "overtime-200": "Double", "night": "Night", "meals": "Meals"}}
	for name, write := range map[string]func([]Row) ([]byte, []Problem){
		"csv": Template{Format: CSV, Columns: table}.Write, "fixed": Template{Format: FixedWidth, Columns: table}.Write, "xlsx": Template{Format: XLSX, Columns: table}.Write, "adp": adp.Write, "paychex": paychex.Write,
	} {
		want, found := write(rows())
		if len(found) > 0 || len(want) == 0 {
			t.Fatalf("%s: %v", name, found)
		}
		r := rand.New(rand.NewPCG(1, 2))
		for range 8 {
			list := rows()
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			if got, _ := write(list); !bytes.Equal(got, want) {
				t.Errorf("%s: other bytes in another order", name)
			}
		}
	}
	got, _ := adp.Write(rows())
	want := "Co Code,Batch ID,File #,Reg Hours,O/T Hours,Hours 3 Code,Hours 3 Amount,Earnings 3 Code,Earnings 3 Amount,Temp Dept,Temp Cost Number\r\n" +
		"AB1,NOV,000123,,1.67,N,1.00,M,73.50,,\r\n" +
		"AB1,NOV,000123,160.00,,D,8.00,,,,\r\n" +
		"AB1,NOV,000124,0.33,,,,,,,\r\n"
	if string(got) != want {
		t.Errorf("ADP:\n%s", got)
	}
	if adp.FileName() != "PRAB1EPI.csv" || (ADP{Company: "AB"}).FileName() != "PRAB_EPI.csv" {
		t.Errorf("ADP's file is called %s", adp.FileName())
	}
	got, _ = paychex.Write(rows()[:1])
	want = "CLIENT ID,WORKER ID,ORG,JOB NUMBER,PAY COMPONENT,RATE,RATE NUMBER,HOURS,UNITS,LINE DATE,AMOUNT,CHECK SEQ NUMBER,OVERRIDE STATE,OVERRIDE LOCAL,OVERRIDE LOCAL JURISDICTION,LABOR ASSIGNMENT\r\n" +
		"12345678,000123,,,Hourly,,,160.00,,11/30/2026,,,,,,\r\n"
	if string(got) != want {
		t.Errorf("Paychex:\n%s", got)
	}
}

// What a spreadsheet would take for a formula is in no file, and numbers below zero are.
func TestNoFormulaIsWritten(t *testing.T) {
	for _, name := range []string{"=1+1", "+1", "-1", "@SUM(A1)", " =1", "\u3000=1", "＝1+1", "＋1", "－1", "＠a", "\ufeff=1", "−1", "=cmd|' /C calc'!A0", "a\tb", "a\r\nb", "a\x00b", "bad\xff"} {
		list := rows()[:1]
		list[0].Name = name
		for _, f := range []Format{CSV, XLSX} {
			if b, found := (Template{Format: f, Columns: table}).Write(list); b != nil || len(found) != 1 || strings.Contains(found[0].Reason, name) {
				t.Errorf("%q in %s: %d bytes, %v", name, f, len(b), found)
			}
		}
	}
	list := rows()[:1]
	list[0].Line.Amount = usd(-5)
	if b, found := (Template{Format: CSV, Columns: table}).Write(list); len(found) > 0 || !bytes.Contains(b, []byte(",-0.05,")) {
		t.Errorf("an amount below zero: %q %v", b, found)
	}
	if _, found := (Template{Format: CSV, Columns: []Column{{Title: "=x", Field: FieldCode}}}).Write(list); len(found) != 1 {
		t.Errorf("a title: %v", found)
	}
}

func TestExportsThatAreRefused(t *testing.T) {
	adp := ADP{Company: "AB1", Batch: "NOV", Regular: []gatehouse.EarningsCode{"regular"}}
	paychex := Paychex{Client: "1", Components: map[gatehouse.EarningsCode]string{"regular": "Hourly"}, Job: true}
	for name, c := range map[string]struct {
		write  func([]Row) ([]byte, []Problem)
		change func(*Row)
	}{
		"adp, a number with letters":     {adp.Write, func(r *Row) { r.Number = "12a" }},
		"adp, a code that is not mapped": {adp.Write, func(r *Row) { r.Line.Code = "night" }},
		"adp, a deduction":               {adp.Write, func(r *Row) { r.Line.Minutes, r.Line.Amount = 0, usd(-1) }},
		"adp, a formula as a department": {adp.Write, func(r *Row) { r.Line.CostCentre = "=A1" }},
		"adp, no company":                {ADP{Batch: "N", Regular: adp.Regular}.Write, func(*Row) {}},
		"paychex, too long a number":     {paychex.Write, func(r *Row) { r.Number = "12345678901" }},
		"paychex, no component":          {paychex.Write, func(r *Row) { r.Line.Code = "night" }},
		"paychex, no date":               {paychex.Write, func(r *Row) { r.Date = "" }},
		"paychex, 1,000 hours":           {paychex.Write, func(r *Row) { r.Line.Minutes = 60000 }},
		"paychex, a job like a formula":  {paychex.Write, func(r *Row) { r.Line.Project = "@job" }},
		"a need that is empty":           {Template{Format: CSV, Columns: table}.Write, func(r *Row) { r.Number = "" }},
		"a template without columns":     {Template{Format: CSV}.Write, func(*Row) {}},
		"a template of no format":        {Template{Columns: table}.Write, func(*Row) {}},
	} {
		list := slices.Clone(rows()[:1])
		c.change(&list[0])
		if b, found := c.write(list); b != nil || len(found) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(b), found)
		}
	}
}

func TestHours(t *testing.T) {
	for minutes, want := range map[int]string{0: "0.00", 1: "0.02", 20: "0.33", 40: "0.67", 59: "0.98", 60: "1.00", 2880: "48.00", -20: "-0.33", 3: "0.05"} {
		if got := Hours(minutes); got != want {
			t.Errorf("%d minutes are %s, want %s", minutes, got, want)
		}
	}
}
