package parking

import (
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// Every kind of line has words in both languages, with its numbers in them.
func TestEveryLineIsSaid(t *testing.T) {
	for _, l := range []gatehouse.ChargeLine{
		{Kind: gatehouse.GraceLine, Block: 15 * time.Minute}, {Kind: gatehouse.ComplimentaryLine, Block: 90 * time.Minute},
		{Kind: gatehouse.TimeLine, Name: "day", Count: 3, Block: time.Hour, Per: time.Hour, Price: 250}, {Kind: gatehouse.TimeLine, Name: "day", Count: 7, Block: time.Minute, Per: time.Hour, Price: 180},
		{Kind: gatehouse.TimeLine, Name: Unnamed, Count: 3, Block: time.Hour, Per: time.Hour, Price: 250},
		{Kind: gatehouse.FlatLine, Name: "night", Price: 300}, {Kind: gatehouse.CapLine, Name: "stay", Price: 900}, {Kind: gatehouse.CapLine, Name: "day", Price: 900},
		{Kind: gatehouse.CapLine, Name: "24h", Price: 900}, {Kind: gatehouse.CapLine, Name: "any_24h", Price: 900}, {Kind: gatehouse.PeriodCapLine, Name: "day", Price: 900},
		{Kind: gatehouse.LostLine, Price: 2000}, {Kind: gatehouse.RoundLine, Price: 10}, {Kind: gatehouse.PassLine, Name: "monthly"}, {Kind: gatehouse.ValidationLine, Name: "shop", Block: time.Hour},
		{Kind: gatehouse.ValidationLine, Name: "shop", Price: 1250}, {Kind: gatehouse.ValidationLine, Name: "shop"}, {Kind: gatehouse.IgnoredLine, Name: "shop", Count: 2}, {Kind: gatehouse.TaxLine, Name: "VAT", Price: 700},
	} {
		en, zh := Say(l, "EUR", "en"), Say(l, "EUR", "zh")
		if strings.Contains(zh, Unnamed) {
			t.Errorf("the English name of a period without one: %q", zh)
		}
		if en == "" || zh == "" || en == string(l.Kind) || zh == string(l.Kind) || l.Kind != gatehouse.TaxLine && en == zh {
			t.Errorf("%s: %q, %q", l.Kind, en, zh)
		}
		money := gatehouse.Money{Minor: l.Price, Currency: "EUR"}.Decimal()
		if percent := l.Kind == gatehouse.ValidationLine || l.Kind == gatehouse.TaxLine; l.Price > 0 && !percent && (!strings.Contains(en, money) || !strings.Contains(zh, money)) {
			t.Errorf("%s: %q, %q: without %s", l.Kind, en, zh, money)
		}
	}
	for d, want := range map[time.Duration]string{0: "0m", 59 * time.Minute: "59m", time.Hour: "1h", 90 * time.Minute: "1h30m", 24 * time.Hour: "24h", 48 * time.Hour: "2d", 49 * time.Hour: "49h"} {
		if got := Duration(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
	for d, want := range map[time.Duration][2]string{0: {"0 min", "0 分钟"}, 59 * time.Minute: {"59 min", "59 分钟"}, 90*time.Minute + 40*time.Second: {"1 h 30 min", "1 小时 30 分钟"},
		24 * time.Hour: {"1 d", "1 天"}, 49 * time.Hour: {"2 d 1 h", "2 天 1 小时"}} {
		if en, zh := Spoken(d, "en"), Spoken(d, "zh"); en != want[0] || zh != want[1] {
			t.Errorf("%v: %s, %s", d, en, zh)
		}
	}
	for b, want := range map[int64]string{1900: "19 %", 750: "7.5 %", 1: "0.01 %", 10000: "100 %"} {
		if got := Percent(b); got != want {
			t.Errorf("%d: %s", b, got)
		}
	}
}
