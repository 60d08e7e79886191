package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"

	"gatehouse"
)

// The sealed form of an archive value, numbers big-endian:
//
//	offset  size  what
//	0       1     version, 1
//	1       1     links: 1 = day chain alone, 2 = subject chain and day chain
//	2       18    for each link, the subject's first:
//	              16 chain id
//	              2  position in the chain, 0..1023
//	2+18·l  12    nonce, random
//	14+18·l n     AES-256-GCM of the padded plaintext
//	…       16    its tag
//
// The key is HKDF-SHA256(secret = the links' item secrets in this order, no salt,
// info = the AAD), used once; the nonce is random all the same, so that a machine
// restored from a snapshot, which walks its chains a second time, repeats nothing.
// The AAD is length-prefixed (label with version, org, site, table, row, field,
// revision, then each link's chain id and position), so the value opens only where
// it was sealed for.
const (
	envelopeVersion = 1
	linkSize        = 16 + 2
	nonceSize       = 12
	tagSize         = 16
)

// chainLength is how many items one chain seals: positions 0..1023.
const chainLength = 1024

// link says which chain, and which of its positions, keyed an item.
type link struct {
	chain    gatehouse.ID
	position uint16
}

// envelope is a parsed sealed value; its slices point into what was parsed.
type envelope struct {
	links      []link // one or two
	nonce      []byte
	ciphertext []byte // with its tag
}

var errEnvelope = errors.New("this is no sealed value")

func parseEnvelope(b []byte) (envelope, error) {
	if len(b) < 2 || b[0] != envelopeVersion || b[1] < 1 || b[1] > 2 {
		return envelope{}, errEnvelope
	}
	count := int(b[1])
	b = b[2:]
	if len(b) < count*linkSize+nonceSize+tagSize {
		return envelope{}, errEnvelope
	}
	e := envelope{links: make([]link, count)}
	for i := range e.links {
		e.links[i] = link{chain: gatehouse.ID(b[:16]), position: binary.BigEndian.Uint16(b[16:])}
		if e.links[i].position >= chainLength {
			return envelope{}, errEnvelope
		}
		b = b[linkSize:]
	}
	e.nonce, e.ciphertext = b[:nonceSize], b[nonceSize:]
	return e, nil
}

// envelopeAAD is what authenticates an item: its place and its links.
func envelopeAAD(where gatehouse.SealContext, links []link) []byte {
	rest := make([][]byte, 0, 2*len(links))
	for i := range links {
		rest = append(rest, links[i].chain[:], binary.BigEndian.AppendUint16(nil, links[i].position))
	}
	return bindPlace(labelItem, where, rest...)
}

// sealEnvelope seals under the links' item secrets, which it zeroes.
func sealEnvelope(where gatehouse.SealContext, links []link, secrets [][32]byte, plaintext []byte, how gatehouse.Padding) []byte {
	head := 2 + len(links)*linkSize + nonceSize
	out := padBehind(head, plaintext, how)
	out[0], out[1] = envelopeVersion, byte(len(links))
	at := out[2:]
	for _, l := range links {
		copy(at, l.chain[:])
		binary.BigEndian.PutUint16(at[16:], l.position)
		at = at[linkSize:]
	}
	random(at[:nonceSize])
	aad := envelopeAAD(where, links)
	return itemAEAD(secrets, aad).Seal(out[:head], at[:nonceSize], out[head:], aad)
}

// openEnvelope undoes sealEnvelope; false where anything does not fit. It zeroes
// the secrets.
func openEnvelope(where gatehouse.SealContext, e envelope, secrets [][32]byte) ([]byte, bool) {
	aad := envelopeAAD(where, e.links)
	padded, err := itemAEAD(secrets, aad).Open(nil, e.nonce, e.ciphertext, aad)
	if err != nil {
		return nil, false
	}
	return unpad(padded)
}

func itemAEAD(secrets [][32]byte, aad []byte) cipher.AEAD {
	joined := make([]byte, 0, 2*32)
	for i := range secrets {
		joined = append(joined, secrets[i][:]...)
		clear(secrets[i][:])
	}
	key := itemKey(joined, aad)
	clear(joined)
	aead := newAEAD(key[:])
	clear(key[:])
	return aead
}

func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the block size that GCM needs
	}
	return aead
}

func random(b []byte) {
	if _, err := rand.Read(b); err != nil {
		panic("the system has no randomness: " + err.Error())
	}
}
