package console

// gatesTexts are those of the gates' pages.
var gatesTexts = map[string][2]string{
	"nav.gates": {"Gates", "出入口"},

	"gates.title":  {"Gates", "出入口"},
	"gates.none":   {"No gate is yours. Gates stand in gatehouse.yml; an administrator gives you yours.", "没有您负责的门。门在 gatehouse.yml 中定义，由系统管理员分配。"},
	"gates.state":  {"State", "状态"},
	"gates.camera": {"Camera", "摄像机"},
	"gates.since":  {"Since", "自"},
	"gates.last":   {"Last passage", "最近通行"},

	"gate.title":       {"Gate", "出入口"},
	"gate.id":          {"Id", "标识"},
	"gate.way":         {"Way", "方向"},
	"gate.nopassages":  {"Nobody has come through here yet.", "此处尚无通行。"},
	"gate.open.title":  {"Open from here", "远程开启"},
	"gate.open.go":     {"Open the gate", "开启此门"},
	"gate.reason":      {"Why do you open it?", "为何开启？"},
	"gate.reason.hint": {"It is recorded as a passage, with your account, before the gate opens. The reason is sealed.", "开启前会连同您的账户记录为一次通行，原因将被封存。"},
	"gate.opened":      {"The gate was told to open, and it is recorded.", "已发出开启指令并记录。"},
	"gate.record":      {"See the record", "查看记录"},

	"passage.why":      {"Reason", "原因"},
	"passage.operator": {"Opened by", "操作者"},
	"who.remote":       {"Opened from afar", "远程开启"},
	"kind.remote":      {"Opened from afar", "远程开启"},

	"code.open.reason":      {"Say in 1 to 160 characters why.", "请用 1 至 160 个字符说明原因。"},
	"code.gate.no_actuator": {"Nothing opens this gate: gatehouse.yml gives it no actuator.", "此门没有开启装置，请在 gatehouse.yml 中配置。"},
}
