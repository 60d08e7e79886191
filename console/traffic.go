package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"gatehouse"
)

// trafficBody is how many passed and were turned away, hour by hour or day by day: as a
// chart, and as the table that whoever does not see it reads.
type trafficBody struct {
	List  listing
	Span  span
	Gate  gatehouse.GateID // "" for all that whoever asks may see
	Gates []gatehouse.Gate
	Rows  []trafficRow
	Daily bool
	All   trafficRow
	Data  string // the address of the chart's data
}

// trafficRow is one hour or day, from From on.
type trafficRow struct {
	From            time.Time
	Granted, Denied int
}

// hourlyDays is for how many days hours are counted; more are counted by day.
const hourlyDays = 7

// trafficOf counts what the address asks for. It counts and reads no rows, so that it costs
// little where millions passed.
func (c *Console) trafficOf(r *http.Request) (b trafficBody, err error) {
	at := gatesOf(r, gatehouse.SeePassages)
	for _, g := range c.o.Gates {
		if at.Has(g.ID) {
			b.Gates = append(b.Gates, g)
		}
	}
	if gate := gatehouse.GateID(r.URL.Query().Get("gate")); slices.ContainsFunc(b.Gates, func(g gatehouse.Gate) bool { return g.ID == gate }) {
		b.Gate, at = gate, gatehouse.SomeGates(gate)
	}
	b.Span = c.spanOf(r)
	keep := ""
	if b.Gate != "" {
		keep = "&gate=" + url.QueryEscape(string(b.Gate))
	}
	b.Span.Earlier, b.Span.Later, b.Data = b.Span.Earlier+keep, b.Span.Later+keep, "/traffic/counts"+b.Span.Query()+keep
	b.Daily = daysBetween(b.Span.From, b.Span.Until) >= hourlyDays
	from, _ := time.ParseInLocation(time.DateOnly, string(b.Span.From), c.o.Location)
	until, _ := time.ParseInLocation(time.DateOnly, string(addDays(b.Span.Until, 1)), c.o.Location)
	if now := c.o.Now(); until.After(now) {
		until = now
	}
	for from.Before(until) {
		next := from.Add(time.Hour)
		if b.Daily {
			next = from.AddDate(0, 0, 1) // a day is 23 or 25 hours long where clocks are changed
		}
		n, err := c.o.Passages.CountPassages(r.Context(), c.o.Place, from, next, at)
		if err != nil {
			return b, err
		}
		b.Rows = append(b.Rows, trafficRow{from, n.Granted, n.Denied})
		b.All.Granted, b.All.Denied = b.All.Granted+n.Granted, b.All.Denied+n.Denied
		from = next
	}
	return b, nil
}

func (c *Console) traffic(w http.ResponseWriter, r *http.Request) {
	b, err := c.trafficOf(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b.List = listingOf(r, "gate", "from", "until")
	b.Rows = arrange(&b.List, b.Rows, func(h trafficRow) []string { return []string{h.From.In(c.o.Location).Format("2006-01-02 15:04")} }, byTime("from", func(h trafficRow) time.Time { return h.From }),
		by("granted", func(h trafficRow) int { return h.Granted }), by("denied", func(h trafficRow) int { return h.Denied }))
	if b.List.File {
		var out [][]string
		for _, h := range b.Rows {
			out = append(out, []string{when(h.From), string(b.Gate), strconv.Itoa(h.Granted), strconv.Itoa(h.Denied)})
		}
		c.file(w, "traffic", []string{"from", "gate", "granted", "denied"}, out)
		return
	}
	c.render(w, r, http.StatusOK, "traffic", "traffic.title", "passages", b)
}

// trafficCounts answers with the chart's data: its columns, the times first, in Unix seconds.
func (c *Console) trafficCounts(w http.ResponseWriter, r *http.Request) {
	b, err := c.trafficOf(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	var at []int64
	var granted, denied []int
	for _, h := range b.Rows {
		at, granted, denied = append(at, h.From.Unix()), append(granted, h.Granted), append(denied, h.Denied)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"passages": []any{at, granted, denied}}) // numbers: cannot fail but for a browser that went away
}
