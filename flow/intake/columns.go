package intake

import (
	"strings"
	"unicode"

	"gatehouse"
)

// column is one that a table may have: its name, and what people call it.
type column struct {
	name    string
	aliases []string
	kinds   string // p, v or both
}

var columns = []column{
	{"label", []string{"badge", "badge label", "pass", "证件标签", "标签", "证件号"}, "pv"},
	{"name", []string{"full name", "姓名"}, "p"},
	{"number", []string{"employee number", "student number", "staff number", "工号", "学号", "编号"}, "p"},
	{"unit", []string{"department", "organization unit", "部门", "单位", "班级"}, "p"},
	{"birth_date", []string{"date of birth", "birthday", "born", "出生日期", "生日"}, "p"},
	{"gender", []string{"sex", "性别"}, "p"},
	{"national_id", []string{"id number", "national id", "身份证号", "身份证号码", "证件号码"}, "p"},
	{"phone", []string{"telephone", "mobile", "电话", "手机", "手机号"}, "p"},
	{"email", []string{"e-mail", "mail", "邮箱", "电子邮箱"}, "p"},
	{"address", []string{"地址", "住址"}, "p"},
	{"card", []string{"card number", "卡号"}, "p"},
	{"pin", []string{"密码", "通行密码"}, "p"},
	{"qr", []string{"qr code", "二维码"}, "p"},
	{"plate", []string{"number plate", "license plate", "licence plate", "registration", "车牌", "车牌号"}, "v"},
	{"region", []string{"地区"}, "v"},
	{"class", []string{"type", "车型"}, "v"},
	{"colour", []string{"color", "颜色"}, "v"},
	{"owner", []string{"车主", "所有者"}, "v"},
	{"gates", []string{"access", "出入口", "门禁权限"}, "pv"},
	{"groups", []string{"group", "分组", "组", "权限组"}, "pv"},
	{"first_day", []string{"first day", "valid from", "生效日期", "首日"}, "pv"},
	{"last_day", []string{"last day", "失效日期", "最后一天"}, "pv"},
}

// Columns are the names that a table of a kind may have, in the order of the template.
func Columns(kind gatehouse.SubjectKind) (names []string) {
	for _, c := range columns {
		if strings.Contains(c.kinds, letter(kind)) {
			names = append(names, c.name)
		}
	}
	return names
}

func letter(kind gatehouse.SubjectKind) string {
	if kind == gatehouse.VehicleSubject {
		return "v"
	}
	return "p"
}

// plain is how names of columns are compared: without case, and with one form of what
// stands between words.
func plain(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}

// columnOf finds the column that a header names; "" for none.
func columnOf(kind gatehouse.SubjectKind, header string) string {
	h := plain(header)
	for _, c := range columns {
		if !strings.Contains(c.kinds, letter(kind)) {
			continue
		}
		if plain(c.name) == h {
			return c.name
		}
		for _, a := range c.aliases {
			if plain(a) == h {
				return c.name
			}
		}
	}
	return ""
}

// Letters names a column as spreadsheets do: A, B, … Z, AA.
func Letters(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}
