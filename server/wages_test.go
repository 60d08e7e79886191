package server

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
	"gatehouse/flow/timesheet"
	"gatehouse/flow/wages"
	"gatehouse/vault/approval"

	"filippo.io/age"
)

// Pay from the rate to the payroll program's file: nothing of it is readable on the disk or
// without the vault, two people agree to a run and to a file, the person reads their own
// payslip, and erasing them makes noise of all of it.
func TestPayOfASite(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	ctx, admin := t.Context(), s.Admin()
	anna, ben, cleo := enrol(t, s, "B-1", "Anna Nowak", nil), enrol(t, s, "B-2", "Ben Nowak", nil), enrol(t, s, "B-3", "Cleo Nowak", nil)
	rows := wire.PunchImportRequest{Layout: time.RFC3339, In: "in", Out: "out"}
	for i, at := range []string{"2026-01-05T08:00:00Z in", "2026-01-05T16:00:00Z out"} {
		when, way, _ := strings.Cut(at, " ")
		for k, label := range []string{"B-1", "B-2", "B-3"} {
			rows.Rows = append(rows.Rows, wire.PunchRow{Line: 3*i + k + 2, Person: label, At: when, Direction: way})
		}
	}
	for i, at := range []string{"2026-01-06T08:00:00Z in", "2026-01-06T12:00:00Z out"} { // Ben, the day after, elsewhere
		when, way, _ := strings.Cut(at, " ")
		rows.Rows = append(rows.Rows, wire.PunchRow{Line: 8 + i, Person: "B-2", At: when, Direction: way, Site: "depot"})
	}
	must(t, second(admin.ImportPunches(ctx, rows)))
	must(t, second(admin.PutPlan(ctx, wire.PlanRequest{Earnings: []wire.Earning{{Code: "regular", Title: "Regular hours", Kind: gatehouse.PaidByTime}, {Code: "meals", Title: "Meals", Kind: gatehouse.Allowance, Formula: "meal * days"}}})))
	must(t, second(admin.PutPlan(ctx, wire.PlanRequest{Figures: &map[string]wire.Money{"meal": {Minor: 400, Currency: "EUR"}}})))
	if err := second(admin.PutPlan(ctx, wire.PlanRequest{Figures: &map[string]wire.Money{"gross": {Minor: 1, Currency: "EUR"}}})); gatehouse.ErrorCode(err) != "pay.figures" {
		t.Errorf("a figure took a formula's own name: %v", err)
	}
	terms := func(number string, cents int64) wire.PayTermsRequest {
		return wire.PayTermsRequest{From: "2026-01-01", Terms: wire.PayTerms{Number: number, Rate: wire.Money{Minor: cents, Currency: "EUR"}, Per: 60}}
	}
	// The number has a letter: one of digits alone stands now and then in an id's hexadecimal.
	set, err := admin.SetPayTerms(ctx, anna, terms("70Q001", 987654))
	must(t, err)
	must(t, second(admin.SetPayTerms(ctx, ben, terms("", 1600))))
	raised := terms("", 2000)
	raised.From = "2026-01-06"
	must(t, second(admin.SetPayTerms(ctx, ben, raised)))
	if err := second(admin.SetPayTerms(ctx, ben, terms("x", -1))); gatehouse.ErrorCode(err) != "pay.rate" {
		t.Errorf("a rate below zero: %v", err)
	}
	boss := wages.Actor{Account: gatehouse.RandomID(), Person: cleo, Operator: "boss", Role: gatehouse.HR}
	if _, err := s.wages.SetTerms(ctx, boss, cleo, "2026-01-01", termsOf(terms("", 999999).Terms)); gatehouse.ErrorCode(err) != "wages.own" {
		t.Errorf("somebody set what they are paid: %v", err)
	}
	period := wire.PeriodRequest{From: "2026-01-05", Until: "2026-01-11"}
	if err := second(admin.AskPay(ctx, period)); gatehouse.ErrorCode(err) != "period.unknown" {
		t.Errorf("pay of a period that is open: %v", err)
	}
	must(t, second(admin.ClosePeriod(ctx, period)))
	run, err := admin.AskPay(ctx, period)
	must(t, err)
	if err := second(admin.ApprovePay(ctx, run.ID)); gatehouse.ErrorCode(err) != "wages.two_people" {
		t.Errorf("one person approved their own run: %v", err)
	}
	if err := second(admin.ReckonPay(ctx, run.ID)); gatehouse.ErrorCode(err) != "wages.two_people" {
		t.Errorf("a run that nobody approved: %v", err)
	}
	must(t, second(s.wages.Approve(ctx, boss, run.ID)))
	if err := second(admin.ReckonPay(ctx, run.ID)); gatehouse.ErrorCode(err) != "vault.sealed" {
		t.Errorf("while the vault is sealed: %v", err)
	}
	must(t, s.Unseal(ctx, []byte(passphrase)))
	run, err = admin.ReckonPay(ctx, run.ID)
	must(t, err)
	if run.State != gatehouse.PayDone || run.People != 2 || run.Problems != 1 {
		t.Fatalf("the run: %+v", run)
	}
	if bad, err := admin.PayProblems(ctx, run.ID); err != nil || len(bad.Payslips) != 1 || bad.Payslips[0].Label != "B-3" || bad.Payslips[0].Problem != "wages.terms" {
		t.Errorf("whoever has no terms: %+v, %v", bad, err)
	}
	if err := second(admin.ReckonPay(ctx, run.ID)); gatehouse.ErrorCode(err) != "wages.done" {
		t.Errorf("a run that is done, again: %v", err)
	}

	// Eight hours at 9,876.54 and a meal; read by the clerk with a reason, and by nobody else's account.
	pay, err := admin.PersonPay(ctx, anna)
	must(t, err)
	if len(pay.Terms) != 1 || len(pay.Payslips) != 1 {
		t.Fatalf("%+v", pay)
	}
	if err := second(admin.OpenPayslip(ctx, anna, pay.Payslips[0].ID, "")); gatehouse.ErrorCode(err) != "vault.reason" {
		t.Errorf("without a reason: %v", err)
	}
	slip, err := admin.OpenPayslip(ctx, anna, pay.Payslips[0].ID, "a question of hers")
	must(t, err)
	if slip.Gross.Minor != 8*987654+400 || slip.Number != "70Q001" || len(slip.Lines) != 2 || slip.Lines[0].Title != "Regular hours" {
		t.Errorf("the payslip: %+v", slip)
	}
	if err := second(admin.OpenPayslip(ctx, ben, pay.Payslips[0].ID, "a mistake")); gatehouse.ErrorCode(err) != "wages.no_slip" {
		t.Errorf("somebody else's payslip: %v", err)
	}
	if got, err := admin.OpenPayTerms(ctx, anna, set.ID, "a question of hers"); err != nil || got.Rate.Minor != 987654 || got.Number != "70Q001" {
		t.Errorf("the terms: %+v, %v", got, err)
	}
	log, err := s.vault.Disclosures(ctx, gatehouse.ID{}, 20)
	must(t, err)
	said := map[string]int{}
	for _, d := range log {
		said[d.Purpose] += len(d.Items)
	}
	if said["pay"] != 3 || said["person"] != 2 {
		t.Errorf("the disclosure log says %v", said)
	}

	// The page and the PDF of it, as whose it is reads them.
	account := timesheet.Actor{Account: gatehouse.RandomID(), Person: anna}
	mine := console.Who{Operator: "site/anna", Role: gatehouse.Employee}
	must(t, second((pages{s}).Payslip(ctx, mine, account, anna, pay.Payslips[0].ID, "")))
	account.Person = ben
	if err := second((pages{s}).Payslip(ctx, mine, account, anna, pay.Payslips[0].ID, "")); gatehouse.ErrorCode(err) != "wages.no_slip" {
		t.Errorf("a colleague read it: %v", err)
	}
	pdf, err := (pages{s}).PayslipPDF("zh", func(string) console.PaySheet {
		return console.PaySheet{Title: "Payslip", Facts: [][2]string{{"Rate", "12.00 EUR"}}, Lines: []console.PaySheetLine{{Title: "Regular hours", Time: "8:00", Rate: "100 %", Amount: "96.00"}}, Sums: [][2]string{{"Paid out", "96.00 EUR"}}}
	})
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) || len(pdf) < 1000 {
		t.Errorf("a PDF of %d bytes, %v", len(pdf), err)
	}

	all := staff(t, admin, gatehouse.Passphrase([]byte(passphrase)))
	for _, format := range []struct{ name, body, want string }{
		{"csv", "", "70Q001,Anna Nowak,2026-01-05,2026-01-11,regular,8.00,100.00,79012.32,EUR,main,,\r\nB-2,Ben Nowak,2026-01-05,2026-01-05,regular,8.00,100.00,128.00,EUR,main,,\r\n"},
		{"csv", "", "B-2,Ben Nowak,2026-01-06,2026-01-11,regular,4.00,100.00,80.00,EUR,depot,,\r\n"},
		{"fixed", `{"columns":[{"title":"n","field":"number","width":8},{"title":"a","field":"amount","width":12,"zeros":true}]}`, "70Q001  000079012.32\r\n"},
		{"paychex", `{"client":"12345678","components":{"regular":"Hourly","meals":"Meals"}}`, "12345678,70Q001,,,Hourly,,,8.00,,01/11/2026,,,,,,\r\n"},
	} {
		first, again := payrollFile(t, s, all, run.ID, format.name, format.body), payrollFile(t, s, all, run.ID, format.name, format.body)
		if format.name == "paychex" {
			// B-2 has a hyphen, which Paychex's Worker ID does not take: no file is made.
			if first != "export.cell" {
				t.Errorf("paychex took a worker's number with a hyphen: %q", first)
			}
			continue
		}
		if !strings.Contains(first, format.want) || first != again {
			t.Errorf("%s, the same twice %t, want a line %q:\n%s", format.name, first == again, format.want, first)
		}
	}

	// What is held of her has it too, and who looked; her timesheet is a look, once.
	for range 3 {
		must(t, second(admin.Timesheet(ctx, anna, "2026-01-05", "2026-01-11", false)))
	}
	held, err := (pages{s}).Held(ctx, console.Who{Operator: "site/privacy", Role: gatehouse.PrivacyOfficer}, anna, "she asked")
	must(t, err)
	if len(held.Punches) != 2 || len(held.PaidBy) != 1 || !bytes.Contains(held.PaidBy[0].Terms, []byte("987654")) || len(held.Payslips) != 1 || !bytes.Contains(held.Payslips[0].Slip, []byte("7901632")) {
		t.Errorf("held of hours and pay: %+v, %s", held.Punches, held.PaidBy)
	}
	looks, err := (pages{s}).Looks(ctx, anna)
	must(t, err)
	hours, run1 := 0, 0
	what := map[string]int{}
	for _, l := range looks {
		for _, k := range l.What {
			what[k]++
		}
		if l.Purpose == "pay" {
			run1++
		}
		if l.Purpose == "person" && l.Role == "" {
			hours++
		}
	}
	if run1 != 1 || hours != 3 || len(looks) < 7 || what["hours"] != 1 || what["payslip"] < 3 || what["terms"] < 2 || what["name"] < 1 || what["other"] > 0 {
		t.Errorf("who looked: %+v", looks)
	}

	must(t, second(admin.Erase(ctx, wire.EraseRequest{Subject: anna, Reason: "asked for it"})))
	if traces, err := s.store.SubjectTraces(ctx, s.Place(), anna); err != nil || traces != (gatehouse.SubjectTraces{}) {
		t.Errorf("after the erasure: %+v, %v", traces, err)
	}
	if gone := payrollFile(t, s, all, run.ID, "csv", ""); strings.Contains(gone, "70Q001") || !strings.Contains(gone, "B-2,Ben Nowak") {
		t.Errorf("after the erasure:\n%s", gone)
	}
	must(t, s.Close(ctx))
	everyByte(t, c, func(path string, b []byte) {
		for _, no := range []string{"70Q001", "987654", "79012", "7901632"} {
			if bytes.Contains(b, []byte(no)) {
				t.Errorf("%s holds %s in clear", path, no)
			}
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func second[A any](_ A, err error) error { return err }

// payrollFile asks for a run's file, has it approved and reads it; it gives the code of
// what went wrong in its place.
func payrollFile(t *testing.T, s *Server, all map[string]approval.Operator, run gatehouse.ID, format, body string) string {
	t.Helper()
	ctx, admin := t.Context(), s.Admin()
	key, err := age.GenerateX25519Identity()
	must(t, err)
	plan, err := admin.PlanPayFile(ctx, wire.PayFilePlan{Run: run, Names: true})
	must(t, err)
	now := time.Now().UTC()
	q := gatehouse.ReleaseRequest{Place: s.Place(), ID: gatehouse.NewID(now), Salt: make([]byte, gatehouse.ReleaseSalt), At: now, Operator: "ana-1", Purpose: "payroll", Reason: "this month's pay", Items: plan.Items,
		Recipients: []string{key.Recipient().String()}, Form: &gatehouse.PayForm{Format: format, Body: []byte(body)}}
	_, _ = rand.Read(q.Salt)
	text, err := json.Marshal(q)
	must(t, err)
	must(t, second(admin.RequestRelease(ctx, wire.ReleaseRequest{Body: text, Signature: sign(t, all["ana-1"], approval.RequestRelease, plan.Vault, q.ID, text)})))
	must(t, second(admin.ApproveRelease(ctx, wire.SignedRequest{ID: q.ID, Operator: "ben-2", Signature: sign(t, all["ben-2"], approval.ApproveRelease, plan.Vault, q.ID, text)})))
	var file bytes.Buffer
	if err := admin.WriteRelease(ctx, q.ID, false, &file); err != nil {
		return gatehouse.ErrorCode(err)
	}
	r, err := age.Decrypt(&file, key)
	must(t, err)
	plain, err := io.ReadAll(r)
	must(t, err)
	return string(plain)
}
