package console

import (
	"context"
	"io"
	"net/http"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/inform"
)

// Privacy is what a privacy officer looks after. Whatever it opens is a disclosure first.
type Privacy interface {
	Overview(ctx context.Context, who Who) (PrivacyOverview, error)
	// Find is the subject of a badge label or id: subject.unknown, subject.several.
	Find(ctx context.Context, text string) (gatehouse.SubjectID, error)

	Consents(ctx context.Context) ([]ConsentState, error)
	// Withdraw ends the consents of a subject: consent.none, store.not_found.
	Withdraw(ctx context.Context, who Who, id gatehouse.SubjectID) error

	// Requests are the newest, at most 5,000.
	Requests(ctx context.Context) ([]RequestState, error)
	Request(ctx context.Context, id gatehouse.ID) (RequestState, error)
	// ReadRequest opens what a request says: vault.sealed, vault.budget.
	ReadRequest(ctx context.Context, who Who, id gatehouse.ID) (note, answer string, err error)
	// The codes of these are those of flow/requests.
	// With an address in contact a letter is sent that the request has arrived; letter says
	// why that failed, which the request does not.
	OpenRequest(ctx context.Context, who Who, kind gatehouse.RequestKind, subject gatehouse.SubjectID, note string, contact gatehouse.RequestContact) (id gatehouse.ID, letter error, err error)
	ExtendRequest(ctx context.Context, who Who, id gatehouse.ID) error
	AnswerRequest(ctx context.Context, who Who, id gatehouse.ID, outcome gatehouse.RequestOutcome, text string) error

	// Letter is what somebody is written about their request, as it stands: store.not_found.
	Letter(ctx context.Context, id gatehouse.ID, lang string) (Letter, error)
	// MaySend reports whether there is a mail server.
	MaySend() bool
	// SendLetter opens the request's address, which is a disclosure, and sends the letter
	// there: request.no_email, request.no_mail, mail.*, vault.sealed, vault.budget.
	SendLetter(ctx context.Context, who Who, id gatehouse.ID) error

	// Held gathers what is held of a subject; see inform.Gather for the codes.
	Held(ctx context.Context, who Who, id gatehouse.SubjectID, reason string) (inform.Held, error)
	// HeldFile writes that as a file that is encrypted with a passphrase, or to an age
	// recipient (age1…). Errors: Held's, and subject.recipient.
	HeldFile(ctx context.Context, who Who, id gatehouse.SubjectID, reason string, to gatehouse.Secret, w io.Writer) error

	Retention(ctx context.Context) (RetentionState, error)
	// RunRetention begins to take away what is over its time: job.running.
	RunRetention(ctx context.Context, who Who) error
	StopRetention()

	Holds(ctx context.Context) ([]HoldState, error)
	// PlaceHold: hold.invalid, hold.until, vault.reason, vault.sealed.
	PlaceHold(ctx context.Context, who Who, subject gatehouse.SubjectID, day string, until time.Time, reason string) error
	ExtendHold(ctx context.Context, who Who, id gatehouse.ID, until time.Time) error
	LiftHold(ctx context.Context, who Who, id gatehouse.ID) error

	Releases(ctx context.Context) ([]gatehouse.Release, error)
	// WriteRelease writes an approved release, encrypted to its recipients:
	// release.not_approved, release.expired, vault.sealed, vault.canary. tell hears how
	// many of its values were fetched; what breaks off was not written.
	WriteRelease(ctx context.Context, who Who, id gatehouse.ID, w io.Writer, tell func(done, total int)) error

	// Erasures are the newest, at most 1,000.
	Erasures(ctx context.Context) ([]ErasureState, error)
	// Certificate is the file that an auditor gets, with a proof of today.
	Certificate(ctx context.Context, id gatehouse.ID) ([]byte, error)
	// CheckErasure says what is still held of the subject, in words; nothing is good.
	CheckErasure(ctx context.Context, id gatehouse.ID) ([]string, error)
}

// PrivacyOverview is how everything stands.
type PrivacyOverview struct {
	Given, Withdrawn, Lapsing int // consents
	Open, Overdue             int // requests
	Next                      time.Time
	Holds                     int
	Waiting, Approved         int    // releases that wait for a second person, or to be written
	Erased                    int    // in the last 30 days
	People                    int    // enrolled
	Filing                    string // below, near or due: the number from which a site has to file
	FilingAt                  int    // that number
	LastRetention             time.Time
	Canary                    CanaryState
	Budgets                   []BudgetLeft // none before the vault was unsealed once
}

