package vault

import (
	"crypto/cipher"

	"gatehouse"
)

// The sealed form of a working-set value:
//
//	offset  size  what
//	0       1     version, 1
//	1       4     name of the gate key
//	5       12    nonce, random
//	17      n     AES-256-GCM of the padded plaintext, under HKDF(gate key, table)
//	17+n    16    its tag
//
// Random nonces are good for 2^32 values a table (NIST SP 800-38D, 8.3); a working
// set holds some hundred thousand. The AAD is bindPlace's.
const workingHead = 1 + 4 + nonceSize

var _ gatehouse.WorkingSealer = (*GateKey)(nil)

// SealWorking implements gatehouse.WorkingSealer. It never fails.
func (g *GateKey) SealWorking(where gatehouse.SealContext, plaintext []byte) ([]byte, error) {
	g = g.current()
	b := padBehind(workingHead, plaintext, gatehouse.PadField)
	b[0] = wrapVersion
	copy(b[1:], g.name[:])
	random(b[5:workingHead])
	return g.tableAEAD(where.Table).Seal(b[:workingHead], b[5:workingHead], b[workingHead:], bindPlace(labelWorking, where)), nil
}

// OpenWorking implements gatehouse.WorkingSealer.
func (g *GateKey) OpenWorking(where gatehouse.SealContext, sealed []byte) ([]byte, error) {
	altered := gatehouse.Errorf("sealing.altered", "restore the working set from the vault", "a value of the working set was altered, or belongs elsewhere")
	if len(sealed) < workingHead+tagSize || sealed[0] != wrapVersion {
		return nil, altered
	}
	if g = g.named(sealed[1:5]); g == nil {
		return nil, altered
	}
	padded, err := g.tableAEAD(where.Table).Open(nil, sealed[5:workingHead], sealed[workingHead:], bindPlace(labelWorking, where))
	if err != nil {
		return nil, altered
	}
	plaintext, ok := unpad(padded)
	if !ok {
		return nil, altered
	}
	return plaintext, nil
}

func (g *GateKey) tableAEAD(table string) cipher.AEAD {
	if aead, ok := g.tables.Load(table); ok {
		return aead.(cipher.AEAD)
	}
	key := expand(g.key[:], string(bind([]byte(labelWorking), []byte(table))))
	defer clear(key[:])
	aead, _ := g.tables.LoadOrStore(table, newAEAD(key[:]))
	return aead.(cipher.AEAD)
}
