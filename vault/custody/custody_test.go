package custody

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"gatehouse"
	"gatehouse/vault/custody/custodytest"
)

const quickWork = 10 // a millisecond instead of a second

// kind is one kind of credential: the right one, a wrong one, one whose token is not
// there (zero where there is none), and how the wrong one is refused.
type kind struct {
	right, wrong, absent gatehouse.Credential
}

func kinds(t *testing.T) map[string]kind {
	t.Helper()
	one, other := make([]byte, 32), make([]byte, 32)
	_, _ = rand.Read(one)
	_, _ = rand.Read(other)
	socket := custodytest.TPM(t)
	tpm := func(source, auth string) gatehouse.Credential {
		return gatehouse.Credential{Kind: gatehouse.TPMCredential, Source: source, Secret: []byte(auth)}
	}
	all := map[string]kind{
		"passphrase": {right: gatehouse.Passphrase([]byte("correct horse battery")), wrong: gatehouse.Passphrase([]byte("correct horse batterz"))},
		"file":       {right: gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: one}, wrong: gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: other}},
		"tpm":        {right: tpm(socket, "auth"), wrong: tpm(socket, "auht"), absent: tpm(socket+"-none", "auth")},
	}
	if source, ok := tokenSource(t); ok {
		token := func(source, pin string) gatehouse.Credential {
			return gatehouse.Credential{Kind: gatehouse.PKCS11Credential, Source: source, Secret: []byte(pin)}
		}
		all["pkcs11"] = kind{right: token(source+"&key=vault", custodytest.PIN), wrong: token(source+"&key=vault", "0000-user"),
			absent: token(source+"-none&key=vault", custodytest.PIN)}
	}
	return all
}

// Every kind keeps the same contract.
func TestConformance(t *testing.T) {
	for name, k := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			open := func(c gatehouse.Credential) Wrapper {
				w, err := New(c, quickWork)
				if err != nil {
					t.Fatal(err)
				}
				return w
			}
			w := open(k.right)
			if w.Kind() != k.right.Kind {
				t.Errorf("kind %q", w.Kind())
			}
			var secret [SecretSize]byte
			_, _ = rand.Read(secret[:])
			wrapped, err := w.Wrap(t.Context(), secret, "vault/1")
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(wrapped, secret[:8]) {
				t.Error("the secret stands in its wrapping")
			}
			again, err := w.Wrap(t.Context(), secret, "vault/1")
			if err != nil || bytes.Equal(again, wrapped) {
				t.Errorf("wrapping twice gives the same bytes (%v)", err)
			}
			for _, b := range [][]byte{wrapped, again} {
				if got, err := open(k.right).Unwrap(t.Context(), b, "vault/1"); err != nil || got != secret {
					t.Errorf("unwrapped to something else, %v", err)
				}
			}
			refuse := func(what, code string, c gatehouse.Credential, b []byte, purpose string) {
				t.Helper()
				got, err := open(c).Unwrap(t.Context(), b, purpose)
				if gatehouse.ErrorCode(err) != code || got != [SecretSize]byte{} {
					t.Errorf("%s: %v, want %s", what, err, code)
				}
			}
			refuse("another purpose", "custody.damaged", k.right, wrapped, "vault/2")
			refuse("a longer purpose", "custody.damaged", k.right, wrapped, "vault/11")
			refuse("a wrong credential", "custody.credential", k.wrong, wrapped, "vault/1")
			if !k.absent.IsZero() {
				refuse("no token", "custody.missing", k.absent, wrapped, "vault/1")
				if _, err := open(k.absent).Wrap(t.Context(), secret, "vault/1"); gatehouse.ErrorCode(err) != "custody.missing" {
					t.Errorf("wrapping without the token: %v", err)
				}
			}
			step := max(1, len(wrapped)/40)
			for i := 0; i < len(wrapped); i += step {
				b := bytes.Clone(wrapped)
				b[i] ^= 0x10
				got, err := open(k.right).Unwrap(t.Context(), b, "vault/1")
				if code := gatehouse.ErrorCode(err); code != "custody.damaged" && code != "custody.credential" || got != [SecretSize]byte{} {
					t.Errorf("byte %d changed: %v", i, err)
				}
			}
			for _, n := range []int{0, 1, 2, len(wrapped) / 2, len(wrapped) - 1} {
				refuse("cut", "custody.damaged", k.right, wrapped[:n], "vault/1")
			}
			if got, err := open(k.right).Unwrap(t.Context(), wrapped, "vault/1"); err != nil || got != secret {
				t.Errorf("after all that it does not open: %v", err)
			}
		})
	}
}

// What the vault's key was wrapped as before there were purposes still opens.
func TestFirstForm(t *testing.T) {
	old, err := os.ReadFile(filepath.Join("testdata", "first-form.age"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(gatehouse.Passphrase([]byte("correct horse battery")), quickWork)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Unwrap(t.Context(), old, "vault/1")
	if err != nil || got != [SecretSize]byte(bytes.Repeat([]byte{7}, SecretSize)) {
		t.Errorf("%v", err)
	}
}

func TestSources(t *testing.T) {
	pin := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(pin, []byte("1234\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := FromSource(gatehouse.PKCS11Credential, "/lib/m.so?token=T&key=K&pin-file="+pin)
	if err != nil || string(c.Secret) != "1234" || c.Source != "/lib/m.so?key=K&token=T" {
		t.Errorf("%q %q %v", c.Source, c.Secret, err)
	}
	if c, err := FromSource(gatehouse.TPMCredential, "/dev/tpmrm0"); err != nil || c.Source != "/dev/tpmrm0" || c.Secret != nil {
		t.Errorf("%+v %v", c, err)
	}
	for _, bad := range []string{"", "m.so?token=T", "/lib/m.so?token=T&token=U", "/lib/m.so?pin=1234", "/lib/m.so?%zz"} {
		if _, err := FromSource(gatehouse.PKCS11Credential, bad); gatehouse.ErrorCode(err) != "custody.source" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := os.Chmod(pin, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := FromSource(gatehouse.PKCS11Credential, "/lib/m.so?token=T&pin-file="+pin); gatehouse.ErrorCode(err) != "pin.permissions" {
		t.Errorf("a PIN that others read: %v", err)
	}
	if _, err := New(gatehouse.Credential{Kind: "spell"}, 0); gatehouse.ErrorCode(err) != "custody.kind" {
		t.Errorf("an unknown kind: %v", err)
	}
}

func TestSystemdCredential(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := CredentialPath("credential:gate"); gatehouse.ErrorCode(err) != "custody.missing" {
		t.Errorf("outside a service: %v", err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials/gatehouse.service")
	if p, err := CredentialPath("credential:gate"); err != nil || p != "/run/credentials/gatehouse.service/gate" {
		t.Errorf("%q %v", p, err)
	}
	for _, bad := range []string{"credential:", "credential:../shadow", "credential:a/b"} {
		if p, err := CredentialPath(bad); gatehouse.ErrorCode(err) != "custody.missing" {
			t.Errorf("%q gives %q, %v", bad, p, err)
		}
	}
	if p, err := CredentialPath("/etc/gate.key"); err != nil || p != "/etc/gate.key" {
		t.Errorf("a path became %q, %v", p, err)
	}
}
