package drill

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/server"
)

// The car park that the copy gets beside whatever the site has, so that a drill of every
// site plants what car parks know of drivers.
const (
	drillPark  = "drill-park"
	drillEntry = "drill-entry"
	drillExit  = "drill-exit"
)

// withPark adds the car park and its lanes to the copy's configuration.
func withPark(c *server.Config) {
	for _, g := range server.DefaultConfig().Gates {
		if g.Kind != string(gatehouse.Lane) {
			continue
		}
		g.Actuator = server.ActuatorConfig{Kind: "none"}
		for _, id := range []string{drillEntry, drillExit} {
			g.ID, g.Name = id, id
			c.Gates = append(c.Gates, g)
		}
		break
	}
	c.Parking = append(c.Parking, server.CarParkConfig{ID: drillPark, Name: "Drill", Capacity: 100_000, Entries: []string{drillEntry}, Exits: []string{drillExit},
		Longest: 30 * 24 * time.Hour, Keep: string(gatehouse.KeepReservations), Full: "refuse", Who: "all", Sign: server.SignConfig{Kind: "none", FreeAgain: 3}})
}

// motorist is somebody who parks: with a ticket, a plate that an operator reads in the
// pictures, and an invoice that is made out to somebody.
type motorist struct {
	plate  string
	ticket string // its code, as it is kept
	buyer  gatehouse.InvoiceBuyer
	payer  *person // whose account the buyer was kept with
}

// park lets vehicles without a plate into the car park, corrects their plates and keeps
// whom their drivers' invoices are made out to.
func (d *drill) park(ctx context.Context) error {
	step := d.progress(int64(2*len(d.cast.motorists)), "parking vehicles")
	defer step.finish()
	admin := d.server.Admin()
	for _, v := range d.cast.motorists {
		t, err := admin.Ticket(ctx, wire.TicketRequest{Gate: drillEntry})
		if err != nil {
			return err
		}
		v.ticket = gatehouse.TicketCode(t.Code)
		step.add(1)
	}
	stays, err := d.parked(ctx, len(d.cast.motorists))
	if err != nil {
		return err
	}
	for i, v := range d.cast.motorists {
		if _, err := admin.CorrectPlate(ctx, stays[i], wire.PlateRequest{Plate: v.plate}); err != nil {
			return err
		}
		step.add(1)
	}
	return d.invoice(ctx)
}

// parkedTries and parkedPause are how long the car park may take to follow its lane.
const (
	parkedTries = 600
	parkedPause = 50 * time.Millisecond
)

// parked waits until n vehicles are inside and gives their stays.
func (d *drill) parked(ctx context.Context, n int) ([]gatehouse.ID, error) {
	for range parkedTries {
		var all []gatehouse.ID
		q := wire.StaysQuery{CarPark: drillPark, State: "inside", Limit: 200}
		for more := true; more; more = !q.Before.IsZero() {
			page, err := d.server.Admin().Stays(ctx, q)
			if err != nil {
				return nil, err
			}
			for _, s := range page.Stays {
				all = append(all, s.ID)
			}
			q.Before = page.Next
		}
		if len(all) >= n {
			return all, nil
		}
		if err := wait(ctx, parkedPause); err != nil {
			return nil, err
		}
	}
	return nil, gatehouse.Errorf("drill.parking", "this is a fault of the drill, or of the car park", "the copy's car park does not follow its lane")
}

// buyersEach is how many buyers one account keeps: a driver does so much a minute.
const buyersEach = 20

// invoice opens the accounts' pages as their drivers do, and keeps there whom invoices are
// made out to, one after the other: what is written over may lie there still.
func (d *drill) invoice(ctx context.Context) error {
	payers := []*person{d.cast.people[len(d.cast.people)-1]} // who is erased
	payers = append(payers, d.cast.people[:(len(d.cast.motorists)+buyersEach-1)/buyersEach]...)
	var pages []*http.Client
	for i, p := range payers {
		page, err := d.driversPage(ctx, p.id, i)
		if err != nil {
			return err
		}
		pages = append(pages, page)
	}
	for i, v := range d.cast.motorists {
		b := v.buyer
		err := postForm(ctx, pages[i%len(pages)], d.base+"/pay/account/receipts/invoice", url.Values{"what": {"keep"}, "keep": {"1"}, "name": {b.Name}, "tax_number": {b.TaxNumber}, "bank_account": {b.BankAccount}})
		if err != nil {
			return err
		}
		v.payer = payers[i%len(payers)]
	}
	return nil
}

// driversPage makes an account and signs its driver in, from an address of their own: codes are
// tried a few times an hour from each.
func (d *drill) driversPage(ctx context.Context, holder gatehouse.SubjectID, n int) (*http.Client, error) {
	account, err := d.server.Admin().OpenDriverAccount(ctx, wire.DriverAccountRequest{Holder: holder})
	if err != nil {
		return nil, err
	}
	link, err := d.server.Admin().LinkDriverAccount(ctx, account.ID)
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n%250))}}
	page := &http.Client{Jar: jar, Transport: &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		return from.DialContext(ctx, "tcp4", address)
	}}}
	return page, postForm(ctx, page, d.base+"/pay/account", url.Values{"code": {link.Code}})
}

func postForm(ctx context.Context, c *http.Client, address string, form url.Values) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := c.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return gatehouse.Errorf("drill.parking", "this is a fault of the drill, or of the driver's page", "the copy's page for drivers answered with status %d", answer.StatusCode)
	}
	return nil
}
