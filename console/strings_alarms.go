package console

// alarmTexts are those of alarms, of the live page's filters and of the big screen.
var alarmTexts = map[string][2]string{
	"nav.alarms": {"Alarms", "警报"},

	"alarms.title":        {"Alarms", "警报"},
	"alarms.note":         {"An alarm stays here until somebody acknowledges it. Who did so, and when, is kept and stands in the audit log.", "警报会一直保留，直到有人确认。确认者和时间会被保存，并写入审计日志。"},
	"alarms.open":         {"To be looked at", "待处理"},
	"alarms.none":         {"Nothing has to be looked at.", "没有待处理的警报。"},
	"alarms.done":         {"Acknowledged", "已确认"},
	"alarms.what":         {"What happened", "事件"},
	"alarms.acknowledge":  {"Acknowledge", "确认"},
	"alarms.by":           {"Acknowledged by", "确认者"},
	"alarms.when":         {"Acknowledged at", "确认时间"},
	"alarms.strip":        {"Alarms to be looked at: %d", "待处理警报：%d"},
	"alarms.see":          {"See the alarms", "查看警报"},
	"alarm.plate":         {"A plate came in at %s that is inside already: a cloned plate, or a misread one. Look at both pictures.", "从 %s 入场的车牌已在场内：可能是套牌或误读，请核对两次的图片。"},
	"alarm.canary":        {"%s opened a canary. The vault is shut until two people lift it.", "%s 打开了诱饵记录。保险库已锁闭，须由两人共同解除。"},
	"alarm.canary.device": {"A canary token was shown as device %s. The vault is shut until two people lift it.", "有人以设备 %s 出示了诱饵令牌。保险库已锁闭，须由两人共同解除。"},
	"alarm.budget":        {"%s asked for more than the budget %s holds. It was refused.", "%s 请求的查阅超出额度 %s，已被拒绝。"},
	"alarm.altered":       {"What controls disclosures (%s) was altered or lost outside of the vault.", "查阅控制数据（%s）在保险库之外被更改或丢失。"},
	"alarm.operator":      {"An operator was added to the vault, or removed: %s.", "保险库操作员有增减：%s。"},
	"alarm.gate":          {"%s was told to open and could not be reached.", "%s 收到开启指令但无法连接。"},
	"alarm.test":          {"This is a test alarm.", "这是一条测试警报。"},

	"live.filter":     {"What the list shows", "列表显示内容"},
	"live.all":        {"all", "全部"},
	"live.show":       {"Show", "显示"},
	"live.everything": {"Show everything", "显示全部"},
	"live.nothing":    {"Nothing like that yet.", "暂无符合条件的通行。"},
	"live.wall":       {"Big screen", "大屏"},
	"wall.leave":      {"Leave the big screen", "退出大屏"},
}
