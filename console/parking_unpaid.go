package console

import (
	"net/http"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/flow/stay"
)

// unpaidBody is the list of stays that left and owe something. Its file is the report by which
// the site may ask for the money: of those alone at whose pictures somebody has looked.
type unpaidBody struct {
	List  leafing
	Rows  []unpaidRow
	Parks []stay.Occupancy
	Park  string
}

type unpaidRow struct {
	gatehouse.StayRecord
	Look gatehouse.StayLook
	Seen bool // somebody looked
	Who  string
}

// OwedText is what is owed.
func (u unpaidRow) OwedText() string {
	return gatehouse.Money{Minor: u.Owed, Currency: u.Charge.Currency}.String()
}

func (c *Console) unpaidRow(s gatehouse.StayRecord) unpaidRow {
	u := unpaidRow{StayRecord: s}
	if s.Charge == nil {
		u.Charge = &gatehouse.Charge{}
	}
	if u.Look, u.Seen = c.o.Parking.Looked(s.ID); u.Seen {
		u.Who = c.loginOf(u.Look.By)
	}
	return u
}

func (c *Console) unpaidList(w http.ResponseWriter, r *http.Request) error {
	list, err := leafingOf(r, "car_park")
	if err != nil {
		return err
	}
	b := unpaidBody{List: list, Parks: c.parksOf(r, gatehouse.SeeParking), Park: list.Is("car_park")}
	type record = gatehouse.StayRecord
	seen := func(s record) int {
		switch l, ok := c.o.Parking.Looked(s.ID); {
		case !ok:
			return 0
		case l.Same:
			return 1
		}
		return 2
	}
	table := grownLog[record]{
		read: func(before gatehouse.ID, limit int) ([]record, error) {
			return c.o.Parking.List(r.Context(), gatehouse.StayFilter{CarPark: b.Park, State: gatehouse.UnpaidStays, Before: before, Limit: limit})
		},
		id: func(s record) gatehouse.ID { return s.ID },
		// The file is the report.
		fits: func(s record) bool {
			return c.hasPark(r, gatehouse.SeeParking, s.CarPark) && (!list.File || seen(s) == 1)
		},
		columns: []column[record]{byTime("entered", func(s record) time.Time { return s.Entered }), byTime("left", func(s record) time.Time { return s.Left }), by("car_park", func(s record) string { return s.CarPark }),
			by("owed", func(s record) int64 { return s.Owed }), by("look", seen)},
	}
	if list.File {
		leafFile(c, w, r, list, table, "unpaid", []string{"stay", "entered", "left", "car_park", "owed", "looked_by", "looked_at"}, func(s record) []string {
			u := c.unpaidRow(s)
			return []string{s.ID.String(), when(s.Entered), when(s.Left), s.CarPark, u.OwedText(), u.Look.By, when(u.Look.At)}
		})
		return nil
	}
	all, err := leaf(c, &b.List, table)
	if err != nil {
		return err
	}
	for _, s := range all {
		b.Rows = append(b.Rows, c.unpaidRow(s))
	}
	c.render(w, r, http.StatusOK, "unpaid", "unpaid.title", "parking", b)
	return nil
}

// lookBody is the page on which somebody compares the pictures of both gates.
type lookBody struct {
	unpaidRow
	Gates   []lookGate
	Both    bool // of both gates a picture was seen
	Problem string
}

// lookGate is one of both, with the pictures that this session has opened.
type lookGate struct {
	Title   string // a key
	Passage gatehouse.ID
	Ring    int    // in the memory ring
	Opened  []bool // of the archive
	Seen    bool
}

func (c *Console) lookPage(w http.ResponseWriter, r *http.Request) error {
	s, err := c.stayOf(r, gatehouse.HandleStays)
	if err != nil {
		return err
	}
	return c.showLook(w, r, http.StatusOK, s, "")
}

func (c *Console) showLook(w http.ResponseWriter, r *http.Request, status int, s gatehouse.StayRecord, problem string) error {
	if s.State != gatehouse.StayLeft || s.Owed <= 0 {
		return gatehouse.Errorf("parking.unknown_stay", "", "nothing is owed for this stay")
	}
	gates, err := c.lookGates(r, s)
	if err != nil {
		return err
	}
	b := lookBody{unpaidRow: c.unpaidRow(s), Gates: gates, Problem: problem}
	b.Both = !slices.ContainsFunc(b.Gates, func(g lookGate) bool { return !g.Seen })
	c.render(w, r, status, "look", "look.title", "parking", b)
	return nil
}

func (c *Console) lookGates(r *http.Request, s gatehouse.StayRecord) ([]lookGate, error) {
	out, err := c.seenAtExit(r, s)
	if err != nil {
		return nil, err
	}
	gates := []lookGate{{Title: "stay.entry", Passage: s.EntryPassage}, {Title: "stay.exit", Passage: out}}
	session := who(r).Session
	for i := range gates {
		g := &gates[i]
		if c.shown.has(session, g.Passage) {
			g.Ring = c.o.Ring.Count(g.Passage)
		}
		for _, jpeg := range c.opened(r, g.Passage) {
			g.Opened = append(g.Opened, len(jpeg) > 0)
		}
		g.Seen = c.seen.has(session, g.Passage)
	}
	return gates, nil
}

// waitedAtExit is for how long before it was let out a vehicle may have been read at its exit.
const waitedAtExit = 15 * time.Minute

// seenAtExit is the passage whose pictures show who left: where an operator opened, it is that of
// the vehicle that had been told there to pay.
func (c *Console) seenAtExit(r *http.Request, s gatehouse.StayRecord) (gatehouse.ID, error) {
	if s.Reason != string(gatehouse.OpenedRemotely) {
		return s.ExitPassage, nil
	}
	before, err := c.o.Passages.Passages(r.Context(), gatehouse.PassageQuery{Place: c.o.Place, Gate: s.ExitGate, Only: gatehouse.OnlyDenied, Before: s.ExitPassage, Since: s.Left.Add(-waitedAtExit), Limit: 20})
	for _, p := range before {
		if p.Decision.Reason == gatehouse.PaymentOwed {
			return p.ID, err
		}
	}
	return s.ExitPassage, err
}

// saySame takes what somebody saw: only of whom both gates' pictures were shown, so that nobody
// is asked for money whose pictures nobody has looked at.
func (c *Console) saySame(w http.ResponseWriter, r *http.Request) error {
	s, err := c.stayOf(r, gatehouse.HandleStays)
	if err == nil {
		err = formIn(w, r, maxParkingForm)
	}
	if err != nil {
		return err
	}
	gates, err := c.lookGates(r, s)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(gates, func(g lookGate) bool { return !g.Seen }) {
		return c.showLook(w, r, http.StatusUnprocessableEntity, s, text(languageOf(w, r), "look.both"))
	}
	said := r.PostForm.Get("same")
	if said != "yes" && said != "no" {
		return c.showLook(w, r, http.StatusUnprocessableEntity, s, text(languageOf(w, r), "look.choose"))
	}
	_, err = c.o.Parking.Look(r.Context(), s.ID, said == "yes", who(r).Operator)
	return c.back(w, r, "/parking/unpaid", err)
}
