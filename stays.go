package gatehouse

import (
	"context"
	"time"
)

// CarPark is spaces behind lanes: its name, how many there are, and the lanes that lead
// in and out.
type CarPark struct {
	ID       string // a name as CheckName has it
	Name     string // for people; not personal
	Capacity int
	Entries  []GateID
	Exits    []GateID
	// Longest is the longest that a vehicle stays: whoever is inside for longer left
	// without being seen.
	Longest time.Duration
	Tariff  string // its name; "" where nothing is charged
	// Apart are those of its spaces that only one class of vehicle may take.
	Apart map[VehicleClass]int
	// Closed says that only vehicles that are enrolled come in: the site's register is the list
	// of those who may.
	Closed bool
	// Keeps are the places that visitors do not get.
	Keeps Keeping
	// Queues lets a visitor who came while it was full in as soon as a space is free, where the
	// vehicle still stands at the entry; otherwise it has to be read again.
	Queues bool
}

// Keeping says whose places are kept for them while they are not inside.
type Keeping string

// What may be kept.
const (
	KeepNothing      Keeping = "none"
	KeepReservations Keeping = "reservations" // of reservations that could be used now
	KeepQuotas       Keeping = "quotas"       // of these, and all spaces of quotas
)

// CountReason says why a person's count of a car park differs from what is known.
type CountReason string

// The reasons.
const (
	CountMissedExits   CountReason = "missed_exits"
	CountMissedEntries CountReason = "missed_entries"
	CountOther         CountReason = "other"
)

// CountReasons lists them all.
var CountReasons = []CountReason{CountMissedExits, CountMissedEntries, CountOther}

// CarParkCount is a person's count of the vehicles in a car park.
type CarParkCount struct {
	CarPark    string
	Difference int // to those whose stay was open then
	Reason     CountReason
	By         string // an account's id
	At         time.Time
	// Lost is how many stays that had begun by then had ended unseen already.
	Lost int
}

// SignFace is what a sign in front of a car park shows.
type SignFace struct {
	CarPark string
	Free    int // spaces that are left to cars, not negative
	Full    bool
	// Classes are the spaces that are left to classes with spaces of their own.
	Classes map[VehicleClass]int
}

// StayRecord is a stay as it is kept: metadata, under opaque ids.
type StayRecord struct {
	Stay
	CarPark string
	State   StayState
	// Reason says how its entry or exit was understood, in the words of
	// rules/parking/pairing: "same_text", "plate_twice", "exit_missed".
	Reason string
	Known  bool   // Subject is enrolled
	Right  ID     // the pass or reservation by which it came in
	Group  string // the quota whose space it takes
	// Charge is what it cost when it left; nil before, and where nothing was charged.
	Charge *Charge
	Owed   int64 // of Charge, what was not paid when it left: minor units
	Booked bool  // the books have Charge
	// By is who attached or corrected it: an account's id. "" where nobody did.
	By      string
	Changed time.Time // when By did
	// Correction is what was read and what it was corrected to, sealed; nil for none.
	Correction []byte
}

// Ended reports whether the vehicle is no longer inside.
func (r StayRecord) Ended() bool {
	return r.State == StayLeft || r.State == StayLost || r.State == StayWithdrawn
}

// StayExit is a vehicle that left through a car park's exit, and which stay that ended.
type StayExit struct {
	Place
	ID      ID // the passage's
	CarPark string
	Gate    GateID
	At      time.Time
	Subject SubjectID
	Known   bool
	// State is paired, ambiguous, unpaired (rules/parking/pairing), or reversed: the sensor
	// said afterwards that nobody passed.
	State    string
	Reason   string
	Stay     ID   // of paired
	Could    []ID // the stays that could be meant, of ambiguous
	By       string
	Attached time.Time // when By attached it; zero where the pairing did
}

// Corrected is what a reading was, and what somebody made of it: archive data, sealed as
// JSON with the stay.
type Corrected struct {
	Raw  string    `json:"raw"`
	Text string    `json:"text"`
	By   string    `json:"by"` // an account's id, or "pairing"
	At   time.Time `json:"at"`
}

// StayFilter asks for stays or exits, newest first.
type StayFilter struct {
	Place
	CarPark string    // "" for all
	State   string    // "" for all; "inside" for all that have not ended, "unpaid" for those that left and owe
	Subject SubjectID // zero for all
	Since   time.Time // entered (an exit: left) at or after; zero for no limit
	Before  ID        // cursor: only with a smaller id; zero from the newest
	Limit   int       // 1..1000
}

// InsideStays asks for all stays that have not ended.
const InsideStays = "inside"

// UnpaidStays asks for those that left, and owe something.
const UnpaidStays = "unpaid"

// StayLook is what somebody saw who looked at the pictures of both gates of a stay that owes
// something.
type StayLook struct {
	Stay ID
	Same bool   // it is one vehicle, and this stay's
	By   string // an account's id
	At   time.Time
}

