// Package auth says who may call what: how people sign in (passkeys, one-time codes,
// single sign-on, one-time links) and stay signed in, the tokens of devices, and the
// policy that every route must name. There are no passwords.
//
// It knows accounts through a port only, and what a role may do from the vocabulary's
// table: a policy names a permission, and never a role.
package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"

	"gatehouse"
)

// Accounts are who may sign in; flow/accounts has them. It MUST answer from memory: every
// request asks for its session's account.
type Accounts interface {
	Account(id gatehouse.AccountID) (gatehouse.Account, bool)
	ByLogin(login string) (gatehouse.Account, bool)
	ByOutside(issuer string, subject gatehouse.Secret) (gatehouse.Account, bool)
	Keys(id gatehouse.AccountID) (gatehouse.AccountKeys, bool)
	// Ready is false until somebody can sign in who may manage accounts.
	Ready() bool
	// Redeem spends an invitation.
	Redeem(ctx context.Context, token string) (_ gatehouse.Account, ok bool, err error)

	AddPasskey(ctx context.Context, id gatehouse.AccountID, p gatehouse.Passkey) error
	UsedPasskey(ctx context.Context, id gatehouse.AccountID, p gatehouse.Passkey) error
	SetTOTP(ctx context.Context, id gatehouse.AccountID, secret gatehouse.Secret, step int64) error
	// UseTOTP MUST refuse a step that is not behind the last one.
	UseTOTP(ctx context.Context, id gatehouse.AccountID, step int64) error
	UsedOutside(ctx context.Context, id gatehouse.AccountID, issuer string, subject gatehouse.Secret) error
	// Arrive makes or changes the account of somebody whom single sign-on brings, where
	// the site lets the provider say who has an account.
	Arrive(ctx context.Context, o gatehouse.OutsideIdentity, name gatehouse.Secret, roles []gatehouse.Assignment) (gatehouse.Account, error)
}

// Options configure Auth.
type Options struct {
	Place gatehouse.Place
	// BaseURL is where browsers find the console, for links: http://localhost:8080.
	BaseURL string
	// Hosts are the values of the Host header that are served, with their port.
	// Use LoopbackHosts.
	Hosts []string
	// Idle and Absolute bound a session; 0 means the defaults.
	Idle, Absolute time.Duration
	// Fresh is how long a proof of who is there counts for what NeedsFresh guards; 0 means
	// the default.
	Fresh time.Duration
	// RelyingParty is the name that passkeys are bound to: BaseURL's host or a domain above
	// it, and no IP address. "" switches passkeys off.
	RelyingParty string
	// SiteName is what an authenticator shows beside RelyingParty; not personal.
	SiteName string
	// TOTP lets accounts sign in with one-time codes.
	TOTP bool
	// OIDC is single sign-on; nil for none.
	OIDC *OIDC
	// Accounts are who may sign in; nil: nobody but local sessions.
	Accounts Accounts
	// Log takes a leaf for each session that begins, before it does; nil writes none.
	Log gatehouse.LeafWriter
	// Devices checks device tokens; nil refuses every device.
	Devices DeviceVerifier
	// Tokens checks access tokens; nil refuses every one.
	Tokens gatehouse.TokenVerifier
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// The times that hold unless Options say otherwise: idle and absolute follow OWASP's
// session management advice for a high-value application that is watched for a whole
// shift.
const (
	DefaultIdle     = 30 * time.Minute
	DefaultAbsolute = 12 * time.Hour
	DefaultFresh    = 10 * time.Minute
	LinkLifetime    = 15 * time.Minute
)

// Auth holds the links, sessions and challenges of one server. It is safe for concurrent
// use.
type Auth struct {
	o        Options
	failures *Limiter // what devices showed in vain, by address and device
	failed   *Limiter // what devices and programs showed in vain, by address
	asked    *Limiter // challenges and redirects, by address
	strikes  *backoff
	refusals refusals
	pending  pending // challenges
	passkeys relyingParty
	single   *singleSignOn

	mu       sync.Mutex
	links    map[[32]byte]link     // SHA-256 of the token
	sessions map[[32]byte]*Session // SHA-256 of the cookie
	secrets  map[string]gatehouse.Secret
}

// New returns an Auth without links or sessions.
func New(o Options) *Auth {
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	if o.Absolute <= 0 {
		o.Absolute = DefaultAbsolute
	}
	if o.Fresh <= 0 {
		o.Fresh = DefaultFresh
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &Auth{o: o, failures: NewLimiter(o.Now, 1, 10), failed: NewLimiter(o.Now, 1, 60), asked: NewLimiter(o.Now, 1, 30), strikes: newBackoff(o.Now),
		links: map[[32]byte]link{}, sessions: map[[32]byte]*Session{}, secrets: map[string]gatehouse.Secret{}}
	a.pending.open = map[[32]byte]challenge{}
	a.passkeys = newRelyingParty(o)
	if o.OIDC != nil {
		a.single = &singleSignOn{config: *o.OIDC, redirect: o.BaseURL + "/signin/oidc/callback"}
	}
	return a
}

// Ways says how people can sign in here.
type Ways struct{ Passkey, TOTP, OIDC bool }

// Ways are the site's.
func (a *Auth) Ways() Ways {
	with := a.o.Accounts != nil
	return Ways{Passkey: with && a.passkeys.on(), TOTP: with && a.o.TOTP, OIDC: with && a.single != nil}
}

// NewToken returns 32 random bytes as 43 characters of base64url: a link's token, a
// cookie, a device's token.
func NewToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// BaseURL is where browsers find the console.
func (a *Auth) BaseURL() string { return a.o.BaseURL }

// PasskeysAt reports whether passkeys work on a page of that host: they are bound to a
// name, and localhost is not 127.0.0.1.
func (a *Auth) PasskeysAt(host string) bool {
	return FitsRelyingParty("http://"+host, a.o.RelyingParty)
}
