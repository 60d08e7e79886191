package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/stay"
)

// Parking is what the pages about car parks show and change. Stays come under opaque ids;
// what a vehicle looks like is on its passage's page, which is a disclosure.
type Parking interface {
	Occupancies() []stay.Occupancy
	// Busy is how full a car park was in each hour; whole is false where the oldest stays are missing.
	Busy(ctx context.Context, park string, from, until time.Time) (hours []stay.Hour, whole bool, err error)
	List(ctx context.Context, f gatehouse.StayFilter) ([]gatehouse.StayRecord, error)
	// Stay fails with parking.unknown_stay, Exit with parking.unknown_exit.
	Stay(ctx context.Context, id gatehouse.ID) (gatehouse.StayRecord, error)
	Exit(ctx context.Context, id gatehouse.ID) (gatehouse.StayExit, error)
	Unmatched(ctx context.Context, park string, before gatehouse.ID, limit int) ([]gatehouse.StayExit, error)
	Candidates(ctx context.Context, exit gatehouse.ID, limit int) ([]gatehouse.StayRecord, error)
	// Explain says what a stay costs now, or did when it left, in words; ok is false where
	// nothing is charged.
	Explain(ctx context.Context, r gatehouse.StayRecord, lang string) (c StayCharge, ok bool, err error)
	Attach(ctx context.Context, a stay.Attaching) (gatehouse.StayRecord, error)
	Dismiss(ctx context.Context, exit gatehouse.ID, by string) error
	End(ctx context.Context, id gatehouse.ID, by string) error
	Correct(ctx context.Context, id gatehouse.ID, plate gatehouse.Secret, by string) error
	// LoseTicket notes that a driver at an exit has lost the ticket: parking.attached, parking.does_not_fit.
	LoseTicket(ctx context.Context, id gatehouse.ID, exit gatehouse.GateID, by string) (gatehouse.StayRecord, error)
	// Look notes what somebody saw who looked at both pictures: parking.unknown_stay, parking.not_unpaid.
	Look(ctx context.Context, id gatehouse.ID, same bool, by string) (gatehouse.StayLook, error)
	Looked(id gatehouse.ID) (gatehouse.StayLook, bool)
	// Count says how many vehicles a person counted: parking.count, parking.unknown_park.
	Count(ctx context.Context, park string, inside int, reason gatehouse.CountReason, by string) (gatehouse.CarParkCount, error)
	TariffList() []gatehouse.StoredTariff
	TariffHistory(name string) ([]gatehouse.StoredTariff, error)
	PutTariff(ctx context.Context, body []byte, by string) (gatehouse.StoredTariff, error)
	ParkingOffice
	TariffForms
	// Chart draws price against time of the newest revision, as an SVG.
	Chart(name string) ([]byte, error)
}

// StayCharge is a charge in words.
type StayCharge struct {
	gatehouse.StayDue
	Lines []StayLine
}

// StayLine is a line of it.
type StayLine struct {
	Says   string
	Amount gatehouse.Money
}

// parked is the area of car parks.
var parked = area{
	pages:  []string{"parking", "stays", "stay", "exits", "exit", "tariffs", "tariffform", "rights", "drivers", "driver", "shops", "kiosks", "pagelink", "occupancy", "unpaid", "look"},
	routes: (*Console).parkingRoutes,
	nav:    []entry{{"nav.parking", "parking", "/parking", "nav.carparks", gatehouse.SeeParking}},
}

