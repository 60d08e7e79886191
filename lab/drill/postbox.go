package drill

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"gatehouse"
	"gatehouse/server"

	"github.com/emersion/go-smtp"
)

// postbox takes in the place of the world what the copy sends out: alarms by webhook and
// by mail. What arrives is searched, and the addresses in it are asked for again.
type postbox struct {
	got   lockedBuffer
	count chan string // the way of each delivery
	ports []int       // at which it listens itself
	close func()
}

// openPostbox listens on this machine alone and points the configuration at itself.
func openPostbox(c *server.Config) (*postbox, error) {
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	post, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		web.Close()
		return nil, err
	}
	p := &postbox{count: make(chan string, 64)}
	hook := &http.Server{Handler: http.HandlerFunc(p.hook), ReadHeaderTimeout: 5 * time.Second}
	mail := smtp.NewServer(mailbox{p})
	mail.Domain, mail.ReadTimeout, mail.WriteTimeout, mail.MaxMessageBytes = "localhost", 10*time.Second, 10*time.Second, maxBody
	mail.ErrorLog = quiet{}
	go func() { _ = hook.Serve(web) }() // both end with close
	go func() { _ = mail.Serve(post) }()
	p.close = func() { _, _ = hook.Close(), mail.Close() }
	for _, l := range []net.Listener{web, post} {
		p.ports = append(p.ports, l.Addr().(*net.TCPAddr).Port)
	}
	c.Alarms = server.AlarmsConfig{Webhook: server.WebhookConfig{URL: "http://" + web.Addr().String() + "/hook"},
		Mail: server.MailConfig{Host: "127.0.0.1", Port: p.ports[1], Security: "none", From: "gate@drill.example.test", To: []string{"guard@drill.example.test"}}}
	return p, nil
}

func (p *postbox) hook(w http.ResponseWriter, r *http.Request) {
	p.take("webhook", func(b *bytes.Buffer) {
		_ = r.Header.Write(b)                                      // to memory
		_, _ = io.Copy(b, http.MaxBytesReader(w, r.Body, maxBody)) // what came counts
	})
	w.WriteHeader(http.StatusNoContent)
}

func (p *postbox) take(way string, read func(*bytes.Buffer)) {
	var b bytes.Buffer
	read(&b)
	b.WriteByte('\n')
	_, _ = p.got.Write(b.Bytes()) // to memory
	select {
	case p.count <- way:
	default: // more than anybody waits for
	}
}

// mailbox is the postbox as a mail server.
type mailbox struct{ *postbox }

// NewSession implements smtp.Backend.
func (m mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return letter(m), nil }

type letter struct{ *postbox }

func (letter) Mail(string, *smtp.MailOptions) error { return nil }
func (letter) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (letter) Reset()                               {}
func (letter) Logout() error                        { return nil }

// Data implements smtp.Session.
func (l letter) Data(r io.Reader) (err error) {
	l.take("mail", func(b *bytes.Buffer) { _, err = io.Copy(b, io.LimitReader(r, maxBody)) })
	return err
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// alarmsWithin is how long an alarm may take to arrive on this machine.
const alarmsWithin = 20 * time.Second

// raiseAlarm has the copy send an alarm and waits until it has come both ways.
func (d *drill) raiseAlarm(ctx context.Context) error {
	if err := d.server.Admin().TestAlarm(ctx); err != nil {
		return err
	}
	late := time.After(alarmsWithin)
	for came := map[string]bool{}; len(came) < 2; {
		select {
		case way := <-d.post.count:
			came[way] = true
			d.report.Alarms++
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return gatehouse.Errorf("drill.alarm", "see `gatehouse alarm test` on a site with a webhook and a mail server", "the copy's alarm did not arrive by webhook and mail")
		}
	}
	return nil
}
