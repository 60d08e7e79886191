package accounts

import (
	"context"
	"slices"

	"gatehouse"
)

// Arrive is the account of somebody whom a provider of single sign-on brings, made where
// there is none yet. Its login says nothing; name, an e-mail address, is what an
// administrator tells it by. Roles that are not nil become the account's. Errors:
// account.roles, account.last_administrator, account.too_many.
func (a *Accounts) Arrive(ctx context.Context, o gatehouse.OutsideIdentity, name gatehouse.Secret, roles []gatehouse.Assignment) (gatehouse.Account, error) {
	a.writes.Lock()
	defer a.writes.Unlock()
	by := "single-sign-on"
	checked, err := a.checked(roles)
	if err != nil {
		return gatehouse.Account{}, err
	}
	if there, ok := a.ByOutside(o.Issuer, o.Subject); ok {
		if roles == nil || slices.EqualFunc(there.Roles, checked, sameRole) {
			return there, nil
		}
		return a.change(ctx, there.ID, func(k *kept) ([]byte, error) {
			k.Account.Roles = checked
			k.Account.Revision++
			return a.leaf("roles", there.ID, by, roleWords(checked)...), a.stillManaged(*k)
		})
	}
	if len(a.List()) >= maxAccounts {
		return gatehouse.Account{}, gatehouse.Errorf("account.too_many", "remove those that nobody uses", "there are %d accounts", maxAccounts)
	}
	shown, ok := plainText(name.Reveal(), maxName)
	if !ok {
		shown = ""
	}
	id := gatehouse.RandomID()
	o.Made = a.Now().UTC()
	k := kept{Account: gatehouse.Account{Org: a.Place.Org, ID: id, Login: "sso-" + gatehouse.RandomID().String()[:12], Name: gatehouse.Secret(shown), State: gatehouse.Enabled, Roles: checked, Made: o.Made, Revision: 1},
		Keys: gatehouse.AccountKeys{Outside: []gatehouse.OutsideIdentity{o}}}
	return k.shown(), a.keep(ctx, k, a.leaf("added", id, by, roleWords(checked)...))
}

func sameRole(x, y gatehouse.Assignment) bool {
	return x.Role == y.Role && x.Site == y.Site && slices.Equal(x.Gates, y.Gates)
}
