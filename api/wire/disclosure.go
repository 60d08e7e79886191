package wire

import (
	"log/slog"
	"time"

	"gatehouse"
)

// Limit is one budget: units within an hour and within a day.
type Limit struct {
	Hour int `json:"hour"`
	Day  int `json:"day"`
}

// Limits are all budgets.
type Limits struct {
	Operator     Limit `json:"operator"`
	Role         Limit `json:"role"`
	Organization Limit `json:"organization"`
	Live         Limit `json:"live"` // a guard's live window, per operator
}

// Budget answers GET /admin/v1/budget and the setting of limits.
type Budget struct {
	// Known is false until the vault was unsealed once since it started: what is set
	// is sealed.
	Known  bool         `json:"known"`
	Set    Limits       `json:"set"`    // with the vault's passphrase
	Limits Limits       `json:"limits"` // in force: set, lowered by the configuration
	Left   []BudgetLeft `json:"left"`
}

// BudgetLeft is what one budget still holds.
type BudgetLeft struct {
	Scope  string `json:"scope"`
	Window string `json:"window"` // hour or day
	Units  int    `json:"units"`
}

// BudgetSetRequest sets the limits. POST /admin/v1/budget.
type BudgetSetRequest struct {
	With   Credential `json:"with"`
	Limits Limits     `json:"limits"` // 0 leaves a number as it is
	// Anew begins without canaries and operators and with everything spent, where what
	// controls disclosures was lost.
	Anew bool `json:"anew,omitempty"`
}

