package auth

import (
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"gatehouse"
)

// pending are the challenges that were given out: each belongs to the browser that holds
// its cookie, is taken once, whatever comes of it, and ends after challengeLifetime.
type pending struct {
	mu   sync.Mutex
	open map[[32]byte]challenge
}

type challenge struct {
	purpose purpose
	session string // the session's key it was made in, "" for none
	account gatehouse.AccountID
	until   time.Time
	data    any
}

// purpose keeps a challenge that was made for one thing from being used for another.
type purpose string

const (
	forSignIn   purpose = "sign-in"
	forAgain    purpose = "again"
	forRegister purpose = "register"
	forSSO      purpose = "sso"
	forSSOAgain purpose = "sso-again"
)

const (
	challengeCookie   = "gatehouse_challenge"
	challengeLifetime = 3 * time.Minute
	maxChallenges     = 2048
)

// challenge gives the browser behind r a challenge. lax: it must come back from another
// site's page, as single sign-on does.
func (a *Auth) challenge(w http.ResponseWriter, r *http.Request, c challenge, lax bool) {
	now := a.o.Now()
	c.until = now.Add(challengeLifetime)
	cookie := NewToken()
	p := &a.pending
	p.mu.Lock()
	var oldest [32]byte
	var at time.Time
	for k, o := range p.open {
		if !now.Before(o.until) {
			delete(p.open, k)
		} else if at.IsZero() || o.until.Before(at) {
			oldest, at = k, o.until
		}
	}
	if len(p.open) >= maxChallenges {
		delete(p.open, oldest)
	}
	p.open[sha256.Sum256([]byte(cookie))] = c
	p.mu.Unlock()
	a.setChallengeCookie(w, r, cookie, int(challengeLifetime.Seconds()), lax)
}

// answered takes the challenge that the browser holds, if it is one for the purpose and
// was made in the session that the request belongs to. It is gone afterwards.
func (a *Auth) answered(w http.ResponseWriter, r *http.Request, what purpose) (challenge, bool) {
	got, ok := a.takeChallenge(w, r)
	s, _ := SessionFrom(r.Context())
	return got, ok && got.purpose == what && got.session == s.Key
}

// takeChallenge takes the challenge that the browser holds, whatever it is for.
func (a *Auth) takeChallenge(w http.ResponseWriter, r *http.Request) (challenge, bool) {
	c, err := r.Cookie(challengeCookie)
	if err != nil || len(c.Value) > 128 {
		return challenge{}, false
	}
	a.setChallengeCookie(w, r, "", -1, false)
	sum := sha256.Sum256([]byte(c.Value))
	a.pending.mu.Lock()
	got, ok := a.pending.open[sum]
	delete(a.pending.open, sum)
	a.pending.mu.Unlock()
	return got, ok && a.o.Now().Before(got.until)
}

func (a *Auth) setChallengeCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int, lax bool) {
	site := http.SameSiteStrictMode
	if lax {
		site = http.SameSiteLaxMode
	}
	http.SetCookie(w, &http.Cookie{Name: challengeCookie, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: r.TLS != nil, SameSite: site})
}
