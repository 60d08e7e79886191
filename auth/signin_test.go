package auth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

// people are accounts in memory, and the leaves that signing in wrote. auth may not
// import flow/accounts; test/e2e has the two together.
type people struct {
	mu     sync.Mutex
	all    map[gatehouse.AccountID]gatehouse.Account
	keys   map[gatehouse.AccountID]gatehouse.AccountKeys
	leaves []string
	fail   error
}

func (p *people) Account(id gatehouse.AccountID) (gatehouse.Account, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.all[id]
	return a, ok
}

func (p *people) ByLogin(login string) (gatehouse.Account, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.all {
		if a.Login == login {
			return a, true
		}
	}
	return gatehouse.Account{}, false
}

func (p *people) ByOutside(issuer string, subject gatehouse.Secret) (gatehouse.Account, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, k := range p.keys {
		if slices.ContainsFunc(k.Outside, func(o gatehouse.OutsideIdentity) bool { return o.Issuer == issuer && o.Subject == subject }) {
			return p.all[id], true
		}
	}
	return gatehouse.Account{}, false
}

func (p *people) Keys(id gatehouse.AccountID) (gatehouse.AccountKeys, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k, ok := p.keys[id]
	return k, ok
}
func (p *people) Ready() bool { return len(p.all) > 0 }
func (p *people) Redeem(_ context.Context, token string) (gatehouse.Account, bool, error) {
	if token != "invitation" {
		return gatehouse.Account{}, false, nil
	}
	a, ok := p.ByLogin("guard-7")
	return a, ok, nil
}
func (p *people) AddPasskey(context.Context, gatehouse.AccountID, gatehouse.Passkey) error {
	return nil
}
func (p *people) UsedPasskey(context.Context, gatehouse.AccountID, gatehouse.Passkey) error {
	return nil
}
func (p *people) SetTOTP(_ context.Context, id gatehouse.AccountID, secret gatehouse.Secret, step int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.keys[id]
	k.TOTP, k.TOTPStep = secret, step
	p.keys[id] = k
	return nil
}
func (p *people) UseTOTP(_ context.Context, id gatehouse.AccountID, step int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.keys[id]
	if step <= k.TOTPStep {
		return gatehouse.Errorf("account.credential", "", "used")
	}
	k.TOTPStep = step
	p.keys[id] = k
	return nil
}
func (p *people) UsedOutside(context.Context, gatehouse.AccountID, string, gatehouse.Secret) error {
	return nil
}
func (p *people) Arrive(_ context.Context, o gatehouse.OutsideIdentity, _ gatehouse.Secret, roles []gatehouse.Assignment) (gatehouse.Account, error) {
	if a, ok := p.ByOutside(o.Issuer, o.Subject); ok {
		p.change(a.ID, func(a *gatehouse.Account) { a.Roles = roles })
		a, _ = p.Account(a.ID)
		return a, nil
	}
	return p.add("sso", gatehouse.AccountKeys{Outside: []gatehouse.OutsideIdentity{o}}, roles...), nil
}
func (p *people) WriteLeaf(_ context.Context, leaf []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	_, _, parts, _ := gatehouse.LeafParts(leaf)
	p.leaves = append(p.leaves, string(parts[0])+" "+string(parts[3]))
	return nil
}

var here = gatehouse.Place{Org: "acme", Site: "north"}

func (p *people) add(login string, k gatehouse.AccountKeys, roles ...gatehouse.Assignment) gatehouse.Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := gatehouse.Account{Org: "acme", ID: gatehouse.RandomID(), Login: login, State: gatehouse.Enabled, Roles: roles, Revision: 1}
	p.all[a.ID], p.keys[a.ID] = a, k
	return a
}

func (p *people) change(id gatehouse.AccountID, f func(*gatehouse.Account)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.all[id]
	f(&a)
	p.all[id] = a
}

func withPeople() (*Auth, *people, *clock) {
	c := &clock{time.Unix(1_800_000_000, 0)}
	p := &people{all: map[gatehouse.AccountID]gatehouse.Account{}, keys: map[gatehouse.AccountID]gatehouse.AccountKeys{}}
	return New(Options{Place: here, BaseURL: "http://localhost:8080", Hosts: LoopbackHosts("8080"), Now: c.now, Accounts: p, Log: p, RelyingParty: "localhost", TOTP: true}), p, c
}

