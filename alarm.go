package gatehouse

import (
	"context"
	"time"
)

// AlarmKind says what happened.
type AlarmKind string

// What raises an alarm.
const (
	CanaryAlarm   AlarmKind = "canary"   // a canary was opened or its token was shown; the vault is shut
	BudgetAlarm   AlarmKind = "budget"   // an operator asked for more than a budget held
	AlteredAlarm  AlarmKind = "altered"  // what controls disclosures was changed from outside
	OperatorAlarm AlarmKind = "operator" // an operator was added or removed
	TestAlarm     AlarmKind = "test"     // somebody tries whether alarms arrive
	GateAlarm     AlarmKind = "gate"     // a gate that was told to open could not be reached
	PlateAlarm    AlarmKind = "plate"    // a plate came in that is inside already: cloned, or misread
	TailgateAlarm AlarmKind = "tailgate" // a second vehicle passed a lane on one opening
	HelpAlarm     AlarmKind = "help"     // a driver at a lane calls for help
)

// AlarmKinds lists them all.
var AlarmKinds = []AlarmKind{CanaryAlarm, BudgetAlarm, AlteredAlarm, OperatorAlarm, GateAlarm, PlateAlarm, TailgateAlarm, HelpAlarm, TestAlarm}

// Alarm is something that a person should look at now. It holds opaque ids and
// numbers, never personal data: it goes into logs, to a webhook and by mail.
type Alarm struct {
	ID       ID
	At       time.Time
	Kind     AlarmKind
	Operator string   // whose session: an operator's id as in the disclosure log; "" for none
	Purpose  string   // of the disclosure; "" for none
	Scope    string   // of a budget: "organization.hour"; "" for none
	Device   DeviceID // as what a canary token was shown; "" for none
	Gate     GateID   // that could not be reached; "" for none
}

// RaisedAlarm is an alarm on the list, which stays open until somebody acknowledges it.
type RaisedAlarm struct {
	Alarm
	Acknowledged time.Time // zero while it is open
	By           string    // who acknowledged it: an account's id, or "admin-socket"
}

// AlarmQuery asks for alarms, newest first.
type AlarmQuery struct {
	Place
	Open   bool // those that nobody has acknowledged
	Before ID   // cursor: only alarms with a smaller id; zero from the newest
	Limit  int  // 1..1000
}

// AlarmStore keeps the list of alarms.
type AlarmStore interface {
	// PutAlarm adds an alarm; one that is there stays as it is.
	PutAlarm(ctx context.Context, place Place, a Alarm) error
	// AcknowledgeAlarm closes an alarm, with its leaf, in one transaction. One that is
	// closed stays as it is, without a leaf. It fails with store.not_found.
	AcknowledgeAlarm(ctx context.Context, place Place, id ID, by string, at time.Time, leaf []byte) error
	Alarms(ctx context.Context, q AlarmQuery) ([]RaisedAlarm, error)
	// DropAlarms removes those that were acknowledged and raised before a moment, and says
	// how many. One that is open stays however old it is.
	DropAlarms(ctx context.Context, place Place, before time.Time) (int, error)
}

// AlarmLeaf records that somebody acknowledged an alarm.
func AlarmLeaf(at time.Time, place Place, id ID, by string) []byte {
	return EventLeaf(AlarmLeafKind, at, "acknowledged", string(place.Org), string(place.Site), id.String(), by)
}

// Sentence says in words what happened.
func (a Alarm) Sentence() string {
	switch a.Kind {
	case CanaryAlarm:
		if a.Device != "" {
			return "A canary token was shown as device " + string(a.Device) + ". The vault is shut until two people lift it."
		}
		if a.Operator == "" {
			return "A canary token was shown to the API. The vault is shut until two people lift it."
		}
		return "Session " + a.Operator + " opened a canary (purpose " + a.Purpose + "). The vault is shut until two people lift it."
	case BudgetAlarm:
		return "Session " + a.Operator + " asked for more than the budget " + a.Scope + " holds (purpose " + a.Purpose + "). It was refused."
	case AlteredAlarm:
		if a.Scope == "operators" {
			return "The vault's lists of operators and canary tokens were altered outside of the vault. They were put right."
		}
		return "The vault's disclosure control (" + a.Scope + ") was altered or lost outside of the vault. Its budgets count as spent."
	case OperatorAlarm:
		return "An operator was added to the vault, or removed: " + a.Operator + ". Whoever was added can agree to things after a day."
	case GateAlarm:
		return "The gate " + string(a.Gate) + " was told to open and could not be reached."
	case PlateAlarm:
		return "A plate came in at " + string(a.Gate) + " that is inside already: a cloned plate, or a misread one. Look at both pictures."
	case TailgateAlarm:
		return "A second vehicle passed " + string(a.Gate) + " on one opening. Look at the pictures; at an exit, say which stay it ended."
	case HelpAlarm:
		return "Somebody at " + string(a.Gate) + " calls for help."
	case TestAlarm:
		return "This is a test alarm."
	}
	return "Alarm: " + string(a.Kind) + "."
}
