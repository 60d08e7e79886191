package gatehouse

import "time"

// AlarmKind says what happened.
type AlarmKind string

// What raises an alarm.
const (
	CanaryAlarm   AlarmKind = "canary"   // a canary was opened or its token was shown; the vault is shut
	BudgetAlarm   AlarmKind = "budget"   // an operator asked for more than a budget held
	AlteredAlarm  AlarmKind = "altered"  // what controls disclosures was changed from outside
	OperatorAlarm AlarmKind = "operator" // an operator was added or removed
	TestAlarm     AlarmKind = "test"     // somebody tries whether alarms arrive
)

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
	case TestAlarm:
		return "This is a test alarm."
	}
	return "Alarm: " + string(a.Kind) + "."
}