func (c *Console) parkingRoutes() []auth.Route {
	see, handle, manage := auth.Needs(gatehouse.SeeParking), auth.Needs(gatehouse.HandleStays), auth.NeedsFresh(gatehouse.ManageParking)
	return append(append(c.officeParkingRoutes(), c.tariffFormRoutes()...), []auth.Route{
		{Pattern: "GET /parking", Policy: see, Handler: c.parking(c.carParks)},
		{Pattern: "GET /parking/occupancy", Policy: see, Handler: c.parking(c.parkBusy)},
		{Pattern: "GET /parking/occupancy/hours", Policy: see, Handler: c.parking(c.parkHours)},
		{Pattern: "GET /parking/stays", Policy: see, Handler: c.parking(c.stayList)},
		{Pattern: "GET /parking/stays/{id}", Policy: see, Handler: c.parking(c.stayPage)},
		{Pattern: "POST /parking/stays/{id}/plate", Policy: handle, Page: "/parking/stays/{id}", Handler: c.parking(c.correctPlate)},
		{Pattern: "POST /parking/stays/{id}/lost", Policy: handle, Page: "/parking/stays/{id}", Handler: c.parking(c.loseTicket)},
		{Pattern: "POST /parking/stays/{id}/end", Policy: handle, Page: "/parking/stays/{id}", Handler: c.parking(c.endStay)},
		{Pattern: "GET /parking/exits", Policy: see, Handler: c.parking(c.exitList)},
		{Pattern: "GET /parking/exits/{id}", Policy: see, Handler: c.parking(c.exitPage)},
		{Pattern: "POST /parking/exits/{id}/attach", Policy: handle, Page: "/parking/exits/{id}", Handler: c.parking(c.attachExit)},
		{Pattern: "POST /parking/exits/{id}/dismiss", Policy: handle, Page: "/parking/exits/{id}", Handler: c.parking(c.dismissExit)},
		{Pattern: "GET /parking/unpaid", Policy: see, Handler: c.parking(c.unpaidList)},
		{Pattern: "GET /parking/unpaid/{id}", Policy: handle, Handler: c.parking(c.lookPage)},
		{Pattern: "POST /parking/unpaid/{id}", Policy: handle, Page: "/parking/unpaid/{id}", Handler: c.parking(c.saySame)},
		{Pattern: "POST /parking/count", Policy: handle, Page: "/parking", Handler: c.parking(c.countPark)},
		{Pattern: "GET /parking/tariffs", Policy: see, Handler: c.parking(c.tariffs)},
		{Pattern: "GET /parking/tariffs/{name}/chart", Policy: see, Handler: c.parking(c.tariffChart)},
		{Pattern: "POST /parking/tariffs", Policy: manage, Page: "/parking/tariffs", Handler: c.parking(c.putTariff)},
	}...)
}

// parking serves a page that may fail, where there are car parks at all.
func (c *Console) parking(do func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := error(gatehouse.Errorf("store.not_found", "", "there is no car park here"))
		if c.o.Parking != nil {
			err = do(w, r)
		}
		if err != nil {
			c.fail(w, r, err)
		}
	}
}

// parksOf are the car parks with a lane at which whoever asks has the permission.
func (c *Console) parksOf(r *http.Request, p gatehouse.Permission) []stay.Occupancy {
	mine := gatesOf(r, p)
	return slices.DeleteFunc(c.o.Parking.Occupancies(), func(o stay.Occupancy) bool {
		return !slices.ContainsFunc(slices.Concat(o.CarPark.Entries, o.CarPark.Exits), mine.Has)
	})
}

func (c *Console) hasPark(r *http.Request, p gatehouse.Permission, park string) bool {
	return slices.ContainsFunc(c.parksOf(r, p), func(o stay.Occupancy) bool { return o.CarPark.ID == park })
}

// parkingBody is how full the car parks are.
type parkingBody struct {
	Parks   []parkView
	Tariffs []gatehouse.StoredTariff
	Manages bool
	Handles []stay.Occupancy // that whoever reads may correct
	Reasons []gatehouse.CountReason
}

type parkView struct {
	stay.Occupancy
	Share    float64 // of its spaces in use, 0..1
	NoTariff bool    // one is named that is not there
}

func (c *Console) carParks(w http.ResponseWriter, r *http.Request) error {
	b := parkingBody{Tariffs: c.o.Parking.TariffList(), Manages: may(r, gatehouse.ManageParking), Handles: c.parksOf(r, gatehouse.HandleStays), Reasons: gatehouse.CountReasons}
	for _, o := range c.parksOf(r, gatehouse.SeeParking) {
		there := slices.ContainsFunc(b.Tariffs, func(t gatehouse.StoredTariff) bool { return t.Name == o.CarPark.Tariff })
		b.Parks = append(b.Parks, parkView{Occupancy: o, Share: min(1, float64(o.Inside)/float64(o.CarPark.Capacity)), NoTariff: o.CarPark.Tariff != "" && !there})
	}
	c.render(w, r, http.StatusOK, "parking", "parking.title", "parking", b)
	return nil
}

// countPark takes a person's count.
func (c *Console) countPark(w http.ResponseWriter, r *http.Request) error {
	err := formIn(w, r, maxParkingForm)
	if err == nil && !c.hasPark(r, gatehouse.HandleStays, asked(r, "car_park")) {
		err = gatehouse.Errorf("parking.unknown_park", "", "there is no such car park")
	}
	var n int
	if err == nil {
		n, err = askedNumber(r, "inside")
	}
	if err == nil {
		_, err = c.o.Parking.Count(r.Context(), asked(r, "car_park"), n, gatehouse.CountReason(asked(r, "reason")), who(r).Operator)
	}
	return c.back(w, r, "/parking", err)
}

