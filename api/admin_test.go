package api_test

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/client"
)

var _ api.Admin = (*client.Client)(nil)

func (w *world) EnrollPerson(_ context.Context, r wire.EnrollPersonRequest) (wire.EnrollResponse, error) {
	w.people = append(w.people, r)
	return wire.EnrollResponse{Subject: gatehouse.SubjectID{7}, Templates: len(r.Photos)}, w.fail
}

func (w *world) EnrollVehicle(_ context.Context, r wire.EnrollVehicleRequest) (wire.EnrollResponse, error) {
	w.enrolled = append(w.enrolled, r)
	if w.entered != nil {
		w.entered <- struct{}{}
		<-w.leave
	}
	return wire.EnrollResponse{Subject: gatehouse.SubjectID{8, byte(len(w.enrolled) - 1)}}, w.fail
}

func (w *world) Subjects(_ context.Context, after gatehouse.SubjectID, limit int) (wire.SubjectsResponse, error) {
	return wire.SubjectsResponse{Subjects: []wire.Subject{{ID: after, Label: "Staff", Kind: gatehouse.PersonSubject}}, Next: gatehouse.SubjectID{byte(limit)}}, w.fail
}

func (w *world) SetStatus(_ context.Context, _ gatehouse.SubjectID, _ gatehouse.SubjectStatus) error {
	return w.fail
}

func (w *world) WithdrawConsent(context.Context, gatehouse.SubjectID) error { return w.fail }

func (w *world) AddDevice(_ context.Context, r wire.DeviceAddRequest) (wire.DeviceAddResponse, error) {
	return wire.DeviceAddResponse{ID: r.ID, Token: "secret"}, w.fail
}

func (w *world) Seal(context.Context) (wire.VaultStatus, error) { return wire.VaultStatus{}, w.fail }

func (w *world) Link(context.Context) (wire.LinkResponse, error) {
	return wire.LinkResponse{Link: "http://localhost:8080/enter/x"}, w.fail
}

func (w *world) Status(context.Context) (wire.Status, error) {
	return wire.Status{Org: "acme", Vault: wire.VaultStatus{Unsealed: true}}, w.fail
}

// overSocket serves w on an admin socket and returns the command line's client.
func overSocket(t *testing.T, w *world) *client.Client {
	t.Helper()
	_, handler := serve(t, w, nil)
	path := filepath.Join(t.TempDir(), "admin.sock")
	l, err := auth.ListenAdmin(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: handler}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return client.OverSocket(path)
}

