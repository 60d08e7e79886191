package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/backup"
)

// backupChild is the argument with which the test binary is a site that is backed up
// again and again while cards are shown, or, where it is told a place to restore to, a
// restore. It prints what it has been told is done, and is killed.
const backupChild = "__backup"

type backupOrder struct {
	Site    Config
	Restore *Config // nil: back up
}

func runBackups(ctx context.Context) error {
	var order backupOrder
	if err := json.NewDecoder(os.Stdin).Decode(&order); err != nil {
		return err
	}
	if order.Restore != nil {
		o := restoreOptions(order.Site)
		o.Progress = func(p backup.Progress) { fmt.Println("stage", p.Stage) }
		_, err := Restore(ctx, *order.Restore, o)
		return err
	}
	s, err := Open(ctx, order.Site, Options{Stderr: io.Discard})
	if err != nil {
		return err
	}
	go func() {
		for n := 0; ; n++ {
			got, err := s.Post(ctx, gatehouse.Capture{Device: "cam", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: "card B-1"})
			if err != nil {
				continue
			}
			for _, p := range got {
				fmt.Println("passage", p.ID)
			}
		}
	}()
	for {
		fmt.Println("begin -")
		r, err := s.Backup(ctx)
		if err != nil {
			return err
		}
		fmt.Println("backup", r.ID)
	}
}

// child runs the order, calls heard with every line, and kills it when heard says so.
func killed(t *testing.T, order backupOrder, heard func(word, rest string) (kill bool)) (ended bool) {
	t.Helper()
	b, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], backupChild)
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(b)), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		if heard(word, rest) && !kill {
			kill = true
			_ = cmd.Process.Kill()
		}
	}
	return cmd.Wait() == nil
}

