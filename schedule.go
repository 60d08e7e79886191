package gatehouse

import "time"

// Schedule says when something is open: in weekly windows, save on days that are
// different. Its times are those of the clock on the site's wall: an hour that the
// clock skips in spring has no minute, one that it repeats in autumn counts twice.
type Schedule struct {
	Name    string // CheckName has it; "always" is none
	Windows []Window
	// OnHolidays lets the weekly windows hold on the site's holidays, too; otherwise it
	// is closed then.
	OnHolidays bool
	// Days are different from every week and every holiday, by date.
	Days []SpecialDay
	// Revision is the rule book's version that it was last changed in; 0 for a schedule
	// of gatehouse.yml.
	Revision uint64
}

// Window is one span of a weekday, in minutes after local midnight: From is 0 to 1439,
// Until behind it. Beyond 1440 it goes over midnight, at most to the same minute of the
// next day, and belongs to the day on which it begins: where that is a holiday, the
// night behind it is closed as well.
type Window struct {
	Day         time.Weekday
	From, Until int
}

// SpecialDay is a date with spans of its own, as a Window's; without any it is closed.
type SpecialDay struct {
	Date  Date
	Spans []Span
}

// Span is a Window without its day.
type Span struct{ From, Until int }

// Holiday is a day on which schedules are closed that do not say otherwise.
type Holiday struct {
	Date     Date
	Title    string // for people, at most MaxTitle characters; not personal
	Revision uint64
}

// Calendar is all that depends on the day: schedules by name, and the holidays.
type Calendar struct {
	Schedules map[string]Schedule
	Holidays  map[Date]Holiday
}
