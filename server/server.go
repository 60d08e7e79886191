// Package server is the only wiring of the product: it opens the keys and stores,
// starts the vault and vision processes, and joins cameras, flows and pages.
package server

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/auth"
	"gatehouse/feed"
	"gatehouse/flow/accounts"
	"gatehouse/flow/books"
	"gatehouse/flow/disclose"
	"gatehouse/flow/enroll"
	"gatehouse/flow/erase"
	"gatehouse/flow/escrow"
	"gatehouse/flow/follow"
	"gatehouse/flow/intake"
	"gatehouse/flow/passage"
	"gatehouse/flow/requests"
	"gatehouse/flow/rotate"
	"gatehouse/flow/rulebook"
	"gatehouse/flow/search"
	"gatehouse/flow/stay"
	"gatehouse/flow/timesheet"
	"gatehouse/flow/tokens"
	"gatehouse/flow/wages"
	"gatehouse/flow/webhooks"
	"gatehouse/flow/why"
	"gatehouse/flow/workingset"
	"gatehouse/gallery"
	"gatehouse/ingest"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
	"gatehouse/notify"
	"gatehouse/store/blob"
	"gatehouse/store/sqlite"
	"gatehouse/terminal"
	"gatehouse/vault"
	"gatehouse/vision/face"
	"gatehouse/vision/models"
	"gatehouse/vision/worker"
)

// Options are what the configuration does not say.
type Options struct {
	Stderr io.Writer
	// NewPassphrase seals the vault key at the first start; nil once there are keys.
	NewPassphrase []byte
	// NewCredential does so in its place, if it is not zero.
	NewCredential gatehouse.Credential
	// Cameras starts the configured cameras.
	Cameras bool
	// Source replaces a camera's source, for the demo; nil, or a nil source, leaves it.
	Source func(gatehouse.DeviceID) ingest.Source
	// Committed is told of every passage, for the demo and tests; nil tells nobody.
	Committed func(gatehouse.Passage)
	// LocalSession lets the link that a start prints, and `gatehouse link`, lead to a session
	// with every role, on this machine: for demos, drills and tests.
	LocalSession bool
	// Origins says where each option of the configuration comes from, for the page about
	// settings; nil where that is not known.
	Origins map[string]string
	// Examine looks for what is wrong, for the page about health; nil leaves that out.
	Examine Examine
	// Stays are what is paid for on the pages for drivers, for tests.
	Stays gatehouse.PayableStays
	// StripeURL is asked instead of Stripe, for tests.
	StripeURL string
	// AlipayURL and WeChatURL the same.
	AlipayURL, WeChatURL string
	// Quiet logs warnings and errors only.
	Quiet bool
}

// Server is one site.
type Server struct {
	config  Config
	opts    Options
	log     *slog.Logger
	site    passage.Site
	started time.Time

	unlock   func() error
	gateKey  *vault.GateKey
	vault    *vault.Vault
	store    *sqlite.Store
	blobs    *blob.Directory
	eyes     *worker.Worker
	gallery  *gallery.Gallery
	working  *workingset.Set
	accounts *accounts.Accounts
	rules    *rulebook.Book
	why      *why.Explainer
	tokens   *tokens.Tokens
	webhooks *webhooks.Webhooks
	enroll   *enroll.Enroller
	erase    *erase.Eraser
	imports  *intake.Jobs
	flow     *passage.Flow
	stays    *stay.Stays
	lend     *disclose.Discloser
	indexer  *search.Feeder
	hub      *feed.Hub
	ring     *feed.Ring
	auth     *auth.Auth
	gates    *gates
	signs    *signs
	metrics  *api.Metrics
	pins     *pinTrials
	screens  *screens
	page     *terminal.Page // the terminals'
	// auditWake says that there is something new for the audit log.
	auditWake  chan struct{}
	eventsWake chan struct{}
	hooksWake  chan struct{}
	staysWake  chan struct{}
	events     *follow.Events // once it runs
	deliveries *notify.Deliveries
	witnessing sync.Mutex // one shows the log to the witnesses, or verifies it
	alarms     *notify.Notifier
	taking     sync.Mutex   // the vault's alarms
	routes     []auth.Route // once it runs
	codes      *auth.Codes
	transport  *transport // once it runs
	noted      noted
	heard      heard
	console    consoleJobs
	settings   settings
	examined   examined
	history    history
	waiting    func() int // alarms and posted pictures, once it runs
	requests   *requests.Desk
	hours      *timesheet.Hours
	wages      *wages.Wages
	looks      looked
	hoursWake  chan struct{}
	books      *books.Books
	escrow     *escrow.Store
	backups    backups
	rotator    *rotate.Rotator

	retaining sync.Mutex // one run of the retention at a time

	mu       sync.Mutex
	retained time.Time // when the retention last ran
	// gateAlarms are when gates last raised an alarm.
	gateAlarms map[gatehouse.GateID]time.Time
	cameras    map[gatehouse.DeviceID]*camera
	running    context.Context // of Run; nil before
	wait       sync.WaitGroup
	closers    []func(context.Context) error
}

