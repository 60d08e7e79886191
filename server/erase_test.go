package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/vault"

	cipher "lukechampine.com/adiantum"
)

// everyByte is all that a site's data directory holds, as its thief with the gate key
// and all file keys sees it: databases decrypted, every page whether used or free, their
// logs, and all other files as they are.
func everyByte(t *testing.T, c Config, keep func(path string, b []byte)) {
	t.Helper()
	gate, err := vault.OpenGateKey(c.Data, c.GateKey)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(c.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if db, log := strings.CutSuffix(path, "-wal"); log || strings.HasSuffix(path, ".db") {
			key, err := gate.FileKey(db)
			if err != nil {
				return err
			}
			block := cipher.New(key[:])
			for at := 0; at+4096 <= len(b); at += 4096 {
				block.Decrypt(b[at:at+4096], binary.LittleEndian.AppendUint64(nil, uint64(at)))
			}
		}
		keep(path, b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// count looks for a subject's id, as bytes and as text. The audit file and the list of
// removals may name it: they say that it was erased.
func count(t *testing.T, c Config, id gatehouse.SubjectID) (found int) {
	everyByte(t, c, func(path string, b []byte) {
		if strings.HasPrefix(filepath.Base(path), "audit.db") {
			return
		}
		n := bytes.Count(b, id[:]) + bytes.Count(b, []byte(id.String()))
		if strings.HasPrefix(filepath.Base(path), "keys.db") && n > 0 {
			n -= 2 // its row of the list, and that row's index
		}
		found += n
	})
	return found
}

func TestErasureLeavesNothing(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin = 0
	s := open(t, c)
	photo, frames := actor(t, 9)
	ana, ben := enrol(t, s, "B-1", "Ana", photo), enrol(t, s, "B-2", "Ben", nil)
	addDevice(t, s, "cam")
	team(t, s, ana, ben)
	all := walk(t, s, "cam", frames)
	for range 5 {
		all = append(all, card(t, s, "cam", "card B-1"), card(t, s, "cam", "card B-2"))
	}
	if len(all) != 11 || all[0].Subject != ana {
		t.Fatalf("%d passages", len(all))
	}
	face := all[0]
	hers, err := s.store.Passage(t.Context(), s.Place(), face.ID)
	if err != nil || len(hers.Evidence) == 0 {
		t.Fatalf("%+v, %v", hers, err)
	}
	sealedPicture, err := s.blobs.Blob(t.Context(), hers.Evidence[0].Blob)
	if err != nil {
		t.Fatal(err)
	}
	s.ring.Put(face.Gate, face.ID, []gatehouse.Picture{{Kind: gatehouse.CropEvidence, JPEG: []byte("jpeg")}})
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	before, _ := s.vault.Erasable(t.Context(), s.Place(), ana)
	admin := s.Admin()
	got, err := admin.Erase(t.Context(), wire.EraseRequest{Subject: ana, Reason: "asked for it"})
	if err != nil {
		t.Fatal(err)
	}
	cert := got.Certificate
	if cert.Subject != ana || cert.Passages != 6 || cert.Chains != before.Chains || cert.Chains == 0 || !cert.FinalAt.Equal(cert.ErasedAt) {
		t.Errorf("the certificate says %+v; %d chains were there", cert, before.Chains)
	}
	again, err := admin.Erasure(t.Context(), cert.ID)
	if err != nil || again.Certificate != cert || again.Leaf != got.Leaf {
		t.Errorf("given again, it is %+v, %v", again, err)
	}
	_, err = admin.Erase(t.Context(), wire.EraseRequest{Subject: ana})
	if gatehouse.ErrorCode(err) != "erase.again" {
		t.Errorf("erased twice: %v", err)
	}
	_, err = admin.Erase(t.Context(), wire.EraseRequest{Subject: gatehouse.RandomID()})
	if gatehouse.ErrorCode(err) != "erase.unknown" {
		t.Errorf("nobody was erased: %v", err)
	}
	// At the gate: neither the card nor the face says who it was.
	if p := card(t, s, "cam", "card B-1"); p.Decision.Grant || p.Known {
		t.Errorf("the card still opens: %+v", p.Decision)
	}
	if _, known := s.working.Badge(ana); known || s.gallery.Size(s.Place()) != 0 || s.ring.Count(face.ID) != 0 {
		t.Error("the gate still knows something")
	}
	if m := s.rules.Members("team", gatehouse.SubjectID{}, 0); len(m) != 1 || m[0] != ben {
		t.Errorf("the group has %v", m)
	}
	// With the vault open: nothing of hers opens, all of his does.
	if _, err := s.blobs.Blob(t.Context(), hers.Evidence[0].Blob); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Errorf("the picture is there still: %v", err)
	}
	operator, proof, _ := s.lend.Lease("test")
	plain, err := s.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "drill", Refs: []gatehouse.SealedRef{
		{Where: gatehouse.SealContext{Place: s.Place(), Table: "evidence", Row: hers.Evidence[0].Blob, Field: "crop"}, Sealed: sealedPicture}}})
	if err != nil || plain[0] != nil {
		t.Errorf("a copy of the picture that somebody kept opens (%v)", err)
	}
	for _, p := range all {
		stored, err := s.store.Passage(t.Context(), s.Place(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, detail, err := s.lend.Detail(t.Context(), "test", stored)
		if err != nil || (detail != nil) != (p.Subject == ben) || stored.Passage.Subject == ana || !stored.Passage.At.Equal(p.At.Truncate(time.Microsecond)) {
			t.Errorf("a passage of %s: subject %s, opened %t, %v", p.Subject, stored.Passage.Subject, detail != nil, err)
		}
	}
	found, err := admin.CheckErasure(t.Context(), got)
	if err != nil || len(found.Findings) != 0 {
		t.Errorf("left: %v, %v", found.Findings, err)
	}
	his := got
	his.Certificate.Subject = ben
	if found, err = admin.CheckErasure(t.Context(), his); err != nil || len(found.Findings) < 4 {
		t.Errorf("of somebody who is here it finds only %v, %v", found.Findings, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, c, ana); n != 0 {
		t.Errorf("her id stands in %d places", n)
	}
	if n := count(t, c, ben); n < 10 {
		t.Errorf("his id was found %d times only: the search says nothing", n)
	}
	if found, err := CheckErasure(t.Context(), c, got); err != nil || len(found.Findings) != 0 {
		t.Errorf("offline, left: %v, %v", found.Findings, err)
	}
	s = open(t, c)
	if page, err := s.Admin().Subjects(t.Context(), gatehouse.SubjectID{}, 10); err != nil || len(page.Subjects) != 1 || page.Subjects[0].ID != ben {
		t.Errorf("after a restart: %+v, %v", page, err)
	}
	if p := card(t, s, "cam", "card B-2"); !p.Decision.Grant {
		t.Errorf("he is not let in any more: %+v", p.Decision)
	}
}

// A stranger's capture is a subject as well.
func TestErasingAStranger(t *testing.T) {
	s := open(t, testConfig(t))
	addDevice(t, s, "cam")
	p := card(t, s, "cam", "nobody's card")
	known := func(want bool) {
		t.Helper()
		if is, err := s.erase.Known(t.Context(), p.Subject); err != nil || is != want {
			t.Errorf("there is something to erase: %t, %v", is, err)
		}
	}
	known(true)
	defer known(false)
	got, err := s.Admin().Erase(t.Context(), wire.EraseRequest{Subject: p.Subject})
	if err != nil || got.Certificate.Passages != 1 || got.Certificate.Chains != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestHoldKeepsFromErasing(t *testing.T) {
	s := open(t, testConfig(t))
	addDevice(t, s, "cam")
	ana, ben := enrol(t, s, "B-1", "Ana", nil), enrol(t, s, "B-2", "Ben", nil)
	card(t, s, "cam", "card B-1")
	admin := s.Admin()
	r := wire.HoldRequest{Subject: ana, Until: time.Now().Add(time.Hour), Reason: "court order"}
	if _, err := admin.AddHold(t.Context(), r); gatehouse.ErrorCode(err) != "vault.sealed" {
		t.Errorf("held while sealed: %v", err)
	}
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	h, err := admin.AddHold(t.Context(), r)
	if err != nil || h.Items != 1 {
		t.Fatalf("%+v, %v", h, err)
	}
	_, err = admin.Erase(t.Context(), wire.EraseRequest{Subject: ana})
	if gatehouse.ErrorCode(err) != "vault.held" || !strings.Contains(err.Error(), h.ID.String()) {
		t.Errorf("erased under a hold: %v", err)
	}
	day, err := admin.AddHold(t.Context(), wire.HoldRequest{Day: time.Now().UTC().Format(time.DateOnly), Until: time.Now().Add(time.Hour), Reason: "theft"})
	if err != nil {
		t.Fatal(err)
	}
	card(t, s, "cam", "card B-2")
	if _, err := admin.Erase(t.Context(), wire.EraseRequest{Subject: ben}); gatehouse.ErrorCode(err) != "vault.held" {
		t.Errorf("somebody of a held day was erased: %v", err)
	}
	if left, err := admin.LiftHold(t.Context(), h.ID); err != nil || len(left.Holds) != 1 {
		t.Errorf("%+v, %v", left, err)
	}
	if left, err := admin.ExtendHold(t.Context(), day.ID, wire.HoldEndRequest{Until: time.Now().Add(48 * time.Hour)}); err != nil || time.Until(left.Holds[0].Until) < 47*time.Hour {
		t.Errorf("%+v, %v", left, err)
	}
	if _, err := admin.LiftHold(t.Context(), day.ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []gatehouse.SubjectID{ana, ben} {
		if _, err := admin.Erase(t.Context(), wire.EraseRequest{Subject: id}); err != nil {
			t.Errorf("after the holds: %v", err)
		}
	}
	if intents, err := s.store.Intents(t.Context()); err != nil || len(intents) != 0 {
		t.Errorf("%d intents are left, %v", len(intents), err)
	}
}

// A hold that could not keep everything says that it is in force, and keeps the rest
// when it is extended.
func TestAnUnfinishedHold(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	ana := enrol(t, s, "B-1", "Ana", nil)
	_, picture := passed(t, s, ana, time.Now())
	unsealed(t, s)
	name := picture.String()
	file := filepath.Join(c.Data, "blobs", name[:2], name)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o700)); err != nil { // it is there and cannot be read
		t.Fatal(err)
	}
	until := time.Now().AddDate(0, 1, 0)
	_, err = s.Admin().AddHold(t.Context(), wire.HoldRequest{Subject: ana, Until: until, Reason: "court order"})
	wantCode(t, err, "hold.unfinished")
	list, failed := s.Admin().Holds(t.Context())
	if failed != nil || len(list.Holds) != 1 || !strings.Contains(err.Error(), list.Holds[0].ID.String()) {
		t.Fatalf("%v; in force: %+v, %v", err, list, failed)
	}
	if _, err := s.Admin().Erase(t.Context(), wire.EraseRequest{Subject: ana}); gatehouse.ErrorCode(err) != "vault.held" {
		t.Errorf("erased under an unfinished hold: %v", err)
	}
	if err := errors.Join(os.Remove(file), os.WriteFile(file, whole, 0o600)); err != nil {
		t.Fatal(err)
	}
	list, err = s.Admin().ExtendHold(t.Context(), list.Holds[0].ID, wire.HoldEndRequest{Until: until})
	if err != nil || len(list.Holds) != 1 || list.Holds[0].Items != 2 {
		t.Errorf("extended: %+v, %v", list, err)
	}
}

// A hold that has ended names whom it was on; with an erasure its row goes, too.
func TestErasedAfterAHoldLeavesNothing(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	addDevice(t, s, "cam")
	ana := enrol(t, s, "B-1", "Ana", nil)
	card(t, s, "cam", "card B-1")
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	h, err := s.Admin().AddHold(t.Context(), wire.HoldRequest{Subject: ana, Until: time.Now().Add(time.Hour), Reason: "court order"})
	if err != nil || h.Items != 1 {
		t.Fatalf("%+v, %v", h, err)
	}
	if _, err := s.Admin().LiftHold(t.Context(), h.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Admin().Erase(t.Context(), wire.EraseRequest{Subject: ana, Reason: "asked for it"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, c, ana); n != 0 {
		t.Errorf("her id stands in %d places", n)
	}
}

// An erasure that has not begun, and waits since too many were erased within the hour,
// keeps none from being finished that was killed in the middle.
func TestOneThatWaitsKeepsNoOtherHalfErased(t *testing.T) {
	s := open(t, testConfig(t))
	addDevice(t, s, "cam")
	waits, half := enrol(t, s, "B-1", "Ana", nil), enrol(t, s, "B-2", "Ben", nil)
	card(t, s, "cam", "card B-2")
	intent := func(first byte, subject gatehouse.SubjectID) gatehouse.EraseRequest {
		t.Helper()
		id := gatehouse.RandomID()
		id[0] = first // they are taken up in this order
		body, err := json.Marshal(map[string]any{"Subject": subject, "Fresh": gatehouse.RandomID(), "Operator": "test", "Reason": "test"})
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := s.gateKey.SealWorking(gatehouse.SealContext{Place: s.Place(), Table: "intents", Row: id, Field: "erase"}, body)
		if err == nil {
			err = s.store.BeginIntent(t.Context(), gatehouse.Intent{ID: id, Verb: "erase", Body: sealed})
		}
		if err != nil {
			t.Fatal(err)
		}
		return gatehouse.EraseRequest{Place: s.Place(), ID: id, Subject: subject, Operator: "test", Reason: "test"}
	}
	intent(1, waits)
	begun := intent(2, half)
	intent(3, half) // asked for twice
	for range 20 {  // as many as may be without a proof
		if _, err := s.vault.Erase(t.Context(), begun); err != nil {
			t.Fatal(err)
		}
		begun.ID, begun.Subject = gatehouse.RandomID(), gatehouse.RandomID()
	}
	if _, err := s.erase.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, left := range map[gatehouse.SubjectID]bool{waits: true, half: false} {
		found, err := s.Admin().CheckErasure(t.Context(), wire.Erasure{Certificate: gatehouse.ErasureCertificate{Org: s.Place().Org, Site: s.Place().Site, Subject: id, FinalAt: time.Now().AddDate(1, 0, 0)}})
		if err != nil || (len(found.Findings) > 0) != left {
			t.Errorf("left: %v, %v", found.Findings, err)
		}
	}
	intents, err := s.store.Intents(t.Context())
	if err != nil || len(intents) != 1 || intents[0].ID[0] != 1 {
		t.Errorf("intents that are left: %+v, %v", intents, err)
	}
	if p := card(t, s, "cam", "card B-1"); !p.Decision.Grant {
		t.Errorf("who waits is not let in: %+v", p.Decision)
	}
}

// Every file gets a fresh key while the site goes on, and all is there afterwards.
func TestFilesGetFreshKeys(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin = 0
	s := open(t, c)
	addDevice(t, s, "cam")
	enrol(t, s, "B-1", "Ana", nil)
	card(t, s, "cam", "card B-1")
	list, err := s.Admin().Databases(t.Context())
	if err != nil || len(list.Databases) != 6 {
		t.Fatalf("%+v, %v", list, err)
	}
	before := map[string][]byte{}
	for _, db := range list.Databases {
		if before[db.File], err = os.ReadFile(filepath.Join(c.Data, db.File+".key")); err != nil {
			t.Fatal(err)
		}
		done, err := s.Admin().RewriteDatabase(t.Context(), wire.RewriteRequest{File: db.File})
		if err != nil {
			t.Fatal(err)
		}
		if p := card(t, s, "cam", "card B-1"); !p.Decision.Grant {
			t.Errorf("after %s: %+v", db.File, p.Decision)
		}
		t.Logf("%s: %.1f ms, commits waited %.1f ms", done.File, done.MS, done.HeldMS)
	}
	if _, err := s.Admin().RewriteDatabase(t.Context(), wire.RewriteRequest{File: "../gate.key"}); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Errorf("what is no database was rewritten: %v", err)
	}
	for file, old := range before {
		now, err := os.ReadFile(filepath.Join(c.Data, file+".key"))
		if err != nil || bytes.Equal(now, old) {
			t.Errorf("%s has its old key still (%v)", file, err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	if counts, err := s.store.CountPassages(t.Context(), s.Place(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour), gatehouse.AllGates()); err != nil || counts.Granted != 7 {
		t.Errorf("%+v, %v", counts, err)
	}
}

// erasingChild is a site that enrols people, lets them in and erases some, until it is
// killed. It says what it is about to do and what is done.
const erasingChild = "__erasing"

func runErasing(ctx context.Context) error {
	s, err := openToBeKilled(ctx)
	if err != nil {
		return err
	}
	admin := s.Admin()
	if err := s.Unseal(ctx, []byte(passphrase)); err != nil { // more may be erased then
		return err
	}
	for n := 0; ; n++ {
		number := rand.Uint64()
		answer, err := admin.EnrollPerson(ctx, wire.EnrollPersonRequest{Label: "B", Card: fmt.Sprint(number), Record: gatehouse.PersonRecord{Name: "Ana"},
			Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}})
		if err != nil {
			return err
		}
		for range 3 {
			if _, err := s.Post(ctx, gatehouse.Capture{Device: "reader", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: gatehouse.Secret(fmt.Sprint(number))}); err != nil {
				return err
			}
		}
		if n%4 == 3 {
			continue // some stay
		}
		fmt.Println("begun", answer.Subject, number)
		if _, err := admin.Erase(ctx, wire.EraseRequest{Subject: answer.Subject, Reason: "test"}); err != nil {
			return err
		}
		fmt.Println("erased", answer.Subject, number)
	}
}

// A site is killed again and again in the middle of erasing, with its vault process:
// an erasure that was acknowledged is complete, and one that was not is complete or has
// not happened, once the site has started again. GATEHOUSE_FAULT_ROUNDS sets how often.
func TestKilledWhileErasing(t *testing.T) {
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("GATEHOUSE_FAULT_ROUNDS")); err == nil {
		rounds = n
	}
	const fresh = 20 // rounds until a new site: the vault allows so many erasures an hour
	var c Config
	var acknowledged, untouched int
	var begun map[gatehouse.SubjectID]string // of the site, with their cards
	var erased map[gatehouse.SubjectID]bool
	for round := range rounds {
		if round%fresh == 0 {
			c = testConfig(t)
			c.Gates[0].RepeatWithin, c.Gates[0].Actuator.Kind = 0, "none"
		}
		begunNow, erasedNow := killErasing(t, c)
		acknowledged += len(erasedNow)
		if round%fresh == 0 {
			begun, erased = begunNow, erasedNow
		}
		maps.Copy(begun, begunNow)
		maps.Copy(erased, erasedNow)
		s, err := Open(t.Context(), c, Options{Stderr: testLog{t}})
		if err != nil {
			t.Fatalf("round %d: the site does not start: %v", round, err)
		}
		waiting := 0 // those that the vault lets nobody erase without a proof within this hour
		for id, number := range begun {
			found, err := s.Admin().CheckErasure(t.Context(), wire.Erasure{Certificate: gatehouse.ErasureCertificate{Org: s.Place().Org, Site: s.Place().Site, Subject: id, FinalAt: time.Now().AddDate(1, 0, 0)}})
			if err != nil {
				t.Fatal(err)
			}
			if len(found.Findings) == 0 {
				continue
			}
			untouched++
			waiting++
			keys, err := s.vault.Erasable(t.Context(), s.Place(), id)
			traces, err2 := s.store.SubjectTraces(t.Context(), s.Place(), id)
			owner, known := s.working.ByCredential(gatehouse.CardItem, gatehouse.Secret(number))
			switch {
			case err != nil || err2 != nil:
				t.Fatal(err, err2)
			case erased[id]:
				t.Errorf("round %d: an acknowledged erasure left %v", round, found.Findings)
			case keys.Erased || keys.Chains == 0 || !traces.Enrolled || traces.Passages != 3 || !known || owner != id:
				t.Errorf("round %d: somebody is half erased: %v; %+v, %+v, card known %t", round, found.Findings, keys, traces, known)
			}
		}
		if intents, err := s.store.Intents(t.Context()); err != nil || len(intents) > waiting {
			t.Errorf("round %d: %d intents are left of %d that have not begun, %v", round, len(intents), waiting, err)
		}
		if left, _ := filepath.Glob(filepath.Join(c.Data, "*", "*-rewrite*")); len(left) != 0 {
			t.Errorf("round %d: left behind: %v", round, left)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d rounds, %d acknowledged erasures, %d that had not begun", rounds, acknowledged, untouched)
	if acknowledged < rounds {
		t.Errorf("only %d erasures were acknowledged: the kills came too early to prove anything", acknowledged)
	}
}

func killErasing(t *testing.T, c Config) (begun map[gatehouse.SubjectID]string, erased map[gatehouse.SubjectID]bool) {
	t.Helper()
	input, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], erasingChild)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	begun, erased = map[gatehouse.SubjectID]string{}, map[gatehouse.SubjectID]bool{}
	lines := bufio.NewScanner(out)
	var kill *time.Timer
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) != 3 {
			break // cut
		}
		id, err := gatehouse.ParseID(words[1])
		if err != nil {
			break
		}
		if words[0] == "begun" {
			begun[id] = words[2]
		} else {
			erased[id] = true
		}
		if kill == nil && words[0] == "erased" {
			kill = time.AfterFunc(time.Duration(rand.IntN(700))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
	}
	if kill == nil {
		t.Error("the site ended before it was killed")
	}
	_ = cmd.Wait()
	return begun, erased
}
