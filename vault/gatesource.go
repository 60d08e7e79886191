package vault

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gatehouse"
	"gatehouse/vault/custody"
)

// GateSource says where the gate key comes from at boot, without a person:
//
//	PATH                                                   32 random bytes in a file outside the data directory
//	credential:NAME                                        a systemd credential of 32 bytes
//	pkcs11:MODULE?token=TOKEN&key=KEY&pin-file=FILE        wrapped by an AES key that never leaves a token
//	tpm:DEVICE?auth-file=FILE, tpm:unix:SOCKET             sealed by this machine's TPM 2.0
//
// A file of a PIN or authorization value may itself be credential:NAME. What a token or
// TPM wraps lies in the data directory, in WrappedGateKeyFile: by itself it is noise.
type GateSource struct {
	kind   Custody
	text   string // what stands behind the prefix
	source string // all of it
	suffix string // of the name of what replaces it, see gaterotate.go
}

// WrappedGateKeyFile is where the data directory holds a gate key that a token or TPM
// wraps.
const WrappedGateKeyFile = "gate.key.wrapped"

// gatePurpose binds a wrapped gate key to what it is.
const gatePurpose = "gate"

// Custody says how the gate key is kept: what stands in `gatehouse status`, in the log
// at the start, and in the drill's report.
type Custody string

// The custodies that exist, and what each is worth (Means).
const (
	CustodyKeyFile    Custody = "key file"
	CustodySameDisk   Custody = "key file on the same disk"
	CustodyCredential Custody = "systemd credential"
	CustodyPKCS11     Custody = "pkcs11"
	CustodyTPM        Custody = "tpm"
)

// Means says in a sentence what a thief gets.
func (c Custody) Means() string {
	switch c {
	case CustodySameDisk:
		return "whoever copies the whole disk has the gate key too, and so templates, allowed plates and passage times (no names); keep it on other media, a token or a TPM"
	case CustodyKeyFile:
		return "whoever copies the disk of the data gets nothing; whoever takes the key file's medium too has templates, allowed plates and passage times (no names)"
	case CustodyCredential:
		return "whoever copies the data directory gets nothing; a whole disk opens only where systemd's host key lies on it, unless the credential is bound to a TPM"
	case CustodyPKCS11:
		return "whoever copies or takes the disks gets nothing without the token and its PIN"
	case CustodyTPM:
		return "whoever copies or takes the disks gets nothing without this machine"
	}
	return ""
}

// ParseGateSource reads `gate_key` of the configuration; whatever has no prefix is a path.
func ParseGateSource(source string) GateSource {
	for prefix, kind := range map[string]Custody{"credential:": CustodyCredential, "pkcs11:": CustodyPKCS11, "tpm:": CustodyTPM} {
		if text, ok := strings.CutPrefix(source, prefix); ok {
			return GateSource{kind: kind, text: text, source: source}
		}
	}
	return GateSource{kind: CustodyKeyFile, text: source, source: source}
}

// IsFile reports whether the source is a path.
func (s GateSource) IsFile() bool { return s.kind == CustodyKeyFile }

