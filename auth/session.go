package auth

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// The session cookie's names. Over TLS it is a __Host- cookie, which no other host and no
// plain page can set; over http, on loopback, a browser may refuse what that needs.
const (
	CookieName       = "gatehouse_session"
	SecureCookieName = "__Host-gatehouse_session"
)

// maxSessions bounds what the memory can be made to hold.
const maxSessions = 1024

// Session is one browser that signed in. It is kept in memory only, so a restart signs
// everybody out.
type Session struct {
	Key     string // names the session in logs, lists and the audit log; says nothing of the cookie
	Place   gatehouse.Place
	Account gatehouse.AccountID // zero for a local session and for one that sets a site up
	How     gatehouse.SignInKind
	Began   time.Time
	Seen    time.Time
	Proved  time.Time // when somebody last showed who they are

	// Role is the one that let the request in; "" for a local session.
	Role gatehouse.Role

	who      gatehouse.Account // as of this request
	revision uint64
}

// Operator is who is written into disclosures: the account's id, or the session's own
// name where there is no account.
func (s Session) Operator() string {
	if s.Account.IsZero() {
		return "link-" + s.Key
	}
	return s.Account.String()
}

// Local reports whether it is a demo's session, which holds every role.
func (s Session) Local() bool { return s.How == gatehouse.ByLocal }

// Person is who is enrolled and has the account; zero for nobody.
func (s Session) Person() gatehouse.SubjectID { return s.who.Person }

// Is reports whether the session has the role at its place.
func (s Session) Is(role gatehouse.Role) bool {
	return s.Local() || slices.ContainsFunc(s.who.Roles, func(a gatehouse.Assignment) bool {
		return a.Role == role && (a.Site == "" || a.Site == s.Place.Site)
	})
}

// Login is the account's label, "" for none.
func (s Session) Login() string { return s.who.Login }

// limited reports whether the session is only for adding a passkey: whoever was invited
// has nothing yet that would show who they are.
func (s Session) limited() bool {
	return s.How == gatehouse.ByInvite || s.How == gatehouse.BySetUp
}

// May reports whether the session has the permission.
func (s Session) May(p gatehouse.Permission) bool {
	_, may := s.may(p)
	return may
}

func (s Session) may(p gatehouse.Permission) (gatehouse.Role, bool) {
	switch {
	case s.Local():
		return "", p != gatehouse.SendCaptures
	case s.Account.IsZero():
		return "", false
	case s.limited() && p != gatehouse.OwnAccount:
		return "", false
	}
	return s.who.May(p, s.Place)
}

// Gates are those at which the session has the permission.
func (s Session) Gates(p gatehouse.Permission) gatehouse.Gates {
	switch {
	case s.Local():
		return gatehouse.AllGates()
	case !s.May(p):
		return gatehouse.Gates{}
	}
	return s.who.Gates(p, s.Place)
}

// begin starts a session for the browser behind r and gives it its cookie; the session
// that the browser had ends, so that no cookie that somebody planted or saw lives on. The
// leaf is written first. Errors: the store's.
func (a *Auth) begin(w http.ResponseWriter, r *http.Request, account gatehouse.Account, how gatehouse.SignInKind) (Session, error) {
	key := gatehouse.RandomID().String()[:12]
	now := a.o.Now()
	if a.o.Log != nil {
		if err := a.o.Log.WriteLeaf(r.Context(), gatehouse.SignInLeaf(now, a.o.Place, how, account.ID, key)); err != nil {
			return Session{}, err
		}
	}
	a.End(r)
	s := &Session{Key: key, Place: a.o.Place, Account: account.ID, How: how, Began: now, Seen: now, Proved: now, who: account, revision: account.Revision}
	cookie := NewToken()
	a.mu.Lock()
	for len(a.sessions) >= maxSessions {
		a.dropOldestSession()
	}
	a.sessions[sha256.Sum256([]byte(cookie))] = s
	got := *s
	a.mu.Unlock()
	a.setCookie(w, r, cookie, int(a.o.Absolute.Seconds()))
	return got, nil
}

// prove marks the session as one whose owner has just shown who they are, under a fresh
// cookie.
func (a *Auth) prove(w http.ResponseWriter, r *http.Request) {
	sum, ok := cookieOf(r)
	if !ok {
		return
	}
	cookie := NewToken()
	a.mu.Lock()
	s := a.sessions[sum]
	if s != nil {
		s.Proved = a.o.Now()
		delete(a.sessions, sum)
		a.sessions[sha256.Sum256([]byte(cookie))] = s
	}
	a.mu.Unlock()
	if s != nil {
		a.setCookie(w, r, cookie, int(a.o.Absolute.Seconds()))
	}
}

