package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/console"
)

// A backup is made from the console, and its page says what it did; what an administrator
// changes counts in the vault, too.
func TestABackupFromTheConsole(t *testing.T) {
	c := testConfig(t)
	c.Backup.Data, c.Backup.Keys = filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "keys")
	for _, dir := range []string{c.Backup.Data, c.Backup.Keys} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c.Alarms.Mail.Host, c.Alarms.Mail.User, c.Alarms.Mail.From, c.Alarms.Mail.To = "mail.example", "gate", "gate@example.org", []string{"a@example.org"}
	s := open(t, c)
	running(t, s)
	p, me := settingsPages{s}, console.Who{Operator: "0123456789abcdef0123456789abcdef", Role: gatehouse.Administrator}
	if err := s.Admin().SetSecret(t.Context(), "unused", "opensesame"); err != nil {
		t.Fatal(err)
	}
	safes, err := p.Safes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if safes.Custody == "unknown" || len(safes.Keys) != 1 || !safes.Keys[0].Current || len(safes.Keys[0].Slots) != 1 || safes.Keys[0].Slots[0].Kind != "passphrase" || !strings.HasPrefix(safes.TLS.Address, "http://localhost:") {
		t.Errorf("%+v", safes)
	}
	if len(safes.Secrets) != 2 || safes.Secrets[0].Name != "smtp" || !safes.Secrets[0].Set.IsZero() || safes.Secrets[1].Name != "unused" || safes.Secrets[1].Set.IsZero() {
		t.Errorf("secrets: %+v", safes.Secrets)
	}
	if !safes.Backup.Reachable || !safes.Backup.Last.IsZero() {
		t.Errorf("before: %+v", safes.Backup)
	}
	if err := p.Backup(t.Context(), me); err != nil {
		t.Fatal(err)
	}
	j := ended(t, func() console.Job { b, _ := p.backupState(t.Context()); return b.Job })
	b, err := p.backupState(t.Context())
	if err != nil || j.Err != nil || b.Made == nil || b.Made.Objects == 0 || b.Last.IsZero() {
		t.Errorf("made: %+v, %+v, %v", j, b, err)
	}
	if err := p.Change(t.Context(), me, "retention.passage_days", "20"); err != nil {
		t.Fatal(err)
	}
	r, err := pages{s}.Retention(t.Context())
	if err != nil || r.Kinds[0].Days != 20 {
		t.Errorf("the privacy officer sees %+v, %v", r.Kinds, err)
	}
}
