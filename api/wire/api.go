package wire

import (
	"time"

	"gatehouse"
)

// FramesResponse answers a device's frame or credential: the decisions that it
// led to, none while a track is still being watched. It never holds a
// similarity, a confidence or a name.
type FramesResponse struct {
	Passages []DevicePassage `json:"passages"`
}

// DevicePassage is what a device may know of a passage.
type DevicePassage struct {
	ID       gatehouse.ID     `json:"id"`
	Decision string           `json:"decision"` // granted or denied
	Reason   gatehouse.Reason `json:"reason"`
	Sentence string           `json:"sentence"` // for people, in the language of Accept-Language
}

// CredentialRequest is a card, PIN or QR code that was shown to a device.
// POST /api/v1/devices/{id}/credentials.
type CredentialRequest struct {
	Kind  gatehouse.CaptureKind `json:"kind"`  // card, pin, qr
	Value string                `json:"value"` // 1..512 bytes
	At    time.Time             `json:"at,omitzero"`
}

// Passage is the metadata of one passage. GET /api/v1/passages.
type Passage struct {
	ID        gatehouse.ID          `json:"id"`
	Gate      gatehouse.GateID      `json:"gate"`
	Device    gatehouse.DeviceID    `json:"device"`
	Direction gatehouse.Direction   `json:"direction"`
	At        time.Time             `json:"at"`
	Kind      gatehouse.ReadingKind `json:"kind"`
	Subject   gatehouse.SubjectID   `json:"subject"`
	Known     bool                  `json:"known"`
	Frames    int                   `json:"frames"`
	Decision  string                `json:"decision"`
	Reason    gatehouse.Reason      `json:"reason"`
	Rule      string                `json:"rule,omitempty"`
	LatencyMS float64               `json:"latency_ms"`
	Outcome   gatehouse.Outcome     `json:"outcome"`
	OutcomeAt time.Time             `json:"outcome_at,omitzero"`
}

// PassagesResponse is one page, newest first; Next is the cursor for ?before=, zero
// at the end.
type PassagesResponse struct {
	Passages []Passage    `json:"passages"`
	Next     gatehouse.ID `json:"next,omitzero"`
}

// Problem is an error as RFC 9457 says it, with the code and hint of gatehouse.Error.
type Problem struct {
	Type   string `json:"type"`             // "about:blank": the code is what programs compare
	Title  string `json:"title"`            // the status in words
	Status int    `json:"status"`           // the HTTP status
	Detail string `json:"detail,omitempty"` // what went wrong, for people
	Code   string `json:"code"`             // lower case, dotted, stable
	Hint   string `json:"hint,omitempty"`   // what to do
}

// Decided says "granted" or "denied".
func Decided(d gatehouse.Decision) string {
	if d.Grant {
		return "granted"
	}
	return "denied"
}
