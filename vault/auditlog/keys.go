package auditlog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse"

	"golang.org/x/mod/sumdb/note"
)

// The algorithms of a note's key (https://c2sp.org/signed-note): a log signs its
// checkpoints with plain Ed25519, a witness with a time beside the text.
const (
	algLog     = 1
	algWitness = 4
)

// Signer is an Ed25519 key that signs checkpoints, as their log or as a witness.
type Signer struct {
	name string
	alg  byte
	key  ed25519.PrivateKey
	now  func() time.Time
}

var _ note.Signer = (*Signer)(nil)

// NewLogSigner makes the key of a log from a random 32-byte seed; its name is the
// log's origin.
func NewLogSigner(name string, seed [32]byte) *Signer {
	return &Signer{name: name, alg: algLog, key: ed25519.NewKeyFromSeed(seed[:]), now: time.Now}
}

// NewWitnessSigner makes the key of a witness.
func NewWitnessSigner(name string, seed [32]byte) *Signer {
	return &Signer{name: name, alg: algWitness, key: ed25519.NewKeyFromSeed(seed[:]), now: time.Now}
}

// Name implements note.Signer.
func (s *Signer) Name() string { return s.name }

// KeyHash implements note.Signer.
func (s *Signer) KeyHash() uint32 { return keyHash(s.name, s.encoded()) }

func (s *Signer) encoded() []byte {
	return append([]byte{s.alg}, s.key.Public().(ed25519.PublicKey)...)
}

// Sign implements note.Signer.
func (s *Signer) Sign(text []byte) ([]byte, error) {
	if s.alg == algLog {
		return ed25519.Sign(s.key, text), nil
	}
	at := s.now().Unix()
	stamp := binary.BigEndian.AppendUint64(nil, uint64(at))
	return append(stamp, ed25519.Sign(s.key, cosigned(at, text))...), nil
}

// cosigned is what a witness signs (https://c2sp.org/tlog-cosignature).
func cosigned(at int64, text []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at), text...)
}

// VerifierKey is the public half, as the others configure it: name+hash+key.
func (s *Signer) VerifierKey() string {
	return fmt.Sprintf("%s+%08x+%s", s.name, s.KeyHash(), base64.StdEncoding.EncodeToString(s.encoded()))
}

func keyHash(name string, key []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	return binary.BigEndian.Uint32(sum[:])
}

// Key is the public half of a log's or witness's key.
type Key struct {
	name string
	alg  byte
	key  ed25519.PublicKey
}

var _ note.Verifier = Key{}

// ParseKey reads one verifier key. It fails with audit.key.
func ParseKey(vkey string) (Key, error) {
	bad := gatehouse.Errorf("audit.key", "copy it whole, as `gatehouse audit key` prints it", "this is no verifier key")
	parts := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	if len(parts) != 3 || parts[0] == "" || len(parts[1]) != 8 || strings.ContainsAny(parts[0], " \t\r\n") {
		return Key{}, bad
	}
	sum, err := strconv.ParseUint(parts[1], 16, 32)
	b, wrong := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || wrong != nil || len(b) != 1+ed25519.PublicKeySize || b[0] != algLog && b[0] != algWitness || uint32(sum) != keyHash(parts[0], b) {
		return Key{}, bad
	}
	return Key{parts[0], b[0], ed25519.PublicKey(b[1:])}, nil
}

// Name implements note.Verifier.
func (k Key) Name() string { return k.name }

// KeyHash implements note.Verifier.
func (k Key) KeyHash() uint32 { return keyHash(k.name, append([]byte{k.alg}, k.key...)) }

// Public is the key without its name.
func (k Key) Public() ed25519.PublicKey { return k.key }

// IsWitness tells a witness's key from a log's.
func (k Key) IsWitness() bool { return k.alg == algWitness }

// Verify implements note.Verifier.
func (k Key) Verify(text, sig []byte) bool {
	if k.alg == algLog {
		return ed25519.Verify(k.key, text, sig)
	}
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return at <= 1<<62 && ed25519.Verify(k.key, cosigned(int64(at), text), sig[8:])
}

// ParseKeys reads verifier keys, one a line: a log's newest comes first, behind it
// those that it had before. It fails with audit.key.
func ParseKeys(vkeys string) (note.Verifiers, error) {
	var list []note.Verifier
	for line := range strings.Lines(vkeys) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		k, err := ParseKey(line)
		if err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	if len(list) == 0 || len(list) > 1000 {
		return nil, gatehouse.Errorf("audit.key", "give the key that `gatehouse audit key` prints", "there is no verifier key")
	}
	return note.VerifierList(list...), nil
}
