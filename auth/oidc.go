package auth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OIDC is single sign-on with one provider (OpenID Connect, code flow with PKCE).
type OIDC struct {
	Issuer   string
	ClientID string
	// Secret is the client's, asked for at every use; nil for a public client.
	Secret func() gatehouse.Secret
	// Domains are those of verified e-mail addresses whose people get an account when they
	// come first. None: only who was linked to an account by subject comes in.
	Domains []string
	// RolesClaim names the claim that holds roles, by the words of Roles; "" leaves roles to
	// administrators.
	RolesClaim string
	Roles      map[string]gatehouse.Assignment
	// Client asks the provider; nil is one with a time-out.
	Client *http.Client
}

// singleSignOn finds the provider when it is first needed: a provider that is down must
// not keep a site from starting.
type singleSignOn struct {
	config   OIDC
	redirect string

	mu       sync.Mutex
	provider *oidc.Provider
}

// ssoChallenge is what the provider's answer must fit.
type ssoChallenge struct {
	state, nonce, verifier string
	began                  time.Time
	session                string // of whom shows again who they are
}

const providerWithin = 10 * time.Second

func (s *singleSignOn) client(ctx context.Context) context.Context {
	c := s.config.Client
	if c == nil {
		c = &http.Client{Timeout: providerWithin}
	}
	return oidc.ClientContext(ctx, c)
}

// find asks the provider for its addresses and keys, once.
func (s *singleSignOn) find(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.provider == nil {
		// The provider keeps the context for fetching keys later.
		p, err := oidc.NewProvider(s.client(context.WithoutCancel(ctx)), s.config.Issuer)
		if err != nil {
			return nil, nil, gatehouse.Errorf("auth.provider", "try again, or sign in with a passkey; see `sign_in.oidc` in gatehouse.yml", "the provider of single sign-on does not answer: %w", err)
		}
		s.provider = p
	}
	c := &oauth2.Config{ClientID: s.config.ClientID, Endpoint: s.provider.Endpoint(), RedirectURL: s.redirect, Scopes: []string{oidc.ScopeOpenID, "email", "profile"}}
	if s.config.Secret != nil {
		c.ClientSecret = s.config.Secret().Reveal()
	}
	return s.provider, c, nil
}

// SingleSignOnRoutes lead to the provider and back. came answers a sign-in that worked: a
// page that goes on by itself, since the cookie that was just set does not travel with a
// redirect that began at another site. failed answers the others.
func (a *Auth) SingleSignOnRoutes(came http.HandlerFunc, failed Refuse) []Route {
	if !a.Ways().OIDC {
		return nil
	}
	return []Route{
		{Pattern: "GET /signin/oidc", Policy: Public, Handler: func(w http.ResponseWriter, r *http.Request) { a.toProvider(w, r, "", failed) }},
		{Pattern: "GET /again/oidc", Policy: Needs(gatehouse.OwnAccount), Handler: func(w http.ResponseWriter, r *http.Request) {
			s, _ := SessionFrom(r.Context())
			a.toProvider(w, r, s.Key, failed)
		}},
		{Pattern: "GET /signin/oidc/callback", Policy: Public, Handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			if err := a.fromProvider(w, r); err != nil {
				failed(w, r, err)
				return
			}
			came(w, r)
		}},
	}
}