// proveSession is prove for the session of a key, where it is the account's. Its cookie
// stays, since the answer goes to a page that came from another site.
func (a *Auth) proveSession(key string, account gatehouse.AccountID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	for sum, s := range a.sessions {
		if s.Key == key && s.Account == account && !a.ended(sum, s) {
			s.Proved = a.o.Now()
			return true
		}
	}
	return false
}

func cookieOf(r *http.Request) (sum [32]byte, ok bool) {
	name := CookieName
	if r.TLS != nil {
		name = SecureCookieName
	}
	c, err := r.Cookie(name)
	if err != nil || len(c.Value) > 128 {
		return sum, false
	}
	return sha256.Sum256([]byte(c.Value)), true
}

// SessionOf returns the request's session and marks it as used.
func (a *Auth) SessionOf(r *http.Request) (Session, bool) {
	sum, ok := cookieOf(r)
	if !ok {
		return Session{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	s := a.sessions[sum]
	if s == nil || a.ended(sum, s) || s.Local() && !fromLoopback(r) {
		return Session{}, false
	}
	s.Seen = a.o.Now()
	return *s, true
}

// Alive reports whether the session with this key still counts, without marking it
// as used: an open stream must end with its session and must not keep it alive.
func (a *Auth) Alive(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	for sum, s := range a.sessions {
		if s.Key == key {
			return !a.ended(sum, s)
		}
	}
	return false
}

// Sessions lists those of an account, all where it is zero, the newest first.
func (a *Auth) Sessions(of gatehouse.AccountID) []Session {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	var out []Session
	for sum, s := range a.sessions {
		if !a.ended(sum, s) && (of.IsZero() || s.Account == of) {
			out = append(out, *s)
		}
	}
	slices.SortFunc(out, func(x, y Session) int {
		if c := y.Began.Compare(x.Began); c != 0 {
			return c
		}
		return strings.Compare(x.Key, y.Key)
	})
	return out
}

// EndSession ends the session with this key, if it is the account's; any account's where
// it is zero. It reports whether there was one.
func (a *Auth) EndSession(of gatehouse.AccountID, key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for sum, s := range a.sessions {
		if s.Key == key && (of.IsZero() || s.Account == of) {
			a.forget(sum, s)
			return true
		}
	}
	return false
}

// End signs the request's session out.
func (a *Auth) End(r *http.Request) {
	sum, ok := cookieOf(r)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.sessions[sum]; s != nil {
		a.forget(sum, s)
	}
}

// ended reports whether a session does not count any more, because its account was
// disabled, removed or given other roles, or the site was set up by somebody else; it is
// forgotten then. Called with the lock held.
func (a *Auth) ended(sum [32]byte, s *Session) bool {
	over := s.How == gatehouse.BySetUp && a.o.Accounts.Ready()
	if !s.Account.IsZero() {
		who, ok := a.o.Accounts.Account(s.Account)
		over = !ok || who.Revision != s.revision || who.State == gatehouse.Disabled
		s.who = who
	}
	if over {
		a.forget(sum, s)
	}
	return over
}

func (a *Auth) forget(sum [32]byte, s *Session) {
	delete(a.secrets, s.Key)
	delete(a.sessions, sum)
}

// sweep forgets what time has ended. Called with the lock held.
func (a *Auth) sweep() {
	now := a.o.Now()
	for k, l := range a.links {
		if !now.Before(l.until) {
			delete(a.links, k)
		}
	}
	for k, s := range a.sessions {
		if now.Sub(s.Seen) >= a.o.Idle || now.Sub(s.Began) >= a.o.Absolute {
			a.forget(k, s)
		}
	}
}

func (a *Auth) dropOldestSession() {
	var oldest [32]byte
	var at time.Time
	for k, s := range a.sessions {
		if at.IsZero() || s.Seen.Before(at) {
			oldest, at = k, s.Seen
		}
	}
	delete(a.sessions, oldest)
}

func (a *Auth) setCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	name := CookieName
	if r.TLS != nil {
		name = SecureCookieName
	}
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
}

type (
	sessionKey struct{}
	deviceKey  struct{}
)

// SessionFrom returns the session that the route's policy found.
func SessionFrom(ctx context.Context) (Session, bool) {
	s, ok := ctx.Value(sessionKey{}).(Session)
	return s, ok
}

// Gates are those at which the request has the permission: all of them on the admin
// socket, which has no session.
func Gates(ctx context.Context, p gatehouse.Permission) gatehouse.Gates {
	if s, ok := SessionFrom(ctx); ok {
		return s.Gates(p)
	}
	if t, ok := TokenFrom(ctx); ok {
		return t.Gates(p)
	}
	if ctx.Value(socketKey{}) != nil {
		return gatehouse.AllGates()
	}
	return gatehouse.Gates{}
}

// socketKey marks a request that came over the admin socket.
type socketKey struct{}
