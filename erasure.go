package gatehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// ErasureStore is what a store does for an erasure. Both commands may be repeated
// after a crash.
type ErasureStore interface {
	// SubjectBlobs calls f for every sealed picture that is the subject's alone: of its
	// passages and of its enrolment.
	SubjectBlobs(ctx context.Context, place Place, id SubjectID, f func(BlobID) error) error
	// SubjectPassages calls f for the subject's passages since a moment, with their
	// pictures.
	SubjectPassages(ctx context.Context, place Place, id SubjectID, since time.Time, f func(passage ID, pictures []BlobID) error) error
	// SubjectContent calls f for what each of the subject's passages has sealed.
	SubjectContent(ctx context.Context, place Place, id SubjectID, f func(detail []byte, pictures []BlobID) error) error
	// ReplaceSubject puts fresh in the place of old in the metadata of every month, and
	// deletes the subject's record and photos. The subject stays as a tombstone under
	// fresh (ErasedStatus), its consents with purpose and dates. What its passages say
	// stays sealed where it is, noise by then, until its day expires, so that the audit
	// log goes on fitting. What is committed for old afterwards, because it was on its
	// way, is committed for fresh and without pictures. When it returns nil, old is in no
	// table any more. leaf is added where a subject was there.
	ReplaceSubject(ctx context.Context, place Place, old, fresh SubjectID, leaf []byte) (passages int, err error)
	// SubjectTraces says what a store holds of a subject.
	SubjectTraces(ctx context.Context, place Place, id SubjectID) (SubjectTraces, error)
	// SubjectSeen reports whether the subject has a passage from inclusive, until exclusive.
	SubjectSeen(ctx context.Context, place Place, id SubjectID, from, until time.Time) (bool, error)
}

// SubjectTraces is what there is of a subject in metadata.
type SubjectTraces struct {
	Enrolled bool
	Passages int
	Last     time.Time // of the passages; zero where there is none
	Rules    int       // groups that it is in, and changes of groups that name it
	Hours    int       // punches, plans, corrections, leave, pay terms and payslips
	Parking  int       // stays, exits, passes and accounts
	Requests int       // about personal data
}

// Erasable is what the key store knows of a subject.
type Erasable struct {
	Chains int    // that an erasure would delete
	Erased bool   // before
	Holds  []Hold // in force: on the subject, or on any day
	// FinalAt is the latest end that a certificate of its erasure has; zero where none
	// was given here.
	FinalAt time.Time
}

// EraseRequest asks the vault to make everything that was sealed for a subject noise.
type EraseRequest struct {
	Place
	ID       ID // names the erasure: a request with the same id is the same erasure
	Subject  SubjectID
	Operator string
	Reason   string // in the operator's words
	Proof    []byte // what Unseal gave the operator; without it the vault erases a few an hour
}

// ErasureCertificate says that a subject was erased, and from when on no backup can
// bring it back. It names nobody: the subject's id was random, and is in use nowhere
// any more. Its leaf in the audit log commits to all of it.
type ErasureCertificate struct {
	ID       ID        `json:"id"`
	Org      OrgID     `json:"org"`
	Site     SiteID    `json:"site"`
	Subject  SubjectID `json:"subject"` // the id that was erased
	ErasedAt time.Time `json:"erased_at"`
	Chains   int       `json:"chains"`   // key-store rows that were deleted
	Passages int       `json:"passages"` // that stay as times under another id
	// FinalAt is when storage drops the last key bundle in which the keys still were;
	// the time of the erasure where there is none.
	FinalAt time.Time `json:"final_at"`
}

// Leaf is what the audit log holds of the certificate. The subject stands as a hash
// that is salted with the certificate's random id.
func (c ErasureCertificate) Leaf() []byte {
	hash := sha256.New()
	hash.Write(c.ID[:])
	hash.Write(c.Subject[:])
	return EventLeaf(EraseLeafKind, c.ErasedAt, "erased", c.ID.String(), string(c.Org), string(c.Site), hex.EncodeToString(hash.Sum(nil)),
		strconv.Itoa(c.Chains), strconv.Itoa(c.Passages), strconv.FormatInt(c.FinalAt.UnixMilli(), 10))
}