// StayStore keeps stays by the month of their entry, and exits by theirs. Every method is
// a whole command; those that are called again with the same row change nothing. Errors:
// store.full, store.failed, store.not_found.
type StayStore interface {
	// StayCursor is the last position of the log that stays were made of. begun is false
	// where none was ever put.
	StayCursor(ctx context.Context, place Place) (position uint64, begun bool, err error)
	// PutStayCursor MUST be called after what was made of the leaves is durable: what is
	// dealt with again makes the same rows.
	PutStayCursor(ctx context.Context, place Place, position uint64) error
	// OpenStay keeps a new stay. One that is there stays as it is.
	OpenStay(ctx context.Context, r StayRecord) error
	// ChangeStay replaces a stay's row, with a leaf where a person changed it.
	ChangeStay(ctx context.Context, r StayRecord, leaf []byte) error
	// PutExit keeps an exit, or replaces it, with a leaf where a person changed it.
	PutExit(ctx context.Context, e StayExit, leaf []byte) error
	// StayOf and ExitOf read one.
	StayOf(ctx context.Context, place Place, id ID) (StayRecord, error)
	ExitOf(ctx context.Context, place Place, id ID) (StayExit, error)
	Stays(ctx context.Context, f StayFilter) ([]StayRecord, error)
	// Exits gives those that nothing was attached to where the filter's State is UnmatchedExits.
	Exits(ctx context.Context, f StayFilter) ([]StayExit, error)
}

// UnmatchedExits is the State by which Exits gives what waits for a person.
const UnmatchedExits = "unmatched"

// ParkingItemKind says what an item of a car park's data is.
type ParkingItemKind string

// The kinds.
const (
	PassItem          ParkingItemKind = "pass"
	ReservationItem   ParkingItemKind = "reservation"
	QuotaItem         ParkingItemKind = "quota"
	DeniedItem        ParkingItemKind = "denied"     // a vehicle that may not come in
	ValidationItem    ParkingItemKind = "validation" // what a shop gave toward a stay
	OrderItem         ParkingItemKind = "order"      // a PassOrder, of its pass's vehicle
	DriverAccountItem ParkingItemKind = "account"    // a DriverAccount, of its holder
	// AccountVehicleItem says that a vehicle is an account's: a row of its own, so that it goes
	// with either.
	AccountVehicleItem ParkingItemKind = "account_vehicle"
	KioskItem          ParkingItemKind = "kiosk" // a ParkingKiosk
	ShopItem           ParkingItemKind = "shop"
	ShopCodeItem       ParkingItemKind = "shop_code"
	CountItem          ParkingItemKind = "count" // a CarParkCount
	LookItem           ParkingItemKind = "look"  // a StayLook, of its stay's vehicle
)

// ParkingItem is a pass, reservation, quota, list entry or validation as it is kept: Body
// is flow/stay's encoding, without anything personal.
type ParkingItem struct {
	Kind    ParkingItemKind
	ID      string    // an id's text, or a quota's name
	Subject SubjectID // whose it is; zero for nobody's
	Stay    ID        // of a validation
	Body    []byte
	At      time.Time
}

// StoredTariff is one revision of a tariff's file. A stay is charged by the revision that
// was the newest when it began.
type StoredTariff struct {
	Name     string
	Revision int // from 1
	At       time.Time
	By       string // an account's id, or "admin-socket"
	Body     []byte // YAML
}

// ParkingStore keeps what car parks are run by. Each change comes with its leaf.
type ParkingStore interface {
	// PutTariff keeps the next revision: parking.changed where it is not the next one.
	PutTariff(ctx context.Context, place Place, t StoredTariff, leaf []byte) error
	Tariffs(ctx context.Context, place Place) ([]StoredTariff, error)
	// PutParkingItem fails with store.not_found where its subject was erased meanwhile.
	PutParkingItem(ctx context.Context, place Place, i ParkingItem, leaf []byte) error
	// RemoveParkingItem fails with store.not_found.
	RemoveParkingItem(ctx context.Context, place Place, kind ParkingItemKind, id string, leaf []byte) error
	ParkingItems(ctx context.Context, place Place) ([]ParkingItem, error)
	// UseRight notes that a stay used a pass, once.
	UseRight(ctx context.Context, place Place, right, stay ID) error
	// RightsUsed counts the stays that used each pass.
	RightsUsed(ctx context.Context, place Place) (map[ID]int, error)
}

// AtLane is a vehicle at a lane, as it was read so far.
type AtLane struct {
	Gate    Gate
	Mark    Mark
	Known   bool // Subject is enrolled
	Subject SubjectID
	Seen    time.Duration // since its first frame
	Final   bool          // no better reading will come
	At      time.Time
}

// Parking decides at the lanes of car parks.
type Parking interface {
	// Lane reports whether the gate is a car park's: then At decides, and no access rule.
	Lane(GateID) bool
	// At decides. certain is false where another frame may change the answer for the better.
	At(ctx context.Context, v AtLane) (d Decision, certain bool)
	// Keep keeps the mark of a passage that is about to be committed, durably. stay is the
	// stay that it ends where that is known already, otherwise zero.
	Keep(ctx context.Context, p Passage, m Mark, stay ID) error
}

// LetOut is a vehicle that a lane lets through without looking again: it waited at an exit
// and has paid, or its driver took a ticket at the entry.
type LetOut struct {
	Gate    GateID
	Mark    Mark
	Known   bool
	Subject SubjectID
	Stay    ID     // that it ends; zero at an entry
	Rule    string // for example "paid in car park centre"
}
