package wire

import (
	"encoding/json"
	"log/slog"
	"time"

	"gatehouse"
)

// EraseRequest erases a subject. POST /admin/v1/erasures.
type EraseRequest struct {
	Subject gatehouse.SubjectID `json:"subject"`
	Reason  string              `json:"reason,omitempty"` // in the operator's words
	// Money says what becomes of what passes of value hold: refund (by the ways that it came) or
	// keep (it stays in the books). Without it, and with money on a pass, nothing is erased.
	Money string `json:"money,omitempty"`
}

// LogValue redacts the reason.
func (r EraseRequest) LogValue() slog.Value {
	return slog.GroupValue(slog.String("subject", r.Subject.String()))
}

// Erasing is how far an erasure is that has not ended.
type Erasing struct {
	ID       gatehouse.ID `json:"id"`    // its certificate's
	Stage    string       `json:"stage"` // waits, checks, keys, gates, ids, rewrites, pictures, certificate, left
	Pictures int          `json:"pictures,omitempty"`
	Unlinked int          `json:"unlinked,omitempty"` // of them
}

// ErasingResponse answers GET /admin/v1/erasures.
type ErasingResponse struct {
	Erasing []Erasing `json:"erasing"`
}

// Erasure is a certificate with its proof, as the file that an auditor gets.
type Erasure struct {
	Certificate gatehouse.ErasureCertificate `json:"certificate"`
	Leaf        int64                        `json:"leaf"`
	Proof       json.RawMessage              `json:"proof,omitempty"`
}

// ErasureFindings is what an installation still holds of an erased subject.
type ErasureFindings struct {
	Findings []string `json:"findings"`
}

// HoldRequest makes a legal hold, on a subject or on a day. POST /admin/v1/holds.
type HoldRequest struct {
	Subject gatehouse.SubjectID `json:"subject,omitzero"`
	Day     string              `json:"day,omitempty"` // YYYY-MM-DD, UTC
	Until   time.Time           `json:"until"`
	Reason  string              `json:"reason"`
}

// LogValue redacts the reason.
func (r HoldRequest) LogValue() slog.Value {
	return slog.GroupValue(slog.String("subject", r.Subject.String()), slog.String("day", r.Day))
}

// Hold is a legal hold.
type Hold struct {
	ID       gatehouse.ID        `json:"id"`
	Subject  gatehouse.SubjectID `json:"subject,omitzero"`
	Day      string              `json:"day,omitempty"`
	Operator string              `json:"operator"`
	Made     time.Time           `json:"made,omitzero"`
	Until    time.Time           `json:"until"`
	Items    int                 `json:"items"` // of a subject, whose keys are kept apart
}

// HoldEndRequest gives a hold another end. POST /admin/v1/holds/{id}/until.
type HoldEndRequest struct {
	Until time.Time `json:"until"`
}

// HoldsResponse lists the holds in force.
type HoldsResponse struct {
	Holds []Hold `json:"holds"`
}

// Retention is how long a site keeps what, in days.
type Retention struct {
	PassageDays  int        `json:"passage_days"`
	FrameDays    int        `json:"frame_days"`
	StrangerDays int        `json:"stranger_days"`
	RecordDays   int        `json:"record_days"`
	MetadataDays int        `json:"metadata_days"`
	OldestDay    string     `json:"oldest_day,omitempty"` // of which there are keys
	LastRun      *time.Time `json:"last_run,omitempty"`
}

// RetentionReport is what a run took away.
type RetentionReport struct {
	Days    int `json:"days"`
	Chains  int `json:"chains"`
	Delayed int `json:"delayed"`
	Items   int `json:"items"`
	Months  int `json:"months"`
	Erased  int `json:"erased"`
	Holds   int `json:"holds_ended"`
}

// Database is one encrypted file and since when its key is in force.
type Database struct {
	File  string    `json:"file"`
	Keyed time.Time `json:"keyed"`
	Bytes int64     `json:"bytes"`
}

// DatabasesResponse lists them.
type DatabasesResponse struct {
	Databases []Database `json:"databases"`
}

// RewriteRequest puts a file under a fresh key. POST /admin/v1/databases/rewrite.
type RewriteRequest struct {
	File string `json:"file"`
}

// Rewritten says how long that took, and how long commits to the file waited.
type Rewritten struct {
	File   string  `json:"file"`
	MS     float64 `json:"ms"`
	HeldMS float64 `json:"held_ms"`
}
