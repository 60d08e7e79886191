package auth

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"
)

// colleague is somebody at the provider.
type colleague struct {
	mockoidc.MockUser
	verified bool
	auth     int64 // auth_time; 0: the provider does not say
	groups   []string
	nonce    string // "" is the one that was asked for
}

// Claims implements mockoidc.User.
func (c *colleague) Claims(_ []string, base *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	if c.nonce != "" {
		base.Nonce = c.nonce
	}
	return struct {
		*mockoidc.IDTokenClaims
		Email    string   `json:"email,omitempty"`
		Verified bool     `json:"email_verified"`
		AuthTime int64    `json:"auth_time,omitempty"`
		Groups   []string `json:"groups,omitempty"`
	}{base, c.Email, c.verified, c.auth, c.groups}, nil
}

// outside is a provider and a site that trusts it.
type outside struct {
	*testing.T
	provider *mockoidc.MockOIDC
	auth     *Auth
	people   *people
	site     *httptest.Server
	begun    url.Values // of the last address that the provider was asked at
}

func singleSignOnSite(t *testing.T, change func(*OIDC)) *outside {
	t.Helper()
	m, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Shutdown() })
	o := &outside{T: t, provider: m, people: &people{all: map[gatehouse.AccountID]gatehouse.Account{}, keys: map[gatehouse.AccountID]gatehouse.AccountKeys{}}}
	config := &OIDC{Issuer: m.Issuer(), ClientID: m.ClientID, Secret: func() gatehouse.Secret { return gatehouse.Secret(m.ClientSecret) }}
	if change != nil {
		change(config)
	}
	o.site = httptest.NewUnstartedServer(nil)
	host := o.site.Listener.Addr().String()
	o.auth = New(Options{Place: here, BaseURL: "http://" + host, Hosts: []string{host}, Accounts: o.people, Log: o.people, OIDC: config})
	routes := append(roleRoutes(o.auth), o.auth.SingleSignOnRoutes(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("came")) }, refuse)...)
	o.site.Config.Handler = o.auth.Handler(TCP, routes, refuse)
	o.site.Start()
	t.Cleanup(o.site.Close)
	return o
}

// browse goes to the provider and back, in a browser with these cookies; stop ends it
// before the callback and gives that address.
func (o *outside) browse(jar http.CookieJar, from string, who *colleague, stop bool) (status int, callback string) {
	o.Helper()
	o.provider.QueueUser(who)
	client := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.Contains(r.URL.Path, "authorize") {
			o.begun = r.URL.Query()
		}
		if strings.HasSuffix(r.URL.Path, "/callback") && r.URL.Host == o.site.Listener.Addr().String() {
			callback = r.URL.String()
			if stop {
				return http.ErrUseLastResponse
			}
		}
		return nil
	}}
	w, err := client.Get(o.site.URL + from)
	if err != nil {
		o.Fatal(err)
	}
	w.Body.Close()
	return w.StatusCode, callback
}

func jar() http.CookieJar { j, _ := cookiejar.New(nil); return j }

func TestSingleSignOn(t *testing.T) {
	o := singleSignOnSite(t, nil)
	ana := &colleague{MockUser: mockoidc.MockUser{Subject: "ana", Email: "ana@example.org"}, verified: true}
	// Somebody whom nobody linked to an account is nobody.
	if code, _ := o.browse(jar(), "/signin/oidc", ana, false); code != 403 || len(o.people.all) != 0 {
		t.Errorf("a stranger: %d, %d accounts", code, len(o.people.all))
	}
	who := o.people.add("guard-7", gatehouse.AccountKeys{Outside: []gatehouse.OutsideIdentity{{Issuer: o.provider.Issuer(), Subject: "ana"}}}, gatehouse.Assignment{Role: gatehouse.SiteManager})
	j := jar()
	if code, _ := o.browse(j, "/signin/oidc", ana, false); code != 200 || len(o.auth.Sessions(who.ID)) != 1 || o.auth.Sessions(who.ID)[0].How != gatehouse.ByOIDC {
		t.Fatalf("she got %d, %d sessions", code, len(o.auth.Sessions(who.ID)))
	}
	if o.begun.Get("code_challenge_method") != "S256" || o.begun.Get("code_challenge") == "" || len(o.begun.Get("state")) != 43 || len(o.begun.Get("nonce")) != 43 {
		t.Errorf("the provider was asked with %v", o.begun)
	}
	get := func(j http.CookieJar, address string) int {
		w, err := (&http.Client{Jar: j}).Get(address)
		if err != nil {
			t.Fatal(err)
		}
		w.Body.Close()
		return w.StatusCode
	}
	if code := get(j, o.site.URL+"/live"); code != 200 {
		t.Errorf("her session got %d", code)
	}
	// The answer belongs to the browser that asked, and works once, with its own state.
	_, callback := o.browse(jar(), "/signin/oidc", ana, true)
	if code := get(jar(), callback); code != 403 {
		t.Errorf("another browser came back: %d", code)
	}
	j = jar()
	_, callback = o.browse(j, "/signin/oidc", ana, true)
	if code := get(j, strings.Replace(callback, "state=", "state=x", 1)); code != 403 {
		t.Errorf("with another state: %d", code)
	}
	if code := get(j, callback); code != 403 {
		t.Errorf("the challenge outlived a false answer: %d", code)
	}
	j = jar()
	_, callback = o.browse(j, "/signin/oidc", ana, true)
	if a, b := get(j, callback), get(j, callback); a != 200 || b != 403 {
		t.Errorf("twice: %d, %d", a, b)
	}
	evil := *ana
	evil.nonce = "another's"
	if code, _ := o.browse(jar(), "/signin/oidc", &evil, false); code != 403 {
		t.Errorf("a token of another sign-in: %d", code)
	}
	o.people.change(who.ID, func(a *gatehouse.Account) { a.State = gatehouse.Disabled })
	if code, _ := o.browse(jar(), "/signin/oidc", ana, false); code != 403 {
		t.Errorf("a disabled account: %d", code)
	}
}

