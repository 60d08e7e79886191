package gatehouse

import "context"

// SealContext names the one place where a sealed value belongs. It is part of
// what authenticates the value: moved to another row, field, site or revision, it
// does not open.
type SealContext struct {
	Place
	Table    string
	Row      ID
	Field    string
	Revision uint32
}

// RetentionClass says how long a day's items are kept; a day chain belongs to one
// (site, class, day of receipt).
type RetentionClass string

// The classes that exist.
const (
	PassageClass  RetentionClass = "passage"  // what a passage said, and its crops
	FrameClass    RetentionClass = "frame"    // whole frames, at most 7 days
	StrangerClass RetentionClass = "stranger" // kept captures of people who are not enrolled, at most 72 hours
	RecordClass   RetentionClass = "record"   // people's and vehicles' records
	PayClass      RetentionClass = "pay"      // what people are paid by; goes with its person, as a record does
	PayslipClass  RetentionClass = "payslip"  // what they were paid; sealed by the vault process alone
	ReasonClass   RetentionClass = "reason"   // what operators said when they asked; sealed by the vault process alone
)

// Padding says to which sizes a plaintext is padded before it is sealed.
type Padding int

// Fields pad to 64, 256 or 1,024 bytes (then to multiples of 1,024), records to
// multiples of 4 KiB, images by Padmé (at most 12 % more).
const (
	PadField Padding = iota
	PadRecord
	PadImage
)

// Sealer seals for the archive. It can write and cannot read: whoever holds one
// cannot open what it sealed.
type Sealer interface {
	// Seal returns the sealed form of plaintext under the subject's chain and the
	// day chain of class. A zero subject seals under the day chain alone, which
	// whole frames use. It MUST NOT return before the chains' rows are durable in
	// the key store, and MUST be safe for concurrent use. Errors: sealing.unavailable
	// while the key store cannot be reached.
	Seal(ctx context.Context, subject SubjectID, class RetentionClass, where SealContext, plaintext []byte, pad Padding) ([]byte, error)

	// OneOff returns a fresh subject whose chain is durable already, for a capture
	// of nobody who is enrolled.
	OneOff(ctx context.Context, place Place) (SubjectID, error)

	// Prepare begins, in the background, the chains that sealing for a subject will
	// need, so that a commit does not wait for them. It MUST NOT block.
	Prepare(place Place, subject SubjectID, class RetentionClass)
}

// SealedRef is one sealed value and the place where it was found.
type SealedRef struct {
	Where  SealContext
	Sealed []byte
}

// OpenRequest asks the vault to open values. The vault writes the disclosure
// before it releases anything.
type OpenRequest struct {
	Operator string      // who asks
	Role     string      // in which role; budgets are set per role
	Proof    []byte      // what Unseal gave that operator
	Purpose  string      // live, passage, person, drill
	Reason   string      // in the operator's words
	Refs     []SealedRef // at most 200 at a time
}

// Opener is the vault's one call.
type Opener interface {
	// Open returns the plaintexts in the order of the refs; one that cannot be
	// opened (erased, expired, altered, moved) is nil. Errors: vault.sealed,
	// vault.forbidden, vault.too_many.
	Open(ctx context.Context, r OpenRequest) ([][]byte, error)
}

// WorkingSealer seals and opens the working set's fields under the gate key.
type WorkingSealer interface {
	SealWorking(where SealContext, plaintext []byte) ([]byte, error)
	// OpenWorking fails with sealing.altered where anything does not fit.
	OpenWorking(where SealContext, sealed []byte) ([]byte, error)
}
