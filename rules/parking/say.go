package parking

import (
	"fmt"
	"strings"
	"time"

	"gatehouse"
)

// Say puts a line of a charge into words, without its amount; lang "zh" gives Chinese,
// all else English.
func Say(l gatehouse.ChargeLine, c gatehouse.Currency, lang string) string {
	if lang == "zh" {
		return sayZH(l, c)
	}
	price := gatehouse.Money{Minor: l.Price, Currency: c}.Decimal()
	switch l.Kind {
	case gatehouse.GraceLine:
		return "left within the " + Duration(l.Block) + " in which nothing is owed"
	case gatehouse.ComplimentaryLine:
		return "the first " + Duration(l.Block) + " are never charged"
	case gatehouse.TimeLine:
		return fmt.Sprintf("%s: %d × %s at %s%s", l.Name, l.Count, Duration(l.Block), price, per(l, " per ", Duration))
	case gatehouse.FlatLine:
		return l.Name + ": flat rate " + price
	case gatehouse.CapLine:
		return map[string]string{"stay": "a stay", "day": "the day", "24h": "24 hours from the entry", "any_24h": "any 24 hours"}[l.Name] + " at most " + price
	case gatehouse.PeriodCapLine:
		return l.Name + " at most " + price
	case gatehouse.LostLine:
		return "lost ticket: " + price
	case gatehouse.RoundLine:
		return "rounded to " + price
	case gatehouse.PassLine:
		return "covered by " + l.Name
	case gatehouse.ValidationLine:
		switch {
		case l.Block > 0:
			return fmt.Sprintf("%s gives %s", l.Name, Duration(l.Block))
		case l.Price > 0:
			return fmt.Sprintf("%s gives %s", l.Name, Percent(l.Price))
		}
		return "given by " + l.Name
	case gatehouse.IgnoredLine:
		return fmt.Sprintf("not counted: %s; no more than %d counts for a stay", l.Name, l.Count)
	case gatehouse.TaxLine:
		return l.Name + " " + Percent(l.Price)
	case gatehouse.RenewalLine:
		return l.Name + ", until " + l.Until.Format("2 Jan 2006, 15:04")
	case gatehouse.TopUpLine:
		return l.Name + ": money on the pass"
	}
	return string(l.Kind)
}

// Unnamed is the name of a period that its tariff does not name.
const Unnamed = "time"

func sayZH(l gatehouse.ChargeLine, c gatehouse.Currency) string {
	if l.Name == Unnamed {
		l.Name = "停车"
	}
	price := gatehouse.Money{Minor: l.Price, Currency: c}.Decimal()
	switch l.Kind {
	case gatehouse.GraceLine:
		return Spoken(l.Block, "zh") + "内驶离，不收费"
	case gatehouse.ComplimentaryLine:
		return "前 " + Spoken(l.Block, "zh") + "免费"
	case gatehouse.TimeLine:
		return fmt.Sprintf("%s：%d × %s，单价 %s%s", l.Name, l.Count, Spoken(l.Block, "zh"), price, per(l, " / ", spokenZH))
	case gatehouse.FlatLine:
		return l.Name + "：按次 " + price
	case gatehouse.CapLine:
		return map[string]string{"stay": "单次停车", "day": "当日", "24h": "入场起每 24 小时", "any_24h": "任意 24 小时"}[l.Name] + "封顶 " + price
	case gatehouse.PeriodCapLine:
		return l.Name + "封顶 " + price
	case gatehouse.LostLine:
		return "停车票遗失：" + price
	case gatehouse.RoundLine:
		return "取整到 " + price
	case gatehouse.PassLine:
		return "由 " + l.Name + " 抵扣"
	case gatehouse.ValidationLine:
		switch {
		case l.Block > 0:
			return fmt.Sprintf("%s 减免 %s", l.Name, Spoken(l.Block, "zh"))
		case l.Price > 0:
			return fmt.Sprintf("%s 减免 %s", l.Name, Percent(l.Price))
		}
		return l.Name + " 减免"
	case gatehouse.IgnoredLine:
		return fmt.Sprintf("未计入：%s（每次最多 %d 项减免）", l.Name, l.Count)
	case gatehouse.TaxLine:
		return l.Name + " " + Percent(l.Price)
	case gatehouse.RenewalLine:
		return l.Name + "，至 " + l.Until.Format("2006年1月2日 15:04")
	case gatehouse.TopUpLine:
		return l.Name + "：充值"
	}
	return string(l.Kind)
}

// per says which time a price is for, where that is not the block.
func per(l gatehouse.ChargeLine, word string, says func(time.Duration) string) string {
	if l.Per == l.Block {
		return ""
	}
	return word + says(l.Per)
}

// Spoken writes whole minutes as people say them: "1 h 30 min", "2 d"; lang "zh" gives
// "1 小时 30 分钟", "2 天".
func Spoken(d time.Duration, lang string) string {
	units := [3]string{"d", "h", "min"}
	if lang == "zh" {
		units = [3]string{"天", "小时", "分钟"}
	}
	minutes := int(d / time.Minute)
	var parts []string
	for i, n := range [3]int{minutes / (24 * 60), minutes / 60 % 24, minutes % 60} {
		if n > 0 || i == 2 && parts == nil {
			parts = append(parts, fmt.Sprintf("%d %s", n, units[i]))
		}
	}
	return strings.Join(parts, " ")
}

func spokenZH(d time.Duration) string { return Spoken(d, "zh") }

// Duration writes whole minutes as a tariff's file does: "90m", "1h", "1h30m", "2d".
func Duration(d time.Duration) string {
	day := 24 * time.Hour
	switch {
	case d == 0:
		return "0m"
	case d%day == 0 && d > day:
		return fmt.Sprintf("%dd", d/day)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
}

// Percent writes basis points: "19 %", "7.5 %".
func Percent(basisPoints int64) string {
	s := gatehouse.Money{Minor: basisPoints, Currency: "EUR"}.Decimal() // two digits, as an amount has
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + " %"
}