func roleRoutes(a *Auth) []Route {
	ok := func(w http.ResponseWriter, r *http.Request) {
		s, _ := SessionFrom(r.Context())
		_ = json.NewEncoder(w).Encode(map[string]any{"role": s.Role, "gates": Gates(r.Context(), gatehouse.SeeLive).List(), "who": s.Operator()})
	}
	gone := func(w http.ResponseWriter, r *http.Request, err error) {
		http.Error(w, gatehouse.ErrorCode(err), http.StatusGone)
	}
	return append([]Route{a.Enter(gone), {Pattern: "GET /live", Policy: Needs(gatehouse.SeeLive), Handler: ok}, {Pattern: "GET /own", Policy: Needs(gatehouse.OwnAccount), Handler: ok},
		{Pattern: "GET /fresh", Policy: NeedsFresh(gatehouse.SeeLive), Handler: ok}, {Pattern: "GET /set-up", Policy: SettingUp, Handler: ok}}, a.PasskeyRoutes()...)
}

func target(link string) string { return strings.TrimPrefix(link, "http://localhost:8080") }

func TestASessionFollowsItsAccount(t *testing.T) {
	a, p, clock := withPeople()
	h := a.Handler(TCP, roleRoutes(a), refuse)
	who := p.add("guard-7", gatehouse.AccountKeys{}, gatehouse.Assignment{Role: gatehouse.Guard, Site: "north", Gates: []gatehouse.GateID{"front"}})
	sign := func(link string) string {
		t.Helper()
		w := call{method: "GET", path: target(link)}.on(h)
		if w.StatusCode != http.StatusSeeOther {
			t.Fatalf("the link answered %d", w.StatusCode)
		}
		return w.Cookies()[0].Value
	}
	get := func(path, cookie string) (int, string) {
		w := call{method: "GET", path: path, cookie: cookie}.on(h)
		b := make([]byte, 500)
		n, _ := w.Body.Read(b)
		return w.StatusCode, string(b[:n])
	}
	cookie := sign(a.MintFor(who.ID))
	if code, body := get("/live", cookie); code != 200 || !strings.Contains(body, `"role":"guard"`) || !strings.Contains(body, `"gates":["front"]`) || !strings.Contains(body, who.ID.String()) {
		t.Errorf("%d %s", code, body)
	}
	// A proof gets old; the rest of the session goes on.
	clock.t = clock.t.Add(DefaultFresh)
	if code, body := get("/fresh", cookie); code != 403 || !strings.Contains(body, "auth.again") {
		t.Errorf("an old proof: %d %s", code, body)
	}
	if code, _ := get("/live", cookie); code != 200 {
		t.Error("the session ended with its proof")
	}
	for name, change := range map[string]func(*gatehouse.Account){
		"other roles": func(a *gatehouse.Account) { a.Revision++ },
		"disabled":    func(a *gatehouse.Account) { a.State = gatehouse.Disabled },
	} {
		cookie := sign(a.MintFor(who.ID))
		key := a.Sessions(who.ID)[0].Key
		before, _ := p.Account(who.ID)
		p.change(who.ID, change)
		if a.Alive(key) {
			t.Errorf("%s: an open stream goes on", name)
		}
		if code, _ := get("/live", cookie); code != 403 {
			t.Errorf("%s: %d", name, code)
		}
		p.change(who.ID, func(a *gatehouse.Account) { *a = before })
		if code, _ := get("/live", cookie); code != 403 {
			t.Errorf("%s: the session came back", name)
		}
	}
	// Listed and ended, one's own only.
	cookie = sign(a.MintFor(who.ID))
	key := a.Sessions(who.ID)[0].Key
	if a.EndSession(gatehouse.RandomID(), key) {
		t.Error("somebody else's session was ended")
	}
	if !a.EndSession(who.ID, key) {
		t.Error("it was not ended")
	}
	if code, _ := get("/live", cookie); code != 403 {
		t.Error("an ended session goes on")
	}
	// Another tenant, and another site.
	p.change(who.ID, func(a *gatehouse.Account) { a.Org = "other" })
	if code, _ := get("/live", sign(a.MintFor(who.ID))); code != 403 {
		t.Error("another tenant's guard is let in")
	}
	p.change(who.ID, func(a *gatehouse.Account) { a.Org, a.Roles[0].Site = "acme", "south" })
	if code, _ := get("/live", sign(a.MintFor(who.ID))); code != 403 {
		t.Error("another site's guard is let in")
	}
}

