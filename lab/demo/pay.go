package demo

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/pay/stripe"
	"gatehouse/pay/stripe/stripetest"
	"gatehouse/server"
)

// bank is who takes the demo's payments: the double of Stripe that the tests use, which has
// a page to pay at and signs what it tells. No money moves.
type bank struct {
	double *stripetest.Double
	url    string
}

// openBank serves it on this machine until ctx ends.
func openBank(ctx context.Context) (*bank, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, gatehouse.Errorf("demo.bank", "see which addresses this machine has", "the demo's payments have no address: %w", err)
	}
	b := &bank{double: stripetest.New(), url: "http://" + l.Addr().String()}
	s := &http.Server{Handler: b.double, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	go func() { _ = s.Serve(l) }()
	return b, nil
}

// keys sets up the site for it.
func (b *bank) keys(ctx context.Context, s *server.Server) error {
	return errors.Join(s.Admin().SetSecret(ctx, stripe.KeySecret, stripetest.Key), s.Admin().SetSecret(ctx, stripe.WebhookSecret, stripetest.Secret))
}

// driver pays on a phone: the pages that drivers see, over HTTP.
type driver struct {
	base string // of the site
	http *http.Client
}

// newDriver finds the site by a link to it.
func newDriver(link string) *driver {
	base, _, _ := strings.Cut(link, "/enter/")
	return &driver{base: base, http: &http.Client{Timeout: 20 * time.Second}}
}

var (
	payForm = regexp.MustCompile(`action="(/pay/stay/[^"]+/pay[^"]*)"`)
	payLink = regexp.MustCompile(`id="go" href="([^"]+)"`)
)

// pay types the plate and the time of entry, and pays what is owed. paid is false where the
// page finds no such stay, or where nothing is owed.
func (d *driver) pay(ctx context.Context, plate string, entered time.Time) (paid bool, err error) {
	page, status, err := d.post(ctx, d.base+"/pay", url.Values{"plate": {plate}, "entered": {entered.UTC().Format("2006-01-02T15:04")}})
	if err != nil || status == http.StatusNotFound {
		return false, err
	}
	form := payForm.FindStringSubmatch(page)
	if form == nil {
		return false, nil
	}
	page, _, err = d.post(ctx, d.base+html.UnescapeString(form[1]), url.Values{"way": {"stripe"}})
	if err != nil {
		return false, err
	}
	link := payLink.FindStringSubmatch(page)
	if link == nil {
		return false, nil // it was paid meanwhile
	}
	_, status, err = d.post(ctx, html.UnescapeString(link[1]), nil)
	return err == nil && status == http.StatusOK, err
}

func (d *driver) post(ctx context.Context, to string, form url.Values) (page string, status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := d.http.Do(r)
	if err != nil {
		return "", 0, gatehouse.Errorf("demo.pay", "", "the page for drivers does not answer") // its own text has the address
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err == nil && answer.StatusCode >= http.StatusInternalServerError {
		err = gatehouse.Errorf("demo.pay", "", "the page for drivers answers %d", answer.StatusCode)
	}
	return string(b), answer.StatusCode, err
}

// leave lets a car drive out: half of the drivers pay before, the others when the exit says
// that something is owed; whom the page does not find is let out by an operator.
func (p *play) leave(ctx context.Context, car parkedCar, early bool, drive func(Act)) {
	pay := func() bool {
		paid, err := p.driver.pay(ctx, car.plate, car.since)
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(p.Stderr, "gatehouse:", err)
		}
		return paid
	}
	if early && pay() {
		drive(Leaves)
		return
	}
	began := time.Now()
	drive(LeavesUnpaid)
	pause(ctx, 3*time.Second) // the exit is read, and says what is owed
	if p.letOut.Load() >= began.UnixNano() || pay() || ctx.Err() != nil {
		return // it opened where nobody could tell whose stay it is, or opens now
	}
	if _, err := p.server.Admin().OpenGate(ctx, string(parkOut), wire.OpenRequest{Reason: "the driver's stay was not found"}); err != nil {
		fmt.Fprintln(p.Stderr, "gatehouse:", err)
	}
}
