package server

import (
	"context"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// checkOperator is in whose name the vault is opened for a check.
const checkOperator = "keys check"

// maxDamaged bounds what is listed.
const maxDamaged = 1000

// CheckKeys implements api.KeysAdmin.
func (a admin) CheckKeys(ctx context.Context, r wire.KeysCheckRequest) (_ wire.KeysCheck, err error) {
	if with := r.With.Credential(); !with.IsZero() {
		if a.isRunning() {
			return wire.KeysCheck{}, gatehouse.Errorf("keys.running", "run `gatehouse unseal` first, and check without a credential", "a server runs here, and its vault is unsealed by that command only")
		}
		if _, _, err := a.vault.UnsealWith(ctx, checkOperator, with, time.Hour); err != nil {
			return wire.KeysCheck{}, err
		}
		defer func() { err = errors.Join(err, a.vault.SealVault(context.WithoutCancel(ctx))) }()
	}
	out := wire.KeysCheck{Opened: true, Damaged: []wire.DamagedKey{}}
	subjects, days := map[gatehouse.SubjectID]bool{}, map[string]bool{}
	for after := int64(0); ; {
		c, err := a.vault.CheckKeyStore(ctx, after)
		if err != nil {
			return out, err
		}
		out.Rows, out.Readable, out.Opened = out.Rows+c.Rows, out.Readable+c.Rows, out.Opened && c.Opened
		if after == 0 {
			out.Pages = c.Pages
		}
		for _, d := range c.Damaged {
			out.Readable -= d.Last - d.First + 1
			if !d.Subject.IsZero() {
				subjects[d.Subject] = true
			} else if d.Day != "" {
				days[d.Day] = true
			}
			if len(out.Damaged) < maxDamaged {
				out.Damaged = append(out.Damaged, wire.DamagedKey(d))
			}
		}
		if after = c.Next; after == 0 {
			break
		}
	}
	out.Subjects, out.Days = len(subjects), len(days)
	out.OK = out.Pages == "" && out.Readable == out.Rows
	return out, nil
}
