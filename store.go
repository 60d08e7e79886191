package gatehouse

import (
	"context"
	"time"
)

// PassageCommit is everything that one passage writes in one transaction: the
// row, its sealed content, the audit leaf and the outbox entry. Evidence blobs are
// on disk before it.
type PassageCommit struct {
	Passage  Passage
	Detail   []byte // the sealed Detail
	Evidence []Evidence
	Leaf     []byte // PassageLeaf
}

// PassageOutcome is what became of a granted passage at the gate.
type PassageOutcome struct {
	Place
	ID      ID
	Outcome Outcome
	At      time.Time
	Leaf    []byte // OutcomeLeaf
}

// StoredPassage is a passage with its sealed content.
type StoredPassage struct {
	Passage  Passage
	Detail   []byte
	Evidence []Evidence
}

// PassageQuery asks for passages, newest first.
type PassageQuery struct {
	Place
	Gate   GateID      // "" for all
	Within *Gates      // at these only; nil: at any
	Only   Verdict     // "" for both
	Kind   ReadingKind // "" for all
	Before ID          // cursor: only passages with a smaller id; zero from the newest
	Since  time.Time   // only passages at or after; zero for no limit
	Until  time.Time   // only passages before; zero for no limit
	Limit  int         // 1..1000
}

// Verdict is one of two.
type Verdict string

// The verdicts.
const (
	OnlyGranted Verdict = "granted"
	OnlyDenied  Verdict = "denied"
)

// Has reports whether a passage is among those that the query asks for, whatever its
// place, its cursor and its limits are.
func (q PassageQuery) Has(p Passage) bool {
	return (q.Gate == "" || p.Gate == q.Gate) && (q.Within == nil || q.Within.Has(p.Gate)) && (q.Kind == "" || p.Kind == q.Kind) &&
		(q.Only == "" || p.Decision.Grant == (q.Only == OnlyGranted))
}

// PassageCounts are the numbers of a span of time.
type PassageCounts struct {
	Granted, Denied int
	ByReason        map[Reason]int
}

// PassageStore keeps passages by month. Every method is a whole command. Errors:
// store.full where the disk is full, store.failed for other I/O, store.not_found.
type PassageStore interface {
	// CommitPassage MUST be durable when it returns nil, in one transaction of one
	// file, and MUST return nil without writing again for an id that is there.
	CommitPassage(ctx context.Context, c PassageCommit) error
	// CommitOutcome sets the outcome once; a later one for the same id is ignored
	// unless the first was Pending.
	CommitOutcome(ctx context.Context, o PassageOutcome) error
	Passages(ctx context.Context, q PassageQuery) ([]Passage, error)
	Passage(ctx context.Context, place Place, id ID) (StoredPassage, error)
	// CountPassages counts those at the gates, from inclusive, until exclusive.
	CountPassages(ctx context.Context, place Place, from, until time.Time, at Gates) (PassageCounts, error)
	// Leaves calls f for every audit leaf, of subjects and devices too, in the order of
	// commit, beginning behind position after (0 for the first). Positions grow, also
	// over restarts, with gaps; a leaf that comes later has a greater one than every
	// leaf that was seen, so the last position is all that a follower has to keep.
	Leaves(ctx context.Context, after uint64, f func(position uint64, leaf []byte) error) error
	// Blobs calls f for every blob that a passage or a subject's photo refers to, so that
	// orphans can be swept: those that no call names and that were written before it.
	Blobs(ctx context.Context, f func(BlobID) error) error
}

// SubjectCommit enrols or replaces a subject in one transaction.
type SubjectCommit struct {
	Subject  Subject
	Consents []Consent
	Leaf     []byte // SubjectLeaf
}

