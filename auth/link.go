package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"time"

	"gatehouse"
)

// maxLinks bounds the links that are open at a time.
const maxLinks = 16

// link is one that was minted and not opened yet.
type link struct {
	until   time.Time
	how     gatehouse.SignInKind
	account gatehouse.AccountID
}

// Mint returns a link to a local session, which holds every role: for demos and tests. It
// works once, for LinkLifetime, on this machine.
func (a *Auth) Mint() string { return a.mint(gatehouse.ByLocal, gatehouse.AccountID{}) }

// MintSetUp returns the link with which the first administrator is made.
func (a *Auth) MintSetUp() string { return a.mint(gatehouse.BySetUp, gatehouse.AccountID{}) }

// MintFor returns a link that signs an account in: whoever can reach the admin socket
// helps somebody who lost their passkeys.
func (a *Auth) MintFor(id gatehouse.AccountID) string { return a.mint(gatehouse.ByLink, id) }

// InviteURL is the address of an invitation, or another link, at a console.
func InviteURL(base, token string) string { return base + "/enter/" + token }

func (a *Auth) mint(how gatehouse.SignInKind, account gatehouse.AccountID) string {
	token := NewToken()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	for len(a.links) >= maxLinks {
		a.dropOldestLink()
	}
	a.links[sha256.Sum256([]byte(token))] = link{a.o.Now().Add(LinkLifetime), how, account}
	return InviteURL(a.o.BaseURL, token)
}

// spend takes a link's token.
func (a *Auth) spend(token string) (got link, ok bool) {
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
	got = a.links[hit]
	delete(a.links, hit)
	return got, ok
}

// redeem turns a token into the account and the way of signing in that it stands for.
func (a *Auth) redeem(r *http.Request, token string) (account gatehouse.Account, how gatehouse.SignInKind, ok bool, err error) {
	if l, found := a.spend(token); found {
		switch l.how {
		case gatehouse.ByLocal:
			return account, l.how, fromLoopback(r), nil
		case gatehouse.BySetUp:
			return account, l.how, a.o.Accounts != nil && !a.o.Accounts.Ready(), nil
		}
		account, ok = a.o.Accounts.Account(l.account)
		return account, l.how, ok && account.State != gatehouse.Disabled, nil
	}
	if a.o.Accounts == nil {
		return account, "", false, nil
	}
	account, ok, err = a.o.Accounts.Redeem(r.Context(), token)
	return account, gatehouse.ByInvite, ok, err
}

// Enter is the route of the one-time links. Spent is called where the link does not
// work (any more), or cannot be used now: err says why.
func (a *Auth) Enter(spent Refuse) Route {
	return Route{Pattern: "GET /enter/{token}", Policy: Public, Handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method == http.MethodHead { // GET patterns match HEAD too; a link checker must not spend the link
			w.WriteHeader(http.StatusNoContent)
			return
		}
		account, how, ok, err := a.redeem(r, r.PathValue("token"))
		if err == nil && !ok {
			err = gatehouse.Errorf("auth.link_spent", "run `gatehouse link` on the server for a new one", "this link does not work any more")
		}
		if err == nil {
			_, err = a.begin(w, r, account, how)
		}
		if err != nil {
			spent(w, r, err)
			return
		}
		next := "/"
		switch how {
		case gatehouse.BySetUp:
			next = "/set-up"
		case gatehouse.ByInvite:
			next = "/account"
		}
		http.Redirect(w, r, next, http.StatusSeeOther)
	}}
}

// Leave signs out; done answers.
func (a *Auth) Leave(done http.HandlerFunc) Route {
	return Route{Pattern: "POST /leave", Policy: Needs(gatehouse.OwnAccount), Handler: func(w http.ResponseWriter, r *http.Request) {
		a.End(r)
		a.setCookie(w, r, "", -1)
		done(w, r)
	}}
}

// SetUp begins the session of the account that a set-up link led to: it is as if it had
// been invited.
func (a *Auth) SetUp(w http.ResponseWriter, r *http.Request, account gatehouse.Account) error {
	_, err := a.begin(w, r, account, gatehouse.ByInvite)
	return err
}

func (a *Auth) dropOldestLink() {
	var oldest [32]byte
	var at time.Time
	for k, l := range a.links {
		if at.IsZero() || l.until.Before(at) {
			oldest, at = k, l.until
		}
	}
	delete(a.links, oldest)
}
