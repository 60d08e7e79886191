package gatehouse

import (
	"strings"
	"testing"
	"time"
)

// Every rule and exception has a sentence in both languages, none stands for two, and the
// lists have no others.
func TestTimeRulesAndExceptionsAreClosedLists(t *testing.T) {
	seen := map[string]string{}
	say := func(code, text string) {
		if text == code || text == "" || strings.ContainsAny(text, "{}") || seen[text] != "" {
			t.Errorf("%s: %q (also of %q)", code, text, seen[text])
		}
		seen[text] = code
	}
	for _, lang := range []string{"en", "zh"} {
		for _, r := range TimeRules {
			say(string(r), r.Sentence(lang, 15))
		}
		for _, k := range ExceptionKinds {
			say(string(k), Exception{Kind: k, Minutes: 75, Limit: 480}.Sentence(lang))
		}
	}
	if len(timeRuleSentences) != len(TimeRules) || len(exceptionSentences) != len(ExceptionKinds) {
		t.Errorf("%d and %d sentences for %d rules and %d exceptions", len(timeRuleSentences), len(exceptionSentences), len(TimeRules), len(ExceptionKinds))
	}
	if got := (Exception{Kind: DailyRest, Minutes: 540, Limit: 660}).Sentence("en"); got != "9:00 of rest before this day, where 11:00 are due." {
		t.Error(got)
	}
}

func TestHoursMinutes(t *testing.T) {
	for n, want := range map[int]string{0: "0:00", 5: "0:05", 59: "0:59", 60: "1:00", 425: "7:05", 6000: "100:00", -65: "-1:05"} {
		if got := HoursMinutes(n); got != want {
			t.Errorf("%d minutes are %s, want %s", n, got, want)
		}
	}
}

// A punch counts from the minute that it fell in, also before 1970.
func TestMinuteOf(t *testing.T) {
	for _, s := range []int64{0, 59, 60, -1, -60, -61, 1_800_000_059} {
		at := time.Unix(s, 999_999_999)
		if m := MinuteOf(at).Time(); m.After(at) || at.Sub(m) >= time.Minute || m.Second() != 0 {
			t.Errorf("%v falls in %v", at, m)
		}
	}
}

// A span is read as it is written, over midnight too.
func TestShiftParts(t *testing.T) {
	for text, want := range map[string]ShiftPart{"08:00-16:30": {480, 990}, "22:00-06:00": {1320, 1800}, "00:00-24:00": {0, 1440}, "25:00-26:30": {1500, 1590}, "08:00-32:00": {480, 1920}, "08:00-08:00": {480, 480}} {
		got, err := ParseShiftPart(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s is %+v, written %s, %v", text, got, got, err)
		}
	}
	for _, text := range []string{"", "8", "08:00", "08:00-", "08:61-09:00", "-1:00-02:00", "08:0-09:00", "49:00-50:00", "08:00-09:00-10:00"} {
		if got, err := ParseShiftPart(text); ErrorCode(err) != "shift.span" {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
}
