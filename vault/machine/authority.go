package machine

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/vault"
)

// How long certificates are good for. A gate's is given at pairing; the machine's own
// is made at each start, and anew when half of its time is over.
const (
	authorityYears = 30
	machineLasts   = 60 * 24 * time.Hour
	backdated      = 24 * time.Hour // for machines whose clocks differ
)

// scheme names a site in a gate's certificate: gatehouse:ORG/SITE.
const scheme = "gatehouse"

// authority signs the certificates of the machine and its gates: Ed25519, X.509. It
// vouches to nobody else.
type authority struct {
	certificate *x509.Certificate
	key         ed25519.PrivateKey
	now         func() time.Time

	mu  sync.Mutex
	own *tls.Certificate
}

// openAuthority reads the authority, or makes it where there is none. Its file is
// AES-256-GCM, with a random nonce before it, under a key that the service key wraps.
// Errors: machine.damaged, machine.failed, and those of GateKey.FileKey.
func openAuthority(dir string, service *vault.GateKey, now time.Time) (*authority, error) {
	path := filepath.Join(dir, authorityFile)
	fileKey, err := service.FileKey(path)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(fileKey[:])
	clear(fileKey[:])
	if err != nil {
		return nil, failed(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, failed(err)
	}
	sealed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		a, plain, err := newAuthority(now)
		if err != nil {
			return nil, failed(err)
		}
		defer clear(plain)
		if err := vault.WriteDurably(path, aead.Seal(nil, nil, plain, []byte(authorityFile)), false); err != nil {
			return nil, failed(err)
		}
		return a, nil
	}
	if err != nil {
		return nil, failed(err)
	}
	plain, err := aead.Open(nil, nil, sealed, []byte(authorityFile))
	if err == nil {
		defer clear(plain)
		var a *authority
		if a, err = parseAuthority(plain); err == nil {
			return a, nil
		}
	}
	return nil, gatehouse.Errorf("machine.damaged", "restore `authority` and `authority.key` from their copy", "the machine's certificate authority cannot be read")
}

func newAuthority(now time.Time) (*authority, []byte, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{SerialNumber: newSerial(), Subject: pkix.Name{CommonName: "Gatehouse vault authority"}, NotBefore: now.Add(-backdated),
		NotAfter: now.AddDate(authorityYears, 0, 0), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	defer clear(key)
	plain := append(encode("CERTIFICATE", der), encode("PRIVATE KEY", key)...)
	a, err := parseAuthority(plain)
	return a, plain, err
}

func parseAuthority(plain []byte) (*authority, error) {
	pair, err := tls.X509KeyPair(plain, plain)
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("it holds no Ed25519 key")
	}
	return &authority{certificate: pair.Leaf, key: key, now: time.Now}, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// newSerial is 127 random bits, never zero.
func newSerial() *big.Int {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // the system's randomness does not fail
	}
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b[:])
}

func serialText(n *big.Int) string { return hex.EncodeToString(n.Bytes()) }

// sign makes a key pair and its certificate.
func (a *authority) sign(template *x509.Certificate) (der []byte, key ed25519.PrivateKey, err error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template.SerialNumber, template.KeyUsage = newSerial(), x509.KeyUsageDigitalSignature
	template.NotBefore = a.now().Add(-backdated)
	der, err = x509.CreateCertificate(rand.Reader, template, a.certificate, public, a.key)
	return der, private, err
}

// identity makes what a gate needs, and tells its certificate's serial number.
func (a *authority) identity(place gatehouse.Place, until time.Time) (id vault.Identity, serial string, err error) {
	name := string(place.Org) + "/" + string(place.Site)
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, URIs: []*url.URL{{Scheme: scheme, Opaque: name}}, NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, private, err := a.sign(template)
	if err != nil {
		return id, "", failed(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return id, "", failed(err)
	}
	defer clear(key)
	return vault.Identity{Version: 1, Org: place.Org, Site: place.Site, Authority: string(encode("CERTIFICATE", a.certificate.Raw)),
		Certificate: string(encode("CERTIFICATE", der)), Key: gatehouse.Secret(encode("PRIVATE KEY", key))}, serialText(template.SerialNumber), nil
}

// machineCertificate gives the machine's own certificate, whose key is on no disk.
func (a *authority) machineCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.own != nil && a.own.Leaf.NotAfter.Sub(a.now()) > machineLasts/2 {
		return a.own, nil
	}
	der, key, err := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: vault.MachineName}, DNSNames: []string{vault.MachineName},
		NotAfter: a.now().Add(machineLasts), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a.own = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	return a.own, nil
}

// tlsConfig lets in only who shows a certificate of this authority. Both ends are
// ours, so nothing but TLS 1.3 and the hybrid post-quantum key exchange is spoken.
func (a *authority) tlsConfig() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return &tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}, NextProtos: []string{vault.Protocol},
		GetCertificate: a.machineCertificate, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, SessionTicketsDisabled: true, Time: a.now}
}

// placeOf reads the site out of a verified certificate.
func placeOf(c *x509.Certificate) (gatehouse.Place, bool) {
	if len(c.URIs) != 1 || c.URIs[0].Scheme != scheme {
		return gatehouse.Place{}, false
	}
	place, err := ParsePlace(c.URIs[0].Opaque)
	return place, err == nil
}

// ParsePlace reads ORG/SITE. It fails with name.malformed.
func ParsePlace(text string) (gatehouse.Place, error) {
	org, site, _ := strings.Cut(text, "/")
	for _, name := range []string{org, site} {
		if err := gatehouse.CheckName(name); err != nil {
			return gatehouse.Place{}, gatehouse.Errorf("name.malformed", "write it as ORGANIZATION/SITE, as they stand in the gate's gatehouse.yml", "this names no site")
		}
	}
	return gatehouse.Place{Org: gatehouse.OrgID(org), Site: gatehouse.SiteID(site)}, nil
}
