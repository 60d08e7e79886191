// Package api is the HTTP interface for devices, programs and administrators:
// frames and credentials from devices under /api/v1, the administrator's verbs
// under /admin/v1 on a unix socket, and health and metrics. Errors are
// RFC 9457 problems, made in one place (problem.go). No answer to a device holds a
// similarity, a confidence or a name.
package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/feed"
)

// Options are what an API is made of. Captures, ParseFrame, Passages and Admin must be
// given.
type Options struct {
	Place      gatehouse.Place
	Captures   Captures
	ParseFrame ParseFrame
	Passages   Passages
	Admin      Admin
	Enrolments Enrolments // nil: no device enrols itself
	Terminals  Terminals  // nil: no device has a screen
	Witness    Witness    // nil: this site is a witness for no log
	Ready      Ready      // nil: always ready
	Metrics    *Metrics   // nil: none are served
	// MaxFrame is the largest picture a device may send, in bytes; 0 means DefaultMaxFrame.
	MaxFrame int64
	// Resources are what callers read and change besides; nil: nothing.
	Resources Resources
	// Hours are what callers read and change of hours worked, OwnHours what people do of their
	// own; nil: nothing.
	Hours    Hours
	OwnHours OwnHours
	// Wages are what callers read and change of pay, OwnWages their own payslips; nil: nothing.
	Wages    Wages
	OwnWages OwnWages
	// Books are the car park's; nil: none.
	Books Books
	// Events is what streams tell of; nil: there are none. Hub, if not nil, adds the states
	// of gates, and Alive says whether a stream's caller still counts; nil: always.
	Events Events
	Hub    *feed.Hub
	Alive  func(ctx context.Context) bool
	// Replies remember what requests with a key were answered; nil: such keys are refused.
	Replies Replies
	// PerMinute is how much one caller may ask in a minute; 0 means DefaultPerMinute.
	PerMinute int
	// PerSecond and Burst bound what one device may send; 0 means the defaults.
	PerSecond, Burst float64
	Log              *slog.Logger
	Now              func() time.Time
}

// The limits where Options say nothing. A camera that posts five frames a second
// for two tracks stays far below them.
const (
	DefaultMaxFrame  = 20 << 20
	DefaultPerSecond = 20
	DefaultBurst     = 40
	DefaultPerMinute = 600
	maxCredential    = 4 << 10
	maxSmall         = 64 << 10 // an object without pictures
	maxAdmin         = 64 << 20 // an enrolment with its photos, base64 in JSON
	readWithin       = 20 * time.Second
)

// API answers requests. It is safe for concurrent use.
type API struct {
	o      Options
	limit  *auth.Limiter // what devices send
	asked  *auth.Limiter // what everybody else asks
	flight flight

	underway underway
	streams  streams
	closing  context.Context
	close    context.CancelFunc
	changing sync.Mutex // of subjects
}

