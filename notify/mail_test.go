package notify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// post is a mail server: a real one, with STARTTLS and one user.
type post struct {
	mu   sync.Mutex
	full bool
	mail []letter
}

type letter struct {
	from string
	to   []string
	text string
}

type session struct {
	post   *post
	authed bool
	letter letter
}

func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{post: p}, nil }
func (s *session) AuthMechanisms() []string                 { return []string{sasl.Plain} }
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "gatehouse" || password != "four words of post" {
			return smtp.ErrAuthFailed
		}
		s.authed = true
		return nil
	}), nil
}
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.authed {
		return smtp.ErrAuthRequired
	}
	s.letter = letter{from: from}
	return nil
}
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody@") {
		return errors.New("nobody@ does not live here")
	}
	s.letter.to = append(s.letter.to, to)
	return nil
}
func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.post.mu.Lock()
	defer s.post.mu.Unlock()
	if s.post.full {
		return &smtp.SMTPError{Code: 452, Message: "full"}
	}
	s.letter.text = string(b)
	s.post.mail = append(s.post.mail, s.letter)
	return err
}
func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// certificate is one for localhost, and who trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	must(t, err)
	leaf, err := x509.ParseCertificate(der)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func serve(t *testing.T, p *post, l net.Listener, config *tls.Config) int {
	t.Helper()
	s := smtp.NewServer(p)
	s.Domain, s.TLSConfig = "localhost", config
	go func() { _ = s.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

func TestMail(t *testing.T) {
	cert, pool := certificate(t)
	server := &tls.Config{Certificates: []tls.Certificate{cert}}
	p := &post{}
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "localhost:0")
		must(t, err)
		return l
	}
	starttls := serve(t, p, listen(), server)
	implicit := serve(t, p, tls.NewListener(listen(), server), nil)
	without := serve(t, p, listen(), nil)
	password := gatehouse.Secret("four words of post")
	m := Mail{Host: "localhost", Port: starttls, Security: STARTTLS, User: "gatehouse", Password: func() (gatehouse.Secret, bool) { return password, password != "" },
		From: "gate@example.org", To: []string{"guard@example.org", "chief@example.org"}, TLS: &tls.Config{RootCAs: pool}}
	a := alarm()
	for _, over := range []struct {
		port     int
		security Security
	}{{starttls, STARTTLS}, {implicit, TLS}} {
		m := m
		m.Port, m.Security = over.port, over.security
		p.mail = nil
		must(t, NewMail(m, place).Deliver(t.Context(), a))
		if len(p.mail) != 1 || p.mail[0].from != "gate@example.org" || len(p.mail[0].to) != 2 {
			t.Fatalf("%s: the server has %+v", over.security, p.mail)
		}
		read, err := mail.ReadMessage(strings.NewReader(p.mail[0].text))
		must(t, err)
		subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
		must(t, err)
		text, err := io.ReadAll(quotedprintable.NewReader(read.Body))
		must(t, err)
		if subject != "Gatehouse alarm: canary at acme/north" || read.Header.Get("Message-ID") != "<"+a.ID.String()+"@example.org>" || !strings.Contains(string(text), "Session site/link-7 opened a canary") {
			t.Errorf("%q, %v, %s", subject, read.Header, text)
		}
	}

	p.mail = nil
	for code, change := range map[string]func(*Mail){
		"mail.password":    func(m *Mail) { m.Password = func() (gatehouse.Secret, bool) { return "another", true } },
		"mail.refused":     func(m *Mail) { m.To = []string{"nobody@example.org"} },
		"mail.tls":         func(m *Mail) { m.Port = without },
		"mail.unreachable": func(m *Mail) { m.Port = 1 },
	} {
		m := m
		change(&m)
		err := NewMail(m, place).Deliver(t.Context(), a)
		if gatehouse.ErrorCode(err) != code {
			t.Errorf("%s: %v", code, err)
		}
		if err != nil && strings.Contains(err.Error(), "nobody@") {
			t.Errorf("the error repeats an address: %v", err)
		}
	}
	untrusted := m
	untrusted.TLS = nil
	if err := NewMail(untrusted, place).Deliver(t.Context(), a); gatehouse.ErrorCode(err) != "mail.tls" {
		t.Errorf("a certificate of nobody's: %v", err)
	}
	unset := m
	unset.Password = func() (gatehouse.Secret, bool) { return "", false }
	if err := NewMail(unset, place).Deliver(t.Context(), a); gatehouse.ErrorCode(err) != "mail.password" {
		t.Errorf("no password: %v", err)
	}
	p.full = true
	if err := NewMail(m, place).Deliver(t.Context(), a); gatehouse.ErrorCode(err) != "mail.refused" {
		t.Errorf("a mailbox that is full: %v", err)
	}
	if len(p.mail) > 0 {
		t.Errorf("the server took %+v", p.mail)
	}
}

// A server that never answers holds a delivery no longer than its time.
func TestMailServerThatHangs(t *testing.T) {
	l, err := net.Listen("tcp", "localhost:0")
	must(t, err)
	defer l.Close()
	m := Mail{Host: "localhost", Port: l.Addr().(*net.TCPAddr).Port, Security: Plain, From: "a@example.org", To: []string{"b@example.org"}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := NewMail(m, place).Deliver(ctx, alarm()); err == nil {
		t.Error("it was delivered to nobody")
	}
}
