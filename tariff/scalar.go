package tariff

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gatehouse"
)

// amount reads a price; an absent one is 0. A sign gets the reason that it deserves.
func (r *reader) amount(s scalar, path string) int64 {
	if s == "" {
		return 0
	}
	if strings.HasPrefix(string(s), "-") {
		r.say("price", path, "a price is not negative")
		return 0
	}
	m, err := gatehouse.ParseMoney(string(s), r.currency)
	digits, _ := r.currency.Exponent()
	switch {
	case gatehouse.ErrorCode(err) == "money.too_large":
		r.say("price", path, "the amount is larger than any that can be charged")
	case err != nil && digits == 0:
		r.say("price", path, "an amount in %s is written as digits", r.currency)
	case err != nil:
		r.say("price", path, "an amount in %s is written as digits, with at most %d behind a point", r.currency, digits)
	}
	return m.Minor
}

var durationForm = regexp.MustCompile(`^(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,6})m)?$`)

// duration reads days, hours and minutes: "15m", "1h30m", "2d"; an absent one is 0.
func (r *reader) duration(s scalar, path string) time.Duration {
	parts := durationForm.FindStringSubmatch(string(s))
	if s == "" || s == "0" {
		return 0
	}
	if parts == nil {
		r.say("duration", path, "a time is written as days, hours and minutes, such as 15m, 1h30m or 2d")
		return 0
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
		n, _ := strconv.Atoi(parts[i+1]) // digits or nothing
		d += time.Duration(n) * unit
	}
	return d
}

var clockForm = regexp.MustCompile(`^([01]\d|2[0-4]):([0-5]\d)$`)

// clock reads a time of day in minutes after midnight; 24:00 is the day's end.
func clock(s string) (int, bool) {
	parts := clockForm.FindStringSubmatch(strings.TrimSpace(s))
	if parts == nil {
		return 0, false
	}
	h, _ := strconv.Atoi(parts[1])
	m, _ := strconv.Atoi(parts[2])
	return h*60 + m, h*60+m <= 24*60
}

// hours reads "07:00-19:00"; absent ones are those given.
func (r *reader) hours(s scalar, path string, from, until int) (int, int) {
	if s == "" {
		return from, until
	}
	a, b, cut := strings.Cut(string(s), "-")
	f, ok := clock(a)
	u, too := clock(b)
	if !cut || !ok || !too {
		r.say("hours", path, "hours are written as 07:00-19:00")
		return from, until
	}
	return f, u
}

// The days' names, in the order of gatehouse.DayKind.
var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat", "holiday"}

// days reads "mon-fri, holiday"; absent ones are the default. A range may go over
// Sunday, and holds no holiday.
func (r *reader) days(s scalar, path string, absent []gatehouse.DayKind) []gatehouse.DayKind {
	if s == "" {
		return absent
	}
	has := [gatehouse.DayKinds]bool{}
	for part := range strings.SplitSeq(strings.Trim(string(s), "[]"), ",") {
		a, b, isRange := strings.Cut(strings.ToLower(strings.TrimSpace(part)), "-")
		from, ok := dayNamed(a)
		until, too := from, true
		if isRange {
			until, too = dayNamed(b)
		}
		if !ok || !too || isRange && (from == gatehouse.OnHolidays || until == gatehouse.OnHolidays) {
			r.say("days", path, "days are written as sun, mon, tue, wed, thu, fri, sat and holiday, with ranges such as mon-fri")
			return absent
		}
		for k := from; ; k = (k + 1) % 7 {
			has[k] = true
			if k == until || from == gatehouse.OnHolidays {
				break
			}
		}
	}
	var all []gatehouse.DayKind
	for k, ok := range has {
		if ok {
			all = append(all, gatehouse.DayKind(k))
		}
	}
	return all
}

func dayNamed(s string) (gatehouse.DayKind, bool) {
	for k, name := range dayNames {
		if name == s {
			return gatehouse.DayKind(k), true
		}
	}
	return 0, false
}

// percent reads a share of at most two digits behind the point, in basis points.
func (r *reader) percent(s scalar, path string) int64 {
	if s == "" {
		return 0
	}
	m, err := gatehouse.ParseMoney(strings.TrimSpace(strings.TrimSuffix(string(s), "%")), "EUR") // two digits, as an amount has
	if err != nil {
		r.say("tax", path, "a tax is written in per cent, with at most two digits behind a point")
	}
	return m.Minor
}

// moment reads a date, or a date and a time of day, in the tariff's time zone.
func (r *reader) moment(s scalar, path string) time.Time {
	if s == "" {
		return time.Time{}
	}
	for _, form := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(form, string(s), r.zone); err == nil {
			return t
		}
	}
	r.say("date", path, "a date is written as 2026-01-31, with 06:00 behind it where a day begins then")
	return time.Time{}
}

// holiday reads 2026-04-03, or 12-25 for every year.
func (r *reader) holiday(name string, s scalar, path string) gatehouse.TariffHoliday {
	h := gatehouse.TariffHoliday{Name: name}
	if t, err := time.Parse(time.DateOnly, string(s)); err == nil {
		h.Year, h.Month, h.Day = t.Year(), t.Month(), t.Day()
		return h
	}
	// A leap year, so that 29 February can be one.
	t, err := time.Parse(time.DateOnly, fmt.Sprintf("2024-%s", s))
	if err != nil {
		r.say("holiday", path, "a holiday is written as 2026-04-03, or 12-25 for every year")
	}
	h.Month, h.Day = t.Month(), t.Day()
	return h
}