// Open makes the keys at the first start, opens everything and finishes what a
// crash interrupted. It does not listen: see Run.
func Open(ctx context.Context, c Config, o Options) (_ *Server, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	log, level := newLog(o.Stderr, c.LogLevel, o.Quiet)
	s := &Server{config: c, opts: o, log: log, settings: settings{level: level, now: ofFile(c), set: map[string]gatehouse.Setting{}}, started: time.Now(), cameras: map[gatehouse.DeviceID]*camera{}, hub: feed.NewHub(nil), metrics: api.NewMetrics(), pins: newPINTrials(time.Now), screens: newScreens(), codes: auth.NewCodes(nil), auditWake: make(chan struct{}, 1), eventsWake: make(chan struct{}, 1), hooksWake: make(chan struct{}, 1), staysWake: make(chan struct{}, 1), hoursWake: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			s.Close(context.WithoutCancel(ctx))
		}
	}()
	for _, step := range []func(context.Context) error{s.openSite, s.openTerminal, s.openKeys, s.openAlarms, s.openStores, s.openVision, s.openFlows, s.finishInterrupted, s.openRotator, s.sweepChecks} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// onClose registers what Close undoes, last opened first.
func (s *Server) onClose(f func(context.Context) error) { s.closers = append(s.closers, f) }

// Close stops the cameras, waits for confirmations, and closes everything. It may
// be called on a half-opened server.
func (s *Server) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i](ctx))
	}
	s.closers = nil
	return errors.Join(errs...)
}

func (s *Server) openSite(context.Context) error {
	location, err := time.LoadLocation(s.config.Site.TimeZone)
	if err != nil {
		return err
	}
	s.site = passage.Site{
		Place:    s.config.place(),
		Location: location, Gates: map[gatehouse.GateID]gatehouse.Gate{},
		KeepStrangers: s.config.Strangers.Keep, CommitWithin: s.config.CommitWithin,
	}
	for _, g := range s.config.Gates {
		s.site.Gates[gatehouse.GateID(g.ID)] = g.gate(s.site.Place)
	}
	return nil
}

func (g GateConfig) gate(place gatehouse.Place) gatehouse.Gate {
	return gatehouse.Gate{Place: place, ID: gatehouse.GateID(g.ID), Kind: gatehouse.GateKind(g.Kind), Name: g.Name,
		From: gatehouse.ZoneID(g.From), To: gatehouse.ZoneID(g.To), Direction: gatehouse.Direction(g.Direction), Region: g.Region,
		Policy: gatehouse.GatePolicy{LivenessRequired: g.Liveness, SecondFactor: g.SecondFactor, SecondFactorWithin: g.SecondFactorWithin,
			RepeatWithin: g.RepeatWithin, MinPlateConfidence: g.MinPlateConfidence, FailSafe: g.Fail == "safe", Hold: g.Hold, ConfirmWithin: g.ConfirmWithin}}
}

