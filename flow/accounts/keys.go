package accounts

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"gatehouse"
)

// AddPasskey gives an account a passkey; one that was invited can sign in then. Errors:
// account.unknown, account.disabled, account.credential, account.too_many.
func (a *Accounts) AddPasskey(ctx context.Context, id gatehouse.AccountID, p gatehouse.Passkey) error {
	label, ok := plainText(p.Label, maxLabel)
	if !ok || len(p.ID) == 0 || len(p.PublicKey) == 0 {
		return gatehouse.Errorf("account.credential", fmt.Sprintf("call it by at most %d characters", maxLabel), "this passkey cannot be kept")
	}
	p.Label = label
	return a.add(ctx, id, "passkey-added", func(k *kept) error {
		for _, other := range a.all {
			if slices.ContainsFunc(other.Keys.Passkeys, func(o gatehouse.Passkey) bool { return bytes.Equal(o.ID, p.ID) }) {
				return gatehouse.Errorf("account.credential", "use another one", "this passkey is in use already")
			}
		}
		k.Keys.Passkeys = append(k.Keys.Passkeys, p)
		return nil
	})
}

// SetTOTP gives an account the secret of one-time codes, in the place of the one that it
// had; step is the last that was used. Errors: as AddPasskey.
func (a *Accounts) SetTOTP(ctx context.Context, id gatehouse.AccountID, secret gatehouse.Secret, step int64) error {
	return a.add(ctx, id, "totp-set", func(k *kept) error {
		k.Keys.TOTP, k.Keys.TOTPStep, k.Keys.TOTPMade = secret, step, a.Now().UTC()
		return nil
	})
}

// LinkOutside lets somebody at a provider of single sign-on sign in as the account.
// Errors: as AddPasskey.
func (a *Accounts) LinkOutside(ctx context.Context, by string, id gatehouse.AccountID, o gatehouse.OutsideIdentity) error {
	if o.Issuer == "" || o.Subject == "" || len(o.Issuer) > 500 || len(o.Subject) > 255 {
		return gatehouse.Errorf("account.credential", "give the provider's issuer and the subject (`sub`) of the person there", "this identity cannot be kept")
	}
	if _, there := a.ByOutside(o.Issuer, o.Subject); there {
		return gatehouse.Errorf("account.credential", "remove it there first", "this identity is an account's already")
	}
	o.Made = a.Now().UTC()
	return a.addBy(ctx, by, id, "sso-linked", func(k *kept) error {
		k.Keys.Outside = append(k.Keys.Outside, o)
		return nil
	})
}

func (a *Accounts) add(ctx context.Context, id gatehouse.AccountID, event string, give func(*kept) error) error {
	return a.addBy(ctx, id.String(), id, event, give)
}

func (a *Accounts) addBy(ctx context.Context, by string, id gatehouse.AccountID, event string, give func(*kept) error) error {
	a.writes.Lock()
	defer a.writes.Unlock()
	_, err := a.change(ctx, id, func(k *kept) ([]byte, error) {
		if k.Account.State == gatehouse.Disabled {
			return nil, gatehouse.Errorf("account.disabled", "ask an administrator", "the account is disabled")
		}
		if len(k.credentials()) >= maxCredentials {
			return nil, gatehouse.Errorf("account.too_many", "remove one first", "an account signs in with at most %d things", maxCredentials)
		}
		if err := give(k); err != nil {
			return nil, err
		}
		k.Account.State = gatehouse.Enabled
		return a.leaf(event, id, by), nil
	})
	return err
}

// RemoveCredential takes a credential away, and ends the account's sessions where
// somebody else did. One's own last one stays: whoever lost it all asks an administrator.
// Errors: account.unknown, account.credential, account.last_credential,
// account.last_administrator.
func (a *Accounts) RemoveCredential(ctx context.Context, by string, id gatehouse.AccountID, credential string) error {
	a.writes.Lock()
	defer a.writes.Unlock()
	_, err := a.change(ctx, id, func(k *kept) ([]byte, error) {
		before := len(k.credentials())
		event := k.drop(credential)
		if event == "" {
			return nil, gatehouse.Errorf("account.credential", "look at the list again", "the account has no such credential")
		}
		if before == 1 && by == id.String() {
			return nil, gatehouse.Errorf("account.last_credential", "add another one first", "this is all that the account signs in with")
		}
		if before == 1 && k.Account.State == gatehouse.Enabled {
			k.Account.State = gatehouse.Invited
		}
		if by != id.String() {
			k.Account.Revision++
		}
		return a.leaf(event, id, by), a.stillManaged(*k)
	})
	return err
}

// drop takes one credential out and names the event, "" where there is none such.
func (k *kept) drop(credential string) (event string) {
	n := len(k.Keys.Passkeys)
	k.Keys.Passkeys = slices.DeleteFunc(k.Keys.Passkeys, func(p gatehouse.Passkey) bool { return hex.EncodeToString(p.ID) == credential })
	switch {
	case len(k.Keys.Passkeys) < n:
		return "passkey-removed"
	case credential == totpID && k.Keys.TOTP != "":
		k.Keys.TOTP = ""
		return "totp-removed"
	}
	for i := range k.Keys.Outside {
		if outsideID(i) == credential {
			k.Keys.Outside = slices.Delete(k.Keys.Outside, i, i+1)
			return "sso-removed"
		}
	}
	return ""
}

// UsedPasskey keeps what a passkey's authenticator said at a sign-in. It is no change of
// the account: the sign-in has its own leaf.
func (a *Accounts) UsedPasskey(ctx context.Context, id gatehouse.AccountID, used gatehouse.Passkey) error {
	a.writes.Lock()
	defer a.writes.Unlock()
	_, err := a.change(ctx, id, func(k *kept) ([]byte, error) {
		for i, p := range k.Keys.Passkeys {
			if bytes.Equal(p.ID, used.ID) {
				k.Keys.Passkeys[i].Counter, k.Keys.Passkeys[i].BackedUp, k.Keys.Passkeys[i].Used = used.Counter, used.BackedUp, a.Now().UTC()
				return nil, nil
			}
		}
		return nil, unknown() // removed meanwhile
	})
	return err
}

// UseTOTP marks a step as used, once: a code that was seen over a shoulder is worth
// nothing. Errors: account.credential.
func (a *Accounts) UseTOTP(ctx context.Context, id gatehouse.AccountID, step int64) error {
	a.writes.Lock()
	defer a.writes.Unlock()
	_, err := a.change(ctx, id, func(k *kept) ([]byte, error) {
		if k.Keys.TOTP == "" || step <= k.Keys.TOTPStep {
			return nil, gatehouse.Errorf("account.credential", "wait for the next code", "this code was used already")
		}
		k.Keys.TOTPStep = step
		return nil, nil
	})
	return err
}

// UsedOutside keeps when an identity last signed in.
func (a *Accounts) UsedOutside(ctx context.Context, id gatehouse.AccountID, issuer string, subject gatehouse.Secret) error {
	a.writes.Lock()
	defer a.writes.Unlock()
	_, err := a.change(ctx, id, func(k *kept) ([]byte, error) {
		for i, o := range k.Keys.Outside {
			if o.Issuer == issuer && o.Subject == subject {
				k.Keys.Outside[i].Used = a.Now().UTC()
				return nil, nil
			}
		}
		return nil, unknown()
	})
	return err
}
