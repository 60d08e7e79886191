package wire

import (
	"time"

	"gatehouse"
)

// GateInfo is a gate and its state. GET /api/v1/gates/{gate}.
type GateInfo struct {
	ID        gatehouse.GateID    `json:"id"`
	Kind      gatehouse.GateKind  `json:"kind"`
	Name      string              `json:"name"`
	From      gatehouse.ZoneID    `json:"from,omitempty"`
	To        gatehouse.ZoneID    `json:"to,omitempty"`
	Direction gatehouse.Direction `json:"direction"`
	State     string              `json:"state"`  // open, closed, fault or unknown
	Camera    string              `json:"camera"` // ok, stalled, down or none
}

// GatesResponse answers GET /api/v1/gates, in the order of gatehouse.yml.
type GatesResponse struct {
	Gates []GateInfo `json:"gates"`
}

// DisclosureFact is one opening of sealed data: by whom and for what, not what it said.
type DisclosureFact struct {
	ID       gatehouse.ID `json:"id"`
	At       time.Time    `json:"at"`
	Operator string       `json:"operator"` // an opaque id
	Role     string       `json:"role,omitempty"`
	Purpose  string       `json:"purpose"`
	Items    int          `json:"items"`
	Units    int          `json:"units"`  // of the budget
	Reason   bool         `json:"reason"` // somebody gave one, which is sealed
}

// DisclosuresResponse is one page, newest first. GET /api/v1/disclosures.
type DisclosuresResponse struct {
	Disclosures []DisclosureFact `json:"disclosures"`
	Next        gatehouse.ID     `json:"next,omitzero"`
}
