//go:build pkcs11

package vault

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault/custody/custodytest"
)

func tokenGateSource(t *testing.T) (string, bool) {
	pin := filepath.Join(t.TempDir(), "pin")
	must(t, os.WriteFile(pin, []byte(custodytest.PIN+"\n"), 0o600))
	return "pkcs11:" + custodytest.Token(t) + "&key=gate&pin-file=" + pin, true
}

// A token opens the vault in the vault process, which loads its module.
func TestTokenSlot(t *testing.T) {
	source := custodytest.Token(t) + "&key=vault"
	in := install(t)
	token := gatehouse.Credential{Kind: gatehouse.PKCS11Credential, Source: source, Secret: []byte(custodytest.PIN)}
	_, err := in.vault.AddSlot(t.Context(), operator, phrase(passphrase), token, "token")
	must(t, err)
	in.mustUnseal(t, token)
	token.Secret = []byte("0000-user")
	_, _, err = in.vault.UnsealWith(t.Context(), operator, token, time.Hour)
	wantCode(t, err, "vault.credential")
	if s, err := in.vault.Status(t.Context()); err != nil || s.WrongUnseals != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestControlWithAToken(t *testing.T) {
	source := custodytest.Token(t) + "&key=vault"
	in := install(t)
	token := gatehouse.Credential{Kind: gatehouse.PKCS11Credential, Source: source, Secret: []byte(custodytest.PIN)}
	_, err := in.vault.AddSlot(t.Context(), operator, phrase(passphrase), token, "token")
	must(t, err)
	in.unseal(t)
	controlWith(t, in, token, []byte("0000-user"))
}
