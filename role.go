package gatehouse

import "slices"

// Role is what somebody is at a site: a name for a set of permissions.
type Role string

// The roles. A device and an integration have no console.
const (
	Guard           Role = "guard"
	SiteManager     Role = "site-manager"
	HR              Role = "hr"
	ParkingOperator Role = "parking-operator"
	PrivacyOfficer  Role = "privacy-officer"
	Administrator   Role = "administrator"
	Auditor         Role = "auditor"
	Employee        Role = "employee"
	DeviceRole      Role = "device"
	IntegrationRole Role = "integration"
)

// Roles lists them all; PeopleRoles those that an account may have.
var (
	Roles       = []Role{Guard, SiteManager, HR, ParkingOperator, PrivacyOfficer, Administrator, Auditor, Employee, DeviceRole, IntegrationRole}
	PeopleRoles = Roles[:8]
)

// grants is the whole of who may do what. Nobody's role gives personal data to an
// administrator; an auditor has the log and nothing else; whoever may unseal may also
// see something then.
var grants = map[Role][]Permission{
	Guard: {SeeLive, SeePassages, DisclosePassages, OpenRemotely, HandleAlarms, SealVault, OwnAccount},
	SiteManager: {SeeLive, SeePassages, DisclosePassages, SeeEvidence, SearchArchive, SeePeople, DisclosePeople, Enrol, Suspend, EditRecords, RequestReleases,
		Unseal, SealVault, OpenRemotely, HandleAlarms, ManageDevices, ManageGates, ManageRules, SeeBooks, KeepBooks, SeeParking, HandleStays, ManageParking, SeeStatus, SeeHours, DecideHours, PlanHours, OwnAccount},
	HR:              {SeePeople, DisclosePeople, Enrol, Suspend, EditRecords, SeeHours, DecideHours, PlanHours, PayPeriods, Unseal, SealVault, OwnAccount},
	ParkingOperator: {SeeLive, SeePassages, DisclosePassages, SeeEvidence, OpenRemotely, HandleAlarms, SeeParking, HandleStays, SealVault, SeeBooks, KeepBooks, OwnAccount},
	PrivacyOfficer: {SeePassages, DisclosePassages, SeeEvidence, SearchArchive, SeePeople, DisclosePeople, EditRecords, ApproveReleases, EraseSubjects, HoldKeys, ManagePrivacy,
		Unseal, SealVault, ManageBudget, ManageCanaries, HandleAlarms, SeeAuditLog, SeeDisclosures, OwnAccount},
	Administrator: {SealVault, HandleAlarms, ManageDevices, ManageGates, ManageRules, SeeParking, ManageParking, ChangeSettings, ManageKeys, ManageBackups, SeeStatus, SeeAuditLog, ManageAccounts, ManagePrograms, OwnAccount},
	Auditor:       {SeeAuditLog, SeeDisclosures, OwnAccount},
	// Whoever is enrolled and has an account of their own sees their own hours, and nobody's else.
	Employee:   {OwnHours, OwnAccount},
	DeviceRole: {SendCaptures},
	// The most that an access token may be given; each has scopes of its own, of these. What
	// an integration reads is metadata and badge labels: it opens nothing that is sealed.
	IntegrationRole: {SeePassages, SeePeople, Enrol, Suspend, EditRecords, EraseSubjects, ManageDevices, SeeBooks, SeeParking, HandleStays, SeeStatus, SeeDisclosures, SeeHours, PlanHours},
}

// May reports whether the role gives the permission.
func (r Role) May(p Permission) bool { return slices.Contains(grants[r], p) }

// PerGate reports whether the role counts at the gates that it was given for, and at no
// other: a guard stands at their gates, a parking operator at their lanes.
func (r Role) PerGate() bool { return r == Guard || r == ParkingOperator }

var roleSentences = map[Role][2]string{
	Guard:           {"Guard", "保安"},
	SiteManager:     {"Site manager", "站点经理"},
	HR:              {"HR", "人事"},
	ParkingOperator: {"Parking operator", "停车管理员"},
	PrivacyOfficer:  {"Privacy officer", "隐私专员"},
	Administrator:   {"Administrator", "系统管理员"},
	Auditor:         {"Auditor", "审计员"},
	Employee:        {"Employee", "员工"},
	DeviceRole:      {"Device", "设备"},
	IntegrationRole: {"Integration", "集成程序"},
}

// Sentence is the role's name for people, in lang ("zh", otherwise English).
func (r Role) Sentence(lang string) string { return sentenceOf(roleSentences[r], lang) }
