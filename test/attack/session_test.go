package attack

import (
	"net/http"
	"testing"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// A session that an attacker chose in advance is never anybody's: whoever enters gets a new
// one, the chosen one stays worthless, and one of before does not grow with the person.
func TestAChosenSession(t *testing.T) {
	w := newWorld(t, "x")
	admin := w.server.Admin()
	made, err := admin.AddAccount(t.Context(), wire.AccountAddRequest{Login: "victim", Roles: []string{"site-manager"}})
	if err != nil {
		t.Fatal(err)
	}
	attackers := w.account(t, gatehouse.Auditor)
	for name, chosen := range map[string]*http.Cookie{"an invented session": {Name: auth.CookieName, Value: auth.NewToken()}, "the attacker's own": attackers} {
		for _, link := range []string{made.Link, minted(t, w, "victim"), minted(t, w, "victim")} {
			q, err := http.NewRequest(http.MethodGet, link, nil)
			if err != nil {
				t.Fatal(err)
			}
			q.AddCookie(&http.Cookie{Name: chosen.Name, Value: chosen.Value})
			answer, err := w.client.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			for _, c := range answer.Cookies() {
				if c.Name == auth.CookieName && c.Value == chosen.Value {
					t.Errorf("%s is taken over by who entered", name)
				}
			}
			// What the attacker still has opens what it did before, and no more.
			answer, _, err = w.do(http.MethodGet, "/people", try{cookie: chosen})
			if err != nil || answer.StatusCode == http.StatusOK {
				t.Errorf("%s opens the victim's pages: %v, %v", name, answer, err)
			}
		}
	}
	// A spent link gives nobody a session.
	answer, err := w.client.Get(made.Link)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if len(answer.Cookies()) > 0 && answer.Cookies()[0].Value != "" && answer.StatusCode < 400 {
		t.Errorf("a spent link: %d, %v", answer.StatusCode, answer.Cookies())
	}
	// Nor does one that ended: it stays ended.
	ended := w.account(t, gatehouse.Auditor)
	if answer, _, err := w.do(http.MethodPost, "/leave", try{cookie: ended, header: map[string]string{"Sec-Fetch-Site": "same-origin"}}); err != nil || answer.StatusCode >= 400 {
		t.Fatalf("leaving: %v, %v", answer, err)
	}
	if answer, _, err := w.do(http.MethodGet, "/account", try{cookie: ended}); err != nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a session that has ended: %v, %v", answer, err)
	}
}

func minted(t *testing.T, w *world, login string) string {
	t.Helper()
	link, err := w.server.Admin().LinkAccount(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	return link.Link
}
