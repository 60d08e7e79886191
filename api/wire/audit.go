package wire

import (
	"time"

	"gatehouse"
)

// AuditQuery asks for entries of the audit log, the newest first. GET /admin/v1/audit.
type AuditQuery struct {
	Before int64              // only entries with a smaller number; 0 from the newest
	Kind   gatehouse.LeafKind // "" for all
	Since  time.Time          // zero: no limit
	Until  time.Time          // exclusive; zero: no limit
	Limit  int                // 1..1000
}

// AuditPage answers. Next goes into Before, and is 0 at the end; a page may be empty
// though there are more.
type AuditPage struct {
	Entries []AuditEntry `json:"entries"`
	Next    int64        `json:"next,omitempty"`
}

// AuditEntry is one entry in words: opaque ids, numbers and digests.
type AuditEntry struct {
	Index  int64              `json:"index"`
	At     time.Time          `json:"at"`
	Kind   gatehouse.LeafKind `json:"kind"`
	Fields []AuditField       `json:"fields"`
}

// AuditField is one thing that an entry says.
type AuditField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// AuditProof shows, with the log's key alone, that an entry stands in the log.
// GET /admin/v1/audit/proofs/{what}. Its fields are those of auditlog.Proof.
type AuditProof struct {
	Leaf       []byte   `json:"leaf"`
	Index      int64    `json:"index"`
	Size       int64    `json:"size"`
	Hashes     [][]byte `json:"hashes"`
	Checkpoint string   `json:"checkpoint"`
}

// AuditKeys are what others verify this log and its cosignatures with.
// GET /admin/v1/audit/keys.
type AuditKeys struct {
	Log     []string `json:"log"` // the newest first
	Witness string   `json:"witness"`
}
