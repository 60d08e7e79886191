package auth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func fixture() (*Auth, *clock) {
	c := &clock{time.Unix(1_800_000_000, 0)}
	return New(Options{BaseURL: "http://localhost:8080", Hosts: LoopbackHosts("8080"), Now: c.now, Devices: oneDevice{}}), c
}

// oneDevice knows "cam" with the token "right".
type oneDevice struct{}

func (oneDevice) VerifyDevice(_ context.Context, id gatehouse.DeviceID, token string) (gatehouse.Device, error) {
	if id == "cam" && TokenMatches(token, sum("right")) {
		return gatehouse.Device{ID: id, Gate: "door"}, nil
	}
	return gatehouse.Device{}, Refused()
}

func routes(a *Auth) []Route {
	ok := func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) }
	return []Route{
		a.Enter(func(w http.ResponseWriter, r *http.Request, _ error) { w.WriteHeader(http.StatusGone) }),
		{Pattern: "GET /{$}", Policy: Needs(gatehouse.OwnAccount), Handler: ok},
		{Pattern: "POST /act", Policy: Needs(gatehouse.OwnAccount), Handler: ok},
		{Pattern: "POST /devices/{id}", Policy: WithDevice, Handler: func(w http.ResponseWriter, r *http.Request) {
			d, _ := DeviceFrom(r.Context())
			w.Write([]byte(d.Gate))
		}},
		{Pattern: "GET /metrics", Policy: Loopback, Handler: ok},
		{Pattern: "POST /admin", Policy: OnSocket, Handler: ok},
		{Pattern: "GET /list", Policy: Needs(gatehouse.SeePassages).OrSocket(), Handler: ok},
	}
}

func refuse(w http.ResponseWriter, _ *http.Request, err error) {
	status := http.StatusForbidden
	if gatehouse.ErrorCode(err) == "auth.host" {
		status = http.StatusMisdirectedRequest
	}
	http.Error(w, gatehouse.ErrorCode(err), status)
}

type call struct {
	method, path, host, cookie, from string
	header                           map[string]string
}

func (c call) on(h http.Handler) *http.Response {
	r := httptest.NewRequest(c.method, c.path, nil)
	r.Host, r.RemoteAddr = "localhost:8080", "127.0.0.1:5000"
	if c.host != "" {
		r.Host = c.host
	}
	if c.from != "" {
		r.RemoteAddr = c.from
	}
	if c.cookie != "" {
		r.AddCookie(&http.Cookie{Name: CookieName, Value: c.cookie})
	}
	for k, v := range c.header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// enter redeems a fresh link and returns the cookie.
func enter(t *testing.T, a *Auth, h http.Handler) *http.Cookie {
	t.Helper()
	w := call{method: "GET", path: strings.TrimPrefix(a.Mint(), "http://localhost:8080")}.on(h)
	if w.StatusCode != http.StatusSeeOther || len(w.Cookies()) != 1 {
		t.Fatalf("a fresh link: %d, cookies %v", w.StatusCode, w.Cookies())
	}
	return w.Cookies()[0]
}

func TestLink(t *testing.T) {
	a, clock := fixture()
	h := a.Handler(TCP, routes(a), refuse)
	link := a.Mint()
	target := strings.TrimPrefix(link, "http://localhost:8080")
	if len(path.Base(link)) != 43 {
		t.Errorf("a token of %d characters", len(path.Base(link)))
	}
	if w := (call{method: "HEAD", path: target}).on(h); len(w.Cookies()) != 0 {
		t.Error("HEAD spent the link")
	}
	w := call{method: "GET", path: target}.on(h)
	if w.StatusCode != http.StatusSeeOther || w.Header.Get("Location") != "/" || w.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("a link answered %d %v", w.StatusCode, w.Header)
	}
	c := w.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || strings.Contains(link, c.Value) {
		t.Errorf("the cookie is %v", c)
	}
	if w := (call{method: "GET", path: target}).on(h); w.StatusCode != http.StatusGone || len(w.Cookies()) != 0 {
		t.Errorf("the link worked twice: %d", w.StatusCode)
	}
	late := a.Mint()
	clock.t = clock.t.Add(LinkLifetime)
	if w := (call{method: "GET", path: strings.TrimPrefix(late, "http://localhost:8080")}).on(h); w.StatusCode != http.StatusGone {
		t.Errorf("an old link answered %d", w.StatusCode)
	}
	for range 100 {
		a.Mint()
	}
	if len(a.links) > maxLinks {
		t.Errorf("%d links are open", len(a.links))
	}
}

