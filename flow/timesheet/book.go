package timesheet

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// book is a book of hours in memory. One that others may read is not altered but under
// Hours.mu.
type book struct {
	version  uint64
	revision map[key]uint64
	shifts   map[gatehouse.ShiftID]gatehouse.Shift
	teams    map[gatehouse.GroupID]gatehouse.Team
	members  map[gatehouse.SubjectID][]gatehouse.TeamMember // by their first day
	own      map[gatehouse.SubjectID][]gatehouse.RosterEntry
	ofTeam   map[gatehouse.GroupID][]gatehouse.RosterEntry
	rules    []attendance.RulesFrom
	calendar gatehouse.WorkCalendar
	leave    map[string]gatehouse.LeaveKind
	earnings []gatehouse.Earning
	figures  map[string]gatehouse.Money // replaced as a whole
}

type key struct {
	kind gatehouse.HoursKind
	id   string
}

// siteItem is the id of what a site has one of.
const siteItem = "site"

func newBook(version uint64) *book {
	return &book{version: version, revision: map[key]uint64{}, shifts: map[gatehouse.ShiftID]gatehouse.Shift{}, teams: map[gatehouse.GroupID]gatehouse.Team{},
		members: map[gatehouse.SubjectID][]gatehouse.TeamMember{}, own: map[gatehouse.SubjectID][]gatehouse.RosterEntry{}, ofTeam: map[gatehouse.GroupID][]gatehouse.RosterEntry{},
		leave: map[string]gatehouse.LeaveKind{}, calendar: noCalendar()}
}

// noCalendar counts while a site has none: Saturdays and Sundays are off where nobody is
// planned.
func noCalendar() gatehouse.WorkCalendar {
	return gatehouse.WorkCalendar{Weekend: []time.Weekday{time.Saturday, time.Sunday}}
}

// encode and decode are how parts are stored: JSON of the vocabulary's own types, without
// whom they are about. What a version does not know it refuses, so that a plan never means
// less than it says.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // values of plain types
	}
	return b
}

func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return gatehouse.Errorf("hours.damaged", "this version cannot read it", "a part of the book of hours is malformed")
	}
	return nil
}

// take puts a part into the book, in the place of one with its id.
func (b *book) take(item gatehouse.HoursItem) (err error) {
	b.drop(item.Kind, item.ID)
	switch item.Kind {
	case gatehouse.ShiftsOfHours:
		var s gatehouse.Shift
		err = decode(item.Body, &s)
		b.shifts[s.ID] = s
	case gatehouse.TeamsOfHours:
		var t gatehouse.Team
		err = decode(item.Body, &t)
		b.teams[t.ID] = t
	case gatehouse.MembersOfHours:
		var m gatehouse.TeamMember
		err = decode(item.Body, &m)
		m.Who = item.Subject
		b.members[m.Who] = append(slices.Clone(b.members[m.Who]), m)
		slices.SortFunc(b.members[m.Who], func(x, y gatehouse.TeamMember) int { return strings.Compare(string(x.From), string(y.From)) })
	case gatehouse.RosterOfHours:
		var e gatehouse.RosterEntry
		err = decode(item.Body, &e)
		if e.Who = item.Subject; e.Group != "" {
			b.ofTeam[e.Group] = append(slices.Clone(b.ofTeam[e.Group]), e)
		} else {
			b.own[e.Who] = append(slices.Clone(b.own[e.Who]), e)
		}
	case gatehouse.RulesOfHours:
		r := attendance.RulesFrom{From: gatehouse.Date(item.ID)}
		err = decode(item.Body, &r.Rules)
		b.rules = append(slices.Clone(b.rules), r)
		slices.SortFunc(b.rules, func(x, y attendance.RulesFrom) int { return strings.Compare(string(x.From), string(y.From)) })
	case gatehouse.CalendarOfHours:
		var c gatehouse.WorkCalendar
		err = decode(item.Body, &c)
		b.calendar = c
	case gatehouse.LeaveOfHours:
		var k gatehouse.LeaveKind
		err = decode(item.Body, &k)
		b.leave[k.ID] = k
	case gatehouse.EarningsOfHours:
		var e []gatehouse.Earning
		err = decode(item.Body, &e)
		b.earnings = e
	case gatehouse.FiguresOfHours:
		var f map[string]gatehouse.Money
		err = decode(item.Body, &f)
		b.figures = f
	default:
		err = gatehouse.Errorf("hours.damaged", "this version cannot read it", "a part of the book of hours is of no known kind")
	}
	b.revision[key{item.Kind, item.ID}] = item.Revision
	return err
}

