package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// rotateToTheEnd replaces the gate key as the command does.
func rotateToTheEnd(ctx context.Context, s *Server) error {
	for {
		p, err := s.Admin().RotateGateKey(ctx)
		if err != nil || p.Finished {
			return err
		}
	}
}

// The gate key is replaced under a site that enrols people and lets them in; everybody
// is let in afterwards too, also after a restart, and the old key opens nothing.
func TestRotatingTheGateKey(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin, c.Gates[0].Actuator.Kind = 0, "none"
	s := open(t, c)
	addDevice(t, s, "terminal")
	enrol(t, s, "0", "Ana", nil)
	old, err := os.ReadFile(c.GateKey)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() { // the doors do not stop
		for {
			select {
			case <-stop:
				return
			default:
			}
			got, err := s.Post(t.Context(), gatehouse.Capture{Device: "terminal", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: "card 0"})
			if err != nil || len(got) != 1 || !got[0].Decision.Grant {
				t.Errorf("while the key was replaced: %+v, %v", got, err)
				return
			}
		}
	})
	for n := 1; n <= 6; n++ { // nor do enrolments
		wg.Go(func() { enrol(t, s, strconv.Itoa(n), "Ben", nil) })
		if n%2 == 0 {
			if err := rotateToTheEnd(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(stop)
	wg.Wait()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	for n := range 7 {
		if p := card(t, s, "terminal", gatehouse.Secret("card "+strconv.Itoa(n))); !p.Decision.Grant {
			t.Errorf("card %d after the rotations: %+v", n, p.Decision)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(c.GateKey); err != nil || bytes.Equal(now, old) {
		t.Errorf("the gate key is the old one: %v", err)
	}
	if err := os.WriteFile(c.GateKey, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), c, Options{Stderr: io.Discard}); gatehouse.ErrorCode(err) != "gatekey.wrong" {
		t.Errorf("with the old key: %v", err)
	}
}

// rotatingChild is the argument with which the test binary is a site that enrols, lets
// in and replaces its gate key again and again until it is killed. It prints what it
// was told is done: "person CARD", "passage ID", "rotated".
const rotatingChild = "__rotating"

func runRotating(ctx context.Context) error {
	s, err := openToBeKilled(ctx)
	if err != nil {
		return err
	}
	admin := s.Admin()
	failed := make(chan error, 2)
	go func() {
		for {
			if err := rotateToTheEnd(ctx, s); err != nil {
				failed <- err
				return
			}
			fmt.Println("rotated")
		}
	}()
	go func() {
		for {
			number := gatehouse.Secret(strconv.FormatUint(rand.Uint64(), 36))
			_, err := admin.EnrollPerson(ctx, wire.EnrollPersonRequest{Label: "B", Card: number.Reveal(), Record: gatehouse.PersonRecord{Name: "Ana"},
				Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}})
			if err != nil {
				failed <- err
				return
			}
			fmt.Println("person", number.Reveal())
			got, err := s.Post(ctx, gatehouse.Capture{Device: "reader", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: number})
			if err != nil || len(got) != 1 || !got[0].Decision.Grant {
				failed <- fmt.Errorf("a card that was just enrolled does not open: %w", err)
				return
			}
			fmt.Println("passage", got[0].ID)
		}
	}()
	return <-failed
}

// A site is killed again and again while its gate key is replaced: it starts by itself
// each time, and everybody who was enrolled is let in, and every passage opens.
// GATEHOUSE_FAULT_ROUNDS sets how often.
func TestKillingARotationLosesNothing(t *testing.T) {
	rounds := 4
	if n, err := strconv.Atoi(os.Getenv("GATEHOUSE_FAULT_ROUNDS")); err == nil {
		rounds = n
	}
	c := testConfig(t)
	c.Gates[0].RepeatWithin, c.Gates[0].Actuator.Kind = 0, "none"
	input := filepath.Join(t.TempDir(), "config.json")
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(input, b, 0o600); err != nil {
		t.Fatal(err)
	}
	said := map[string][]string{}
	interrupted := 0
	for range rounds {
		killRotating(t, input, said)
		if _, err := os.Stat(c.GateKey + ".next"); err == nil {
			interrupted++
		}
	}
	s := open(t, c)
	if err := rotateToTheEnd(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if s.gateKey.Rotating() {
		t.Error("a rotation is still under way")
	}
	for _, number := range said["person"] {
		if p := card(t, s, "reader", gatehouse.Secret(number)); !p.Decision.Grant {
			t.Fatalf("somebody who was enrolled is not let in: %+v", p.Decision)
		}
	}
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	unlimited(t, s)
	for _, text := range said["passage"] {
		id, err := gatehouse.ParseID(text)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := s.store.Passage(t.Context(), s.Place(), id)
		if err != nil {
			t.Fatalf("an acknowledged passage is gone: %v", err)
		}
		if _, detail, err := s.lend.Detail(t.Context(), "test", stored); err != nil || detail == nil {
			t.Fatalf("what an acknowledged passage says cannot be opened: %v", err)
		}
	}
	t.Logf("%d rounds: %d rotations finished, %d were killed in the middle; %d people, %d passages", rounds, len(said["rotated"]), interrupted, len(said["person"]), len(said["passage"]))
	if len(said["person"]) < rounds || interrupted == 0 && len(said["rotated"]) == 0 {
		t.Error("the kills came too early to prove anything")
	}
}

// killRotating runs the site until it has said something and kills it.
func killRotating(t *testing.T, input string, said map[string][]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], rotatingChild)
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
	var kill *time.Timer
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // the kill cut the line: that one was not acknowledged
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		said[word] = append(said[word], rest)
		if kill == nil && word == "person" {
			kill = time.AfterFunc(time.Duration(rand.IntN(400))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
	}
	if kill == nil {
		t.Error("the site ended before it was killed")
	}
	_ = cmd.Wait() // killed
}
