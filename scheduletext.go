package gatehouse

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The names of the days as people write them in gatehouse.yml and on the command line.
var weekdayNames = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

var hyphen = regexp.MustCompile(`\s*[-–]\s*`)

func unclear(format string, args ...any) error {
	return Errorf("schedule.malformed", `write it as "mon-fri 07:00-19:00" or "sat 22:00-06:00"; a day of its own as "2026-12-24 07:00-10:00" or "2026-12-25 closed"`, format, args...)
}

// ParseWindows reads "mon-fri 07:00-19:00" or "sat 08:00-12:00 13:00-17:00". A span that
// does not end behind its begin goes over midnight. It fails with schedule.malformed.
func ParseWindows(line string) ([]Window, error) {
	days, spans, err := cutSpans(line)
	if err != nil {
		return nil, err
	}
	first, last, isRange := strings.Cut(days, "-")
	if !isRange {
		last = first
	}
	from, to := slices.Index(weekdayNames[:], first), slices.Index(weekdayNames[:], last)
	if from < 0 || to < 0 {
		return nil, unclear("a day is mon, tue, wed, thu, fri, sat or sun")
	}
	var out []Window
	for d := from; ; d = (d + 1) % 7 {
		for _, s := range spans {
			out = append(out, Window{Day: time.Weekday(d), From: s.From, Until: s.Until})
		}
		if d == to {
			return out, nil
		}
	}
}

// ParseSchedule reads lines as ParseWindows and ParseSpecialDay do; empty ones are passed
// over. Errors: theirs.
func ParseSchedule(name string, windows, days []string, onHolidays bool) (Schedule, error) {
	s := Schedule{Name: name, OnHolidays: onHolidays}
	for _, line := range windows {
		if strings.TrimSpace(line) == "" {
			continue
		}
		w, err := ParseWindows(line)
		if err != nil {
			return s, err
		}
		s.Windows = append(s.Windows, w...)
	}
	for _, line := range days {
		if strings.TrimSpace(line) == "" {
			continue
		}
		d, err := ParseSpecialDay(line)
		if err != nil {
			return s, err
		}
		s.Days = append(s.Days, d)
	}
	return s, nil
}

// ParseSpecialDay reads "2026-12-24 07:00-10:00" or "2026-12-25 closed". It fails with
// schedule.malformed and date.malformed.
func ParseSpecialDay(line string) (SpecialDay, error) {
	line = strings.TrimSpace(line)
	text, rest, _ := strings.Cut(line, " ")
	date, err := ParseDate(text)
	if err != nil {
		return SpecialDay{}, err
	}
	if strings.TrimSpace(rest) == "closed" {
		return SpecialDay{Date: date}, nil
	}
	_, spans, err := cutSpans("x " + rest)
	return SpecialDay{Date: date, Spans: spans}, err
}

// cutSpans reads what stands before the first blank, and the spans behind it.
func cutSpans(line string) (before string, spans []Span, err error) {
	words := strings.Fields(hyphen.ReplaceAllString(strings.ToLower(strings.ReplaceAll(line, ",", " ")), "-"))
	if len(words) < 2 {
		return "", nil, unclear("days and hours are missing")
	}
	for _, w := range words[1:] {
		begin, end, _ := strings.Cut(w, "-")
		b, err := minuteOf(begin)
		if err != nil {
			return "", nil, err
		}
		e, err := minuteOf(end)
		if err != nil {
			return "", nil, err
		}
		if e <= b { // over midnight
			e += 24 * 60
		}
		if b == 24*60 {
			return "", nil, unclear("24:00 is the end of a day and not the begin of one")
		}
		spans = append(spans, Span{From: b, Until: e})
	}
	return words[0], spans, nil
}

func minuteOf(text string) (int, error) {
	h, m, ok := strings.Cut(text, ":")
	hh, err1 := strconv.Atoi(h)
	mm, err2 := strconv.Atoi(m)
	if !ok || err1 != nil || err2 != nil || hh < 0 || mm < 0 || mm > 59 || hh*60+mm > 24*60 {
		return 0, unclear("%q is no time of day between 00:00 and 24:00", text)
	}
	return hh*60 + mm, nil
}

// String writes a span as ParseWindows reads it.
func (s Span) String() string {
	until := s.Until
	if until > 24*60 {
		until -= 24 * 60
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.From/60, s.From%60, until/60, until%60)
}

// String writes a special day as ParseSpecialDay reads it.
func (d SpecialDay) String() string {
	if len(d.Spans) == 0 {
		return string(d.Date) + " closed"
	}
	return string(d.Date) + " " + joined(d.Spans)
}

func joined(spans []Span) string {
	words := make([]string, len(spans))
	for i, s := range spans {
		words[i] = s.String()
	}
	return strings.Join(words, " ")
}

// Lines writes the weekly windows as ParseWindows reads them, one line for days that
// follow each other and have the same spans; the week begins on Monday.
func (s Schedule) Lines() (lines []string) {
	var days [7][]Span // from Monday
	for _, w := range s.Windows {
		d := (int(w.Day) + 6) % 7
		days[d] = append(days[d], Span{w.From, w.Until})
	}
	for i := range days {
		slices.SortFunc(days[i], func(a, b Span) int { return cmp.Or(a.From-b.From, a.Until-b.Until) })
	}
	for first := 0; first < 7; {
		last := first
		for last < 6 && slices.Equal(days[last+1], days[first]) {
			last++
		}
		if len(days[first]) > 0 {
			name := weekdayNames[(first+1)%7]
			if last > first {
				name += "-" + weekdayNames[(last+1)%7]
			}
			lines = append(lines, name+" "+joined(days[first]))
		}
		first = last + 1
	}
	return lines
}