// order puts lists that readers compare into one order.
func (b *book) order() {
	for _, list := range b.own {
		slices.SortFunc(list, byBegin)
	}
	for _, list := range b.ofTeam {
		slices.SortFunc(list, byBegin)
	}
}

func byBegin(x, y gatehouse.RosterEntry) int {
	return cmp.Or(strings.Compare(string(x.From), string(y.From)), bytes.Compare(x.ID[:], y.ID[:]))
}

// drop takes a part out of the book.
func (b *book) drop(kind gatehouse.HoursKind, id string) {
	delete(b.revision, key{kind, id})
	switch kind {
	case gatehouse.ShiftsOfHours:
		delete(b.shifts, gatehouse.ShiftID(id))
	case gatehouse.TeamsOfHours:
		delete(b.teams, gatehouse.GroupID(id))
	case gatehouse.MembersOfHours:
		without(b.members, func(m gatehouse.TeamMember) bool { return m.ID.String() == id })
	case gatehouse.RosterOfHours:
		without(b.own, func(e gatehouse.RosterEntry) bool { return e.ID.String() == id })
		without(b.ofTeam, func(e gatehouse.RosterEntry) bool { return e.ID.String() == id })
	case gatehouse.RulesOfHours:
		b.rules = slices.DeleteFunc(slices.Clone(b.rules), func(r attendance.RulesFrom) bool { return string(r.From) == id })
	case gatehouse.CalendarOfHours:
		b.calendar = noCalendar()
	case gatehouse.LeaveOfHours:
		delete(b.leave, id)
	case gatehouse.EarningsOfHours:
		b.earnings = nil
	case gatehouse.FiguresOfHours:
		b.figures = nil
	}
}

// without takes out of lists what is; a list that others may read stays as it is.
func without[K comparable, V any](lists map[K][]V, is func(V) bool) {
	for k, list := range lists {
		if !slices.ContainsFunc(list, is) {
			continue
		}
		if rest := slices.DeleteFunc(slices.Clone(list), is); len(rest) > 0 {
			lists[k] = rest
		} else {
			delete(lists, k)
		}
	}
}

// roster is what is planned for somebody: their own entries, and those of their teams for
// the days on which they are in them.
func (b *book) roster(who gatehouse.SubjectID) []gatehouse.RosterEntry {
	out := slices.Clone(b.own[who])
	for _, m := range b.members[who] {
		for _, e := range b.ofTeam[m.Team] {
			if e, ok := attendance.ForMember(e, m.From, m.Until); ok {
				out = append(out, e)
			}
		}
	}
	return out
}

// teamOn is the team that somebody is in on a day; "" for none.
func (b *book) teamOn(who gatehouse.SubjectID, d gatehouse.Date) gatehouse.GroupID {
	for _, m := range b.members[who] {
		if m.From <= d && (m.Until == "" || d <= m.Until) {
			return m.Team
		}
	}
	return ""
}

// teamWithin is the team that somebody is in on the last of some days, or else on the first.
func (b *book) teamWithin(who gatehouse.SubjectID, from, until gatehouse.Date) gatehouse.GroupID {
	if team := b.teamOn(who, until); team != "" {
		return team
	}
	return b.teamOn(who, from)
}

