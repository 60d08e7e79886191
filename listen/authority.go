package listen

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
)

// How long certificates last. The server's own is far below the 825 days that Apple's
// systems allow below an authority that people installed.
const (
	authorityLasts   = 10 * 365 * 24 * time.Hour
	certificateLasts = 90 * 24 * time.Hour
	renewAt          = 30 * 24 * time.Hour // that are left
	backdated        = 24 * time.Hour      // for devices whose clocks differ
)

const authorityName = "authority/root"

// Authority is a certificate authority that people install on their phones. It is
// constrained to the names it was made for (RFC 5280, 4.2.1.10), and to this machine:
// whoever stole its key could pose as this site, and as nobody else. ECDSA P-256, since
// phones know no Ed25519 in certificates.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	names       []string
	now         func() time.Time

	mu   sync.Mutex
	mine *tls.Certificate
}

var loopbackNames = []string{"localhost", "127.0.0.1", "::1"}

// MakeAuthority makes an authority for the names and keeps it in safe, in the place of
// one that is there: phones have to trust the new one then.
func MakeAuthority(ctx context.Context, safe *Safe, siteName string, names []string) (*Authority, error) {
	now := time.Now()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: serial(), NotBefore: now.Add(-backdated), NotAfter: now.Add(authorityLasts),
		Subject:  pkix.Name{Organization: []string{"Gatehouse"}, CommonName: "Gatehouse " + siteName},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, PermittedDNSDomainsCritical: true}
	for _, name := range slices.Concat(names, loopbackNames) {
		if ip := net.ParseIP(name); ip != nil {
			template.PermittedIPRanges = append(template.PermittedIPRanges, only(ip))
		} else {
			template.PermittedDNSDomains = append(template.PermittedDNSDomains, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	defer clear(private)
	both := append(encode("CERTIFICATE", der), encode("PRIVATE KEY", private)...)
	defer clear(both)
	if err := safe.Store(ctx, authorityName, both); err != nil {
		return nil, err
	}
	return OpenAuthority(ctx, safe, names)
}

// OpenAuthority reads the authority. Errors: tls.no_authority; tls.authority_names
// where it was made for other names; tls.safe.
func OpenAuthority(ctx context.Context, safe *Safe, names []string) (*Authority, error) {
	both, err := safe.Load(ctx, authorityName)
	if err != nil {
		return nil, gatehouse.Errorf("tls.no_authority", "run `gatehouse tls ca init`", "this site has no certificate authority")
	}
	defer clear(both)
	damaged := func(err error) error {
		return gatehouse.Errorf("tls.safe", "run `gatehouse tls ca init --again`", "the certificate authority is damaged: %w", err)
	}
	pair, err := tls.X509KeyPair(both, both)
	if err != nil {
		return nil, damaged(err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, damaged(nil)
	}
	a := &Authority{certificate: pair.Leaf, key: key, names: slices.Clone(names), now: time.Now}
	for _, name := range names {
		if !a.vouchesFor(name) {
			return nil, gatehouse.Errorf("tls.authority_names", "run `gatehouse tls ca init --again`, and trust the new authority on every device",
				"the certificate authority was not made for %q and must not vouch for it", name)
		}
	}
	return a, nil
}

func (a *Authority) vouchesFor(name string) bool {
	if ip := net.ParseIP(name); ip != nil {
		return slices.ContainsFunc(a.certificate.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip) })
	}
	return slices.ContainsFunc(a.certificate.PermittedDNSDomains, func(d string) bool { return name == d || strings.HasSuffix(name, "."+d) })
}

// GetCertificate implements Source: the server's certificate, made when it is first
// asked for and anew before it ends. Its key is in memory only.
func (a *Authority) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if a.mine != nil && a.mine.Leaf.NotAfter.Sub(now) > renewAt && now.After(a.mine.Leaf.NotBefore) {
		return a.mine, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: serial(), NotBefore: now.Add(-backdated), NotAfter: now.Add(certificateLasts),
		Subject: pkix.Name{CommonName: "Gatehouse"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, name := range slices.Concat(a.names, loopbackNames) {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a.mine = &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key, Leaf: leaf}
	return a.mine, nil
}

// PEM is the authority's certificate, which is no secret.
func (a *Authority) PEM() []byte { return encode("CERTIFICATE", a.certificate.Raw) }

// DER is the same as phones like it.
func (a *Authority) DER() []byte { return slices.Clone(a.certificate.Raw) }

// Until is when the authority ends.
func (a *Authority) Until() time.Time { return a.certificate.NotAfter }

// Fingerprint is SHA-256 of the certificate as phones show it: pairs of hexadecimal
// digits.
func (a *Authority) Fingerprint() string { return Fingerprint(a.certificate.Raw) }

// Fingerprint is SHA-256 of a certificate's DER as phones and browsers show it.
func Fingerprint(der []byte) string {
	d := sha256.Sum256(der)
	digits := strings.ToUpper(hex.EncodeToString(d[:]))
	var b strings.Builder
	for i := 0; i < len(digits); i += 2 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(digits[i : i+2])
	}
	return b.String()
}

func only(ip net.IP) *net.IPNet {
	if four := ip.To4(); four != nil {
		return &net.IPNet{IP: four, Mask: net.CIDRMask(32, 32)}
	}
	return &net.IPNet{IP: ip, Mask: net.CIDRMask(128, 128)}
}

func serial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
