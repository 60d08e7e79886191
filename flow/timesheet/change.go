package timesheet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// Any in the place of a revision changes a part whatever its revision is, and makes it
// where it is not there; 0 makes one that must not be there yet.
const Any = ^uint64(0)

// The bounds of what is kept.
const (
	maxShifts  = 1000
	maxTeams   = 1000
	maxMembers = 50_000
	maxRoster  = 50_000
	maxRules   = 200
	maxLeave   = 100
	maxDays    = 4000 // of a calendar
	maxScheme  = 200
	maxFigures = 100
)

// What each change fails with besides what it names: hours.changed, hours.exists,
// hours.too_many, and the store's.

// PutShift makes or replaces a shift. Errors: hours.shift.
func (h *Hours) PutShift(ctx context.Context, by Actor, was uint64, s gatehouse.Shift) error {
	s.Line = 0
	var err error
	if s.Title, err = title(s.Title); err != nil {
		return err
	}
	if found := attendance.CheckShifts([]gatehouse.Shift{s}); len(found) > 0 {
		return problem("hours.shift", found[0])
	}
	return h.put(ctx, by, was, gatehouse.HoursItem{Kind: gatehouse.ShiftsOfHours, ID: string(s.ID), Body: encode(s)}, maxShifts, nil)
}

// chargeable reports whether a payroll program's file can name a cost centre or project so.
func chargeable(s string) bool {
	return len(s) <= 40 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) && (s == "" || !strings.ContainsRune("=+-@ ", rune(s[0])))
}

// PutTeam makes or renames a team. Errors: hours.name, hours.title, hours.charged.
func (h *Hours) PutTeam(ctx context.Context, by Actor, was uint64, t gatehouse.Team) error {
	var err error
	if t.Title, err = title(t.Title); err != nil {
		return err
	}
	if err := name(string(t.ID)); err != nil {
		return err
	}
	if !chargeable(t.CostCentre) || !chargeable(t.Project) {
		return gatehouse.Errorf("hours.charged", "use at most 40 letters, digits and signs of ASCII, and begin with none of = + - @", "this is no cost centre or project")
	}
	return h.put(ctx, by, was, gatehouse.HoursItem{Kind: gatehouse.TeamsOfHours, ID: string(t.ID), Body: encode(t)}, maxTeams, nil)
}

// PutMember says from when until when somebody is in a team; one with a zero id is new.
// Nobody is in two at once. Errors: hours.unknown, hours.member, subject.unknown,
// date.malformed.
func (h *Hours) PutMember(ctx context.Context, by Actor, m gatehouse.TeamMember) (gatehouse.ID, error) {
	if err := days(m.From, m.Until); err != nil {
		return m.ID, err
	}
	if err := h.enrolled(ctx, m.Who); err != nil {
		return m.ID, err
	}
	fresh := m.ID.IsZero()
	if fresh {
		m.ID = gatehouse.NewID(h.Now())
	}
	body := m
	body.Who = gatehouse.SubjectID{}
	item := gatehouse.HoursItem{Kind: gatehouse.MembersOfHours, ID: m.ID.String(), Subject: m.Who, Body: encode(body)}
	return m.ID, h.put(ctx, by, was(fresh), item, maxMembers, func(b *book) error {
		if _, there := b.teams[m.Team]; !there {
			return unknown("team")
		}
		for _, o := range b.members[m.Who] {
			if o.ID != m.ID && (o.Until == "" || m.From <= o.Until) && (m.Until == "" || o.From <= m.Until) {
				return gatehouse.Errorf("hours.member", "end the other first, or begin later", "they are in the team %s at that time", o.Team)
			}
		}
		return nil
	})
}

func was(fresh bool) uint64 {
	if fresh {
		return 0
	}
	return Any
}

