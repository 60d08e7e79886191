package console

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// ParkingOffice is what is sold and given in car parks, to whom, and by which shops.
type ParkingOffice interface {
	Rights(ctx context.Context) ([]gatehouse.ParkingItem, error)
	RemoveRight(ctx context.Context, kind gatehouse.ParkingItemKind, id, by string) error
	PutPass(ctx context.Context, vehicle gatehouse.SubjectID, p gatehouse.Pass, by string) (gatehouse.Pass, error)
	PutReservation(ctx context.Context, vehicle gatehouse.SubjectID, r gatehouse.Reservation, by string) (gatehouse.Reservation, error)
	PutQuota(ctx context.Context, q gatehouse.Quota, by string) error
	// Deny gives the id of the entry.
	Deny(ctx context.Context, vehicle gatehouse.SubjectID, by string) (gatehouse.ID, error)
	// Renew and TopUp order; what is ordered is paid in the books, under the order's id.
	Renew(ctx context.Context, pass gatehouse.ID, by string) (gatehouse.PassOrder, error)
	TopUp(ctx context.Context, pass gatehouse.ID, amount gatehouse.Money, by string) (gatehouse.PassOrder, error)

	Accounts(ctx context.Context) ([]gatehouse.DriverView, error)
	Account(ctx context.Context, id gatehouse.ID) (gatehouse.DriverView, error)
	OpenAccountFor(ctx context.Context, holder gatehouse.SubjectID, invoice bool, by string) (gatehouse.DriverView, error)
	AddVehicle(ctx context.Context, id gatehouse.ID, vehicle gatehouse.SubjectID, by string) error
	SetInvoice(ctx context.Context, id gatehouse.ID, invoice bool, by string) error
	LinkAccount(ctx context.Context, id gatehouse.ID, by string) (gatehouse.Secret, error)
	Receipts(ctx context.Context, id gatehouse.ID, from, until time.Time) ([]gatehouse.DriverReceipt, error)
	// OpenBuyer opens whom an account's invoices are made out to: a disclosure. It is empty
	// where nothing was kept, or can be opened any more.
	OpenBuyer(ctx context.Context, who Who, id gatehouse.ID, reason string) (gatehouse.InvoiceBuyer, error)

	Shops() []gatehouse.ShopUse
	PutShop(ctx context.Context, x gatehouse.Shop, by string) (gatehouse.Shop, error)
	LinkShop(ctx context.Context, id gatehouse.ID, by string) (gatehouse.Secret, error)

	Kiosks() []gatehouse.ParkingKiosk
	// AddKiosk makes the code that a screen is enrolled by: gate.unknown, parking.too_many.
	AddKiosk(ctx context.Context, gate gatehouse.GateID, by string) (gatehouse.ParkingKiosk, gatehouse.Secret, error)

	// FindSubject finds who has a badge label or an id: subject.unknown, subject.several.
	FindSubject(ctx context.Context, text string) (gatehouse.SubjectID, error)
	// LabelOf is somebody's badge label.
	LabelOf(gatehouse.SubjectID) string
	// Holdings gives what passes of value hold.
	Holdings(ctx context.Context, passes []gatehouse.ID) (map[gatehouse.ID]gatehouse.Money, error)
	// PageAddress is where a page of drivers is reached from outside.
	PageAddress(path string) string
}

