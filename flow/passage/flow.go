package passage

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/rules/access"
)

// Ports are what the main path needs of the rest.
type Ports struct {
	Site      Site
	Working   Working
	Rules     Rules // nil: the site has no rule book
	Gallery   gatehouse.Gallery
	Threshold func(galleryN int) float32 // the registry's, for a gallery of n templates
	Sealer    gatehouse.Sealer
	Store     Store
	Blobs     Blobs
	Actuator  func(gatehouse.GateID) gatehouse.Actuator // nil where a gate has none
	Feed      Feed
	Parking   gatehouse.Parking // nil: the site has no car park
	Now       func() time.Time
	Log       *slog.Logger
}

// Site is the part of the configuration that decisions depend on.
type Site struct {
	Place    gatehouse.Place
	Location *time.Location
	Gates    map[gatehouse.GateID]gatehouse.Gate
	// KeepStrangers keeps pictures of people and vehicles that are not enrolled,
	// as subjects of their own, for at most 72 hours. Off unless the site has
	// switched it on for a purpose.
	KeepStrangers bool
	// CommitWithin bounds sealing and committing; a slower disk is a reason.
	CommitWithin time.Duration
}

// Working is the open working set.
type Working interface {
	Badge(gatehouse.SubjectID) (gatehouse.Badge, bool)
	ByPlate(plate string) (gatehouse.SubjectID, bool)
	ByCredential(gatehouse.WorkingKind, gatehouse.Secret) (gatehouse.SubjectID, bool)
}

// Rules is the site's rule book, as it stands at this moment.
type Rules interface {
	// Of gives the rules of the groups that the subject is in, and when what is open.
	// Neither may be altered.
	Of(gatehouse.SubjectID) ([]gatehouse.AccessRule, gatehouse.Calendar)
}

// noRules is the book of a site that has none: badges' own grants alone, at any time.
type noRules struct{}

func (noRules) Of(gatehouse.SubjectID) (none []gatehouse.AccessRule, _ gatehouse.Calendar) {
	return none, gatehouse.Calendar{}
}

// Store commits passages; see gatehouse.PassageStore for the contract.
type Store interface {
	CommitPassage(ctx context.Context, c gatehouse.PassageCommit) error
	CommitOutcome(ctx context.Context, o gatehouse.PassageOutcome) error
}

// Blobs keeps sealed pictures; see gatehouse.BlobStore.
type Blobs interface {
	PutBlob(ctx context.Context, id gatehouse.BlobID, sealed []byte) error
}

// Feed is told what happens, for the people who watch. Its methods MUST NOT block.
type Feed interface {
	// Committed is called once a passage, with its pictures from memory.
	Committed(p gatehouse.Passage, pictures []gatehouse.Picture)
	// Changed is called when a passage's outcome is known.
	Changed(p gatehouse.Passage)
	// Unrecorded is called when a passage could not be committed.
	Unrecorded(p gatehouse.Passage, err error)
}

// Flow carries one site's sightings and credentials through to passages. Its
// methods are safe for concurrent use.
type Flow struct {
	Ports

	mu       sync.Mutex
	granted  map[at]time.Time // when a subject was last let through a gate
	waiting  map[at]*waiter   // who still owes a second factor where
	owed     []owed           // passages that could not be recorded yet
	settling bool             // somebody works on what is owed
	after    sync.WaitGroup   // confirmations, lapses and retries in progress
	closing  chan struct{}    // closed by Close
	once     sync.Once
}

// at is a subject at a gate.
type at struct {
	gate    gatehouse.GateID
	subject gatehouse.SubjectID
}

// New returns a flow over its ports.
func New(p Ports) *Flow {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Rules == nil {
		p.Rules = noRules{}
	}
	if p.Site.CommitWithin <= 0 {
		p.Site.CommitWithin = 3 * time.Second
	}
	return &Flow{Ports: p, granted: map[at]time.Time{}, waiting: map[at]*waiter{}, closing: make(chan struct{})}
}

// arrival is a reading at a gate, with the pictures that gave it.
type arrival struct {
	gate     gatehouse.Gate
	device   gatehouse.DeviceID
	received time.Time // of the deciding capture
	since    time.Time // when the work on it began; latency counts from here
	reading  gatehouse.Reading
	also     []gatehouse.ReadingKind // other credentials of the same subject, shown just before
	pictures []gatehouse.Picture
	late     bool             // it happened while it could not be recorded: the gate has been told already
	id       gatehouse.ID     // of its passage, once it has one
	reason   gatehouse.Secret // of a remote opening
	parking  bool             // at a car park's lane: what follows is kept before the commit
	mark     gatehouse.Mark   // of the vehicle there
	stay     gatehouse.ID     // that it ends, where that is known already
}

func (f *Flow) arrivalOf(d gatehouse.Device, received time.Time, r gatehouse.Reading, pictures []gatehouse.Picture) (arrival, error) {
	gate, ok := f.Site.Gates[d.Gate]
	if !ok {
		return arrival{}, gatehouse.Errorf("gate.unknown", "name the gate in gatehouse.yml", "the device %s stands at the gate %q, which does not exist", d.ID, d.Gate)
	}
	r.At = received
	return arrival{gate: gate, device: d.ID, received: received, since: received, reading: r, pictures: pictures}, nil
}

// facts gathers what the rules look at.
func (f *Flow) facts(a arrival) access.Facts {
	facts := access.Facts{Gate: a.gate, Reading: a.reading, Now: a.received.In(f.Site.Location), Also: a.also}
	if a.reading.Known {
		facts.Rules, facts.Calendar = f.Rules.Of(a.reading.Subject)
		if b, ok := f.Working.Badge(a.reading.Subject); ok {
			facts.Badge = &b
		}
		f.mu.Lock()
		facts.LastGranted = f.granted[at{a.gate.ID, a.reading.Subject}]
		f.mu.Unlock()
	}
	return facts
}

// reserve notes a grant before it is committed, so that of two arrivals of one
// subject at the same moment one is granted and the other repeated. undo takes the
// note back where nobody was let through after all.
func (f *Flow) reserve(a arrival, d gatehouse.Decision) (_ arrival, _ gatehouse.Decision, undo func()) {
	if !d.Grant {
		return a, d, func() {}
	}
	key := at{a.gate.ID, a.reading.Subject}
	f.mu.Lock()
	last, before := f.granted[key]
	since := a.received.Sub(last)
	if before && since.Abs() < a.gate.Policy.RepeatWithin { // captures may come out of order
		f.mu.Unlock()
		return a, access.Decide(f.facts(a)), func() {}
	}
	f.granted[key] = a.received
	f.forgetGrants(a.received)
	f.mu.Unlock()
	return a, d, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.granted[key].Equal(a.received) {
			f.granted[key] = last
		}
	}
}

// forgetGrants drops what no repetition rule looks at any more. The caller holds f.mu.
func (f *Flow) forgetGrants(now time.Time) {
	if len(f.granted) <= 10_000 {
		return
	}
	for k, t := range f.granted {
		if now.Sub(t) > f.Site.Gates[k.gate].Policy.RepeatWithin {
			delete(f.granted, k)
		}
	}
}

// Close commits what still waits and returns when every confirmation is stored or
// ctx ends.
func (f *Flow) Close(ctx context.Context) error {
	f.lapseAll(ctx)
	f.once.Do(func() { close(f.closing) })
	done := make(chan struct{})
	go func() { f.after.Wait(); close(done) }()
	select {
	case <-done:
		f.mu.Lock()
		defer f.mu.Unlock()
		if n := len(f.owed); n > 0 {
			f.Log.Error("the server ends while passages are not recorded", "count", n)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
