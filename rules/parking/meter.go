package parking

import (
	"slices"
	"time"

	"gatehouse"
)

// meter counts what was charged within the windows of one cap.
type meter struct {
	cap     gatehouse.Cap
	zone    *time.Location
	entered time.Time
	v       *gatehouse.TariffVersion

	used    map[date]int64    // by window, of caps whose windows do not move
	recent  []gatehouse.Spent // of the last 24 hours, oldest first, of CapRolling
	rolling int64             // their sum
}

// newMeter returns nil for a cap that does not hold for a stay that began then.
func newMeter(v *gatehouse.TariffVersion, c gatehouse.Cap, entered time.Time, prior []gatehouse.Spent) *meter {
	local := entered.In(v.Zone)
	if c.EnteredFrom != c.EnteredUntil {
		if m := local.Hour()*60 + local.Minute(); m < c.EnteredFrom || m >= c.EnteredUntil {
			return nil
		}
	}
	if len(c.Days) > 0 && c.Per != gatehouse.CapDay && !slices.Contains(c.Days, kind(v, dateOf(local))) {
		return nil
	}
	m := &meter{cap: c, zone: v.Zone, entered: entered, v: v, used: map[date]int64{}}
	if c.AcrossStays {
		for _, s := range prior {
			m.spend(s.At, s.Amount)
		}
	}
	return m
}

// window names the window that t lies in.
func (m *meter) window(t time.Time) date {
	switch m.cap.Per {
	case gatehouse.CapDay:
		return dayOf(t, m.cap.DayBegins, m.zone)
	case gatehouse.Cap24h:
		return date{day: int(t.Sub(m.entered) / (24 * time.Hour))}
	}
	return date{}
}

// left returns what may still be charged at t. A rolling cap forgets what lies 24
// hours back: times come in order.
func (m *meter) left(t time.Time) int64 {
	if m.cap.Per == gatehouse.CapRolling {
		for len(m.recent) > 0 && !m.recent[0].At.After(t.Add(-24*time.Hour)) {
			m.rolling -= m.recent[0].Amount
			m.recent = m.recent[1:]
		}
		return m.cap.Amount - m.rolling
	}
	w := m.window(t)
	if m.cap.Per == gatehouse.CapDay && len(m.cap.Days) > 0 && !slices.Contains(m.cap.Days, kind(m.v, w)) {
		return gatehouse.MaxMinor
	}
	return m.cap.Amount - m.used[w]
}

func (m *meter) spend(t time.Time, amount int64) {
	if amount == 0 {
		return
	}
	if m.cap.Per == gatehouse.CapRolling {
		m.recent = append(m.recent, gatehouse.Spent{At: t, Amount: amount})
		m.rolling += amount
		return
	}
	m.used[m.window(t)] += amount
}