func TestWhoWasInvitedIsLetInToTheirAccountOnly(t *testing.T) {
	a, p, _ := withPeople()
	h := a.Handler(TCP, roleRoutes(a), refuse)
	setUp := call{method: "GET", path: target(a.MintSetUp())}.on(h)
	if setUp.Header.Get("Location") != "/set-up" {
		t.Fatalf("the set-up link leads to %q", setUp.Header.Get("Location"))
	}
	late := target(a.MintSetUp())
	cookie := setUp.Cookies()[0].Value
	for at, want := range map[string]int{"/set-up": 200, "/live": 403, "/own": 403} {
		if w := (call{method: "GET", path: at, cookie: cookie}).on(h); w.StatusCode != want {
			t.Errorf("setting up, %s: %d", at, w.StatusCode)
		}
	}
	p.add("guard-7", gatehouse.AccountKeys{}, gatehouse.Assignment{Role: gatehouse.SiteManager})
	// Once somebody can sign in, set-up links and their sessions are worth nothing.
	if w := (call{method: "GET", path: "/set-up", cookie: cookie}).on(h); w.StatusCode != http.StatusForbidden {
		t.Errorf("a second set-up: %d", w.StatusCode)
	}
	if w := (call{method: "GET", path: late}).on(h); w.StatusCode != http.StatusGone {
		t.Errorf("a set-up link of before: %d", w.StatusCode)
	}
	invited := call{method: "GET", path: "/enter/invitation"}.on(h).Cookies()[0].Value
	for at, want := range map[string]int{"/own": 200, "/live": 403, "/set-up": 403} {
		if w := (call{method: "GET", path: at, cookie: invited}).on(h); w.StatusCode != want {
			t.Errorf("invited, %s: %d", at, w.StatusCode)
		}
	}
	// A demo's link is for this machine.
	local := target(a.Mint())
	if w := (call{method: "GET", path: local, from: "192.0.2.7:1"}).on(h); w.StatusCode != http.StatusGone {
		t.Errorf("a local link from elsewhere: %d", w.StatusCode)
	}
	mine := call{method: "GET", path: target(a.Mint())}.on(h).Cookies()[0].Value
	if w := (call{method: "GET", path: "/live", cookie: mine}).on(h); w.StatusCode != http.StatusOK {
		t.Errorf("a local session: %d", w.StatusCode)
	}
	if w := (call{method: "GET", path: "/live", cookie: mine, from: "192.0.2.7:1"}).on(h); w.StatusCode == http.StatusOK {
		t.Error("a local session's cookie works from elsewhere")
	}
}

func TestNoSessionWithoutItsLeaf(t *testing.T) {
	a, p, _ := withPeople()
	h := a.Handler(TCP, roleRoutes(a), refuse)
	who := p.add("guard-7", gatehouse.AccountKeys{}, gatehouse.Assignment{Role: gatehouse.SiteManager})
	p.fail = gatehouse.Errorf("store.full", "", "full")
	if w := (call{method: "GET", path: target(a.MintFor(who.ID))}).on(h); len(w.Cookies()) != 0 || len(a.Sessions(who.ID)) != 0 {
		t.Error("somebody signed in unrecorded")
	}
	p.fail = nil
	call{method: "GET", path: target(a.MintFor(who.ID))}.on(h)
	if !slices.Equal(p.leaves, []string{"link " + who.ID.String()}) {
		t.Errorf("the log says %v", p.leaves)
	}
}

// The vectors of RFC 6238, appendix B (SHA-1), cut to six digits.
func TestTOTPVectors(t *testing.T) {
	secret := gatehouse.Secret(totpText.EncodeToString([]byte("12345678901234567890")))
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		now := time.Unix(at, 0)
		if step, ok := totpStep(secret, want, now); !ok || step != at/30 {
			t.Errorf("at %d %s does not fit", at, want)
		}
		if _, ok := totpStep(secret, want, now.Add(90*time.Second)); ok {
			t.Errorf("at %d a code of long ago fits", at)
		}
	}
	for _, bad := range []gatehouse.Secret{"", "not base32!"} {
		if _, ok := totpStep(bad, totpCode(make([]byte, totpBytes), 2), time.Unix(60, 0)); ok {
			t.Errorf("%q is a secret", string(bad))
		}
	}
}

