package gatehouse

import (
	"context"
	"log/slog"
	"strconv"
	"time"
)

// RequestKind is what somebody asks for about the data that is held of them (GDPR 15 to
// 20, PIPL 44 to 47).
type RequestKind string

// The kinds.
const (
	AccessRequest     RequestKind = "access"     // to see what is held, and who looked at it
	CorrectionRequest RequestKind = "correction" // to have it put right
	ExportRequest     RequestKind = "export"     // to get it as a file
	ErasureRequest    RequestKind = "erasure"    // to have it erased
)

// RequestKinds lists them all.
var RequestKinds = []RequestKind{AccessRequest, CorrectionRequest, ExportRequest, ErasureRequest}

// RequestOutcome is how a request was answered.
type RequestOutcome string

// The outcomes; "" while it is open.
const (
	RequestGranted RequestOutcome = "granted"
	RequestRefused RequestOutcome = "refused"
)

// Request is one of them: its kind and dates are metadata, and what it says in words is
// sealed, since it says who asks and how they are reached.
type Request struct {
	Place
	ID       ID
	Kind     RequestKind
	Subject  SubjectID // whose data; zero where nobody enrolled is meant
	Opened   time.Time
	Due      time.Time // the last day to answer, as the law has it
	Extended bool      // Due was put off, once
	Done     time.Time // zero while it is open
	Outcome  RequestOutcome
	Note     []byte // sealed: what is asked for; nil where nothing was noted, or it is gone
	Answer   []byte // sealed: what was answered
	Contact  []byte // sealed: a RequestContact as JSON; nil where letters are printed
}

// RequestContact is where and in which language somebody gets letters about their request.
type RequestContact struct {
	Email string // an address of RFC 5321 in ASCII, at most 254 bytes; "" for none
	Lang  string // en or zh
}

// LogValue keeps the address out of logs.
func (RequestContact) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// String keeps it out of texts.
func (RequestContact) String() string { return "[redacted]" }

// RequestContext is what a sealed text of a request is bound to; field is "note", "answer"
// or "contact".
func RequestContext(place Place, id ID, field string) SealContext {
	return SealContext{Place: place, Table: "requests", Row: id, Field: field}
}

// PrivacyStore keeps what the privacy officer looks after, besides subjects. Errors:
// store.full, store.failed, store.not_found.
type PrivacyStore interface {
	// PutRequest adds a request or replaces the one with its id, with a leaf. A subject
	// that was erased since the store was opened is replaced as ReplaceSubject says.
	PutRequest(ctx context.Context, r Request, leaf []byte) error
	Request(ctx context.Context, place Place, id ID) (Request, error)
	// Requests pages from the newest, behind before (zero: from the newest).
	Requests(ctx context.Context, place Place, before ID, limit int) ([]Request, error)
	// EachConsent calls f for the consents of all who are not erased, by subject and time.
	EachConsent(ctx context.Context, place Place, f func(Consent) error) error
}

// RequestLeaf commits to a request as it stands now, by the digests of its sealed texts,
// and names who changed it: event is opened, extended, answered or letter-sent. Whose it is is not in
// it, since erasing a subject replaces its id.
func RequestLeaf(at time.Time, event string, r Request, operator string) []byte {
	return leaf(RequestLeafKind, at, []byte(event), []byte(r.Org), []byte(r.Site), r.ID[:], []byte(r.Kind), []byte(operator), []byte(r.Outcome),
		[]byte(strconv.FormatInt(r.Due.UnixMilli(), 10)), digest(r.Note), digest(r.Answer), digest(r.Contact))
}
