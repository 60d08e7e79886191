package wire

import (
	"log/slog"
	"time"

	"gatehouse"
)

// CarPark is one car park and how full it is.
type CarPark struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Capacity int    `json:"capacity"`
	Inside   int    `json:"inside"`
	Free     int    `json:"free"` // for the sign; never negative
	Full     bool   `json:"full"`
	// Classes are the free spaces of classes with spaces of their own; they are no part of Free.
	Classes   map[gatehouse.VehicleClass]int `json:"classes,omitempty"`
	Kept      int                            `json:"kept,omitempty"`      // spaces for passes and reservations that are not inside
	Corrected int                            `json:"corrected,omitempty"` // of Inside, what a person's count added
	Groups    map[string]int                 `json:"groups,omitempty"`    // spaces in use, by quota's group
	Waiting   int                            `json:"waiting"`             // vehicles at an exit that owe something
	Unmatched int                            `json:"unmatched"`           // exits of the last days that wait for a person
	Entries   []gatehouse.GateID             `json:"entries"`
	Exits     []gatehouse.GateID             `json:"exits"`
	Tariff    string                         `json:"tariff,omitempty"`
}

// CarParksResponse answers GET /api/v1/parking, in the order of gatehouse.yml.
type CarParksResponse struct {
	CarParks []CarPark `json:"car_parks"`
}

// Stay is one vehicle in a car park, under opaque ids: no plate.
type Stay struct {
	ID           gatehouse.ID           `json:"id"`
	CarPark      string                 `json:"car_park"`
	State        gatehouse.StayState    `json:"state"`
	Reason       string                 `json:"reason"` // how its entry or exit was understood
	Subject      gatehouse.SubjectID    `json:"subject"`
	Known        bool                   `json:"known"` // the subject is enrolled
	Class        gatehouse.VehicleClass `json:"class"`
	EntryGate    gatehouse.GateID       `json:"entry_gate"`
	ExitGate     gatehouse.GateID       `json:"exit_gate,omitempty"`
	EntryPassage gatehouse.ID           `json:"entry_passage"`
	ExitPassage  gatehouse.ID           `json:"exit_passage,omitzero"`
	Entered      time.Time              `json:"entered"`
	Left         time.Time              `json:"left,omitzero"`
	Currency     gatehouse.Currency     `json:"currency,omitempty"`
	Charged      int64                  `json:"charged,omitempty"` // minor units, once it left
	Owed         int64                  `json:"owed,omitempty"`    // of it, when it left
	Group        string                 `json:"group,omitempty"`
	By           string                 `json:"by,omitempty"` // who attached, corrected or ended it: an account's id
	Corrected    bool                   `json:"corrected"`    // the plate was; what was read is kept, sealed
	Look         *StayLook              `json:"look,omitempty"`
}

// StayLook is what somebody saw who looked at the pictures of both gates of a stay that owes
// something.
type StayLook struct {
	Same bool      `json:"same"` // it is one vehicle
	By   string    `json:"by"`
	At   time.Time `json:"at"`
}

// StaysQuery narrows a list of stays; zero values ask for all.
type StaysQuery struct {
	CarPark string
	State   string // a state, "inside", or "unpaid"
	Before  gatehouse.ID
	Limit   int // 1..200; 0: 50
}

// StaysResponse is one page, newest first. GET /api/v1/parking/stays.
type StaysResponse struct {
	Stays []Stay       `json:"stays"`
	Next  gatehouse.ID `json:"next,omitzero"`
}

