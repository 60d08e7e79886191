package gatehouse

import "slices"

// Permission is one thing that somebody may do. The list is closed: every route of the
// console and the API names one, and a role is nothing but a set of them (see Role).
type Permission string

// The permissions. Those that show personal data are Personal.
const (
	SeeLive          Permission = "see-live"
	SeePassages      Permission = "see-passages"
	DisclosePassages Permission = "disclose-passages"
	SeeEvidence      Permission = "see-evidence"
	SearchArchive    Permission = "search"
	SeePeople        Permission = "see-people"
	DisclosePeople   Permission = "disclose-people"
	Enrol            Permission = "enrol"
	Suspend          Permission = "suspend"
	EditRecords      Permission = "edit-records"
	EraseSubjects    Permission = "erase"
	HoldKeys         Permission = "hold"
	ManagePrivacy    Permission = "privacy"
	Unseal           Permission = "unseal"
	SealVault        Permission = "seal"
	ManageDevices    Permission = "devices"
	ManageGates      Permission = "gates"
	OpenRemotely     Permission = "open-remotely"
	HandleAlarms     Permission = "alarms"
	ManageRules      Permission = "rules"
	ChangeSettings   Permission = "settings"
	ManageKeys       Permission = "keys"
	ManageBudget     Permission = "budget"
	ManageCanaries   Permission = "canaries"
	ManageBackups    Permission = "backups"
	SeeBooks         Permission = "see-books"
	KeepBooks        Permission = "books"
	SeeStatus        Permission = "status"
	SeeAuditLog      Permission = "audit-log"
	SeeDisclosures   Permission = "see-disclosures"
	RequestReleases  Permission = "request-releases"
	ApproveReleases  Permission = "approve-releases"
	ManageAccounts   Permission = "accounts"
	ManagePrograms   Permission = "programs"
	OwnAccount       Permission = "own-account"
	SeeParking       Permission = "see-parking"
	HandleStays      Permission = "handle-stays"
	ManageParking    Permission = "parking"
	SendCaptures     Permission = "send-captures"

	SeeHours    Permission = "see-hours"
	DecideHours Permission = "decide-hours"
	PlanHours   Permission = "plan-hours"
	PayPeriods  Permission = "pay-periods"
	OwnHours    Permission = "own-hours"
)

// Permissions lists them all, those about personal data first.
var Permissions = []Permission{SeeLive, SeePassages, DisclosePassages, SeeEvidence, SearchArchive, SeePeople, DisclosePeople, Enrol, Suspend, EditRecords,
	RequestReleases, ApproveReleases, EraseSubjects, HoldKeys, ManagePrivacy, Unseal, SealVault, ManageDevices, ManageGates, OpenRemotely, HandleAlarms, ManageRules, ChangeSettings, ManageKeys, ManageBudget,
	ManageCanaries, ManageBackups, SeeBooks, KeepBooks, SeeStatus, SeeAuditLog, SeeDisclosures, ManageAccounts, ManagePrograms, OwnAccount, SeeParking, HandleStays, ManageParking, SendCaptures, SeeHours, DecideHours, PlanHours, PayPeriods, OwnHours}

// personal are those through which somebody sees or handles personal data.
var personal = []Permission{SeeLive, SeePassages, DisclosePassages, SeeEvidence, SearchArchive, SeePeople, DisclosePeople, Enrol, Suspend, EditRecords,
	RequestReleases, ApproveReleases, SeeHours, DecideHours, PayPeriods}

// Personal reports whether the permission shows or handles personal data.
func (p Permission) Personal() bool { return slices.Contains(personal, p) }

