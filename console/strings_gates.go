package console

// gatesTexts are those of the gates' pages.
var gatesTexts = map[string][2]string{
	"nav.gates": {"Gates", "出入口"},

	"gates.title":  {"Gates", "出入口"},
	"gates.none":   {"No gate is yours. Gates stand in gatehouse.yml; an administrator gives you yours.", "没有您负责的出入口。出入口在 gatehouse.yml 中定义，由系统管理员分配。"},
	"gates.state":  {"State", "状态"},
	"gates.camera": {"Camera", "摄像机"},
	"gates.since":  {"Since", "自"},
	"gates.last":   {"Last passage", "最近通行"},

	"gate.title":       {"Gate", "出入口"},
	"gate.id":          {"Id", "标识"},
	"gate.way":         {"Way", "方向"},
	"gate.nopassages":  {"Nobody has come through here yet.", "此处尚无通行。"},
	"gate.open.title":  {"Open from here", "远程开启"},
	"gate.open.go":     {"Open the gate", "开启此出入口"},
	"gate.reason":      {"Why do you open it?", "为何开启？"},
	"gate.reason.hint": {"It is recorded as a passage, with your account, before the gate opens. The reason is sealed.", "开启前会连同您的账户记录为一次通行，原因将被封存。"},
	"gate.opened":      {"The gate was told to open, and it is recorded.", "已发出开启指令并记录。"},
	"gate.record":      {"See the record", "查看记录"},

	"plan.title":        {"Floor plan", "平面图"},
	"plan.add":          {"Add a floor plan", "添加平面图"},
	"plan.id.hint":      {"Lower-case letters, digits and hyphens: ground-floor", "小写字母、数字和连字符，例如 ground-floor"},
	"plan.picture":      {"Picture", "图片"},
	"plan.picture.hint": {"PNG or JPEG, at most 20 MiB. It is drawn anew; what you upload is not kept.", "PNG 或 JPEG，最大 20 MiB。系统会重新绘制，不保留原文件。"},
	"plan.how":          {"Choose a gate and point to where it is, drag its mark, or type the numbers. A gate without numbers is not on this plan.", "选择一个出入口后点击其位置，或拖动标记，也可直接填写数字。未填写的出入口不显示在此图上。"},
	"plan.places":       {"Where the gates are", "各出入口位置"},
	"plan.x":            {"from the left, %", "距左侧 %"},
	"plan.y":            {"from the top, %", "距顶部 %"},
	"plan.arrange":      {"Arrange", "调整"},
	"plan.other":        {"Another picture", "更换图片"},
	"plan.replace":      {"Replace", "替换"},
	"plan.remove":       {"Remove the plan", "删除平面图"},

	"passage.why":      {"Reason", "原因"},
	"passage.operator": {"Opened by", "操作者"},
	"who.remote":       {"Opened from afar", "远程开启"},
	"kind.remote":      {"Opened from afar", "远程开启"},

	"code.open.reason":      {"Say in 1 to 160 characters why.", "请用 1 至 160 个字符说明原因。"},
	"code.plan.name":        {"An id has 1 to 40 lower-case letters, digits and hyphens.", "标识须为 1 至 40 个小写字母、数字或连字符。"},
	"code.plan.title":       {"A title has 1 to 80 characters.", "名称须为 1 至 80 个字符。"},
	"code.plan.too_many":    {"There are 50 plans already. Remove one first.", "已有 50 张平面图，请先删除一张。"},
	"code.plan.spot":        {"A gate lies between 0 and 100 % of the picture.", "位置须在图片的 0 至 100% 之间。"},
	"code.gate.no_actuator": {"Nothing opens this gate: gatehouse.yml gives it no actuator.", "此出入口没有开启装置，请在 gatehouse.yml 中配置。"},
}