func TestOneTimeCodes(t *testing.T) {
	a, p, clock := withPeople()
	secret := newTOTP()
	key, _ := totpText.DecodeString(secret.Reveal())
	p.add("guard-7", gatehouse.AccountKeys{TOTP: secret}, gatehouse.Assignment{Role: gatehouse.SiteManager})
	try := func(login, code, from string) string {
		r := httptest.NewRequest(http.MethodPost, "/signin/code", nil)
		r.RemoteAddr = from + ":1"
		return gatehouse.ErrorCode(a.SignInWithCode(httptest.NewRecorder(), r, login, code))
	}
	now := func() string { return totpCode(key, clock.t.Unix()/30) }
	if got := try("guard-7", now(), "192.0.2.1"); got != "" {
		t.Fatalf("the right code: %s", got)
	}
	if got := try("guard-7", now(), "192.0.2.1"); got != "auth.refused" {
		t.Errorf("the same code again: %q", got)
	}
	// A login that is there and one that is not are told apart by nothing.
	clock.t = clock.t.Add(2 * time.Hour)
	var there, not []string
	for i := range 8 {
		there = append(there, try("guard-7", "000000", "192.0.2.7"))
		not = append(not, try("nobody", "000000", "192.0.2.8"))
		if i == 3 && (there[3] != "auth.refused") {
			t.Error("it waits too early")
		}
	}
	if !slices.Equal(there, not) || there[7] != "auth.too_many" {
		t.Errorf("a login that is there answers %v, another %v", there, not)
	}
	if got := try("guard-7", now(), "192.0.2.9"); got != "auth.too_many" {
		t.Errorf("from another address, while it waits: %q", got)
	}
	clock.t = clock.t.Add(backoffMost)
	if got := try("guard-7", now(), "192.0.2.9"); got != "" {
		t.Errorf("after the wait: %q", got)
	}
	// The refusals are in the log, counted, and at most once a minute.
	clock.t = clock.t.Add(time.Hour)
	a.NoteRefusals(t.Context())
	n := 0
	for _, l := range p.leaves {
		if strings.HasPrefix(l, "refused ") {
			n++
		}
	}
	if n < 2 || n > 4 || a.refusals.count != 0 {
		t.Errorf("the log has %d leaves about refusals, %d are owed: %v", n, a.refusals.count, p.leaves)
	}
}

func TestBackoff(t *testing.T) {
	c := &clock{time.Unix(0, 0)}
	b := newBackoff(c.now)
	for range freePerAccount {
		if ok, _ := b.attempt("x", freePerAccount); !ok {
			t.Fatal("it waits too early")
		}
	}
	last := time.Duration(0)
	for range 12 {
		ok, wait := b.attempt("x", freePerAccount)
		if ok || wait < last || wait > backoffMost {
			t.Fatalf("ok %t, %v after %v", ok, wait, last)
		}
		last = wait
		c.t = c.t.Add(wait)
		if ok, _ := b.attempt("x", freePerAccount); !ok {
			t.Fatal("it never ends")
		}
	}
	if last != backoffMost {
		t.Errorf("the longest wait is %v", last)
	}
	for i := range maxBackoff + 50 {
		b.attempt(time.Duration(i).String(), 5)
	}
	if len(b.all) > maxBackoff {
		t.Errorf("%d keys are remembered", len(b.all))
	}
}

func TestExtensionsAreStripped(t *testing.T) {
	body, label, err := withoutExtensions([]byte(`{"id":"a","rawId":"a","type":"public-key","response":{"signature":"s"},"label":"blue","clientExtensionResults":{"prf":{"results":{"first":"SECRET"}}},"other":1}`))
	if err != nil || label != "blue" || strings.Contains(string(body), "SECRET") || strings.Contains(string(body), "other") || !strings.Contains(string(body), `"signature":"s"`) {
		t.Errorf("%s, %q, %v", body, label, err)
	}
	if _, _, err := withoutExtensions([]byte(`[]`)); err == nil {
		t.Error("a list is an answer")
	}
}

