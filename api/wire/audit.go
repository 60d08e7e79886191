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

// AuditVerifyRequest verifies the log of a running server. POST /admin/v1/audit/verify.
type AuditVerifyRequest struct {
	Witness []string `json:"witness,omitempty"` // witness files beside those of the configuration, by their full paths
	Deep    bool     `json:"deep,omitempty"`    // read every sealed picture
}

// AuditReport answers. Its fields are those of auditlog.Report.
type AuditReport struct {
	OK          bool           `json:"ok"`
	Origin      string         `json:"origin"`
	Size        int64          `json:"size"`
	Root        string         `json:"root"`
	Checkpoints int            `json:"checkpoints"`
	Unsigned    int64          `json:"unsigned"`
	Witnessed   int64          `json:"witnessed"`
	Disclosures int            `json:"disclosures"`
	Removals    int64          `json:"removals"`
	GateLeaves  int64          `json:"gate_leaves"`
	Pending     int64          `json:"pending"`
	Passages    int64          `json:"passages"`
	Gone        int64          `json:"gone"`
	Blobs       int64          `json:"blobs"`
	Findings    []AuditFinding `json:"findings"`
	More        int            `json:"more,omitempty"`
}

// AuditFinding is one thing that does not hold.
type AuditFinding struct {
	Code string `json:"code"`
	What string `json:"what"`
}

// AuditForgetRequest drops what this site has seen, as a witness, of another log.
// POST /admin/v1/audit/forget.
type AuditForgetRequest struct {
	Log string `json:"log"` // its name, the first line of its checkpoints
}
