package wire

import (
	"log/slog"
	"time"

	"gatehouse"
)

// SearchRequest searches the archive. It travels in the body only: a query is personal.
// POST /admin/v1/search and /api/v1/search.
type SearchRequest struct {
	Reason     string               `json:"reason"` // why; required
	Plate      string               `json:"plate,omitempty"`
	PlateMatch gatehouse.PlateMatch `json:"plate_match,omitempty"` // exact (default), prefix, near
	Name       string               `json:"name,omitempty"`        // all words, or the beginnings of them
	NationalID string               `json:"national_id,omitempty"`
	Number     string               `json:"number,omitempty"` // employee or student number
	Phone      string               `json:"phone,omitempty"`
	PhoneEnd   string               `json:"phone_end,omitempty"` // at least 4 digits
	Email      string               `json:"email,omitempty"`
	Gate       gatehouse.GateID     `json:"gate,omitempty"`
	Since      time.Time            `json:"since,omitzero"`
	Until      time.Time            `json:"until,omitzero"`
	Kind       gatehouse.HitKind    `json:"kind,omitempty"`  // passage, record; both where it is missing
	After      string               `json:"after,omitempty"` // next of the page before
	Limit      int                  `json:"limit,omitempty"` // rows, 1..200 (50)
}

// LogValue redacts the request.
func (SearchRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// SearchHit is one row: what was found, and what the metadata says of it.
type SearchHit struct {
	Kind    gatehouse.HitKind     `json:"kind"` // passage, record
	ID      gatehouse.ID          `json:"id"`
	Subject gatehouse.SubjectID   `json:"subject"`
	At      time.Time             `json:"at"`
	Gate    gatehouse.GateID      `json:"gate,omitempty"`
	Reading gatehouse.ReadingKind `json:"reading,omitempty"`
	Text    string                `json:"text,omitempty"` // the plate or name
	// Of a passage; missing where it has expired.
	Direction gatehouse.Direction `json:"direction,omitempty"`
	Decision  string              `json:"decision,omitempty"`
	Reason    gatehouse.Reason    `json:"reason,omitempty"`
	Outcome   gatehouse.Outcome   `json:"outcome,omitempty"`
	// Of a record.
	SubjectKind gatehouse.SubjectKind   `json:"subject_kind,omitempty"`
	Status      gatehouse.SubjectStatus `json:"status,omitempty"`
}

// LogValue redacts the hit.
func (SearchHit) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// SearchResponse is one page, newest first.
type SearchResponse struct {
	Hits    []SearchHit `json:"hits"`
	Next    string      `json:"next,omitempty"`   // for after; missing at the end
	Indexed time.Time   `json:"indexed,omitzero"` // what was committed until then can be found
	Current bool        `json:"current"`          // false: the index is catching up, so rows may be missing
}

// LogValue redacts the answer.
func (SearchResponse) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// IndexStatus says how far the search index is; it is known while the vault is unsealed.
type IndexStatus struct {
	Indexed time.Time `json:"indexed,omitzero"`
	Current bool      `json:"current"`
}
