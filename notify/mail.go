package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"strconv"
	"strings"
	"time"

	"gatehouse"
)

// Security says how a mail server is spoken to.
type Security string

// STARTTLS refuses a server that does not offer it; Plain is for a server on this
// machine only.
const (
	STARTTLS Security = "starttls"
	TLS      Security = "tls"
	Plain    Security = "none"
)

// Mail sends alarms over SMTP (RFC 5321), authenticated where there is a user.
type Mail struct {
	Host     string
	Port     int
	Security Security
	User     string
	Password func() (gatehouse.Secret, bool)
	From     string
	To       []string
	Lang     string      // of alarms: en or zh; "" is en
	TLS      *tls.Config // nil: the system's roots
	Now      func() time.Time
}

// NewMail returns the channel "mail" for a place.
func NewMail(m Mail, place gatehouse.Place) Channel {
	if m.Now == nil {
		m.Now = time.Now
	}
	return mailer{m, place}
}

type mailer struct {
	Mail
	place gatehouse.Place
}

// Name implements Channel.
func (mailer) Name() string { return "mail" }

// Deliver implements Channel: nil once the server has taken the message for every
// recipient. Errors: mail.unreachable, mail.tls, mail.password, mail.refused.
func (m mailer) Deliver(ctx context.Context, a gatehouse.Alarm) error {
	return m.send(ctx, m.To, AlarmLetter(a, m.place, m.Lang))
}

// Send sends a letter to other people than alarms go to. Its errors are those of alarms.
func (m Mail) Send(ctx context.Context, to []string, l Letter) error {
	if m.Now == nil {
		m.Now = time.Now
	}
	return mailer{Mail: m}.send(ctx, to, l)
}

func (m mailer) send(ctx context.Context, recipients []string, l Letter) error {
	message, err := m.message(recipients, l)
	if err != nil {
		return err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.TLS != nil {
		config = m.TLS.Clone()
	}
	config.ServerName = m.Host
	addr := net.JoinHostPort(m.Host, strconv.Itoa(m.Port))
	var conn net.Conn
	if m.Security == TLS {
		conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", addr)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	}
	if err != nil {
		return gatehouse.Errorf("mail.unreachable", "check alarms.mail and the network", "the mail server cannot be reached: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // a connection that has none fails at its first use
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	c, err := smtp.NewClient(conn, m.Host)
	if err != nil {
		return refused("greeting", err)
	}
	defer c.Close()
	if m.Security == STARTTLS {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return gatehouse.Errorf("mail.tls", "use its TLS port with `security: tls`", "the mail server offers no STARTTLS, so nothing was sent")
		}
		if err := c.StartTLS(config); err != nil {
			return gatehouse.Errorf("mail.tls", "check the server's certificate and alarms.mail.host", "the mail server's TLS cannot be trusted: %w", err)
		}
	}
	if err := m.authenticate(c); err != nil {
		return err
	}
	if err := c.Mail(m.From); err != nil {
		return refused("MAIL", err)
	}
	for _, to := range recipients {
		if err := c.Rcpt(to); err != nil {
			return refused("RCPT", err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return refused("DATA", err)
	}
	if _, err = w.Write(message); err == nil {
		err = w.Close()
	}
	if err != nil {
		return refused("DATA", err)
	}
	_ = c.Quit() // the message is taken
	return nil
}

func (m mailer) authenticate(c *smtp.Client) error {
	if m.User == "" {
		return nil
	}
	password, ok := m.Password()
	if !ok {
		return gatehouse.Errorf("mail.password", "`gatehouse secret set smtp`", "the mail server's password is not set")
	}
	if err := c.Auth(smtp.PlainAuth("", m.User, password.Reveal(), m.Host)); err != nil {
		return gatehouse.Errorf("mail.password", "check alarms.mail.user, and `gatehouse secret set smtp`", "the mail server did not accept the password")
	}
	return nil
}

// refused leaves out the server's words, which may repeat addresses.
func refused(step string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return gatehouse.Errorf("mail.unreachable", "check alarms.mail and the network", "the mail server did not answer in time")
	}
	return gatehouse.Errorf("mail.refused", "look at the mail server's log", "the mail server refused the message at %s", step)
}

// message is the mail (RFC 5322). Its id is the letter's, so that a second copy is
// recognized as one.
func (m mailer) message(to []string, l Letter) ([]byte, error) {
	domain := m.Host
	if addr, err := mail.ParseAddress(m.From); err == nil {
		_, domain, _ = strings.Cut(addr.Address, "@")
	}
	body, kind, err := l.body()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	header := func(name, value string) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, strings.NewReplacer("\r", "", "\n", "").Replace(value))
	}
	header("From", m.From)
	header("To", strings.Join(to, ", "))
	header("Subject", mime.QEncoding.Encode("utf-8", l.Subject))
	header("Date", m.Now().Format(time.RFC1123Z))
	header("Message-ID", "<"+l.ID.String()+"@"+domain+">")
	header("Auto-Submitted", "auto-generated")
	header("Content-Language", map[bool]string{true: "zh-CN", false: "en"}[l.Lang == "zh"])
	header("MIME-Version", "1.0")
	header("Content-Type", kind)
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes(), nil
}
