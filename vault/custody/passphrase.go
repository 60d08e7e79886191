package custody

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"io"

	"gatehouse"

	"filippo.io/age"
)

// The work factor of a passphrase as log2 N. DefaultWork takes about a second and
// 256 MB on a small machine, and is age's own default; maxWork bounds what a planted
// file can make an unwrapping cost.
const (
	DefaultWork = 18
	maxWork     = 20
)

var newWork = DefaultWork

// NewWork is the work factor that a new passphrase gets, as log2 N.
func NewWork() int { return newWork }

// QuickForTests makes this process wrap under new passphrases in a millisecond instead of a
// second. Tests that open many sites call it first; nothing else may (test/archtest).
func QuickForTests() { newWork = 10 }

// The plaintext inside the age file is: version 2, the purpose's length (1 byte), the
// purpose, the secret. Version 1 (version, the KEM's id of 2 bytes, the secret) wrapped
// the vault's key only, before there were purposes.
const (
	firstForm  = 1
	firstSize  = 1 + 2 + SecretSize
	secondForm = 2
)

type passphrase struct {
	secret []byte
	work   int
}

func (passphrase) Kind() gatehouse.CredentialKind { return gatehouse.PassphraseCredential }

func (p passphrase) Wrap(_ context.Context, secret [SecretSize]byte, purpose string) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(string(p.secret))
	if err != nil {
		return nil, p.wrong()
	}
	recipient.SetWorkFactor(p.work)
	plain := append([]byte{secondForm, byte(len(purpose))}, purpose...)
	plain = append(plain, secret[:]...)
	defer clear(plain)
	var b bytes.Buffer
	w, err := age.Encrypt(&b, recipient)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, failed("the key cannot be wrapped", err)
	}
	return b.Bytes(), nil
}

func (p passphrase) Unwrap(_ context.Context, wrapped []byte, purpose string) (secret [SecretSize]byte, err error) {
	identity, err := age.NewScryptIdentity(string(p.secret))
	if err != nil { // an empty passphrase
		return secret, p.wrong()
	}
	identity.SetMaxWorkFactor(maxWork)
	r, err := age.Decrypt(bytes.NewReader(wrapped), identity)
	var mismatch *age.NoIdentityMatchError
	switch {
	case errors.As(err, &mismatch):
		return secret, p.wrong()
	case err != nil:
		return secret, damaged("restore it from its copy")
	}
	plain, err := io.ReadAll(io.LimitReader(r, 1024))
	defer clear(plain)
	if err != nil {
		return secret, damaged("restore it from its copy")
	}
	head := append([]byte{secondForm, byte(len(purpose))}, purpose...)
	switch {
	case len(plain) == len(head)+SecretSize && subtle.ConstantTimeCompare(plain[:len(head)], head) == 1,
		len(plain) == firstSize && plain[0] == firstForm:
		copy(secret[:], plain[len(plain)-SecretSize:])
		return secret, nil
	}
	return secret, damaged("restore it from its copy")
}

func (passphrase) wrong() error {
	return wrong("try again; every attempt is counted", "the passphrase is wrong")
}
