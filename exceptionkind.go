package gatehouse

import "strings"

// ExceptionKinds lists them all, in the order in which pages show them.
var ExceptionKinds = []ExceptionKind{MissingIn, MissingOut, MissingPunch, NoDirection, TooLong, FuturePunch, TwoSites, LateIn, EarlyOut, AwayTime, Absent, ShortDay, Unplanned, RosterClash,
	ShiftUnknown, DailyRest, WeeklyRest, DayLimit, WeekLimit, BreakMissing, OvertimeLimit}

// In a sentence {n} is the exception's minutes and {limit} what they are measured by, both
// as hours and minutes.
var exceptionSentences = map[ExceptionKind][2]string{
	MissingIn:     {"A punch for coming is missing.", "缺少上班打卡。"},
	MissingOut:    {"A punch for going is missing.", "缺少下班打卡。"},
	MissingPunch:  {"A punch is missing, and nothing says whether for coming or going.", "缺少一次打卡，无法判断是上班还是下班。"},
	NoDirection:   {"A punch does not say whether somebody came or went.", "打卡记录没有进出方向。"},
	TooLong:       {"{n} at a stretch is longer than {limit}: a punch is missing.", "连续 {n} 超过 {limit}：缺少打卡。"},
	FuturePunch:   {"A punch lies in the future, and does not count.", "打卡时间在未来，不予计算。"},
	TwoSites:      {"Punches at two sites are {n} apart, and less than {limit} is too little for the way.", "两个站点的打卡相隔 {n}，少于路程所需的 {limit}。"},
	LateIn:        {"{n} late.", "迟到 {n}。"},
	EarlyOut:      {"Left {n} early.", "早退 {n}。"},
	AwayTime:      {"Away for {n}, where breaks are {limit}.", "离开 {n}，规定休息 {limit}。"},
	Absent:        {"Absent for {n}.", "缺勤 {n}。"},
	ShortDay:      {"{n} less than the {limit} that were due.", "比应出勤的 {limit} 少 {n}。"},
	Unplanned:     {"Worked {n} on a day without a shift.", "在没有排班的日子工作了 {n}。"},
	RosterClash:   {"Two plans for this day contradict each other, so it has none.", "当日有两个相互矛盾的排班，因此视为无排班。"},
	ShiftUnknown:  {"The roster names a shift or a time zone that is not there, or cannot be worked.", "排班中的班次或时区不存在或无效。"},
	DailyRest:     {"{n} of rest before this day, where {limit} are due.", "当日之前休息 {n}，应为 {limit}。"},
	WeeklyRest:    {"The longest rest of this week is {n}, where {limit} are due.", "本周最长连续休息 {n}，应为 {limit}。"},
	DayLimit:      {"{n} in a day, where {limit} are the most.", "当日工作 {n}，上限为 {limit}。"},
	WeekLimit:     {"{n} in a week on average, where {limit} are the most.", "平均每周工作 {n}，上限为 {limit}。"},
	BreakMissing:  {"{n} without a break, where one is due after {limit}.", "连续工作 {n} 未休息，{limit} 后应休息。"},
	OvertimeLimit: {"{n} of overtime, where {limit} are the most.", "加班 {n}，上限为 {limit}。"},
}

// Sentence returns the exception for people; lang "zh" gives Chinese, all else English.
func (e Exception) Sentence(lang string) string {
	s, ok := exceptionSentences[e.Kind]
	if !ok {
		return string(e.Kind)
	}
	text := s[0]
	if lang == "zh" {
		text = s[1]
	}
	return strings.NewReplacer("{n}", HoursMinutes(e.Minutes), "{limit}", HoursMinutes(e.Limit)).Replace(text)
}
