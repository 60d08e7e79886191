package client

import (
	"context"
	"net/http"
	"net/url"

	"gatehouse"
	"gatehouse/api/wire"
)

const parking = "/api/v1/parking"

// got asks and decodes the answer.
func got[A any](ctx context.Context, c *Client, method, path string, body any) (A, error) {
	var out A
	err := c.ask(ctx, method, path, body, &out)
	return out, err
}

func staysValues(q wire.StaysQuery) string {
	v := url.Values{}
	for name, value := range map[string]string{"car_park": q.CarPark, "state": q.State} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if !q.Before.IsZero() {
		v.Set("before", q.Before.String())
	}
	if q.Limit > 0 {
		v.Set("limit", itoa(q.Limit))
	}
	return "?" + v.Encode()
}

// CarParks says how full the car parks are.
func (c *Client) CarParks(ctx context.Context) (wire.CarParksResponse, error) {
	return got[wire.CarParksResponse](ctx, c, http.MethodGet, parking, nil)
}

// Stays gives one page of stays, newest first.
func (c *Client) Stays(ctx context.Context, q wire.StaysQuery) (wire.StaysResponse, error) {
	return got[wire.StaysResponse](ctx, c, http.MethodGet, parking+"/stays"+staysValues(q), nil)
}

// Stay gives one stay, its charge explained in lang ("zh", otherwise English).
func (c *Client) Stay(ctx context.Context, id gatehouse.ID, lang string) (wire.StayDetail, error) {
	return got[wire.StayDetail](ctx, c, http.MethodGet, parking+"/stays/"+id.String()+"?lang="+url.QueryEscape(lang), nil)
}

// CorrectPlate corrects the plate of a stay that is open.
func (c *Client) CorrectPlate(ctx context.Context, id gatehouse.ID, r wire.PlateRequest) (wire.Stay, error) {
	return got[wire.Stay](ctx, c, http.MethodPost, parking+"/stays/"+id.String()+"/plate", r)
}

// EndStay ends a stay whose vehicle is gone.
func (c *Client) EndStay(ctx context.Context, id gatehouse.ID) (wire.Stay, error) {
	return got[wire.Stay](ctx, c, http.MethodPost, parking+"/stays/"+id.String()+"/end", nil)
}

// LoseTicket notes that a driver has lost the ticket.
func (c *Client) LoseTicket(ctx context.Context, id gatehouse.ID, r wire.LostTicketRequest) (wire.Stay, error) {
	return got[wire.Stay](ctx, c, http.MethodPost, parking+"/stays/"+id.String()+"/lost-ticket", r)
}

// ValidateStay gives a stay what a shop gives.
func (c *Client) ValidateStay(ctx context.Context, id gatehouse.ID, r wire.ValidationRequest) (wire.Right, error) {
	return got[wire.Right](ctx, c, http.MethodPost, parking+"/stays/"+id.String()+"/validations", r)
}

// Exits gives one page of the exits that wait for a person, newest first.
func (c *Client) Exits(ctx context.Context, q wire.StaysQuery) (wire.ExitsResponse, error) {
	return got[wire.ExitsResponse](ctx, c, http.MethodGet, parking+"/exits"+staysValues(q), nil)
}

// Exit gives one of the newest exits that wait for a person.
func (c *Client) Exit(ctx context.Context, id gatehouse.ID) (wire.Exit, error) {
	page, err := c.Exits(ctx, wire.StaysQuery{Limit: 200})
	for _, e := range page.Exits {
		if e.ID == id {
			return e, nil
		}
	}
	if err == nil {
		err = gatehouse.Errorf("parking.unknown_exit", "see the list of exits", "there is no such exit")
	}
	return wire.Exit{}, err
}

// ExitCandidates gives the stays that an exit may have ended.
func (c *Client) ExitCandidates(ctx context.Context, id gatehouse.ID) (wire.StaysResponse, error) {
	return got[wire.StaysResponse](ctx, c, http.MethodGet, parking+"/exits/"+id.String()+"/candidates", nil)
}

// AttachExit ends a stay with an exit that waits for a person.
func (c *Client) AttachExit(ctx context.Context, id gatehouse.ID, r wire.AttachRequest) (wire.StayDetail, error) {
	return got[wire.StayDetail](ctx, c, http.MethodPost, parking+"/exits/"+id.String()+"/attach", r)
}

// DismissExit notes that no entry belongs to an exit.
func (c *Client) DismissExit(ctx context.Context, id gatehouse.ID) (wire.Exit, error) {
	return got[wire.Exit](ctx, c, http.MethodPost, parking+"/exits/"+id.String()+"/dismiss", nil)
}

// Ticket lets a vehicle without a plate in.
func (c *Client) Ticket(ctx context.Context, r wire.TicketRequest) (wire.TicketResponse, error) {
	return got[wire.TicketResponse](ctx, c, http.MethodPost, parking+"/tickets", r)
}

// Tariffs lists the tariffs.
func (c *Client) Tariffs(ctx context.Context) (wire.TariffsResponse, error) {
	return got[wire.TariffsResponse](ctx, c, http.MethodGet, parking+"/tariffs", nil)
}

// TariffHistory gives a tariff's revisions, with their files, the newest first.
func (c *Client) TariffHistory(ctx context.Context, name string) (wire.TariffsResponse, error) {
	return got[wire.TariffsResponse](ctx, c, http.MethodGet, parking+"/tariffs/"+url.PathEscape(name), nil)
}

// PutTariff puts a tariff's file.
func (c *Client) PutTariff(ctx context.Context, r wire.TariffRequest) (wire.TariffRevision, error) {
	return got[wire.TariffRevision](ctx, c, http.MethodPut, parking+"/tariffs", r)
}

// Rights lists passes, reservations, quotas, the denied and validations.
func (c *Client) Rights(ctx context.Context) (wire.RightsResponse, error) {
	return got[wire.RightsResponse](ctx, c, http.MethodGet, parking+"/rights", nil)
}

// PutPass gives a vehicle a pass.
func (c *Client) PutPass(ctx context.Context, r wire.PassRequest) (wire.Right, error) {
	return got[wire.Right](ctx, c, http.MethodPost, parking+"/passes", r)
}

// PutReservation reserves a space.
func (c *Client) PutReservation(ctx context.Context, r wire.ReservationRequest) (wire.Right, error) {
	return got[wire.Right](ctx, c, http.MethodPost, parking+"/reservations", r)
}

// PutQuota says how many spaces a group has.
func (c *Client) PutQuota(ctx context.Context, r wire.QuotaRequest) (wire.Right, error) {
	return got[wire.Right](ctx, c, http.MethodPut, parking+"/quotas", r)
}

// CountCarPark says how many vehicles were counted in a car park.
func (c *Client) CountCarPark(ctx context.Context, r wire.CountRequest) (wire.CarPark, error) {
	return got[wire.CarPark](ctx, c, http.MethodPut, parking+"/counts", r)
}

// Deny keeps a vehicle out.
func (c *Client) Deny(ctx context.Context, r wire.DenyRequest) (wire.Right, error) {
	return got[wire.Right](ctx, c, http.MethodPost, parking+"/denied", r)
}

// RemoveRight takes something away that was given.
func (c *Client) RemoveRight(ctx context.Context, kind gatehouse.ParkingItemKind, id string) error {
	return c.ask(ctx, http.MethodDelete, parking+"/rights/"+url.PathEscape(string(kind))+"/"+url.PathEscape(id), nil, nil)
}
