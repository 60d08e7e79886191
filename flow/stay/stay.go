// Package stay follows the committed passages of car parks' lanes: an entry opens a stay,
// an exit ends one (rules/parking/pairing says which), and what it costs is booked. It also
// answers the lanes: who may come in, and who owes something at the exit.
//
// Stays are metadata; what tells one vehicle from another (a mark: plate, ticket, looks)
// lies in the working set, by its passage, written before the passage is committed, and for
// at most seven days. So all of this works while the vault is sealed. What follows from the
// log makes the same rows when it is dealt with again: whoever is killed goes on from the
// cursor.
package stay

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
)

// Working is the part of the working set that this package needs.
type Working interface {
	PutKept(ctx context.Context, kind gatehouse.WorkingKind, id gatehouse.ID, plain []byte) error
	Kept(kind gatehouse.WorkingKind) map[gatehouse.ID][]byte
	RemoveKept(ctx context.Context, kind gatehouse.WorkingKind, id gatehouse.ID) error
	ByPlate(plate string) (gatehouse.SubjectID, bool)
	Badge(gatehouse.SubjectID) (gatehouse.Badge, bool)
}

// Store keeps stays and what car parks are run by.
type Store interface {
	gatehouse.StayStore
	gatehouse.ParkingStore
}

// Opener lets a vehicle out that waits at an exit.
type Opener interface {
	LetOut(ctx context.Context, l gatehouse.LetOut) (gatehouse.Passage, error)
}

// Ports are what this package needs of the rest.
type Ports struct {
	Place    gatehouse.Place
	Location *time.Location
	CarParks []gatehouse.CarPark
	Store    Store
	Passages follow.Passages
	// Newest is the log's last position: where stays begin at a site that has none yet.
	Newest  func(ctx context.Context) (uint64, error)
	Working Working
	Sealer  gatehouse.Sealer
	Books   gatehouse.StayBooks // nil: nothing is booked, and nothing counts as paid
	// Passes are the same books, for passes of value, orders and accounts; nil: there are none.
	Passes gatehouse.PassBooks
	// ReadTariff reads a tariff's file, as package tariff does. Errors: parking.tariff.
	ReadTariff func(body []byte) (gatehouse.Tariff, error)
	// Alarm is told of a plate that is inside twice.
	Alarm func(ctx context.Context, gate gatehouse.GateID)
	// Tailgated is told of a vehicle that passed behind another; nil: nobody.
	Tailgated func(ctx context.Context, gate gatehouse.GateID)
	Now       func() time.Time
	Log       *slog.Logger
}

// Stays are a site's car parks. All methods are safe for concurrent use.
type Stays struct {
	Ports
	decoder follow.Decoder
	lanes   map[gatehouse.GateID]lane
	parks   map[string]gatehouse.CarPark

	// changes makes what is written one after the other; mu guards what is in memory, and is
	// never held while something is written or asked.
	changes sync.Mutex

	accountChanges sync.Mutex // one change of a driver's account after the other
	kioskChanges   sync.Mutex // of screens at lanes
	orderChanges   sync.Mutex // of what was ordered: two payments at once must not sell one month
	shopChanges    sync.Mutex // the same of shops, and of their codes

	mu        sync.RWMutex
	opener    Opener
	position  uint64 // of the log, dealt with
	saved     uint64 // the same, on disk
	inside    map[gatehouse.ID]*gatehouse.StayRecord
	owing     map[gatehouse.ID]*gatehouse.StayRecord // ended, and something is owed
	left      map[gatehouse.ID]time.Time             // stays that ended a moment ago
	marks     map[gatehouse.ID]kept                  // by passage
	unmatched map[gatehouse.ID]gatehouse.StayExit    // exits that wait for a person
	granted   map[gatehouse.GateID]grantedAt
	admitted  map[gatehouse.ID]admitted             // let in, and not followed yet
	refused   map[gatehouse.GateID]gatehouse.AtLane // who stands at an entry and was not let in
	letting   map[gatehouse.ID]time.Time
	unbooked  map[gatehouse.ID]struct{} // ended, and the books do not have it yet
	data      data
	followed  map[string]followedCount // by car park: since it was counted
}

// lane is a gate of a car park.
type lane struct {
	park  string
	entry bool
}

// grantedAt is who was let through a lane last.
type grantedAt struct {
	text string
	at   time.Time
}

// admitted is a vehicle that was let in a moment ago.
type admitted struct {
	park  string
	class gatehouse.VehicleClass
	at    time.Time
}

