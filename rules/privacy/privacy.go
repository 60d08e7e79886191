// Package privacy says by when a person's request must be answered, when a consent is
// about to end, and how far a site is from having to file with the authority: pure
// functions over times and numbers.
package privacy

import "time"

// Filing is how many people's faces a site may hold before it has to file with the
// authority (China's measures on facial recognition of 2025, article 15: within 30
// working days of reaching it).
const Filing = 100_000

// warnAt is the share of Filing from which on a site is told.
const warnAt = 0.8

// FilingState says where a site stands.
type FilingState string

// The states.
const (
	Below FilingState = "below"
	Near  FilingState = "near" // four fifths are there
	Due   FilingState = "due"
)

// FilingOf is the state of a site with that many enrolled people.
func FilingOf(people int) FilingState {
	switch {
	case people >= Filing:
		return Due
	case float64(people) >= warnAt*Filing:
		return Near
	}
	return Below
}

// Answer is the last day for answering a request that came at opened: a month later
// (GDPR 12(3)), which China's 30 days (GB/T 35273) are never longer than by more than a
// day, so the earlier of the two. It is the day's last second, in the site's time zone.
func Answer(opened time.Time, zone *time.Location) time.Time {
	day := opened.In(zone)
	return endOf(earlier(months(day, 1), day.AddDate(0, 0, 30)))
}

// Extend puts the last day off by two further months, for many or complex requests
// (GDPR 12(3)); the person must be told within the first.
func Extend(opened time.Time, zone *time.Location) time.Time {
	return endOf(months(opened.In(zone), 3))
}

// months adds n months to a day: to its last day where that month is shorter (Regulation
// 1182/71, article 3(2)(c)).
func months(day time.Time, n int) time.Time {
	y, m, d := day.Date()
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, day.Location()).Day()
	return time.Date(y, m+time.Month(n), min(d, last), 0, 0, 0, 0, day.Location())
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func endOf(day time.Time) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, 23, 59, 59, 0, day.Location())
}

// Soon is how long before its end something counts as about to end.
const Soon = 30 * 24 * time.Hour

// Lapsing reports whether a consent is about to lapse at now: the badge that it is for
// ends within Soon, or has ended and nobody withdrew it.
func Lapsing(validUntil, now time.Time) bool {
	return !validUntil.IsZero() && validUntil.Before(now.Add(Soon))
}