func TestASessionBeginsFresh(t *testing.T) {
	a, _ := fixture()
	h := a.Handler(TCP, routes(a), refuse)
	// A cookie that somebody planted before does not become the session.
	w := call{method: "GET", path: strings.TrimPrefix(a.Mint(), "http://localhost:8080"), cookie: "planted"}.on(h)
	if w.Cookies()[0].Value == "planted" {
		t.Fatal("session fixation")
	}
	if w := (call{method: "GET", path: "/", cookie: "planted"}).on(h); w.StatusCode != http.StatusForbidden {
		t.Errorf("the planted cookie got %d", w.StatusCode)
	}
}

func TestSessionsEnd(t *testing.T) {
	a, clock := fixture()
	h := a.Handler(TCP, routes(a), refuse)
	get := func(c *http.Cookie) int { return call{method: "GET", path: "/", cookie: c.Value}.on(h).StatusCode }

	idle := enter(t, a, h)
	clock.t = clock.t.Add(DefaultIdle - time.Second)
	if get(idle) != 200 {
		t.Error("the session ended too early")
	}
	clock.t = clock.t.Add(DefaultIdle)
	if get(idle) != http.StatusForbidden {
		t.Error("an idle session lives on")
	}
	busy := enter(t, a, h)
	for range int(DefaultAbsolute / (10 * time.Minute)) {
		if get(busy) != 200 {
			t.Fatal("a busy session ended")
		}
		clock.t = clock.t.Add(10 * time.Minute)
	}
	if get(busy) != http.StatusForbidden {
		t.Error("a session outlived its absolute time")
	}
	for range maxSessions + 50 {
		enter(t, a, h)
	}
	if len(a.sessions) > maxSessions {
		t.Errorf("%d sessions", len(a.sessions))
	}
}

func TestAliveDoesNotKeepASessionAlive(t *testing.T) {
	a, clock := fixture()
	enter(t, a, a.Handler(TCP, routes(a), refuse))
	var key string
	for _, s := range a.sessions {
		key = s.Key
	}
	for range 40 {
		clock.t = clock.t.Add(time.Minute)
		a.Alive(key)
	}
	if a.Alive(key) {
		t.Error("an open stream kept an idle session alive")
	}
}

