package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/flow/stay"
)

// busyBody is how full a car park was, hour by hour: as charts, and as the table that
// whoever does not see them reads.
type busyBody struct {
	List  listing
	Span  span
	Park  stay.Occupancy
	Parks []stay.Occupancy
	Rows  []stay.Hour
	Most  int // inside at one moment of these days
	Whole bool
	Data  string // the address of the charts' data
}

// busyOf reads the car park and the days of the address; without a car park it is the first
// one that whoever asks may see.
func (c *Console) busyOf(r *http.Request) (b busyBody, err error) {
	b.Parks = c.parksOf(r, gatehouse.SeeParking)
	asked := r.URL.Query().Get("car_park")
	for _, p := range b.Parks {
		if p.CarPark.ID == asked || asked == "" && b.Park.CarPark.ID == "" {
			b.Park = p
		}
	}
	if b.Park.CarPark.ID == "" {
		return b, gatehouse.Errorf("store.not_found", "", "there is no such car park")
	}
	b.Span = c.spanOf(r)
	keep := "&car_park=" + url.QueryEscape(b.Park.CarPark.ID)
	b.Span.Earlier, b.Span.Later, b.Data = b.Span.Earlier+keep, b.Span.Later+keep, "/parking/occupancy/hours"+b.Span.Query()+keep
	from, _ := time.ParseInLocation(time.DateOnly, string(b.Span.From), c.o.Location)
	until, _ := time.ParseInLocation(time.DateOnly, string(addDays(b.Span.Until, 1)), c.o.Location)
	if now := c.o.Now(); until.After(now) {
		until = now
	}
	b.Rows, b.Whole, err = c.o.Parking.Busy(r.Context(), b.Park.CarPark.ID, from, until)
	for _, h := range b.Rows {
		b.Most = max(b.Most, h.Most)
	}
	return b, err
}

func (c *Console) parkBusy(w http.ResponseWriter, r *http.Request) error {
	b, err := c.busyOf(r)
	if err != nil {
		return err
	}
	b.List = listingOf(r, "car_park", "from", "until")
	b.Rows = arrange(&b.List, b.Rows, func(h stay.Hour) []string { return []string{c.inWords(h.From)} }, byTime("hour", func(h stay.Hour) time.Time { return h.From }),
		by("most", func(h stay.Hour) int { return h.Most }), by("in", func(h stay.Hour) int { return h.In }), by("out", func(h stay.Hour) int { return h.Out }))
	if b.List.File {
		var out [][]string
		for _, h := range b.Rows {
			out = append(out, []string{when(h.From), b.Park.CarPark.ID, strconv.Itoa(h.Most), strconv.Itoa(b.Park.CarPark.Capacity), strconv.Itoa(h.In), strconv.Itoa(h.Out)})
		}
		c.file(w, "occupancy", []string{"hour", "car_park", "most_inside", "spaces", "entries", "exits"}, out)
		return nil
	}
	c.render(w, r, http.StatusOK, "occupancy", "occupancy.title", "parking", b)
	return nil
}

// inWords is an hour as the table has it.
func (c *Console) inWords(t time.Time) string {
	return t.In(c.o.Location).Format("2006-01-02 15:04")
}

// parkHours answers with the charts' data: for each chart its columns, the times first, in
// Unix seconds.
func (c *Console) parkHours(w http.ResponseWriter, r *http.Request) error {
	b, err := c.busyOf(r)
	if err != nil {
		return err
	}
	var at []int64
	var most, spaces, in, out []int
	for _, h := range b.Rows {
		at = append(at, h.From.Unix())
		most, spaces = append(most, h.Most), append(spaces, b.Park.CarPark.Capacity)
		in, out = append(in, h.In), append(out, h.Out)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"inside": []any{at, most, spaces}, "traffic": []any{at, in, out}})
	return nil
}