// ChargeLine is one step of how a charge came about.
type ChargeLine struct {
	Kind   string    `json:"kind"`
	Text   string    `json:"text"`
	From   time.Time `json:"from,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	Count  int64     `json:"count,omitempty"`
	Amount int64     `json:"amount"` // minor units; the lines add up to the total
}

// StayCharge is what a stay costs now, or cost when it left.
type StayCharge struct {
	Tariff   string             `json:"tariff"`
	Version  int                `json:"version"`
	Currency gatehouse.Currency `json:"currency"`
	Until    time.Time          `json:"until"`
	Total    int64              `json:"total"` // all amounts in minor units
	Tax      int64              `json:"tax"`
	Paid     int64              `json:"paid"`
	Due      int64              `json:"due"`
	LeaveBy  time.Time          `json:"leave_by,omitzero"`
	Lines    []ChargeLine       `json:"lines"`
}

// StayDetail is a stay with its charge; none where nothing is charged.
// GET /api/v1/parking/stays/{id}.
type StayDetail struct {
	Stay   Stay        `json:"stay"`
	Charge *StayCharge `json:"charge,omitempty"`
}

// PlateRequest is a plate that a person read in a picture.
// POST /api/v1/parking/stays/{id}/plate.
type PlateRequest struct {
	Plate string `json:"plate"`
}

// LogValue redacts the plate.
func (PlateRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// ValidationRequest is what a shop gives. POST /api/v1/parking/stays/{id}/validations.
type ValidationRequest struct {
	Issuer  string                   `json:"issuer"`
	Kind    gatehouse.ValidationKind `json:"kind"`              // time, percent, money, full
	Minutes int                      `json:"minutes,omitempty"` // of time
	Percent int                      `json:"percent,omitempty"` // of percent, 1..100
	Money   string                   `json:"money,omitempty"`   // of money, in the tariff's currency: "2.50"
}

// Exit is a vehicle that left, and which stay that ended.
type Exit struct {
	ID       gatehouse.ID        `json:"id"` // the passage's
	CarPark  string              `json:"car_park"`
	Gate     gatehouse.GateID    `json:"gate"`
	At       time.Time           `json:"at"`
	Subject  gatehouse.SubjectID `json:"subject"`
	Known    bool                `json:"known"`
	State    string              `json:"state"` // paired, ambiguous, unpaired, reversed, dismissed
	Reason   string              `json:"reason"`
	Stay     gatehouse.ID        `json:"stay,omitzero"`
	Could    []gatehouse.ID      `json:"could,omitempty"` // the stays that could be meant
	By       string              `json:"by,omitempty"`
	Attached time.Time           `json:"attached,omitzero"`
}

// ExitsResponse is one page, newest first. GET /api/v1/parking/exits.
type ExitsResponse struct {
	Exits []Exit       `json:"exits"`
	Next  gatehouse.ID `json:"next,omitzero"`
}

// AttachRequest names the stay that an exit ended. POST /api/v1/parking/exits/{id}/attach.
type AttachRequest struct {
	Stay   gatehouse.ID `json:"stay"`
	Charge bool         `json:"charge"` // otherwise nobody owes what it cost
}

// TariffRequest puts a tariff's file. PUT /api/v1/parking/tariffs.
type TariffRequest struct {
	File string `json:"file"` // YAML, as docs/parking.md shows it
}

// TariffRevision is a tariff's file as it was put once.
type TariffRevision struct {
	Name     string    `json:"name"`
	Revision int       `json:"revision"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	File     string    `json:"file,omitempty"`
}

// TariffsResponse lists tariffs, or the revisions of one, the newest first.
type TariffsResponse struct {
	Tariffs []TariffRevision `json:"tariffs"`
}

// PassRequest gives a vehicle a pass. POST /api/v1/parking/passes.
type PassRequest struct {
	Vehicle gatehouse.SubjectID      `json:"vehicle"`
	Kind    gatehouse.PassKind       `json:"kind"` // season, uses, exit, value
	Name    string                   `json:"name"`
	From    time.Time                `json:"from"`
	Until   time.Time                `json:"until,omitzero"`
	Windows []string                 `json:"windows,omitempty"` // "mon-fri 18:00-24:00"; none: at any time
	Classes []gatehouse.VehicleClass `json:"classes,omitempty"`
	Uses    int                      `json:"uses,omitempty"`
	Quota   string                   `json:"quota,omitempty"` // the group that it shares spaces with
	// Price is what another month of a season pass costs, with its tax; nobody renews it without.
	Price *Money `json:"price,omitempty"`
	// Tax is the tax in the price, in hundredths of a per cent of the net price.
	Tax int64 `json:"tax_basis_points,omitempty"`
	// Currency is that of a pass of value.
	Currency gatehouse.Currency `json:"currency,omitempty"`
}

