package server

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/stay"
	"gatehouse/rules/parking"
	"gatehouse/tariff"
)

// parkingPages implements console.Parking.
type parkingPages struct {
	*stay.Stays
	server *Server
}

var _ console.Parking = parkingPages{}

// parkingPages are nil where the site has no car park.
func (s *Server) parkingPages() console.Parking {
	if s.stays.None() {
		return nil
	}
	return parkingPages{s.stays, s}
}

// Explain implements console.Parking.
func (p parkingPages) Explain(ctx context.Context, r gatehouse.StayRecord, lang string) (c console.StayCharge, ok bool, err error) {
	if c.StayDue, ok, err = p.Bill(ctx, r, time.Now()); err != nil || !ok {
		return c, ok, err
	}
	for _, l := range c.Charge.Lines {
		c.Lines = append(c.Lines, console.StayLine{Says: parking.Say(l, c.Charge.Currency, lang), Amount: gatehouse.Money{Minor: l.Amount, Currency: c.Charge.Currency}})
	}
	return c, true, nil
}

// PutTariff implements console.Parking, and wakes what follows the log.
func (p parkingPages) PutTariff(ctx context.Context, body []byte, by string) (gatehouse.StoredTariff, error) {
	defer p.server.committed()
	return p.Stays.PutTariff(ctx, body, by)
}

// Attach implements console.Parking.
func (p parkingPages) Attach(ctx context.Context, a stay.Attaching) (gatehouse.StayRecord, error) {
	defer p.server.committed()
	return p.Stays.Attach(ctx, a)
}

// charted is how much of a stay a chart shows.
const charted = 24 * time.Hour

// Chart implements console.Parking.
func (p parkingPages) Chart(name string) ([]byte, error) {
	return ChartTariff(p.Stays, name, time.Now())
}

// ChartTariff draws what a stay that begins now costs, by the newest revision of a tariff.
func ChartTariff(s *stay.Stays, name string, now time.Time) ([]byte, error) {
	all, err := s.TariffHistory(name)
	if err != nil {
		return nil, err
	}
	t, err := ReadTariff(all[0].Body)
	if err != nil {
		return nil, err
	}
	v, err := parking.InForce(t, now)
	if err != nil {
		v = t.Versions[len(t.Versions)-1] // it begins later
		now = v.From
	}
	curve, err := tariff.Price(v, gatehouse.Car, now.Truncate(time.Minute), charted)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = curve.SVG(&b)
	return b.Bytes(), err
}

// FindSubject implements console.ParkingOffice.
func (p parkingPages) FindSubject(ctx context.Context, text string) (gatehouse.SubjectID, error) {
	return pages{p.server}.Find(ctx, text)
}

// LabelOf implements console.ParkingOffice.
func (p parkingPages) LabelOf(id gatehouse.SubjectID) string { return p.server.label(id) }

// Holdings implements console.ParkingOffice.
func (p parkingPages) Holdings(ctx context.Context, passes []gatehouse.ID) (map[gatehouse.ID]gatehouse.Money, error) {
	return p.server.books.HeldBy(ctx, p.server.site.Place, passes)
}

// PageAddress implements console.ParkingOffice.
func (p parkingPages) PageAddress(path string) string { return p.server.auth.BaseURL() + path }

// OpenBuyer implements console.ParkingOffice.
func (p parkingPages) OpenBuyer(ctx context.Context, who console.Who, id gatehouse.ID, reason string) (b gatehouse.InvoiceBuyer, err error) {
	ref, err := p.SealedBuyer(id)
	if err != nil || ref == nil {
		return b, err
	}
	plain, err := p.server.lend.As(who.Role).OpenFor(ctx, who.Operator, "person", reason, []gatehouse.SealedRef{*ref})
	if gatehouse.ErrorCode(err) == "vault.canary" {
		p.server.shutByCanary(ctx)
	}
	if err != nil || plain[0] == nil {
		return b, err
	}
	return b, json.Unmarshal(plain[0], &b)
}
