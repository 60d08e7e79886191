package gatehouse

import (
	"context"
	"log/slog"
	"time"
)

// SearchQuery asks the archive's index. Everything that is set must hold of a hit;
// one personal field, a gate or a time must be set. All of it is personal data.
type SearchQuery struct {
	Place
	Plate      string     // compared as NormalizePlate gives it
	PlateMatch PlateMatch // "" is PlateExact
	Name       string     // all of its words, each of which may be the beginning of one; Chinese, Japanese and Korean characters also from the middle of one
	NationalID string     // exact, separators aside
	Number     string     // employee or student number: exact, separators aside
	Phone      string     // all digits
	PhoneEnd   string     // the last digits, at least 4
	Email      string     // exact
	Gate       GateID     // passages only; "" for all
	Since      time.Time  // passages at or after, records enrolled at or after; zero for no limit
	Until      time.Time  // before; zero for no limit
	Kind       HitKind    // "" for both
	After      string     // SearchAnswer.Next of the page before; "" for the newest
	Limit      int        // rows of the page, 1..MaxSearchPage
}

// LogValue redacts the query.
func (SearchQuery) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// MaxSearchPage is the most rows that one page of a search has.
const MaxSearchPage = 200

// PlateMatch says how a plate is compared.
type PlateMatch string

// How plates may be compared.
const (
	PlateExact  PlateMatch = "exact"
	PlatePrefix PlateMatch = "prefix" // begins with it
	PlateNear   PlateMatch = "near"   // at most one character replaced, added or left out
)

// HitKind says what a search found.
type HitKind string

// A search finds passages and the records of enrolled people and vehicles.
const (
	PassageHit HitKind = "passage"
	RecordHit  HitKind = "record"
)

// SearchHit is one row of an answer: ids, and the one text that tells what it is.
type SearchHit struct {
	Kind    HitKind
	ID      ID // the passage's, or the subject's
	Subject SubjectID
	At      time.Time   // of the passage, or of the enrolment
	Gate    GateID      // passages
	Reading ReadingKind // passages
	Text    string      // the plate that was read, or the record's name or plate; "" where there is none
}

// LogValue redacts the hit.
func (SearchHit) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// SearchAnswer is one page, newest first.
type SearchAnswer struct {
	Hits    []SearchHit
	Next    string    // for SearchQuery.After; "" at the end
	Indexed time.Time // what was committed until then can be found; zero where nothing was indexed yet
	// Position is that of the last leaf that the index had dealt with when it was asked.
	Position uint64
}

// SearchRequest is a search with who asks and why. It is a disclosure, also where it
// finds nothing.
type SearchRequest struct {
	Operator string
	Role     string
	Proof    []byte // what Unseal gave that operator
	Reason   string // in the operator's words; required
	Query    SearchQuery
}

// Searcher answers searches over the archive.
type Searcher interface {
	// Search writes the disclosure before it answers. Errors: vault.sealed,
	// vault.forbidden, vault.reason, vault.budget, search.malformed.
	Search(ctx context.Context, r SearchRequest) (SearchAnswer, error)
}

// IndexBatch is what a stretch of the committed log was about, on its way into the
// archive's index: sealed, to be opened by the vault alone.
type IndexBatch struct {
	From, To uint64    // the leaves behind position From, up to position To
	Until    time.Time // the last leaf's time
	Passages []StoredPassage
	Subjects []Subject
}

// IndexState is how far the index follows the committed log.
type IndexState struct {
	Position uint64    // of the last leaf that was dealt with, 0 before the first
	Until    time.Time // that leaf's time; zero before the first
}

// Indexer fills the archive's index while the vault is unsealed.
type Indexer interface {
	// IndexState fails with vault.sealed while the vault is.
	IndexState(ctx context.Context) (IndexState, error)
	// Index MUST make the batch's rows and its position To durable together, or
	// neither. Errors: vault.sealed, index.position where From is not the index's
	// position.
	Index(ctx context.Context, b IndexBatch) error
}
