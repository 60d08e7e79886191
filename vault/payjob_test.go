package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault/approval"
	"gatehouse/vault/budget"

	"filippo.io/age"
)

// testPayroll pays a minute with the rate, and nobody whose rate is 13.
type testPayroll struct{}

func (testPayroll) Slip(_ gatehouse.PayJob, p gatehouse.PaidHours, terms []gatehouse.PayTerms) (gatehouse.Payslip, error) {
	t := terms[len(terms)-1]
	if t.Rate.Amount.Minor == 13 {
		return gatehouse.Payslip{}, gatehouse.Errorf("pay.formula", "", "nobody is paid thirteen")
	}
	return gatehouse.Payslip{Number: t.Number, Rate: t.Rate, Pay: gatehouse.Pay{Gross: gatehouse.Money{Minor: t.Rate.Amount.Minor * int64(p.Days), Currency: "EUR"}}}, nil
}

func (testPayroll) CheckForm(f gatehouse.PayForm) error {
	if f.Format != "csv" {
		return gatehouse.Errorf("export.template", "", "no form")
	}
	return nil
}

func (testPayroll) File(f gatehouse.PayForm, slips []gatehouse.PayRow) ([]byte, error) {
	var b bytes.Buffer
	for _, s := range slips {
		if s.Name == "=" {
			return nil, gatehouse.Errorf("export.cell", "", "a formula")
		}
		fmt.Fprintf(&b, "%s %s %d\n", s.Number, s.Name, s.Gross.Minor)
	}
	return b.Bytes(), nil
}

// job is one with the terms of as many people as there are rates.
func (in *installation) job(t testing.TB, rates ...int64) (gatehouse.PayJob, [][]byte) {
	t.Helper()
	job := gatehouse.PayJob{Place: place, Run: gatehouse.RandomID(), From: "2026-11-01", Until: "2026-11-30"}
	var sealed [][]byte
	for i, rate := range rates {
		p := gatehouse.PaidHours{Subject: gatehouse.RandomID(), Terms: []gatehouse.PaidTerms{{ID: gatehouse.NewID(time.Now()), From: job.From, Until: job.Until}}, Slip: gatehouse.NewID(time.Now()), Days: 20}
		text, err := json.Marshal(gatehouse.PayTerms{Number: fmt.Sprintf("%04d", i), Rate: gatehouse.PayRate{Amount: gatehouse.Money{Minor: rate, Currency: "EUR"}, Per: 1}})
		must(t, err)
		b, err := in.vault.Seal(t.Context(), p.Subject, gatehouse.PayClass, gatehouse.PayTermsContext(place, p.Terms[0].ID), text, gatehouse.PadRecord)
		must(t, err)
		job.People, sealed = append(job.People, p), append(sealed, b)
	}
	return job, sealed
}

// A run gives payslips that only the vault opens, of a length that says nothing; it is in
// the log, and costs a unit for whoever it names.
func TestPay(t *testing.T) {
	in := install(t)
	job, sealed := in.job(t, 1, 13, 999_999_999_999)
	_, _, err := in.vault.Pay(t.Context(), operator, "hr", "run", []byte("no proof"), job, sealed)
	wantCode(t, err, "vault.sealed")
	proof := in.unseal(t)
	slips, problems, err := in.vault.Pay(t.Context(), operator, "hr", "run", proof, job, sealed)
	must(t, err)
	if problems[0] != "" || problems[1] != "pay.formula" || problems[2] != "" || len(slips[1]) != 0 || len(slips[0]) != len(slips[2]) || bytes.Contains(slips[0], []byte("EUR")) {
		t.Fatalf("%q, %d, %d and %d bytes", problems, len(slips[0]), len(slips[1]), len(slips[2]))
	}
	ref := func(i int) gatehouse.SealedRef {
		return gatehouse.SealedRef{Where: gatehouse.PayslipContext(place, job.People[i].Slip), Sealed: slips[i]}
	}
	elsewhere := ref(0)
	elsewhere.Where.Row = job.People[2].Slip
	plain := in.opened(t, ref(0), ref(2), elsewhere)
	var slip gatehouse.Payslip
	if err := json.Unmarshal(plain[1], &slip); err != nil || slip.Gross.Minor != 20*999_999_999_999 || slip.Subject != job.People[2].Subject || len(plain[0]) != len(plain[1]) || plain[2] != nil {
		t.Errorf("%s, %v; under another id %q", bytes.TrimSpace(plain[1]), err, plain[2])
	}
	list, err := in.vault.Disclosures(t.Context(), gatehouse.ID{}, 10)
	must(t, err)
	if d := list[1]; d.Purpose != "pay" || d.Units != payCost+1 || len(d.Items) != 3 || d.Items[0] != "pay_terms/"+job.People[0].Terms[0].ID.String()+"/terms" {
		t.Errorf("the log says %+v", list[1])
	}

	// Erasing somebody makes noise of their payslip and leaves the others'.
	_, err = in.vault.Erase(t.Context(), eraseOf(job.People[0].Subject))
	must(t, err)
	if plain = in.opened(t, ref(0), ref(2)); plain[0] != nil || plain[1] == nil {
		t.Errorf("after the erasure: %q and %q", plain[0], plain[1])
	}
	// A run that comes late seals nothing that could be read.
	slips, problems, err = in.vault.Pay(t.Context(), operator, "hr", "run", proof, job, sealed)
	must(t, err)
	if problems[0] != "wages.terms" || len(slips[0]) != 0 {
		t.Errorf("an erased person's terms: %q", problems[0])
	}
}

