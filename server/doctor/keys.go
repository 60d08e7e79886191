package doctor

import (
	"context"
	"time"

	"gatehouse/vault"
)

// How old things may get.
const (
	verifiedWithin = 30 * 24 * time.Hour
	retainedWithin = 3 * time.Hour // it runs hourly
	fewLeaves      = 1000
)

func (d *doctor) keys(context.Context) {
	if d.live == nil {
		custody, err := vault.ParseGateSource(d.config.GateKey).Exists(d.config.Data)
		d.judge("gate key", err == nil && custody, Warn, "plug in the token or medium that holds it", "the gate key %s", said(err == nil && custody, "is where gatehouse.yml says", "is not where gatehouse.yml says"))
		d.notRunning("vault", "slots", "shares", "rotation", "backup age", "backup check", "witness", "unfinished", "audit log", "retention")
		return
	}
	h, now := d.health, d.o.Now()
	d.judge("gate key", d.status.Custody != "key file on the same disk", Warn, "put it on other media, or into a token, TPM or systemd credential (docs/keys.md)", "%s: %s", d.status.Custody, d.status.CustodyMeans)
	switch {
	case h.Vault.Canary:
		d.add("vault", Fail, "see `gatehouse canary`: two people lift it", "a canary was opened, and the vault is shut")
	case !h.Vault.Up && !d.status.Vault.Elsewhere:
		d.add("vault", Fail, "see the server's log", "the vault process does not answer")
	case !h.Vault.Up || d.status.Vault.Away != "":
		d.add("vault", Fail, "check the vault's machine and the network", "the vault's machine does not answer; %d chains wait for it", h.Vault.Waiting)
	default:
		d.add("vault", OK, "", "the vault process answers; it is %s", said(h.Vault.Unsealed, "unsealed", "sealed"))
	}
	if d.config.Vault.Elsewhere() {
		d.add("slots", Skipped, "", "the vault's keys are on another machine")
	} else {
		d.judge("slots", h.Vault.Slots > 1, Warn, "run `gatehouse keys add-slot`: whoever alone knows the passphrase can lose everything", "ways that open the vault key: %d", h.Vault.Slots)
		d.judge("shares", h.Vault.Shares, Warn, "run `gatehouse keys split` and give the shares to several people", "shares for the recovery of the vault key were %s", said(h.Vault.Shares, "made", "never made, as far as the log's newest entries say"))
		d.judge("rotation", h.Vault.Retired == 0, Warn, "if none is under way, finish it with `gatehouse keys rotate vault`", "older vault keys that still have rows: %d", h.Vault.Retired)
	}
	d.backup(now)
	reached := 0
	for _, w := range h.Audit.Witnesses {
		if now.Sub(w.Reached) < 3*d.config.Audit.WitnessEvery+time.Minute {
			reached++
		}
	}
	d.judge("witness", reached == len(h.Audit.Witnesses), Fail, "see the server's log, and the witness's medium or machine", "%d of %d witnesses took the log lately", reached, len(h.Audit.Witnesses))
	d.judge("unfinished", h.Unfinished == 0, Warn, "wait, and start the server again if it stays: it finishes what was interrupted", "enrolments, erasures and rotations that are not finished: %d", h.Unfinished)
	d.judge("audit log", h.Audit.Lag < fewLeaves, Fail, "see the server's log: the vault process takes the entries", "entries that wait to get into the audit log: %d", h.Audit.Lag)
	ran := !h.Retained.IsZero() && now.Sub(h.Retained) < retainedWithin || now.Sub(h.Started) < retainedWithin
	d.judge("retention", ran, Fail, "see the server's log; it needs the vault process", "retention %s", said(!h.Retained.IsZero(), "ran last at "+h.Retained.Local().Format(time.DateTime), "did not run since the start"))
}

func (d *doctor) backup(now time.Time) {
	b := d.health.Backup
	switch {
	case !b.Configured:
		d.add("backup age", Warn, "set backup.data and backup.keys (docs/backup.md)", "there are no backups")
		d.add("backup check", Skipped, "", "there are no backups")
		return
	case !b.Reachable:
		d.add("backup age", Fail, "check the target and its secret", "the backups' target cannot be read")
	case b.Last.IsZero():
		d.add("backup age", Fail, "run `gatehouse backup now`, or see the server's log", "no backup was made yet")
	default:
		limit := max(2*d.config.Backup.Every, time.Hour)
		if d.config.Backup.Every == 0 {
			limit = 7 * 24 * time.Hour
		}
		d.judge("backup age", now.Sub(b.Last) < limit, Fail, "see the server's log", "the newest backup is %s old", now.Sub(b.Last).Round(time.Minute))
	}
	d.judge("backup check", !b.Verified.IsZero() && now.Sub(b.Verified) < verifiedWithin, Warn, "run `gatehouse backup verify`", "backups were %s", said(b.Verified.IsZero(), "not checked since the start", "checked at "+b.Verified.Local().Format(time.DateTime)))
}
