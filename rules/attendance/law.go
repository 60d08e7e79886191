package attendance

import (
	"time"

	"gatehouse"
)

// A preset is what a law asks for at least, as published at its Source. It is a beginning,
// and no advice: contracts, collective agreements and national law may ask for more, and
// a site changes it to what holds there.

// Presets are the laws that Gatehouse brings, by name.
func Presets() map[string]gatehouse.AttendanceRules {
	return map[string]gatehouse.AttendanceRules{"cn": China(), "eu": EuropeanUnion(), "us": UnitedStates(), "us-ca": California()}
}

// China: 8 hours a day (State Council Decree 174, art. 3); beyond them 150 %, on rest days
// 200 % or time off instead, on public holidays 300 % (Labour Law art. 44; Interim Provisions
// on Wage Payment art. 13); overtime at most 3 hours a day and 36 a month (Labour Law
// art. 41). A holiday is its 24 hours, so a night shift is split at midnight.
func China() gatehouse.AttendanceRules {
	return gatehouse.AttendanceRules{Name: "cn",
		Source:     "Labour Law of the PRC (1994, amended 2018) art. 38, 41, 44; Interim Provisions on Wage Payment (Ministry of Labour [1994] No. 489) art. 13; State Council Decree 174 (1995) art. 3",
		Pairing:    gatehouse.ByDirection,
		WeekBegins: time.Monday, HolidaysByClock: true,
		Overtime: []gatehouse.OvertimeTier{
			{Code: "overtime-150", Scope: gatehouse.OverDay, After: 480, Rate: 15000},
			{Code: "overtime-200", Scope: gatehouse.OnRestDay, Rate: 20000},
			{Code: "overtime-300", Scope: gatehouse.OnHoliday, Rate: 30000},
		},
		// Art. 38 asks for a day off in each week.
		Limits: gatehouse.WorkLimits{WeeklyRest: 1440, OvertimeDay: 180, OvertimeMonth: 36 * 60}}
}

// EuropeanUnion is Directive 2003/88/EC: 11 hours of rest a day (art. 3), a break in more
// than 6 hours (art. 4; how long is for national law), 24 hours besides those 11 once a
// week (art. 5), 48 hours a week on average (art. 6) over at most 4 months (art. 16 b), here
// 17 weeks. What overtime is paid is for national law: there are no tiers.
func EuropeanUnion() gatehouse.AttendanceRules {
	return gatehouse.AttendanceRules{Name: "eu",
		Source:     "Directive 2003/88/EC of 4 November 2003, OJ L 299, 18.11.2003, p. 9, art. 3 to 6 and 16; CJEU C-477/21 (2 March 2023) on daily rest besides weekly rest",
		Pairing:    gatehouse.ByDirection,
		WeekBegins: time.Monday,
		Limits:     gatehouse.WorkLimits{DailyRest: 11 * 60, WeeklyRest: 35 * 60, WeekMost: 48 * 60, AverageWeeks: 17, BreakAfter: 6 * 60, BreakLeast: 1}}
}

// UnitedStates is the Fair Labor Standards Act: one and a half times beyond 40 hours of a
// workweek (29 U.S.C. 207(a)(1)), each week alone (29 CFR 778.104), nothing for nights,
// weekends and holidays as such (29 CFR 778.102). Rounding to the nearest quarter is accepted as
// long as it evens out (29 CFR 785.48(b)); the preset does not round.
func UnitedStates() gatehouse.AttendanceRules {
	return gatehouse.AttendanceRules{Name: "us",
		Source:     "Fair Labor Standards Act, 29 U.S.C. 207(a)(1); 29 CFR 778.102 to 778.105, 778.110, 785.48",
		Pairing:    gatehouse.ByDirection,
		WeekBegins: time.Sunday,
		Overtime:   []gatehouse.OvertimeTier{{Code: "overtime-150", Scope: gatehouse.OverWeek, After: 2400, Rate: 15000}}}
}

// California adds days: one and a half times beyond 8 hours and in the first 8 of the seventh
// day in a row of a workweek, twice beyond 12 hours and beyond 8 on that day; hours paid so
// do not count again towards the week's 40 (California Labor Code § 510(a)).
func California() gatehouse.AttendanceRules {
	return gatehouse.AttendanceRules{Name: "us-ca",
		Source:     "California Labor Code § 510(a)",
		Pairing:    gatehouse.ByDirection,
		WeekBegins: time.Sunday,
		Overtime: []gatehouse.OvertimeTier{
			{Code: "overtime-150", Scope: gatehouse.OverDay, After: 480, Rate: 15000},
			{Code: "overtime-200", Scope: gatehouse.OverDay, After: 720, Rate: 20000},
			{Code: "overtime-150", Scope: gatehouse.OverWeek, After: 2400, Rate: 15000},
			{Code: "overtime-150", Scope: gatehouse.SeventhDay, Rate: 15000},
			{Code: "overtime-200", Scope: gatehouse.SeventhDay, After: 480, Rate: 20000},
		}}
}
