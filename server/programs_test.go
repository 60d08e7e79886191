package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/apitest"
	"gatehouse/api/wire"
	"gatehouse/client"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// A program of somebody else's asks with its token, sees what its scopes and gates give,
// and nothing more of it is left on the disk.
func TestAProgramWithAToken(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	link := run(t, s)
	base := link[:strings.Index(link, "/enter/")]
	admin, ctx := client.OverSocket(SocketPath(s.config)), t.Context()
	if _, err := admin.EnrollPerson(ctx, wire.EnrollPersonRequest{Label: "B-1", Record: gatehouse.PersonRecord{Name: "Mei Lin"}, Card: "04A1B2C3", Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}); err != nil {
		t.Fatal(err)
	}
	addDevice(t, s, "tablet")
	card(t, s, "tablet", "04A1B2C3")
	made, err := admin.AddToken(ctx, wire.TokenAddRequest{Name: "display", Hours: 24})
	if err != nil || made.Token == "" || made.By != "admin-socket" {
		t.Fatal(made, err)
	}
	if _, err := admin.AddToken(ctx, wire.TokenAddRequest{Name: "other", Scopes: []gatehouse.Permission{"accounts"}, Hours: 24}); gatehouse.ErrorCode(err) != "token.scopes" {
		t.Errorf("a token to manage accounts: %v", err)
	}
	program := client.AsProgram(nil, base, made.Token)
	page, err := program.Passages(ctx, "", gatehouse.ID{}, 10)
	if err != nil || len(page.Passages) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	if _, err := client.AsProgram(nil, base, made.Token+"x").Passages(ctx, "", gatehouse.ID{}, 10); gatehouse.ErrorCode(err) != "token.refused" {
		t.Errorf("another token: %v", err)
	}
	// A token is no session: no page of the console, no search.
	for _, path := range []string{"/", "/people", "/passages"} {
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
		r.Header.Set("Authorization", "Bearer "+made.Token)
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		w.Body.Close()
		if w.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s with a token: %d", path, w.StatusCode)
		}
	}
	list, err := admin.Tokens(ctx)
	if err != nil || len(list.Tokens) != 1 || list.Tokens[0].Used.IsZero() {
		t.Errorf("the list says %+v, %v", list, err)
	}
	if err := admin.RevokeToken(ctx, "display"); err != nil {
		t.Fatal(err)
	}
	if _, err := program.Passages(ctx, "", gatehouse.ID{}, 10); gatehouse.ErrorCode(err) != "token.refused" {
		t.Errorf("a revoked token: %v", err)
	}
	var entries wire.AuditPage
	for until := time.Now().Add(20 * time.Second); len(entries.Entries) < 2 && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if entries, err = admin.AuditEntries(ctx, wire.AuditQuery{Kind: gatehouse.AccountLeafKind, Limit: 10}); err != nil {
			t.Fatal(err)
		}
	}
	if len(entries.Entries) != 2 {
		t.Errorf("the log has %d entries about the token", len(entries.Entries))
	}
	err = filepath.WalkDir(c.Data, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(made.Token)) || bytes.Contains(b, []byte(made.Token[5:25])) {
			t.Errorf("%s holds the token", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Tokens and their last use outlive a restart.
func TestTokensOutliveARestart(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	made, err := s.Admin().AddToken(t.Context(), wire.TokenAddRequest{Name: "display", Hours: 24})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.tokens.VerifyToken(t.Context(), gatehouse.Secret(made.Token)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	if _, err := s.tokens.VerifyToken(t.Context(), gatehouse.Secret(made.Token)); err != nil {
		t.Error(err)
	}
	if list := s.tokens.List(); len(list) != 1 || list[0].Used.IsZero() {
		t.Errorf("after a restart: %+v", list)
	}
}

// A real reply of every operation that reads is as the document says that the same server
// gives out; and a program's calls do what they say.
func TestTheServerAnswersAsItsDocumentSays(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	link := run(t, s)
	base := link[:strings.Index(link, "/enter/")]
	admin, ctx := client.OverSocket(SocketPath(s.config)), t.Context()
	made, err := admin.AddToken(ctx, wire.TokenAddRequest{Name: "all", Hours: 1, Scopes: []gatehouse.Permission{gatehouse.SeePassages, gatehouse.SeePeople, gatehouse.Enrol, gatehouse.Suspend, gatehouse.EditRecords,
		gatehouse.EraseSubjects, gatehouse.ManageDevices, gatehouse.SeeStatus, gatehouse.SeeDisclosures, gatehouse.SeeHours, gatehouse.SeeParking, gatehouse.SeeBooks}})
	if err != nil {
		t.Fatal(err)
	}
	var tablet string // the token of a device, which asks for its own
	get := func(path string) (*http.Response, []byte) {
		t.Helper()
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
		r.Header.Set("Authorization", "Bearer "+made.Token)
		if strings.HasPrefix(path, "/api/v1/devices/tablet/") {
			r.Header.Set("Authorization", "Bearer "+tablet)
		}
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		b, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		return w, b
	}
	_, text := get("/api/v1/openapi.json")
	doc, err := apitest.Read(text)
	if err != nil {
		t.Fatal(err)
	}

	c0 := client.AsProgram(nil, base, made.Token)
	program := c0.Program()
	// The same enrolment, sent twice because the first answer was lost, is one.
	key := client.NewKey()
	q := wire.EnrollPersonRequest{Label: "B-1", Record: gatehouse.PersonRecord{Name: "Mei Lin", NationalID: "110101199003070000"}, Card: "04A1B2C3", Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}
	person, err := program.EnrolPerson(ctx, key, q)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := program.EnrolPerson(ctx, key, q); err != nil || again != person {
		t.Errorf("enrolled again: %+v, %v", again, err)
	}
	if list, err := program.Subjects(ctx, gatehouse.SubjectID{}, 200); err != nil || len(list.Subjects) != 1 {
		t.Errorf("enrolled %+v, %v", list, err)
	}
	car, err := program.EnrolVehicle(ctx, client.NewKey(), wire.EnrollVehicleRequest{Label: "V-1", Record: gatehouse.VehicleRecord{Plate: "B XK 4521"}, Grants: []gatehouse.Grant{}})
	if err != nil {
		t.Fatal(err)
	}
	tablet = addDevice(t, s, "tablet")
	p := card(t, s, "tablet", "04A1B2C3")
	if code, err := program.DeviceCode(ctx, client.NewKey(), wire.DeviceAddRequest{ID: "reader-2", Kind: gatehouse.Reader, Gate: "front-door"}); err != nil || code.Code == "" {
		t.Errorf("a code: %+v, %v", code, err)
	}
	one, tag, err := program.Subject(ctx, person.Subject)
	if err != nil || one.Label != "B-1" || tag == "" {
		t.Errorf("%+v, %q, %v", one, tag, err)
	}
	if one, err = program.SetStatus(ctx, person.Subject, gatehouse.SuspendedStatus, tag); err != nil || one.Status != gatehouse.SuspendedStatus {
		t.Errorf("suspended: %+v, %v", one, err)
	}
	if _, err = program.SetStatus(ctx, person.Subject, gatehouse.Active, tag); gatehouse.ErrorCode(err) != "request.changed" {
		t.Errorf("over another change: %v", err)
	}
	if d := card(t, s, "tablet", "04A1B2C3").Decision; d.Reason != gatehouse.Suspended {
		t.Errorf("a suspended person got %+v", d)
	}
	if got, err := c0.Passage(ctx, p.ID); err != nil || got.Subject != person.Subject {
		t.Errorf("%+v, %v", got, err)
	}
	erased, err := program.Erase(ctx, client.NewKey(), wire.EraseRequest{Subject: car.Subject, Reason: "sold"})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := program.Erasure(ctx, erased.Certificate.ID); err != nil || again.Certificate != erased.Certificate {
		t.Errorf("the certificate: %+v, %v", again, err)
	}
	// After an erasure no answer that named somebody is kept, and nothing is done twice.
	if _, err := program.EnrolPerson(ctx, key, q); gatehouse.ErrorCode(err) != "request.unfinished" {
		t.Errorf("an answer of before the erasure: %v", err)
	}

	paths := doc.Gets()
	if len(paths) < 12 {
		t.Fatalf("only %v", paths)
	}
	// What is no 200 here: some routes are for people, there is no car park, and no period was
	// closed. That a program hears so is in the document, too.
	answers := map[string]int{"/api/v1/attendance/own": http.StatusUnauthorized, "/api/v1/attendance/exports": http.StatusUnauthorized, "/api/v1/attendance/pay": http.StatusUnauthorized, "/api/v1/attendance/pay/{id}/problems": http.StatusUnauthorized,
		"/api/v1/attendance/people/{id}/pay": http.StatusUnauthorized, "/api/v1/attendance/own/payslips": http.StatusUnauthorized, "/api/v1/attendance/own/looks": http.StatusUnauthorized, "/api/v1/attendance/own/swaps": http.StatusUnauthorized, "/api/v1/parking/rights": http.StatusForbidden, "/api/v1/parking/accounts": http.StatusForbidden, "/api/v1/parking/shops": http.StatusForbidden, "/api/v1/parking/kiosks": http.StatusForbidden,
		"/api/v1/attendance/people/{id}/differences": http.StatusNotFound, "/api/v1/parking/exits/{id}/candidates": http.StatusNotFound, "/api/v1/parking/stays/{id}": http.StatusNotFound, "/api/v1/parking/tariffs/{name}": http.StatusNotFound}
	spans := []string{"/api/v1/attendance/people", "/api/v1/attendance/people/{id}", "/api/v1/attendance/people/{id}/differences", "/api/v1/attendance/performance", "/api/v1/parking/books/report"}
	for _, path := range paths {
		id := person.Subject.String()
		switch {
		case strings.Contains(path, "/passages/"):
			id = p.ID.String()
		case strings.Contains(path, "/erasures/"):
			id = erased.Certificate.ID.String()
		case strings.Contains(path, "/devices/"):
			id = "tablet"
		}
		asked := strings.NewReplacer("{id}", id, "{gate}", "front-door", "{name}", "none").Replace(path)
		if slices.Contains(spans, path) {
			asked += "?from=2026-11-01&until=2026-11-30"
		}
		w, b := get(asked)
		if want := answers[path]; w.StatusCode != max(want, http.StatusOK) {
			t.Errorf("%s: %d %s", path, w.StatusCode, b)
		}
		if err := doc.Check("GET "+path, w.StatusCode, w.Header.Get("Content-Type"), b); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for _, no := range []string{"Mei Lin", "110101199003070000", "04A1B2C3", "XK 4521", "XK4521", made.Token, passphrase} {
			if bytes.Contains(b, []byte(no)) {
				t.Errorf("%s says %q", path, no)
			}
		}
	}
	if err := program.RevokeDevice(ctx, "tablet"); err != nil {
		t.Error(err)
	}
	if list, err := program.Devices(ctx); err != nil || len(list.Devices) != 1 || list.Devices[0].Shows != "revoked" {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := program.Disclosures(ctx, gatehouse.ID{}, 10); err != nil {
		t.Errorf("%+v, %v", list, err)
	}
	if h, err := program.Health(ctx); err != nil || !h.Running {
		t.Errorf("%+v, %v", h, err)
	}
	if list, err := c0.Gates(ctx); err != nil || len(list.Gates) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// A program that was away while the server was started anew is told what it missed, once
// and in order, and its stream ends with its token.
func TestEventsOverARestart(t *testing.T) {
	c := testConfig(t)
	ctx := t.Context()
	s := open(t, c)
	ended := serving(t, s)
	a := s.Admin()
	if _, err := a.EnrollPerson(ctx, wire.EnrollPersonRequest{Label: "B-1", Record: gatehouse.PersonRecord{Name: "Mei Lin"}, Card: "04A1B2C3", Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}); err != nil {
		t.Fatal(err)
	}
	addDevice(t, s, "tablet")
	made, err := a.AddToken(ctx, wire.TokenAddRequest{Name: "display", Hours: 1})
	if err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	// listen takes n passages behind an event, and gives their ids and the last event's.
	listen := func(s *Server, after string, n int) (ids []gatehouse.ID, last string) {
		t.Helper()
		within, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		err := client.AsProgram(nil, s.auth.BaseURL(), made.Token).Events(within, "", after, func(e client.Event) error {
			switch e.Kind {
			case "passage":
				ids, last = append(ids, e.Passage.ID), e.ID
				if e.Passage.Gate != "front-door" || e.Passage.At.IsZero() {
					t.Errorf("told %+v", e.Passage)
				}
			case "gap":
				t.Errorf("something was missed since %v", e.Gap.Since)
			}
			if len(ids) == n {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Fatalf("%d of %d passages: %v", len(ids), n, err)
		}
		return ids, last
	}
	// Cards are shown until one is told of: who has just come is told of what is new only.
	var want []gatehouse.ID
	told, shown := make(chan bool), make(chan bool)
	go func() {
		defer close(shown)
		for {
			select {
			case <-told:
				return
			case <-time.After(500 * time.Millisecond):
			}
			got, err := s.Post(ctx, gatehouse.Capture{Device: "tablet", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: "04A1B2C3"})
			if err != nil || len(got) != 1 {
				t.Errorf("%d passages, %v", len(got), err)
				return
			}
			want = append(want, got[0].ID)
		}
	}()
	first, last := listen(s, "", 1)
	close(told)
	<-shown
	at := slices.Index(want, first[0])
	if at < 0 {
		t.Fatalf("told %v, want one of %v", first, want)
	}
	want = want[at:]
	for range 3 {
		want = append(want, card(t, s, "tablet", "04A1B2C3").ID)
	}
	ended()
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	run(t, s)
	a = s.Admin()
	want = append(want, card(t, s, "tablet", "04A1B2C3").ID)
	missed, _ := listen(s, last, len(want)-1)
	if !slices.Equal(missed, want[1:]) {
		t.Errorf("missed %v, told %v", want[1:], missed)
	}
	over := make(chan error, 1)
	go func() {
		over <- client.AsProgram(nil, s.auth.BaseURL(), made.Token).Events(ctx, "", "", func(client.Event) error { return nil })
	}()
	time.Sleep(300 * time.Millisecond)
	if err := a.RevokeToken(ctx, "display"); err != nil {
		t.Fatal(err)
	}
	card(t, s, "tablet", "04A1B2C3")
	select {
	case err := <-over:
		if gatehouse.ErrorCode(err) != "token.refused" {
			t.Errorf("the stream of a revoked token ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the stream of a revoked token goes on")
	}
}

// What happens is posted to a webhook, signed, under opaque ids, also what happened while
// its receiver and the server were away; an erasure counts for what was not told yet.
func TestWebhooksOverTheServer(t *testing.T) {
	c := testConfig(t)
	ctx := t.Context()
	var mu sync.Mutex
	down := false
	got := map[string][]wire.WebhookMessage{}
	var verify func([]byte, http.Header) error
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if err := verify(body, r.Header); err != nil {
			t.Error("the receiver refuses it:", err)
		}
		for _, no := range []string{"Mei Lin", "04A1B2C3", "B-1"} {
			if bytes.Contains(body, []byte(no)) {
				t.Errorf("a message says %q", no)
			}
		}
		var m wire.WebhookMessage
		if err := json.Unmarshal(body, &m); err != nil {
			t.Error(err)
		}
		id := r.Header.Get("webhook-id")
		got[id] = append(got[id], m)
	}))
	defer receiver.Close()
	// arrived are the passages that were told of, by kind.
	arrived := func(kind string) (ids []gatehouse.ID) {
		mu.Lock()
		defer mu.Unlock()
		for id, all := range got {
			if len(all) > 1 {
				t.Errorf("message %s arrived %d times", id, len(all))
			}
			if all[0].Type == kind && all[0].Data.Passage != nil {
				ids = append(ids, all[0].Data.Passage.ID)
			}
		}
		return ids
	}
	await := func(what string, ready func() bool) {
		t.Helper()
		for until := time.Now().Add(30 * time.Second); !ready(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%s did not come", what)
			}
		}
	}
	s := open(t, c)
	ended := serving(t, s)
	a := client.OverSocket(SocketPath(c))
	person, err := a.EnrollPerson(ctx, wire.EnrollPersonRequest{Label: "B-1", Record: gatehouse.PersonRecord{Name: "Mei Lin"}, Card: "04A1B2C3", Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}})
	if err != nil {
		t.Fatal(err)
	}
	addDevice(t, s, "tablet")
	earlier := card(t, s, "tablet", "04A1B2C3").ID
	if _, err := a.AddWebhook(ctx, wire.WebhookAddRequest{Name: "payroll", URL: receiver.URL}); gatehouse.ErrorCode(err) != "webhook.address" {
		t.Errorf("http on this machine without saying so: %v", err)
	}
	made, err := a.AddWebhook(ctx, wire.WebhookAddRequest{Name: "payroll", URL: receiver.URL, Local: true})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := standardwebhooks.NewWebhook(made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	verify = theirs.Verify
	if _, err := a.TestWebhook(ctx, "payroll"); err != nil {
		t.Fatal(err)
	}
	first := card(t, s, "tablet", "04A1B2C3")
	await("the first", func() bool { return slices.Contains(arrived("gatehouse.passage"), first.ID) })
	await("the test", func() bool { mu.Lock(); defer mu.Unlock(); return len(got) >= 2 })
	if slices.Contains(arrived("gatehouse.passage"), earlier) {
		t.Error("told of what was before it was added")
	}
	mu.Lock()
	down = true
	mu.Unlock()
	away := card(t, s, "tablet", "04A1B2C3").ID
	await("a try in vain", func() bool {
		list, err := a.Deliveries(ctx, "payroll", gatehouse.ID{}, 10)
		return err == nil && slices.ContainsFunc(list.Deliveries, func(d wire.Delivery) bool { return d.Passage == away && d.Answer == 503 && d.Attempts == 1 })
	})
	ended()
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	down = false
	mu.Unlock()
	s = open(t, c)
	run(t, s)
	a = client.OverSocket(SocketPath(c))
	await("what was missed", func() bool { return slices.Contains(arrived("gatehouse.passage"), away) })

	// After an erasure a replay tells of the same passage under the id that replaced it.
	if _, err := a.Erase(ctx, wire.EraseRequest{Subject: person.Subject}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	clear(got)
	mu.Unlock()
	if r, err := a.ReplayWebhook(ctx, "payroll", wire.ReplayRequest{All: true}); err != nil || r.Messages < 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	await("the replay", func() bool { return slices.Contains(arrived("gatehouse.passage"), first.ID) })
	mu.Lock()
	for _, all := range got {
		if p := all[0].Data.Passage; p != nil && p.Subject == person.Subject {
			t.Error("an erased subject's id was told")
		}
	}
	mu.Unlock()
	if list, err := a.Webhooks(ctx); err != nil || len(list.Webhooks) != 1 || list.Webhooks[0].Last == nil {
		t.Errorf("%+v, %v", list, err)
	}
	if err := a.RemoveWebhook(ctx, "payroll"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Deliveries(ctx, "payroll", gatehouse.ID{}, 10); gatehouse.ErrorCode(err) != "webhook.unknown" {
		t.Errorf("a removed one's messages: %v", err)
	}
}