// openKeys takes the data directory for this process alone and opens the gate key
// and the vault, making both at the first start.
func (s *Server) openKeys(ctx context.Context) error {
	p := pathsOf(s.config)
	initialized, err := Initialized(s.config)
	if err != nil {
		return err
	}
	// Whoever asks at the wrong place must leave no empty site there.
	remote, err := s.config.remote()
	if err != nil {
		return err
	}
	if !initialized && remote == nil && s.opts.newCredential().IsZero() {
		return gatehouse.Errorf("keys.missing", "another configuration? name it with --config; otherwise run `gatehouse init`, or `gatehouse serve` on a terminal or with --passphrase-file",
			"this site has no keys yet: %s holds no vault", p.data)
	}
	if err := p.create(); err != nil {
		return gatehouse.Errorf("data.unwritable", "check `data` in gatehouse.yml and its permissions", "the data directory cannot be made: %w", err)
	}
	if s.unlock, err = sealeddb.Lock(p.data); err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return gatehouse.Errorf("data.unwritable", "check `data` in gatehouse.yml and its permissions", "the data directory cannot be written")
		}
		return err
	}
	s.onClose(func(context.Context) error { return s.unlock() })
	if err := p.sweep(s.config); err != nil {
		return err
	}
	if !initialized {
		// A site that cannot start for want of its models must not have got its keys.
		if err := s.openVision(ctx); err != nil {
			return err
		}
		if err := s.makeKeys(ctx, p, remote); err != nil {
			return err
		}
	}
	if s.gateKey, err = vault.OpenGateKey(p.data, s.config.GateKey); err != nil {
		return err
	}
	if err := s.gateKey.SettleFileKeys(); err != nil {
		return err
	}
	s.vault, err = vault.Open(ctx, vault.Options{Dir: p.vault, Place: s.site.Place, Gate: s.gateKey, Remote: remote, Log: s.log, Limits: s.config.Disclosure.limits()})
	if err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.vault.Close() })
	return nil
}

// makeKeys makes the gate key and the vault key, or takes over the public key of a vault
// elsewhere. The vault's key comes last:
// with it the site counts as initialized, and a first start that was interrupted
// before can be repeated.
func (s *Server) makeKeys(ctx context.Context, p paths, remote *vault.Remote) error {
	if err := s.makeGateKey(p); err != nil {
		return err
	}
	if remote != nil {
		return remote.Identity.Pin(p.vault)
	}
	return vault.InitWith(ctx, p.vault, s.opts.newCredential(), "")
}

func (s *Server) openStores(ctx context.Context) error {
	p := pathsOf(s.config)
	var err error
	fileKey := func(file string) ([32]byte, error) { return s.gateKey.FileKey(filepath.Join("db", file)) }
	changeKey := func(file string, change func([32]byte) error) error {
		return s.gateKey.ChangeFileKey(filepath.Join("db", file), change)
	}
	if s.store, err = sqlite.Open(ctx, sqlite.Options{Dir: p.db, Key: fileKey, ChangeKey: changeKey, Current: s.currentItem, Log: s.log}); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.store.Close() })
	s.openEscrow()
	lost, err := s.escrow.Lost(ctx)
	if err != nil {
		return err
	}
	if lost {
		return gatehouse.Errorf("workingset.lost", "run `gatehouse keys rebuild-working-set`, which makes it anew from the archive; nothing was changed", "working.db, what the gates know, is gone")
	}
	if s.blobs, err = blob.Open(p.blobs); err != nil {
		return err
	}
	return s.openSettings(ctx)
}

func (s *Server) openVision(ctx context.Context) error {
	if s.eyes != nil {
		return nil // opened at a first start, before the keys were made
	}
	var err error
	s.eyes, err = worker.Start(ctx, worker.Options{Threads: s.config.Vision.Threads, Assets: s.config.Vision.Assets, Faces: s.has(gatehouse.Door), Plates: s.has(gatehouse.Lane), Log: s.log,
		OnState: s.visionState})
	if err != nil {
		return err
	}
	s.onClose(func(context.Context) error { s.eyes.Stop(); return nil })
	return nil
}

// has reports whether the site has a gate of the kind.
func (s *Server) has(kind gatehouse.GateKind) bool {
	for _, g := range s.site.Gates {
		if g.Kind == kind {
			return true
		}
	}
	return false
}

// visionState follows the vision process: while it restarts, pages say so.
func (s *Server) visionState(st child.Status) {
	s.hub.SetFaces(st.State == child.Up)
	if st.State == child.Down {
		s.metrics.VisionRestarted()
	}
}