// The bounds of what lies in memory and in the working set.
const (
	// MarkKept is how long a mark is kept at most, whatever became of its stay.
	MarkKept = 7 * 24 * time.Hour
	// lostKept is for how long an exit without a stay counts as a sighting of a vehicle that
	// was away (pairing.Exit.Lost).
	lostKept = 72 * time.Hour
	// settling is for how long a mark is kept after its stay ended: the sensor may say that
	// nobody passed.
	settling = 10 * time.Minute
	// waitAtExit is for how long a vehicle counts as waiting at an exit: who pays later is
	// read there again.
	waitAtExit = 15 * time.Minute
	// patience is for how long a lane waits for a better reading.
	patience = 2 * time.Second
	// page is how many rows are read at once.
	page = 500
)

// Load reads the stays of the site's car parks.
func Load(ctx context.Context, p Ports) (*Stays, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Alarm == nil {
		p.Alarm = func(context.Context, gatehouse.GateID) {}
	}
	s := &Stays{Ports: p, decoder: follow.Decoder{Place: p.Place, Passages: p.Passages}, lanes: map[gatehouse.GateID]lane{}, parks: map[string]gatehouse.CarPark{},
		inside: map[gatehouse.ID]*gatehouse.StayRecord{}, owing: map[gatehouse.ID]*gatehouse.StayRecord{}, left: map[gatehouse.ID]time.Time{}, marks: map[gatehouse.ID]kept{},
		unmatched: map[gatehouse.ID]gatehouse.StayExit{}, granted: map[gatehouse.GateID]grantedAt{}, admitted: map[gatehouse.ID]admitted{}, refused: map[gatehouse.GateID]gatehouse.AtLane{}, letting: map[gatehouse.ID]time.Time{}, unbooked: map[gatehouse.ID]struct{}{}, followed: map[string]followedCount{}}
	for _, c := range p.CarParks {
		s.parks[c.ID] = c
		for _, g := range c.Entries {
			s.lanes[g] = lane{c.ID, true}
		}
		for _, g := range c.Exits {
			s.lanes[g] = lane{c.ID, false}
		}
	}
	if len(s.parks) == 0 {
		return s, nil
	}
	for _, step := range []func(context.Context) error{s.loadCursor, s.loadData, s.loadMarks, s.loadRows, s.loadCounts, s.finishAttached} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Opens says who opens the lanes; the passages need the stays, and the stays them.
func (s *Stays) Opens(o Opener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opener = o
}

// None reports whether the site has no car park.
func (s *Stays) None() bool { return len(s.parks) == 0 }

// loadCursor begins at the end of the log where there was no car park before: who came in
// then left no mark.
func (s *Stays) loadCursor(ctx context.Context) error {
	position, begun, err := s.Store.StayCursor(ctx, s.Place)
	if err == nil && !begun {
		if position, err = s.Newest(ctx); err == nil {
			err = s.Store.PutStayCursor(ctx, s.Place, position)
		}
	}
	s.position, s.saved = position, position
	return err
}

// loadRows reads who is inside, who owes something, and which exits wait for a person.
func (s *Stays) loadRows(ctx context.Context) error {
	now := s.Now()
	oldest := now.Add(-s.longest() - 48*time.Hour)
	err := s.eachStay(ctx, gatehouse.StayFilter{State: gatehouse.InsideStays, Since: oldest}, func(r gatehouse.StayRecord) { s.inside[r.ID] = &r })
	if err != nil {
		return err
	}
	err = s.eachStay(ctx, gatehouse.StayFilter{State: string(gatehouse.StayLeft), Since: now.Add(-MarkKept)}, func(r gatehouse.StayRecord) {
		if r.Owed > 0 {
			s.owing[r.ID] = &r
		}
		if r.Charge != nil && !r.Booked && s.Books != nil {
			s.unbooked[r.ID] = struct{}{}
		}
	})
	if err != nil {
		return err
	}
	f := gatehouse.StayFilter{Place: s.Place, State: gatehouse.UnmatchedExits, Since: now.Add(-lostKept), Limit: page}
	for {
		found, err := s.Store.Exits(ctx, f)
		if err != nil {
			return err
		}
		for _, e := range found {
			s.unmatched[e.ID] = e
		}
		if len(found) < page {
			return nil
		}
		f.Before = found[page-1].ID
	}
}

func (s *Stays) longest() (most time.Duration) {
	for _, c := range s.parks {
		most = max(most, c.Longest)
	}
	return most
}

func (s *Stays) eachStay(ctx context.Context, f gatehouse.StayFilter, each func(gatehouse.StayRecord)) error {
	f.Place, f.Limit = s.Place, page
	for {
		found, err := s.Store.Stays(ctx, f)
		if err != nil {
			return err
		}
		for _, r := range found {
			each(r)
		}
		if len(found) < page {
			return nil
		}
		f.Before = found[page-1].ID
	}
}