// ReservationRequest reserves a space. POST /api/v1/parking/reservations.
type ReservationRequest struct {
	Vehicle gatehouse.SubjectID      `json:"vehicle"`
	From    time.Time                `json:"from"`
	Until   time.Time                `json:"until"`
	Early   int                      `json:"early_minutes,omitempty"`
	Late    int                      `json:"late_minutes,omitempty"`
	Classes []gatehouse.VehicleClass `json:"classes,omitempty"`
}

// QuotaRequest says how many spaces a group has. PUT /api/v1/parking/quotas.
type QuotaRequest struct {
	Group  string `json:"group"`
	Spaces int    `json:"spaces"`
	Pay    bool   `json:"pay"` // those beyond it come in as visitors; otherwise they wait outside
}

// CountRequest says how many vehicles a person counted in a car park, and why they are others
// than are known. PUT /api/v1/parking/counts.
type CountRequest struct {
	CarPark string                `json:"car_park"`
	Inside  int                   `json:"inside"`
	Reason  gatehouse.CountReason `json:"reason"` // missed_exits, missed_entries, other
}

// DenyRequest puts a vehicle on the list of those that may not come in.
// POST /api/v1/parking/denied.
type DenyRequest struct {
	Vehicle gatehouse.SubjectID `json:"vehicle"`
}

// Right is a pass, a reservation, a quota, an entry of the list or a validation.
type Right struct {
	Kind    gatehouse.ParkingItemKind `json:"kind"`
	ID      string                    `json:"id"`
	Vehicle gatehouse.SubjectID       `json:"vehicle,omitzero"`
	Stay    gatehouse.ID              `json:"stay,omitzero"`
	Name    string                    `json:"name,omitempty"` // of the pass, the group or the issuer
	What    string                    `json:"what,omitempty"` // season, uses, exit; time, percent, money, full
	From    time.Time                 `json:"from,omitzero"`
	Until   time.Time                 `json:"until,omitzero"`
	Uses    int                       `json:"uses,omitempty"`   // that a pass began with
	Used    int                       `json:"used,omitempty"`   // stays that used it
	Spaces  int                       `json:"spaces,omitempty"` // of a quota
	Price   *Money                    `json:"price,omitempty"`  // of another month of a season pass, or of an order
	Holds   *Money                    `json:"holds,omitempty"`  // what a pass of value holds
	At      time.Time                 `json:"at"`
}

// RightsResponse lists them, by kind and id. GET /api/v1/parking/rights.
type RightsResponse struct {
	Rights []Right `json:"rights"`
}

// TicketRequest lets a vehicle without a plate in. POST /api/v1/parking/tickets.
type TicketRequest struct {
	Gate  gatehouse.GateID       `json:"gate"`            // an entry of a car park
	Class gatehouse.VehicleClass `json:"class,omitempty"` // car, motorbike, truck or bus; "" for a car
}

// LostTicketRequest says where the driver waits who has lost the ticket.
// POST /api/v1/parking/stays/{id}/lost-ticket.
type LostTicketRequest struct {
	Exit gatehouse.GateID `json:"exit"`
}

// TicketResponse holds the ticket's code, which is shown this once: as a QR code it opens
// the exit.
type TicketResponse struct {
	Code string `json:"code"`
}

// LogValue redacts the code.
func (TicketResponse) LogValue() slog.Value { return slog.StringValue("[redacted]") }