// stayStates are those that a list can be narrowed to.
var stayStates = []string{gatehouse.InsideStays, "waiting", "ambiguous", "left", "lost", "withdrawn"}

// stayRow is one stay of a list.
type stayRow struct {
	gatehouse.StayRecord
	Cost string
}

func stayRows(all []gatehouse.StayRecord) []stayRow {
	rows := make([]stayRow, len(all))
	for i, s := range all {
		rows[i] = stayRow{StayRecord: s}
		if s.Charge != nil {
			rows[i].Cost = s.Charge.Total.String()
		}
	}
	return rows
}

// charged is what a stay cost, nothing where it was not charged yet.
func charged(s gatehouse.StayRecord) (m gatehouse.Money) {
	if s.Charge != nil {
		m = s.Charge.Total
	}
	return m
}

// staysBody is a list of stays.
type staysBody struct {
	List   leafing
	Rows   []stayRow
	Parks  []stay.Occupancy
	States []string
	Park   string
	State  string
}

func (c *Console) stayList(w http.ResponseWriter, r *http.Request) error {
	list, err := leafingOf(r, "car_park", "state")
	if err != nil {
		return err
	}
	b := staysBody{List: list, Parks: c.parksOf(r, gatehouse.SeeParking), States: stayStates, Park: list.Is("car_park"), State: list.Is("state")}
	if !slices.Contains(stayStates, b.State) {
		b.State = ""
	}
	type record = gatehouse.StayRecord
	table := grownLog[record]{
		read: func(before gatehouse.ID, limit int) ([]record, error) {
			return c.o.Parking.List(r.Context(), gatehouse.StayFilter{CarPark: b.Park, State: b.State, Before: before, Limit: limit})
		},
		id:   func(s record) gatehouse.ID { return s.ID },
		fits: func(s record) bool { return c.hasPark(r, gatehouse.SeeParking, s.CarPark) },
		columns: []column[record]{byTime("entered", func(s record) time.Time { return s.Entered }), byTime("left", func(s record) time.Time { return s.Left }), by("car_park", func(s record) string { return s.CarPark }),
			by("state", func(s record) string { return string(s.State) }), by("reason", func(s record) string { return s.Reason }), by("charge", func(s record) int64 { return charged(s).Minor })},
	}
	if list.File {
		leafFile(c, w, r, list, table, "stays", []string{"stay", "entered", "left", "car_park", "state", "reason", "charge"}, func(s record) []string {
			return []string{s.ID.String(), when(s.Entered), when(s.Left), s.CarPark, string(s.State), s.Reason, stayRows([]record{s})[0].Cost}
		})
		return nil
	}
	all, err := leaf(c, &b.List, table)
	if err != nil {
		return err
	}
	b.Rows = stayRows(all)
	c.render(w, r, http.StatusOK, "stays", "stays.title", "parking", b)
	return nil
}

// stayOf reads the stay of the path, of a car park where whoever asks has the permission.
func (c *Console) stayOf(r *http.Request, p gatehouse.Permission) (gatehouse.StayRecord, error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return gatehouse.StayRecord{}, err
	}
	s, err := c.o.Parking.Stay(r.Context(), id)
	if err == nil && !c.hasPark(r, p, s.CarPark) {
		err = gatehouse.Errorf("parking.unknown_stay", "", "there is no such stay")
	}
	return s, err
}

func (c *Console) exitOf(r *http.Request, p gatehouse.Permission) (gatehouse.StayExit, error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return gatehouse.StayExit{}, err
	}
	e, err := c.o.Parking.Exit(r.Context(), id)
	if err == nil && !c.hasPark(r, p, e.CarPark) {
		err = gatehouse.Errorf("parking.unknown_exit", "", "there is no such exit")
	}
	return e, err
}

// stayBody is the page of one stay.
type stayBody struct {
	stayRow
	Charged bool
	Charge  StayCharge
	Who     string // who attached, corrected or ended it
	Handles bool
	Exits   []gatehouse.GateID // of its car park
}