func (a *Auth) toProvider(w http.ResponseWriter, r *http.Request, session string, failed Refuse) {
	if !a.admitted(w, r, failed) {
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_, config, err := a.single.find(r.Context())
	if err != nil {
		failed(w, r, err)
		return
	}
	c := ssoChallenge{state: NewToken(), nonce: NewToken(), verifier: oauth2.GenerateVerifier(), began: a.o.Now(), session: session}
	options := []oauth2.AuthCodeOption{oidc.Nonce(c.nonce), oauth2.S256ChallengeOption(c.verifier)}
	what := forSSO
	if session != "" {
		what = forSSOAgain
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	// The session's cookie does not come back from another site; the challenge knows it.
	a.challenge(w, r, challenge{purpose: what, data: c}, true)
	http.Redirect(w, r, config.AuthCodeURL(c.state, options...), http.StatusFound)
}

// claims are what is read of an ID token.
type claims struct {
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
	AuthTime int64  `json:"auth_time"`
}

// fromProvider takes the provider's answer. Errors: auth.refused, auth.no_role,
// auth.provider, auth.too_many, the store's.
func (a *Auth) fromProvider(w http.ResponseWriter, r *http.Request) error {
	if ok, wait := a.strikes.attempt("from "+addressOf(r), freePerAddress); !ok {
		return tooMany(wait)
	}
	c, what, ok := a.ssoAnswered(w, r)
	if !ok || r.URL.Query().Get("state") != c.state || r.URL.Query().Get("code") == "" {
		return a.refused(r.Context())
	}
	token, got, all, err := a.single.exchange(r.Context(), r.URL.Query().Get("code"), c)
	if err != nil {
		if gatehouse.ErrorCode(err) != "" {
			return err
		}
		return a.refused(r.Context())
	}
	if what == forSSOAgain {
		return a.provedOutside(w, r, token, got, c)
	}
	account, err := a.outsider(r.Context(), token, got, all)
	if err != nil {
		return err
	}
	a.strikes.succeed("from " + addressOf(r))
	if err := a.signIn(w, r, account, gatehouse.ByOIDC); err != nil {
		return err
	}
	return a.o.Accounts.UsedOutside(r.Context(), account.ID, token.Issuer, gatehouse.Secret(token.Subject))
}

func (a *Auth) ssoAnswered(w http.ResponseWriter, r *http.Request) (c ssoChallenge, what purpose, ok bool) {
	got, ok := a.takeChallenge(w, r)
	c, isSSO := got.data.(ssoChallenge)
	return c, got.purpose, ok && isSSO && (got.purpose == forSSO || got.purpose == forSSOAgain)
}

// exchange gives the code for an ID token and checks it: signature, issuer, audience,
// time and nonce.
func (s *singleSignOn) exchange(ctx context.Context, code string, c ssoChallenge) (*oidc.IDToken, claims, map[string]any, error) {
	var got claims
	var all map[string]any
	provider, config, err := s.find(ctx)
	if err != nil {
		return nil, got, nil, err
	}
	ctx = s.client(ctx)
	answer, err := config.Exchange(ctx, code, oauth2.VerifierOption(c.verifier))
	if err != nil {
		return nil, got, nil, errors.New("the code was refused")
	}
	raw, _ := answer.Extra("id_token").(string)
	token, err := provider.Verifier(&oidc.Config{ClientID: s.config.ClientID}).Verify(ctx, raw)
	if err != nil || token.Nonce != c.nonce || token.Subject == "" {
		return nil, got, nil, errors.New("the ID token does not hold")
	}
	err = errors.Join(token.Claims(&got), token.Claims(&all))
	return token, got, all, err
}

// outsider is the account of somebody who comes from the provider.
func (a *Auth) outsider(ctx context.Context, token *oidc.IDToken, got claims, all map[string]any) (gatehouse.Account, error) {
	who := gatehouse.OutsideIdentity{Issuer: token.Issuer, Subject: gatehouse.Secret(token.Subject)}
	account, known := a.o.Accounts.ByOutside(who.Issuer, who.Subject)
	config := a.single.config
	if !known && !(got.Verified && inDomain(got.Email, config.Domains)) {
		return account, a.refused(ctx)
	}
	if known && config.RolesClaim == "" {
		return account, nil
	}
	var roles []gatehouse.Assignment
	if config.RolesClaim != "" {
		roles = rolesOf(all[config.RolesClaim], config.Roles)
	}
	return a.o.Accounts.Arrive(ctx, who, gatehouse.Secret(got.Email), roles)
}

// inDomain reports whether an address is of one of the domains, exactly.
func inDomain(email string, domains []string) bool {
	at := strings.LastIndexByte(email, '@')
	return at > 0 && slices.Contains(domains, strings.ToLower(email[at+1:]))
}

// rolesOf translates a claim, which is a word or a list of words. It is never nil: a claim
// that names no role takes the account's away.
func rolesOf(claim any, known map[string]gatehouse.Assignment) []gatehouse.Assignment {
	words := []any{claim}
	if list, ok := claim.([]any); ok {
		words = list
	}
	out := []gatehouse.Assignment{}
	for _, word := range words {
		if text, ok := word.(string); ok {
			if role, ok := known[text]; ok {
				out = append(out, role)
			}
		}
	}
	return out
}

// provedOutside marks the session as proved, if it is the same person who signed in just
// now and not by what the provider remembered.
func (a *Auth) provedOutside(w http.ResponseWriter, r *http.Request, token *oidc.IDToken, got claims, c ssoChallenge) error {
	account, known := a.o.Accounts.ByOutside(token.Issuer, gatehouse.Secret(token.Subject))
	fresh := got.AuthTime > 0 && !time.Unix(got.AuthTime, 0).Before(c.began.Add(-time.Minute))
	if !known || !fresh || !a.proveSession(c.session, account.ID) {
		return a.refused(r.Context())
	}
	a.strikes.succeed("from " + addressOf(r))
	return nil
}
