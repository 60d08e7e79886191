package gatehouse

import "time"

// Date is a day of the site's calendar as YYYY-MM-DD, so that dates sort as they
// follow each other; "" is none.
type Date string

// DateOf is the day that t falls on, in t's own time zone.
func DateOf(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

// ParseDate reads YYYY-MM-DD of the years 2000 to 2199. It fails with date.malformed.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 2000 || t.Year() > 2199 {
		return "", Errorf("date.malformed", "write it as 2026-12-25", "this is no date")
	}
	return DateOf(t), nil
}

// Before is the day before; "" of what is no day.
func (d Date) Before() Date {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return ""
	}
	return DateOf(t.AddDate(0, 0, -1))
}
