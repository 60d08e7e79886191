package wire

import (
	"log/slog"
	"time"

	"gatehouse"
)

// OpenRequest opens a gate from afar. POST /admin/v1/gates/{gate}/open.
type OpenRequest struct {
	Reason string `json:"reason"` // in words, 1 to 160 characters; it is sealed
}

// LogValue keeps the reason out of logs.
func (OpenRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// OpenResponse names the passage that the opening was recorded as.
type OpenResponse struct {
	Passage gatehouse.ID     `json:"passage"`
	Gate    gatehouse.GateID `json:"gate"`
	At      time.Time        `json:"at"`
}