func (c *Console) officeParkingRoutes() []auth.Route {
	see, manage := auth.Needs(gatehouse.ManageParking), auth.NeedsFresh(gatehouse.ManageParking)
	post := func(pattern, page string, do func(http.ResponseWriter, *http.Request) error) auth.Route {
		return auth.Route{Pattern: "POST " + pattern, Policy: manage, Page: page, Handler: c.parking(func(w http.ResponseWriter, r *http.Request) error {
			if err := formIn(w, r, maxParkingForm); err != nil {
				return err
			}
			return do(w, r)
		})}
	}
	return []auth.Route{
		{Pattern: "GET /parking/rights", Policy: see, Handler: c.parking(c.rightsPage)},
		post("/parking/rights/{kind}/{id}/remove", "/parking/rights", c.removeRight),
		post("/parking/passes", "/parking/rights", c.putPass),
		post("/parking/orders", "/parking/rights", c.orderPass),
		post("/parking/reservations", "/parking/rights", c.putReservation),
		post("/parking/quotas", "/parking/rights", c.putQuota),
		post("/parking/denied", "/parking/rights", c.denyVehicle),
		{Pattern: "GET /parking/drivers", Policy: see, Handler: c.parking(c.driversPage)},
		{Pattern: "GET /parking/drivers/{id}", Policy: see, Handler: c.parking(c.driverPage)},
		post("/parking/drivers", "/parking/drivers", c.addDriver),
		post("/parking/drivers/{id}/link", "/parking/drivers/{id}", c.linkDriver),
		post("/parking/drivers/{id}/invoice", "/parking/drivers/{id}", c.setDriverInvoice),
		post("/parking/drivers/{id}/vehicles", "/parking/drivers/{id}", c.addDriverVehicle),
		post("/parking/drivers/{id}/remove", "/parking/drivers/{id}", c.removeDriver),
		{Pattern: "POST /parking/drivers/{id}/buyer", Policy: auth.NeedsFresh(gatehouse.DisclosePeople), Page: "/parking/drivers/{id}", Handler: c.parking(c.openBuyer)},
		{Pattern: "GET /parking/kiosks", Policy: see, Handler: c.parking(c.kiosksPage)},
		post("/parking/kiosks", "/parking/kiosks", c.addKiosk),
		post("/parking/kiosks/{id}/remove", "/parking/kiosks", c.removeKiosk),
		{Pattern: "GET /parking/shops", Policy: see, Handler: c.parking(c.shopsPage)},
		post("/parking/shops", "/parking/shops", c.putShop),
		post("/parking/shops/{id}/link", "/parking/shops", c.linkShop),
		post("/parking/shops/{id}/remove", "/parking/shops", c.removeShop),
	}
}

// rightRow is one right in a list.
type rightRow struct {
	Kind, ID, Name, Label, Pass, Holds string
	From, Until                        time.Time
}

// rightsBody is what was given.
type rightsBody struct {
	List  listing
	None  bool
	Rows  []rightRow
	Sold  []rightRow // the passes that can be renewed, or hold money
	Kinds []gatehouse.PassKind
	Now   string
}

// shownRights are the kinds of item that the page of rights lists.
var shownRights = []gatehouse.ParkingItemKind{gatehouse.PassItem, gatehouse.ReservationItem, gatehouse.QuotaItem, gatehouse.DeniedItem, gatehouse.ValidationItem, gatehouse.OrderItem}

// localTime is how browsers write a field of the type datetime-local.
const localTime = "2006-01-02T15:04"

