package timesheet

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// PersonHours are one person's line in a list: their hours of some days, in minutes.
type PersonHours struct {
	Subject               gatehouse.SubjectID
	Team                  gatehouse.GroupID
	Due, Worked, Overtime int
	Exceptions            []DayException
}

// DayException is an exception and its day.
type DayException struct {
	Date gatehouse.Date
	gatehouse.Exception
}

// lists remembers lists of everybody's hours, each with what it was calculated of: the
// book's version, whose punches, corrections and leave were changed since, and until when
// each line holds by time alone. So a list that is looked at again is calculated for whom
// something changed. It is memory of this process, through which all changes go.
type lists struct {
	mu      sync.Mutex // held while a list is calculated: who asks beside it waits for it
	of      map[days2]*list
	used    uint64
	changes changes
}

type days2 struct{ from, until gatehouse.Date }

type list struct {
	version, all, seen uint64 // of the book, of everybody, and of each
	rows               map[gatehouse.SubjectID]row
	used               uint64
}

type row struct {
	PersonHours
	figures attendance.Figures
	until   gatehouse.Minute
	absent  bool // neither planned nor there: no line, for now
}

// changes counts what is changed of whom.
type changes struct {
	mu  sync.Mutex
	n   uint64
	all uint64 // when everybody's was
	who map[gatehouse.SubjectID]uint64
}

// The bounds of what is remembered: lists, and their lines together.
const (
	mostLists = 8
	mostLines = 100_000
)

// alone is of how many people a list is calculated one by one; of more it is calculated
// as a whole.
const alone = 200

// touched says that something that these people's hours depend on was, or may have been,
// changed. It is called after the change.
func (h *Hours) touched(who ...gatehouse.SubjectID) {
	c := &h.lists.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	if len(c.who) > mostLines {
		c.who, c.all = nil, c.n
	}
	if c.who == nil {
		c.who = map[gatehouse.SubjectID]uint64{}
	}
	for _, id := range who {
		c.who[id] = c.n
	}
}

// Forget says that anybody's hours may be others than they were: months were dropped, or
// somebody was erased.
func (h *Hours) Forget() {
	c := &h.lists.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	c.all, c.who = c.n, nil
}

// since is whose hours may be others than at n; all is when everybody's were, last.
func (c *changes) since(n uint64) (now, all uint64, who []gatehouse.SubjectID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, at := range c.who {
		if at > n {
			who = append(who, id)
		}
	}
	return c.n, c.all, who
}

// People lists the hours of everybody for whom there is a plan or a punch on these days,
// in the order of their ids. The lines are the caller's to read, not to alter. Errors: as
// Everybody.
func (h *Hours) People(ctx context.Context, from, until gatehouse.Date) (out []PersonHours, err error) {
	err = h.remembered(ctx, days2{from, until}, func(r row) { out = append(out, r.PersonHours) })
	slices.SortFunc(out, func(a, b PersonHours) int { return bytes.Compare(a.Subject[:], b.Subject[:]) })
	return out, err
}

// Performance adds the same people's hours up by team. Errors: as Everybody.
func (h *Hours) Performance(ctx context.Context, from, until gatehouse.Date) (teams []attendance.TeamFigures, all attendance.TeamFigures, err error) {
	var people []attendance.TeamPart
	err = h.remembered(ctx, days2{from, until}, func(r row) { people = append(people, attendance.TeamPart{Team: r.Team, Figures: r.figures}) })
	teams, all = attendance.Performance(from, people)
	return teams, all, err
}