func TestTheClientSaysWhatTheServerHears(t *testing.T) {
	w := &world{}
	c, ctx := overSocket(t, w), t.Context()
	sent := wire.EnrollPersonRequest{Label: "Staff 7", Record: gatehouse.PersonRecord{Name: "陈志远", NationalID: "110101199003070000"},
		Photos: [][]byte{{0xff, 0xd8, 1}, {0xff, 0xd8, 2}}, Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}, ConsentGiven: true,
		ConsentHow: "reference", ConsentRef: "file 12", DistinctFrom: gatehouse.SubjectID{9}, Card: "04A1", PIN: "4711",
		ValidFrom: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	got, err := c.EnrollPerson(ctx, sent)
	if err != nil || got.Templates != 2 || got.Subject != (gatehouse.SubjectID{7}) {
		t.Fatalf("%+v, %v", got, err)
	}
	if !reflect.DeepEqual(w.people[0], sent) {
		t.Errorf("sent  %#v\nheard %#v", sent, w.people[0])
	}
	if v, err := c.EnrollVehicle(ctx, wire.EnrollVehicleRequest{Label: "Van"}); err != nil || v.Subject != (gatehouse.SubjectID{8}) {
		t.Errorf("%+v, %v", v, err)
	}
	if s, err := c.Subjects(ctx, gatehouse.SubjectID{5}, 11); err != nil || s.Subjects[0].ID != (gatehouse.SubjectID{5}) || s.Next != (gatehouse.SubjectID{11}) {
		t.Errorf("%+v, %v", s, err)
	}
	if d, err := c.AddDevice(ctx, wire.DeviceAddRequest{ID: "cam", Kind: gatehouse.Camera, Gate: "front-door"}); err != nil || d.Token != "secret" {
		t.Errorf("%+v, %v", d, err)
	}
	if v, err := c.UnsealWith(ctx, right, 90*time.Second); err != nil || !v.Unsealed || v.Until.Unix() != 90 {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := c.Seal(ctx); err != nil || v.Unsealed {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := c.VaultStatus(ctx); err != nil || !v.Unsealed {
		t.Errorf("%+v, %v", v, err)
	}
	if g, err := c.RotateGallery(ctx); err != nil || g.Templates != 1 {
		t.Errorf("%+v, %v", g, err)
	}
	if l, err := c.Link(ctx); err != nil || !strings.Contains(l.Link, "/enter/") {
		t.Errorf("%+v, %v", l, err)
	}
	if s, err := c.Status(ctx); err != nil || s.Org != "acme" {
		t.Errorf("%+v, %v", s, err)
	}
	if err := c.SetStatus(ctx, gatehouse.SubjectID{1}, gatehouse.SuspendedStatus); err != nil {
		t.Error(err)
	}
	if _, err := c.Passages(ctx, "front-door", gatehouse.ID{}, 5); err != nil {
		t.Error(err)
	}
}

func TestTheClientsErrorsAreTheServers(t *testing.T) {
	w := &world{}
	c, ctx := overSocket(t, w), t.Context()
	for name, do := range map[string]func() error{
		"vault.credential": func() error { _, err := c.UnsealWith(ctx, gatehouse.Passphrase([]byte("x")), time.Hour); return err },
		"vault.duration":   func() error { _, err := c.UnsealWith(ctx, right, 25*time.Hour); return err },
		"enroll.too_many_photos": func() error {
			_, err := c.EnrollPerson(ctx, wire.EnrollPersonRequest{Photos: make([][]byte, wire.MaxPhotos+1)})
			return err
		},
		"face.known": func() error {
			w.fail = gatehouse.Errorf("face.known", "give --distinct-from for twins", "this face is enrolled")
			_, err := c.EnrollPerson(ctx, wire.EnrollPersonRequest{})
			return err
		},
	} {
		err := do()
		if gatehouse.ErrorCode(err) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.SetStatus(ctx, gatehouse.SubjectID{1}, "erased"); gatehouse.ErrorCode(err) != "request.malformed" {
		t.Errorf("an unknown status: %v", err)
	}
	if _, err := client.OverSocket(filepath.Join(t.TempDir(), "none")).Status(ctx); gatehouse.ErrorCode(err) != "client.unreachable" {
		t.Errorf("no server: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) })}
	go s.Serve(l)
	defer s.Close()
	if _, err := client.AsDevice("http://"+l.Addr().String(), "t").PostFrame(ctx, "cam", "image/jpeg", []byte("x")); gatehouse.ErrorCode(err) != "client.answer" {
		t.Errorf("another program's answer: %v", err)
	}
}

func FuzzCredential(f *testing.F) {
	f.Add(`{"kind":"pin","value":"4711"}`)
	f.Add(`{"kind":"card","value":"\u0000","at":"2026-01-01T00:00:00Z"}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, body string) {
		w := &world{}
		tcp, _ := serve(t, w, nil)
		r := send(tcp, "POST", "/api/v1/devices/cam/credentials", body, jsonToken...)
		if r.Code >= 500 {
			t.Errorf("%q got %d", body, r.Code)
		}
		if (r.Code == http.StatusAccepted) != (len(w.posted) == 1) {
			t.Errorf("%q got %d and %d captures", body, r.Code, len(w.posted))
		}
	})
}

func (w *world) AddToken(_ context.Context, r wire.TokenAddRequest) (wire.TokenAddResponse, error) {
	return wire.TokenAddResponse{AccessToken: wire.AccessToken{Name: r.Name, Scopes: r.Scopes}, Token: "shown once"}, w.fail
}

func (w *world) Tokens(context.Context) (wire.TokensResponse, error) {
	return wire.TokensResponse{Tokens: []wire.AccessToken{{Name: "payroll"}}}, w.fail
}

func (w *world) RevokeToken(context.Context, string) error { return w.fail }

func (w *world) AddWebhook(_ context.Context, r wire.WebhookAddRequest) (wire.WebhookAddResponse, error) {
	return wire.WebhookAddResponse{Webhook: wire.Webhook{Name: r.Name, URL: r.URL}, Secret: "whsec_x"}, w.fail
}

func (w *world) Webhooks(context.Context) (wire.WebhooksResponse, error) {
	return wire.WebhooksResponse{Webhooks: []wire.Webhook{{Name: "payroll"}}}, w.fail
}

func (w *world) PauseWebhook(context.Context, string, wire.WebhookPauseRequest) error { return w.fail }

func (w *world) RemoveWebhook(context.Context, string) error { return w.fail }

func (w *world) TestWebhook(context.Context, string) (wire.Delivery, error) {
	return wire.Delivery{Kind: gatehouse.TestHook}, w.fail
}

func (w *world) Deliveries(_ context.Context, _ string, before gatehouse.ID, limit int) (wire.DeliveriesResponse, error) {
	return wire.DeliveriesResponse{Deliveries: []wire.Delivery{{ID: before, Attempts: limit}}}, w.fail
}

func (w *world) ReplayWebhook(_ context.Context, _ string, r wire.ReplayRequest) (wire.ReplayResponse, error) {
	return wire.ReplayResponse{Messages: map[bool]int{true: 2, false: 1}[r.All]}, w.fail
}

// What the command line asks about tokens and webhooks arrives as it was asked.
func TestTokensAndWebhooksOverTheSocket(t *testing.T) {
	c, ctx := overSocket(t, &world{}), t.Context()
	if got, err := c.AddToken(ctx, wire.TokenAddRequest{Name: "display", Scopes: []gatehouse.Permission{gatehouse.SeeStatus}}); err != nil || got.Name != "display" || got.Token == "" || got.Scopes[0] != gatehouse.SeeStatus {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := c.Tokens(ctx); err != nil || len(got.Tokens) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.RevokeToken(ctx, "display"); err != nil {
		t.Error(err)
	}
	if got, err := c.AddWebhook(ctx, wire.WebhookAddRequest{Name: "payroll", URL: "https://x.example/y?z=1"}); err != nil || got.URL != "https://x.example/y?z=1" || got.Secret == "" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := c.Webhooks(ctx); err != nil || len(got.Webhooks) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := c.TestWebhook(ctx, "payroll"); err != nil || got.Kind != gatehouse.TestHook {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := c.Deliveries(ctx, "payroll", gatehouse.ID{3}, 7); err != nil || got.Deliveries[0].ID != (gatehouse.ID{3}) || got.Deliveries[0].Attempts != 7 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := c.ReplayWebhook(ctx, "payroll", wire.ReplayRequest{All: true}); err != nil || got.Messages != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.RemoveWebhook(ctx, "payroll"); err != nil {
		t.Error(err)
	}
}
