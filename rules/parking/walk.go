package parking

import (
	"slices"
	"time"

	"gatehouse"
)

// walker goes through a stay block by block. What a longer stay costs begins with
// what a shorter one does: so no minute more ever makes a stay cheaper, whatever the
// caps, and a cap is kept at every moment, not only at the end.
type walker struct {
	cal  *calendar
	caps []*meter
	// what was charged within each occurrence of a period, for its cap
	occurrences map[occurrence]int64
	lines       []gatehouse.ChargeLine
	cuts        map[cutKey]int // where in lines a cap's line stands
	spent       []gatehouse.Spent
	keepSpent   bool
	total       int64
}

// cutKey names the line of what one cap takes off in one of its windows.
type cutKey struct {
	cap    int // index into caps; -1: the period's
	window date
	period int
}

// run charges the time from start until end, without what is covered.
func (w *walker) run(start, end time.Time, covered []gatehouse.Cover) {
	t, passed := start, time.Duration(0) // passed is the time of the steps so far
	run := stepRun{step: -1}
	last, since := occurrence{period: -2}, time.Duration(0)
	var o occurrence
	var over time.Time // of o
	for t.Before(end) {
		if c := coverAt(covered, t); c != nil {
			t = c.Until
			run.step = -1
			continue
		}
		if !t.Before(over) {
			o = w.cal.at(t)
			over = w.cal.ends(o, t)
		}
		if o != last {
			last, since = o, passed
		}
		if o.period < 0 {
			t = over
			continue
		}
		p := &w.cal.plan.Periods[o.period]
		if p.Flat != nil {
			w.charge(o, t, over, gatehouse.ChargeLine{Kind: gatehouse.FlatLine, Count: 1, Price: *p.Flat}, *p.Flat)
			passed += over.Sub(t)
			t, run.step = over, -1
			continue
		}
		elapsed := passed
		if p.Restart {
			elapsed -= since
		}
		i, begins := stepAt(p, elapsed)
		s := p.Steps[i]
		until := t.Add(s.Block)
		if w.cal.v.Cut {
			until = w.cutAt(o, over, until)
		}
		if run.period != o.period || run.step != i || run.begins != begins {
			run = stepRun{period: o.period, step: i, begins: begins}
		}
		w.charge(o, t, until, gatehouse.ChargeLine{Kind: gatehouse.TimeLine, Count: 1, Block: s.Block, Price: s.Price, Per: s.Per}, run.next(s))
		passed += until.Sub(t)
		t = until
	}
}

// cutAt returns when a block of o that would last until then is cut: where other prices
// hold. The same period on the next day has the same prices, unless it counts anew.
func (w *walker) cutAt(o occurrence, over, until time.Time) time.Time {
	for over.Before(until) {
		next := w.cal.at(over)
		if next.period != o.period || w.cal.plan.Periods[o.period].Restart {
			return over
		}
		over = w.cal.ends(next, over)
	}
	return until
}

// stepRun adds up blocks of one step in a row, so that prices that are in proportion to
// the time are rounded once and not block by block.
type stepRun struct {
	period, step int
	begins       time.Duration
	time         time.Duration
	charged      int64
}

// next returns what one more block costs.
func (r *stepRun) next(s gatehouse.Step) int64 {
	if s.Per == s.Block {
		return s.Price
	}
	r.time += s.Block
	all, _ := gatehouse.MulDiv(s.Price, int64(r.time/time.Minute), int64(s.Per/time.Minute), gatehouse.RoundHalfUp)
	more := all - r.charged
	r.charged = all
	return more
}

// stepAt returns the step that holds after so much time, and when it began to.
func stepAt(p *gatehouse.Period, elapsed time.Duration) (step int, begins time.Duration) {
	if p.Repeat {
		var round time.Duration
		for _, s := range p.Steps {
			round += s.For
		}
		begins = elapsed / round * round
	}
	for i, s := range p.Steps {
		if s.For == 0 || i == len(p.Steps)-1 || elapsed < begins+s.For {
			return i, begins
		}
		begins += s.For
	}
	return 0, begins // not reached: there is a last step
}

// charge adds one block, less what caps take off.
func (w *walker) charge(o occurrence, t, until time.Time, line gatehouse.ChargeLine, gross int64) {
	p := &w.cal.plan.Periods[o.period]
	line.Name, line.From, line.Until, line.Amount = p.Name, t, until, gross
	w.add(line)

	net, by := gross, -2
	if p.Cap != nil && *p.Cap-w.occurrences[o] < net {
		net, by = max(0, *p.Cap-w.occurrences[o]), -1
	}
	for i, m := range w.caps {
		if left := m.left(t); left < net {
			net, by = max(0, left), i
		}
	}
	w.occurrences[o] += net
	for _, m := range w.caps {
		m.spend(t, net)
	}
	if net < gross {
		w.cut(by, o, t, until, gross-net)
	}
	w.total += net
	if w.keepSpent && net > 0 {
		w.spent = append(w.spent, gatehouse.Spent{At: t, Amount: net})
	}
}

// add joins the line to the last one where it is more of the same.
func (w *walker) add(line gatehouse.ChargeLine) {
	for i := len(w.lines) - 1; i >= 0; i-- {
		l := &w.lines[i]
		if l.Kind == gatehouse.CapLine || l.Kind == gatehouse.PeriodCapLine {
			continue
		}
		if l.Kind == line.Kind && l.Kind == gatehouse.TimeLine && l.Name == line.Name && l.Block == line.Block && l.Price == line.Price && l.Per == line.Per && l.Until.Equal(line.From) {
			l.Until = line.Until
			l.Count++
			l.Amount += line.Amount
			return
		}
		break
	}
	w.lines = append(w.lines, line)
}

// cut writes down what a cap took off, one line for each of its windows.
func (w *walker) cut(by int, o occurrence, t, until time.Time, off int64) {
	key := cutKey{cap: by}
	line := gatehouse.ChargeLine{Kind: gatehouse.CapLine, From: t, Until: until}
	if by < 0 {
		p := &w.cal.plan.Periods[o.period]
		key.window, key.period = o.began, o.period
		line.Kind, line.Name, line.Price = gatehouse.PeriodCapLine, p.Name, *p.Cap
	} else {
		m := w.caps[by]
		key.window = m.window(t)
		line.Name, line.Price = string(m.cap.Per), m.cap.Amount
	}
	i, ok := w.cuts[key]
	if !ok {
		i = len(w.lines)
		w.cuts[key] = i
		w.lines = append(w.lines, line)
	}
	w.lines[i].Amount -= off
	w.lines[i].Until = until
}

// coverAt returns the cover that t lies in, nil for none.
func coverAt(covered []gatehouse.Cover, t time.Time) *gatehouse.Cover {
	i := slices.IndexFunc(covered, func(c gatehouse.Cover) bool { return !t.Before(c.From) && t.Before(c.Until) })
	if i < 0 {
		return nil
	}
	return &covered[i]
}
