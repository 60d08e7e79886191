package server

import (
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
)

// Accounts outlive a restart, another gate key and the loss of the working set; every
// change and sign-in of them is in the audit log, which verifies.
func TestAccountsOfASite(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	s.opts.LocalSession = false
	link := run(t, s)
	if !strings.Contains(link, "/enter/") {
		t.Errorf("a site without an account starts with %q", link)
	}
	base := s.auth.BaseURL()
	socket := client.OverSocket(SocketPath(c))
	if l, err := socket.Link(t.Context()); err != nil || !strings.Contains(l.Link, "/enter/") {
		t.Errorf("a set-up link: %v", err)
	}
	invited, err := socket.AddAccount(t.Context(), wire.AccountAddRequest{Login: "guard-7", Name: "Mei Lin", Roles: []string{"guard:front-door"}})
	if err != nil || !strings.HasPrefix(invited.Link, base+"/enter/") || invited.Account.State != gatehouse.Invited {
		t.Fatalf("%+v, %v", invited.Account, err)
	}
	chief, err := socket.AddAccount(t.Context(), wire.AccountAddRequest{Login: "admin-1", Roles: []string{"administrator"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.accounts.AddPasskey(t.Context(), chief.Account.ID, gatehouse.Passkey{ID: []byte("id"), PublicKey: []byte("key")}); err != nil {
		t.Fatal(err)
	}
	_, err = socket.Link(t.Context())
	wantCode(t, err, "account.ready")
	_, err = socket.LinkAccount(t.Context(), "nobody")
	wantCode(t, err, "account.unknown")
	for _, bad := range []string{"root", "guard:no-such-gate", "guard", "device"} {
		_, err = socket.SetAccountRoles(t.Context(), "guard-7", wire.AccountRolesRequest{Roles: []string{bad}})
		wantCode(t, err, "account.roles")
	}
	_, err = socket.DisableAccount(t.Context(), "admin-1", wire.AccountDisableRequest{Disabled: true})
	wantCode(t, err, "account.last_administrator")

	// Somebody who lost their passkey is let in by whoever has the socket.
	l, err := socket.LinkAccount(t.Context(), "admin-1")
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	if w, err := browser.Get(l.Link); err != nil || w.StatusCode != http.StatusOK || w.Request.URL.Path != "/accounts" {
		t.Fatalf("the administrator's first page: %v, %v", w, err)
	}
	for path, want := range map[string]int{"/accounts": 200, "/people": 403, "/passages": 403, "/api/v1/passages": 403, "/disclosures": 403} {
		w, err := browser.Get(base + path)
		if err != nil || w.StatusCode != want {
			t.Errorf("an administrator at %s: %v, %v", path, w.StatusCode, err)
		}
	}
	if list, err := socket.Accounts(t.Context()); err != nil || len(list.Accounts) != 2 || list.Accounts[0].Sessions != 1 || list.Accounts[1].Name != "Mei Lin" {
		t.Errorf("%+v, %v", list, err)
	}
	if err := rotateToTheEnd(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[gatehouse.LeafKind][]string{
		gatehouse.AccountLeafKind: {"passkey-added", "added", "added"}, gatehouse.SignInLeafKind: {"link"}} {
		var got []string
		awaitStatus(t, s, func(wire.Status) bool {
			page, err := socket.AuditEntries(t.Context(), wire.AuditQuery{Kind: kind, Limit: 10})
			got = nil
			for _, e := range page.Entries {
				got = append(got, e.Fields[0].Value)
				for _, f := range e.Fields {
					if strings.Contains(f.Value, "Mei") || strings.Contains(f.Value, "guard-7") {
						t.Errorf("the log names somebody: %+v", e)
					}
				}
			}
			return err == nil && len(got) == len(want)
		})
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", kind, got)
		}
	}
	if r, err := socket.AuditVerify(t.Context(), wire.AuditVerifyRequest{}); err != nil || !r.OK {
		t.Errorf("the log does not verify: %+v, %v", r, err)
	}
}

// What the working set loses comes back from its escrow, accounts with it.
func TestAccountsAreRebuilt(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	made, err := s.Admin().AddAccount(t.Context(), wire.AccountAddRequest{Login: "guard-7", Name: "Mei Lin", Roles: []string{"guard:front-door"}})
	if err != nil || !strings.HasPrefix(made.Link, "http://localhost") {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"site.db", "working.db", "working.db-wal"} {
		if b, _ := os.ReadFile(filepath.Join(c.Data, "db", name)); strings.Contains(string(b), "Mei Lin") || strings.Contains(string(b), "guard-7") {
			t.Errorf("%s shows an account", name)
		}
	}
	if err := os.Remove(filepath.Join(c.Data, "db", "working.db")); err != nil {
		t.Fatal(err)
	}
	if _, err := RebuildWorkingSet(t.Context(), c, gatehouse.Passphrase([]byte(passphrase)), slog.New(slog.DiscardHandler), func(int) {}); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	list, err := s.Admin().Accounts(t.Context())
	if err != nil || len(list.Accounts) != 1 || list.Accounts[0].ID != made.Account.ID || list.Accounts[0].Name != "Mei Lin" || list.Accounts[0].Roles[0] != "guard@main:front-door" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestSignInConfig(t *testing.T) {
	for text, want := range map[string]string{
		"sign_in: {relying_party: 127.0.0.1}":                                                                   "never to an IP address",
		"sign_in: {relying_party: intranet}":                                                                    "full name",
		"sign_in: {idle: 10s}":                                                                                  "idle",
		"sign_in: {idle: 2h, absolute: 1h}":                                                                     "longer than absolute",
		"sign_in: {absolute: 48h}":                                                                              "absolute",
		"sign_in: {fresh: 24h}":                                                                                 "fresh",
		"sign_in: {oidc: {issuer: http://login.example.org, client_id: x}}":                                     "https",
		"sign_in: {oidc: {issuer: https://login.example.org}}":                                                  "client_id",
		"sign_in: {oidc: {client_id: x}}":                                                                       "issuer",
		"sign_in: {oidc: {issuer: https://l.example.org, client_id: x, domains: [\"*.org\"]}}":                  "domains",
		"sign_in: {oidc: {issuer: https://l.example.org, client_id: x, roles_claim: groups}}":                   "belong together",
		"sign_in: {oidc: {issuer: https://l.example.org, client_id: x, secret: \"hunter 2 hunter\"}}":           "names a secret",
		"sign_in: {oidc: {issuer: https://l.example.org, client_id: x, roles_claim: groups, roles: {a: root}}}": "no role",
	} {
		if _, err := LoadConfig(write(t, text+"\n"), nil); gatehouse.ErrorCode(err) != "config.invalid" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %v", text, err)
		}
	}
	c, err := LoadConfig(write(t, "listen: 127.0.0.1:8080\nsign_in: {totp: true, oidc: {issuer: https://l.example.org, client_id: x, roles_claim: groups, roles: {a: \"guard:front-door\"}}}\n"), nil)
	if err != nil || c.baseURL("8080") != "http://localhost:8080" {
		t.Errorf("%v, %s", err, c.baseURL("8080"))
	}
}
