package main

import (
	"context"
	"encoding/csv"
	"errors"
	"os"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// AccountPeopleCmd makes accounts of many employees, for their own pages.
type AccountPeopleCmd struct {
	File  string `arg:"" help:"CSV with the columns login and person (- for standard input). A login is a label and nobody's name; a person is a badge label or an id."`
	Out   string `required:"" help:"The file to write the invitations to: login, person, link and until when it works. Its mode is 0600, and one that is there is not overwritten. Remove it when they are handed out." placeholder:"FILE" type:"path"`
	Comma string `help:"What separates columns." placeholder:"CHAR"`
	Again bool   `help:"Invite those again who have not signed in yet."`
}

// Run makes them, one row after the other. An invitation is in the file as soon as it is
// made, so that what goes wrong later loses none; accounts that are there are left as they
// are, so that the file may be taken again.
func (cmd AccountPeopleCmd) Run(ctx context.Context, out *Out) error {
	rows, err := table(out, cmd.File, cmd.Comma, "login", "person")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(cmd.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return gatehouse.Errorf("file.unwritable", "choose another name", "the file cannot be written: %w", err)
	}
	w := csv.NewWriter(f)
	write := func(record ...string) error {
		err := w.Write(record)
		if w.Flush(); err == nil {
			err = w.Error()
		}
		return err
	}
	made, left := 0, 0
	err = errors.Join(write("login", "person", "link", "until"), out.withAdmin(ctx, func(a api.Admin) error {
		for _, x := range rows {
			got, err := cmd.invite(ctx, a, x.cells["login"], x.cells["person"])
			if err == nil && got.Link == "" {
				left++
				continue
			}
			if err == nil {
				err = write(x.cells["login"], x.cells["person"], got.Link, got.Until.UTC().Format(time.RFC3339))
			}
			if err != nil {
				return gatehouse.Errorf("table.row", "put it right, and take the file again with another --out", "line %d: %w; the %d invitations before it are in %s", x.line, err, made, cmd.Out)
			}
			made++
		}
		return nil
	}))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	out.Say("%d invitations are in %s; %d accounts were there", made, cmd.Out, left)
	return nil
}

// invite makes an account and says whose it is; no link where it is there already.
func (cmd AccountPeopleCmd) invite(ctx context.Context, a api.Admin, login, person string) (wire.InviteResponse, error) {
	id, err := personID(ctx, a, person)
	if err != nil {
		return wire.InviteResponse{}, err
	}
	got, err := a.AddAccount(ctx, wire.AccountAddRequest{Login: login, Roles: []string{string(gatehouse.Employee)}})
	if gatehouse.ErrorCode(err) == "account.exists" {
		if !cmd.Again {
			return wire.InviteResponse{}, nil
		}
		all, err := a.Accounts(ctx)
		for _, one := range all.Accounts {
			if err == nil && one.Login == login && one.State == gatehouse.Invited {
				return a.InviteAccount(ctx, login)
			}
		}
		return wire.InviteResponse{}, err
	}
	if err == nil {
		if _, err = a.SetAccountPerson(ctx, login, wire.AccountPersonRequest{Person: id.String()}); err != nil {
			err = errors.Join(err, a.RemoveAccount(ctx, login)) // or the next time it would be there, and nobody's
		}
	}
	return got, err
}