// CanaryState says whether a canary was opened.
type CanaryState struct {
	Shut     bool
	At       time.Time
	Operator string
	Purpose  string
	Device   string
	Lifted   []string // operators who agreed; two are needed
}

// ConsentState is one consent, and whose.
type ConsentState struct {
	gatehouse.Consent
	Label      string
	ValidUntil time.Time // of the badge; zero for no end
	Lapsing    bool      // that end is near, or was
}

// State is given, withdrawn or lapsing.
func (c ConsentState) State() string {
	switch {
	case !c.Withdrawn.IsZero():
		return "withdrawn"
	case c.Lapsing:
		return "lapsing"
	}
	return "given"
}

// RequestState is a request, and whose.
type RequestState struct {
	gatehouse.Request
	Label string // of the badge; "" where nobody enrolled is meant, or was erased
}

// State is open, soon (a week is left), overdue or done.
func (r RequestState) State(now time.Time) string {
	switch {
	case !r.Done.IsZero():
		return "done"
	case now.After(r.Due):
		return "overdue"
	case r.Due.Sub(now) < 7*24*time.Hour:
		return "soon"
	}
	return "open"
}

// Letter is a letter about a request. It holds no personal data.
type Letter struct {
	Lang    string
	Subject string
	Said    []string
	Facts   [][2]string // name, value
}

// RetentionState is how long what is kept.
type RetentionState struct {
	Kinds   []RetentionKind
	LastRun time.Time // since the start; zero for never
	Job     Job
	Took    *RetentionReport // what the last run that was asked for here took away
}

// RetentionKind is one kind of data.
type RetentionKind struct {
	Name   string // passages, frames, strangers, records, metadata
	Days   int    // kept
	Have   int    // days of which there are keys; 0 of what has no days
	Oldest time.Time
	Due    int       // days that are over and still there
	Next   time.Time // when the oldest goes; zero where there is none
}

// RetentionReport is what a run took away.
type RetentionReport struct{ Days, Delayed, Items, Months, Erased, Holds int }

// HoldState is a legal hold, and on whom.
type HoldState struct {
	gatehouse.Hold
	Label string
}

// ErasureState is one erasure, as the audit log has it.
type ErasureState struct {
	ID       gatehouse.ID
	At       time.Time
	Chains   int
	Passages int
	FinalAt  time.Time // when the last backup that could bring it back is gone
	Entry    int64     // its number in the log
}

// officer is the area of the privacy officer.
var officer = area{
	pages:  []string{"privacy", "consents", "requests", "request", "letter", "held", "retention", "holds", "releases", "erasures", "certificate"},
	routes: (*Console).privacyRoutes,
	nav: []entry{
		{"nav.privacy", "privacy", "/privacy", "privacy.overview", gatehouse.ManagePrivacy},
		{"nav.privacy", "requests", "/privacy/requests", "requests.title", gatehouse.ManagePrivacy},
		{"nav.privacy", "consents", "/privacy/consents", "consents.title", gatehouse.ManagePrivacy},
		{"nav.privacy", "retention", "/privacy/retention", "retention.title", gatehouse.ManagePrivacy},
		{"nav.privacy", "holds", "/privacy/holds", "holds.title", gatehouse.HoldKeys},
		{"nav.privacy", "erasures", "/privacy/erasures", "erasures.title", gatehouse.EraseSubjects},
		{"nav.privacy", "releases", "/privacy/releases", "releases.title", gatehouse.ApproveReleases},
		{"nav.privacy", "disclosures", "/disclosures", "nav.disclosures", gatehouse.SeeDisclosures},
	},
}

