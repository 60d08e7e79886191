package auth

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"gatehouse"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// relyingParty is the site as WebAuthn knows it; its zero value has no passkeys.
type relyingParty struct{ *webauthn.WebAuthn }

func newRelyingParty(o Options) relyingParty {
	if o.RelyingParty == "" || CheckRelyingParty(o.RelyingParty) != nil {
		return relyingParty{}
	}
	name := o.SiteName
	if name == "" {
		name = "Gatehouse"
	}
	yes := true
	w, err := webauthn.New(&webauthn.Config{RPID: o.RelyingParty, RPDisplayName: name, RPOrigins: []string{o.BaseURL}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{RequireResidentKey: &yes, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}})
	if err != nil {
		return relyingParty{}
	}
	return relyingParty{w}
}

func (p relyingParty) on() bool { return p.WebAuthn != nil }

// user is an account as WebAuthn sees it: by its opaque id and its login, never by name.
type user struct {
	account gatehouse.Account
	keys    gatehouse.AccountKeys
}

// WebAuthnID implements webauthn.User.
func (u user) WebAuthnID() []byte { return u.account.ID[:] }

// WebAuthnName implements webauthn.User.
func (u user) WebAuthnName() string { return u.account.Login }

// WebAuthnDisplayName implements webauthn.User.
func (u user) WebAuthnDisplayName() string { return u.account.Login }

// WebAuthnCredentials implements webauthn.User.
func (u user) WebAuthnCredentials() (out []webauthn.Credential) {
	for _, p := range u.keys.Passkeys {
		c := webauthn.Credential{ID: p.ID, PublicKey: p.PublicKey, Authenticator: webauthn.Authenticator{AAGUID: p.AAGUID, SignCount: p.Counter},
			Flags: webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: p.BackupEligible, BackupState: p.BackedUp}}
		for _, t := range p.Transports {
			c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
		}
		out = append(out, c)
	}
	return out
}

// maxAnswer bounds what a page posts of a passkey, in bytes.
const maxAnswer = 64 << 10

// PasskeyRoutes are what the console's script asks: a challenge and its answer, for
// signing in, for showing once more who is there, and for adding a passkey.
func (a *Auth) PasskeyRoutes() []Route {
	if !a.Ways().Passkey {
		return nil
	}
	return []Route{
		{Pattern: "POST /signin/passkey/begin", Policy: Public, Handler: a.beginSignIn, Refuse: refuseJSON},
		{Pattern: "POST /signin/passkey/finish", Policy: Public, Handler: a.finishSignIn, Refuse: refuseJSON},
		{Pattern: "POST /again/passkey/begin", Policy: Needs(gatehouse.OwnAccount), Handler: a.beginAgain, Refuse: refuseJSON},
		{Pattern: "POST /again/passkey/finish", Policy: Needs(gatehouse.OwnAccount), Handler: a.finishAgain, Refuse: refuseJSON},
		{Pattern: "POST /account/passkeys/begin", Policy: NeedsFresh(gatehouse.OwnAccount), Handler: a.beginRegister, Refuse: refuseJSON},
		{Pattern: "POST /account/passkeys/finish", Policy: NeedsFresh(gatehouse.OwnAccount), Handler: a.finishRegister, Refuse: refuseJSON},
	}
}

// answer is what the script gets: where to go on, or what went wrong.
type answer struct {
	Next string `json:"next,omitempty"`
	Code string `json:"code,omitempty"`
	Hint string `json:"hint,omitempty"`
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the browser has gone
}

// refuseJSON answers a script. Where it goes on is the script's page's to know.
func refuseJSON(w http.ResponseWriter, _ *http.Request, err error) {
	code := gatehouse.ErrorCode(err)
	status := http.StatusForbidden
	switch code {
	case "auth.session_needed":
		status = http.StatusUnauthorized
	case "auth.too_many":
		status = http.StatusTooManyRequests
	case "":
		code, status = "server.failed", http.StatusInternalServerError
	}
	out := answer{Code: code}
	if code == "auth.again" {
		out.Next = "/again"
	}
	writeJSON(w, status, out)
}