// eventReplaced is the one event of an erasure that the gate's own files record.
const eventReplaced = "replaced"

// ReplacedLeaf records that an erasure put a fresh id in the place of the erased one.
func ReplacedLeaf(at time.Time, place Place, erasure ID) []byte {
	return EventLeaf(EraseLeafKind, at, eventReplaced, string(place.Org), string(place.Site), erasure.String())
}

// Hold keeps sealed things openable beyond their retention: for a court, for an
// inquiry. It has an end, and somebody answers for it.
type Hold struct {
	Place
	ID       ID
	Subject  SubjectID // zero for a day
	Day      string    // YYYY-MM-DD, UTC; empty for a subject
	Operator string
	Made     time.Time
	Until    time.Time
	Items    int       // whose keys are kept apart
	Lifted   time.Time // zero while it is in force
}

// Removal is an entry of the key store's list of what was erased and what has
// expired: opaque ids and days.
type Removal struct {
	Place
	N       int64
	At      time.Time
	Subject SubjectID      // zero for a day
	Class   RetentionClass // of a day; TemplateClass where only a subject's templates were forgotten
	Day     string
}

// TemplateClass is what a subject's templates are sealed under, apart from the rest, so
// that they can go with the consent to them. No day has it.
const TemplateClass RetentionClass = "template"

// Erasure reports whether the entry stands for a whole subject.
func (r Removal) Erasure() bool { return !r.Subject.IsZero() && r.Class == "" }

// Templates reports whether the entry stands for a subject's templates alone: their
// consent was withdrawn, or other photos took their place.
func (r Removal) Templates() bool { return !r.Subject.IsZero() && r.Class == TemplateClass }

// KeyBundle is a copy of the key store that was written with a backup, and when the
// storage that it lies in drops it.
type KeyBundle struct {
	ID      ID
	At      time.Time
	Target  string
	Expires time.Time
	// Seen says that it lies at its target already, unknown to the log. One that is yet to be
	// written holds no keys of those who were erased by then.
	Seen bool
}

// KeyDay is a day of a retention class of which the key store has keys.
type KeyDay struct {
	Class RetentionClass
	Day   time.Time // its first moment, UTC
}

// ContentKind tells apart what is dropped at different times.
type ContentKind string

// What lies in storage until its keys are gone.
const (
	DetailContent   ContentKind = "detail"   // what a passage said
	CropContent     ContentKind = "crop"     // pictures of one track of enrolled subjects
	FrameContent    ContentKind = "frame"    // whole frames
	StrangerContent ContentKind = "stranger" // pictures of who is not enrolled
)

// ContentCut says which sealed content is dropped from storage: that of passages
// before a moment, save what holds keep.
type ContentCut struct {
	Place
	Kind         ContentKind
	Before       time.Time
	HeldSubjects []SubjectID
	HeldDays     []time.Time // first moments, UTC
}

// ExpiryStore is what a store does for retention. Its commands may be stopped and
// repeated at any time.
type ExpiryStore interface {
	// DropContent drops the content of a cut, some hundreds at a time: deleteBlobs is
	// called with the pictures before their references go. It says how many it dropped.
	DropContent(ctx context.Context, cut ContentCut, deleteBlobs func([]BlobID) error) (dropped int, err error)
	// Months lists the first moments (UTC) of the months of which there are passages, by time.
	Months(ctx context.Context) ([]time.Time, error)
	// DropMonth removes a month's passages as a whole, of every site, unless some of its
	// audit leaves stand behind position followed: then it does nothing.
	DropMonth(ctx context.Context, month time.Time, followed uint64) (dropped bool, err error)
}
