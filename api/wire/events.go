package wire

import "time"

// EventGap is the data of a gap in GET /api/v1/events: what happened in between is not told
// again, and the list of passages has it.
type EventGap struct {
	Since time.Time `json:"since"` // when the last event that arrived was the newest
	Until time.Time `json:"until"`
}
