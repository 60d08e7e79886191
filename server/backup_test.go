package server

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/backup"
	"gatehouse/store/object"
	"gatehouse/store/object/objecttest"
	"gatehouse/vault"
)

// withTargets gives the configuration two directories for backups.
func withTargets(t *testing.T) Config {
	t.Helper()
	c := testConfig(t)
	c.Gates[0].RepeatWithin, c.Gates[0].Actuator.Kind = 0, "none"
	c.Backup.Data, c.Backup.Keys = filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "keys")
	return c
}

// bare is the same site's configuration on another machine.
func bare(t *testing.T, c Config) Config {
	t.Helper()
	c.Data, c.GateKey = filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "gate.key")
	return c
}

func backUp(t *testing.T, s *Server) backup.Report {
	t.Helper()
	report, err := s.Backup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func restoreOptions(c Config) RestoreOptions {
	return RestoreOptions{From: c.Backup.Data, Keys: c.Backup.Keys, With: gatehouse.Passphrase([]byte(passphrase)), Progress: func(backup.Progress) {}, Log: slog.New(slog.DiscardHandler)}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Errorf("error %v, want the code %s", err, code)
	}
}

// nameOf opens a subject's name, "" where it cannot be opened.
func nameOf(t *testing.T, s *Server, id gatehouse.SubjectID) string {
	t.Helper()
	names, err := s.lend.Names(t.Context(), "test", []gatehouse.SubjectID{id})
	if err != nil {
		t.Fatal(err)
	}
	return names[id]
}

// A site that is backed up while it works, and lost, comes back on a bare machine: its
// doors know everybody, its archive opens, and whoever was erased since stays erased,
// from an older backup too.
func TestRestoreOntoABareMachine(t *testing.T) {
	for _, kind := range []string{"directory", "s3"} {
		t.Run(kind, func(t *testing.T) {
			c := withTargets(t)
			if kind == "s3" {
				s3 := objecttest.Start(t)
				s3.Bucket(t, "data", false)
				s3.Bucket(t, "keys", true)
				c.Backup.Data, c.Backup.Keys = s3.URL("data", "site-1"), s3.URL("keys", "")
				secret, _ := s3.Secret("")
				t.Setenv("GATEHOUSE_SECRET_S3", secret.Reveal())
			}
			testRestore(t, c)
		})
	}
}