func (c *Console) stayPage(w http.ResponseWriter, r *http.Request) error {
	s, err := c.stayOf(r, gatehouse.SeeParking)
	if err != nil {
		return err
	}
	b := stayBody{stayRow: stayRow{StayRecord: s}, Who: c.loginOf(s.By), Handles: c.hasPark(r, gatehouse.HandleStays, s.CarPark)}
	for _, o := range c.parksOf(r, gatehouse.HandleStays) {
		if o.CarPark.ID == s.CarPark {
			b.Exits = o.CarPark.Exits
		}
	}
	b.Charge, b.Charged, err = c.o.Parking.Explain(r.Context(), s, languageOf(w, r))
	if err != nil {
		return err
	}
	c.render(w, r, http.StatusOK, "stay", "stay.title", "parking", b)
	return nil
}

// maxParkingForm bounds a form about a stay, in bytes.
const maxParkingForm = 4 << 10

func (c *Console) correctPlate(w http.ResponseWriter, r *http.Request) error {
	s, err := c.stayOf(r, gatehouse.HandleStays)
	if err == nil {
		err = formIn(w, r, maxParkingForm)
	}
	if err == nil {
		err = c.o.Parking.Correct(r.Context(), s.ID, gatehouse.Secret(r.PostForm.Get("plate")), who(r).Operator)
	}
	return c.back(w, r, "/parking/stays/"+s.ID.String(), err)
}

// loseTicket notes that the stay's driver has lost the ticket.
func (c *Console) loseTicket(w http.ResponseWriter, r *http.Request) error {
	s, err := c.stayOf(r, gatehouse.HandleStays)
	if err == nil {
		err = formIn(w, r, maxParkingForm)
	}
	if err == nil {
		_, err = c.o.Parking.LoseTicket(r.Context(), s.ID, gatehouse.GateID(r.PostForm.Get("exit")), who(r).Operator)
	}
	return c.back(w, r, "/parking/stays/"+s.ID.String(), err)
}

func (c *Console) endStay(w http.ResponseWriter, r *http.Request) error {
	s, err := c.stayOf(r, gatehouse.HandleStays)
	if err == nil {
		err = c.o.Parking.End(r.Context(), s.ID, who(r).Operator)
	}
	return c.back(w, r, "/parking/stays/"+s.ID.String(), err)
}

