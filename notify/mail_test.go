package notify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"html"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"gatehouse"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// post is a mail server: a real one, with STARTTLS and one user.
type post struct {
	open bool // takes mail from anybody
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
	if !s.authed && !s.post.open {
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
		text := partsOf(t, read)["text/plain"]
		if subject != "Gatehouse alarm: canary at acme/north" || read.Header.Get("Message-ID") != "<"+a.ID.String()+"@example.org>" || !strings.Contains(text, "Session site/link-7 opened a canary") {
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

// partsOf reads a mail's alternatives, by their type.
func partsOf(t *testing.T, m *mail.Message) map[string]string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("it is %q, %v", kind, err)
	}
	all := map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextPart() // which decodes quoted-printable
		if errors.Is(err, io.EOF) {
			return all
		}
		must(t, err)
		text, err := io.ReadAll(p)
		must(t, err)
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		all[kind] = string(text)
	}
}

// Every letter goes through a real server, in both languages, as text and as a page that
// asks nobody for anything, and says nothing of what a person asked.
func TestLetters(t *testing.T) {
	l, err := net.Listen("tcp", "localhost:0")
	must(t, err)
	p := &post{open: true}
	m := Mail{Host: "localhost", Port: serve(t, p, l, nil), Security: Plain, From: "gate@example.org"}
	at := time.Date(2026, 11, 26, 9, 30, 0, 0, time.UTC)
	r := gatehouse.Request{Place: place, ID: gatehouse.RandomID(), Kind: gatehouse.ErasureRequest, Subject: gatehouse.RandomID(), Due: at.AddDate(0, 0, 30), Done: at.AddDate(0, 0, 9), Note: []byte("what was asked"), Answer: []byte("what was said")}
	const link = "https://gates.example/enter/abc?x=<1>&y=2"
	for _, lang := range []string{"en", "zh"} {
		for name, one := range map[string]struct {
			letter Letter
			says   []string
		}{
			"alarm":    {AlarmLetter(alarm(), place, lang), []string{"site/link-7", "acme/north"}},
			"invite":   {InvitationLetter(gatehouse.RandomID(), place, lang, link, at), []string{link, "2026-11-26 09:30 UTC"}},
			"received": {ReceivedLetter(r, lang), []string{r.ID.String(), "2026-12-26"}},
			"answered": {AnsweredLetter(gatehouse.RandomID(), r, lang), []string{r.ID.String(), "2026-12-05"}},
		} {
			p.mail = nil
			must(t, m.Send(t.Context(), []string{"somebody@example.org"}, one.letter))
			if len(p.mail) != 1 || len(p.mail[0].to) != 1 {
				t.Fatalf("%s: the server has %d", name, len(p.mail))
			}
			read, err := mail.ReadMessage(strings.NewReader(p.mail[0].text))
			must(t, err)
			subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
			must(t, err)
			parts := partsOf(t, read)
			plain, page := parts["text/plain"], html.UnescapeString(parts["text/html"])
			for _, want := range one.says {
				if !strings.Contains(plain, want) || !strings.Contains(page, want) {
					t.Errorf("%s, %s: %q is not in both:\n%s\n%s", name, lang, want, plain, page)
				}
			}
			for _, never := range []string{"what was asked", "what was said", "erasure", r.Subject.String(), "%!", "<img", "<script", "style=", "src="} {
				if strings.Contains(plain+page+subject, never) {
					t.Errorf("%s, %s: %q is in it", name, lang, never)
				}
			}
			if han := strings.IndexFunc(subject, func(c rune) bool { return unicode.Is(unicode.Han, c) }) >= 0; han != (lang == "zh") {
				t.Errorf("%s, %s: the subject is %q", name, lang, subject)
			}
		}
	}
	// A line break in a header begins no other header.
	evil := ReceivedLetter(r, "en")
	evil.Subject = "x\r\nBcc: everybody@example.org"
	p.mail = nil
	must(t, m.Send(t.Context(), []string{"somebody@example.org"}, evil))
	if read, err := mail.ReadMessage(strings.NewReader(p.mail[0].text)); err != nil || read.Header.Get("Bcc") != "" {
		t.Errorf("a header was put in: %v", err)
	}
}
