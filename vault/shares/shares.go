// Package shares splits a 32-byte private key into n shares of which any m give it
// back and fewer say nothing about it (Shamir's scheme, over the scalars of P-384: a
// 32-byte key is one of them). Each share is self-contained: it knows whose key it is
// of, to which set it belongs, and how many are needed; it is written as words of the
// BIP 39 list, for people, and as a QR code of the same words.
package shares

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"slices"

	"gatehouse"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/secretsharing"
)

// Limits of a split.
const (
	MinThreshold = 2
	MaxShares    = 16
	keySize      = 32
)

// Share is one share of a key. Its value is secret: with enough others it is the key.
type Share struct {
	Set       [4]byte // random, the same in all shares of one split
	Index     int     // 1..Of
	Threshold int     // how many are needed
	Of        int     // how many were made
	Key       [8]byte // the name of the key, see KeyName
	value     [valueSize]byte
}

// valueSize is the length of a scalar of P-384.
const valueSize = 48

// KeyName is the key's name as people see it: 16 hexadecimal digits.
func (s Share) KeyName() string { return hex.EncodeToString(s.Key[:]) }

// SetName is the set's name as people see it.
func (s Share) SetName() string { return hex.EncodeToString(s.Set[:]) }

// Split makes n shares of a key, any threshold of which combine. name is the key's,
// 16 hexadecimal digits. Errors: shares.threshold.
func Split(key [keySize]byte, name string, threshold, n int) ([]Share, error) {
	if threshold < MinThreshold || n < threshold || n > MaxShares {
		return nil, gatehouse.Errorf("shares.threshold", "for example --threshold 3 --shares 5", "at least %d of at most %d shares, and no more than there are, must be needed", MinThreshold, MaxShares)
	}
	var from Share
	if b, err := hex.DecodeString(name); err != nil || copy(from.Key[:], b) != len(from.Key) {
		return nil, gatehouse.Errorf("shares.failed", "this is a fault of the program", "the key has no name")
	}
	_, _ = rand.Read(from.Set[:]) // never fails
	from.Threshold, from.Of = threshold, n
	secret := group.P384.NewScalar().SetBigInt(new(big.Int).SetBytes(key[:]))
	// The library counts how many shares give nothing away.
	made := secretsharing.New(rand.Reader, uint(threshold-1), secret).Share(uint(n))
	all := make([]Share, n)
	for i, m := range made {
		all[i] = from
		all[i].Index = i + 1
		b, err := m.Value.MarshalBinary()
		if err != nil || len(b) != valueSize || !m.ID.IsEqual(scalar(i+1)) {
			return nil, gatehouse.Errorf("shares.failed", "this is a fault of the program", "the key cannot be split")
		}
		copy(all[i].value[:], b)
		clear(b)
	}
	return all, nil
}

func scalar(i int) group.Scalar { return group.P384.NewScalar().SetUint64(uint64(i)) }

// Combine gives the key back; the caller zeroes it, and MUST check that its public key
// has the shares' KeyName: what does not is not the key. More shares than needed are
// fine. Errors: shares.none, shares.other_key (of different keys), shares.mixed (of
// different splits), shares.duplicate, shares.too_few, shares.damaged.
func Combine(all []Share) (key [keySize]byte, err error) {
	if err := Check(all); err != nil {
		return key, err
	}
	parts := make([]secretsharing.Share, 0, len(all))
	for _, s := range all {
		value := group.P384.NewScalar()
		if err := value.UnmarshalBinary(s.value[:]); err != nil {
			return key, gatehouse.Errorf("shares.damaged", "type it again", "share %d holds no share's value", s.Index)
		}
		parts = append(parts, secretsharing.Share{ID: scalar(s.Index), Value: value})
	}
	secret, err := secretsharing.Recover(uint(all[0].Threshold-1), parts[:all[0].Threshold])
	if err != nil {
		return key, gatehouse.Errorf("shares.damaged", "use other shares", "the shares do not combine: %w", err)
	}
	b, err := secret.MarshalBinary()
	defer clear(b)
	if err != nil || slices.ContainsFunc(b[:len(b)-keySize], func(c byte) bool { return c != 0 }) {
		return key, gatehouse.Errorf("shares.damaged", "use other shares; one of them was altered", "the shares do not give a key")
	}
	copy(key[:], b[len(b)-keySize:])
	return key, nil
}

// Check finds what must not be combined, with one sentence each, before anybody is asked
// for anything else. Errors: Combine's, but for shares.damaged.
func Check(all []Share) error {
	if len(all) == 0 {
		return gatehouse.Errorf("shares.none", "give the files or type the words of each share", "there are no shares")
	}
	first := all[0]
	seen := map[int]bool{}
	for _, s := range all {
		switch {
		case s.Key != first.Key:
			return gatehouse.Errorf("shares.other_key", "use shares of one key", "share %d is of the key %s, and share %d of the key %s", s.Index, s.KeyName(), first.Index, first.KeyName())
		case s.Set != first.Set || s.Threshold != first.Threshold || s.Of != first.Of:
			return gatehouse.Errorf("shares.mixed", "use shares of one set: the key was split more than once", "share %d belongs to the set %s, and share %d to the set %s", s.Index, s.SetName(), first.Index, first.SetName())
		case seen[s.Index]:
			return gatehouse.Errorf("shares.duplicate", "give each share once", "share %d is there twice", s.Index)
		}
		seen[s.Index] = true
	}
	if len(all) < first.Threshold {
		return gatehouse.Errorf("shares.too_few", "find the others", "%d shares are needed, and there are %d", first.Threshold, len(all))
	}
	return nil
}

// The bytes of a share, before they become words:
//
//	offset  size  what
//	0       1     version, 1
//	1       4     set
//	5       1     index (high half) and threshold (low half), each less one
//	6       1     number of shares, less one
//	7       8     name of the key
//	15      48    value
//	63      5     check: the first bytes of SHA-256 of what stands before it
const (
	version   = 1
	checkFrom = 15 + valueSize
	shareSize = checkFrom + 5
)

func (s Share) bytes() []byte {
	b := make([]byte, 0, shareSize)
	b = append(b, version)
	b = append(b, s.Set[:]...)
	b = append(b, byte((s.Index-1)<<4|(s.Threshold-1)), byte(s.Of-1))
	b = append(b, s.Key[:]...)
	b = append(b, s.value[:]...)
	return binary.BigEndian.AppendUint64(b, checksum(b)<<24)[:shareSize]
}

// parse undoes bytes; false where the check does not fit.
func parse(b []byte) (s Share, ok bool) {
	if len(b) != shareSize || b[0] != version {
		return s, false
	}
	var end [8]byte
	copy(end[:], b[checkFrom:])
	if binary.BigEndian.Uint64(end[:])>>24 != checksum(b[:checkFrom]) {
		return s, false
	}
	copy(s.Set[:], b[1:])
	s.Index, s.Threshold, s.Of = int(b[5]>>4)+1, int(b[5]&15)+1, int(b[6])+1
	copy(s.Key[:], b[7:])
	copy(s.value[:], b[15:])
	return s, s.Threshold >= MinThreshold && s.Threshold <= s.Of && s.Index <= s.Of && s.Of <= MaxShares
}
