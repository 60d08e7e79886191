package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/follow"
)

// siteChild is the argument with which the test binary is a whole site that will be
// killed: it enrols a few people and shows their cards, and strangers' cards, for
// ever, and prints each passage that it was told is committed.
const siteChild = "__site"

// openToBeKilled opens a new site of the configuration on standard input, with a card
// reader at its door.
func openToBeKilled(ctx context.Context) (*Server, error) {
	var c Config
	if err := json.NewDecoder(os.Stdin).Decode(&c); err != nil {
		return nil, err
	}
	s, err := Open(ctx, c, Options{NewPassphrase: []byte(passphrase), Stderr: io.Discard})
	if err != nil {
		return nil, err
	}
	_, err = s.Admin().AddDevice(ctx, wire.DeviceAddRequest{ID: "reader", Kind: gatehouse.Reader, Gate: "front-door"})
	return s, err
}

func runSite(ctx context.Context) error {
	s, err := openToBeKilled(ctx)
	if err != nil {
		return err
	}
	admin := s.Admin()
	go s.followAudit(ctx)
	go s.followHours(ctx)
	for n := 0; ; n++ {
		number := gatehouse.Secret(fmt.Sprintf("card %d", rand.IntN(8)))
		if n%5 == 0 { // enrolments are killed in the middle as well
			_, err := admin.EnrollPerson(ctx, wire.EnrollPersonRequest{Label: "B", Card: number.Reveal(), Record: gatehouse.PersonRecord{Name: "Ana"},
				Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}})
			if err != nil && gatehouse.ErrorCode(err) != "enroll.credential" {
				return err
			}
		}
		got, err := s.Post(ctx, gatehouse.Capture{Device: "reader", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: number})
		if err != nil {
			return err
		}
		for _, p := range got {
			if _, err := fmt.Println(p.ID); err != nil {
				return err
			}
		}
	}
}

// A whole site is killed again and again: every passage that it said was committed
// is there afterwards, can be opened with the vault's passphrase, and the site
// starts by itself each time. GATEHOUSE_FAULT_ROUNDS sets how often.
func TestKillingTheSiteLosesNoPassage(t *testing.T) {
	rounds := 4
	if n, err := strconv.Atoi(os.Getenv("GATEHOUSE_FAULT_ROUNDS")); err == nil {
		rounds = n
	}
	c := testConfig(t)
	c.Gates[0].RepeatWithin, c.Gates[0].Actuator.Kind = 0, "none"
	c.Attendance.Gates = []string{"front-door"}
	input := filepath.Join(t.TempDir(), "config.json")
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(input, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var acknowledged []gatehouse.ID
	for range rounds {
		acknowledged = append(acknowledged, killOnce(t, input)...)
	}
	s := open(t, c)
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	unlimited(t, s)
	for _, id := range acknowledged {
		stored, err := s.store.Passage(t.Context(), s.Place(), id)
		if err != nil {
			t.Fatalf("an acknowledged passage is gone: %v", err)
		}
		if _, detail, err := s.lend.Detail(t.Context(), "test", stored); err != nil || detail == nil {
			t.Fatalf("what an acknowledged passage says cannot be opened: %v", err)
		}
	}
	eachPassageIsAPunch(t, s)
	// Enrolments are whole or not there: whoever has a badge has a record.
	page, err := s.Admin().Subjects(t.Context(), gatehouse.SubjectID{}, 200)
	if err != nil {
		t.Fatal(err)
	}
	people, _ := s.working.Count()
	if left, err := s.store.Intents(t.Context()); err != nil || len(left) != 0 || people != len(page.Subjects) {
		t.Errorf("%d badges for %d records, %d unfinished enrolments, %v", people, len(page.Subjects), len(left), err)
	}
	// The audit log has every leaf of the gate once, in order, and is signed to its end.
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, c, VerifyOptions{}); !r.OK || r.GateLeaves == 0 || r.Passages < int64(len(acknowledged)) {
		t.Errorf("the audit log after the kills: %+v", r)
	} else {
		t.Logf("the audit log has %d of the gate's leaves, %d more are there", r.GateLeaves, r.Pending)
	}
	t.Logf("%d rounds, %d acknowledged passages, %d people", rounds, len(acknowledged), people)
	if len(acknowledged) < rounds {
		t.Errorf("only %d passages were acknowledged: the kills came too early to prove anything", len(acknowledged))
	}
}

// eachPassageIsAPunch holds hours against passages: one punch for each that was granted to
// somebody who is enrolled, and no other, while the vault is sealed too.
func eachPassageIsAPunch(t *testing.T, s *Server) {
	t.Helper()
	if _, err := follow.CatchUp(t.Context(), s.store, s.hours); err != nil {
		t.Fatal(err)
	}
	want := map[gatehouse.ID]gatehouse.SubjectID{}
	for before := (gatehouse.ID{}); ; {
		page, err := s.store.Passages(t.Context(), gatehouse.PassageQuery{Place: s.Place(), Before: before, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page {
			if p.Decision.Grant && p.Known {
				want[p.ID] = p.Subject
			}
		}
		if len(page) < 1000 {
			break
		}
		before = page[len(page)-1].ID
	}
	got := 0
	err := s.store.EachPunch(t.Context(), s.Place(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour), func(p gatehouse.Punch) error {
		if got++; want[p.ID] != p.Subject {
			t.Errorf("a punch is of no passage")
		}
		return nil
	})
	if err != nil || got != len(want) || got == 0 {
		t.Errorf("%d punches of %d passages, %v", got, len(want), err)
	}
	t.Logf("%d passages are %d punches", len(want), got)
}

// killOnce runs the site until some passages are acknowledged and kills it.
func killOnce(t *testing.T, input string) (acknowledged []gatehouse.ID) {
	t.Helper()
	return killOne(t, siteChild, input, 1)
}

// killOne runs the child until some time after so many passages are acknowledged.
func killOne(t *testing.T, child, input string, after int) (acknowledged []gatehouse.ID) {
	t.Helper()
	cmd := exec.Command(os.Args[0], child)
	in, err := os.Open(input)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var kill *time.Timer
	for lines.Scan() {
		id, err := gatehouse.ParseID(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		acknowledged = append(acknowledged, id)
		if kill == nil && len(acknowledged) >= after {
			kill = time.AfterFunc(time.Duration(rand.IntN(400))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
	}
	if kill == nil {
		t.Error("the site ended before it was killed")
	}
	_ = cmd.Wait()
	return acknowledged
}

// What a killed process had begun to write, keys among it, goes at the next start; what
// another program writes beside the gate key stays.
func TestUnfinishedFilesGo(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(c.GateKey)
	keys := filepath.Dir(c.GateKey)
	goes := []string{filepath.Join(keys, ".new-"+name+"-1"), filepath.Join(keys, ".new-"+name+".next-2"), filepath.Join(c.Data, "vault", ".new-vault.key-3"),
		filepath.Join(c.Data, "db", ".new-site.db.key-4"), filepath.Join(c.Data, ".new-5")}
	stays := []string{filepath.Join(keys, ".new-other.key-1"), filepath.Join(keys, "new")}
	for _, path := range append(goes, stays...) {
		if err := os.WriteFile(path, []byte("half a key"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, c)
	for _, path := range goes {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is there still", path)
		}
	}
	for _, path := range stays {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("somebody else's file: %v", err)
		}
	}
}