// admitted lets a request through that may be repeated at will, at a bounded pace.
func (a *Auth) admitted(w http.ResponseWriter, r *http.Request, refuse Refuse) bool {
	if ok, wait := a.asked.Allow(addressOf(r)); !ok {
		TooMany(w, r, wait, refuse)
		return false
	}
	return true
}

func (a *Auth) beginSignIn(w http.ResponseWriter, r *http.Request) {
	if !a.admitted(w, r, refuseJSON) {
		return
	}
	options, data, err := a.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		refuseJSON(w, r, err)
		return
	}
	// Who signs in may be signed in already; the old session ends with the new one.
	a.challenge(w, r, challenge{purpose: forSignIn, data: *data}, false)
	writeJSON(w, http.StatusOK, options.Response)
}

func (a *Auth) finishSignIn(w http.ResponseWriter, r *http.Request) {
	if ok, wait := a.strikes.attempt("from "+addressOf(r), freePerAddress); !ok {
		TooMany(w, r, wait, refuseJSON)
		return
	}
	account, err := a.asserted(w, r, forSignIn)
	if err == nil {
		a.strikes.succeed("from " + addressOf(r))
		err = a.signIn(w, r, account, gatehouse.ByPasskey)
	}
	if err != nil {
		refuseJSON(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer{Next: "/"})
}

// signIn begins the session of an account that showed who it is. Errors: auth.refused
// for one that is disabled, auth.no_role for one that may do nothing here.
func (a *Auth) signIn(w http.ResponseWriter, r *http.Request, account gatehouse.Account, how gatehouse.SignInKind) error {
	if account.State != gatehouse.Enabled || account.Org != a.o.Place.Org {
		return a.refused(r.Context())
	}
	if _, may := account.May(gatehouse.OwnAccount, a.o.Place); !may {
		_ = a.refused(r.Context())
		return gatehouse.Errorf("auth.no_role", "ask an administrator for a role at this site", "the account has no role here")
	}
	_, err := a.begin(w, r, account, how)
	return err
}

// asserted checks the posted assertion against the browser's challenge and gives the
// account whose passkey made it. Each challenge is worth one attempt. Errors:
// auth.refused.
func (a *Auth) asserted(w http.ResponseWriter, r *http.Request, what purpose) (gatehouse.Account, error) {
	c, ok := a.answered(w, r, what)
	data, isData := c.data.(webauthn.SessionData)
	body, _, err := posted(w, r)
	if !ok || !isData || err != nil {
		return gatehouse.Account{}, a.refused(r.Context())
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(body)
	if err != nil {
		return gatehouse.Account{}, a.refused(r.Context())
	}
	var found user
	handler := func(rawID, handle []byte) (webauthn.User, error) {
		if len(handle) == len(gatehouse.AccountID{}) {
			id := gatehouse.AccountID(handle)
			var known bool
			if found.account, known = a.o.Accounts.Account(id); known {
				found.keys, _ = a.o.Accounts.Keys(id)
				return found, nil
			}
		}
		return nil, a.refused(r.Context())
	}
	// The account is named by the passkey itself, also when one shows again who is there:
	// it must then be the session's.
	_, used, err := a.passkeys.ValidatePasskeyLogin(handler, data, parsed)
	if err != nil || used.Authenticator.CloneWarning || !used.Flags.UserVerified || !c.account.IsZero() && c.account != found.account.ID {
		return gatehouse.Account{}, a.refused(r.Context())
	}
	i := slices.IndexFunc(found.keys.Passkeys, func(p gatehouse.Passkey) bool { return bytes.Equal(p.ID, used.ID) })
	if i < 0 {
		return gatehouse.Account{}, a.refused(r.Context())
	}
	p := found.keys.Passkeys[i]
	p.Counter, p.BackedUp = used.Authenticator.SignCount, used.Flags.BackupState
	return found.account, a.o.Accounts.UsedPasskey(r.Context(), found.account.ID, p)
}

func (a *Auth) beginAgain(w http.ResponseWriter, r *http.Request) {
	s, _ := SessionFrom(r.Context())
	if !a.admitted(w, r, refuseJSON) {
		return
	}
	options, data, err := a.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if s.Account.IsZero() {
		err = gatehouse.Errorf("auth.forbidden", "", "a local session has no passkeys")
	}
	if err != nil {
		refuseJSON(w, r, err)
		return
	}
	a.challenge(w, r, challenge{purpose: forAgain, session: s.Key, account: s.Account, data: *data}, false)
	writeJSON(w, http.StatusOK, options.Response)
}

func (a *Auth) finishAgain(w http.ResponseWriter, r *http.Request) {
	if ok, wait := a.strikes.attempt("from "+addressOf(r), freePerAddress); !ok {
		TooMany(w, r, wait, refuseJSON)
		return
	}
	if _, err := a.asserted(w, r, forAgain); err != nil {
		refuseJSON(w, r, err)
		return
	}
	a.strikes.succeed("from " + addressOf(r))
	a.prove(w, r)
	writeJSON(w, http.StatusOK, answer{})
}

func (a *Auth) beginRegister(w http.ResponseWriter, r *http.Request) {
	s, _ := SessionFrom(r.Context())
	keys, ok := a.o.Accounts.Keys(s.Account)
	if !ok {
		refuseJSON(w, r, gatehouse.Errorf("auth.forbidden", "", "a local session has no passkeys"))
		return
	}
	u := user{s.who, keys}
	var have []protocol.CredentialDescriptor
	for _, c := range u.WebAuthnCredentials() {
		have = append(have, c.Descriptor())
	}
	options, data, err := a.passkeys.BeginRegistration(u, webauthn.WithExclusions(have))
	if err != nil {
		refuseJSON(w, r, err)
		return
	}
	a.challenge(w, r, challenge{purpose: forRegister, session: s.Key, account: s.Account, data: *data}, false)
	writeJSON(w, http.StatusOK, options.Response)
}

// finishRegister keeps a new passkey. Who was invited is signed in with it.
func (a *Auth) finishRegister(w http.ResponseWriter, r *http.Request) {
	s, _ := SessionFrom(r.Context())
	c, ok := a.answered(w, r, forRegister)
	data, isData := c.data.(webauthn.SessionData)
	body, label, err := posted(w, r)
	if !ok || !isData || err != nil || c.account != s.Account {
		refuseJSON(w, r, a.refused(r.Context()))
		return
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(body)
	if err != nil {
		refuseJSON(w, r, a.refused(r.Context()))
		return
	}
	made, err := a.passkeys.CreateCredential(user{account: s.who}, data, parsed)
	if err != nil || !made.Flags.UserVerified {
		refuseJSON(w, r, a.refused(r.Context()))
		return
	}
	p := gatehouse.Passkey{ID: made.ID, PublicKey: made.PublicKey, Counter: made.Authenticator.SignCount, AAGUID: made.Authenticator.AAGUID,
		BackupEligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState, Label: label, Made: a.o.Now().UTC()}
	for _, t := range made.Transport {
		p.Transports = append(p.Transports, string(t))
	}
	if err := a.o.Accounts.AddPasskey(r.Context(), s.Account, p); err != nil {
		refuseJSON(w, r, err)
		return
	}
	next := "/account"
	if s.limited() {
		account, _ := a.o.Accounts.Account(s.Account)
		if err := a.signIn(w, r, account, gatehouse.ByPasskey); err != nil {
			refuseJSON(w, r, err)
			return
		}
		next = "/account?welcome"
	}
	writeJSON(w, http.StatusOK, answer{Next: next})
}

// posted reads what a page posts of a passkey, and what its owner calls it.
func posted(w http.ResponseWriter, r *http.Request) (body []byte, label string, err error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	if err != nil {
		return nil, "", err
	}
	return withoutExtensions(b)
}

// withoutExtensions strips what extensions gave, and whatever else is not the passkey's:
// the PRF's output is a secret that the server must never have.
func withoutExtensions(b []byte) (body []byte, label string, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return nil, "", err
	}
	_ = json.Unmarshal(fields["label"], &label) // "" for one that is no text
	for name := range fields {
		switch name {
		case "id", "rawId", "type", "response", "authenticatorAttachment":
		default:
			delete(fields, name)
		}
	}
	fields["clientExtensionResults"] = json.RawMessage("{}")
	body, err = json.Marshal(fields)
	return body, label, err
}