func testRestore(t *testing.T, c Config) {
	photo, frames := actor(t, 9)
	s := open(t, c)
	ana, bob, eve := enrol(t, s, "B-1", "MARK-Ana", photo), enrol(t, s, "B-2", "MARK-Bob", nil), enrol(t, s, "B-3", "MARK-Eve", nil)
	token := addDevice(t, s, "cam")
	team(t, s, bob, eve)
	rules := s.rules.List()
	walked := walk(t, s, "cam", frames)
	for range 20 {
		card(t, s, "cam", "card B-3")
	}

	if _, err := s.books.Desk(t.Context(), "cash", gatehouse.ID{7}, gatehouse.Money{Minor: 450, Currency: "EUR"}, "desk", gatehouse.RandomID()); err != nil {
		t.Fatal(err)
	}

	// A backup while cards are shown: every passage acknowledged before it is in it.
	ctx, stop := context.WithCancel(t.Context())
	var storm sync.WaitGroup
	for range 3 {
		storm.Go(func() {
			for ctx.Err() == nil {
				card(t, s, "cam", "card B-2")
			}
		})
	}
	before, err := s.store.Passages(t.Context(), gatehouse.PassageQuery{Place: s.Place(), Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	first := backUp(t, s)
	stop()
	storm.Wait()
	second := backUp(t, s)
	if second.Objects == 0 || second.Bytes >= first.Bytes+(1<<20) {
		t.Errorf("the second backup added %d objects, %d bytes; the first %d bytes", second.Objects, second.Bytes, first.Bytes)
	}
	// Erased after the first backup, known to the third.
	if _, err := s.vault.Erase(t.Context(), gatehouse.EraseRequest{Place: s.Place(), ID: gatehouse.RandomID(), Subject: eve, Operator: "test"}); err != nil {
		t.Fatal(err)
	}
	third := backUp(t, s)
	reports := []backup.Report{first, third}
	if strings.HasPrefix(c.Backup.Data, "s3:") { // the same again would only take time
		reports = reports[1:]
	} else if checked, err := s.VerifyBackups(t.Context(), gatehouse.Passphrase([]byte(passphrase))); err != nil || !checked.OK || !checked.Restored || checked.Backups != 3 {
		t.Fatalf("%+v, %v", checked, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	o := restoreOptions(c)
	if list, _, err := backup.Manifests(t.Context(), mustOpen(t, c.Backup.Data), vault.VerifyBackup); err != nil || len(list) != 3 {
		t.Fatalf("%d backups, %v", len(list), err)
	}
	for _, want := range reports {
		to := bare(t, c)
		o.At = want.At
		got, err := Restore(t.Context(), to, o)
		if err != nil {
			t.Fatal(err)
		}
		if got.Backup != want.ID || got.Erased == 0 || got.Missing != 0 {
			t.Errorf("restored %+v", got)
		}
		r := open(t, to)
		if err := r.Unseal(t.Context(), []byte(passphrase)); err != nil {
			t.Fatal(err)
		}
		if people, _ := r.working.Count(); people != 2 {
			t.Errorf("the doors know %d people, not 2", people)
		}
		if got := walk(t, r, "cam", frames); len(got) != 1 || got[0].Subject != ana || !got[0].Decision.Grant {
			t.Errorf("the door does not know the face: %+v", got)
		}
		if p := card(t, r, "cam", "card B-2"); p.Subject != bob || !p.Decision.Grant {
			t.Errorf("the door does not know the card: %+v", p.Decision)
		}
		if p := card(t, r, "cam", "card B-3"); p.Decision.Grant {
			t.Error("the door opens for somebody who was erased")
		}
		if _, err := r.admin().VerifyDevice(t.Context(), "cam", token); err != nil {
			t.Errorf("the device's token does not work: %v", err)
		}
		rules.Groups[0].Members = 1 // of two, one was erased
		if diff := cmp.Diff(rules, r.rules.List()); diff != "" || !slices.Equal(r.rules.Members("team", gatehouse.SubjectID{}, 0), []gatehouse.SubjectID{bob}) {
			t.Errorf("the rules are others (-before +restored):\n%s", diff)
		}
		if name := nameOf(t, r, ana); name != "MARK-Ana" {
			t.Errorf("Ana's name opens as %q", name)
		}
		if name := nameOf(t, r, eve); name != "" {
			t.Error("the name of somebody who was erased opens")
		}
		for _, p := range before {
			stored, err := r.store.Passage(t.Context(), r.Place(), p.ID)
			if err != nil {
				t.Fatalf("a passage from before the backup is not in it: %v", err)
			}
			if p.Subject == eve && stored.Passage.Subject == eve {
				t.Error("a passage names somebody who was erased")
			}
		}
		stored, err := r.store.Passage(t.Context(), r.Place(), walked[0].ID)
		if err != nil || len(stored.Evidence) == 0 {
			t.Fatalf("%d pictures, %v", len(stored.Evidence), err)
		}
		for _, e := range stored.Evidence {
			if _, err := r.blobs.Blob(t.Context(), e.Blob); err != nil {
				t.Errorf("a picture is gone: %v", err)
			}
		}
		if paid, err := r.books.PaymentsOf(t.Context(), r.Place(), gatehouse.ID{7}); err != nil || len(paid) != 1 || paid[0].Amount.Minor != 450 || r.books.Check(t.Context()) != nil {
			t.Errorf("the books say %+v, %v", paid, err)
		}
		backUp(t, r) // it goes on being backed up
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		// No server, and no other restore, over it.
		_, err = Restore(t.Context(), to, o)
		if code := gatehouse.ErrorCode(err); code != "restore.newer" {
			t.Errorf("a restore over a site: %v", err)
		}
	}
}

// team makes a group of some, with a rule.
func team(t *testing.T, s *Server, members ...gatehouse.SubjectID) {
	t.Helper()
	admin := s.Admin()
	_, err := admin.PutGroup(t.Context(), wire.GroupRequest{ID: "team", Title: "A team"})
	if err == nil {
		_, err = admin.ChangeMembers(t.Context(), "team", wire.MembersRequest{Add: members})
	}
	if err == nil {
		_, err = admin.PutRule(t.Context(), wire.AccessRule{ID: "team", Group: "team", Gates: []gatehouse.GateID{"*"}, Schedule: "always"})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// filesOf reads every file below the directories.
func filesOf(t *testing.T, dirs ...string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			all[path] = b
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// smallSite is a site with one person, a few passages, and one backup.
func smallSite(t *testing.T) (Config, *Server, gatehouse.SubjectID) {
	t.Helper()
	c := withTargets(t)
	s := open(t, c)
	photo, _ := actor(t, 3)
	id := enrol(t, s, "B-1", "MARK-Ana", photo)
	addDevice(t, s, "cam")
	for range 3 {
		card(t, s, "cam", "card B-1")
	}
	backUp(t, s)
	return c, s, id
}

// Without working.db the site does not start; the vault makes it again.
func TestRebuildWorkingSet(t *testing.T) {
	c, s, id := smallSite(t)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []func(path string) error{os.Remove, func(path string) error { return os.WriteFile(path, make([]byte, 8192), 0o600) }} {
		if err := damage(filepath.Join(c.Data, "db", "working.db")); err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.DiscardHandler)
		// Whatever runs in between begins no new working set over the copies of the old one.
		if s, err := Open(t.Context(), c, Options{Stderr: io.Discard}); err == nil {
			_ = s.Close(t.Context())
			t.Error("the site starts without its working set")
		}
		_, err := RebuildWorkingSet(t.Context(), c, gatehouse.Passphrase([]byte("not this passphrase")), log, func(int) {})
		wantCode(t, err, "vault.passphrase")
		items, err := RebuildWorkingSet(t.Context(), c, gatehouse.Passphrase([]byte(passphrase)), log, func(int) {})
		if err != nil || items < 4 {
			t.Fatalf("%d items, %v", items, err)
		}
		s = open(t, c)
		if p := card(t, s, "cam", "card B-1"); p.Subject != id || !p.Decision.Grant {
			t.Errorf("the door does not know the card: %+v", p.Decision)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBackupConfig(t *testing.T) {
	for i, bad := range []BackupConfig{{Data: "x"}, {Keys: "x"}, {Data: "x", Keys: "x"}, {Every: time.Hour}, {Every: time.Second, Data: "x", Keys: "y"}, {Data: "ftp://x", Keys: "y"}, {Data: "/data/backup", Keys: "/y"}} {
		if bad.check("/data") == nil {
			t.Error(fmt.Sprint(i), "was accepted")
		}
	}
}

func mustOpen(t *testing.T, target string) gatehouse.ObjectTarget {
	t.Helper()
	o, err := object.Open(target, givenSecrets{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// A backup is made when one is due: the first at once.
func TestBackupsAreMadeOnTime(t *testing.T) {
	c := withTargets(t)
	c.Backup.Every = time.Hour
	s := open(t, c)
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, func(string) {}) }()
	for {
		all, _, err := backup.Manifests(ctx, mustOpen(t, c.Backup.Data), vault.VerifyBackup)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) > 0 {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatal("no backup was made")
		case <-time.After(20 * time.Millisecond):
		}
	}
	if at, ok := s.lastBackup(ctx); !ok || time.Since(at) > time.Hour {
		t.Errorf("the last backup is of %v", at)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A backup that was made while passages were committed, and followed by the audit log,
// restores a log that the restored files bear out: whoever verifies it is not told of
// leaves that are missing.
func TestARestoredLogIsBorneOut(t *testing.T) {
	c, s, _ := smallSite(t)
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	busy.Go(func() { s.followAudit(ctx) })
	for range 3 {
		busy.Go(func() {
			for ctx.Err() == nil {
				card(t, s, "cam", "card B-1")
				s.committed() // as the feed says
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	backUp(t, s)
	stop()
	busy.Wait()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	to := bare(t, c)
	if _, err := Restore(t.Context(), to, restoreOptions(c)); err != nil {
		t.Fatal(err)
	}
	r, err := VerifyAudit(t.Context(), to, VerifyOptions{Deep: true})
	if err != nil || !r.OK || r.Passages == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
