// Package listen is how browsers and devices reach the server: TLS with certificates
// from files, from an ACME authority or from an authority that Gatehouse makes itself,
// and the limits of every connection. What is asked and answered over it is none of its
// business.
package listen

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Source gives the certificate that a handshake shows.
type Source interface {
	// GetCertificate is tls.Config's. It MUST be safe for concurrent use and quick: it
	// is called in every handshake.
	GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
}

// The limits of one connection. A client that sends its headers a byte at a time
// (slowloris) is cut off after headerWithin, one that sends its body so after
// requestWithin, and together they hold at most MaxConnections.
const (
	headerWithin  = 5 * time.Second
	requestWithin = 30 * time.Second
	idleFor       = 2 * time.Minute
	stalledFor    = 30 * time.Second
	maxHeader     = 32 << 10
	maxStreams    = 100
)

// Server returns a server of h with those limits. There is no limit for a whole answer,
// since a page's event stream lasts as long as the page. What goes wrong in a handshake is
// not logged: it would be addresses of people, and as many lines as somebody likes.
func Server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: headerWithin, ReadTimeout: requestWithin, IdleTimeout: idleFor, MaxHeaderBytes: maxHeader,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams, SendPingTimeout: idleFor, PingTimeout: stalledFor, WriteByteTimeout: stalledFor}}
}

// Config is the TLS of every listener: 1.3 with the hybrid post-quantum key exchange
// that Go offers first, and 1.2 too only where tls12 says so. HTTP/2 is offered;
// protocols are offered besides.
func Config(source Source, tls12 bool, protocols ...string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: source.GetCertificate, NextProtos: append([]string{"h2", "http/1.1"}, protocols...)}
	if tls12 {
		c.MinVersion = tls.VersionTLS12
	}
	return c
}

// Shown is the certificate that a client which asks for name is shown, found out by a
// handshake in memory.
func Shown(c *tls.Config, name string) (*x509.Certificate, error) {
	there, here := net.Pipe()
	defer there.Close()
	defer here.Close()
	deadline := time.Now().Add(headerWithin)
	_, _ = there.SetDeadline(deadline), here.SetDeadline(deadline)
	go func() { _ = tls.Server(there, c).Handshake() }()
	// Nothing is trusted: the certificate is what is asked for.
	client := tls.Client(here, &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) //nolint:gosec // see above
	if err := client.Handshake(); err != nil {
		return nil, err
	}
	return client.ConnectionState().PeerCertificates[0], nil
}

// Loopback reports whether host is this machine itself: localhost or a loopback
// address.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
