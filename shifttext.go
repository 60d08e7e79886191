package gatehouse

import (
	"fmt"
	"strconv"
	"strings"
)

// String is the span as people write it: 08:00-16:30. One that ends on the day after has
// an end before its begin: 22:00-06:00; of one that begins on the day after, both times have
// 24 hours more: 25:00-26:30. A whole day is 08:00-32:00.
func (p ShiftPart) String() string {
	if p.From >= 1440 {
		return clockText(p.From) + "-" + clockText(p.Until)
	}
	until := p.Until
	if until > 1440 && until-1440 < p.From {
		until -= 1440
	}
	return clockText(p.From) + "-" + clockText(until)
}

func clockText(n int) string { return fmt.Sprintf("%02d:%02d", n/60, n%60) }

// ParseShiftPart reads the form that String writes. Errors: shift.span.
func ParseShiftPart(s string) (ShiftPart, error) {
	from, until, ok := strings.Cut(strings.TrimSpace(s), "-")
	a, ok1 := parseClock(from)
	b, ok2 := parseClock(until)
	if !ok || !ok1 || !ok2 {
		return ShiftPart{}, Errorf("shift.span", "write it as 08:00-16:30, or 22:00-06:00 over midnight", "this is no span of a day")
	}
	if b < a && a < 1440 {
		b += 1440
	}
	return ShiftPart{a, b}, nil
}

// parseClock reads a time of a day and the next: minutes after its first midnight.
func parseClock(s string) (int, bool) {
	h, m, ok := strings.Cut(strings.TrimSpace(s), ":")
	hours, err := strconv.ParseUint(h, 10, 8)
	minutes, err2 := strconv.ParseUint(m, 10, 8)
	if !ok || err != nil || err2 != nil || len(m) != 2 || hours > 48 || minutes > 59 {
		return 0, false
	}
	return int(hours)*60 + int(minutes), true
}