// PutRoster plans days of a team or of one person; an entry with a zero id is new. Errors:
// hours.roster with what is wrong, subject.unknown, hours.unknown.
func (h *Hours) PutRoster(ctx context.Context, by Actor, e gatehouse.RosterEntry) (gatehouse.ID, error) {
	if e.Group == "" && !e.Who.IsZero() {
		if err := h.enrolled(ctx, e.Who); err != nil {
			return e.ID, err
		}
	}
	if e.Zone != "" {
		if _, err := time.LoadLocation(e.Zone); err != nil || e.Zone == "Local" {
			return e.ID, gatehouse.Errorf("hours.roster", "write it as Asia/Tokyo", "there is no such time zone")
		}
	}
	if e.Kind == "" {
		e.Kind = gatehouse.StandingRoster
	}
	fresh := e.ID.IsZero()
	if fresh {
		e.ID = gatehouse.NewID(h.Now())
	}
	body := e
	body.Who, body.Line = gatehouse.SubjectID{}, 0
	item := gatehouse.HoursItem{Kind: gatehouse.RosterOfHours, ID: e.ID.String(), Subject: e.Who, Body: encode(body)}
	return e.ID, h.put(ctx, by, was(fresh), item, maxRoster, func(b *book) error { return b.fits(e) })
}

// fits reports what is wrong with an entry beside those that are there.
func (b *book) fits(e gatehouse.RosterEntry) error {
	if _, there := b.teams[e.Group]; e.Group != "" && !there {
		return unknown("team")
	}
	others := b.ofTeam[e.Group]
	if e.Group == "" {
		others = b.own[e.Who]
	}
	e.Line = 1
	list := []gatehouse.RosterEntry{e}
	for _, o := range others {
		if o.ID != e.ID {
			list = append(list, o)
		}
	}
	for _, p := range attendance.CheckRoster(list, b.shifts) {
		// Entries that are there fit each other; another problem is about this one.
		return problem("hours.roster", attendance.Problem{Code: p.Code, Reason: strings.TrimSuffix(strings.Replace(p.Reason, "than line 1 does", "than another entry", 1), " does")})
	}
	return nil
}

// PutRules makes rules count from a day on. Errors: hours.rules, date.malformed.
func (h *Hours) PutRules(ctx context.Context, by Actor, was uint64, from gatehouse.Date, r gatehouse.AttendanceRules) error {
	if err := days(from, ""); err != nil {
		return err
	}
	if found := attendance.CheckRules(r); len(found) > 0 {
		return problem("hours.rules", found[0])
	}
	return h.put(ctx, by, was, gatehouse.HoursItem{Kind: gatehouse.RulesOfHours, ID: string(from), Body: encode(r)}, maxRules, nil)
}

// PutCalendar replaces the site's calendar. Errors: hours.calendar, date.malformed.
func (h *Hours) PutCalendar(ctx context.Context, by Actor, was uint64, c gatehouse.WorkCalendar) error {
	if len(c.Days) > maxDays || len(c.Weekend) > 7 {
		return gatehouse.Errorf("hours.calendar", fmt.Sprintf("at most %d days, and a week has seven", maxDays), "the calendar cannot be kept")
	}
	c.Days = slices.Clone(c.Days)
	slices.SortFunc(c.Days, func(x, y gatehouse.CalendarDay) int { return strings.Compare(string(x.Date), string(y.Date)) })
	for i, d := range c.Days {
		if _, err := gatehouse.ParseDate(string(d.Date)); err != nil {
			return err
		}
		if d.Kind != gatehouse.WorkDay && d.Kind != gatehouse.RestDay && d.Kind != gatehouse.HolidayDay || i > 0 && c.Days[i-1].Date == d.Date {
			return gatehouse.Errorf("hours.calendar", "a day is there once, and is work, rest or holiday", "the calendar's %s means nothing", d.Date)
		}
		var err error
		if c.Days[i].Title, err = title(d.Title); err != nil {
			return err
		}
	}
	for _, w := range c.Weekend {
		if w < time.Sunday || w > time.Saturday {
			return gatehouse.Errorf("hours.calendar", "weekdays are 0 (Sunday) to 6", "there is no such weekday")
		}
	}
	return h.put(ctx, by, was, gatehouse.HoursItem{Kind: gatehouse.CalendarOfHours, ID: siteItem, Body: encode(c)}, 1, nil)
}

// PutHolidays makes the site's calendar from a place's public holidays: "cn" with its
// adjusted working days, or what Ports.Calendar knows. Errors: holidays.unknown,
// holidays.years.
func (h *Hours) PutHolidays(ctx context.Context, by Actor, was uint64, place string, first, last int) error {
	var c gatehouse.WorkCalendar
	var err error
	switch {
	case place == "cn":
		c = attendance.ChineseCalendar()
	case h.Calendar == nil:
		err = gatehouse.Errorf("holidays.unknown", "list the days yourself", "there is no such calendar")
	default:
		c, err = h.Calendar(place, first, last)
	}
	if err != nil {
		return err
	}
	return h.PutCalendar(ctx, by, was, c)
}

