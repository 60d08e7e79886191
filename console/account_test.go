package console_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console/consoletest"
)

// as signs an account in by a link.
func as(t *testing.T, s *consoletest.Site, a gatehouse.Account) *guard {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	link := s.Auth.MintFor(a.ID)
	base, _, _ := strings.Cut(link, "/enter/")
	g := &guard{t, base, &http.Client{Jar: jar}}
	w, err := g.http.Get(link)
	if err != nil || w.StatusCode != http.StatusOK {
		t.Fatalf("the link answered %v, %v", w, err)
	}
	w.Body.Close()
	return g
}

// code is the one-time code of a secret, by RFC 6238 written a second time.
func code(secret string, at time.Time) string {
	key, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(secret, " ", ""))
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/30)))
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1_000_000)
}

func TestCodesFromTheFirstToTheNext(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := consoletest.New(func() time.Time { return now }, time.UTC, nil)
	t.Cleanup(s.Close)
	a := s.Account("manager-1", gatehouse.Assignment{Role: gatehouse.SiteManager})
	g := as(t, s, a)
	_, page := g.get("/account/code")
	secret := regexp.MustCompile(`<code class="command">([A-Z2-7 ]+)</code>`).FindStringSubmatch(page)
	if secret == nil || !strings.Contains(page, `class="dots"`) {
		t.Fatalf("no secret on the page: %s", page)
	}
	if status, body := g.post("/account/code", url.Values{"code": {"000000"}}); status != http.StatusForbidden || !strings.Contains(body, secret[1]) {
		t.Errorf("a wrong code: %d", status)
	}
	if keys, _ := s.Accounts.Keys(a.ID); keys.TOTP != "" {
		t.Error("a secret counts that nobody confirmed")
	}
	c := code(secret[1], now)
	if status, body := g.post("/account/code", url.Values{"code": {c[:3] + " " + c[3:]}}); status != 200 || !strings.Contains(body, "One-time code") {
		t.Errorf("the code: %d", status)
	}
	// In another browser: the code that set it up is spent, the next one works.
	now = now.Add(30 * time.Second)
	jar, _ := cookiejar.New(nil)
	other := &guard{t, g.base, &http.Client{Jar: jar}}
	for _, try := range []struct {
		login, code string
		want        int
	}{{"manager-1", c, 403}, {"manager-1", "", 403}, {"nobody", code(secret[1], now), 403}, {"manager-1", code(secret[1], now), 200}} {
		if status, body := other.post("/signin/code", url.Values{"login": {try.login}, "code": {try.code}}); status != try.want || strings.Contains(body, secret[1]) {
			t.Errorf("%s with a code: %d, want %d", try.login, status, try.want)
		}
	}
	// Showing it once more: the page goes on to this console only.
	now = now.Add(11 * time.Minute)
	if _, body := other.get("/account/code"); !strings.Contains(body, "Show once more who you are") || !strings.Contains(body, `name="next" value="/account/code"`) {
		t.Error("an old proof set up codes")
	}
	for _, next := range []string{"//evil.example", "https://evil.example/", `/\evil.example`, "javascript:alert(1)", "/a\r\nX: y"} {
		if _, body := other.get("/again?" + url.Values{"next": {next}}.Encode()); strings.Contains(body, "evil") || strings.Contains(body, "javascript:") {
			t.Errorf("it would go on to %q", next)
		}
	}
	if status, body := other.post("/again/code", url.Values{"code": {code(secret[1], now)}, "next": {"/account"}}); status != 200 || !strings.Contains(body, "My account") {
		t.Errorf("again: %d", status)
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	s := consoletest.New(nil, time.UTC, nil)
	t.Cleanup(s.Close)
	a, b := s.Account("manager-1", gatehouse.Assignment{Role: gatehouse.SiteManager}), s.Account("admin-1", gatehouse.Assignment{Role: gatehouse.Administrator})
	first, second, admin := as(t, s, a), as(t, s, a), as(t, s, b)
	newest := s.Auth.Sessions(a.ID)[0].Key
	if _, body := first.get("/account"); !strings.Contains(body, newest) || !strings.Contains(body, "second passkey") {
		t.Error("the other session is not listed, or one passkey is enough")
	}
	// Somebody else's session is not one's own to end.
	first.post("/account/sessions/"+s.Auth.Sessions(b.ID)[0].Key+"/end", nil)
	if status, _ := admin.get("/accounts"); status != 200 {
		t.Error("somebody else's session was ended")
	}
	first.post("/account/sessions/"+newest+"/end", nil)
	if status, _ := second.get("/account"); status != http.StatusUnauthorized {
		t.Errorf("the ended session got %d", status)
	}
	if status, _ := first.get("/account"); status != 200 {
		t.Error("both ended")
	}
	admin.post("/accounts/"+a.ID.String()+"/sessions/"+s.Auth.Sessions(a.ID)[0].Key+"/end", nil)
	if status, _ := first.get("/account"); status != http.StatusUnauthorized {
		t.Errorf("the session that an administrator ended got %d", status)
	}
}

func TestAnAdministratorsForms(t *testing.T) {
	s := consoletest.New(nil, time.UTC, nil)
	t.Cleanup(s.Close)
	boss := s.Account("admin-1", gatehouse.Assignment{Role: gatehouse.Administrator})
	g := as(t, s, boss)
	status, body := g.post("/accounts", url.Values{"login": {"guard-7"}, "name": {"<b>Mei</b>"}, "role": {"guard"}, "gates-guard": {"front-door"},
		"state": {"enabled"}, "id": {boss.ID.String()}, "org": {"other"}, "revision": {"9"}})
	if status != 200 || !strings.Contains(body, "/enter/") || strings.Contains(body, "<b>Mei") {
		t.Fatalf("adding: %d", status)
	}
	a, ok := s.Accounts.ByLogin("guard-7")
	if !ok || a.State != gatehouse.Invited || a.Org != "acme" || a.ID == boss.ID || a.Roles[0].String() != "guard@hq:front-door" {
		t.Errorf("the form set more than it shows: %+v", a.Roles)
	}
	page := "/accounts/" + a.ID.String()
	for name, c := range map[string]struct {
		path string
		form url.Values
		want int
	}{
		"no such role":       {page + "/roles", url.Values{"role": {"root"}}, 422},
		"a device's role":    {page + "/roles", url.Values{"role": {"device"}}, 422},
		"a guard, no gate":   {page + "/roles", url.Values{"role": {"guard"}}, 422},
		"a gate not there":   {page + "/roles", url.Values{"role": {"guard"}, "gates-guard": {"vault"}}, 422},
		"no such account":    {"/accounts/" + gatehouse.RandomID().String() + "/disable", nil, 404},
		"no id":              {"/accounts/x/disable", nil, 404},
		"the last of them":   {"/accounts/" + boss.ID.String() + "/disable", nil, 422},
		"the same login":     {"/accounts", url.Values{"login": {"guard-7"}}, 422},
		"a huge form":        {page + "/roles", url.Values{"role": {strings.Repeat("x", 1<<16)}}, 400},
		"other roles":        {page + "/roles", url.Values{"role": {"hr", "parking-operator"}, "gates-parking-operator": {"car-park"}}, 200},
		"a fresh invitation": {page + "/invite", nil, 200},
	} {
		if status, _ := g.post(c.path, c.form); status != c.want {
			t.Errorf("%s: %d, want %d", name, status, c.want)
		}
	}
	if a, _ = s.Accounts.Account(a.ID); len(a.Roles) != 2 || a.Roles[1].String() != "parking-operator@hq:car-park" {
		t.Errorf("roles %v", a.Roles)
	}
	for _, step := range []struct {
		what string
		want gatehouse.AccountState
	}{{"disable", gatehouse.Disabled}, {"enable", gatehouse.Invited}} {
		g.post(page+"/"+step.what, nil)
		if a, _ = s.Accounts.Account(a.ID); a.State != step.want {
			t.Errorf("after %s: %s", step.what, a.State)
		}
	}
	g.get("/accounts?lang=zh")
	for _, path := range []string{"/accounts", page, "/account", "/signin"} {
		if status, body := g.get(path); status != 200 || !strings.Contains(body, `<html lang="zh-CN">`) || !strings.Contains(body, "登录") {
			t.Errorf("%s in Chinese: %d", path, status)
		}
	}
	if g.post(page+"/remove", nil); len(s.Accounts.List()) != 1 {
		t.Error("the account is still there")
	}
	// What an account did not get it cannot give itself.
	manager := as(t, s, s.Account("manager-1", gatehouse.Assignment{Role: gatehouse.SiteManager}))
	m, _ := s.Accounts.ByLogin("manager-1")
	if status, _ := manager.post("/accounts/"+m.ID.String()+"/roles", url.Values{"role": {"administrator"}}); status != http.StatusForbidden {
		t.Errorf("a manager made themselves administrator: %d", status)
	}
}
