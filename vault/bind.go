package vault

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"gatehouse"
)

// Labels separate what is derived for one purpose from what is derived for
// another. A label is never used twice.
const (
	labelChain    = "gatehouse/chain/v1"          // HPKE info of a chain's seed
	labelItemStep = "gatehouse/chain/v1/item"     // chain state -> secret of the item at this position
	labelNextStep = "gatehouse/chain/v1/next"     // chain state -> the state behind it
	labelItem     = "gatehouse/item/v1"           // item secrets -> the item's key; also begins its AAD
	labelWorking  = "gatehouse/working/v1"        // gate key -> a table's key; also begins its AAD
	labelWrap     = "gatehouse/filekey/v1"        // gate key -> the key that wraps file keys; also begins its AAD
	labelCheck    = "gatehouse/gate/check/v1"     // gate key -> the check value in the data directory
	labelKeyName  = "gatehouse/gate/keyname/v1"   // gate key -> the four bytes that name it
	labelBundle   = "gatehouse/bundle/v1"         // HPKE info of a key bundle's file key
	labelBackup   = "gatehouse/backup/v1 "        // begins what a backup's signature signs
	labelVaultKey = "gatehouse/vault/public/v1 "  // begins vault.pub
	labelSucceeds = "gatehouse/vault/succeeds/v1" // HPKE info of a gate's challenge; begins what answers it
)

// bind encodes its parts with a 4-byte big-endian length before each, so that no
// two different lists of parts give the same bytes. All that authenticates a value
// goes through it.
func bind(parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += 4 + len(p)
	}
	b := make([]byte, 0, n)
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

// bindPlace is bind of a label, the value's place and whatever else it hangs on:
// length-prefixed (label with version, org, site, table, row, field, revision, rest).
func bindPlace(label string, where gatehouse.SealContext, rest ...[]byte) []byte {
	parts := append([][]byte{
		[]byte(label), []byte(where.Org), []byte(where.Site), []byte(where.Table), where.Row[:], []byte(where.Field),
		binary.BigEndian.AppendUint32(nil, where.Revision),
	}, rest...)
	return bind(parts...)
}

// expand is HKDF-Expand (RFC 5869) with SHA-256 from a uniformly random 32-byte
// secret, which needs no extract step.
func expand(secret []byte, info string) [32]byte {
	out, err := hkdf.Expand(sha256.New, secret, info, 32)
	if err != nil {
		panic(err) // 32 bytes are within HKDF's limits
	}
	key := [32]byte(out)
	clear(out)
	return key
}
