package attendance

import (
	"bytes"
	"cmp"
	"slices"

	"gatehouse"
)

// punch is a punch that may count.
type punch struct {
	id        gatehouse.ID
	at        gatehouse.Minute
	within    int64 // nanoseconds into its minute, for the order only
	direction gatehouse.Direction
	site      gatehouse.SiteID
	use       gatehouse.PunchRole // set where it cannot count
}

// sortPunches puts the punches in their order, each once, with corrections in the place
// of what they correct.
func (c *calculation) sortPunches() {
	lost, voided := superseded(c.Punches)
	c.punches = make([]punch, 0, len(c.Punches))
	for i := range c.Punches {
		p := &c.Punches[i]
		if p.Subject != c.Subject {
			continue
		}
		x := punch{id: p.ID, at: gatehouse.MinuteOf(p.At), within: int64(p.At.Second())*1e9 + int64(p.At.Nanosecond()), direction: p.Direction, site: p.Site}
		switch {
		case lost[p.ID]:
			x.use = gatehouse.Superseded
			if voided[p.ID] {
				x.use = gatehouse.Voided
			}
		case p.Void:
			continue // it stands for no moment of its own
		case !c.passed(x.at):
			x.use = gatehouse.FromTomorrow
		}
		c.punches = append(c.punches, x)
	}
	slices.SortFunc(c.punches, func(a, b punch) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.within, b.within), bytes.Compare(a.id[:], b.id[:]))
	})
	c.punches = slices.CompactFunc(c.punches, func(a, b punch) bool { return a.id == b.id })
}

// superseded are the punches in whose place a correction stands, and those of them that a
// correction voided. Of two corrections of one punch the newest counts and the other is
// superseded, too.
func superseded(all []gatehouse.Punch) (lost, voided map[gatehouse.ID]bool) {
	var newest map[gatehouse.ID]*gatehouse.Punch
	for i := range all {
		p := &all[i]
		if p.Corrects.IsZero() {
			continue
		}
		if newest == nil {
			newest, lost, voided = map[gatehouse.ID]*gatehouse.Punch{}, map[gatehouse.ID]bool{}, map[gatehouse.ID]bool{}
		}
		if q := newest[p.Corrects]; q != nil && q.ID != p.ID {
			if p.Made.Before(q.Made) || p.Made.Equal(q.Made) && bytes.Compare(p.ID[:], q.ID[:]) < 0 {
				p, q = q, p
			}
			lost[q.ID] = true
		}
		newest[p.Corrects] = p
	}
	for id, p := range newest {
		lost[id] = true
		if p.Void {
			voided[id] = true
		}
	}
	return lost, voided
}

// assign gives each day its punches. By direction, going belongs to the coming before it
// also where the next day has begun meanwhile.
func (c *calculation) assign() {
	next := 0
	for next < len(c.punches) && c.punches[next].at < c.plans[0].begins {
		next++
	}
	for i := range c.plans {
		p := &c.plans[i]
		from := next
		until := gatehouse.Minute(1 << 60)
		if i+1 < len(c.plans) {
			until = c.plans[i+1].begins
		}
		for next < len(c.punches) && c.punches[next].at < until {
			next++
		}
		if c.Rules.Pairing == gatehouse.ByDirection || c.Rules.Pairing == "" {
			next = c.bringHome(from, next)
		}
		p.punches = c.punches[from:next]
	}
}

// bringHome moves the end of a day behind the going that closes its last coming.
func (c *calculation) bringHome(from, end int) int {
	open := -1
	for i := end - 1; i >= from && open < 0; i-- {
		if c.punches[i].use == "" && c.punches[i].direction != "" {
			if c.punches[i].direction == gatehouse.Out {
				return end
			}
			open = i
		}
	}
	for i := end; open >= 0 && i < len(c.punches); i++ {
		switch q := &c.punches[i]; {
		case q.at-c.punches[open].at > gatehouse.Minute(c.Rules.Longest), q.use == "" && q.direction == gatehouse.In:
			return end
		case q.use == "" && q.direction == gatehouse.Out:
			// What is the same going once more comes along.
			for i+1 < len(c.punches) && c.punches[i+1].direction == gatehouse.Out && c.punches[i+1].at-q.at <= gatehouse.Minute(c.Rules.DuplicateWithin) {
				i++
			}
			return i + 1
		}
	}
	return end
}
