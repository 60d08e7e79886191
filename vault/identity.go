package vault

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"gatehouse"
)

// Identity is what one site's gate needs to use a vault on another machine:
// `gatehouse vault pair` there writes it into a file, for this gate alone.
type Identity struct {
	Version     int              `json:"version"` // 1
	Org         gatehouse.OrgID  `json:"org"`
	Site        gatehouse.SiteID `json:"site"`
	Address     string           `json:"address"`     // HOST:PORT, as the pairing was told
	Authority   string           `json:"authority"`   // PEM: the machine's own certificate authority
	Certificate string           `json:"certificate"` // PEM
	Key         gatehouse.Secret `json:"key"`         // PEM: the certificate's private key
	PublicKey   string           `json:"public_key"`  // vault.pub
}

// Names of the machine and of its protocol inside TLS. The machine is known by its
// authority, not by its address, which may change.
const (
	MachineName = "vault.gatehouse"
	Protocol    = "gatehouse-vault/1"
)

// maxIdentity is the largest identity file, in bytes.
const maxIdentity = 64 << 10

// ReadIdentity reads a gate's identity file for the site in dataDir. It holds a
// private key, so it lies outside the data directory and only its owner may read it.
// Errors: identity.missing, identity.inside, identity.permissions,
// identity.malformed, identity.failed.
func ReadIdentity(file, dataDir string) (*Identity, error) {
	_, file, err := outside(dataDir, file)
	if gatehouse.ErrorCode(err) == "gatekey.inside" {
		return nil, gatehouse.Errorf("identity.inside", "keep it elsewhere: whoever copies the data directory must not get it", "the identity for the vault lies inside the data directory")
	}
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, gatehouse.Errorf("identity.missing", "bring the file that `gatehouse vault pair` wrote on the vault's machine, or correct `vault.identity`", "the identity for the vault is not there")
	case err != nil:
		return nil, gatehouse.Errorf("identity.failed", "check who may read it", "the identity for the vault cannot be read: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return nil, gatehouse.Errorf("identity.permissions", "run: chmod 600 on the identity file", "others than its owner may read the identity for the vault")
	}
	b, err := io.ReadAll(io.LimitReader(f, maxIdentity))
	if err != nil {
		return nil, gatehouse.Errorf("identity.failed", "check the file", "the identity for the vault cannot be read: %w", err)
	}
	defer clear(b)
	var id Identity
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&id); err != nil || id.Version != 1 {
		return nil, malformedIdentity()
	}
	if _, err := id.tlsConfig(time.Now()); gatehouse.ErrorCode(err) == "identity.malformed" {
		return nil, err
	}
	return &id, nil
}

func malformedIdentity() error {
	return gatehouse.Errorf("identity.malformed", "pair the gate again with `gatehouse vault pair` on the vault's machine", "this is no identity for a vault")
}

// Place is the site that the identity is for.
func (id *Identity) Place() gatehouse.Place { return gatehouse.Place{Org: id.Org, Site: id.Site} }

// tlsConfig fails with identity.malformed or identity.expired.
func (id *Identity) tlsConfig(now time.Time) (*tls.Config, error) {
	pair, err := tls.X509KeyPair([]byte(id.Certificate), []byte(id.Key.Reveal()))
	authority := x509.NewCertPool()
	if err != nil || !authority.AppendCertsFromPEM([]byte(id.Authority)) || !strings.HasPrefix(id.PublicKey, labelVaultKey) {
		return nil, malformedIdentity()
	}
	if now.After(pair.Leaf.NotAfter) {
		return nil, gatehouse.Errorf("identity.expired", "pair the gate again with `gatehouse vault pair` on the vault's machine; until then chains wait in the spool", "this gate's identity for the vault has expired")
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}, NextProtos: []string{Protocol},
		Certificates: []tls.Certificate{pair}, RootCAs: authority, ServerName: MachineName}, nil
}

// dial connects to the vault's machine and makes sure that it is the one.
func (id *Identity) dial(address string, now func() time.Time) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		config, err := id.tlsConfig(now())
		if err != nil {
			return nil, err
		}
		d := tls.Dialer{Config: config}
		c, err := d.DialContext(ctx, "tcp", address)
		var unknown x509.UnknownAuthorityError
		var invalid x509.CertificateInvalidError
		if errors.As(err, &unknown) || errors.As(err, &invalid) {
			return nil, gatehouse.Errorf("identity.machine", "correct `vault.remote`; if the machine was made anew, pair the gate again", "the machine at that address is not the vault that this gate was paired with: %w", err)
		}
		return c, err
	}
}

// Paired reports whether dir belongs to a gate whose vault is on another machine.
func Paired(dir string) (bool, error) {
	_, err := os.Lstat(filepath.Join(dir, publicKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Pin puts the vault's public key into dir at the first start, and compares it at the
// others: what is sealed later must open with what was sealed before. A key that this
// gate saw replaced by a rotation (successor.go) is as good as its successor. Errors:
// vault.key_changed, vault.local, vault.failed.
func (id *Identity) Pin(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return initFailed(err)
	}
	local, err := Exists(dir)
	if err == nil && local {
		return gatehouse.Errorf("vault.local", "take `vault.identity` out of the configuration, or give the site another `data`", "this site has a vault of its own, whose archive another vault does not open")
	}
	path := filepath.Join(dir, publicKeyFile)
	pinned, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = writeDurably(path, []byte(id.PublicKey), false); err == nil {
			return nil
		}
	}
	if err != nil {
		return initFailed(err)
	}
	if string(pinned) == id.PublicKey {
		return nil
	}
	// A rotation has replaced the key since the pairing.
	before, err := os.ReadFile(filepath.Join(dir, replacedKeysFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return initFailed(err)
	}
	if id.PublicKey != "" && slices.Contains(strings.SplitAfter(string(before), "\n"), id.PublicKey) {
		return nil
	}
	return gatehouse.Errorf("vault.key_changed", "use the identity of the vault that this site began with; if its key was rotated while this gate was revoked, take vault.pub out of the site's vault directory. If nobody here exchanged it, somebody else did",
		"the vault of this identity is not the one that this site seals to")
}
