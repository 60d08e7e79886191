package wire

import "gatehouse"

// TerminalState is all that a terminal at a gate needs to know at a moment. It never holds
// a similarity, a confidence, a reason or a subject.
// GET /api/v1/devices/{id}/terminal and POST /api/v1/devices/{id}/looks.
type TerminalState struct {
	Gate  string `json:"gate"`  // its name
	Looks bool   `json:"looks"` // pictures are wanted: the gate is a door
	Faces bool   `json:"faces"` // faces can be recognized at present
	// SecondFactor says that a face or PIN alone does not open this gate.
	SecondFactor bool `json:"second_factor"`
	// Guidance is about the picture that was sent; "" where none was.
	Guidance gatehouse.Guidance `json:"guidance,omitempty"`
	// Waits says that somebody was recognized here who still owes a second factor.
	Waits bool `json:"waits"`
	// NextMS is after how many milliseconds the next picture is wanted.
	NextMS int            `json:"next_ms"`
	News   []TerminalNews `json:"news"` // oldest first
	Last   uint64         `json:"last"` // the newest news there was: ?after= of the next request
	Page   string         `json:"page"` // tag of the page that is served now: another one means to load it anew
	Time   int64          `json:"time"` // the server's, Unix milliseconds
}

// TerminalNews is one decision that the terminal tells people of.
type TerminalNews struct {
	N      uint64           `json:"n"` // ascending, over restarts of the server too
	Answer gatehouse.Answer `json:"answer"`
	// Label is the badge's of whoever was let in here, where the site greets people by it.
	Label string `json:"label,omitempty"`
}
