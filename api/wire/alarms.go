package wire

import (
	"time"

	"gatehouse"
)

// Alarm is one alarm on the list. It holds nothing personal.
type Alarm struct {
	ID           gatehouse.ID        `json:"id"`
	At           time.Time           `json:"at"`
	Kind         gatehouse.AlarmKind `json:"kind"`
	Says         string              `json:"says"`
	Gate         gatehouse.GateID    `json:"gate,omitempty"`
	Acknowledged time.Time           `json:"acknowledged,omitzero"`
	By           string              `json:"by,omitempty"` // who acknowledged it
}

// Alarms answers GET /admin/v1/alarms, the newest first.
type Alarms struct {
	Alarms []Alarm      `json:"alarms"`
	Next   gatehouse.ID `json:"next,omitzero"` // cursor
}
