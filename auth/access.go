package auth

import (
	"context"
	"net/http"

	"gatehouse"
)

// guardToken lets a program in that shows an access token with the route's permission.
// Whoever shows something else is slowed down, by address; who shows a good one never is.
func (a *Auth) guardToken(w http.ResponseWriter, r *http.Request, p Policy, h http.HandlerFunc, refuse Refuse) {
	t, err := a.token(r)
	if err != nil {
		if ok, wait := a.failed.Allow(addressOf(r)); !ok {
			TooMany(w, r, wait, refuse)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="gatehouse", error="invalid_token"`)
		refuse(w, r, err)
		return
	}
	if !t.May(p.permission) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="gatehouse", error="insufficient_scope", scope="`+string(p.permission)+`"`)
		refuse(w, r, gatehouse.Errorf("token.scope", "make a token with the scope "+string(p.permission), "this access token may not do that"))
		return
	}
	h(w, r.WithContext(context.WithValue(r.Context(), tokenKey{}, t)))
}

func (a *Auth) token(r *http.Request) (gatehouse.AccessToken, error) {
	shown := bearer(r)
	if a.o.Tokens == nil || shown == "" {
		return gatehouse.AccessToken{}, gatehouse.Errorf("token.refused", "send Authorization: Bearer and what `gatehouse token add` printed", "this is no access token")
	}
	return a.o.Tokens.VerifyToken(r.Context(), gatehouse.Secret(shown))
}

type tokenKey struct{}

// TokenFrom returns the access token that the route's policy found.
func TokenFrom(ctx context.Context) (gatehouse.AccessToken, bool) {
	t, ok := ctx.Value(tokenKey{}).(gatehouse.AccessToken)
	return t, ok
}

// Caller is who is behind a request that a policy let in: a session, a program with an
// access token, or the admin socket.
type Caller struct {
	// Operator is who is written down for it.
	Operator string
	// Role is the one that let it in; "" for a local session and the admin socket.
	Role gatehouse.Role
	// Key tells callers apart where each has a limit or a memory of its own; "" on the
	// admin socket, which has no limit.
	Key string
}

// SocketOperator is who is written down for the admin socket.
const SocketOperator = "admin-socket"

// CallerFrom returns who is behind a request; ok is false for one that needs nobody, such
// as a public route's.
func CallerFrom(ctx context.Context) (_ Caller, ok bool) {
	if s, ok := SessionFrom(ctx); ok {
		return Caller{Operator: s.Operator(), Role: s.Role, Key: "session " + s.Key}, true
	}
	if t, ok := TokenFrom(ctx); ok {
		return Caller{Operator: t.Operator(), Role: gatehouse.IntegrationRole, Key: "token " + t.ID.String()}, true
	}
	if ctx.Value(socketKey{}) != nil {
		return Caller{Operator: SocketOperator}, true
	}
	return Caller{}, false
}

// Still reports whether whoever a request's policy let in would be let in now, without
// marking a session as used: a stream must end with what opened it.
func (a *Auth) Still(ctx context.Context) bool {
	if s, ok := SessionFrom(ctx); ok {
		return a.Alive(s.Key)
	}
	if t, ok := TokenFrom(ctx); ok {
		return a.o.Tokens != nil && a.o.Tokens.TokenCounts(t.ID)
	}
	return true
}

// AddressOf names where a request comes from: an address, or the /64 that one owner of
// IPv6 addresses has at least.
func AddressOf(r *http.Request) string { return addressOf(r) }