func (c *Console) rightsPage(w http.ResponseWriter, r *http.Request) error {
	items, err := c.o.Parking.Rights(r.Context())
	if err != nil {
		return err
	}
	b := rightsBody{Kinds: []gatehouse.PassKind{gatehouse.SeasonPass, gatehouse.UsesPass, gatehouse.ExitPass, gatehouse.ValuePass}, Now: c.o.Now().In(c.o.Location).Format(localTime)}
	purses := map[string]gatehouse.ID{}
	var ids []gatehouse.ID
	for _, i := range items {
		if !slices.Contains(shownRights, i.Kind) {
			continue
		}
		row := rightRow{Kind: string(i.Kind), ID: i.ID}
		if !i.Subject.IsZero() {
			row.Label = c.o.Parking.LabelOf(i.Subject)
		}
		switch i.Kind { // their encoding is flow/stay's, which has checked it
		case gatehouse.PassItem:
			var p gatehouse.Pass
			_ = json.Unmarshal(i.Body, &p)
			row.Name, row.From, row.Until, row.Pass = p.Name, p.From, p.Until, string(p.Kind)
			if p.Uses > 0 {
				row.Holds = strconv.Itoa(p.Uses)
			}
			if p.Kind == gatehouse.ValuePass {
				purses[i.ID], ids = p.ID, append(ids, p.ID)
			}
			if p.Kind == gatehouse.ValuePass || p.Price.Minor > 0 {
				b.Sold = append(b.Sold, row)
			}
		case gatehouse.ReservationItem:
			var x gatehouse.Reservation
			_ = json.Unmarshal(i.Body, &x)
			row.From, row.Until = x.From, x.Until
		case gatehouse.QuotaItem:
			var q gatehouse.Quota
			_ = json.Unmarshal(i.Body, &q)
			row.Name, row.Holds = q.Group, strconv.Itoa(q.Spaces)
		case gatehouse.ValidationItem:
			var v gatehouse.Validation
			_ = json.Unmarshal(i.Body, &v)
			row.Name, row.From = v.Issuer, v.At
		case gatehouse.OrderItem:
			var o gatehouse.PassOrder
			_ = json.Unmarshal(i.Body, &o)
			row.Name, row.From, row.Until, row.Holds = o.Name, o.From, o.Until, o.Amount.String()
		}
		b.Rows = append(b.Rows, row)
	}
	held, err := c.o.Parking.Holdings(r.Context(), ids)
	if err != nil {
		return err
	}
	for i, row := range b.Rows {
		if m, ok := held[purses[row.ID]]; ok && row.Pass == string(gatehouse.ValuePass) {
			b.Rows[i].Holds = m.String()
		}
	}
	b.List, b.None = listingOf(r), len(b.Rows) == 0
	b.Rows = arrange(&b.List, b.Rows, func(x rightRow) []string { return []string{x.ID, x.Name, x.Label} }, by("kind", func(x rightRow) string { return x.Kind + x.Pass }),
		by("name", func(x rightRow) string { return x.Name }), by("vehicle", func(x rightRow) string { return x.Label }), byTime("until", func(x rightRow) time.Time { return x.Until }))
	if b.List.File {
		var out [][]string
		for _, x := range b.Rows {
			out = append(out, []string{x.Kind, x.ID, x.Pass, x.Name, x.Label, when(x.From), when(x.Until), x.Holds})
		}
		c.file(w, "rights", []string{"kind", "id", "pass", "name", "vehicle", "from", "until", "holds"}, out)
		return nil
	}
	c.render(w, r, http.StatusOK, "rights", "rights.title", "parking", b)
	return nil
}

// asked is what a form's field holds, without spaces around it.
func asked(r *http.Request, name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }

// askedVehicle is the vehicle that a form names.
func (c *Console) askedVehicle(r *http.Request, field string) (gatehouse.SubjectID, error) {
	id, err := c.o.Parking.FindSubject(r.Context(), asked(r, field))
	if gatehouse.ErrorCode(err) == "subject.unknown" {
		err = gatehouse.Errorf("parking.vehicle", "look it up on the page of people", "nobody is enrolled as that")
	}
	return id, err
}

// askedTime is a moment that a form names, in the site's time; zero for an empty field.
func (c *Console) askedTime(r *http.Request, field string) (time.Time, error) {
	s := asked(r, field)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(localTime, s, c.o.Location)
	if err != nil {
		return t, gatehouse.Errorf("parking.right", "use the field's own picker", "a date cannot be read")
	}
	return t.UTC(), nil
}

// askedNumber is a whole number; zero for an empty field.
func askedNumber(r *http.Request, field string) (int, error) {
	s := asked(r, field)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, gatehouse.Errorf("parking.right", "use digits", "a number cannot be read")
	}
	return n, nil
}

// askedClasses are the classes of vehicle that a form names, with commas; none: any.
func askedClasses(r *http.Request) (all []gatehouse.VehicleClass) {
	for one := range strings.SplitSeq(asked(r, "classes"), ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, gatehouse.VehicleClass(one))
		}
	}
	return all
}

func (c *Console) removeRight(w http.ResponseWriter, r *http.Request) error {
	kind := gatehouse.ParkingItemKind(r.PathValue("kind"))
	err := error(gatehouse.Errorf("parking.unknown_right", "", "there is no such right"))
	if slices.Contains(shownRights, kind) {
		err = c.o.Parking.RemoveRight(r.Context(), kind, r.PathValue("id"), who(r).Operator)
	}
	return c.back(w, r, "/parking/rights", err)
}

