// Package auth says who may call what: the one-time link that starts a session in
// the console, the tokens of devices, and the policy that every route must name.
//
// In this version the server listens on loopback only. A person who can reach the
// machine's terminal (or the admin socket) mints a link; whoever opens it first
// holds a session, and the link is spent.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"gatehouse"
)

// CookieName is the session cookie. It is not called __Host- because that prefix
// needs Secure, which a browser may refuse over http, even on loopback.
const CookieName = "gatehouse_session"

// The times that a Session and a link last unless Options say otherwise: idle and
// absolute follow OWASP's session management advice for a high-value application
// that is watched for a whole shift.
const (
	DefaultIdle     = 30 * time.Minute
	DefaultAbsolute = 12 * time.Hour
	LinkLifetime    = 15 * time.Minute
)

// maxSessions and maxLinks bound what the memory can be made to hold.
const (
	maxSessions = 256
	maxLinks    = 16
)

// Options configure Auth.
type Options struct {
	// BaseURL is where browsers find the console, for links: http://localhost:8080.
	BaseURL string
	// Hosts are the values of the Host header that are served, with their port.
	// Use LoopbackHosts.
	Hosts []string
	// Idle and Absolute bound a session; 0 means the defaults.
	Idle, Absolute time.Duration
	// Devices checks device tokens; nil refuses every device.
	Devices DeviceVerifier
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Session is one browser that opened a link. It is kept in memory only, so a
// restart signs everybody out.
type Session struct {
	Key      string // names the session in logs and disclosures; says nothing of the cookie
	Operator string // who is written into disclosures
	Began    time.Time
	seen     time.Time
}

// Auth holds the links and sessions of one server. It is safe for concurrent use.
type Auth struct {
	o        Options
	failures *Limiter

	mu       sync.Mutex
	links    map[[32]byte]time.Time // SHA-256 of the token → when it ends
	sessions map[[32]byte]*Session  // SHA-256 of the cookie
}

// New returns an Auth without links or sessions.
func New(o Options) *Auth {
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	if o.Absolute <= 0 {
		o.Absolute = DefaultAbsolute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Auth{o: o, failures: NewLimiter(o.Now, 1, 10),
		links: map[[32]byte]time.Time{}, sessions: map[[32]byte]*Session{}}
}

// Mint returns a new link. It works once, for LinkLifetime.
func (a *Auth) Mint() string {
	token := NewToken()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	for len(a.links) >= maxLinks {
		a.dropOldestLink()
	}
	a.links[sha256.Sum256([]byte(token))] = a.o.Now().Add(LinkLifetime)
	return a.o.BaseURL + "/enter/" + token
}

// redeem spends a link's token and begins a session; it returns the cookie.
func (a *Auth) redeem(token string) (cookie string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	want := sha256.Sum256([]byte(token))
	// Every link is compared, each in constant time: how long it takes says
	// nothing about how near a guess was.
	var hit [32]byte
	for have := range a.links {
		if subtle.ConstantTimeCompare(have[:], want[:]) == 1 {
			hit, ok = have, true
		}
	}
	if !ok {
		return "", false
	}
	delete(a.links, hit)
	for len(a.sessions) >= maxSessions {
		a.dropOldestSession()
	}
	cookie = NewToken()
	key := gatehouse.RandomID().String()[:12]
	now := a.o.Now()
	a.sessions[sha256.Sum256([]byte(cookie))] = &Session{Key: key, Operator: "link-" + key, Began: now, seen: now}
	return cookie, true
}

// SessionOf returns the request's session and marks it as used.
func (a *Auth) SessionOf(r *http.Request) (Session, bool) {
	c, err := r.Cookie(CookieName)
	if err != nil || len(c.Value) > 128 {
		return Session{}, false
	}
	sum := sha256.Sum256([]byte(c.Value))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	s := a.sessions[sum]
	if s == nil {
		return Session{}, false
	}
	s.seen = a.o.Now()
	return *s, true
}

// Alive reports whether the session with this key still counts, without marking it
// as used: an open stream must end with its session and must not keep it alive.
func (a *Auth) Alive(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	for _, s := range a.sessions {
		if s.Key == key {
			return true
		}
	}
	return false
}

// End signs the request's session out.
func (a *Auth) End(r *http.Request) {
	c, err := r.Cookie(CookieName)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sessions, sha256.Sum256([]byte(c.Value)))
}

// sweep forgets what has ended. Called with the lock held.
func (a *Auth) sweep() {
	now := a.o.Now()
	for k, until := range a.links {
		if !now.Before(until) {
			delete(a.links, k)
		}
	}
	for k, s := range a.sessions {
		if now.Sub(s.seen) >= a.o.Idle || now.Sub(s.Began) >= a.o.Absolute {
			delete(a.sessions, k)
		}
	}
}

func (a *Auth) dropOldestLink() {
	var oldest [32]byte
	var at time.Time
	for k, t := range a.links {
		if at.IsZero() || t.Before(at) {
			oldest, at = k, t
		}
	}
	delete(a.links, oldest)
}

func (a *Auth) dropOldestSession() {
	var oldest [32]byte
	var at time.Time
	for k, s := range a.sessions {
		if at.IsZero() || s.seen.Before(at) {
			oldest, at = k, s.seen
		}
	}
	delete(a.sessions, oldest)
}

// NewToken returns 32 random bytes as 43 characters of base64url: a link's token, a
// cookie, a device's token.
func NewToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b[:])
}
