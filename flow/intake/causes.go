package intake

// Causes are the sentences of problems: English, Simplified Chinese. The desk's codes
// (enroll.*, grant.*) have those of the console.
var causes = map[string][2]string{
	"intake.column":          {"This column is not known. Take the names of the template.", "无法识别此列，请使用模板中的列名。"},
	"intake.column_twice":    {"This column is there twice.", "此列重复。"},
	"intake.column_missing":  {"This column is missing.", "缺少此列。"},
	"intake.formula":         {"The cell holds a formula. Copy the values and paste them as values.", "单元格含有公式，请复制后粘贴为数值。"},
	"intake.rounded":         {"The spreadsheet has rounded this number. Format the column as text and write it again.", "电子表格已对此号码取整，请将该列设为文本格式后重新填写。"},
	"intake.date":            {"This is no date. Write it as 2026-11-25.", "这不是日期，请写成 2026-11-25。"},
	"intake.date_ambiguous":  {"This date could be two days. Write it as 2026-11-25.", "此日期有两种可能，请写成 2026-11-25。"},
	"intake.group":           {"There is no such group. Use a group's id or title, or make it first.", "没有此分组，请使用分组编号或名称，或先创建分组。"},
	"intake.group_several":   {"Several groups have this title. Use the id of one.", "多个分组使用此名称，请使用分组编号。"},
	"intake.twice":           {"An earlier row says the same.", "与前面的某一行重复。"},
	"intake.failed":          {"It could not be enrolled. Run the same file again.", "未能登记，请重新导入同一文件。"},
	"enroll.label":           {"A label has 1 to 60 printable characters.", "标签为 1 至 60 个可打印字符。"},
	"enroll.birth_date":      {"The birth date is not a date of the past.", "出生日期不是过去的日期。"},
	"enroll.pin":             {"Choose 6 to 12 digits, not in a row and not all the same.", "请使用 6 至 12 位数字，不能连续或全部相同。"},
	"enroll.plate":           {"A number plate has 2 to 12 letters and digits.", "车牌为 2 至 12 个字母和数字。"},
	"enroll.duplicate":       {"This plate is enrolled already, under another label.", "此车牌已登记，标签不同。"},
	"enroll.credential":      {"It belongs to somebody else, or is too long.", "已属于他人，或内容过长。"},
	"enroll.validity":        {"The last day is before the first one.", "结束日期早于开始日期。"},
	"enroll.unfinished":      {"It was begun, and the server finishes it at its next start.", "登记已开始，服务器下次启动时会完成。"},
	"grant.unknown_gate":     {"There is no such gate. Use the ids of the gates, or *.", "没有此出入口，请使用出入口编号或 *。"},
	"grant.unknown_schedule": {"There is no such schedule. Use the name of one, or always.", "没有此时段，请使用时段名称或 always。"},
}

// Cause is a problem's sentence, in lang ("zh", otherwise English).
func (p Problem) Cause(lang string) string {
	s, ok := causes[p.Code]
	if !ok {
		s = causes["intake.failed"]
	}
	if lang == "zh" {
		return s[1]
	}
	return s[0]
}