// joined is the first day of which the book knows that somebody was in a team; "" for none.
func (b *book) joined(who gatehouse.SubjectID) gatehouse.Date {
	if list := b.members[who]; len(list) > 0 {
		return list[0].From
	}
	return ""
}

// planned are all for whom there is a plan of their own or of a team.
func (b *book) planned() map[gatehouse.SubjectID]bool {
	out := map[gatehouse.SubjectID]bool{}
	for who := range b.members {
		out[who] = true
	}
	for who := range b.own {
		out[who] = true
	}
	return out
}

// input is what somebody's hours depend on but for punches and leave. Nothing of it may be
// altered.
func (b *book) input(who gatehouse.SubjectID, zone *time.Location) attendance.Input {
	in := attendance.Input{Subject: who, Roster: b.roster(who), Shifts: maps.Clone(b.shifts), Calendar: b.calendar, Zone: zone, Zones: map[string]*time.Location{}}
	for _, e := range in.Roster {
		if e.Zone != "" && in.Zones[e.Zone] == nil {
			if loc, err := time.LoadLocation(e.Zone); err == nil {
				in.Zones[e.Zone] = loc
			}
		}
	}
	return in
}

// Listing is the whole book.
type Listing struct {
	Version   uint64
	Shifts    []gatehouse.Shift
	Teams     []TeamCount
	Members   []gatehouse.TeamMember
	Roster    []gatehouse.RosterEntry
	Rules     []attendance.RulesFrom
	Calendar  gatehouse.WorkCalendar
	Leave     []gatehouse.LeaveKind
	Earnings  []gatehouse.Earning
	Figures   map[string]gatehouse.Money
	Revisions map[string]uint64 // by "kind/id"
}

// TeamCount is a team, and how many are in it today.
type TeamCount struct {
	gatehouse.Team
	Members int
}

// List gives the book, each part by its name.
func (h *Hours) List() Listing {
	today := h.today()
	h.mu.RLock()
	defer h.mu.RUnlock()
	b := h.book
	l := Listing{Version: b.version, Rules: slices.Clone(b.rules), Calendar: b.calendar, Earnings: slices.Clone(b.earnings), Figures: maps.Clone(b.figures), Revisions: map[string]uint64{}}
	for k, v := range b.revision {
		l.Revisions[string(k.kind)+"/"+k.id] = v
	}
	for _, id := range slices.Sorted(maps.Keys(b.shifts)) {
		l.Shifts = append(l.Shifts, b.shifts[id])
	}
	counts := map[gatehouse.GroupID]int{}
	for who, list := range b.members {
		l.Members = append(l.Members, list...)
		counts[b.teamOn(who, today)]++
	}
	for _, id := range slices.Sorted(maps.Keys(b.teams)) {
		l.Teams = append(l.Teams, TeamCount{b.teams[id], counts[id]})
	}
	slices.SortFunc(l.Members, func(x, y gatehouse.TeamMember) int {
		return cmp.Or(strings.Compare(string(x.Team), string(y.Team)), strings.Compare(string(x.From), string(y.From)), bytes.Compare(x.ID[:], y.ID[:]))
	})
	for _, id := range slices.Sorted(maps.Keys(b.ofTeam)) {
		l.Roster = append(l.Roster, b.ofTeam[id]...)
	}
	var own []gatehouse.RosterEntry
	for _, list := range b.own {
		own = append(own, list...)
	}
	slices.SortFunc(own, byBegin)
	l.Roster = append(l.Roster, own...)
	for _, id := range slices.Sorted(maps.Keys(b.leave)) {
		l.Leave = append(l.Leave, b.leave[id])
	}
	return l
}

// TeamOf is the team that somebody is in on a day; "" for none.
func (h *Hours) TeamOf(who gatehouse.SubjectID, d gatehouse.Date) gatehouse.GroupID {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.book.teamOn(who, d)
}