// New returns an API.
func New(o Options) *API {
	if o.Ready == nil {
		o.Ready = alwaysReady
	}
	if o.MaxFrame <= 0 {
		o.MaxFrame = DefaultMaxFrame
	}
	if o.PerSecond <= 0 {
		o.PerSecond = DefaultPerSecond
	}
	if o.Burst <= 0 {
		o.Burst = DefaultBurst
	}
	if o.PerMinute <= 0 {
		o.PerMinute = DefaultPerMinute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Alive == nil {
		o.Alive = func(context.Context) bool { return true }
	}
	closing, end := context.WithCancel(context.Background())
	return &API{closing: closing, close: end, o: o, limit: auth.NewLimiter(o.Now, o.PerSecond, o.Burst), asked: auth.NewLimiter(o.Now, float64(o.PerMinute)/60, float64(o.PerMinute)), flight: flight{of: map[gatehouse.DeviceID]int{}}}
}

// Close ends the open streams, so that a server can shut down.
func (a *API) Close() { a.close() }

// Routes is the API's part of the server's table.
func (a *API) Routes() (routes []auth.Route) {
	for _, o := range a.operations() {
		if o.keyed {
			o.Handler = a.once(o)
		}
		if o.most > 0 {
			o.Handler = atMost(o.most, o.Handler)
		}
		if o.counted() {
			o.Handler = a.counted(o)
		}
		routes = append(routes, o.Route)
	}
	return append(routes, a.adminRoutes()...)
}

// adminRoutes are served on the admin socket only. They are the command line's, change with
// it, and are no part of the document.
func (a *API) adminRoutes() []auth.Route {
	return slices.Concat(a.coreRoutes(), a.searchRoutes(), a.auditRoutes(), a.keysRoutes(), a.secretsRoutes(), a.disclosureRoutes(), a.eraseRoutes(), a.gateKeyRoutes(), a.tlsRoutes(), a.enrolRoutes(), a.healthRoutes(), a.accountsRoutes(), a.rulesRoutes(), a.whyRoutes(), a.openingRoutes(), a.alarmsRoutes(), a.importRoutes(), a.tokensRoutes(), a.webhooksRoutes(), a.booksRoutes())
}

func (a *API) coreRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "POST /admin/v1/people", Policy: auth.OnSocket, Handler: a.enrollPerson},
		{Pattern: "POST /admin/v1/vehicles", Policy: auth.OnSocket, Handler: a.enrollVehicle},
		{Pattern: "GET /admin/v1/subjects", Policy: auth.OnSocket, Handler: a.subjects},
		{Pattern: "POST /admin/v1/subjects/{id}/status", Policy: auth.OnSocket, Handler: a.setStatus},
		{Pattern: "DELETE /admin/v1/subjects/{id}/consent", Policy: auth.OnSocket, Handler: a.withdrawConsent},
		{Pattern: "POST /admin/v1/devices", Policy: auth.OnSocket, Handler: a.addDevice},
		{Pattern: "GET /admin/v1/vault", Policy: auth.OnSocket, Handler: a.vaultStatus},
		{Pattern: "POST /admin/v1/vault/seal", Policy: auth.OnSocket, Handler: a.seal},
		{Pattern: "POST /admin/v1/link", Policy: auth.OnSocket, Handler: a.link},
		{Pattern: "POST /admin/v1/gallery/rotate", Policy: auth.OnSocket, Handler: a.rotateGallery},
		{Pattern: "GET /admin/v1/status", Policy: auth.OnSocket, Handler: a.status},
		{Pattern: "POST /admin/v1/backups", Policy: auth.OnSocket, Handler: a.backup},
		{Pattern: "GET /admin/v1/backups", Policy: auth.OnSocket, Handler: a.backups},
		{Pattern: "GET /admin/v1/backups/progress", Policy: auth.OnSocket, Handler: a.backupProgress},
		{Pattern: "POST /admin/v1/backups/hold", Policy: auth.OnSocket, Handler: a.holdBackup},
		{Pattern: "POST /admin/v1/backups/verify", Policy: auth.OnSocket, Handler: a.verifyBackups},
	}
}

// answer writes v as JSON. A value that fails to encode is a programming error and
// is logged.
func (a *API) answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		a.o.Log.Error("answer", "err", err)
		http.Error(w, "api.encode", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

func (a *API) health(w http.ResponseWriter, _ *http.Request) {
	a.answer(w, http.StatusOK, wire.Liveness{Status: "ok"})
}

func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	is, err := a.o.Ready(r.Context())
	if err != nil {
		a.fail(w, r, gatehouse.Errorf("server.not_ready", "wait, and look at the server's log", "the server is not ready: %s", code(err)))
		return
	}
	a.answer(w, http.StatusOK, is)
}

func (a *API) metrics(w http.ResponseWriter, r *http.Request) {
	if a.o.Metrics == nil {
		a.fail(w, r, notServed())
		return
	}
	a.o.Metrics.handler.ServeHTTP(w, r)
}

// PassageFacts is what programs are told of a passage, in answers, events and messages.
func PassageFacts(p gatehouse.Passage) wire.Passage { return passage(p) }

// passage is the metadata of p.
func passage(p gatehouse.Passage) wire.Passage {
	return wire.Passage{ID: p.ID, Gate: p.Gate, Device: p.Device, Direction: p.Direction, At: p.At, Kind: p.Kind, Subject: p.Subject,
		Known: p.Known, Frames: p.Frames, Decision: wire.Decided(p.Decision), Reason: p.Decision.Reason, Rule: p.Decision.Rule,
		LatencyMS: float64(p.Latency.Microseconds()) / 1000, Outcome: p.Outcome, OutcomeAt: p.OutcomeAt}
}
