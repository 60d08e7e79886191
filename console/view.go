package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"gatehouse"
)

// row is what a list shows of one passage.
type row struct {
	ID        gatehouse.ID
	Who       string // a name, plate or badge label; "" where nobody knows
	Lent      bool
	Plate     bool
	Kind      gatehouse.ReadingKind
	Known     bool
	Gate      gatehouse.Gate
	Direction gatehouse.Direction
	Grant     bool
	Sentence  string
	At        time.Time
	Latency   time.Duration
	Outcome   gatehouse.Outcome
	Picture   bool // the ring holds one
	InSight   bool // the picture is asked for when the row is seen
	Dated     bool // a list that spans days shows the date
}

func (c *Console) row(lang string, p gatehouse.Passage, l Lent) row {
	return row{ID: p.ID, Who: l.Text, Lent: l.Lent, Plate: l.Plate, Kind: p.Kind, Known: p.Known, Gate: c.gate(p.Gate),
		Direction: p.Direction, Grant: p.Decision.Grant, Sentence: p.Decision.Reason.Sentence(lang), At: p.At,
		Latency: p.Latency, Outcome: p.Outcome, Picture: c.o.Ring.Count(p.ID) > 0}
}

// lentRows asks the Lender first, and remembers that the session was shown these
// passages, so that their pictures may be served.
func (c *Console) lentRows(r *http.Request, lang string, passages []gatehouse.Passage) ([]row, error) {
	who, gates := who(r), gatesOf(r, gatehouse.DisclosePassages)
	named := slices.DeleteFunc(slices.Clone(passages), func(p gatehouse.Passage) bool { return !gates.Has(p.Gate) })
	var lent map[gatehouse.ID]Lent
	if len(named) > 0 || len(passages) == 0 && may(r, gatehouse.DisclosePassages) {
		var err error
		if lent, err = c.o.Lender.Live(r.Context(), who, named); err != nil {
			return nil, err
		}
	}
	rows := make([]row, len(passages))
	for i, p := range passages {
		rows[i] = c.row(lang, p, lent[p.ID])
		if gates.Has(p.Gate) {
			c.shown.mark(who.Session, p.ID)
		} else {
			rows[i].Picture = false
		}
	}
	return rows, nil
}

// gateView is one gate's card.
type gateView struct {
	gatehouse.Gate
	State  string // open, closed, fault, unknown
	Camera string // ok, stalled, down, none
	Still  bool
	Stamp  int64 // changes with the still, so that the browser asks again
}

func (c *Console) gateViews(r *http.Request) []gateView {
	mine := gatesOf(r, gatehouse.SeeLive)
	states := map[gatehouse.GateID]gatehouse.GateState{}
	for _, s := range c.o.Hub.Gates() {
		states[s.Gate] = s
	}
	views := make([]gateView, 0, len(c.o.Gates))
	for _, g := range c.o.Gates {
		if mine.Has(g.ID) {
			views = append(views, c.gateView(g, states[g.ID]))
		}
	}
	return views
}

func (c *Console) gateView(g gatehouse.Gate, s gatehouse.GateState) gateView {
	v := gateView{Gate: g, State: oneOf(s.State, "unknown", "open", "closed", "fault"),
		Camera: oneOf(s.Camera, "none", "ok", "stalled", "down")}
	if still, ok := c.o.Ring.Still(g.ID); ok {
		v.Still, v.Stamp = true, still.At.UnixMilli()
	}
	return v
}

// oneOf returns s where it is listed, else otherwise: templates build keys and
// class names of it.
func oneOf(s, otherwise string, list ...string) string {
	for _, x := range list {
		if s == x {
			return s
		}
	}
	return otherwise
}

// countView are today's numbers.
type countView struct {
	Day             time.Time
	Granted, Denied int
	Reasons         []reasonCount
}

// Total is granted and denied together.
func (v countView) Total() int { return v.Granted + v.Denied }

type reasonCount struct {
	Sentence string
	N        int
	Share    float64 // of the denied, 0..1
}

// counter keeps today's counts, so that fifty open pages ask the store twice a
// second and not fifty times.
type counter struct {
	mu sync.Mutex
	of map[string]counted // by the gates that are counted
}

type counted struct {
	at time.Time // when the store was asked
	n  gatehouse.PassageCounts
}

// maxCounted bounds how many sets of gates are remembered.
const maxCounted = 64

// countsFor is how long the counts are not asked for again.
const countsFor = 500 * time.Millisecond

// countsToday returns counts of some gates that are at most old, and when the store was
// asked for them.
func (c *Console) countsToday(ctx context.Context, gates gatehouse.Gates, old time.Duration) (n gatehouse.PassageCounts, day, asked time.Time, err error) {
	now := c.o.Now().In(c.o.Location)
	day = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, c.o.Location)
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	key := fmt.Sprint(gates.All(), gates.List())
	had := c.counts.of[key]
	if age := now.Sub(had.at); age >= 0 && age < old && !had.at.Before(day) {
		return had.n, day, had.at, nil
	}
	if n, err = c.o.Passages.CountPassages(ctx, c.o.Place, day, day.AddDate(0, 0, 1), gates); err != nil {
		return n, day, now, err
	}
	if c.counts.of == nil || len(c.counts.of) >= maxCounted {
		c.counts.of = map[string]counted{}
	}
	c.counts.of[key] = counted{now, n}
	return n, day, now, nil
}

func (c *Console) countView(r *http.Request, lang string, old time.Duration) (v countView, asked time.Time, err error) {
	n, day, asked, err := c.countsToday(r.Context(), gatesOf(r, gatehouse.SeeLive), old)
	v = countView{Day: day, Granted: n.Granted, Denied: n.Denied}
	for _, reason := range gatehouse.Reasons {
		if k := n.ByReason[reason]; k > 0 && reason != gatehouse.Granted {
			v.Reasons = append(v.Reasons, reasonCount{Sentence: reason.Sentence(lang), N: k, Share: float64(k) / float64(max(1, n.Denied))})
		}
	}
	return v, asked, err
}

// vaultView is the state of the vault for the bar over every page.
type vaultView struct {
	Unsealed, Unknown bool
	Canary            bool // a canary shut it
	Until             time.Time
}

func (c *Console) vaultView(ctx context.Context) vaultView {
	s, err := c.o.Vault.Status(ctx)
	if err != nil {
		c.o.Log.Warn("vault status", "err", err)
		return vaultView{Unknown: true}
	}
	return vaultView{Unsealed: s.Unsealed, Until: s.Until, Canary: s.Canary}
}
