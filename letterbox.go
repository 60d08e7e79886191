package gatehouse

import (
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Letterbox is a public key of a running vault process, for one secret: whoever gives the
// vault a credential seals it to one first, so that the processes between pass ciphertext.
// It says nothing about who made it: a server that was broken into before can show its own.
type Letterbox struct {
	Vault string // short name of the vault's public key; "" where none is open there
	Key   []byte // HPKE, MLKEM768-X25519, 1,216 bytes
}

// What a sealed secret is: the letterbox's name; the encapsulated key, 1,120 bytes; and the
// length in 2 bytes, big-endian, with the secret behind it, padded with zeros to maxSecret
// and sealed by AES-256-GCM. The AAD binds kind, source and vault: a PIN that was meant for
// one token is not shown to another.
const (
	letterboxName = 16
	letterboxEnc  = 1120
	maxSecret     = 1024
	letterboxInfo = "gatehouse/letterbox/v1"
)

func letterboxKEM() hpke.KEM { return hpke.MLKEM768X25519() }

// NewLetterbox makes the key pair of a letterbox. The private key opens one secret and is
// thrown away.
func NewLetterbox(vault string) (Letterbox, hpke.PrivateKey, error) {
	private, err := letterboxKEM().GenerateKey()
	if err != nil {
		return Letterbox{}, nil, Errorf("letterbox.failed", "try again", "there is no key for a credential: %w", err)
	}
	return Letterbox{Vault: vault, Key: private.PublicKey().Bytes()}, private, nil
}

// Name is what what is sealed to it calls it: 16 bytes of the key's SHA-256.
func (l Letterbox) Name() string {
	d := sha256.Sum256(l.Key)
	return string(d[:letterboxName])
}

func (c Credential) letterboxAAD(l Letterbox) []byte {
	return fmt.Appendf(nil, "%q %q %q", c.Kind, c.Source, l.Vault)
}

// Seal returns c with its secret sealed to the letterbox; one that is sealed already stays
// as it is. c's own secret is the caller's to wipe. Errors: credential.long,
// letterbox.malformed.
func (c Credential) Seal(to Letterbox) (Credential, error) {
	if c.Sealed || c.IsZero() {
		return c, nil
	}
	if len(c.Secret) > maxSecret {
		return Credential{}, Errorf("credential.long", "shorten it", "what opens the vault has at most %d bytes", maxSecret)
	}
	malformed := func(err error) (Credential, error) {
		return Credential{}, Errorf("letterbox.malformed", "use the same version of the program", "the vault's key for a credential cannot be used: %w", err)
	}
	public, err := letterboxKEM().NewPublicKey(to.Key)
	if err != nil {
		return malformed(err)
	}
	enc, sender, err := hpke.NewSender(public, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(letterboxInfo))
	if err != nil {
		return malformed(err)
	}
	plain := make([]byte, 2+maxSecret)
	defer clear(plain)
	binary.BigEndian.PutUint16(plain, uint16(len(c.Secret)))
	copy(plain[2:], c.Secret)
	sealed, err := sender.Seal(c.letterboxAAD(to), plain)
	if err != nil {
		return malformed(err)
	}
	c.Secret, c.Sealed = append(append([]byte(to.Name()), enc...), sealed...), true
	return c, nil
}

// SealedTo is the name of the letterbox that a sealed credential is for; "" for none.
func (c Credential) SealedTo() string {
	if !c.Sealed || len(c.Secret) < letterboxName+letterboxEnc {
		return ""
	}
	return string(c.Secret[:letterboxName])
}

// Open undoes Seal; the caller wipes the secret. It fails with letterbox.malformed.
func (c Credential) Open(l Letterbox, private hpke.PrivateKey) (Credential, error) {
	malformed := Errorf("letterbox.malformed", "give the credential again", "a credential does not open: it was sealed to another key, or altered")
	if c.SealedTo() != l.Name() {
		return Credential{}, malformed
	}
	recipient, err := hpke.NewRecipient(c.Secret[letterboxName:letterboxName+letterboxEnc], private, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(letterboxInfo))
	if err != nil {
		return Credential{}, malformed
	}
	plain, err := recipient.Open(c.letterboxAAD(l), c.Secret[letterboxName+letterboxEnc:])
	if err != nil || len(plain) != 2+maxSecret {
		return Credential{}, malformed
	}
	n := int(binary.BigEndian.Uint16(plain))
	if n > maxSecret {
		return Credential{}, malformed
	}
	c.Secret, c.Sealed = plain[2:2+n:2+n], false
	return c, nil
}