// Exists reports whether a gate key was made there for a data directory. It reads no
// key, and for a systemd credential it says whether the service has it.
func (s GateSource) Exists(dataDir string) (bool, error) {
	path, err := s.path(dataDir)
	if err != nil {
		return false, err
	}
	_, err = os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Custody says how the gate key is kept.
func (g *GateKey) Custody() Custody { return g.custody }

// path is the file that the key, or what wraps it, lies in.
func (s GateSource) path(dataDir string) (string, error) {
	switch s.kind {
	case CustodyCredential:
		return custody.CredentialPath(s.source + s.suffix)
	case CustodyPKCS11, CustodyTPM:
		return filepath.Join(dataDir, WrappedGateKeyFile+s.suffix), nil
	}
	_, path, err := outside(dataDir, s.text+s.suffix)
	return path, err
}

// replacement is where the key lies that replaces this one.
func (s GateSource) replacement() GateSource {
	s.suffix += nextSuffix
	return s
}

// replace puts a replacement, which is in force, in the key's place, durably. A systemd
// credential's name is systemd's business: both stay until somebody changes the service.
func (s GateSource) replace(dataDir string) error {
	if s.kind == CustodyCredential {
		return nil
	}
	to, err := s.path(dataDir)
	if err != nil {
		return err
	}
	from, err := s.replacement().path(dataDir)
	if err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// credential is what a token or TPM is asked with.
func (s GateSource) wrapper() (custody.Wrapper, error) {
	kind := gatehouse.PKCS11Credential
	if s.kind == CustodyTPM {
		kind = gatehouse.TPMCredential
	}
	c, err := custody.FromSource(kind, s.text)
	if err != nil {
		return nil, err
	}
	return custody.New(c, 0)
}

// store puts a new key there, durably, where none is.
func (s GateSource) store(dataDir string, key [gateKeySize]byte) error {
	path, err := s.path(dataDir)
	if err != nil {
		return err
	}
	b := key[:]
	switch s.kind {
	case CustodyCredential:
		return gatehouse.Errorf("gatekey.credential", "make it with: head -c 32 /dev/urandom | systemd-creds encrypt --name="+s.text+s.suffix+" - FILE, and load it with LoadCredentialEncrypted=", "the gate key is a systemd credential, which only systemd makes")
	case CustodyPKCS11, CustodyTPM:
		w, err := s.wrapper()
		if err != nil {
			return err
		}
		if b, err = w.Wrap(context.Background(), key, gatePurpose); err != nil {
			return err
		}
	}
	err = writeDurably(path, b, false)
	switch {
	case errors.Is(err, fs.ErrExist):
		return gatehouse.Errorf("gatekey.exists", "use it, or name another place", "there is a file in the place of the new gate key")
	case err != nil:
		return gatehouse.Errorf("gatekey.failed", "check that the directory exists and can be written", "the gate key cannot be written: %w", err)
	}
	return nil
}

// load reads the key, and says how it is kept.
func (s GateSource) load(dataDir string, key *[gateKeySize]byte) (Custody, error) {
	path, err := s.path(dataDir)
	if err != nil {
		return "", err
	}
	switch s.kind {
	case CustodyPKCS11, CustodyTPM:
		wrapped, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", gatehouse.Errorf("gatekey.missing", "restore "+WrappedGateKeyFile+" from its copy; without it the working set is rebuilt from the vault", "the wrapped gate key is not in the data directory")
		case err != nil:
			return "", gatehouse.Errorf("gatekey.failed", "check the data directory", "the wrapped gate key cannot be read: %w", err)
		}
		w, err := s.wrapper()
		if err != nil {
			return "", err
		}
		*key, err = w.Unwrap(context.Background(), wrapped, gatePurpose)
		return s.kind, err
	case CustodyCredential:
		if _, path, err = outside(dataDir, path); err != nil {
			return "", err
		}
		b, err := os.ReadFile(path) // who may read it is systemd's business
		defer clear(b)
		if err != nil {
			return "", gatehouse.Errorf("gatekey.missing", "see LoadCredentialEncrypted= of the service", "the systemd credential of the gate key cannot be read: %w", err)
		}
		return CustodyCredential, takeGateKey(b, key)
	}
	b, err := custody.ReadPrivate("gatekey", "gate key", path, gateKeySize)
	defer clear(b)
	if err != nil {
		if gatehouse.ErrorCode(err) == "gatekey.missing" {
			err = gatehouse.Errorf("gatekey.missing", "plug in or mount what holds it, or correct `gate_key` in the configuration; if it is lost, restore its copy",
				"the gate key file %s is not there", path)
		}
		return "", err
	}
	if err := takeGateKey(b, key); err != nil {
		return "", err
	}
	if sameDisk(dataDir, path) {
		return CustodySameDisk, nil
	}
	return CustodyKeyFile, nil
}

func takeGateKey(b []byte, key *[gateKeySize]byte) error {
	if len(b) != gateKeySize {
		return gatehouse.Errorf("gatekey.malformed", "restore it from its copy", "a gate key has 32 bytes, this one does not")
	}
	copy(key[:], b)
	return nil
}

// sameDisk reports whether two files lie on one disk, as far as can be told: on one
// file system, or on two whose partitions are of one disk.
func sameDisk(a, b string) bool {
	one, ok1 := deviceOf(a)
	other, ok2 := deviceOf(b)
	if !ok1 || !ok2 {
		return false
	}
	if one == other {
		return true
	}
	disks := disksOf(one)
	for disk := range disksOf(other) {
		if disks[disk] {
			return true
		}
	}
	return false
}

func deviceOf(path string) (uint64, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(st.Dev), true //nolint:unconvert // its type depends on the system
}
