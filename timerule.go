package gatehouse

import "strings"

// TimeRule is the rule that made a span of minutes what it is: a code of a closed list,
// with a sentence in English and Chinese.
type TimeRule string

// The rules.
const (
	RulePaired        TimeRule = "paired"
	RuleDayTier       TimeRule = "overtime.day"
	RulePlanTier      TimeRule = "overtime.plan"
	RuleWeekTier      TimeRule = "overtime.week"
	RuleRestTier      TimeRule = "overtime.rest_day"
	RuleHolidayTier   TimeRule = "overtime.holiday"
	RuleSeventhTier   TimeRule = "overtime.seventh_day"
	RuleRoundIn       TimeRule = "round.in"
	RuleRoundOut      TimeRule = "round.out"
	RuleGraceIn       TimeRule = "grace.in"
	RuleGraceOut      TimeRule = "grace.out"
	RuleOutsideShift  TimeRule = "outside.shift"
	RuleOutsideFrame  TimeRule = "outside.frame"
	RuleCountedBefore TimeRule = "counted.before"
	RuleFixedBreak    TimeRule = "break.fixed"
	RuleBreakAfter    TimeRule = "break.after"
	RuleSplit         TimeRule = "break.split"
	RulePunchedBreak  TimeRule = "break.punched"
	RuleTooLong       TimeRule = "too_long"
	RuleLeave         TimeRule = "leave"
)

// TimeRules lists them all.
var TimeRules = []TimeRule{RulePaired, RuleDayTier, RulePlanTier, RuleWeekTier, RuleRestTier, RuleHolidayTier, RuleSeventhTier, RuleRoundIn, RuleRoundOut,
	RuleGraceIn, RuleGraceOut, RuleOutsideShift, RuleOutsideFrame, RuleCountedBefore, RuleFixedBreak, RuleBreakAfter, RuleSplit, RulePunchedBreak, RuleTooLong, RuleLeave}

var timeRuleSentences = map[TimeRule][2]string{
	RulePaired:        {"Between these two punches.", "位于这两次打卡之间。"},
	RuleDayTier:       {"Beyond {n} of work on this day.", "当日工作超过 {n} 的部分。"},
	RulePlanTier:      {"Beyond what was planned for this day, by more than {n}.", "超出当日排班 {n} 以上的部分。"},
	RuleWeekTier:      {"Beyond {n} of regular work in this week.", "本周正常工作超过 {n} 的部分。"},
	RuleRestTier:      {"On a rest day, after {n}.", "休息日工作，{n} 之后。"},
	RuleHolidayTier:   {"On a public holiday, after {n}.", "法定节假日工作，{n} 之后。"},
	RuleSeventhTier:   {"On the seventh day of work in a row in this week, after {n}.", "本周连续工作第七天，{n} 之后。"},
	RuleRoundIn:       {"Coming is rounded to {n}.", "上班打卡按 {n} 取整。"},
	RuleRoundOut:      {"Going is rounded to {n}.", "下班打卡按 {n} 取整。"},
	RuleGraceIn:       {"Within {n} of the shift's begin: it counts from the begin.", "在班次开始前后 {n} 内：按班次开始计算。"},
	RuleGraceOut:      {"Within {n} of the shift's end: it counts until the end.", "在班次结束前后 {n} 内：按班次结束计算。"},
	RuleOutsideShift:  {"Outside the shift, where nothing counts.", "班次以外，不计入工时。"},
	RuleOutsideFrame:  {"Outside the hours between which flexible work counts.", "弹性工作时段以外，不计入工时。"},
	RuleCountedBefore: {"These minutes are counted already.", "该时段已经计入。"},
	RuleFixedBreak:    {"The shift's break.", "班次规定的休息时间。"},
	RuleBreakAfter:    {"A break is deducted after {n} of work.", "工作满 {n} 后扣除休息时间。"},
	RuleSplit:         {"Between the parts of a split shift.", "分段班次的间隔。"},
	RulePunchedBreak:  {"Between going and coming back.", "离开与返回之间。"},
	RuleTooLong:       {"Longer than {n} at a stretch: a punch is missing, nothing counts until it is corrected.", "连续超过 {n}：缺少打卡，更正前不计入工时。"},
	RuleLeave:         {"Approved leave.", "已批准的休假。"},
}

// Sentence returns the rule for people, with n minutes as hours and minutes; lang "zh"
// gives Chinese, all else English.
func (r TimeRule) Sentence(lang string, n int) string {
	s, ok := timeRuleSentences[r]
	if !ok {
		return string(r)
	}
	text := s[0]
	if lang == "zh" {
		text = s[1]
	}
	return strings.ReplaceAll(text, "{n}", HoursMinutes(n))
}

// HoursMinutes writes minutes as 7:05; below zero with a minus.
func HoursMinutes(n int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	b := []byte(sign)
	b = appendInt(b, n/60)
	return string(append(b, ':', byte('0'+n%60/10), byte('0'+n%60%10)))
}

func appendInt(b []byte, n int) []byte {
	if n >= 10 {
		b = appendInt(b, n/10)
	}
	return append(b, byte('0'+n%10))
}