func (s *Server) openFlows(ctx context.Context) error {
	template, err := models.Find(models.FaceTemplate)
	if err != nil {
		return err
	}
	s.gallery = gallery.New(template.Dims)
	if s.working, err = workingset.Load(ctx, s.site.Place, s.escrow, s.gateKey, s.gallery); err != nil {
		return err
	}
	if err := s.openAccounts(); err != nil {
		return err
	}
	if err := s.openRules(ctx); err != nil {
		return err
	}
	if err := s.openHours(ctx); err != nil {
		return err
	}
	if err := s.openTokens(); err != nil {
		return err
	}
	if err := s.openWebhooks(); err != nil {
		return err
	}
	s.ring = feed.NewRing(time.Duration(s.config.Ring.Minutes)*time.Minute, s.config.Ring.Mebibyte<<20, nil)
	if s.signs, err = s.openSigns(); err != nil {
		return err
	}
	if s.gates, err = s.openGates(); err != nil {
		return err
	}
	s.lend = disclose.New(disclose.Ports{Place: s.site.Place, Vault: s.vault, Subjects: s.store, Passages: s.store, Blobs: s.blobs, Badges: s.working})
	s.indexer = &search.Feeder{Place: s.site.Place, Index: s.vault, Store: s.store}
	law, err := s.config.Law.law()
	if err != nil {
		return err
	}
	s.enroll = enroll.New(enroll.Ports{Place: s.site.Place, Law: law, Eyes: s.eyes, Gallery: s.gallery, Threshold: models.Threshold, Fault: face.Fault, Sealer: s.vault,
		Keep: s.gateKey, Subjects: s.store, Blobs: s.blobs, Working: s.working, Join: s.joinGroup})
	s.erase = s.newEraser()
	s.openImports()
	s.requests = requests.New(requests.Ports{Place: s.site.Place, Location: s.site.Location, Store: s.store, Subjects: s.store, Sealer: s.vault})
	s.openBooks()
	if err := s.openStays(ctx); err != nil {
		return err
	}
	s.flow = passage.New(passage.Ports{Site: s.site, Parking: s.stays, Working: s.working, Rules: s.rules, Gallery: s.gallery, Threshold: models.Threshold, Sealer: s.vault,
		Store: s.store, Blobs: s.blobs, Actuator: s.gates.actuator, Feed: live{s}, Log: s.log})
	s.stays.Opens(s.flow)
	s.books.Stays = s.payable()
	s.onClose(s.finishAudit)
	s.onClose(s.flow.Close)
	return nil
}

// finishInterrupted carries out what a crash left half done.
func (s *Server) finishInterrupted(ctx context.Context) error {
	n, err := s.enroll.Resume(ctx)
	if n > 0 {
		s.log.Info("interrupted enrolments were finished", "count", n)
	}
	if err != nil {
		return err
	}
	err = s.goOnErasing(ctx)
	if err == nil {
		err = s.setRetention(ctx)
	}
	if away, _ := s.vault.Elsewhere(); away && slices.Contains([]string{"vault.unavailable", "vault.timeout"}, gatehouse.ErrorCode(err)) {
		return nil // the gates go on without it; the hourly run does it
	}
	return err
}

// Unseal opens the vault for the configured time.
func (s *Server) Unseal(ctx context.Context, passphrase []byte) error {
	err := s.lend.Unseal(ctx, "start", passphrase, s.config.Vault.UnsealedFor)
	if err == nil {
		s.hub.VaultChanged()
	}
	return err
}

// live tells the feed what happens.
type live struct{ *Server }

// Committed puts the pictures into the memory ring and tells the pages.
func (l live) Committed(p gatehouse.Passage, pictures []gatehouse.Picture) {
	if len(pictures) > 0 {
		l.ring.Put(p.Gate, p.ID, pictures)
	}
	l.tell(p)
}

// Changed tells the pages about an outcome.
func (l live) Changed(p gatehouse.Passage) {
	l.committed()
	l.metrics.Outcome(p.Gate, p.Outcome)
	if p.Outcome == gatehouse.Unreachable {
		go l.gateUnreachable(p.Gate) // nobody waits for a list
	}
	l.hub.PassageUpdated(p)
}

// Unrecorded tells the pages about a passage that could not be committed.
func (l live) Unrecorded(p gatehouse.Passage, _ error) {
	l.tell(p)
}

func (l live) tell(p gatehouse.Passage) {
	l.committed()
	l.noted.set(&l.noted.committed)
	l.metrics.Passage(p)
	l.history.passage(p)
	l.hub.PassageCommitted(p)
	l.tellScreens(p)
	if l.opts.Committed != nil {
		l.opts.Committed(p)
	}
}

// Eyes is the vision process, for measurements and drills that look at pictures
// as the product does.
func (s *Server) Eyes() gatehouse.Eyes { return s.eyes }

// Gates are the site's gates.
func (s *Server) Gates() map[gatehouse.GateID]gatehouse.Gate { return s.site.Gates }

// Place is the site that this server runs.
func (s *Server) Place() gatehouse.Place { return s.site.Place }

// Routes is the running server's table of routes, for drills that try every one; nil
// before it listens.
func (s *Server) Routes() []auth.Route {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.routes
}
