package attendance

import "gatehouse"

// pair is somebody's coming and going.
type pair struct {
	in, out     gatehouse.Minute
	inID, outID gatehouse.ID
	tooLong     bool
}

// unpairedPunches says what the day lacks.
type unpairedPunches struct {
	any     bool
	firstIn gatehouse.Minute // the first coming without a going; 0 for none
	// unknown is the first punch of which nobody knows what came before it; 0 for none.
	unknown gatehouse.Minute
}

// pair makes the day's pairs into c.pairs, says what became of each punch, and notes what
// does not fit.
func (c *calculation) pair(p *plan, d *gatehouse.TimesheetDay) (un unpairedPunches) {
	c.pairs = c.pairs[:0]
	if len(p.punches) == 0 {
		return un
	}
	d.Punches = make([]gatehouse.PunchUse, len(p.punches))
	var live []int
	for i, q := range p.punches {
		d.Punches[i] = gatehouse.PunchUse{Punch: q.id, At: q.at, Use: q.use}
		switch q.use {
		case "":
			live = append(live, i)
		case gatehouse.FromTomorrow:
			d.Exceptions = append(d.Exceptions, gatehouse.Exception{Kind: gatehouse.FuturePunch, Punch: q.id})
		}
	}
	for k := 1; k < len(live); k++ {
		a, b := p.punches[live[k-1]], p.punches[live[k]]
		if gap := int(b.at - a.at); a.site != b.site && gap < max(c.Rules.TravelWithin, 1) {
			d.Exceptions = append(d.Exceptions, gatehouse.Exception{Kind: gatehouse.TwoSites, Minutes: gap, Limit: c.Rules.TravelWithin, Punch: b.id})
		}
	}
	lone := func(i int, kind gatehouse.ExceptionKind) {
		un.any = true
		d.Punches[i].Use = gatehouse.Unpaired
		// Somebody who is still there lacks nothing yet.
		still := kind != gatehouse.MissingIn && kind != gatehouse.NoDirection && i == live[len(live)-1] && !c.passed(p.punches[i].at+gatehouse.Minute(c.Rules.Longest)+1)
		switch at := p.punches[i].at; {
		case kind == gatehouse.MissingOut && un.firstIn == 0:
			un.firstIn = at
		case kind != gatehouse.MissingOut && un.unknown == 0:
			un.unknown = at
		}
		if still {
			d.Punches[i].Use = gatehouse.UsedIn
			return
		}
		d.Exceptions = append(d.Exceptions, gatehouse.Exception{Kind: kind, Punch: p.punches[i].id})
	}
	join := func(i, k int) {
		in, out := p.punches[i], p.punches[k]
		d.Punches[i].Use, d.Punches[k].Use = gatehouse.UsedIn, gatehouse.UsedOut
		long := int(out.at-in.at) > c.Rules.Longest
		if long {
			un.any = true
			d.Exceptions = append(d.Exceptions, gatehouse.Exception{Kind: gatehouse.TooLong, Minutes: int(out.at - in.at), Limit: c.Rules.Longest, Punch: out.id})
		}
		c.pairs = append(c.pairs, pair{in.at, out.at, in.id, out.id, long})
	}
	switch c.Rules.Pairing {
	case gatehouse.FirstLast:
		c.firstLast(p, d, live, lone, join)
	case gatehouse.Toggling:
		live = c.withoutDuplicates(p, d, live, false)
		for k := 0; k+1 < len(live); k += 2 {
			join(live[k], live[k+1])
		}
		if len(live)%2 == 1 {
			lone(live[len(live)-1], gatehouse.MissingPunch)
		}
	default:
		c.byDirection(p, d, live, lone, join)
	}
	return un
}

func (c *calculation) firstLast(p *plan, d *gatehouse.TimesheetDay, live []int, lone func(int, gatehouse.ExceptionKind), join func(i, k int)) {
	if len(live) == 0 {
		return
	}
	first, last := live[0], live[len(live)-1]
	within := int(p.punches[last].at-p.punches[first].at) <= c.Rules.DuplicateWithin
	for _, i := range live[1:] {
		d.Punches[i].Use = gatehouse.Between
		if within {
			d.Punches[i].Use = gatehouse.Duplicate
		}
	}
	switch {
	case !within:
		join(first, last)
	case p.punches[first].direction == gatehouse.In:
		lone(first, gatehouse.MissingOut)
	case p.punches[first].direction == gatehouse.Out:
		lone(first, gatehouse.MissingIn)
	default:
		lone(first, gatehouse.MissingPunch)
	}
}

func (c *calculation) byDirection(p *plan, d *gatehouse.TimesheetDay, live []int, lone func(int, gatehouse.ExceptionKind), join func(i, k int)) {
	known := make([]int, 0, len(live))
	for _, i := range live {
		if p.punches[i].direction == "" {
			lone(i, gatehouse.NoDirection)
		} else {
			known = append(known, i)
		}
	}
	open := -1
	for _, i := range c.withoutDuplicates(p, d, known, true) {
		switch {
		case p.punches[i].direction == gatehouse.In:
			if open >= 0 {
				lone(open, gatehouse.MissingOut)
			}
			open = i
		case open >= 0:
			join(open, i)
			open = -1
		default:
			lone(i, gatehouse.MissingIn)
		}
	}
	if open >= 0 {
		lone(open, gatehouse.MissingOut)
	}
}

// withoutDuplicates leaves one punch of each group that lies within DuplicateWithin of its
// first: that first, or of several goings the last.
func (c *calculation) withoutDuplicates(p *plan, d *gatehouse.TimesheetDay, live []int, byDirection bool) []int {
	out := live[:0:0]
	start := gatehouse.Minute(0)
	for _, i := range live {
		q := p.punches[i]
		if n := len(out); n > 0 {
			kept := p.punches[out[n-1]]
			if int(q.at-start) <= c.Rules.DuplicateWithin && c.Rules.DuplicateWithin > 0 && (!byDirection || q.direction == kept.direction) {
				if byDirection && q.direction == gatehouse.Out {
					d.Punches[out[n-1]].Use = gatehouse.Duplicate
					out[n-1] = i
				} else {
					d.Punches[i].Use = gatehouse.Duplicate
				}
				continue
			}
		}
		out, start = append(out, i), q.at
	}
	return out
}
