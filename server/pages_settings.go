package server

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/backup"
)

// choices are the values that an option may have, where they are few.
var choices = map[string][]string{"log_level": {"debug", "info", "warn", "error"}}

// settingsPages implements console.Settings.
type settingsPages struct{ *Server }

// Options implements console.Settings.
func (p settingsPages) Options(context.Context) ([]console.Option, error) {
	var out []console.Option
	for _, o := range p.Server.Options() {
		_, may := changeable[o.Name]
		out = append(out, console.Option{Name: o.Name, Value: o.Value, Hidden: o.Hidden, From: o.From, Means: o.Means, Changeable: may, Choices: choices[o.Name]})
	}
	return out, nil
}

// Change implements console.Settings.
func (p settingsPages) Change(ctx context.Context, who console.Who, name, value string) error {
	if err := p.ChangeSetting(ctx, who.Operator, name, value); err != nil {
		return err
	}
	if strings.HasPrefix(name, "retention.") {
		return p.setRetention(ctx)
	}
	return nil
}

// Safes implements console.Settings.
func (p settingsPages) Safes(ctx context.Context) (out console.Safes, err error) {
	a := p.admin()
	keys, err := a.KeysStatus(ctx)
	if out.Elsewhere = p.config.Vault.Elsewhere(); err != nil && !out.Elsewhere {
		return out, err
	}
	out.Custody = custodyName(keys.GateCustody)
	for _, k := range keys.Keys {
		one := console.VaultKey{Name: k.Name, Created: k.Created, Retired: k.Retired, Current: k.Name == keys.Current}
		for _, s := range k.Slots {
			one.Slots = append(one.Slots, console.KeySlot{Kind: string(s.Kind), Label: s.Label, Created: s.Created})
		}
		out.Keys = append(out.Keys, one)
	}
	out.Secrets = p.asked()
	p.mu.Lock()
	t := p.transport
	p.mu.Unlock()
	out.TLS = console.TLSState{Certificates: p.config.TLS.Certificates, Names: p.config.TLS.Names}
	if t != nil {
		out.TLS.Address, out.TLS.Until = t.base, t.until()
		if t.local != nil {
			out.TLS.Authority = t.local.Fingerprint()
		}
	}
	out.Backup, err = p.backupState(ctx)
	return out, err
}

// custodyName is the custody of the gate key as a word.
func custodyName(custody string) string {
	name := strings.ReplaceAll(custody, " ", "_")
	switch name {
	case "key_file", "key_file_on_the_same_disk", "systemd_credential", "pkcs11", "tpm":
		return name
	}
	return "unknown"
}

// asked are the secrets that the configuration asks for, and those that are there besides.
func (p settingsPages) asked() (all []console.SecretState) {
	set := map[string]time.Time{}
	for _, n := range p.working.SecretNames() {
		set[n.Name] = n.Set
	}
	add := func(name, what string) {
		s := console.SecretState{Name: name, For: what, Set: set[name]}
		if _, given := (givenSecrets{}).Secret(name); given && s.Set.IsZero() {
			s.Set = p.started
		}
		delete(set, name)
		all = append(all, s)
	}
	c := p.config
	if c.Alarms.Mail.User != "" {
		add("smtp", "mail")
	}
	if c.Alarms.Webhook.URL != "" {
		add("webhook", "webhook")
	}
	if c.SignIn.OIDC.Issuer != "" && c.SignIn.OIDC.Secret != "" {
		add(c.SignIn.OIDC.Secret, "oidc")
	}
	if strings.HasPrefix(c.Backup.Data, "s3://") || strings.HasPrefix(c.Backup.Keys, "s3://") {
		add("s3", "storage")
	}
	for _, n := range p.working.SecretNames() {
		if _, left := set[n.Name]; left {
			add(n.Name, "other")
		}
	}
	return all
}

func (p settingsPages) backupState(ctx context.Context) (out console.BackupState, err error) {
	b := p.config.Backup
	out = console.BackupState{Configured: b.Data != "", Data: withoutCredentials(b.Data), Keys: withoutCredentials(b.Keys), Every: p.current().BackupEvery}
	if out.Configured {
		out.Last, err = p.newestBackup(ctx)
		out.Reachable = err == nil
	}
	p.noted.mu.Lock()
	out.Verified = p.noted.verified
	p.noted.mu.Unlock()
	state, made := p.Server.console.backup.now()
	if out.Job = state; made != nil {
		out.Made = &console.BackupMade{At: made.At, Objects: made.Objects, Bytes: made.Bytes, Pictures: made.Pictures, Took: time.Duration(made.Seconds * float64(time.Second))}
	}
	if running, yes := p.backups.now(); yes && out.Job.Running {
		out.Job.Stage, out.Job.Done, out.Job.Total = running.Stage, running.Done, running.Total
	}
	return out, nil
}

// Backup implements console.Settings.
func (p settingsPages) Backup(context.Context, console.Who) error {
	if p.config.Backup.Data == "" {
		return gatehouse.Errorf("backup.targets", "set `backup` in gatehouse.yml", "there is no target for backups")
	}
	return p.Server.console.backup.start(p.Server, "targets", func(ctx context.Context, _ func(string, int64, int64)) (backup.Report, error) {
		r, err := p.Server.Backup(ctx)
		p.noted.listing.Lock()
		p.noted.listed = time.Time{} // the newest is another one now
		p.noted.listing.Unlock()
		return r, err
	})
}

// StopBackup implements console.Settings.
func (p settingsPages) StopBackup() { p.Server.console.backup.stop() }