// LogValue redacts the credential.
func (BudgetSetRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials implements Shows.
func (r BudgetSetRequest) Credentials() []Credential { return []Credential{r.With} }

// ReasonsRequest asks for a page of the disclosure log with its reasons, newest first,
// which is a disclosure. POST /admin/v1/audit/reasons.
type ReasonsRequest struct {
	Before gatehouse.ID `json:"before,omitzero"`
	Limit  int          `json:"limit"` // 1 to 200
}

// ReasonsResponse is the page.
type ReasonsResponse struct {
	Disclosures []Disclosure `json:"disclosures"`
}

// Disclosure is one opening of sealed data, with why.
type Disclosure struct {
	ID       gatehouse.ID `json:"id"`
	At       time.Time    `json:"at"`
	Operator string       `json:"operator"`
	Purpose  string       `json:"purpose"`
	Reason   string       `json:"reason,omitempty"`
	Gone     bool         `json:"gone,omitempty"` // its reason has expired
	Items    int          `json:"items"`
	Units    int          `json:"units"`
}

// LogValue redacts the reason.
func (Disclosure) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Operator is what it takes to sign as an operator who can be told apart by it. GET
// /admin/v1/operators/{name}: who has it can try passphrases, so no list holds it.
type Operator struct {
	Name   string `json:"name"`
	Salt   []byte `json:"salt"`
	Work   int    `json:"work"`   // scrypt's log2 N
	Public []byte `json:"public"` // Ed25519
}

// OperatorsResponse answers GET /admin/v1/operators.
type OperatorsResponse struct {
	Operators []ListedOperator `json:"operators"`
	Vault     string           `json:"vault"` // the vault key's short name, in what is signed
}

// ListedOperator is one operator.
type ListedOperator struct {
	Name string `json:"name"`
}

// OperatorRequest adds or removes an operator. POST /admin/v1/operators and
// /admin/v1/operators/remove, which needs the name alone.
type OperatorRequest struct {
	With     Credential    `json:"with"`
	Operator Operator      `json:"operator"`
	Agreed   SignedRequest `json:"agreed,omitzero"` // by an operator, once there are two; its id is made when it is signed
}

// LogValue redacts the credential.
func (OperatorRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials implements Shows.
func (r OperatorRequest) Credentials() []Credential { return []Credential{r.With} }

// CanariesRequest carries the vault's credential alone.
type CanariesRequest struct {
	With Credential `json:"with"`
}

// LogValue redacts the credential.
func (CanariesRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials implements Shows.
func (r CanariesRequest) Credentials() []Credential { return []Credential{r.With} }

// CanarySpareRequest enrols somebody made up. POST /admin/v1/canaries/spare.
type CanarySpareRequest struct {
	Kind  string `json:"kind"`  // person or vehicle
	Label string `json:"label"` // what its badge says; "" for one like the others
}

// CanarySpareResponse says who.
type CanarySpareResponse struct {
	Kind    string              `json:"kind"`
	Subject gatehouse.SubjectID `json:"subject"`
	Label   string              `json:"label"`
}

// CanaryPlantRequest makes canaries of subjects that are enrolled, or plants a token.
// POST /admin/v1/canaries.
type CanaryPlantRequest struct {
	With     Credential            `json:"with"`
	Subjects []gatehouse.SubjectID `json:"subjects"` // none: a token
	Note     string                `json:"note"`     // where it was planted; no personal data
}

// LogValue redacts the credential.
func (CanaryPlantRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials implements Shows.
func (r CanaryPlantRequest) Credentials() []Credential { return []Credential{r.With} }

// CanaryPlantResponse says what was planted; the token is shown this once.
type CanaryPlantResponse struct {
	Planted int    `json:"planted"`
	Token   string `json:"token,omitempty"`
}

// LogValue redacts the token.
func (CanaryPlantResponse) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Canary is one that was planted.
type Canary struct {
	Kind    string              `json:"kind"`
	Subject gatehouse.SubjectID `json:"subject,omitzero"`
	Note    string              `json:"note"`
	Planted time.Time           `json:"planted"`
}

// CanariesResponse answers POST /admin/v1/canaries/list.
type CanariesResponse struct {
	Canaries []Canary `json:"canaries"`
}

// CanaryStatus answers GET /admin/v1/canaries/status.
type CanaryStatus struct {
	Shut     bool         `json:"shut"`          // a canary shut the vault
	Trip     gatehouse.ID `json:"trip,omitzero"` // names the event in what is signed
	At       time.Time    `json:"at,omitzero"`
	Operator string       `json:"operator,omitempty"` // who opened it
	Purpose  string       `json:"purpose,omitempty"`
	Device   string       `json:"device,omitempty"` // as what a token was shown
	Lifted   []string     `json:"lifted,omitempty"` // operators who signed; two are needed
	Vault    string       `json:"vault"`            // the vault key's short name, in what is signed
}

// SignedRequest is an operator's signature. POST /admin/v1/canaries/lift and
// /admin/v1/releases/{id}/approve.
type SignedRequest struct {
	ID        gatehouse.ID `json:"id"`
	Operator  string       `json:"operator"`
	Signature []byte       `json:"signature"`
}

// ReleasePlanRequest names subjects and passages. POST /admin/v1/releases/plan.
type ReleasePlanRequest struct {
	Subjects []gatehouse.SubjectID `json:"subjects,omitempty"`
	Passages []gatehouse.ID        `json:"passages,omitempty"`
	Fields   []string              `json:"fields"` // name, national_id, record, photos, detail, evidence
}

// ReleasePlan is what a release of that would open, and where. The operator's own
// machine makes the request of it and signs.
type ReleasePlan struct {
	Org   gatehouse.OrgID         `json:"org"`
	Site  gatehouse.SiteID        `json:"site"`
	Items []gatehouse.ReleaseItem `json:"items"`
	Vault string                  `json:"vault"`
}

// ReleaseRequest is a signed gatehouse.ReleaseRequest. POST /admin/v1/releases.
type ReleaseRequest struct {
	Body      []byte `json:"body"` // its JSON
	Signature []byte `json:"signature"`
}

// Release is one release.
type Release struct {
	ID         gatehouse.ID `json:"id"`
	At         time.Time    `json:"at"`
	Expires    time.Time    `json:"expires"`
	Operator   string       `json:"operator"`
	Purpose    string       `json:"purpose"`
	Items      int          `json:"items"`
	Recipients []string     `json:"recipients"`
	Approver   string       `json:"approver,omitempty"`
	Approved   time.Time    `json:"approved,omitzero"`
	Written    time.Time    `json:"written,omitzero"`
	Body       []byte       `json:"body,omitempty"` // what was signed; of one that is asked for by its id
}

// ReleasesResponse answers GET /admin/v1/releases.
type ReleasesResponse struct {
	Releases []Release `json:"releases"`
	Vault    string    `json:"vault"`
}
