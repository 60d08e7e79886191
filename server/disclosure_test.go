package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/client"
	"gatehouse/vault/approval"

	"filippo.io/age"
)

// staff registers two operators.
func staff(t *testing.T, a api.Desk, with gatehouse.Credential) map[string]approval.Operator {
	t.Helper()
	all := map[string]approval.Operator{}
	for _, name := range []string{"ana-1", "ben-2"} {
		o, err := approval.New(name, []byte("four words of "+name), 10)
		if err == nil {
			_, err = a.AddOperator(t.Context(), wire.OperatorRequest{With: wire.Shown(with), Operator: wire.Operator{Name: o.Name, Salt: o.Salt, Work: o.Work, Public: o.Public}})
		}
		if err != nil {
			t.Fatal(err)
		}
		all[name] = o
	}
	return all
}

func sign(t *testing.T, o approval.Operator, act approval.Act, vault string, id gatehouse.ID, body []byte) []byte {
	t.Helper()
	s, err := o.Sign([]byte("four words of "+o.Name), act, vault, id, body)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A session that somebody stole reads all that it can, and stops at the budget; a
// restart of everything gives it nothing.
func TestStolenSessionStopsAtTheBudget(t *testing.T) {
	c := testConfig(t)
	c.Disclosure.Operator = LimitConfig{Hour: 60, Day: 70}
	s := open(t, c)
	var ids []gatehouse.SubjectID
	for i := range 25 {
		ids = append(ids, enrol(t, s, fmt.Sprintf("B-%d", i), "somebody", nil))
	}
	read := 0
	steal := func() (err error) {
		t.Helper()
		if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			names, failed := s.lend.Names(t.Context(), "link-7", ids)
			read += len(names)
			if err = failed; err != nil {
				break
			}
		}
		return err
	}
	if err := steal(); gatehouse.ErrorCode(err) != "vault.budget" || !strings.Contains(err.Error(), "will be there in") || read != 50 {
		t.Errorf("%d names, then %v", read, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	if err := steal(); gatehouse.ErrorCode(err) != "vault.budget" || read != 50 {
		t.Errorf("after a restart %d names, then %v", read, err)
	}
	// The guard at the gate goes on, on a budget of their own; when that is spent, by labels.
	p := card(t, s, terminalOf(t, s), "card B-1")
	if lent, err := s.lend.Live(t.Context(), "link-7", []gatehouse.Passage{p}); err != nil || !lent[p.ID].Opened {
		t.Errorf("the live window: %+v, %v", lent, err)
	}
	if _, err := s.Admin().SetBudget(t.Context(), wire.BudgetSetRequest{With: wire.Shown(gatehouse.Passphrase([]byte(passphrase))), Limits: wire.Limits{Live: wire.Limit{Hour: 1}}}); err != nil {
		t.Fatal(err)
	}
	other := card(t, s, "cam", "card B-2")
	if lent, err := s.lend.Live(t.Context(), "link-7", []gatehouse.Passage{other}); err != nil || lent[other.ID].Opened || lent[other.ID].Text != "B-2" {
		t.Errorf("the live window on a budget that is spent: %+v, %v", lent, err)
	}
}

func terminalOf(t *testing.T, s *Server) gatehouse.DeviceID {
	t.Helper()
	addDevice(t, s, "cam")
	return "cam"
}

// receiver is a webhook that keeps what it gets.
func receiver(t *testing.T) (url string, got chan string) {
	t.Helper()
	got = make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("webhook-signature") == "" {
			t.Error("an alarm without a signature", err)
		}
		got <- string(b)
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func awaitAlarm(t *testing.T, got chan string, words ...string) {
	t.Helper()
	select {
	case text := <-got:
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("the alarm says nothing of %q: %s", w, text)
			}
		}
	case <-time.After(30 * time.Second):
		t.Fatal("no alarm arrived")
	}
}

// The whole way: a canary is planted, listed like anybody else, and opened; the vault
// is shut, the alarm arrives, and two people open it again. Then a token, and a release.
func TestCanaryOverTheServer(t *testing.T) {
	url, got := receiver(t)
	t.Setenv("GATEHOUSE_SECRET_WEBHOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAA")
	c := testConfig(t)
	c.Alarms.Webhook.URL = url
	s := open(t, c)
	stop := serving(t, s)
	defer stop()
	a := client.OverSocket(SocketPath(c))
	people := staff(t, a, gatehouse.Passphrase([]byte(passphrase)))
	awaitAlarm(t, got, "gatehouse.alarm.operator", "ana-1")
	awaitAlarm(t, got, "gatehouse.alarm.operator", "ben-2")
	ana := enrol(t, s, "B-1", "Ana Silva", nil)
	bird, err := a.SpareCanary(t.Context(), wire.CanarySpareRequest{Kind: "person"})
	if err != nil {
		t.Fatal(err)
	}
	car, err := a.SpareCanary(t.Context(), wire.CanarySpareRequest{Kind: "vehicle"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.PlantCanary(t.Context(), wire.CanaryPlantRequest{With: wire.Shown(gatehouse.Passphrase([]byte(passphrase))), Subjects: []gatehouse.SubjectID{bird.Subject, car.Subject}, Note: "third floor"}); err != nil || got.Planted != 2 {
		t.Fatal(got, err)
	}
	if _, err := a.PlantCanary(t.Context(), wire.CanaryPlantRequest{With: wire.Shown(gatehouse.Passphrase([]byte(passphrase))), Subjects: []gatehouse.SubjectID{gatehouse.RandomID()}}); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Errorf("nobody was made a canary: %v", err)
	}
	token, err := a.PlantCanary(t.Context(), wire.CanaryPlantRequest{With: wire.Shown(gatehouse.Passphrase([]byte(passphrase))), Note: "in the wiki"})
	if err != nil || len(token.Token) != 43 {
		t.Fatal(token, err)
	}
	// The gate knows no face of it, and its plate opens nothing.
	if s.gallery.Size(s.Place()) != 0 {
		t.Error("a canary stands in the gallery")
	}
	if b, ok := s.working.Badge(car.Subject); !ok || b.ValidUntil.IsZero() || b.ValidUntil.After(time.Now()) {
		t.Errorf("the canary's plate opens: %+v", b)
	}
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	names, err := s.lend.Names(t.Context(), "link-7", []gatehouse.SubjectID{ana, bird.Subject, car.Subject})
	if err != nil || len(names) != 3 {
		t.Fatalf("listed: %v, %v", names, err)
	}
	openRecord := func(id gatehouse.SubjectID) error {
		as, proof, ok := s.lend.Lease("link-7")
		if !ok {
			t.Fatal("the vault is sealed")
		}
		row, err := s.store.Subject(t.Context(), s.Place(), id)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := gatehouse.UnpackRecord(row.Record)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := s.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: as, Proof: proof, Purpose: "person", Refs: []gatehouse.SealedRef{
			{Where: gatehouse.SealContext{Place: s.Place(), Table: "subjects", Row: id, Field: "record"}, Sealed: parts.Rest}}})
		if err == nil && plain[0] == nil {
			t.Error("the record does not open")
		}
		return err
	}
	if err := openRecord(ana); err != nil {
		t.Fatal(err)
	}
	if err := openRecord(bird.Subject); gatehouse.ErrorCode(err) != "vault.canary" {
		t.Fatalf("a canary was opened: %v", err)
	}
	awaitAlarm(t, got, "gatehouse.alarm.canary", "site/link-7", "person")
	if st, err := a.Status(t.Context()); err != nil || !st.Vault.Canary || st.Vault.Unsealed {
		t.Errorf("the status does not say that a canary shut the vault: %+v, %v", st.Vault, err)
	}
	lift := func() {
		t.Helper()
		for _, o := range people {
			if err := s.Unseal(t.Context(), []byte(passphrase)); gatehouse.ErrorCode(err) != "vault.canary" {
				t.Errorf("unsealing before two people agreed: %v", err)
			}
			st, err := a.CanaryStatus(t.Context())
			if err != nil || !st.Shut {
				t.Fatalf("status %+v, %v", st, err)
			}
			if _, err := a.LiftCanary(t.Context(), wire.SignedRequest{ID: st.Trip, Operator: o.Name, Signature: sign(t, o, approval.LiftCanary, st.Vault, st.Trip, nil)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
			t.Fatal(err)
		}
	}
	lift()

	// Somebody tries the token where devices show theirs.
	device := client.AsDevice(s.auth.Mint()[:strings.Index(s.auth.Mint(), "/enter")], token.Token)
	if _, err := device.PostCredential(t.Context(), "front-camera", wire.CredentialRequest{Kind: gatehouse.CardCapture, Value: "1"}); gatehouse.ErrorCode(err) != "device.refused" {
		t.Errorf("the canary token: %v", err)
	}
	awaitAlarm(t, got, "gatehouse.alarm.canary", "front-camera")
	lift()

	// And where programs show theirs.
	program := client.AsProgram(nil, s.auth.BaseURL(), token.Token)
	if _, err := program.Passages(t.Context(), "", gatehouse.ID{}, 1); gatehouse.ErrorCode(err) != "token.refused" {
		t.Errorf("the canary token as an access token: %v", err)
	}
	awaitAlarm(t, got, "gatehouse.alarm.canary", "shown to the API")
	lift()

	// A release: asked for by one, approved by the other, written as an age file.
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := a.PlanRelease(t.Context(), wire.ReleasePlanRequest{Subjects: []gatehouse.SubjectID{ana}, Fields: []string{"name", "national_id", "record"}})
	if err != nil || len(plan.Items) != 3 {
		t.Fatal(plan, err)
	}
	q := gatehouse.ReleaseRequest{Place: s.Place(), ID: gatehouse.NewID(time.Now()), Salt: make([]byte, gatehouse.ReleaseSalt), At: time.Now(), Operator: "ana-1", Purpose: "authority", Reason: "letter of 3 May", Items: plan.Items, Recipients: []string{identity.Recipient().String()}}
	body, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.RequestRelease(t.Context(), wire.ReleaseRequest{Body: body, Signature: sign(t, people["ana-1"], approval.RequestRelease, plan.Vault, q.ID, body)}); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := a.WriteRelease(t.Context(), q.ID, false, &file); gatehouse.ErrorCode(err) != "release.not_approved" || file.Len() > 0 {
		t.Errorf("before it is approved: %v", err)
	}
	asked, err := a.Release(t.Context(), q.ID)
	if err != nil || !bytes.Equal(asked.Body, body) {
		t.Fatalf("what is shown for approval is not what was signed: %v", err)
	}
	if _, err := a.ApproveRelease(t.Context(), wire.SignedRequest{ID: q.ID, Operator: "ben-2", Signature: sign(t, people["ben-2"], approval.ApproveRelease, plan.Vault, q.ID, body)}); err != nil {
		t.Fatal(err)
	}
	if err := a.WriteRelease(t.Context(), q.ID, false, &file); err != nil {
		t.Fatal(err)
	}
	plain, err := age.Decrypt(&file, identity)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := io.ReadAll(plain)
	if err != nil || strings.Count(string(lines), "\n") != 3 || !strings.Contains(string(lines), "Ana Silva") || !strings.Contains(string(lines), "ID-4711-B-1") {
		t.Errorf("the file says %s, %v", lines, err)
	}
	if err := a.TestAlarm(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitAlarm(t, got, "gatehouse.alarm.test")
}
