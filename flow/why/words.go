package why

import (
	"fmt"
	"strings"

	"gatehouse"
	"gatehouse/rules/access"
)

// pair is a sentence in English and Chinese.
type pair [2]string

func (p pair) in(lang string) string {
	if lang == "zh" {
		return p[1]
	}
	return p[0]
}

// held says of each question what it means that nothing stands against it.
var held = map[string]pair{
	"recognition":   {"Recognized as somebody or something that is enrolled.", "已识别为已登记的人员或车辆。"},
	"liveness":      {"The face looked live, or this gate does not ask.", "活体检测通过，或此出入口不要求。"},
	"consent":       {"Consent to face recognition is in force.", "人脸识别同意有效。"},
	"status":        {"Access is not suspended.", "通行权限未被暂停。"},
	"validity":      {"The badge is valid on that day.", "证件在当日有效。"},
	"grant":         {"Something allows it at this gate and time.", "有授权允许此时在此出入口通行。"},
	"repetition":    {"Not let through just before.", "刚才没有通行过。"},
	"second factor": {"Nothing else has to be shown, or it was.", "无需其他凭证，或已出示。"},
}

// notFace says so of the questions that are about faces alone.
var notFace = pair{"Not asked: no face is shown.", "不适用：未使用人脸。"}

// changes say of each reason what would have to change.
var changes = map[gatehouse.Reason]pair{
	gatehouse.Unknown:          {"Enrol who or what it is, or add a better photo.", "请先登记，或补充更清晰的照片。"},
	gatehouse.LowConfidence:    {"Come closer, remove what covers the face or plate, or use a card.", "请靠近、移开遮挡物，或改用卡片。"},
	gatehouse.NotLive:          {"Look straight into the camera, or use a card, PIN or QR code.", "请正视摄像机，或改用卡片、密码或二维码。"},
	gatehouse.NoConsent:        {"Record the person's consent to face recognition, or give them a card.", "请登记本人的人脸识别同意，或发放卡片。"},
	gatehouse.Suspended:        {"Reinstate the person or vehicle.", "请恢复该人员或车辆的权限。"},
	gatehouse.NotYetValid:      {"Wait until the first day, or give an earlier one.", "请等到生效日期，或提前生效日期。"},
	gatehouse.Expired:          {"Give a later last day.", "请延长有效期。"},
	gatehouse.NotHere:          {"Add a grant for this gate, or put them into a group that has a rule for it.", "请添加此出入口的授权，或加入有此出入口规则的分组。"},
	gatehouse.OutsideHours:     {"Come when the schedule is open, or give the rule another schedule.", "请在开放时段通行，或为规则更换时段。"},
	gatehouse.NeedSecondFactor: {"Show a card, PIN or QR code of the same person as well.", "请同时出示本人的卡片、密码或二维码。"},
	gatehouse.Repeated:         {"Wait a few seconds.", "请稍候几秒。"},
	gatehouse.WrongCredential:  {"Use a card, PIN or QR code that is enrolled.", "请使用已登记的卡片、密码或二维码。"},
}

// Says puts a step into words, in lang ("zh", otherwise English).
func (s Step) Says(lang string) string {
	switch {
	case s.State == access.StepUnasked:
		return pair{"Not asked: nobody was recognized.", "不适用：未识别到人员或车辆。"}.in(lang)
	case s.Reason != "":
		return s.Reason.Sentence(lang)
	case (s.Name == "liveness" || s.Name == "consent") && s.kind != gatehouse.FaceReading:
		return notFace.in(lang)
	}
	return held[s.Name].in(lang)
}

// Change says what would have to change; "" where nothing has to.
func (s Step) Change(lang string) string { return changes[s.Reason].in(lang) }

// Says puts into words what a grant or rule says to the gate and the moment.
func (g Grant) Says(lang string) string {
	switch {
	case !g.Here:
		return pair{"for other gates", "适用于其他出入口"}.in(lang)
	case g.Valid == access.NotYet:
		return pair{"does not count yet", "尚未生效"}.in(lang)
	case g.Valid == access.Over:
		return pair{"does not count any more", "已失效"}.in(lang)
	case g.Open:
		return pair{"allows it", "允许通行"}.in(lang)
	case g.Next.IsZero():
		return pair{"its schedule never opens", "时段永不开放"}.in(lang)
	}
	return fmt.Sprintf(pair{"closed; opens %s", "未开放；下次开放 %s"}.in(lang), g.Next.Format("2006-01-02 15:04"))
}

// GateWords are where it counts, as ids, "*" for every one.
func (g Grant) GateWords() string {
	words := make([]string, len(g.Gates))
	for i, id := range g.Gates {
		words[i] = string(id)
	}
	return strings.Join(words, " ")
}
