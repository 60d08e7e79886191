package parkingpages

// text is a text in a language; its key where there is none, which a test prevents.
func text(lang, key string) string {
	s, ok := texts[key]
	switch {
	case !ok:
		return key
	case lang == "zh":
		return s[1]
	}
	return s[0]
}

// texts are the pages' words in English and Chinese, by key.
var texts = map[string][2]string{
	"title":      {"Parking", "停车缴费"},
	"lang.other": {"中文", "English"},
	"privacy":    {"What you type is compared once and not kept.", "您输入的内容仅用于一次比对，不会保存。"},
	"again":      {"Back to the beginning", "返回首页"},

	"ask.title":      {"Pay for parking", "停车缴费"},
	"ask.how":        {"Type your plate and when you came in, or the code of your ticket.", "请输入车牌号和入场时间，或停车票上的编码。"},
	"ask.byplate":    {"By plate", "按车牌"},
	"ask.plate":      {"Number plate", "车牌号"},
	"ask.entered":    {"Came in at about", "大约入场时间"},
	"ask.about":      {"15 minutes more or less do not matter.", "前后相差 15 分钟以内即可。"},
	"ask.byticket":   {"By ticket", "按停车票"},
	"ask.ticket":     {"Code on the ticket", "停车票编码"},
	"ask.go":         {"Show what is owed", "查询费用"},
	"ask.incomplete": {"Type a plate and a time of the last 60 days, or a ticket's code.", "请输入车牌号和最近 60 天内的时间，或停车票编码。"},
	"ask.none":       {"No stay was found for that. Check the plate and the time, or press the help button at the lane.", "未找到相应的停车记录。请核对车牌号和时间，或按车道旁的求助按钮。"},
	"ask.often":      {"That was tried five times from here within an hour. Use your ticket's code later, or press the help button at the lane.", "一小时内已从此处尝试五次。请稍后用停车票编码查询，或按车道旁的求助按钮。"},
	"ask.busy":       {"Many are asking now. Try again in a minute.", "当前查询较多，请一分钟后再试。"},

	"owed.title":  {"What you owe", "应付费用"},
	"owed.none":   {"Nothing is owed", "无需缴费"},
	"owed.due":    {"To pay", "应付"},
	"owed.leave":  {"Please leave by", "请于此时间前离场："},
	"owed.noway":  {"Please pay at the desk: paying on this page is not set up.", "请到服务台缴费：此页面未开通支付。"},
	"owed.from":   {"Came in", "入场"},
	"owed.until":  {"Charged until", "计费至"},
	"owed.time":   {"Time", "时长"},
	"owed.how":    {"How this came about", "费用明细"},
	"owed.what":   {"What for", "项目"},
	"owed.amount": {"Amount", "金额"},
	"owed.total":  {"Charge", "费用合计"},
	"owed.paid":   {"Paid before", "此前已付"},
	"owed.tax":    {"Tax in it:", "其中税额"},

	"pay.by.stripe":  {"Pay by card or wallet", "银行卡或电子钱包支付"},
	"pay.by.cash":    {"Cash", "现金"},
	"pay.by.card":    {"Card", "刷卡"},
	"pay.by.invoice": {"Invoice", "挂账"},

	"leaving.title": {"On to the payment page", "正在前往支付页面"},
	"leaving.go":    {"Continue", "继续"},

	"receipt.title":     {"Receipt", "收据"},
	"receipt.done":      {"Paid. Thank you.", "支付成功，谢谢。"},
	"receipt.number":    {"Receipt", "收据编号"},
	"receipt.paid":      {"Paid at", "支付时间"},
	"receipt.amount":    {"Amount paid", "实付金额"},
	"receipt.tax":       {"Tax in it", "其中税额"},
	"receipt.by":        {"Paid by", "支付方式"},
	"receipt.refunded":  {"Refunded since", "已退款"},
	"receipt.pdf":       {"Receipt as PDF", "下载收据（PDF）"},
	"receipt.over":      {"Nothing was paid", "未完成支付"},
	"receipt.over.what": {"This payment page was closed. No money was taken by it.", "该支付页面已关闭，未扣款。"},
	"receipt.wait":      {"One moment", "请稍候"},
	"receipt.wait.what": {"The payment is not confirmed yet. This page looks again every three seconds.", "支付尚未确认，本页每三秒自动更新。"},

	"receipt.look": {"Look again", "立即更新"},

	"gone.title":     {"Not here any more", "页面已失效"},
	"gone":           {"This page is shown for an hour. Please begin again.", "此页面仅显示一小时，请重新开始。"},
	"underway.title": {"A payment is under way", "支付处理中"},
	"underway":       {"The bank has not answered yet. Wait a moment before you pay again.", "银行尚未答复，请稍候再支付。"},
	"nopay.title":    {"Paying does not work now", "暂时无法支付"},
	"nopay":          {"Try again in a minute, or press the help button at the lane. Nothing was charged.", "请一分钟后再试，或按车道旁的求助按钮。未扣款。"},
	"failed.title":   {"That did not work", "操作失败"},
	"failed":         {"The fault is ours. Try again in a minute, or press the help button at the lane.", "系统出现故障。请一分钟后再试，或按车道旁的求助按钮。"},
	"closed.title":   {"No parking here", "未开通停车缴费"},
	"closed":         {"This site charges nobody for parking.", "本站点不收取停车费。"},

	"kiosk.title":     {"Pay here", "在此缴费"},
	"kiosk.qr":        {"QR code of the payment page", "缴费页面二维码"},
	"kiosk.phone":     {"With your phone", "用手机缴费"},
	"kiosk.phone.how": {"Scan the code, type your plate and pay.", "扫描二维码，输入车牌号并支付。"},
	"kiosk.here":      {"On this screen", "在此屏幕缴费"},
	"kiosk.keys":      {"Keys for the plate", "车牌号按键"},
	"kiosk.delete":    {"Delete", "删除"},
	"kiosk.when":      {"Came in at about", "大约入场时间"},
	"kiosk.day":       {"day", "天"},
	"kiosk.hour":      {"hour", "小时"},
	"kiosk.minutes":   {"min", "分钟"},
	"kiosk.next":      {"Done", "完成"},
}