var permissionSentences = map[Permission][2]string{
	SeeLive:          {"See the live window of the gates.", "查看出入口实时窗口。"},
	SeePassages:      {"See the facts of passages: time, gate, decision.", "查看通行的事实：时间、出入口、判定。"},
	DisclosePassages: {"See who passed, by name or plate.", "查看通行者的姓名或车牌。"},
	SeeEvidence:      {"Open archived pictures, with a reason.", "说明原因后打开存档图片。"},
	SearchArchive:    {"Search the archive, with a reason.", "说明原因后检索存档。"},
	SeePeople:        {"See who is enrolled, by badge label.", "按证件标签查看已登记者。"},
	DisclosePeople:   {"See the names of those who are enrolled.", "查看已登记者的姓名。"},
	Enrol:            {"Enrol people and vehicles.", "登记人员和车辆。"},
	Suspend:          {"Suspend people and vehicles, and let them in again.", "暂停或恢复人员和车辆的通行。"},
	EditRecords:      {"Change records and consents.", "修改档案和同意。"},
	EraseSubjects:    {"Erase people, vehicles and captures.", "永久删除人员、车辆和抓拍图片。"},
	HoldKeys:         {"Place and lift legal holds.", "设置和解除法律保留。"},
	ManagePrivacy:    {"Look after consents, people's requests and retention.", "管理同意、个人请求和保存期限。"},
	Unseal:           {"Unseal the vault with a credential of the vault's.", "用保险库凭证解封保险库。"},
	SealVault:        {"Seal the vault.", "封存保险库。"},
	ManageDevices:    {"Enrol and revoke devices.", "登记和撤销设备。"},
	ManageGates:      {"Set up gates.", "设置出入口。"},
	OpenRemotely:     {"Open a gate from afar, with a reason.", "说明原因后远程开启出入口。"},
	HandleAlarms:     {"See and acknowledge alarms.", "查看并确认告警。"},
	ManageRules:      {"Change schedules and access rules.", "修改时段和通行规则。"},
	ChangeSettings:   {"Change the site's settings.", "修改站点设置。"},
	ManageKeys:       {"Manage the site's keys and secrets.", "管理站点的密钥和机密。"},
	ManageBudget:     {"Set what may be disclosed in an hour and a day.", "设置每小时和每天的查阅额度。"},
	ManageCanaries:   {"Plant canaries and lift a vault that one shut.", "布置诱饵，并解除因诱饵锁闭的保险库。"},
	ManageBackups:    {"Make and check backups.", "进行备份和核验备份。"},
	SeeBooks:         {"See what was charged and paid for parking.", "查看停车费用和收款。"},
	KeepBooks:        {"Take payments, refund and write off, and close days.", "收款、退款、核销并结账。"},
	SeeStatus:        {"See the health of the site.", "查看站点的运行状况。"},
	SeeAuditLog:      {"Read and verify the audit log.", "查看和核验审计日志。"},
	SeeDisclosures:   {"See who was shown what, and for what purpose.", "查看谁因何目的查阅了什么。"},
	RequestReleases:  {"Ask for a bulk release.", "申请批量披露。"},
	ApproveReleases:  {"Approve a bulk release.", "批准批量披露。"},
	ManageAccounts:   {"Manage accounts, their roles and sessions.", "管理账户及其角色和会话。"},
	ManagePrograms:   {"Let other people's programs ask the API, and be told what happens.", "管理其他程序的访问令牌和网络回调。"},
	OwnAccount:       {"Manage one's own passkeys and sessions.", "管理自己的通行密钥和会话。"},
	SeeParking:       {"See car parks, stays and tariffs, under opaque ids.", "查看停车场、停车记录和收费标准（不含车牌）。"},
	HandleStays:      {"Attach, correct and end stays, and give validations.", "匹配、更正和结束停车记录，发放减免。"},
	ManageParking:    {"Change tariffs, passes, quotas and lists.", "修改收费标准、停车证、配额和名单。"},
	SeeHours:         {"See people's hours, by badge label.", "按证件标签查看工时。"},
	DecideHours:      {"Enter punches, and decide corrections and leave.", "补录打卡，审批更正与休假。"},
	PlanHours:        {"Change shifts, rosters and the rules of hours.", "修改班次、排班和工时规则。"},
	PayPeriods:       {"Close and reopen pay periods.", "关闭和重新打开薪资周期。"},
	OwnHours:         {"See one's own hours, and ask for corrections and leave.", "查看自己的工时，申请更正与休假。"},
	SendCaptures:     {"Send frames and credentials of a gate.", "发送出入口的画面和凭证。"},
}

// Sentence says what the permission allows, in lang ("zh", otherwise English).
func (p Permission) Sentence(lang string) string { return sentenceOf(permissionSentences[p], lang) }

func sentenceOf(s [2]string, lang string) string {
	if lang == "zh" {
		return s[1]
	}
	return s[0]
}
