package server

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"

	"github.com/emersion/go-smtp"
)

// postbox is a mail server that takes mail from anybody, but for one address.
type postbox struct {
	mu   sync.Mutex
	mail []posted
}

type posted struct {
	to   string
	text string
}

type postSession struct {
	box *postbox
	to  string
}

func (p *postbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &postSession{box: p}, nil }
func (*postSession) Mail(string, *smtp.MailOptions) error      { return nil }
func (s *postSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.to = to; strings.HasPrefix(to, "nobody@") {
		return errors.New(to + " does not live here")
	}
	return nil
}
func (s *postSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.mail = append(s.box.mail, posted{s.to, string(b)})
	return err
}
func (*postSession) Reset()        {}
func (*postSession) Logout() error { return nil }

func (p *postbox) last(t *testing.T) posted {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.mail) == 0 {
		t.Fatal("no mail came")
	}
	return p.mail[len(p.mail)-1]
}

// Who asks about their data by mail gets letters in their language, which say nothing of
// what it is about; their address lies nowhere in clear, is opened as a disclosure, and is
// gone with them.
func TestLettersAboutARequest(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := &postbox{}
	server := smtp.NewServer(box)
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	c := testConfig(t)
	c.Alarms.Mail.Host, c.Alarms.Mail.Port, c.Alarms.Mail.Security = "127.0.0.1", listener.Addr().(*net.TCPAddr).Port, "none"
	c.Alarms.Mail.From, c.Alarms.Mail.To = "gates@example.org", []string{"duty@example.org"}
	s := open(t, c)
	p, ctx := pages{s}, t.Context()
	me := console.Who{Operator: "0123456789abcdef0123456789abcdef", Role: gatehouse.PrivacyOfficer}
	mei := enrol(t, s, "Staff 7", "Mei Lin", nil)
	const address, words = "mei.lin@example.org", "what do you hold?"

	for _, bad := range []gatehouse.RequestContact{{Email: "mei", Lang: "zh"}, {Email: "Mei <mei@example.org>", Lang: "zh"}, {Email: "<mei@example.org>", Lang: "zh"}, {Email: "a@example.org\r\nBcc: b@example.org", Lang: "zh"}, {Email: "梅@example.org", Lang: "zh"}, {Email: strings.Repeat("a", 250) + "@b.org", Lang: "en"}, {Email: address, Lang: "fr"}} {
		if _, _, err := p.OpenRequest(ctx, me, gatehouse.AccessRequest, mei, words, bad); gatehouse.ErrorCode(err) != "request.email" && gatehouse.ErrorCode(err) != "request.language" {
			t.Errorf("%q: %v", bad.Email, err)
		}
	}
	if _, letter, err := p.OpenRequest(ctx, me, gatehouse.AccessRequest, mei, words, gatehouse.RequestContact{Email: "nobody@example.org", Lang: "en"}); err != nil || gatehouse.ErrorCode(letter) != "mail.refused" || strings.Contains(letter.Error(), "nobody@") {
		t.Errorf("an address that is refused: %v, %v", letter, err)
	}
	id, letter, err := p.OpenRequest(ctx, me, gatehouse.AccessRequest, mei, words, gatehouse.RequestContact{Email: address, Lang: "zh"})
	if err != nil || letter != nil {
		t.Fatal(err, letter)
	}
	subject := func(m posted) string {
		t.Helper()
		read, err := mail.ReadMessage(strings.NewReader(m.text))
		if err != nil {
			t.Fatal(err)
		}
		text, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if got := box.last(t); got.to != address || !strings.Contains(subject(got), "提出的请求") || strings.Contains(got.text, words) || strings.Contains(got.text, "Mei Lin") {
		t.Errorf("the receipt: %+v", got)
	}
	if err := p.SendLetter(ctx, me, id); gatehouse.ErrorCode(err) != "vault.sealed" {
		t.Errorf("sent while sealed: %v", err)
	}
	unseal(t, s)
	if err := p.AnswerRequest(ctx, me, id, gatehouse.RequestGranted, "handed over"); err != nil {
		t.Fatal(err)
	}
	if err := p.SendLetter(ctx, me, id); err != nil {
		t.Fatal(err)
	}
	if got := box.last(t); got.to != address || !strings.Contains(subject(got), "已答复") || strings.Contains(got.text, "handed over") {
		t.Errorf("the answer's letter: %+v", got)
	}
	if l, err := p.Letter(ctx, id, "en"); err != nil || !strings.HasSuffix(l.Subject, "was answered") {
		t.Errorf("to print: %+v, %v", l, err)
	}
	if log, err := p.Disclosures(ctx, gatehouse.ID{}, 1); err != nil || len(log) != 1 || log[0].Purpose != "person" || len(log[0].Items) != 1 || !strings.Contains(log[0].Items[0], "contact") {
		t.Errorf("the address was opened, and the log says %+v, %v", log, err)
	}
	if h, err := p.Held(ctx, me, mei, "their request"); err != nil || len(h.Requests) != 2 || h.Requests[0].Email != address && h.Requests[1].Email != address {
		t.Errorf("what is held: %+v, %v", h.Requests, err)
	}
	err = filepath.WalkDir(c.Data, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte(address)) {
			t.Errorf("%s holds the address", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.admin().Erase(ctx, wire.EraseRequest{Subject: mei}); err != nil {
		t.Fatal(err)
	}
	if err := p.SendLetter(ctx, me, id); gatehouse.ErrorCode(err) != "request.no_email" {
		t.Errorf("after the erasure: %v", err)
	}
}
