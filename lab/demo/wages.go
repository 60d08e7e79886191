package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/wages"
	"gatehouse/server"
	"gatehouse/vault/approval"

	"filippo.io/age"
)

// office is the payroll office: files are encrypted to its key, which lies with the demo's
// others, and it opens them into a folder.
type office struct {
	folder, keys string
	key          *age.X25519Identity
}

func newOffice(k Keys) (office, error) {
	o := office{folder: k.Payroll, keys: filepath.Dir(k.PassphraseFile)}
	var err error
	if o.key, err = age.GenerateX25519Identity(); err != nil {
		return o, err
	}
	return o, errors.Join(os.MkdirAll(o.folder, 0o700), os.WriteFile(filepath.Join(o.keys, "payroll.agekey"), []byte(o.key.String()+"\n"), 0o600))
}

// open keeps an encrypted file, and what is in it beside it.
func (o office) open(sealed []byte, name, plainName string) error {
	r, err := age.Decrypt(bytes.NewReader(sealed), o.key)
	if err != nil {
		return err
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(o.folder, name), sealed, 0o600), os.WriteFile(filepath.Join(o.folder, plainName), plain, 0o600))
}

// exportHours has two people export the closed week's hours.
func (o office) exportHours(ctx context.Context, s *server.Server, from, until gatehouse.Date) error {
	e, err := s.Hours().AskExport(ctx, clerk, from, until, gatehouse.PayXLSX, []string{o.key.Recipient().String()})
	if err == nil {
		_, err = s.Hours().ApproveExport(ctx, foreman, e.ID)
	}
	if err != nil {
		return err
	}
	file, err := s.Admin().PayExportFile(ctx, e.ID)
	if err != nil {
		return err
	}
	return o.open(file.Sealed, file.Name, "hours.xlsx")
}

// yuan are whole ones.
func yuan(n int64) gatehouse.Money { return gatehouse.Money{Minor: n * 100, Currency: "CNY"} }

// hourly are terms of so many yuan an hour.
func hourly(n int64) gatehouse.PayTerms {
	return gatehouse.PayTerms{Rate: gatehouse.PayRate{Amount: yuan(n), Per: 60}}
}

// setPay says how hours are paid, and by what each of the team is.
func setPay(ctx context.Context, s *server.Server, team []*person, from, raised gatehouse.Date) error {
	h := s.Hours()
	err := h.PutEarnings(ctx, planner, 0, []gatehouse.Earning{
		{Code: gatehouse.Regular, Title: "Regular hours", Kind: gatehouse.PaidByTime},
		{Code: "overtime-150", Title: "Overtime 150 %", Kind: gatehouse.PaidByTime},
		{Code: "overtime-200", Title: "Rest days 200 %", Kind: gatehouse.PaidByTime},
		{Code: "overtime-300", Title: "Holidays 300 %", Kind: gatehouse.PaidByTime},
		{Code: "leave", Title: "Annual leave", Kind: gatehouse.PaidByTime},
		{Code: "meals", Title: "Meals", Kind: gatehouse.Allowance, Formula: "meal * days"},
		{Code: "canteen", Title: "Canteen", Kind: gatehouse.Deduction, Formula: "min(60, gross * 2 / 100)"}})
	if err == nil {
		err = h.PutFigures(ctx, planner, 0, map[string]gatehouse.Money{"meal": yuan(15)})
	}
	for i, p := range team {
		if err == nil {
			_, err = s.Wages().SetTerms(ctx, wages.Actor{Account: clerk.Account}, p.id, from, hourly(42+3*int64(i)))
		}
	}
	if err == nil { // one of them is paid more from the week's Thursday on
		_, err = s.Wages().SetTerms(ctx, wages.Actor{Account: clerk.Account}, team[1].id, raised, hourly(48))
	}
	return err
}

// pay has the closed week reckoned, as two people agreed, and a file of its payslips made,
// which two operators sign for.
func (o office) pay(ctx context.Context, s *server.Server, passphrase []byte, from, until gatehouse.Date) error {
	run, err := s.Wages().Ask(ctx, wages.Actor{Account: clerk.Account}, from, until)
	if err == nil {
		_, err = s.Wages().Approve(ctx, wages.Actor{Account: foreman.Account}, run.ID)
	}
	if err == nil {
		_, err = s.Admin().ReckonPay(ctx, run.ID)
	}
	if err != nil {
		return err
	}
	first, err := o.operator(ctx, s, passphrase, "payroll-1")
	if err != nil {
		return err
	}
	second, err := o.operator(ctx, s, passphrase, "payroll-2")
	if err != nil {
		return err
	}
	plan, err := s.Admin().PlanPayFile(ctx, wire.PayFilePlan{Run: run.ID, Names: true})
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	q := gatehouse.ReleaseRequest{Place: gatehouse.Place{Org: plan.Org, Site: plan.Site}, ID: gatehouse.NewID(now), Salt: make([]byte, gatehouse.ReleaseSalt), At: now, Operator: first.Name, Purpose: "payroll",
		Reason: "the week's pay", Items: plan.Items, Recipients: []string{o.key.Recipient().String()}, Form: &gatehouse.PayForm{Format: "xlsx"}}
	_, _ = rand.Read(q.Salt) // never fails since Go 1.24
	body, err := json.Marshal(q)
	if err != nil {
		return err
	}
	signed, err := first.Sign(first.own, approval.RequestRelease, plan.Vault, q.ID, body)
	if err == nil {
		_, err = s.Admin().RequestRelease(ctx, wire.ReleaseRequest{Body: body, Signature: signed})
	}
	if err == nil {
		signed, err = second.Sign(second.own, approval.ApproveRelease, plan.Vault, q.ID, body)
	}
	if err == nil {
		_, err = s.Admin().ApproveRelease(ctx, wire.SignedRequest{ID: q.ID, Operator: second.Name, Signature: signed})
	}
	var file bytes.Buffer
	if err == nil {
		err = s.Admin().WriteRelease(ctx, q.ID, false, &file)
	}
	if err != nil {
		return err
	}
	return o.open(file.Bytes(), "pay-"+string(from)+"-"+string(until)+".xlsx.age", "pay.xlsx")
}

// signer is an operator whose passphrase the demo knows.
type signer struct {
	approval.Operator
	own []byte
}

// operator registers one, whose passphrase lies with the demo's keys.
func (o office) operator(ctx context.Context, s *server.Server, passphrase []byte, name string) (signer, error) {
	own := newPassphrase()
	if err := os.WriteFile(filepath.Join(o.keys, name+".passphrase"), []byte(own+"\n"), 0o600); err != nil {
		return signer{}, err
	}
	one, err := approval.New(name, []byte(own), approval.DefaultWork)
	if err == nil {
		_, err = s.Admin().AddOperator(ctx, wire.OperatorRequest{With: wire.Shown(gatehouse.Passphrase(passphrase)), Operator: wire.Operator{Name: one.Name, Salt: one.Salt, Work: one.Work, Public: one.Public}})
	}
	return signer{one, []byte(own)}, err
}

// seen acknowledges what the demo itself raised before it opened: that it has two operators.
// It is told of them a moment later, in the background.
func seen(ctx context.Context, s *server.Server) {
	opened := time.Now()
	for range 20 {
		list, err := s.Admin().Alarms(ctx, gatehouse.ID{}, true)
		if err != nil {
			return
		}
		for _, a := range list.Alarms {
			if a.Kind == gatehouse.OperatorAlarm && a.At.Before(opened) {
				_ = s.Admin().AcknowledgeAlarm(ctx, a.ID)
			}
		}
		pause(ctx, 500*time.Millisecond)
	}
}