func TestPolicies(t *testing.T) {
	a, _ := fixture()
	tcp, socket := a.Handler(TCP, routes(a), refuse), a.Handler(Socket, routes(a), refuse)
	cookie := enter(t, a, tcp).Value
	bearer := func(s string) map[string]string { return map[string]string{"Authorization": s} }
	for _, c := range []struct {
		name string
		call
		h    http.Handler
		want int
	}{
		{"no session", call{method: "GET", path: "/"}, tcp, 403},
		{"wrong cookie", call{method: "GET", path: "/", cookie: NewToken()}, tcp, 403},
		{"session", call{method: "GET", path: "/", cookie: cookie}, tcp, 200},
		{"list without session", call{method: "GET", path: "/list"}, tcp, 403},
		{"list on the socket", call{method: "GET", path: "/list"}, socket, 200},
		{"admin over TCP", call{method: "POST", path: "/admin", cookie: cookie}, tcp, 404},
		{"admin on the socket", call{method: "POST", path: "/admin"}, socket, 200},
		{"page on the socket", call{method: "GET", path: "/"}, socket, 404},
		{"device route on the socket", call{method: "POST", path: "/devices/cam", header: bearer("Bearer right")}, socket, 404},
		{"metrics from here", call{method: "GET", path: "/metrics"}, tcp, 200},
		{"metrics from elsewhere", call{method: "GET", path: "/metrics", from: "192.0.2.7:5000"}, tcp, 403},
		{"device", call{method: "POST", path: "/devices/cam", header: bearer("Bearer right")}, tcp, 200},
		{"device, lower case scheme", call{method: "POST", path: "/devices/cam", header: bearer("bearer right")}, tcp, 200},
		{"another device's token", call{method: "POST", path: "/devices/other", header: bearer("Bearer right")}, tcp, 403},
		{"wrong token", call{method: "POST", path: "/devices/cam", header: bearer("Bearer wrong")}, tcp, 403},
		{"no token", call{method: "POST", path: "/devices/cam"}, tcp, 403},
		{"a session is no device", call{method: "POST", path: "/devices/cam", cookie: cookie}, tcp, 403},
		{"a device is no session", call{method: "GET", path: "/", header: bearer("Bearer right")}, tcp, 403},
		{"rebinding", call{method: "GET", path: "/", cookie: cookie, host: "foo.example:8080"}, tcp, 421},
		{"other port's name", call{method: "GET", path: "/", cookie: cookie, host: "localhost:9"}, tcp, 421},
		{"same origin post", call{method: "POST", path: "/act", cookie: cookie, header: map[string]string{"Sec-Fetch-Site": "same-origin"}}, tcp, 200},
		{"cross-site post", call{method: "POST", path: "/act", cookie: cookie, header: map[string]string{"Sec-Fetch-Site": "cross-site"}}, tcp, 403},
		{"other port's post", call{method: "POST", path: "/act", cookie: cookie, header: map[string]string{"Sec-Fetch-Site": "same-site"}}, tcp, 403},
		{"old browser's foreign post", call{method: "POST", path: "/act", cookie: cookie, header: map[string]string{"Origin": "http://localhost:9"}}, tcp, 403},
	} {
		w := c.on(c.h)
		if w.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.StatusCode, c.want)
		}
		if c.h != socket && w.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: no nosniff", c.name)
		}
	}
	w := call{method: "GET", path: "/", cookie: cookie}.on(tcp)
	for header, want := range map[string]string{"Cache-Control": "no-store", "Content-Security-Policy": ContentSecurityPolicy,
		"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"} {
		if w.Header.Get(header) != want {
			t.Errorf("%s: %q", header, w.Header.Get(header))
		}
	}
	for _, banned := range []string{"unsafe-inline", "unsafe-eval", "*", "data:", "http:"} {
		if strings.Contains(ContentSecurityPolicy, banned) {
			t.Errorf("the policy allows %s", banned)
		}
	}
}

func TestGuessingIsSlow(t *testing.T) {
	a, clock := fixture()
	h := a.Handler(TCP, routes(a), refuse)
	guess := call{method: "POST", path: "/devices/cam", header: map[string]string{"Authorization": "Bearer wrong"}}
	for range 10 {
		guess.on(h)
	}
	if w := guess.on(h); w.Header.Get("Retry-After") == "" {
		t.Error("the eleventh guess at once was not slowed down")
	}
	right := call{method: "POST", path: "/devices/cam", header: map[string]string{"Authorization": "Bearer right"}}
	if w := right.on(h); w.StatusCode != http.StatusOK {
		t.Error("guesses lock the device itself out")
	}
	clock.t = clock.t.Add(2 * time.Second)
	if w := guess.on(h); w.Header.Get("Retry-After") != "" {
		t.Error("it never recovers")
	}
}

func TestLimiterIsBounded(t *testing.T) {
	c := &clock{time.Unix(0, 0)}
	l := NewLimiter(c.now, 1, 2)
	for n := range 3 * maxBuckets {
		l.Allow(string(rune(n)))
	}
	if len(l.buckets) > maxBuckets {
		t.Errorf("%d keys are remembered", len(l.buckets))
	}
}

func TestDeviceTokens(t *testing.T) {
	token, verifier := NewDeviceToken()
	other, _ := NewDeviceToken()
	if len(token) != 43 || !TokenMatches(token, verifier) || TokenMatches(other, verifier) || TokenMatches(token, nil) || TokenMatches("", verifier) {
		t.Error("a token does not fit its verifier, or another does")
	}
	if strings.Contains(string(verifier), token) {
		t.Error("the verifier holds the token")
	}
}
