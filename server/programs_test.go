package server

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
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
