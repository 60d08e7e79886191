package gatehouse

import "time"

// ReleaseItem names one sealed value of a bulk release: table "subjects" with field
// name, national_id or record; "passages" with detail; "payslips" with slip; "evidence",
// whose rows are blobs, with the picture's kind.
type ReleaseItem struct {
	Table string
	Row   ID
	Field string
}

// ReleaseRequest asks for more than budgets give: a list of values, opened in the
// vault process and written as a file that is encrypted to the recipients. One
// operator signs the request, another one what it says; both sign these bytes as JSON.
// The salt keeps the reason from being guessed at by the signatures and the audit log's
// digest of these bytes.
type ReleaseRequest struct {
	Place
	ID         ID
	Salt       []byte // ReleaseSalt random bytes
	At         time.Time
	Operator   string
	Purpose    string // what it is for, in a word: "authority", "export", "audit"
	Reason     string // in the operator's words
	Items      []ReleaseItem
	Recipients []string // age public keys
	// Form makes a payroll program's file of payslips, with the names of who has a name among
	// the items; nil writes a line of JSON for each value.
	Form *PayForm `json:",omitempty"`
}

// Release is what became of a request.
type Release struct {
	Request  ReleaseRequest // without salt, reason and items where Body is nil
	Count    int            // of the items
	Body     []byte         // the JSON that was signed; nil in a list
	Expires  time.Time      // after it nothing is written any more; until then also once more
	Approver string         // "" while nobody has approved
	Approved time.Time
	Written  time.Time
}

// The bounds of a release.
const (
	MaxReleaseItems = 20_000
	ReleaseSalt     = 16
	ReleaseLasts    = 7 * 24 * time.Hour
)
