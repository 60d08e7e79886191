package listen

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// pebble is a real ACME server, Let's Encrypt's own for tests. It asks at these ports,
// and takes every name for this machine.
func pebble(t *testing.T, httpPort, tlsPort int) (directory, roots string) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "10") // as it does at random anyhow
	quiet := log.New(io.Discard, "", 0)
	if testing.Verbose() {
		quiet = log.New(os.Stderr, "pebble ", 0)
	}
	memory := db.NewMemoryStore()
	authority := ca.New(quiet, memory, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: 3600}})
	checks := va.New(quiet, httpPort, tlsPort, false, resolver(t), memory)
	front := wfe.New(quiet, memory, checks, authority, []string{"pebble"}, false, false, 1, 1)
	s := httptest.NewTLSServer(front.Handler())
	t.Cleanup(s.Close)
	roots = filepath.Join(t.TempDir(), "pebble.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s.URL + wfe.DirectoryPath, roots
}

// resolver answers every question with this machine's address.
func resolver(t *testing.T) string {
	t.Helper()
	conn, err := net.Listen("tcp", "127.0.0.1:0") // pebble asks over TCP
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{Listener: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)})
		}
		w.WriteMsg(m)
	})}
	go s.ActivateAndServe()
	t.Cleanup(func() { s.Shutdown() })
	return conn.Addr().String()
}

func TestACertificateFromAnACMEAuthority(t *testing.T) {
	for _, clearText := range []bool{false, true} {
		name := "tls-alpn"
		if clearText {
			name = "http"
		}
		t.Run(name, func(t *testing.T) { testACME(t, clearText) })
	}
}

func testACME(t *testing.T, clearText bool) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	redirect, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer redirect.Close()
	port, clearPort := l.Addr().(*net.TCPAddr).Port, redirect.Addr().(*net.TCPAddr).Port
	directory, roots := pebble(t, clearPort, port)
	path := filepath.Join(t.TempDir(), "sealed")
	o := ACMEOptions{Directory: directory, Email: "admin@gates.example", Roots: roots, Names: []string{"gates.example"}, Port: port, Safe: safeAt(t, path, 1),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if clearText {
		o.RedirectPort = clearPort
	}
	a, err := NewACME(o)
	if err != nil {
		t.Fatal(err)
	}
	a.issuer.DisableTLSALPNChallenge = clearText // one way at a time
	pages := Server(http.NotFoundHandler())
	go pages.Serve(tls.NewListener(l, Config(a, false, a.Protocol())))
	defer pages.Close()
	plain := Server(a.Challenges(Redirect(o.Names, "8443")))
	go plain.Serve(redirect)
	defer plain.Close()
	go a.Run(t.Context())

	issuer := ""
	for end := time.Now().Add(30 * time.Second); issuer == "" && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: "gates.example", InsecureSkipVerify: true})
		if err == nil {
			leaf := c.ConnectionState().PeerCertificates[0]
			c.Close()
			if err := leaf.VerifyHostname("gates.example"); err != nil {
				t.Fatal(err)
			}
			issuer = leaf.Issuer.CommonName
		}
	}
	if !strings.HasPrefix(issuer, "Pebble") {
		t.Fatalf("the certificate is of %q", issuer)
	}
	sealed, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(sealed), "PRIVATE KEY") || strings.Contains(string(sealed), "gates.example") {
		t.Errorf("what was obtained lies open: %v", err)
	}
	// A restart asks for nothing anew.
	again, err := NewACME(ACMEOptions{Directory: "https://127.0.0.1:1/none", Names: o.Names, Port: port, Safe: safeAt(t, path, 1), Log: o.Log})
	if err != nil {
		t.Fatal(err)
	}
	again.issuer.CA = directory // the certificates of another authority are not looked for
	if err := again.config.ManageAsync(t.Context(), o.Names); err != nil {
		t.Fatal(err)
	}
	var got *x509.Certificate
	for end := time.Now().Add(30 * time.Second); got == nil && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		got, _ = Shown(Config(again, false), "gates.example")
	}
	if got == nil || got.VerifyHostname("gates.example") != nil {
		t.Error("the certificate was not kept")
	}
	again.cache.Stop()
}
