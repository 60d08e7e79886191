package parking

import "fmt"

// Problem is what is wrong with a tariff, and where: Path names the place as the file
// does, "versions[0].plans[1].periods[2].cap".
type Problem struct {
	Code    string // "tariff.gap", "tariff.overlap", "tariff.price", …
	Path    string
	Reason  string // in English
	Chinese string // the same; "" where there are no words for it
}

// bilingual is an argument of a reason that is itself words.
type bilingual struct{ en, zh string }

// Wrong makes a problem of a code behind "tariff.", a place, and a reason with its arguments.
func Wrong(code, path, format string, args ...any) Problem {
	en, zh := make([]any, len(args)), make([]any, len(args))
	for i, a := range args {
		en[i], zh[i] = a, a
		if b, ok := a.(bilingual); ok {
			en[i], zh[i] = b.en, b.zh
		}
	}
	p := Problem{Code: "tariff." + code, Path: path, Reason: fmt.Sprintf(format, en...)}
	if words, ok := chinese[format]; ok {
		p.Chinese = fmt.Sprintf(words, zh...)
	}
	return p
}

// Chinese is a reason without arguments in Chinese, "" where there are no words for it.
func Chinese(reason string) string { return chinese[reason] }

// chinese are the reasons in Chinese, by their format. Words of a tariff's file stay as they
// are.
var chinese = map[string]string{
	"a tariff's name is lower-case letters, digits and hyphens, at most 40":                          "费率名称由小写字母、数字和连字符组成，最多 40 个字符",
	"a tariff has 1 to %d versions":                                                                  "一个费率有 1 至 %d 个版本",
	"the currency changes from %s to %s: that is another tariff":                                     "币种由 %s 变为 %s：应另建费率",
	"a version begins later than the one before it":                                                  "每个版本的生效时间须晚于前一版本",
	"from %s until %s no version is in force":                                                        "%s 至 %s 之间没有生效的版本",
	"the version before it is in force until %s":                                                     "前一版本的有效期至 %s",
	"there is no such currency; use a code of ISO 4217, such as EUR or CNY":                          "没有此币种；请使用 ISO 4217 代码，如 EUR 或 CNY",
	"there is no such time zone; use a name such as Europe/Berlin":                                   "没有此时区；请使用如 Asia/Shanghai 的名称",
	"it ends before it begins":                                                                       "结束早于开始",
	"it may be 0 to 24 hours, in whole minutes":                                                      "可为 0 至 24 小时，以整分钟计",
	"0 to 100 may count":                                                                             "可计 0 至 100 次",
	"more than %d holidays":                                                                          "节假日超过 %d 个",
	"there is no such day":                                                                           "没有这一天",
	"a tax is 0 to 100 per cent":                                                                     "税率为 0 至 100%%",
	"a price is rounded to an amount that is larger than nothing":                                    "取整单位须大于零",
	"it may be down, up, half_up or half_even":                                                       "可为 down（舍去）、up（进位）、half_up（四舍五入）或 half_even（银行家舍入）",
	"a tariff has 1 to %d plans":                                                                     "一个费率有 1 至 %d 个价格方案",
	"a plan is for some class of vehicle":                                                            "价格方案须适用于某种车型",
	"a class is a name of lower-case letters, digits and hyphens":                                    "车型名称由小写字母、数字和连字符组成",
	"two plans are for the class %s":                                                                 "有两个价格方案适用于车型 %s",
	"no plan is for the class car, by which vehicles of any other class are charged":                 "没有适用于 car 的价格方案，而其他车型均按 car 计费",
	"a plan has 1 to %d periods":                                                                     "一个价格方案有 1 至 %d 个时段",
	"it may be instead, at_least or added":                                                           "可为 instead（代替）、at_least（至少）或 added（另加）",
	"a period has some days":                                                                         "时段须包含某些日子",
	"a period begins at 00:00 to 23:59 and ends at another time, at most 24:00":                      "时段始于 00:00 至 23:59，并止于另一时刻，最晚 24:00",
	"a period has a flat price or steps, not both":                                                   "时段可为一口价或阶梯价，不可两者并用",
	"a period has a flat price, or 1 to %d steps":                                                    "时段须有一口价，或 1 至 %d 级阶梯",
	"a block is 1 minute to 31 days, in whole minutes":                                               "计费单位为 1 分钟至 31 天，以整分钟计",
	"the time that a price is for is the block, or longer":                                           "价格所对应的时长不短于计费单位",
	"only the last step may have no end, and none that is repeated":                                  "只有最后一级阶梯可以没有终点；重复的阶梯都须有终点",
	"the last step has no end, unless the steps are repeated":                                        "最后一级阶梯没有终点，除非阶梯重复计算",
	"a step lasts a whole number of its blocks":                                                      "阶梯时长须为计费单位的整数倍",
	"a price is not negative":                                                                        "价格不可为负",
	"the price is larger than any that can be charged":                                               "价格超出可收取的上限",
	"a cap is a multiple of what prices are rounded to, or rounding would break it":                  "封顶金额须为取整单位的倍数，否则取整会突破封顶",
	"more than %d caps":                                                                              "封顶超过 %d 个",
	"it may be stay, day, 24h or any_24h":                                                            "可为 stay（每次停车）、day（每日）、24h（每 24 小时）或 any_24h（任意 24 小时）",
	"there is no such kind of day":                                                                   "没有这种日子",
	"the hours of entry are within one day":                                                          "入场时间范围须在同一天之内",
	"a time of day, for a cap per day":                                                               "须为一天中的时刻，且仅用于每日封顶",
	"only a cap per day or any_24h can count earlier stays":                                          "只有每日或任意 24 小时封顶可以累计之前的停车",
	"with a cap across stays, prices are rounded down: rounding each stay up would break it":         "跨次封顶时价格须舍去取整：逐次进位会突破封顶",
	"no period holds %s":                                                                             "没有时段覆盖%s",
	"%s is in the period %s, too":                                                                    "%s同时属于时段 %s",
	"name the car park's time zone, such as Europe/Berlin":                                           "请填写停车场所在时区，如 Asia/Shanghai",
	"say with from when the version comes into force":                                                "请用 from 注明版本何时生效",
	"it may be run (a started block goes on) or cut":                                                 "可为 run（已开始的计费单位继续）或 cut（到点截断）",
	"a step has a price; one that is free says 0":                                                    "每级阶梯须有价格；免费的写 0",
	"a total belongs to up_to":                                                                       "total 须与 up_to 一起使用",
	"a step has up_to and total, or block and price":                                                 "阶梯须有 up_to 和 total，或 block 和 price",
	"it is not later than the step before ends":                                                      "不晚于前一级阶梯的终点",
	"a longer time does not cost less: the step before has a larger total":                           "停得更久不应更便宜：前一级阶梯的总价更高",
	"totals stand before prices per block":                                                           "总价阶梯须排在按单位计价的阶梯之前",
	"a cap has an amount":                                                                            "封顶须有金额",
	"a time of day is written as 06:00":                                                              "时刻写作 06:00",
	"a time is written as days, hours and minutes, such as 15m, 1h30m or 2d":                         "时长以天、小时、分钟书写，如 15m、1h30m 或 2d",
	"hours are written as 07:00-19:00":                                                               "时间范围写作 07:00-19:00",
	"days are written as sun, mon, tue, wed, thu, fri, sat and holiday, with ranges such as mon-fri": "日子写作 sun、mon、tue、wed、thu、fri、sat 和 holiday，可用范围如 mon-fri",
	"a tax is written in per cent, with at most two digits behind a point":                           "税率以百分比书写，小数点后最多两位",
	"a date is written as 2026-01-31, with 06:00 behind it where a day begins then":                  "日期写作 2026-01-31；若一天不从零点开始，其后加 06:00",
	"a holiday is written as 2026-04-03, or 12-25 for every year":                                    "节假日写作 2026-04-03，每年重复的写作 12-25",
	"it is a whole number":                                                                           "须为整数",
	"an amount in %s is written as digits":                                                           "%s 金额只写数字",
	"an amount in %s is written as digits, with at most %d behind a point":                           "%s 金额写作数字，小数点后最多 %d 位",
	"the amount is larger than any that can be charged":                                              "金额超出可收取的上限",
	"a tariff's file is at most %d bytes":                                                            "费率文件最多 %d 字节",
	"anchors, aliases and merges are not for tariffs: write prices out":                              "费率中不用锚点、别名与合并：请直接写出价格",
	"a file holds one tariff":                                                                        "一个文件只含一个费率",
	"the file is not as docs/parking.md shows it":                                                    "文件格式与 docs/parking.md 所示不符",
	"the file has problems of its own: mend it first":                                                "文件本身有误：请先修正",
	"the file is written in a way that the form cannot go on with: change the file itself":           "文件的写法无法用表单续写：请直接修改文件",
	"the tariff is not there any more":                                                               "费率已不存在",
	"a time cannot be understood":                                                                    "时间无法识别：请写作 2026-03-02 10:00",
	"a duration cannot be understood":                                                                "时长无法识别：请写作 15m、1h30m 或 2d",
}
