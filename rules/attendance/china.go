package attendance

import (
	"fmt"
	"time"

	"gatehouse"
)

// cnHoliday is one holiday of a State Council notice.
type cnHoliday struct {
	title       string
	from, until gatehouse.Date // the days off, both included
	statutory   []gatehouse.Date
	work        []gatehouse.Date // adjusted working days
}

// The days of the notices of the General Office of the State Council: Guobanfamingdian [2024]
// No. 12 (12 November 2024) for 2025, and that of 4 November 2025 for 2026. The notices say
// which days are off and which weekends are worked. Which of the days off are public holidays
// (paid at 300 %, the others at 200 %) follows from art. 2 of the Regulation on Public Holidays
// (State Council Decree 795, 10 November 2024): New Year's Day, New Year's Eve to the third
// day of the lunar year, Qingming, 1 and 2 May, Dragon Boat, Mid-Autumn, 1 to 3 October.
var cnHolidays = []cnHoliday{
	{"元旦", "2025-01-01", "2025-01-01", []gatehouse.Date{"2025-01-01"}, nil},
	{"春节", "2025-01-28", "2025-02-04", []gatehouse.Date{"2025-01-28", "2025-01-29", "2025-01-30", "2025-01-31"}, []gatehouse.Date{"2025-01-26", "2025-02-08"}},
	{"清明节", "2025-04-04", "2025-04-06", []gatehouse.Date{"2025-04-04"}, nil},
	{"劳动节", "2025-05-01", "2025-05-05", []gatehouse.Date{"2025-05-01", "2025-05-02"}, []gatehouse.Date{"2025-04-27"}},
	{"端午节", "2025-05-31", "2025-06-02", []gatehouse.Date{"2025-05-31"}, nil},
	{"国庆节、中秋节", "2025-10-01", "2025-10-08", []gatehouse.Date{"2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06"}, []gatehouse.Date{"2025-09-28", "2025-10-11"}},
	{"元旦", "2026-01-01", "2026-01-03", []gatehouse.Date{"2026-01-01"}, []gatehouse.Date{"2026-01-04"}},
	{"春节", "2026-02-15", "2026-02-23", []gatehouse.Date{"2026-02-16", "2026-02-17", "2026-02-18", "2026-02-19"}, []gatehouse.Date{"2026-02-14", "2026-02-28"}},
	{"清明节", "2026-04-04", "2026-04-06", []gatehouse.Date{"2026-04-05"}, nil},
	{"劳动节", "2026-05-01", "2026-05-05", []gatehouse.Date{"2026-05-01", "2026-05-02"}, []gatehouse.Date{"2026-05-09"}},
	{"端午节", "2026-06-19", "2026-06-21", []gatehouse.Date{"2026-06-19"}, nil},
	{"中秋节", "2026-09-25", "2026-09-27", []gatehouse.Date{"2026-09-25"}, nil},
	{"国庆节", "2026-10-01", "2026-10-07", []gatehouse.Date{"2026-10-01", "2026-10-02", "2026-10-03"}, []gatehouse.Date{"2026-09-20", "2026-10-10"}},
}

// ChineseCalendar is mainland China's calendar of 2025 and 2026. A year whose notice was
// not published yet is not in it: nobody can calculate adjusted days.
func ChineseCalendar() gatehouse.WorkCalendar {
	kinds := map[day]gatehouse.CalendarDay{}
	first, last := day(1<<30), day(0)
	put := func(d day, kind gatehouse.DayClass, title string) {
		kinds[d] = gatehouse.CalendarDay{Date: d.date(), Kind: kind, Title: title}
		first, last = min(first, d), max(last, d)
	}
	for _, h := range cnHolidays {
		from, _ := dayOf(h.from)
		until, _ := dayOf(h.until)
		for d := from; d <= until; d++ {
			put(d, gatehouse.RestDay, h.title)
		}
		for _, s := range h.statutory {
			d, _ := dayOf(s)
			put(d, gatehouse.HolidayDay, h.title)
		}
		for _, s := range h.work {
			d, _ := dayOf(s)
			put(d, gatehouse.WorkDay, fmt.Sprintf("%s调休上班", h.title))
		}
	}
	c := gatehouse.WorkCalendar{Name: "cn", Weekend: []time.Weekday{time.Saturday, time.Sunday},
		Source: "State Council General Office, Guobanfamingdian [2024] No. 12 and notice of 4 November 2025; State Council Decree 795 art. 2"}
	for d := first; d <= last; d++ {
		if k, ok := kinds[d]; ok {
			c.Days = append(c.Days, k)
		}
	}
	return c
}