// PutLeaveKind makes or replaces a kind of leave. Errors: hours.name, hours.title, hours.leave.
func (h *Hours) PutLeaveKind(ctx context.Context, by Actor, was uint64, k gatehouse.LeaveKind) error {
	if err := name(k.ID); err != nil {
		return err
	}
	var err error
	if k.Title, err = title(k.Title); err != nil {
		return err
	}
	const year = 366 * 24 * 60
	if k.Code != "" && gatehouse.CheckName(string(k.Code)) != nil || k.PerYear < 0 || k.PerYear > year || k.CarryOver < 0 || k.CarryOver > year {
		return gatehouse.Errorf("hours.leave", "a code is a name; minutes are 0 or more, and no more than a year has", "this is no kind of leave")
	}
	for _, role := range k.Chain {
		if !role.May(gatehouse.DecideHours) {
			return gatehouse.Errorf("hours.leave", "name roles that decide about hours: site-manager, hr", "the role %q decides nothing about leave", string(role))
		}
	}
	if len(k.Chain) > gatehouse.MaxLeaveChain {
		return gatehouse.Errorf("hours.leave", "at most 5 steps", "the chain is too long")
	}
	return h.put(ctx, by, was, gatehouse.HoursItem{Kind: gatehouse.LeaveOfHours, ID: k.ID, Body: encode(k)}, maxLeave, nil)
}

// PutEarnings replaces the site's pay scheme. Errors: hours.earnings.
func (h *Hours) PutEarnings(ctx context.Context, by Actor, was uint64, scheme []gatehouse.Earning) error {
	if len(scheme) > maxScheme {
		return tooMany(maxScheme)
	}
	if h.CheckEarnings != nil {
		if err := h.CheckEarnings(scheme); err != nil {
			return err
		}
	}
	return h.put(ctx, by, was, gatehouse.HoursItem{Kind: gatehouse.EarningsOfHours, ID: siteItem, Body: encode(scheme)}, 1, nil)
}

// PutFigures replaces the figures that the pay scheme's formulas name. Errors: pay.figures.
func (h *Hours) PutFigures(ctx context.Context, by Actor, was uint64, all map[string]gatehouse.Money) error {
	if len(all) > maxFigures {
		return tooMany(maxFigures)
	}
	if h.CheckFigures != nil {
		if err := h.CheckFigures(all); err != nil {
			return err
		}
	}
	return h.put(ctx, by, was, gatehouse.HoursItem{Kind: gatehouse.FiguresOfHours, ID: siteItem, Body: encode(all)}, 1, nil)
}

// Remove takes a part out of the book; what was counted by it in closed periods stays.
// Errors: hours.unknown, hours.in_use for a shift or a team that plans name.
func (h *Hours) Remove(ctx context.Context, by Actor, kind gatehouse.HoursKind, id string) error {
	h.writes.Lock()
	defer h.writes.Unlock()
	b := h.book // only changes write to it, and writes is held
	if _, there := b.revision[key{kind, id}]; !there {
		return unknown(string(kind))
	}
	if b.uses(kind, id) {
		return gatehouse.Errorf("hours.in_use", "remove or change the plans first", "plans name it")
	}
	c := gatehouse.HoursChange{Place: h.Place, Version: b.version + 1, At: h.Now().UTC(), By: by.String(), Event: gatehouse.RuleRemoved, Item: gatehouse.HoursItem{Kind: kind, ID: id, Subject: b.subjectOf(kind, id)}}
	return h.commit(ctx, c)
}

func (b *book) uses(kind gatehouse.HoursKind, id string) bool {
	names := func(e gatehouse.RosterEntry) bool {
		return kind == gatehouse.ShiftsOfHours && slices.Contains(e.Pattern, gatehouse.ShiftID(id)) || kind == gatehouse.TeamsOfHours && string(e.Group) == id
	}
	for _, list := range b.own {
		if slices.ContainsFunc(list, names) {
			return true
		}
	}
	for _, list := range b.ofTeam {
		if slices.ContainsFunc(list, names) {
			return true
		}
	}
	for _, list := range b.members {
		if kind == gatehouse.TeamsOfHours && slices.ContainsFunc(list, func(m gatehouse.TeamMember) bool { return string(m.Team) == id }) {
			return true
		}
	}
	return false
}

