package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse"
)

// New is an account that is to be made.
type New struct {
	Login string
	Name  gatehouse.Secret // may be ""
	Roles []gatehouse.Assignment
	// Person is who is enrolled and will have the account; zero for nobody.
	Person gatehouse.SubjectID
}

// Add makes an account and an invitation: token is a one-time link's. Errors:
// account.login, account.exists, account.name, account.roles, account.too_many.
func (a *Accounts) Add(ctx context.Context, by string, n New) (made gatehouse.Account, token string, err error) {
	a.writes.Lock()
	defer a.writes.Unlock()
	if err := gatehouse.CheckName(n.Login); err != nil {
		return made, "", gatehouse.Errorf("account.login", "use 1 to 40 lower-case letters, digits and hyphens, and nobody's name: guard-7", "this is no login")
	}
	name, ok := plainText(n.Name.Reveal(), maxName)
	if !ok {
		return made, "", gatehouse.Errorf("account.name", fmt.Sprintf("use at most %d characters", maxName), "this name cannot be kept")
	}
	roles, err := a.checked(n.Roles)
	if err != nil {
		return made, "", err
	}
	if _, there := a.ByLogin(n.Login); there {
		return made, "", gatehouse.Errorf("account.exists", "choose another login, or invite the account again", "an account has this login")
	}
	if len(a.List()) >= maxAccounts {
		return made, "", gatehouse.Errorf("account.too_many", "remove those that nobody uses", "there are %d accounts", maxAccounts)
	}
	k := kept{Account: gatehouse.Account{Org: a.Place.Org, ID: gatehouse.RandomID(), Login: n.Login, Name: gatehouse.Secret(name), State: gatehouse.Invited, Person: n.Person, Roles: roles, Made: a.Now().UTC(), Revision: 1}}
	token = k.invite(a)
	return k.shown(), token, a.keep(ctx, k, a.leaf("added", k.Account.ID, by, roleWords(roles)...))
}

// invite gives the account a fresh invitation, in the place of the one that it had.
func (k *kept) invite(a *Accounts) (token string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	token = base64.RawURLEncoding.EncodeToString(b[:])
	k.Keys.Invite, k.Keys.Until = sha256.Sum256([]byte(token)), a.Now().Add(InviteLifetime).UTC()
	return token
}

// Invite makes a fresh invitation for an account that is not disabled; an earlier one
// stops working. Errors: account.unknown, account.disabled.
func (a *Accounts) Invite(ctx context.Context, by string, id gatehouse.AccountID) (token string, err error) {
	a.writes.Lock()
	defer a.writes.Unlock()
	_, err = a.change(ctx, id, func(k *kept) ([]byte, error) {
		if k.Account.State == gatehouse.Disabled {
			return nil, gatehouse.Errorf("account.disabled", "enable it first", "the account is disabled")
		}
		token = k.invite(a)
		return a.leaf("invited", id, by), nil
	})
	return token, err
}

// Redeem spends an invitation's token. ok is false for one that was spent, has ended, or
// was never made; all of them take the same time.
func (a *Accounts) Redeem(ctx context.Context, token string) (account gatehouse.Account, ok bool, err error) {
	a.writes.Lock()
	defer a.writes.Unlock()
	want := sha256.Sum256([]byte(token))
	var id gatehouse.AccountID
	a.mu.RLock()
	for _, k := range a.all {
		if subtle.ConstantTimeCompare(k.Keys.Invite[:], want[:]) == 1 && a.Now().Before(k.Keys.Until) && k.Account.State != gatehouse.Disabled {
			id, ok = k.Account.ID, true
		}
	}
	a.mu.RUnlock()
	if !ok {
		return account, false, nil
	}
	account, err = a.change(ctx, id, func(k *kept) ([]byte, error) {
		k.Keys.Invite = [32]byte{}
		return a.leaf("redeemed", id, id.String()), nil
	})
	return account, err == nil, err
}

// SetRoles gives the account these roles and no others; its sessions end. Errors:
// account.unknown, account.roles, account.last_administrator.
func (a *Accounts) SetRoles(ctx context.Context, by string, id gatehouse.AccountID, roles []gatehouse.Assignment) error {
	a.writes.Lock()
	defer a.writes.Unlock()
	roles, err := a.checked(roles)
	if err != nil {
		return err
	}
	_, err = a.change(ctx, id, func(k *kept) ([]byte, error) {
		k.Account.Roles = roles
		k.Account.Revision++
		return a.leaf("roles", id, by, roleWords(roles)...), a.stillManaged(*k)
	})
	return err
}

// SetPerson says who has the account; its sessions end. The leaf does not say who: erasing
// somebody replaces their id. Errors: account.unknown.
func (a *Accounts) SetPerson(ctx context.Context, by string, id gatehouse.AccountID, person gatehouse.SubjectID) error {
	a.writes.Lock()
	defer a.writes.Unlock()
	_, err := a.change(ctx, id, func(k *kept) ([]byte, error) {
		k.Account.Person = person
		k.Account.Revision++
		return a.leaf("person", id, by), nil
	})
	return err
}