// Whoever asks for pay again and again, by formulas that only some rates satisfy, learns no
// more than the budget gives.
func TestPayIsBudgeted(t *testing.T) {
	in := install(t)
	proof := in.unseal(t)
	job, sealed := in.job(t, 13, 13, 13)
	in.limit(t, budget.Limits{Operator: budget.Limit{Hour: 7, Day: 7}, Role: plenty.Role, Organization: plenty.Organization, Live: plenty.Live})
	_, _, err := in.vault.Pay(t.Context(), operator, "hr", "run", proof, job, sealed)
	must(t, err)
	slips, problems, err := in.vault.Pay(t.Context(), operator, "hr", "run", proof, job, sealed)
	if wantCode(t, err, "vault.budget"); len(slips) > 0 || len(problems) > 0 {
		t.Errorf("beyond the budget: %q", problems)
	}
}

// A release with a form is one file, made in the vault process; with one cell that cannot be
// written there is none.
func TestReleaseOfPayslips(t *testing.T) {
	b := newBulk(t, 0)
	in := b.installation
	in.limit(t, plenty)
	proof := in.unseal(t)
	job, sealed := in.job(t, 2, 3)
	slips, _, err := in.vault.Pay(t.Context(), operator, "hr", "run", proof, job, sealed)
	must(t, err)
	name := func(i int, text string) gatehouse.SealedRef {
		where := gatehouse.SealContext{Place: place, Table: "subjects", Row: job.People[i].Subject, Field: "name"}
		s, err := in.vault.Seal(t.Context(), job.People[i].Subject, gatehouse.RecordClass, where, []byte(text), gatehouse.PadField)
		must(t, err)
		return gatehouse.SealedRef{Where: where, Sealed: s}
	}
	for i := range job.People {
		b.add(gatehouse.SealedRef{Where: gatehouse.PayslipContext(place, job.People[i].Slip), Sealed: slips[i]})
	}
	b.add(name(1, "Ben"))
	ask := func(form *gatehouse.PayForm) (gatehouse.ID, error) {
		id, body := b.body(t, func(r *gatehouse.ReleaseRequest) { r.Form = form })
		_, err := in.vault.RequestRelease(t.Context(), body, b.signed(t, "ana-1", approval.RequestRelease, id, body))
		if err == nil {
			_, err = in.vault.ApproveRelease(t.Context(), id, "ben-2", b.signed(t, "ben-2", approval.ApproveRelease, id, body))
		}
		return id, err
	}
	take := func(id gatehouse.ID) (string, error) {
		var file bytes.Buffer
		if _, err := in.vault.WriteRelease(t.Context(), id, false, operator, proof, b.sealed, &file); err != nil {
			return "", err
		}
		if bytes.Contains(file.Bytes(), []byte("Ben")) {
			t.Error("the file is not encrypted")
		}
		plain, err := age.Decrypt(&file, b.identity)
		must(t, err)
		all, err := io.ReadAll(plain)
		return string(all), err
	}
	_, err = ask(&gatehouse.PayForm{Format: "pdf"})
	wantCode(t, err, "export.template")
	id, err := ask(&gatehouse.PayForm{Format: "csv"})
	must(t, err)
	if got, err := take(id); err != nil || got != "0000  40\n0001 Ben 60\n" {
		t.Errorf("the file is %q, %v", got, err)
	}
	b.add(name(0, "="))
	id, err = ask(&gatehouse.PayForm{Format: "csv"})
	must(t, err)
	if got, err := take(id); gatehouse.ErrorCode(err) != "export.cell" || got != "" {
		t.Errorf("a file with a formula: %q, %v", got, err)
	}
	b.add(gatehouse.SealedRef{Where: gatehouse.SealContext{Place: place, Table: "subjects", Row: job.People[0].Subject, Field: "record"}, Sealed: sealed[0]})
	if _, err = ask(&gatehouse.PayForm{Format: "csv"}); gatehouse.ErrorCode(err) != "release.items" {
		t.Errorf("a record in a payroll file: %v", errors.Unwrap(err))
	}
}

// BenchmarkPay is the pay of as many people as one disclosure has, from their sealed terms
// to their sealed payslips.
func BenchmarkPay(b *testing.B) {
	in := install(b)
	proof := in.unseal(b)
	job, sealed := in.job(b, make([]int64, gatehouse.MaxPayJob)...)
	for b.Loop() {
		if _, _, err := in.vault.Pay(b.Context(), operator, "hr", "run", proof, job, sealed); err != nil {
			b.Fatal(err)
		}
	}
}