func (b *book) subjectOf(kind gatehouse.HoursKind, id string) gatehouse.SubjectID {
	for who, list := range b.members {
		if kind == gatehouse.MembersOfHours && slices.ContainsFunc(list, func(m gatehouse.TeamMember) bool { return m.ID.String() == id }) {
			return who
		}
	}
	for who, list := range b.own {
		if kind == gatehouse.RosterOfHours && slices.ContainsFunc(list, func(e gatehouse.RosterEntry) bool { return e.ID.String() == id }) {
			return who
		}
	}
	return gatehouse.SubjectID{}
}

// put carries out one change; check may read the book and not alter it.
func (h *Hours) put(ctx context.Context, by Actor, was uint64, item gatehouse.HoursItem, most int, check func(*book) error) error {
	h.writes.Lock()
	defer h.writes.Unlock()
	b := h.book
	if check != nil {
		if err := check(b); err != nil {
			return err
		}
	}
	had, there := b.revision[key{item.Kind, item.ID}]
	switch {
	case was == 0 && there:
		return gatehouse.Errorf("hours.exists", "choose another name, or change that one", "there is one of this name")
	case was != Any && was != had:
		return gatehouse.Errorf("hours.changed", "look at it again, then change it", "the plans were changed meanwhile")
	case !there && b.count(item.Kind) >= most:
		return tooMany(most)
	}
	c := gatehouse.HoursChange{Place: h.Place, Version: b.version + 1, At: h.Now().UTC(), By: by.String(), Event: gatehouse.RulePut, Item: item}
	return h.commit(ctx, c)
}

func (b *book) count(kind gatehouse.HoursKind) (n int) {
	for k := range b.revision {
		if k.kind == kind {
			n++
		}
	}
	return n
}

// commit writes a change and brings memory up to it. Called with writes held.
func (h *Hours) commit(ctx context.Context, c gatehouse.HoursChange) error {
	c.Item.Revision = c.Version
	c.Leaf = gatehouse.HoursLeaf(c)
	if err := h.Store.ChangeHours(ctx, c); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.book.version = c.Version
	if c.Event == gatehouse.RuleRemoved {
		h.book.drop(c.Item.Kind, c.Item.ID)
		return nil
	}
	err := h.book.take(c.Item)
	h.book.order()
	return err
}

// Changes are the book's versions, the newest first, below before (0: all); limit is 1
// to 1000.
func (h *Hours) Changes(ctx context.Context, before uint64, limit int) ([]gatehouse.HoursChange, error) {
	return h.Store.HoursChanges(ctx, h.Place, before, limit)
}

func unknown(what string) error {
	return gatehouse.Errorf("hours.unknown", "`gatehouse attendance plans` lists them", "there is no such %s", what)
}

func tooMany(most int) error {
	return gatehouse.Errorf("hours.too_many", "remove what is no longer used", "there are %d of them, the most that are kept", most)
}

func problem(code string, p attendance.Problem) error {
	return gatehouse.Errorf(code, p.Reason, "%s", p.Code)
}

func name(id string) error {
	if gatehouse.CheckName(id) != nil {
		return gatehouse.Errorf("hours.name", "use 1 to 40 lower-case letters, digits and hyphens, and nobody's name", "this cannot be a name")
	}
	return nil
}

// title is a title without spaces around it: of one line, and not too long.
func title(s string) (string, error) {
	s = strings.TrimSpace(s)
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 80 || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
		return "", gatehouse.Errorf("hours.title", "use one line of at most 80 characters, and nobody's name", "this cannot be a title")
	}
	return s, nil
}

// days checks a first and a last day; the last may be "".
func days(from, until gatehouse.Date) error {
	if _, err := gatehouse.ParseDate(string(from)); err != nil {
		return err
	}
	if until == "" {
		return nil
	}
	if _, err := gatehouse.ParseDate(string(until)); err != nil {
		return err
	}
	if until < from {
		return gatehouse.Errorf("hours.days", "give a last day that is not before the first", "it would end before it begins")
	}
	return nil
}
