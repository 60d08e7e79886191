package auth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse"
)

// oneToken knows one token, and counts what it was asked.
type oneToken struct {
	asked int
}

func (o *oneToken) VerifyToken(_ context.Context, shown gatehouse.Secret) (gatehouse.AccessToken, error) {
	o.asked++
	if shown == "good" {
		return gatehouse.AccessToken{ID: gatehouse.ID{7}, Scopes: []gatehouse.Permission{gatehouse.SeePassages, gatehouse.SearchArchive}, At: []gatehouse.GateID{"front-door"}}, nil
	}
	return gatehouse.AccessToken{}, gatehouse.Errorf("token.refused", "x", "x")
}

func (o *oneToken) TokenCounts(id gatehouse.ID) bool { return id == gatehouse.ID{7} }

func TestAProgramIsLetInByItsScopes(t *testing.T) {
	a, clock := fixture()
	a.o.Tokens = &oneToken{}
	var seen []Caller
	handler := func(w http.ResponseWriter, r *http.Request) {
		c, _ := CallerFrom(r.Context())
		seen = append(seen, c)
		if g := Gates(r.Context(), gatehouse.SeePassages); !g.Has("front-door") || g.Has("lane") {
			t.Error("the gates are not the token's")
		}
	}
	table := []Route{
		{Pattern: "GET /open", Policy: Needs(gatehouse.SeePassages).OrToken(), Handler: handler},
		{Pattern: "GET /people", Policy: Needs(gatehouse.SeePeople).OrToken(), Handler: handler},
		// A scope that no token may have does not count where somebody wrote it in.
		{Pattern: "GET /search", Policy: Needs(gatehouse.SearchArchive).OrToken(), Handler: handler},
		{Pattern: "GET /console", Policy: Needs(gatehouse.SeePassages), Handler: handler},
		{Pattern: "GET /devices/{id}", Policy: WithDevice, Handler: handler},
	}
	h := a.Handler(TCP, table, func(w http.ResponseWriter, _ *http.Request, err error) {
		status := map[string]int{"token.refused": 401, "token.scope": 403, "auth.session_needed": 401, "auth.too_many": 429, "device.refused": 401}[gatehouse.ErrorCode(err)]
		w.Header().Set("X-Code", gatehouse.ErrorCode(err))
		w.WriteHeader(status)
	})
	ask := func(path, authorization, from string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "http://localhost:8080"+path, nil)
		r.RemoteAddr = from + ":9"
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for path, code := range map[string]string{"/open": "", "/people": "token.scope", "/search": "token.scope", "/console": "auth.session_needed", "/devices/a": "device.refused"} {
		if got := ask(path, "Bearer good", "198.51.100.1").Header().Get("X-Code"); got != code {
			t.Errorf("%s with a token: %q, want %q", path, got, code)
		}
	}
	if len(seen) != 1 || seen[0].Role != gatehouse.IntegrationRole || seen[0].Operator != "token-07000000000000000000000000000000" {
		t.Errorf("let in: %+v", seen)
	}
	for _, bad := range []string{"Bearer bad", "Bearer", "Basic good", "good", "Bearer " + strings.Repeat("x", 300)} {
		w := ask("/open", bad, "198.51.100.1")
		if w.Header().Get("X-Code") != "token.refused" || !strings.Contains(w.Header().Get("WWW-Authenticate"), "invalid_token") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%q: %d %v", bad, w.Code, w.Header())
		}
	}
	if w := ask("/open", "", "198.51.100.1"); w.Header().Get("X-Code") != "auth.session_needed" {
		t.Errorf("with nothing: %v", w.Header())
	}
	// A session beside a wrong token does not help: what was sent for this counts.
	cookie := enter(t, a, a.Handler(TCP, routes(a), refuse))
	r := httptest.NewRequest(http.MethodGet, "http://localhost:8080/open", nil)
	r.RemoteAddr = "127.0.0.1:9"
	r.AddCookie(cookie)
	r.Header.Set("Authorization", "Bearer bad")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 401 {
		t.Errorf("a wrong token beside a session: %d", w.Code)
	}
	_ = clock
}

// Whoever tries out tokens, of programs or of devices, is slowed down, whatever they name;
// who shows a good one from the same address is not.
func TestWrongTokensAreSlowed(t *testing.T) {
	a, clock := fixture()
	a.o.Tokens = &oneToken{}
	table := []Route{{Pattern: "GET /open", Policy: Needs(gatehouse.SeePassages).OrToken(), Handler: func(http.ResponseWriter, *http.Request) {}},
		{Pattern: "GET /devices/{id}", Policy: WithDevice, Handler: func(http.ResponseWriter, *http.Request) {}}}
	status := 0
	h := a.Handler(TCP, table, func(w http.ResponseWriter, _ *http.Request, err error) {
		status = map[string]int{"token.refused": 401, "auth.too_many": 429, "device.refused": 401}[gatehouse.ErrorCode(err)]
	})
	ask := func(path, token, from string) (int, http.Header) {
		r := httptest.NewRequest(http.MethodGet, "http://localhost:8080"+path, nil)
		r.RemoteAddr = from
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		status = 200
		h.ServeHTTP(w, r)
		return status, w.Header()
	}
	for name, path := range map[string]func(i int) string{"programs": func(int) string { return "/open" }, "devices, another each time": func(i int) string { return "/devices/d" + string(rune('a'+i%26)) + string(rune('a'+i/26)) }} {
		refused := 0
		from := map[string]string{"programs": "198.51.100.1:9"}[name]
		if from == "" {
			from = "[2001:db8::1]:9"
		}
		for i := range 100 {
			if from[0] == '[' && i%2 == 1 {
				from = "[2001:db8::2]:9" // of the same network
			}
			got, header := ask(path(i), "bad", from)
			if got == 429 {
				refused++
				if header.Get("Retry-After") == "" {
					t.Error("it is not said when to come again")
				}
			}
		}
		if refused != 40 {
			t.Errorf("%s: %d of 100 were slowed down", name, refused)
		}
		if got, _ := ask("/open", "good", from); got != 200 {
			t.Errorf("%s: a good token from there got %d", name, got)
		}
	}
	if got, _ := ask("/open", "bad", "203.0.113.5:9"); got != 401 {
		t.Errorf("another address got %d", got)
	}
	clock.t = clock.t.Add(2e9)
	if got, _ := ask("/open", "bad", "198.51.100.1:9"); got != 401 {
		t.Errorf("two seconds later: %d", got)
	}
}
