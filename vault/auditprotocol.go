package vault

import (
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// The audit log's methods. All of them work while the vault is sealed.
const (
	methodAuditCursor      = "audit.cursor"      // reply uint64
	methodAuditFollow      = "audit.follow"      // header []uint64 positions, attachments: the leaves
	methodAuditCheckpoint  = "audit.checkpoint"  // reply string
	methodAuditKeys        = "audit.keys"        // reply AuditKeys
	methodAuditProve       = "audit.prove"       // header int64; reply auditlog.Proof
	methodAuditConsistency = "audit.consistency" // header [2]int64; reply []tlog.Hash
	methodAuditLeaves      = "audit.leaves"      // header LeafQuery; reply leavesReply, attachments: the leaves
	methodAuditFind        = "audit.find"        // header gatehouse.ID; reply int64
	methodAuditRotate      = "audit.rotate"      // reply string
	methodAuditSign        = "audit.sign"        // attachment: a digest; reply string, attachment: signature
	methodAuditVerify      = "audit.verify"      // attachment: []WitnessList to begin, none to ask; reply verifyReply, attachment: AuditResult
	methodAuditGate        = "audit.gate"        // header uint64; reply []uint64 positions, attachments: the leaves
	methodWitnessSize      = "witness.size"      // header string; reply int64
	methodWitnessTook      = "witness.took"      // header witnessTook
	methodWitnessForget    = "witness.forget"    // header string
	methodWitnessCosign    = "witness.cosign"    // header []string, attachment: the request; reply CosignReply
)

func (s *service) auditHandlers() map[string]child.Handler {
	return map[string]child.Handler{
		methodAuditCursor:      s.handleAuditCursor,
		methodAuditFollow:      s.handleAuditFollow,
		methodAuditCheckpoint:  s.handleAuditCheckpoint,
		methodAuditKeys:        s.handleAuditKeys,
		methodAuditProve:       s.handleAuditProve,
		methodAuditConsistency: s.handleAuditConsistency,
		methodAuditLeaves:      s.handleAuditLeaves,
		methodAuditFind:        s.handleAuditFind,
		methodAuditRotate:      s.handleAuditRotate,
		methodAuditSign:        s.handleAuditSign,
		methodAuditVerify:      s.handleAuditVerify,
		methodAuditGate:        s.handleAuditGate,
		methodWitnessSize:      s.handleWitnessSize,
		methodWitnessTook:      s.handleWitnessTook,
		methodWitnessForget:    s.handleWitnessForget,
		methodWitnessCosign:    s.handleWitnessCosign,
	}
}

// AuditKeys are the public halves of the audit log's keys, as others configure them.
type AuditKeys struct {
	Log     string // one a line, the newest first
	Witness string // with which this vault cosigns other logs
}

// LeafQuery asks for leaves, the newest first.
type LeafQuery struct {
	Before       int64 // only leaves with a smaller number; 0 from the newest
	Kind         gatehouse.LeafKind
	Since, Until time.Time // zero: no limit; Until is exclusive
	Limit        int       // 1..1000
}

// NumberedLeaf is a leaf with its number in the log.
type NumberedLeaf struct {
	Index int64
	Leaf  []byte
}

type leavesReply struct {
	Indexes []int64
	Next    int64 // where to go on; 0: there is nothing before
}

type witnessTook struct {
	Name, Note string
	Size       int64
}

// CosignReply answers who asks for a cosignature.
type CosignReply struct {
	Line     string // the cosignature
	Conflict bool   // the asker named another size than this witness has, which is Size
	Size     int64
}
