package custody

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"

	"gatehouse"
)

// What a key file wraps:
//
//	offset  size  what
//	0       1     version, 1
//	1       8     name of the key file, HKDF(key file, labelFileName)
//	9       12    nonce, random
//	21      32    AES-256-GCM of the secret, under HKDF(key file, labelFileWrap)
//	53      16    its tag
//
// The AAD is the purpose.
const (
	fileVersion = 1
	fileHead    = 1 + 8 + 12
	fileSize    = fileHead + SecretSize + 16

	labelFileName = "gatehouse/custody/file/name/v1"
	labelFileWrap = "gatehouse/custody/file/wrap/v1"
)

type keyFile struct{ secret []byte }

func (keyFile) Kind() gatehouse.CredentialKind { return gatehouse.FileCredential }

func (k keyFile) Wrap(_ context.Context, secret [SecretSize]byte, purpose string) ([]byte, error) {
	name, aead, err := k.open()
	if err != nil {
		return nil, err
	}
	b := make([]byte, fileHead, fileSize)
	b[0] = fileVersion
	copy(b[1:9], name)
	_, _ = rand.Read(b[9:fileHead]) // never fails
	return aead.Seal(b, b[9:fileHead], secret[:], []byte(purpose)), nil
}

func (k keyFile) Unwrap(_ context.Context, wrapped []byte, purpose string) (secret [SecretSize]byte, err error) {
	name, aead, err := k.open()
	if err != nil {
		return secret, err
	}
	if len(wrapped) != fileSize || wrapped[0] != fileVersion {
		return secret, damaged("restore it from its copy")
	}
	if !bytes.Equal(wrapped[1:9], name) {
		return secret, wrong("give the key file that it was wrapped with", "this is another key file")
	}
	plain, err := aead.Open(nil, wrapped[9:fileHead], wrapped[fileHead:], []byte(purpose))
	if err != nil {
		return secret, damaged("restore it from its copy")
	}
	copy(secret[:], plain)
	clear(plain)
	return secret, nil
}

// open derives the file's name and its wrapping key.
func (k keyFile) open() (name []byte, aead cipher.AEAD, err error) {
	if len(k.secret) != SecretSize {
		return nil, nil, wrong("give the file that was made for it", "a key file has 32 bytes, this one does not")
	}
	name, err = hkdf.Expand(sha256.New, k.secret, labelFileName, 8)
	if err != nil {
		return nil, nil, failed("the key file cannot be used", err)
	}
	key, err := hkdf.Expand(sha256.New, k.secret, labelFileWrap, 32)
	if err != nil {
		return nil, nil, failed("the key file cannot be used", err)
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, failed("the key file cannot be used", err)
	}
	aead, err = cipher.NewGCM(block)
	return name, aead, err
}
