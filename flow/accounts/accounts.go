// Package accounts is the verb of who works with Gatehouse: accounts are made, invited,
// given roles, disabled and removed, and get and lose what they sign in with. Each change
// is an audit leaf, written before it counts. They are kept in the working set, sealed
// under the gate key, so that people sign in while the vault is sealed.
package accounts

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
)

// Working keeps what this package makes of an account.
type Working interface {
	PutAccount(ctx context.Context, id gatehouse.AccountID, plain []byte) error
	Accounts() map[gatehouse.AccountID][]byte
	RemoveAccount(ctx context.Context, id gatehouse.AccountID) error
}

// Ports are what accounts need of the rest.
type Ports struct {
	Place   gatehouse.Place
	Working Working
	Log     gatehouse.LeafWriter
	// HasGate reports whether the site has a gate.
	HasGate func(gatehouse.GateID) bool
	Now     func() time.Time
}

// InviteLifetime is how long an invitation's link works.
const InviteLifetime = 24 * time.Hour

// The bounds of what is kept.
const (
	maxAccounts    = 10_000
	maxCredentials = 20
	maxRoles       = 20
	maxLabel       = 40 // characters
	maxName        = 120
)

// kept is an account as its item holds it.
type kept struct {
	Account gatehouse.Account
	Keys    gatehouse.AccountKeys
}

// Accounts are a site's accounts. All methods are safe for concurrent use.
type Accounts struct {
	Ports
	writes sync.Mutex // one change after the other

	mu  sync.RWMutex
	all map[gatehouse.AccountID]kept
}

// Load reads the accounts out of the working set.
func Load(p Ports) (*Accounts, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.HasGate == nil {
		p.HasGate = func(gatehouse.GateID) bool { return false }
	}
	a := &Accounts{Ports: p, all: map[gatehouse.AccountID]kept{}}
	for id, plain := range p.Working.Accounts() {
		var k kept
		if err := json.Unmarshal(plain, &k); err != nil || k.Account.ID != id {
			return nil, gatehouse.Errorf("account.damaged", "this version cannot read it", "an account in the working set is malformed")
		}
		a.all[id] = k
	}
	return a, nil
}

// credentials names what an account signs in with.
func (k kept) credentials() []gatehouse.CredentialRef {
	var out []gatehouse.CredentialRef
	for _, p := range k.Keys.Passkeys {
		out = append(out, gatehouse.CredentialRef{ID: hex.EncodeToString(p.ID), Kind: gatehouse.ByPasskey, Label: p.Label, Made: p.Made, Used: p.Used})
	}
	if k.Keys.TOTP != "" {
		out = append(out, gatehouse.CredentialRef{ID: totpID, Kind: gatehouse.ByTOTP, Made: k.Keys.TOTPMade})
	}
	for i, o := range k.Keys.Outside {
		out = append(out, gatehouse.CredentialRef{ID: outsideID(i), Kind: gatehouse.ByOIDC, Label: o.Issuer, Made: o.Made, Used: o.Used})
	}
	return out
}

// The ids of the credentials that have none of their own.
const totpID = "totp"

func outsideID(i int) string { return "sso-" + string(rune('a'+i)) }

func (k kept) shown() gatehouse.Account {
	a := k.Account
	a.Roles = slices.Clone(a.Roles)
	a.Credentials = k.credentials()
	return a
}

// Account returns the account of an id.
func (a *Accounts) Account(id gatehouse.AccountID) (gatehouse.Account, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	k, ok := a.all[id]
	return k.shown(), ok
}

// Keys returns what an account signs in with.
func (a *Accounts) Keys(id gatehouse.AccountID) (gatehouse.AccountKeys, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	k, ok := a.all[id]
	k.Keys.Passkeys, k.Keys.Outside = slices.Clone(k.Keys.Passkeys), slices.Clone(k.Keys.Outside)
	return k.Keys, ok
}

// List gives every account, by login.
func (a *Accounts) List() []gatehouse.Account {
	a.mu.RLock()
	defer a.mu.RUnlock()
	out := make([]gatehouse.Account, 0, len(a.all))
	for _, k := range a.all {
		out = append(out, k.shown())
	}
	slices.SortFunc(out, func(x, y gatehouse.Account) int { return strings.Compare(x.Login, y.Login) })
	return out
}

// ByLogin finds an account by its label.
func (a *Accounts) ByLogin(login string) (gatehouse.Account, bool) {
	return a.find(func(k kept) bool { return k.Account.Login == login })
}

// ByOutside finds the account of somebody at a provider of single sign-on.
func (a *Accounts) ByOutside(issuer string, subject gatehouse.Secret) (gatehouse.Account, bool) {
	return a.find(func(k kept) bool {
		return slices.ContainsFunc(k.Keys.Outside, func(o gatehouse.OutsideIdentity) bool { return o.Issuer == issuer && o.Subject == subject })
	})
}

func (a *Accounts) find(is func(kept) bool) (gatehouse.Account, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, k := range a.all {
		if is(k) {
			return k.shown(), true
		}
	}
	return gatehouse.Account{}, false
}

// Ready reports whether somebody can sign in who may manage accounts; until then the
// site is to be set up.
func (a *Accounts) Ready() bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.administrators(gatehouse.AccountID{}) > 0
}

// administrators counts those who can sign in and manage accounts here, without one.
func (a *Accounts) administrators(without gatehouse.AccountID) (n int) {
	for id, k := range a.all {
		if _, may := k.Account.May(gatehouse.ManageAccounts, a.Place); may && id != without && k.Account.State == gatehouse.Enabled {
			n++
		}
	}
	return n
}

// change carries out one change of one account: edit works on a copy, whose leaf is
// written before it is kept. Called with writes held.
func (a *Accounts) change(ctx context.Context, id gatehouse.AccountID, edit func(*kept) (leaf []byte, err error)) (gatehouse.Account, error) {
	a.mu.RLock()
	k, ok := a.all[id]
	a.mu.RUnlock()
	if !ok {
		return gatehouse.Account{}, unknown()
	}
	k.Account.Roles = slices.Clone(k.Account.Roles)
	k.Keys.Passkeys, k.Keys.Outside = slices.Clone(k.Keys.Passkeys), slices.Clone(k.Keys.Outside)
	leaf, err := edit(&k)
	if err != nil {
		return gatehouse.Account{}, err
	}
	return k.shown(), a.keep(ctx, k, leaf)
}

// keep writes the leaf, where there is one, then the account.
func (a *Accounts) keep(ctx context.Context, k kept, leaf []byte) error {
	if leaf != nil {
		if err := a.Log.WriteLeaf(ctx, leaf); err != nil {
			return err
		}
	}
	k.Account.Credentials = nil // they are in Keys
	plain, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if err := a.Working.PutAccount(ctx, k.Account.ID, plain); err != nil {
		return err
	}
	a.mu.Lock()
	a.all[k.Account.ID] = k
	a.mu.Unlock()
	return nil
}

// leaf is one of this site's, about an account.
func (a *Accounts) leaf(event string, id gatehouse.AccountID, by string, more ...string) []byte {
	return gatehouse.AccountLeaf(a.Now(), a.Place, event, id, by, more...)
}

func unknown() error {
	return gatehouse.Errorf("account.unknown", "see `gatehouse account list`", "there is no such account")
}
