package listen

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"strconv"

	"gatehouse"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// ACMEOptions say where certificates are asked for (RFC 8555).
type ACMEOptions struct {
	Directory string // the authority's directory, https
	Email     string // "" for none
	// Roots is a PEM file of what the authority's own certificate is trusted by; "" is
	// the system's.
	Roots string
	Names []string
	// Port is where TLS is listened at, RedirectPort where clear HTTP is; 0 for not at
	// all. The authority asks at 443 and 80, so a router must pass those on to them.
	Port, RedirectPort int
	Safe               *Safe
	Log                *slog.Logger
}

// ACME gets and renews the certificate of each name by itself.
type ACME struct {
	o      ACMEOptions
	config *certmagic.Config
	issuer *certmagic.ACMEIssuer
	cache  *certmagic.Cache
}

// NewACME prepares; Run asks for the certificates. Errors: tls.acme_roots.
func NewACME(o ACMEOptions) (*ACME, error) {
	a := &ACME{o: o}
	a.cache = certmagic.NewCache(certmagic.CacheOptions{Logger: zap.NewNop(),
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil }})
	// certmagic logs through zap and at length; what matters are its events.
	a.config = certmagic.New(a.cache, certmagic.Config{Storage: o.Safe, Logger: zap.NewNop(), OnEvent: a.event})
	template := certmagic.ACMEIssuer{CA: o.Directory, Email: o.Email, Agreed: true, Logger: zap.NewNop(),
		AltTLSALPNPort: o.Port, AltHTTPPort: o.RedirectPort, DisableHTTPChallenge: o.RedirectPort == 0}
	if o.Roots != "" {
		pem, err := os.ReadFile(o.Roots)
		template.TrustedRoots = x509.NewCertPool()
		if err != nil || !template.TrustedRoots.AppendCertsFromPEM(pem) {
			return nil, gatehouse.Errorf("tls.acme_roots", "give a PEM file in `tls.acme.roots`, or leave it empty", "the certificates that the ACME authority is trusted by cannot be read")
		}
	}
	a.issuer = certmagic.NewACMEIssuer(a.config, template)
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

// Run gets the certificates and renews them until ctx ends. The ports must be listened
// at already: the authority comes there to see who asks. What fails is tried again, for
// a month, at growing intervals.
func (a *ACME) Run(ctx context.Context) {
	if err := a.config.ManageAsync(ctx, a.o.Names); err != nil {
		a.o.Log.Error("no TLS certificate is being asked for", "code", "tls.acme", "err", err)
	}
	<-ctx.Done()
	a.cache.Stop()
}

// Protocol is what the authority's handshake speaks, for Config.
func (a *ACME) Protocol() string { return "acme-tls/1" }

// GetCertificate implements Source.
func (a *ACME) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.config.GetCertificate(hello)
}

// Challenges answers the authority's questions in clear, and passes all else to next.
func (a *ACME) Challenges(next http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(next) }

func (a *ACME) event(_ context.Context, event string, data map[string]any) error {
	switch event {
	case "cert_obtained":
		a.o.Log.Info("a TLS certificate was obtained", "name", data["identifier"], "renewal", data["renewal"])
	case "cert_failed":
		a.o.Log.Error("a TLS certificate was not obtained; it is tried again", "code", "tls.acme", "name", data["identifier"], "err", data["error"])
	}
	return nil
}

// PortOf is the number of a port, 0 where it is none.
func PortOf(port string) int {
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 {
		return 0
	}
	return n
}
