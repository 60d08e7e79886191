package wire

import (
	"time"

	"gatehouse"
)

// Health is how a site's parts are doing: numbers, states and dates, and nothing about
// anybody. GET /admin/v1/health.
type Health struct {
	Running bool      `json:"running"` // false: a command opened the store, and no server runs
	At      time.Time `json:"at"`
	Started time.Time `json:"started"`

	Vault  VaultHealth  `json:"vault"`
	Vision ProcessState `json:"vision"`
	Audit  AuditHealth  `json:"audit"`

	Backup  BackupHealth   `json:"backup"`
	Cameras []CameraHealth `json:"cameras"`

	// Unfinished are verbs that span files and were begun: enrolments, erasures.
	Unfinished int       `json:"unfinished"`
	Retained   time.Time `json:"retained,omitzero"` // when retention last ran, since the start
	LastCommit time.Time `json:"last_commit,omitzero"`
	// Certificate is when the TLS certificate that is shown ends.
	Certificate time.Time `json:"certificate,omitzero"`
	// Names are the site's TLS names; an address beyond loopback needs them.
	TLS bool `json:"tls"`
}

// ProcessState is a supervised process.
type ProcessState struct {
	Up       bool `json:"up"`
	Restarts int  `json:"restarts"`
	PID      int  `json:"pid,omitempty"`
}

// VaultHealth is the vault process, and what is known of its keys.
type VaultHealth struct {
	ProcessState
	Unsealed bool   `json:"unsealed"`
	Memory   string `json:"memory"` // "locked", "key page", "not locked"
	Canary   bool   `json:"canary"` // a canary shut it
	// Waiting is how many chains' rows wait for a vault elsewhere.
	Waiting int `json:"waiting"`
	// Left is what the organization's budgets still hold, by window; empty until the
	// vault was unsealed once.
	Left map[string]int `json:"budget_left"`
	// Slots is how many ways there are to open the current key, Retired how many older
	// keys are there: more than none are a rotation that goes on or whose rows remain.
	Slots   int `json:"slots"`
	Retired int `json:"retired"`
	// Shares says that shares of the key were made once.
	Shares bool `json:"shares"`
}

// AuditHealth is how far the audit log follows.
type AuditHealth struct {
	Lag       int             `json:"lag"` // leaves that were committed and are not in the log yet; at most 10,000 are counted
	Witnesses []WitnessHealth `json:"witnesses"`
}

// WitnessHealth is when a witness took a checkpoint last, since the start.
type WitnessHealth struct {
	Witness int       `json:"witness"` // its place in gatehouse.yml, from 1
	Reached time.Time `json:"reached,omitzero"`
}

// BackupHealth is when a backup was made last, and checked last since the start.
type BackupHealth struct {
	Configured bool      `json:"configured"`
	Reachable  bool      `json:"reachable"`
	Last       time.Time `json:"last,omitzero"`
	Verified   time.Time `json:"verified,omitzero"`
}

// CameraHealth is a source that Gatehouse reads.
type CameraHealth struct {
	Device     gatehouse.DeviceID `json:"device"`
	Gate       gatehouse.GateID   `json:"gate"`
	State      string             `json:"state"` // ok, stalled, down, ended
	FPS        float64            `json:"fps"`   // decoded, over the last 10 s
	LastFrame  time.Time          `json:"last_frame,omitzero"`
	LagMS      int64              `json:"lag_ms"` // from receipt of the newest frame that was looked at to when that was done
	Dropped    uint64             `json:"dropped"`
	Reconnects int                `json:"reconnects"`
}

// Liveness answers GET /healthz.
type Liveness struct {
	Status string `json:"status"` // "ok"
}

// Readiness answers GET /readyz while the server is ready: a part that is missing and
// that the gates do without is said here.
type Readiness struct {
	Status string `json:"status"` // "ready"
	Vision string `json:"vision"` // "up" or "down": faces and plates are not recognized, cards and codes are
	Vault  string `json:"vault"`  // "answers", or "away": it is on another machine that does not answer
}

// Verdict is how a check of the doctor's went.
type Verdict string

// The verdicts. What cannot be looked at is skipped, and says why.
const (
	VerdictOK      Verdict = "ok"
	VerdictWarn    Verdict = "warn"
	VerdictFail    Verdict = "fail"
	VerdictSkipped Verdict = "skipped"
)

// Check is one thing that was looked at. Its texts hold no personal data.
type Check struct {
	Area    string  `json:"area"` // configuration, permissions, exposure, time, disk, keys, cameras, versions, limits
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"`
	Do      string  `json:"do,omitempty"` // what to do, where it is neither ok nor skipped
	// Format and Args are what Reason was made of, so that it can be said in another
	// language.
	Format string `json:"-"`
	Args   []any  `json:"-"`
}

// Examination is all of them.
type Examination struct {
	At      time.Time `json:"at"`
	Config  string    `json:"config"`
	Running bool      `json:"running"`
	Verdict Verdict   `json:"verdict"` // the worst
	Checks  []Check   `json:"checks"`
}
