package console

// listingTexts are those of tables and of what takes a while.
var listingTexts = map[string][2]string{
	"list.rows":     {"Rows: %d", "共 %d 行"},
	"list.page":     {"Page %d of %d", "第 %d / %d 页"},
	"list.pages":    {"Pages of the table", "表格分页"},
	"list.before":   {"Previous", "上一页"},
	"list.after":    {"Next", "下一页"},
	"list.file":     {"Export as CSV", "导出 CSV"},
	"list.find":     {"Filter", "筛选"},
	"list.show":     {"Show", "显示"},
	"list.any":      {"all", "全部"},
	"list.clear":    {"Clear the filter", "清除筛选"},
	"list.cut":      {"In this order: the newest %d rows that fit. Choose days to see older ones.", "按此顺序显示符合条件的最新 %d 行。选择日期可查看更早的内容。"},
	"list.nothing":  {"Nothing fits the filter.", "没有符合筛选条件的内容。"},
	"traffic.title": {"Passages over time", "通行趋势"},
	"traffic.note":  {"In these days %d were let in and %d turned away.", "所选期间放行 %d 次，拒绝 %d 次。"},
	"traffic.days":  {"Day by day", "按日"},
	"job.stop":      {"Stop", "停止"},
	"job.stopped":   {"Stopped at", "已停止于"},
	"job.noscript":  {"Reload the page to see how far it is.", "请刷新页面查看进度。"},
}
