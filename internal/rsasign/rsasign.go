// Package rsasign signs and verifies texts by RSA with SHA-256 and PKCS #1 v1.5 padding, which is
// what Alipay calls RSA2 and WeChat Pay SHA256-RSA2048.
package rsasign

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"

	"gatehouse"
)

// minBits is the least that both ask for.
const minBits = 2048

// body gives the bytes of a key: PEM, or the base64 inside of it alone, as Alipay shows keys.
func body(text string) []byte {
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil
	}
	return b
}

func wrong() error {
	return gatehouse.Errorf("pay.not_set_up", "set the key again with `gatehouse secret set`", "a key is no RSA key of %d bits or more", minBits)
}

// PrivateKey reads a private key (PKCS #8 or #1). Errors: pay.not_set_up.
func PrivateKey(text gatehouse.Secret) (*rsa.PrivateKey, error) {
	b := body(text.Reveal())
	key, err := x509.ParsePKCS1PrivateKey(b)
	if err != nil {
		any, failed := x509.ParsePKCS8PrivateKey(b)
		if failed != nil {
			return nil, wrong()
		}
		key, _ = any.(*rsa.PrivateKey)
	}
	if key == nil || key.N.BitLen() < minBits {
		return nil, wrong()
	}
	return key, nil
}

// PublicKey reads a public key, or that of a certificate. Errors: pay.not_set_up.
func PublicKey(text gatehouse.Secret) (*rsa.PublicKey, error) {
	b := body(text.Reveal())
	any, err := x509.ParsePKIXPublicKey(b)
	if err != nil {
		c, failed := x509.ParseCertificate(b)
		if failed != nil {
			return nil, wrong()
		}
		any = c.PublicKey
	}
	key, ok := any.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < minBits {
		return nil, wrong()
	}
	return key, nil
}

// Sign gives a text's signature in base64.
func Sign(key *rsa.PrivateKey, text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	b, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return base64.StdEncoding.EncodeToString(b), err
}

// Verify reports whether a signature in base64 is the key's of a text.
func Verify(key *rsa.PublicKey, text, signature string) bool {
	b, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256([]byte(text))
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], b) == nil
}