// back goes to a page after a change that went well.
func (c *Console) back(w http.ResponseWriter, r *http.Request, to string, err error) error {
	if err == nil {
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
	return err
}

// exitsBody is the list of exits that wait for a person.
type exitsBody struct {
	List  leafing
	Rows  []gatehouse.StayExit
	Parks []stay.Occupancy
	Park  string
}

func (c *Console) exitList(w http.ResponseWriter, r *http.Request) error {
	list, err := leafingOf(r, "car_park")
	if err != nil {
		return err
	}
	b := exitsBody{List: list, Parks: c.parksOf(r, gatehouse.SeeParking), Park: list.Is("car_park")}
	type exit = gatehouse.StayExit
	table := grownLog[exit]{
		read: func(before gatehouse.ID, limit int) ([]exit, error) {
			return c.o.Parking.Unmatched(r.Context(), b.Park, before, limit)
		},
		id:   func(e exit) gatehouse.ID { return e.ID },
		fits: func(e exit) bool { return c.hasPark(r, gatehouse.SeeParking, e.CarPark) },
		columns: []column[exit]{byTime("at", func(e exit) time.Time { return e.At }), by("car_park", func(e exit) string { return e.CarPark }), by("gate", func(e exit) string { return string(e.Gate) }),
			by("state", func(e exit) string { return e.State }), by("reason", func(e exit) string { return e.Reason })},
	}
	if list.File {
		leafFile(c, w, r, list, table, "exits", []string{"exit", "at", "car_park", "gate", "state", "reason"}, func(e exit) []string {
			return []string{e.ID.String(), when(e.At), e.CarPark, string(e.Gate), e.State, e.Reason}
		})
		return nil
	}
	if b.Rows, err = leaf(c, &b.List, table); err != nil {
		return err
	}
	c.render(w, r, http.StatusOK, "exits", "exits.title", "parking", b)
	return nil
}

// exitBody is the page on which an exit is attached to the stay that it ended.
type exitBody struct {
	Exit    gatehouse.StayExit
	Rows    []stayRow // stays that it may have ended, the likeliest first
	Named   []gatehouse.ID
	Who     string
	Waits   bool // for a person
	Handles bool
	Problem string
}

// Likely reports whether the pairing named the stay.
func (b exitBody) Likely(id gatehouse.ID) bool { return slices.Contains(b.Named, id) }

// maxOffered is how many stays are offered for an exit.
const maxOffered = 50

func (c *Console) exitPage(w http.ResponseWriter, r *http.Request) error {
	e, err := c.exitOf(r, gatehouse.SeeParking)
	if err != nil {
		return err
	}
	return c.showExit(w, r, http.StatusOK, e, "")
}

func (c *Console) showExit(w http.ResponseWriter, r *http.Request, status int, e gatehouse.StayExit, problem string) error {
	b := exitBody{Exit: e, Named: e.Could, Who: c.loginOf(e.By), Waits: e.State == "ambiguous" || e.State == "unpaired", Handles: c.hasPark(r, gatehouse.HandleStays, e.CarPark), Problem: problem}
	if b.Waits {
		all, err := c.o.Parking.Candidates(r.Context(), e.ID, maxOffered)
		if err != nil {
			return err
		}
		b.Rows = stayRows(all)
	}
	c.render(w, r, status, "exit", "exit.title", "parking", b)
	return nil
}

func (c *Console) attachExit(w http.ResponseWriter, r *http.Request) error {
	e, err := c.exitOf(r, gatehouse.HandleStays)
	if err == nil {
		err = formIn(w, r, maxParkingForm)
	}
	if err != nil {
		return err
	}
	chosen, err := gatehouse.ParseID(r.PostForm.Get("stay"))
	if err != nil {
		return c.showExit(w, r, http.StatusUnprocessableEntity, e, text(languageOf(w, r), "exit.choose"))
	}
	s, err := c.o.Parking.Attach(r.Context(), stay.Attaching{Exit: e.ID, Stay: chosen, By: who(r).Operator, Charge: r.PostForm.Get("charge") != ""})
	return c.back(w, r, "/parking/stays/"+s.ID.String(), err)
}

func (c *Console) dismissExit(w http.ResponseWriter, r *http.Request) error {
	e, err := c.exitOf(r, gatehouse.HandleStays)
	if err == nil {
		err = c.o.Parking.Dismiss(r.Context(), e.ID, who(r).Operator)
	}
	return c.back(w, r, "/parking/exits", err)
}

// tariffsBody is the tariffs, and the form to put one.
type tariffsBody struct {
	Tariffs []gatehouse.StoredTariff
	Name    string                   // whose file is shown; "" for a new one
	History []gatehouse.StoredTariff // of it, the newest first
	Logins  map[string]string        // of who put them
	File    string
	Problem []string
	Manages bool
}

func (c *Console) tariffs(w http.ResponseWriter, r *http.Request) error {
	b := tariffsBody{Name: r.URL.Query().Get("name")}
	if b.Name != "" {
		all, err := c.o.Parking.TariffHistory(b.Name)
		if err != nil {
			return err
		}
		b.File = string(all[0].Body)
	}
	return c.showTariffs(w, r, http.StatusOK, b)
}

func (c *Console) showTariffs(w http.ResponseWriter, r *http.Request, status int, b tariffsBody) error {
	b.Tariffs, b.Logins, b.Manages = c.o.Parking.TariffList(), map[string]string{}, may(r, gatehouse.ManageParking)
	if b.Name != "" {
		all, err := c.o.Parking.TariffHistory(b.Name)
		if err != nil {
			return err
		}
		b.History = all
		for _, t := range all {
			b.Logins[t.By] = c.loginOf(t.By)
		}
	}
	c.render(w, r, status, "tariffs", "tariffs.title", "parking", b)
	return nil
}

// maxTariffForm bounds a tariff's file in a form, in bytes.
const maxTariffForm = 1 << 20

func (c *Console) putTariff(w http.ResponseWriter, r *http.Request) error {
	if err := formIn(w, r, maxTariffForm); err != nil {
		return err
	}
	file := strings.ReplaceAll(r.PostForm.Get("file"), "\r\n", "\n")
	t, err := c.o.Parking.PutTariff(r.Context(), []byte(file), who(r).Operator)
	var e *gatehouse.Error
	if errors.As(err, &e) && (e.Code == "parking.tariff" || e.Code == "parking.currency") {
		return c.showTariffs(w, r, http.StatusUnprocessableEntity, tariffsBody{File: file, Problem: strings.Split(errorText(languageOf(w, r), e), "; ")})
	}
	return c.back(w, r, "/parking/tariffs?name="+url.QueryEscape(t.Name), err)
}

func (c *Console) tariffChart(w http.ResponseWriter, r *http.Request) error {
	svg, err := c.o.Parking.Chart(r.PathValue("name"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(svg)
	return nil
}
