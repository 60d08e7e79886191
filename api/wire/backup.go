package wire

import (
	"log/slog"
	"time"

	"gatehouse"
)

// Backup is what a backup did.
type Backup struct {
	ID       gatehouse.ID `json:"id"`
	At       time.Time    `json:"at"`
	Objects  int64        `json:"objects_added"`
	Bytes    int64        `json:"bytes_added"`
	Pictures int          `json:"pictures"`
	Bundle   string       `json:"bundle"`
	Expires  time.Time    `json:"bundle_expires"`
	Seconds  float64      `json:"duration_s"`
}

// BackupProgress is how far the backup or check that runs now is.
type BackupProgress struct {
	Running bool   `json:"running"`
	Stage   string `json:"stage,omitempty"`
	Done    int64  `json:"done"`
	Total   int64  `json:"total"`
}

// BackupList is what the targets hold of this installation, oldest first, and the
// erasure list of now.
type BackupList struct {
	Backups []BackupEntry `json:"backups"`
	Erased  ErasureList   `json:"erasure_list"`
	Signer  string        `json:"signer"` // the installation's key for backups, hexadecimal
}

// BackupEntry is one backup.
type BackupEntry struct {
	ID       gatehouse.ID `json:"id"`
	At       time.Time    `json:"at"`
	Bytes    int64        `json:"database_bytes"`
	Pictures int          `json:"pictures"`
	Bundle   string       `json:"bundle"`
	Keys     bool         `json:"keys"` // its key bundle is there: it can be restored
	Expires  time.Time    `json:"bundle_expires,omitzero"`
}

// ErasureList says which erasure list somebody has: a restore takes it as the least
// that it must find.
type ErasureList struct {
	Count  int    `json:"count"`
	SHA256 string `json:"sha256"`
}

// BackupHoldRequest keeps the newest key bundle longer. POST /admin/v1/backups/hold.
type BackupHoldRequest struct {
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"` // in the operator's words
}

// LogValue redacts the reason.
func (r BackupHoldRequest) LogValue() slog.Value {
	return slog.GroupValue(slog.Time("until", r.Until))
}

// BackupHold says what is held.
type BackupHold struct {
	Bundle    string    `json:"bundle"`
	Until     time.Time `json:"until"`
	Postponed int       `json:"erasures_postponed"`
}

// BackupVerifyRequest asks for a check. With what opens the vault the newest backup
// is restored beside the site as well.
type BackupVerifyRequest struct {
	With Credential `json:"with,omitzero"`
}

// BackupCheck is what a check found.
type BackupCheck struct {
	OK       bool            `json:"ok"`
	Backups  int             `json:"backups"`
	Objects  int             `json:"objects"`
	Bytes    int64           `json:"bytes"`
	Restored bool            `json:"restored"`
	Findings []BackupFinding `json:"findings"`
}

// BackupFinding is one thing that is wrong.
type BackupFinding struct {
	Code   string `json:"code"`
	Object string `json:"object,omitempty"`
	What   string `json:"what"`
}
