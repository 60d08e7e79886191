package access

import (
	"testing"
	"time"

	"gatehouse"

	"pgregory.net/rapid"
)

func berlin(t interface{ Fatal(...any) }) *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// weekdays are the same spans on every day from Monday to Friday.
func weekdays(spans ...gatehouse.Span) (all []gatehouse.Window) {
	for d := time.Monday; d <= time.Friday; d++ {
		for _, s := range spans {
			all = append(all, gatehouse.Window{Day: d, From: s.From, Until: s.Until})
		}
	}
	return all
}

func hm(h, m int) int { return h*60 + m }

func TestOpen(t *testing.T) {
	local := berlin(t)
	day := gatehouse.Schedule{Windows: weekdays(gatehouse.Span{From: hm(7, 0), Until: hm(12, 0)}, gatehouse.Span{From: hm(13, 0), Until: hm(19, 0)}),
		Days: []gatehouse.SpecialDay{{Date: "2026-12-24", Spans: []gatehouse.Span{{From: hm(7, 0), Until: hm(10, 0)}}}, {Date: "2026-11-30"}, {Date: "2026-12-25", Spans: []gatehouse.Span{{From: hm(9, 0), Until: hm(10, 0)}}}}}
	night := gatehouse.Schedule{Windows: weekdays(gatehouse.Span{From: hm(22, 0), Until: hm(30, 0)})}
	always := night
	always.OnHolidays = true
	spring := gatehouse.Schedule{Windows: []gatehouse.Window{{Day: time.Sunday, From: hm(1, 0), Until: hm(2, 30)}, {Day: time.Sunday, From: hm(2, 0), Until: hm(2, 59)}}}
	whole := gatehouse.Schedule{Windows: []gatehouse.Window{{Day: time.Sunday, From: 0, Until: 1440}}}
	c := gatehouse.Calendar{Schedules: map[string]gatehouse.Schedule{"day": day, "night": night, "night-holidays": always, "spring": spring, "whole": whole},
		Holidays: map[gatehouse.Date]gatehouse.Holiday{"2026-12-25": {}, "2026-12-24": {}, "2026-11-27": {}}}
	for _, x := range []struct {
		schedule, at string
		want         bool
	}{
		{"day", "2026-11-26 06:59", false}, {"day", "2026-11-26 07:00", true}, {"day", "2026-11-26 11:59", true}, {"day", "2026-11-26 12:00", false},
		{"day", "2026-11-26 13:00", true}, {"day", "2026-11-28 09:00", false},
		{"day", "2026-11-27 09:00", false},                                    // a holiday, a Friday
		{"day", "2026-12-24 09:00", true}, {"day", "2026-12-24 10:00", false}, // a special day comes before a holiday
		{"day", "2026-12-25 09:30", true},  // the same
		{"day", "2026-11-30 09:00", false}, // a special day without spans
		{"night", "2026-11-24 21:59", false}, {"night", "2026-11-24 22:00", true}, {"night", "2026-11-25 05:59", true}, {"night", "2026-11-25 06:00", false},
		{"night", "2026-11-27 05:00", true},                                        // Thursday's night ends on the holiday
		{"night", "2026-11-27 23:00", false}, {"night", "2026-11-28 03:00", false}, // the holiday's own night is closed as a whole
		{"night-holidays", "2026-11-27 23:00", true}, {"night-holidays", "2026-11-28 03:00", true},
		{"night", "2026-11-29 03:00", false}, // no Saturday night
		{"always", "2026-12-25 03:00", true}, {"gone", "2026-11-26 09:00", false},
		{"spring", "2026-03-29 01:59", true}, {"spring", "2026-03-29 03:00", false}, // 02:00 to 02:59 was skipped
		{"whole", "2026-03-29 23:59", true}, {"whole", "2026-10-25 23:59", true}, {"whole", "2026-10-26 00:00", false},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", x.at, local)
		if err != nil {
			t.Fatal(err)
		}
		if got := Open(x.schedule, c, at); got != x.want {
			t.Errorf("%s at %s: %t", x.schedule, x.at, got)
		}
	}
	// In autumn the hour from 02:00 to 03:00 comes twice, and counts twice.
	first := time.Date(2026, 10, 25, 0, 15, 0, 0, time.UTC).In(local) // 02:15, summer time
	for _, at := range []time.Time{first, first.Add(time.Hour)} {
		if at.Hour() != 2 || !Open("spring", c, at) {
			t.Errorf("%v: closed", at)
		}
	}
}

func TestNext(t *testing.T) {
	local := berlin(t)
	c := gatehouse.Calendar{Schedules: map[string]gatehouse.Schedule{
		"day":    {Windows: weekdays(gatehouse.Span{From: hm(7, 0), Until: hm(12, 0)})},
		"spring": {Windows: []gatehouse.Window{{Day: time.Sunday, From: hm(2, 30), Until: hm(3, 30)}}},
		"once":   {Days: []gatehouse.SpecialDay{{Date: "2027-01-06", Spans: []gatehouse.Span{{From: hm(8, 0), Until: hm(9, 0)}}}}},
		"never":  {},
	}, Holidays: map[gatehouse.Date]gatehouse.Holiday{"2026-11-27": {}}}
	at := func(s string) time.Time {
		x, _ := time.ParseInLocation("2006-01-02 15:04", s, local)
		return x
	}
	for _, x := range []struct{ schedule, now, want string }{
		{"day", "2026-11-26 06:00", "2026-11-26 07:00"}, {"day", "2026-11-26 12:00", "2026-11-30 07:00"}, // over a holiday and a weekend
		{"day", "2026-11-26 08:00", ""}, {"once", "2026-11-26 08:00", "2027-01-06 08:00"}, {"never", "2026-11-26 08:00", ""}, {"gone", "2026-11-26 08:00", ""},
		{"spring", "2026-03-28 08:00", "2026-03-29 03:00"}, // 02:30 is skipped
	} {
		got := Next(x.schedule, c, at(x.now))
		if x.want == "" && !got.IsZero() || x.want != "" && !got.Equal(at(x.want)) {
			t.Errorf("%s after %s: %v, want %s", x.schedule, x.now, got, x.want)
		}
	}
}

// What Next promises: the schedule holds then, and at no minute before.
func TestNextIsTheFirst(t *testing.T) {
	local := berlin(t)
	rapid.Check(t, func(t *rapid.T) {
		var s gatehouse.Schedule
		for range rapid.IntRange(1, 4).Draw(t, "windows") {
			from := rapid.IntRange(0, 1439).Draw(t, "from")
			s.Windows = append(s.Windows, gatehouse.Window{Day: time.Weekday(rapid.IntRange(0, 6).Draw(t, "day")), From: from, Until: from + rapid.IntRange(1, 1440).Draw(t, "length")})
		}
		c := gatehouse.Calendar{Schedules: map[string]gatehouse.Schedule{"s": s}}
		around := rapid.SampledFrom([]time.Time{time.Date(2026, 3, 27, 0, 0, 0, 0, local), time.Date(2026, 10, 23, 0, 0, 0, 0, local)}).Draw(t, "around")
		now := around.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "minutes")) * time.Minute)
		next := Next("s", c, now)
		if next.IsZero() {
			if !Open("s", c, now) {
				t.Fatal("a weekly window never comes")
			}
			return
		}
		if !Open("s", c, next) {
			t.Fatalf("closed at %v", next)
		}
		for at := now; at.Before(next); at = at.Add(time.Minute) {
			if Open("s", c, at) {
				t.Fatalf("open at %v, before %v", at, next)
			}
		}
	})
}