// SubjectStore keeps the metadata and sealed records of enrolled subjects.
type SubjectStore interface {
	PutSubject(ctx context.Context, c SubjectCommit) error
	Subject(ctx context.Context, place Place, id SubjectID) (Subject, error)
	// Subjects pages by id, ascending, behind after. Tombstones are left out.
	Subjects(ctx context.Context, place Place, after SubjectID, limit int) ([]Subject, error)
	// Roll calls f for everybody who is enrolled, the newest first, without records and
	// photos: for lists. Tombstones are left out. f MUST NOT call the store.
	Roll(ctx context.Context, place Place, f func(Subject) error) error
	SetStatus(ctx context.Context, place Place, id SubjectID, s SubjectStatus, leaf []byte) error
	PutConsent(ctx context.Context, c Consent, leaf []byte) error
	Consents(ctx context.Context, place Place, id SubjectID) ([]Consent, error)
	PutDevice(ctx context.Context, d Device, leaf []byte) error
	Devices(ctx context.Context, place Place) ([]Device, error)

	// A verb that spans files writes an Intent first and finishes it last; what is
	// left at start is carried out again. Intents hold sealed data only.
	BeginIntent(ctx context.Context, i Intent) error
	FinishIntent(ctx context.Context, id ID) error
	Intents(ctx context.Context) ([]Intent, error)
}

// Intent is a verb that was begun and must be finished.
type Intent struct {
	ID   ID
	Verb string // enrol, erase, rotate
	Body []byte // the verb's own encoding, sealed under the gate key
}

// WorkingKind says what a working-set item holds.
type WorkingKind string

// What the gate knows from boot. Every item is sealed under the gate key.
const (
	TemplateItem WorkingKind = "template"
	BadgeItem    WorkingKind = "badge"
	PlateItem    WorkingKind = "plate"
	CardItem     WorkingKind = "card"
	PINItem      WorkingKind = "pin"
	QRItem       WorkingKind = "qr"
	TokenItem    WorkingKind = "token"   // a device's token verifier
	SourceItem   WorkingKind = "source"  // a camera's address, which may hold a password
	SecretItem   WorkingKind = "secret"  // what another program asks for: a mail server's password, a storage key
	AccountItem  WorkingKind = "account" // somebody who signs in, with their keys
	AccessItem   WorkingKind = "access"  // an access token's verifier, scopes and dates
	WebhookItem  WorkingKind = "webhook" // where events are posted, with the secret that signs them
	MarkItem     WorkingKind = "mark"    // of a vehicle in a car park, by its passage: at most seven days, in no escrow
)

// WorkingItem is one sealed field of the working set.
type WorkingItem struct {
	Place
	Kind    WorkingKind
	Subject SubjectID // zero for devices; a secret's is an id of its own; accounts, access tokens and webhooks have theirs
	Row     ID        // names the item; a put with the same row replaces it
	Sealed  []byte
}

// Context is where the item's sealed value belongs.
func (w WorkingItem) Context() SealContext {
	return SealContext{Place: w.Place, Table: "working/" + string(w.Kind), Row: w.Row, Field: w.Subject.String()}
}

// WorkingStore keeps the working set: small, current, never backed up.
type WorkingStore interface {
	// PutWorking writes all items or none.
	PutWorking(ctx context.Context, items []WorkingItem) error
	// ReplaceWorking is PutWorking of those items that are there; the others are left
	// out, so that what was erased meanwhile does not come back.
	ReplaceWorking(ctx context.Context, items []WorkingItem) error
	// DeleteWorking removes a subject's items of the named kinds, all of them where
	// none is named.
	DeleteWorking(ctx context.Context, place Place, subject SubjectID, kinds ...WorkingKind) error
	Working(ctx context.Context, f func(WorkingItem) error) error
}

// BlobStore keeps sealed files under random names.
type BlobStore interface {
	// PutBlob MUST be durable when it returns nil, and leaves nothing half-written.
	PutBlob(ctx context.Context, id BlobID, sealed []byte) error
	// Blob fails with store.not_found.
	Blob(ctx context.Context, id BlobID) ([]byte, error)
	DeleteBlob(ctx context.Context, id BlobID) error
	EachBlob(ctx context.Context, f func(id BlobID, written time.Time) error) error
}
