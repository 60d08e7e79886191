package gatehouse

// Decision is the answer to a reading: grant or deny, one reason, the rule that gave it.
type Decision struct {
	Grant  bool
	Reason Reason
	Rule   string // for example "grant staff at front-door in office-hours"; not personal
}

// Reason is a code of a closed list. Every reason has a sentence for people in
// English and Chinese.
type Reason string

// The reasons of access decisions.
const (
	Granted          Reason = "granted"
	Unknown          Reason = "unknown"
	LowConfidence    Reason = "low_confidence"
	NotLive          Reason = "not_live"
	NoConsent        Reason = "no_consent"
	Suspended        Reason = "suspended"
	NotYetValid      Reason = "not_yet_valid"
	Expired          Reason = "expired"
	NotHere          Reason = "not_here"
	OutsideHours     Reason = "outside_hours"
	NeedSecondFactor Reason = "need_second_factor"
	Repeated         Reason = "repeated"
	WrongCredential  Reason = "wrong_credential"
	FacesUnavailable Reason = "faces_unavailable"
	StorageFull      Reason = "storage_full"
	StorageFailed    Reason = "storage_failed"
	SealingFailed    Reason = "sealing_failed"
	// OpenedRemotely is no decision about somebody: an operator opened the gate.
	OpenedRemotely Reason = "opened_remotely"
)

// The reasons at the lanes of car parks, besides Granted, LowConfidence and Repeated. Two
// of them open an exit: nobody is kept because a reading was not good enough.
const (
	TakeTicket  Reason = "take_ticket"
	NotAdmitted Reason = "not_admitted"
	CarParkFull Reason = "car_park_full"
	QuotaFull   Reason = "quota_full"
	PaymentOwed Reason = "payment_owed"
	StayUnclear Reason = "stay_unclear" // opens
	NoStay      Reason = "no_stay"      // opens
)

// Reasons lists them all, in the order in which pages show them.
var Reasons = []Reason{Granted, Unknown, LowConfidence, NotLive, NoConsent, Suspended, NotYetValid, Expired,
	NotHere, OutsideHours, NeedSecondFactor, Repeated, WrongCredential, FacesUnavailable, StorageFull, StorageFailed, SealingFailed, OpenedRemotely,
	TakeTicket, NotAdmitted, CarParkFull, QuotaFull, PaymentOwed, StayUnclear, NoStay}

var sentences = map[Reason][2]string{
	Granted:          {"Allowed here now.", "允许通行。"},
	Unknown:          {"Not recognized as anyone enrolled here.", "未识别为本站点已登记的人员或车辆。"},
	LowConfidence:    {"Not certain enough to decide; look again or use another credential.", "识别置信度不足，请重试或使用其他凭证。"},
	NotLive:          {"The face did not look live; use another credential.", "未通过活体检测，请使用其他凭证。"},
	NoConsent:        {"No consent to face recognition is in force; use another credential.", "没有有效的人脸识别同意，请使用其他凭证。"},
	Suspended:        {"Access is suspended.", "通行权限已暂停。"},
	NotYetValid:      {"Access has not begun yet.", "通行权限尚未生效。"},
	Expired:          {"Access has expired.", "通行权限已过期。"},
	NotHere:          {"Not allowed at this gate.", "无权通过此出入口。"},
	OutsideHours:     {"Not allowed at this time.", "当前时段不允许通行。"},
	NeedSecondFactor: {"Recognized; show a card, PIN or QR code as well.", "已识别，请再出示卡片、密码或二维码。"},
	Repeated:         {"Already let through a moment ago.", "刚刚已经通行。"},
	WrongCredential:  {"The card, PIN or QR code is not valid.", "卡片、密码或二维码无效。"},
	FacesUnavailable: {"Face recognition is restarting; use another credential.", "人脸识别正在重启，请使用其他凭证。"},
	StorageFull:      {"The passage could not be recorded: the disk is full.", "磁盘已满，无法记录通行。"},
	StorageFailed:    {"The passage could not be recorded.", "无法记录通行。"},
	SealingFailed:    {"The passage could not be sealed.", "无法加密保存通行记录。"},
	OpenedRemotely:   {"Opened from the console or the command line.", "由控制台或命令行远程开启。"},

	TakeTicket:  {"No plate to be seen; take a ticket.", "未识别到车牌，请取票。"},
	NotAdmitted: {"This vehicle may not come in here.", "该车辆不得驶入。"},
	CarParkFull: {"The car park is full.", "车位已满。"},
	QuotaFull:   {"All spaces of this group are in use.", "该分组的车位已用完。"},
	PaymentOwed: {"Pay first; the barrier opens then.", "请先缴费，随后自动抬杆。"},
	StayUnclear: {"Opened: it is not clear which stay this is. Nothing is charged; a person looks.", "已抬杆：无法确定对应的停车记录，不收费，由人工核对。"},
	NoStay:      {"Opened: no entry belongs to this vehicle. Nothing is charged; a person looks.", "已抬杆：没有对应的入场记录，不收费，由人工核对。"},
}

// Fits reports whether a decision that was a grant, or none, can have the reason. What
// could not be recorded opens or not as the gate's policy says.
func (r Reason) Fits(grant bool) bool {
	switch r {
	case Granted, OpenedRemotely, StayUnclear, NoStay:
		return grant
	case StorageFull, StorageFailed, SealingFailed:
		return true
	}
	return !grant
}

// Sentence returns the reason for people; lang "zh" gives Chinese, all else English.
func (r Reason) Sentence(lang string) string {
	s, ok := sentences[r]
	if !ok {
		return string(r)
	}
	if lang == "zh" {
		return s[1]
	}
	return s[0]
}