func TestShowingOnceMoreByTheProvider(t *testing.T) {
	o := singleSignOnSite(t, nil)
	o.people.add("guard-7", gatehouse.AccountKeys{Outside: []gatehouse.OutsideIdentity{{Issuer: o.provider.Issuer(), Subject: "ana"}}}, gatehouse.Assignment{Role: gatehouse.SiteManager})
	o.people.add("guard-8", gatehouse.AccountKeys{Outside: []gatehouse.OutsideIdentity{{Issuer: o.provider.Issuer(), Subject: "ben"}}}, gatehouse.Assignment{Role: gatehouse.SiteManager})
	ana := &colleague{MockUser: mockoidc.MockUser{Subject: "ana"}}
	j := jar()
	o.browse(j, "/signin/oidc", ana, false)
	for name, c := range map[string]struct {
		who  *colleague
		want int
	}{
		"an hour ago":     {&colleague{MockUser: ana.MockUser, auth: time.Now().Add(-time.Hour).Unix()}, 403},
		"nobody says":     {&colleague{MockUser: ana.MockUser}, 403},
		"somebody else":   {&colleague{MockUser: mockoidc.MockUser{Subject: "ben"}, auth: time.Now().Unix()}, 403},
		"she, right now":  {&colleague{MockUser: ana.MockUser, auth: time.Now().Unix()}, 200},
		"nobody we know ": {&colleague{MockUser: mockoidc.MockUser{Subject: "eve"}, auth: time.Now().Unix()}, 403},
	} {
		if code, _ := o.browse(j, "/again/oidc", c.who, false); code != c.want {
			t.Errorf("%s: %d", name, code)
		}
		if o.begun.Get("prompt") != "login" || o.begun.Get("max_age") != "0" {
			t.Errorf("%s: the provider was not asked to ask: %v", name, o.begun)
		}
	}
}

func TestWhoComesByDomainAndClaim(t *testing.T) {
	o := singleSignOnSite(t, func(c *OIDC) {
		c.Domains, c.RolesClaim = []string{"example.org"}, "groups"
		c.Roles = map[string]gatehouse.Assignment{"managers": {Role: gatehouse.SiteManager}}
	})
	come := func(email string, verified bool, groups ...string) int {
		code, _ := o.browse(jar(), "/signin/oidc", &colleague{MockUser: mockoidc.MockUser{Subject: "s-" + email, Email: email}, verified: verified, groups: groups}, false)
		return code
	}
	for _, email := range []string{"eve@evil.org", "eve@sub.example.org", "eve@example.org.evil.org", "@example.org", "eve@evil.org@example.com"} {
		if code := come(email, true, "managers"); code != 403 {
			t.Errorf("%s: %d", email, code)
		}
	}
	if code := come("ana@example.org", false, "managers"); code != 403 || len(o.people.all) != 0 {
		t.Errorf("an address that nobody verified: %d", code)
	}
	if code := come("ana@example.org", true, "others"); code != 403 {
		t.Errorf("a claim without a role that is known: %d", code)
	}
	if code := come("ana@Example.org", true, "managers"); code != 200 {
		t.Errorf("a manager of the domain: %d", code)
	}
}
