// Package approval tells people apart where two are needed. An operator holds an
// Ed25519 key that is derived from a passphrase of their own; what they agree to, they
// sign where they sit, so that neither the server nor whoever reads its memory can
// agree in their place. The vault keeps the public halves.
package approval

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"

	"gatehouse"

	"golang.org/x/crypto/scrypt"
)

// MinPassphrase is the least length of an operator's passphrase, in bytes.
const MinPassphrase = 12

// scrypt's work factor as log2 N (with r 8 and p 1: 128 MiB at 17), and the bounds of
// what is accepted from outside. OWASP's least is 17.
const (
	DefaultWork = 17
	minWork     = 10
	maxWork     = 20
)

// SaltSize is the length of a salt.
const SaltSize = 16

// Operator is somebody who can agree: the public half of their key, and what it takes
// to derive the other half from their passphrase.
type Operator struct {
	Name   string // an id, never a person's name
	Salt   []byte
	Work   int
	Public ed25519.PublicKey
}

// New makes an operator of a passphrase. Errors: operator.name, operator.passphrase_short.
func New(name string, passphrase []byte, work int) (Operator, error) {
	if err := gatehouse.CheckName(name); err != nil {
		return Operator{}, gatehouse.Errorf("operator.name", "use 1 to 40 lower-case letters, digits and hyphens; no person's name", "this cannot be an operator's id")
	}
	if len(passphrase) < MinPassphrase {
		return Operator{}, gatehouse.Errorf("operator.passphrase_short", "use several random words", "an operator's passphrase needs %d characters or more", MinPassphrase)
	}
	o := Operator{Name: name, Salt: make([]byte, SaltSize), Work: work}
	_, _ = rand.Read(o.Salt) // never fails since Go 1.24
	key, err := o.derive(passphrase)
	if err != nil {
		return Operator{}, err
	}
	o.Public = key.Public().(ed25519.PublicKey)
	clear(key)
	return o, nil
}

// Check refuses an operator that came malformed from outside. Errors: operator.malformed.
func (o Operator) Check() error {
	if gatehouse.CheckName(o.Name) != nil || len(o.Salt) != SaltSize || o.Work < minWork || o.Work > maxWork || len(o.Public) != ed25519.PublicKeySize {
		return gatehouse.Errorf("operator.malformed", "use a command line of the same version", "this is no operator's public key")
	}
	return nil
}

// Body is what somebody signs who agrees that this operator is added or, of the name
// alone, ended: every field, length-prefixed.
func (o Operator) Body() []byte {
	var b []byte
	for _, p := range [][]byte{[]byte(o.Name), o.Salt, binary.BigEndian.AppendUint32(nil, uint32(o.Work)), o.Public} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

func (o Operator) derive(passphrase []byte) (ed25519.PrivateKey, error) {
	if len(o.Salt) != SaltSize || o.Work < minWork || o.Work > maxWork {
		return nil, gatehouse.Errorf("operator.malformed", "use a command line of the same version", "this operator's key cannot be derived")
	}
	seed, err := scrypt.Key(passphrase, o.Salt, 1<<o.Work, 8, 1, ed25519.SeedSize)
	if err != nil {
		return nil, gatehouse.Errorf("operator.malformed", "use a command line of the same version", "this operator's key cannot be derived: %w", err)
	}
	defer clear(seed)
	return ed25519.NewKeyFromSeed(seed), nil
}

// Act is what somebody agrees to.
type Act string

// The acts that need an operator's signature.
const (
	RequestRelease Act = "release/request"
	ApproveRelease Act = "release/approve"
	LiftCanary     Act = "canary/lift"
	AddOperator    Act = "operator/add"
	EndOperator    Act = "operator/end"
)

// message is what is signed: everything length-prefixed, so that no signature serves
// for another act, vault, operator or matter.
func message(act Act, vault, operator string, id gatehouse.ID, body []byte) []byte {
	var b []byte
	for _, p := range [][]byte{[]byte("gatehouse/approval/v1"), []byte(act), []byte(vault), []byte(operator), id[:], body} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

// Sign agrees: vault is the short name of the vault's public key, id names the matter
// and body is everything that the operator was shown of it. It fails with
// operator.passphrase where the passphrase is not this operator's.
func (o Operator) Sign(passphrase []byte, act Act, vault string, id gatehouse.ID, body []byte) ([]byte, error) {
	key, err := o.derive(passphrase)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	if !o.Public.Equal(key.Public()) {
		return nil, gatehouse.Errorf("operator.passphrase", "try again", "the operator's passphrase is wrong")
	}
	return ed25519.Sign(key, message(act, vault, o.Name, id, body)), nil
}

// Verify reports whether the signature is this operator's for exactly this.
func (o Operator) Verify(signature []byte, act Act, vault string, id gatehouse.ID, body []byte) bool {
	return len(o.Public) == ed25519.PublicKeySize && ed25519.Verify(o.Public, message(act, vault, o.Name, id, body), signature)
}
