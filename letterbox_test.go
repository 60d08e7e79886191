package gatehouse

import (
	"bytes"
	"testing"
)

// What is sealed opens at its letterbox, as the credential that it was, and nowhere else.
func TestSealedCredentials(t *testing.T) {
	box, private, err := NewLetterbox("0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	c := Credential{Kind: PKCS11Credential, Source: "/usr/lib/m.so?token=a", Secret: []byte("2468")}
	sealed, err := c.Seal(box)
	if err != nil || bytes.Contains(sealed.Secret, c.Secret) || sealed.SealedTo() != box.Name() {
		t.Fatalf("%v", err)
	}
	if got, err := sealed.Open(box, private); err != nil || got.Sealed || !bytes.Equal(got.Secret, c.Secret) || got.Source != c.Source {
		t.Fatalf("%v", err)
	}
	if again, err := sealed.Seal(box); err != nil || !bytes.Equal(again.Secret, sealed.Secret) {
		t.Errorf("sealed twice: %v", err)
	}
	long, err := Passphrase(bytes.Repeat([]byte("x"), maxSecret)).Seal(box)
	if err != nil || len(long.Secret) != len(sealed.Secret) {
		t.Errorf("the length shows: %d and %d bytes, %v", len(long.Secret), len(sealed.Secret), err)
	}
	if _, err := Passphrase(make([]byte, maxSecret+1)).Seal(box); ErrorCode(err) != "credential.long" {
		t.Error(err)
	}
	other, _, err := NewLetterbox("0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(c *Credential, l *Letterbox){
		"another token":     func(c *Credential, _ *Letterbox) { c.Source = "/usr/lib/m.so?token=b" },
		"another kind":      func(c *Credential, _ *Letterbox) { c.Kind = PassphraseCredential },
		"another vault":     func(_ *Credential, l *Letterbox) { l.Vault = "" },
		"another letterbox": func(_ *Credential, l *Letterbox) { *l = other },
		"a flipped bit":     func(c *Credential, _ *Letterbox) { c.Secret[len(c.Secret)-1] ^= 1 },
		"cut off":           func(c *Credential, _ *Letterbox) { c.Secret = c.Secret[:100] },
		"empty":             func(c *Credential, _ *Letterbox) { c.Secret = nil },
		"not sealed":        func(c *Credential, _ *Letterbox) { c.Sealed = false },
	} {
		c, l := sealed, box
		c.Secret = bytes.Clone(sealed.Secret)
		change(&c, &l)
		if got, err := c.Open(l, private); ErrorCode(err) != "letterbox.malformed" {
			t.Errorf("%s: %q, %v", name, got.Secret, err)
		}
	}
}