func (c *Console) privacyRoutes() []auth.Route {
	if c.o.Privacy == nil {
		return nil
	}
	needs, fresh := auth.Needs, auth.NeedsFresh
	get := func(path string, p gatehouse.Permission, h http.HandlerFunc) auth.Route {
		return auth.Route{Pattern: "GET " + path, Policy: needs(p), Handler: h}
	}
	post := func(path string, p gatehouse.Permission, page string, h http.HandlerFunc) auth.Route {
		return auth.Route{Pattern: "POST " + path, Policy: fresh(p), Handler: h, Page: page}
	}
	const manage = gatehouse.ManagePrivacy
	return []auth.Route{
		get("/privacy", manage, c.privacy),
		get("/privacy/consents", manage, c.consents),
		post("/privacy/consents/{id}/withdraw", gatehouse.EditRecords, "/privacy/consents", c.withdrawConsent),
		get("/privacy/requests", manage, func(w http.ResponseWriter, r *http.Request) { c.requests(w, r, http.StatusOK, "") }),
		post("/privacy/requests", manage, "/privacy/requests", c.openRequest),
		get("/privacy/requests/{id}", manage, func(w http.ResponseWriter, r *http.Request) { c.request(w, r, http.StatusOK, "", nil) }),
		post("/privacy/requests/{id}/read", gatehouse.DisclosePeople, "/privacy/requests/{id}", c.readRequest),
		post("/privacy/requests/{id}/extend", manage, "/privacy/requests/{id}", c.extendRequest),
		post("/privacy/requests/{id}/answer", manage, "/privacy/requests/{id}", c.answerRequest),
		get("/privacy/requests/{id}/letter", manage, c.letter),
		post("/privacy/requests/{id}/letter", gatehouse.DisclosePeople, "/privacy/requests/{id}", c.sendLetter),
		post("/privacy/held", gatehouse.DisclosePeople, "/privacy/requests", c.held),
		get("/privacy/held/{id}/photos/{n}", gatehouse.DisclosePeople, c.heldPhoto),
		post("/privacy/held/file", gatehouse.DisclosePeople, "/privacy/requests", c.heldFile),
		get("/privacy/retention", manage, c.retention),
		get("/privacy/retention/run", manage, c.retentionRun),
		post("/privacy/retention/run", manage, "/privacy/retention", c.runRetention),
		post("/privacy/retention/stop", manage, "/privacy/retention", c.stopRetention),
		get("/privacy/holds", gatehouse.HoldKeys, func(w http.ResponseWriter, r *http.Request) { c.holds(w, r, http.StatusOK, "") }),
		post("/privacy/holds", gatehouse.HoldKeys, "/privacy/holds", c.placeHold),
		post("/privacy/holds/{id}/extend", gatehouse.HoldKeys, "/privacy/holds", c.extendHold),
		post("/privacy/holds/{id}/lift", gatehouse.HoldKeys, "/privacy/holds", c.liftHold),
		get("/privacy/releases", gatehouse.ApproveReleases, c.releases),
		post("/privacy/releases/{id}/file", gatehouse.ApproveReleases, "/privacy/releases", c.releaseFile),
		get("/privacy/releases/{id}/file", gatehouse.ApproveReleases, c.releaseProgress),
		auth.Route{Pattern: "POST /privacy/releases/{id}/file/stop", Policy: auth.Needs(gatehouse.ApproveReleases), Handler: c.stopRelease, Page: "/privacy/releases"},
		get("/privacy/erasures", gatehouse.EraseSubjects, func(w http.ResponseWriter, r *http.Request) { c.erasures(w, r, http.StatusOK, "") }),
		post("/privacy/erasures", gatehouse.EraseSubjects, "/privacy/erasures", c.whomToErase),
		get("/privacy/erasures/{id}", gatehouse.EraseSubjects, c.certificatePage),
		get("/privacy/erasures/{id}/certificate", gatehouse.EraseSubjects, c.certificateFile),
	}
}

type privacyBody struct {
	PrivacyOverview
	Share   float64 // of the number from which a site files
	Overrun bool
}

func (c *Console) privacy(w http.ResponseWriter, r *http.Request) {
	o, err := c.o.Privacy.Overview(r.Context(), who(r))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := privacyBody{PrivacyOverview: o, Share: float64(o.People) / float64(max(1, o.FilingAt)), Overrun: o.Overdue > 0}
	c.render(w, r, http.StatusOK, "privacy", "privacy.title", "privacy", b)
}

// maxPrivacyForm bounds the forms of the privacy officer, in bytes.
const maxPrivacyForm = 32 << 10

// privacyForm reads a form's fields.
func privacyForm(w http.ResponseWriter, r *http.Request) error { return formIn(w, r, maxPrivacyForm) }

// setRight says whether whoever asked can set the error right on the page: its status and
// text, 0 for any other error.
func setRight(lang string, err error) (int, string) {
	code := gatehouse.ErrorCode(err)
	status := askerStatus(code)
	switch code {
	case "form.malformed":
		status = http.StatusBadRequest
	case "vault.sealed", "vault.forbidden":
		status = http.StatusForbidden
	case "vault.budget":
		status = http.StatusTooManyRequests
	case "mail.unreachable", "mail.tls", "mail.password", "mail.refused":
		status = http.StatusBadGateway
	}
	if status == 0 {
		return 0, ""
	}
	return status, plainError(lang, err)
}