// kill -9 at any moment of a backup: every backup that was said to be complete is, and
// none is half there. Then kill -9 at every stage of a restore: it goes on, and what
// comes out holds every passage from before the backup.
func TestKillingBackupsAndRestores(t *testing.T) {
	rounds := 4
	if n, err := strconv.Atoi(os.Getenv("GATEHOUSE_FAULT_ROUNDS")); err == nil {
		rounds = n
	}
	c, s, id := smallSite(t)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var passages, covered []string // acknowledged; of these, before the last complete backup began
	complete := map[string]bool{}
	for range rounds {
		var began int
		var after <-chan time.Time
		killed(t, backupOrder{Site: c}, func(word, rest string) bool {
			switch word {
			case "passage":
				passages = append(passages, rest)
			case "begin":
				began = len(passages)
			case "backup":
				complete[rest] = true
				covered = passages[:began]
				after = time.After(time.Duration(rand.IntN(300)) * time.Millisecond)
			}
			select {
			case <-after:
				return true
			default:
				return false
			}
		})
	}
	s = open(t, c)
	checked, err := s.VerifyBackups(t.Context(), gatehouse.Credential{})
	if err != nil || !checked.OK {
		t.Fatalf("after the kills: %+v, %v", checked, err)
	}
	list, err := s.Admin().Backups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, b := range list.Backups {
		if complete[b.ID.String()] {
			found++
		}
		if !b.Keys {
			t.Errorf("backup %s has no keys", b.ID)
		}
	}
	if found != len(complete) || found == 0 {
		t.Errorf("%d of %d complete backups are there", found, len(complete))
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	to := bare(t, c)
	order := backupOrder{Site: c, Restore: &to}
	seen := map[string]bool{}
	kills := 0
	for round := 0; ; round++ {
		if round > rounds+30 {
			t.Fatal("the restore does not get on")
		}
		ended := killed(t, order, func(word, stage string) bool {
			fresh := !seen[stage]
			seen[stage] = true
			if word != "stage" || !fresh || kills >= rounds {
				return false
			}
			kills++
			return true
		})
		if !ended {
			half, err := Open(t.Context(), to, Options{Stderr: io.Discard})
			if gatehouse.ErrorCode(err) == "restore.unfinished" {
				continue
			}
			if err != nil {
				t.Fatalf("a server over half a restore: %v", err)
			}
			if err := half.Close(t.Context()); err != nil { // it had ended when it was killed
				t.Fatal(err)
			}
		}
		if kills >= min(rounds, 5) {
			break
		}
		to = bare(t, c) // the kills came too late, as they do on a busy machine: once more
		order.Restore, seen = &to, map[string]bool{}
	}
	if kills < min(rounds, 5) {
		t.Errorf("the restore was killed at %d stages only", kills)
	}
	r := open(t, to)
	if p := card(t, r, "cam", "card B-1"); p.Subject != id || !p.Decision.Grant {
		t.Errorf("the door does not know the card: %+v", p.Decision)
	}
	for _, text := range covered {
		id, err := gatehouse.ParseID(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.store.Passage(t.Context(), r.Place(), id); err != nil {
			t.Fatalf("a passage from before the backup is not restored: %v", err)
		}
	}
	t.Logf("%d passages, %d backups, %d kills of the restore", len(covered), len(complete), kills)
}

// A full target is one clear sentence, and no backup; with space again it goes on.
func TestAFullTarget(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system needs root")
	}
	c := withTargets(t)
	s := open(t, c)
	photo, _ := actor(t, 3)
	enrol(t, s, "B-1", "Ana", photo)
	for _, target := range []string{c.Backup.Keys, c.Backup.Data} {
		if err := os.MkdirAll(target, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", target, "tmpfs", 0, "size=40k"); err != nil {
			t.Skip("no small file system can be mounted here:", err)
		}
		defer func() { _ = syscall.Unmount(target, syscall.MNT_DETACH) }()
		_, err := s.Backup(t.Context())
		wantCode(t, err, "backup.target_full")
		if all, _, err := backup.Manifests(t.Context(), mustOpen(t, c.Backup.Data), func(_, _, _ []byte) bool { return true }); err != nil || len(all) != 0 {
			t.Errorf("%d backups at a full target, %v", len(all), err)
		}
		if err := syscall.Mount("tmpfs", target, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
			t.Fatal(err)
		}
	}
	backUp(t, s)
	if checked, err := s.VerifyBackups(t.Context(), gatehouse.Credential{}); err != nil || !checked.OK {
		t.Errorf("%+v, %v", checked, err)
	}
}

// A clock that was set back makes no backup the newest that is not.
func TestAnEarlierClock(t *testing.T) {
	c, s, _ := smallSite(t)
	f, err := s.backupFlow()
	if err != nil {
		t.Fatal(err)
	}
	f.Now = func() time.Time { return time.Now().AddDate(-1, 0, 0) }
	late, err := f.Run(t.Context(), func(backup.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := backup.Manifests(t.Context(), mustOpen(t, c.Backup.Data), func(_, _, _ []byte) bool { return true })
	if err != nil || len(all) != 2 || all[1].ID != late.ID || !all[1].At.After(all[0].At) {
		t.Errorf("%+v, %v", all, err)
	}
}

// Another site's target is refused, and nothing is added to it.
func TestAnotherSitesTarget(t *testing.T) {
	c, _, _ := smallSite(t)
	before := len(filesOf(t, c.Backup.Data, c.Backup.Keys))
	other := testConfig(t)
	other.Backup = c.Backup
	s := open(t, other)
	_, err := s.Backup(t.Context())
	wantCode(t, err, "backup.other_site")
	if after := len(filesOf(t, c.Backup.Data, c.Backup.Keys)); after != before {
		t.Errorf("%d files were added", after-before)
	}
}

// Expired bundles are dropped by whoever may, and no others.
func TestPruneBundles(t *testing.T) {
	c, _, _ := smallSite(t)
	for _, step := range []struct {
		after time.Duration
		drops int
	}{{0, 0}, {15 * 24 * time.Hour, 0}, {31 * 24 * time.Hour, 1}, {31 * 24 * time.Hour, 0}} {
		dropped, _, err := PruneBundles(t.Context(), c.Backup.Keys, time.Now().Add(step.after))
		if err != nil || len(dropped) != step.drops {
			t.Errorf("after %v: %v were dropped, %v", step.after, dropped, err)
		}
	}
	o := restoreOptions(c)
	o.Log = slog.New(slog.DiscardHandler)
	_, err := Restore(t.Context(), bare(t, c), o)
	wantCode(t, err, "restore.bundle_missing")
}