// OfPerson are the accounts that somebody who is enrolled has, by login.
func (a *Accounts) OfPerson(person gatehouse.SubjectID) (out []gatehouse.Account) {
	if person.IsZero() {
		return nil
	}
	return slices.DeleteFunc(a.List(), func(x gatehouse.Account) bool { return x.Person != person })
}

// ForgetPerson is called when somebody is erased: accounts that were for their own hours
// alone are removed, and others are nobody's from then on. It may be repeated.
func (a *Accounts) ForgetPerson(ctx context.Context, by string, person gatehouse.SubjectID) error {
	for _, one := range a.OfPerson(person) {
		own := len(one.Roles) > 0 && !slices.ContainsFunc(one.Roles, func(r gatehouse.Assignment) bool { return r.Role != gatehouse.Employee })
		if own {
			if err := a.Remove(ctx, by, one.ID); err != nil {
				return err
			}
		} else if err := a.SetPerson(ctx, by, one.ID, gatehouse.SubjectID{}); err != nil {
			return err
		}
	}
	return nil
}

// SetDisabled ends or restores an account's use; its sessions end. Errors:
// account.unknown, account.last_administrator.
func (a *Accounts) SetDisabled(ctx context.Context, by string, id gatehouse.AccountID, disabled bool) error {
	a.writes.Lock()
	defer a.writes.Unlock()
	_, err := a.change(ctx, id, func(k *kept) ([]byte, error) {
		event := "enabled"
		k.Account.State = gatehouse.Enabled
		if len(k.credentials()) == 0 {
			k.Account.State = gatehouse.Invited
		}
		if disabled {
			event, k.Account.State = "disabled", gatehouse.Disabled
			k.Keys.Invite = [32]byte{}
		}
		k.Account.Revision++
		return a.leaf(event, id, by), a.stillManaged(*k)
	})
	return err
}

// Remove forgets an account and what it signed in with; the log keeps its id. Errors:
// account.unknown, account.last_administrator.
func (a *Accounts) Remove(ctx context.Context, by string, id gatehouse.AccountID) error {
	a.writes.Lock()
	defer a.writes.Unlock()
	a.mu.RLock()
	k, ok := a.all[id]
	a.mu.RUnlock()
	if !ok {
		return unknown()
	}
	k.Account.Roles = nil
	if err := a.stillManaged(k); err != nil {
		return err
	}
	if err := a.Log.WriteLeaf(ctx, a.leaf("removed", id, by)); err != nil {
		return err
	}
	if err := a.Working.RemoveAccount(ctx, id); err != nil {
		return err
	}
	a.mu.Lock()
	delete(a.all, id)
	a.mu.Unlock()
	return nil
}

// stillManaged refuses a change after which nobody could manage accounts any more,
// though somebody can now.
func (a *Accounts) stillManaged(changed kept) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if _, may := changed.Account.May(gatehouse.ManageAccounts, a.Place); may && changed.Account.State == gatehouse.Enabled {
		return nil
	}
	if a.administrators(gatehouse.AccountID{}) > 0 && a.administrators(changed.Account.ID) == 0 {
		return gatehouse.Errorf("account.last_administrator", "make another administrator first", "nobody could manage accounts any more")
	}
	return nil
}

// checked returns the roles, each once, or says what is wrong with them.
func (a *Accounts) checked(roles []gatehouse.Assignment) ([]gatehouse.Assignment, error) {
	bad := func(hint string) error { return gatehouse.Errorf("account.roles", hint, "these roles cannot be given") }
	if len(roles) > maxRoles {
		return nil, bad(fmt.Sprintf("give at most %d", maxRoles))
	}
	var out []gatehouse.Assignment
	for _, r := range roles {
		switch {
		case !slices.Contains(gatehouse.PeopleRoles, r.Role):
			return nil, bad("a role is guard, site-manager, hr, parking-operator, privacy-officer, administrator, auditor or employee")
		case r.Site != "" && gatehouse.CheckName(string(r.Site)) != nil:
			return nil, bad("a site is named by its id")
		case r.Role.PerGate() && len(r.Gates) == 0:
			return nil, bad("name the gates at which " + string(r.Role) + " counts")
		case !r.Role.PerGate() && len(r.Gates) > 0:
			return nil, bad("only guard and parking-operator count at some gates")
		}
		for _, g := range r.Gates {
			if (r.Site == "" || r.Site == a.Place.Site) && !a.HasGate(g) {
				return nil, bad("use ids from `gates` in gatehouse.yml")
			}
		}
		r.Gates = gatehouse.SomeGates(r.Gates...).List()
		if r.Role.PerGate() && r.Site == "" {
			r.Site = a.Place.Site // another site's gate may have the same id
		}
		if !slices.ContainsFunc(out, func(o gatehouse.Assignment) bool {
			return o.Role == r.Role && o.Site == r.Site && slices.Equal(o.Gates, r.Gates)
		}) {
			out = append(out, r)
		}
	}
	return out, nil
}

// roleWords puts roles into a leaf.
func roleWords(roles []gatehouse.Assignment) (out []string) {
	for _, r := range roles {
		out = append(out, r.String())
	}
	return out
}

// plainText trims what somebody typed; ok is false where it is too long or no plain text.
func plainText(s string, most int) (_ string, ok bool) {
	s = strings.TrimSpace(s)
	bad := func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }
	return s, utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, bad)
}