func (c *Console) putPass(w http.ResponseWriter, r *http.Request) error {
	vehicle, err := c.askedVehicle(r, "vehicle")
	if err != nil {
		return err
	}
	p := gatehouse.Pass{Kind: gatehouse.PassKind(asked(r, "kind")), Name: asked(r, "name"), Quota: asked(r, "quota")}
	currency := gatehouse.Currency(strings.ToUpper(asked(r, "currency")))
	if p.From, err = c.askedTime(r, "from"); err != nil {
		return err
	}
	if p.Until, err = c.askedTime(r, "until"); err != nil {
		return err
	}
	if p.Uses, err = askedNumber(r, "uses"); err != nil {
		return err
	}
	if s := asked(r, "price"); s != "" {
		if p.Price, err = gatehouse.ParseMoney(s, currency); err != nil {
			return err
		}
	}
	if s := asked(r, "tax"); s != "" { // per cent, of which the hundredths count: as an amount is written
		tax, err := gatehouse.ParseMoney(s, "EUR")
		if err != nil {
			return err
		}
		p.Tax = tax.Minor
	}
	if p.Kind == gatehouse.ValuePass {
		p.Value.Currency = currency
	}
	if s := asked(r, "windows"); s != "" {
		if p.Windows, err = gatehouse.ParseWindows(s); err != nil {
			return err
		}
	}
	p.Classes = askedClasses(r)
	_, err = c.o.Parking.PutPass(r.Context(), vehicle, p, who(r).Operator)
	return c.back(w, r, "/parking/rights", err)
}

// orderPass orders and leads to the books, where it is paid at a desk.
func (c *Console) orderPass(w http.ResponseWriter, r *http.Request) error {
	pass, err := gatehouse.ParseID(asked(r, "pass"))
	if err != nil {
		return err
	}
	if asked(r, "amount") == "" {
		_, err = c.o.Parking.Renew(r.Context(), pass, who(r).Operator)
		return c.back(w, r, "/parking/rights", err)
	}
	items, err := c.o.Parking.Rights(r.Context())
	if err != nil {
		return err
	}
	var p gatehouse.Pass
	if at := slices.IndexFunc(items, func(i gatehouse.ParkingItem) bool { return i.Kind == gatehouse.PassItem && i.ID == pass.String() }); at >= 0 {
		_ = json.Unmarshal(items[at].Body, &p)
	}
	amount, err := gatehouse.ParseMoney(asked(r, "amount"), p.Value.Currency)
	if err == nil {
		_, err = c.o.Parking.TopUp(r.Context(), pass, amount, who(r).Operator)
	}
	return c.back(w, r, "/parking/rights", err)
}

func (c *Console) putReservation(w http.ResponseWriter, r *http.Request) error {
	vehicle, err := c.askedVehicle(r, "vehicle")
	if err != nil {
		return err
	}
	var x gatehouse.Reservation
	if x.From, err = c.askedTime(r, "from"); err != nil {
		return err
	}
	if x.Until, err = c.askedTime(r, "until"); err != nil {
		return err
	}
	for field, d := range map[string]*time.Duration{"early": &x.Early, "late": &x.Late} {
		n, err := askedNumber(r, field)
		if err != nil {
			return err
		}
		*d = time.Duration(max(-1, min(n, 10_000))) * time.Minute // refused beyond a day
	}
	x.Classes = askedClasses(r)
	_, err = c.o.Parking.PutReservation(r.Context(), vehicle, x, who(r).Operator)
	return c.back(w, r, "/parking/rights", err)
}

func (c *Console) putQuota(w http.ResponseWriter, r *http.Request) error {
	n, err := askedNumber(r, "spaces")
	if err == nil {
		err = c.o.Parking.PutQuota(r.Context(), gatehouse.Quota{Group: asked(r, "group"), Spaces: n, Pay: asked(r, "pay") != ""}, who(r).Operator)
	}
	return c.back(w, r, "/parking/rights", err)
}

func (c *Console) denyVehicle(w http.ResponseWriter, r *http.Request) error {
	vehicle, err := c.askedVehicle(r, "vehicle")
	if err == nil {
		_, err = c.o.Parking.Deny(r.Context(), vehicle, who(r).Operator)
	}
	return c.back(w, r, "/parking/rights", err)
}