func TestChallengesAreTakenOnce(t *testing.T) {
	a, _, clock := withPeople()
	give := func() *http.Cookie {
		w := httptest.NewRecorder()
		a.challenge(w, httptest.NewRequest(http.MethodPost, "/", nil), challenge{purpose: forSignIn}, false)
		return w.Result().Cookies()[0]
	}
	take := func(c *http.Cookie, what purpose) bool {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.AddCookie(c)
		_, ok := a.answered(httptest.NewRecorder(), r, what)
		return ok
	}
	c := give()
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is %v", c)
	}
	if !take(c, forSignIn) || take(c, forSignIn) {
		t.Error("a challenge is not taken once")
	}
	if c = give(); take(c, forRegister) || take(c, forSignIn) {
		t.Error("a challenge served another purpose, or outlived a wrong one")
	}
	c = give()
	clock.t = clock.t.Add(challengeLifetime)
	if take(c, forSignIn) {
		t.Error("an old challenge was taken")
	}
	for range maxChallenges + 50 {
		give()
	}
	if len(a.pending.open) > maxChallenges {
		t.Errorf("%d challenges", len(a.pending.open))
	}
}

func TestRelyingParties(t *testing.T) {
	for _, name := range []string{"localhost", "gate.example.org"} {
		if err := CheckRelyingParty(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "127.0.0.1", "::1", "[::1]", "https://gate.example.org", "gate.example.org:8080", "Gate.example.org", "intranet", ".example.org", "a b.org"} {
		if err := CheckRelyingParty(name); gatehouse.ErrorCode(err) != "auth.relying_party" {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := CheckRelyingParty("192.0.2.1"); err == nil || !strings.Contains(err.Error(), "never to an IP address") {
		t.Errorf("an address is refused without saying why: %v", err)
	}
	if !FitsRelyingParty("http://localhost:8080", "localhost") || FitsRelyingParty("http://127.0.0.1:8080", "localhost") || FitsRelyingParty("https://evil-example.org", "example.org") || !FitsRelyingParty("https://gate.example.org", "example.org") {
		t.Error("pages and names are matched wrongly")
	}
}

func TestTheCookieOverTLS(t *testing.T) {
	a, p, _ := withPeople()
	who := p.add("x", gatehouse.AccountKeys{}, gatehouse.Assignment{Role: gatehouse.SiteManager})
	r := httptest.NewRequest(http.MethodGet, "https://localhost:8080/", nil)
	w := httptest.NewRecorder()
	if _, err := a.begin(w, r, who, gatehouse.ByPasskey); err != nil {
		t.Fatal(err)
	}
	c := w.Result().Cookies()[0]
	if c.Name != SecureCookieName || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("the cookie is %v", c)
	}
	r.AddCookie(&http.Cookie{Name: CookieName, Value: c.Value})
	if _, ok := a.SessionOf(r); ok {
		t.Error("a cookie that any host may set is taken over TLS")
	}
}

// A cookie that was there before a sign-in or a fresh proof is worth nothing after it.
func TestCookiesAreNewAtEveryStep(t *testing.T) {
	a, p, _ := withPeople()
	who := p.add("x", gatehouse.AccountKeys{}, gatehouse.Assignment{Role: gatehouse.SiteManager})
	with := func(c *http.Cookie) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "127.0.0.1:1"
		if c != nil {
			r.AddCookie(c)
		}
		return r
	}
	alive := func(c *http.Cookie) bool { _, ok := a.SessionOf(with(c)); return ok }
	step := func(c *http.Cookie, do func(w http.ResponseWriter, r *http.Request)) *http.Cookie {
		w := httptest.NewRecorder()
		do(w, with(c))
		return w.Result().Cookies()[0]
	}
	begin := func(w http.ResponseWriter, r *http.Request) {
		if _, err := a.begin(w, r, who, gatehouse.ByPasskey); err != nil {
			t.Fatal(err)
		}
	}
	first := step(nil, begin)
	second := step(first, begin)
	if alive(first) || !alive(second) || len(a.Sessions(who.ID)) != 1 {
		t.Error("the session before a sign-in goes on")
	}
	third := step(second, a.prove)
	if alive(second) || !alive(third) || third.Value == second.Value || len(a.Sessions(who.ID)) != 1 {
		t.Error("the cookie before a fresh proof goes on")
	}
}