// remembered gives each line of a list, in no order: remembered, or calculated where
// something changed.
func (h *Hours) remembered(ctx context.Context, key days2, each func(row)) error {
	l := &h.lists
	l.mu.Lock()
	defer l.mu.Unlock()
	h.mu.RLock()
	version := h.book.version
	h.mu.RUnlock()
	now := gatehouse.MinuteOf(h.Now())
	one := l.of[key]
	var stale []gatehouse.SubjectID
	seen, all, _ := l.changes.since(0)
	if one != nil {
		var changed []gatehouse.SubjectID
		seen, all, changed = l.changes.since(one.seen)
		for id, r := range one.rows {
			if r.until <= now {
				stale = append(stale, id)
			}
		}
		stale = append(stale, changed...)
	}
	var err error
	if one == nil || one.version != version || one.all != all || len(stale) > alone {
		one = &list{version: version, all: all, rows: map[gatehouse.SubjectID]row{}}
		err = h.everybody(ctx, key.from, key.until, AsOf{}, func(c calculated) error {
			one.rows[c.sheet.Subject] = row{PersonHours: lineOf(c.team, c.sheet), figures: attendance.FiguresOf(c.sheet), until: c.next}
			return nil
		})
	} else {
		err = h.again(ctx, one, key, stale)
	}
	if err != nil {
		delete(l.of, key) // what is half renewed is not kept
		return err
	}
	one.seen = seen
	l.keep(key, one)
	for _, r := range one.rows {
		if !r.absent {
			each(r)
		}
	}
	return nil
}

// again calculates some people's lines.
func (h *Hours) again(ctx context.Context, one *list, key days2, who []gatehouse.SubjectID) error {
	for _, id := range who {
		s, next, there, team, err := h.line(ctx, id, key)
		if err != nil {
			return err
		}
		one.rows[id] = row{PersonHours: lineOf(team, s), figures: attendance.FiguresOf(s), until: next, absent: !there}
	}
	return nil
}

// line is what everybody says of one person; there is whether it says anything.
func (h *Hours) line(ctx context.Context, who gatehouse.SubjectID, key days2) (s gatehouse.Timesheet, next gatehouse.Minute, there bool, team gatehouse.GroupID, err error) {
	h.mu.RLock()
	in, rules, kinds, team := h.book.input(who, h.Location), slices.Clone(h.book.rules), maps.Clone(h.book.leave), h.book.teamWithin(who, key.from, key.until)
	there = len(h.book.members[who]) > 0 || len(h.book.own[who]) > 0
	h.mu.RUnlock()
	in.From, in.Until, in.Now = key.from, key.until, h.Now().UTC()
	begin, end, err := attendance.ReachOf(in, rules)
	if err != nil {
		return s, next, false, team, err
	}
	f, err := h.factsOf(ctx, who, begin, end, time.Time{}, kinds)
	if err != nil {
		return s, next, false, team, err
	}
	in.Punches, in.Leave = f.punches, f.leave
	there = there || h.punchedSince(f.punches, key.from)
	s, next, err = attendance.WithRulesUntil(in, rules)
	return s, next, there, team, err
}

func lineOf(team gatehouse.GroupID, s gatehouse.Timesheet) PersonHours {
	one := PersonHours{Subject: s.Subject, Team: team}
	for _, d := range s.Days {
		one.Due += d.Due
		one.Worked += d.Worked
		for _, e := range d.Entries {
			if e.Paid() && e.Code != gatehouse.Regular {
				one.Overtime += e.Minutes()
			}
		}
		for _, e := range d.Exceptions {
			one.Exceptions = append(one.Exceptions, DayException{d.Date, e})
		}
	}
	return one
}

// keep remembers a list, and forgets those that were not looked at for the longest time
// where there are too many.
func (l *lists) keep(key days2, one *list) {
	if l.of == nil {
		l.of = map[days2]*list{}
	}
	l.used++
	one.used, l.of[key] = l.used, one
	for {
		lines := 0
		oldest, at := key, l.used
		for k, o := range l.of {
			if lines += len(o.rows); o.used < at {
				oldest, at = k, o.used
			}
		}
		if len(l.of) <= mostLists && lines <= mostLines {
			return
		}
		if delete(l.of, oldest); oldest == key {
			return // alone it is too long
		}
	}
}
