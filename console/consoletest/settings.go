package consoletest

import (
	"context"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/console"
)

// settled is console.Settings over a few options.
type settled struct{ s *Site }

func (t settled) Options(context.Context) ([]console.Option, error) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if t.s.Options == nil {
		t.s.Options = []console.Option{{Name: "organization", Value: "acme", From: "file", Means: "The tenant."}, {Name: "listen", Value: "0.0.0.0:8443", From: "environment", Means: "Where the console and API are served."},
			{Name: "alarms.mail.host", Value: "mail.example", From: "file", Means: "A mail server."}, {Name: "alarms.mail.to", Value: "2", Hidden: true, From: "file", Means: "Plain addresses."},
			{Name: "alarms.webhook.url", Hidden: true, From: "default", Means: "A receiver of webhooks."},
			{Name: "retention.passage_days", Value: "90", From: "file", Means: "What a passage said and its pictures.", Changeable: true}, {Name: "retention.frame_days", Value: "3", From: "console", Means: "Whole frames, 1 to 7.", Changeable: true},
			{Name: "log_level", Value: "info", From: "default", Means: "Logs never hold names, plates or pictures.", Changeable: true, Choices: []string{"debug", "info", "warn", "error"}}}
	}
	return slices.Clone(t.s.Options), t.s.broken
}

func (t settled) Change(_ context.Context, _ console.Who, name, value string) error {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	for i, o := range t.s.Options {
		switch {
		case o.Name != name:
		case !o.Changeable:
			return gatehouse.Errorf("setting.fixed", "", "this cannot be changed here")
		case value == "9999":
			return gatehouse.Errorf("setting.value", "", "this cannot be its value")
		case value == "":
			t.s.Options[i].From = "file"
			return nil
		default:
			t.s.Options[i].Value, t.s.Options[i].From = value, "console"
			return nil
		}
	}
	return gatehouse.Errorf("setting.fixed", "", "there is no such option")
}

func (t settled) Safes(context.Context) (console.Safes, error) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	now := t.s.now()
	s := console.Safes{Custody: "key_file_on_the_same_disk", Keys: []console.VaultKey{{Name: "9f3a1c", Created: now.AddDate(-1, 0, 0), Current: true, Slots: []console.KeySlot{{Kind: "passphrase", Created: now.AddDate(-1, 0, 0)}, {Kind: "pkcs11", Label: "safe in the office", Created: now.AddDate(0, -2, 0)}}}},
		Secrets: []console.SecretState{{Name: "smtp", For: "mail", Set: now.AddDate(0, -1, 0)}, {Name: "s3", For: "storage"}},
		TLS:     console.TLSState{Certificates: "local", Names: []string{"gates.example"}, Until: now.AddDate(0, 3, 0), Authority: "12:34:56:78", Address: "https://gates.example:8443"},
		Backup:  console.BackupState{Configured: true, Reachable: true, Data: "s3://s3.example/gates", Keys: "/mnt/keys", Every: 24 * time.Hour, Last: now.Add(-9 * time.Hour)}}
	if s.Backup.Job = (console.Job{Running: t.s.BackingUp, Stage: "pictures", Done: 812, Total: 2400}); !t.s.BackingUp {
		s.Backup.Made = &console.BackupMade{At: now.Add(-9 * time.Hour), Objects: 41, Bytes: 9 << 20, Pictures: 390}
	}
	return s, t.s.broken
}

func (t settled) set(running bool) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.s.BackingUp = running
}

func (t settled) Backup(context.Context, console.Who) error { t.set(true); return nil }
func (t settled) StopBackup()                               { t.set(false) }
