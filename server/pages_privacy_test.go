package server

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/inform"
	"gatehouse/flow/requests"

	"filippo.io/age"
)

func unseal(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
}

// Somebody asks what is held of them, gets all of it and nobody else's, is erased, and what
// they wrote is noise with them.
func TestAPersonsRequest(t *testing.T) {
	s := open(t, testConfig(t))
	p := pages{s}
	me := console.Who{Operator: "0123456789abcdef0123456789abcdef", Role: gatehouse.PrivacyOfficer}
	ctx := t.Context()
	mei, other := enrol(t, s, "Staff 7", "Mei Lin", nil), enrol(t, s, "Staff 8", "Jonas Lindqvist", nil)
	passed(t, s, mei, time.Now().Add(-time.Hour))
	passed(t, s, mei, time.Now().Add(-time.Minute))
	passed(t, s, other, time.Now().Add(-time.Minute))

	for text, want := range map[string]gatehouse.SubjectID{"staff 7": mei, mei.String(): mei} {
		if id, err := p.Find(ctx, text); err != nil || id != want {
			t.Errorf("%q is %v, %v", text, id, err)
		}
	}
	for _, text := range []string{"Staff", "Mei Lin", gatehouse.RandomID().String()} {
		if _, err := p.Find(ctx, text); gatehouse.ErrorCode(err) != "subject.unknown" {
			t.Errorf("%q: %v", text, err)
		}
	}
	const words = "asks by letter, Harbour Street 4"
	id, letter, err := p.OpenRequest(ctx, me, gatehouse.AccessRequest, mei, words, gatehouse.RequestContact{})
	if err != nil || letter != nil {
		t.Fatal(err)
	}
	if _, _, err := p.OpenRequest(ctx, me, gatehouse.AccessRequest, gatehouse.RandomID(), "", gatehouse.RequestContact{}); gatehouse.ErrorCode(err) != "subject.unknown" {
		t.Errorf("a request of nobody's: %v", err)
	}
	if _, _, err := p.ReadRequest(ctx, me, id); gatehouse.ErrorCode(err) != "vault.sealed" {
		t.Errorf("read while sealed: %v", err)
	}
	unseal(t, s)
	if note, _, err := p.ReadRequest(ctx, me, id); err != nil || note != words {
		t.Fatalf("it says %q, %v", note, err)
	}
	if _, err := p.Held(ctx, me, mei, ""); gatehouse.ErrorCode(err) != "vault.reason" {
		t.Errorf("without a reason: %v", err)
	}
	var file bytes.Buffer
	if err := p.HeldFile(ctx, me, mei, "their request", "short", &file); gatehouse.ErrorCode(err) != "subject.recipient" || file.Len() > 0 {
		t.Errorf("a short passphrase: %v", err)
	}
	if err := p.HeldFile(ctx, me, mei, "their request", "four words of a person", &file); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file.Bytes(), []byte("Mei")) {
		t.Error("the file is in clear")
	}
	key, _ := age.NewScryptIdentity("four words of a person")
	plain, err := age.Decrypt(&file, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(plain)
	var h inform.Held
	if err := json.Unmarshal(raw, &h); err != nil {
		t.Fatal(err)
	}
	if h.Name != "Mei Lin" || h.NationalID != "ID-4711-Staff 7" || h.Label != "Staff 7" || len(h.Passages) != 2 || !h.Passages[0].At.After(h.Passages[1].At) || len(h.Requests) != 1 || h.Requests[0].Note != words || h.Gone != 0 {
		t.Errorf("held: %+v", h)
	}
	if len(h.Looked) == 0 || h.Looked[0].Role != string(gatehouse.PrivacyOfficer) || strings.Contains(string(raw), "Jonas") || strings.Contains(string(raw), other.String()) {
		t.Errorf("who looked: %+v", h.Looked)
	}
	if err := p.ExtendRequest(ctx, me, id); err != nil {
		t.Fatal(err)
	}
	if err := p.ExtendRequest(ctx, me, id); gatehouse.ErrorCode(err) != "request.extended" {
		t.Errorf("extended twice: %v", err)
	}

	if err := p.PlaceHold(ctx, me, mei, "", time.Now().AddDate(0, 1, 0), "a court asked"); err != nil {
		t.Fatal(err)
	}
	if err := (erasures{s}).Erase(ctx, me, gatehouse.RandomID(), mei, "asked for", ""); gatehouse.ErrorCode(err) != "vault.held" {
		t.Errorf("erased although held: %v", err)
	}
	holds, err := p.Holds(ctx)
	if err != nil || len(holds) != 1 || holds[0].Label != "Staff 7" || !strings.HasSuffix(holds[0].Operator, me.Operator) {
		t.Fatalf("holds: %+v, %v", holds, err)
	}
	if err := p.LiftHold(ctx, me, holds[0].ID); err != nil {
		t.Fatal(err)
	}
	erased := gatehouse.RandomID()
	if err := (erasures{s}).Erase(ctx, me, erased, mei, "asked for", ""); err != nil {
		t.Fatal(err)
	}
	if findings, err := p.CheckErasure(ctx, erased); err != nil || len(findings) > 0 {
		t.Errorf("still held: %v, %v", findings, err)
	}
	list, err := p.Erasures(ctx)
	if err != nil || len(list) != 1 || list[0].ID != erased || list[0].Passages != 2 {
		t.Errorf("erasures: %+v, %v", list, err)
	}
	stored, err := p.Request(ctx, id)
	if err != nil || stored.Note != nil || stored.Subject == mei || stored.Label != "" || !stored.Done.IsZero() {
		t.Errorf("the request of who was erased: %+v, %v", stored, err)
	}
	if err := p.AnswerRequest(ctx, me, id, gatehouse.RequestRefused, ""); gatehouse.ErrorCode(err) != "request.text" {
		t.Errorf("refused without a word: %v", err)
	}
	if err := p.AnswerRequest(ctx, me, id, gatehouse.RequestGranted, "erased"); err != nil {
		t.Fatal(err)
	}
	if _, answer, err := p.ReadRequest(ctx, me, id); err != nil || answer != "erased" {
		t.Errorf("the answer is %q, %v", answer, err)
	}
	if err := p.AnswerRequest(ctx, me, id, gatehouse.RequestGranted, "again"); gatehouse.ErrorCode(err) != "request.closed" {
		t.Errorf("answered twice: %v", err)
	}
	if err := s.store.Leaves(ctx, 0, func(_ uint64, leaf []byte) error {
		if bytes.Contains(leaf, []byte("letter")) || bytes.Contains(leaf, mei[:]) {
			t.Errorf("a leaf says too much: %q", leaf)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	// What was sealed for who was erased stays noise, also for who kept the row.
	kept, err := requests.New(requests.Ports{Place: s.site.Place, Location: time.UTC, Store: s.store, Subjects: s.store, Sealer: s.vault}).Open(ctx, "x", gatehouse.ExportRequest, other, "second", gatehouse.RequestContact{})
	if err != nil || len(kept.Note) == 0 {
		t.Fatal(err)
	}
	if err := (erasures{s}).Erase(ctx, me, gatehouse.RandomID(), other, "", ""); err != nil {
		t.Fatal(err)
	}
	got, err := s.lend.OpenFor(ctx, "x", "person", "test", []gatehouse.SealedRef{{Where: gatehouse.RequestContext(s.site.Place, kept.ID, "note"), Sealed: kept.Note}})
	if err != nil || got[0] != nil {
		t.Errorf("a copy of an erased person's words opens: %q, %v", got, err)
	}
	o, err := p.Overview(ctx, me)
	if err != nil || o.Open != 1 || o.Erased != 2 || o.Holds != 0 || o.People != 0 || len(o.Budgets) == 0 {
		t.Errorf("the overview: %+v, %v", o, err)
	}
	if r, err := s.VerifyAudit(ctx, VerifyOptions{}); err != nil || !r.OK {
		t.Errorf("the log does not verify: %+v, %v", r, err)
	}
}
