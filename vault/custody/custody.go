// Package custody keeps a 32-byte secret wrapped: the vault's private key, and the
// gate key. What opens it is a passphrase, a file of random bytes on other media, an
// AES key that never leaves a PKCS#11 token, or a TPM 2.0 that only this machine has.
//
// Every wrapped form binds the secret to its purpose, so that one key's wrapping does
// not pass for another's.
package custody

import (
	"context"

	"gatehouse"
)

// SecretSize is the length of what is wrapped, in bytes.
const SecretSize = 32

// Wrapper wraps and unwraps under one credential. It is used by one goroutine at a
// time. Errors: custody.credential (the passphrase, key file, PIN or authorization
// value is not the right one), custody.damaged (what was wrapped was altered, or is
// wrapped for another purpose or by another token), custody.missing (the token, its
// key, or the TPM is not there), custody.locked (too many wrong PINs),
// custody.unavailable (this program was built without PKCS#11), custody.failed.
type Wrapper interface {
	Kind() gatehouse.CredentialKind
	// Wrap returns the wrapped form of secret for purpose (1 to 200 bytes). A token
	// that lacks the named key gets a new one.
	Wrap(ctx context.Context, secret [SecretSize]byte, purpose string) ([]byte, error)
	// Unwrap undoes Wrap; the caller zeroes the secret.
	Unwrap(ctx context.Context, wrapped []byte, purpose string) ([SecretSize]byte, error)
}

// New returns the wrapper of a credential. work is the scrypt work factor of
// passphrases as log2 N, 0 for DefaultWork. Errors: custody.kind, custody.source.
func New(c gatehouse.Credential, work int) (Wrapper, error) {
	switch c.Kind {
	case gatehouse.PassphraseCredential:
		if work == 0 {
			work = DefaultWork
		}
		return passphrase{secret: c.Secret, work: work}, nil
	case gatehouse.FileCredential:
		return keyFile{secret: c.Secret}, nil
	case gatehouse.PKCS11Credential:
		return newToken(c)
	case gatehouse.TPMCredential:
		return newTPM(c)
	}
	return nil, gatehouse.Errorf("custody.kind", "use a passphrase, a key file, a PKCS#11 token or a TPM", "there is no such kind of credential")
}

// What the kinds say in common.

func wrong(hint, what string) error {
	return gatehouse.Errorf("custody.credential", hint, "%s", what)
}

func damaged(hint string) error {
	return gatehouse.Errorf("custody.damaged", hint, "a wrapped key was altered, or was wrapped for something else")
}

func failed(what string, err error) error {
	return gatehouse.Errorf("custody.failed", "see what the cause says", "%s: %w", what, err)
}
