package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/listen"
	"gatehouse/vault"
)

// transport is how the server is listened at, as gatehouse.yml says.
type transport struct {
	listener net.Listener
	redirect net.Listener // nil: none
	base     string       // the console's address, for links
	name     string       // the first of the site's names, "" without TLS
	port     string
	hosts    []string
	source   listen.Source     // nil without TLS
	local    *listen.Authority // nil without a local authority
	acme     *listen.ACME      // nil without ACME
}

// openTransport takes the ports and opens the certificates. Errors: listen.taken and
// the tls.* codes.
func (s *Server) openTransport(ctx context.Context) (_ *transport, err error) {
	t := &transport{}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	if t.listener, err = listenAt(s.config.Listen, "listen"); err != nil {
		return nil, err
	}
	t.listener = listen.Limited(t.listener)
	_, t.port, _ = net.SplitHostPort(t.listener.Addr().String())
	host, _, _ := net.SplitHostPort(s.config.Listen)
	c := s.config.TLS
	t.hosts = auth.LoopbackHosts(t.port)
	if !c.On() {
		t.base = "http://" + net.JoinHostPort(host, t.port)
		return t, nil
	}
	t.name, t.base = c.Names[0], listen.URL(c.Names[0], t.port)
	t.hosts = append(t.hosts, listen.Hosts(c.Names, t.port)...)
	if c.Redirect != "" {
		if t.redirect, err = listenAt(c.Redirect, "tls.redirect"); err != nil {
			return nil, err
		}
		t.redirect = listen.Limited(t.redirect)
	}
	if err := s.openCertificates(ctx, t); err != nil {
		return nil, err
	}
	var protocols []string
	if t.acme != nil {
		protocols = append(protocols, t.acme.Protocol())
	}
	t.listener = tls.NewListener(t.listener, listen.Config(t.source, c.AllowTLS12, protocols...))
	return t, nil
}

func (s *Server) openCertificates(ctx context.Context, t *transport) (err error) {
	c := s.config.TLS
	switch c.Certificates {
	case "files":
		t.source, err = listen.OpenFiles(c.Certificate, c.Key, s.log)
		return err
	case "local":
		t.local, err = s.authority(ctx, false)
		t.source = t.local
		return err
	}
	safe, err := s.tlsSafe()
	if err != nil {
		return err
	}
	o := listen.ACMEOptions{Directory: c.ACME.Directory, Email: c.ACME.Email, Roots: c.ACME.Roots, Names: c.Names, Port: listen.PortOf(t.port), Safe: safe, Log: s.log}
	if t.redirect != nil {
		_, port, _ := net.SplitHostPort(t.redirect.Addr().String())
		o.RedirectPort = listen.PortOf(port)
	}
	t.acme, err = listen.NewACME(o)
	t.source = t.acme
	return err
}

// tlsSafe opens where TLS keys are kept, sealed under the gate key.
func (s *Server) tlsSafe() (*listen.Safe, error) {
	path := filepath.Join(s.config.Data, "tls", "sealed")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, gatehouse.Errorf("data.unwritable", "check `data` in gatehouse.yml and its permissions", "the folder of the TLS keys cannot be made: %w", err)
	}
	key, err := s.gateKey.FileKey(filepath.Join("tls", "sealed"))
	if err != nil {
		return nil, err
	}
	defer clear(key[:])
	return listen.OpenSafe(path, key, func(path string, b []byte) error { return vault.WriteDurably(path, b, true) })
}

// authority opens the local certificate authority, which is made where there is none,
// or anew.
func (s *Server) authority(ctx context.Context, anew bool) (*listen.Authority, error) {
	safe, err := s.tlsSafe()
	if err != nil {
		return nil, err
	}
	a, err := listen.OpenAuthority(ctx, safe, s.config.TLS.Names)
	if !anew && gatehouse.ErrorCode(err) != "tls.no_authority" {
		return a, err
	}
	if err := s.vault.NoteKey(ctx, "tls authority made", "authority"); err != nil {
		return nil, err
	}
	return listen.MakeAuthority(ctx, safe, s.config.Site.Name, s.config.TLS.Names)
}

func listenAt(address, option string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, gatehouse.Errorf("listen.taken", "stop the other program, or set `"+option+"` in gatehouse.yml to another port", "nothing can listen at %s: %w", address, err)
	}
	return l, nil
}

func (t *transport) close() {
	for _, l := range []net.Listener{t.listener, t.redirect} {
		if l != nil {
			l.Close()
		}
	}
}

// routes are those that the transport adds: how to trust a local authority.
func (t *transport) routes() []auth.Route {
	if t.local == nil {
		return nil
	}
	return []auth.Route{{Pattern: "GET " + listen.TrustPath, Policy: auth.Public, Handler: t.local.Page},
		{Pattern: "GET " + listen.CertificatePath, Policy: auth.Public, Handler: t.local.Certificate}}
}

// servers are one server for each listener, in their order.
func (t *transport) servers(c TLSConfig, pages http.Handler) ([]*http.Server, []net.Listener) {
	main := listen.Server(pages)
	if c.On() {
		main.Handler = listen.StrictTransport(pages, c.HSTS)
	}
	if t.redirect == nil {
		return []*http.Server{main}, []net.Listener{t.listener}
	}
	clear := listen.Redirect(c.Names, t.port)
	if t.acme != nil {
		clear = t.acme.Challenges(clear)
	}
	return []*http.Server{main, listen.Server(clear)}, []net.Listener{t.listener, t.redirect}
}

// run keeps the certificates fresh.
func (t *transport) run(ctx context.Context) {
	if t.acme != nil {
		t.acme.Run(ctx)
	}
}

// until is when the certificate that browsers are shown ends; the zero time without TLS,
// or where there is none yet.
func (t *transport) until() time.Time {
	if t.source == nil {
		return time.Time{}
	}
	c, err := listen.Shown(listen.Config(t.source, false), t.name)
	if err != nil {
		return time.Time{}
	}
	return c.NotAfter
}
