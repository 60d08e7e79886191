package gatehouse

import (
	"log/slog"
	"time"
)

// DriverAccount is a page of their own for whoever has passes here: of an enrolled person or
// vehicle, by whose erasure it goes. It holds nothing personal in the open.
type DriverAccount struct {
	ID    ID
	Since time.Time
	// Invoice lets its vehicles leave without paying: an account is sent an invoice.
	Invoice bool
	// Link is the SHA-256 of the code that opens the page, once and until LinkUntil.
	Link      []byte
	LinkUntil time.Time
	Browsers  []DriverBrowser // that are signed in, the oldest first
	// Buyer is an InvoiceBuyer, sealed as JSON under its holder; nil where none was given.
	Buyer   []byte
	BuyerAt time.Time
}

// DriverBrowser is one browser that opened an account's page.
type DriverBrowser struct {
	Cookie []byte // its SHA-256
	Until  time.Time
}

// OrderKind is what an order sells.
type OrderKind string

// The kinds.
const (
	RenewalOrder OrderKind = "renewal" // a season pass for a month longer
	TopUpOrder   OrderKind = "top_up"  // money on a pass of value
)

// PassOrder is something of a pass that is paid for as a stay is: by its ID. What it sells
// counts from the moment at which it is paid, once.
type PassOrder struct {
	ID          ID
	Pass        ID
	Kind        OrderKind
	Name        string    // of the pass
	From, Until time.Time // of a renewal; both the moment of a top-up
	Amount      Money     // with its tax
	Tax         int64     // basis points of the net price
	Made        time.Time
	Done        time.Time // when it was paid; zero before
	Booked      bool      // the books have what it cost
}

// FapiaoKind says which tax invoice a buyer wants.
type FapiaoKind string

// The kinds; "" is an invoice that is no fapiao.
const (
	NoFapiao       FapiaoKind = ""
	OrdinaryFapiao FapiaoKind = "ordinary" // 普通发票
	SpecialFapiao  FapiaoKind = "special"  // 专用发票, by which the tax is deducted
)

// InvoiceBuyer is whom an invoice is made out to, with the fields of a fapiao. Personal: it is
// sealed, and nobody reads it without the vault.
type InvoiceBuyer struct {
	Fapiao      FapiaoKind `json:"fapiao,omitempty"`
	Name        string     `json:"name"`
	TaxNumber   string     `json:"tax_number,omitempty"`
	Address     string     `json:"address,omitempty"`
	Phone       string     `json:"phone,omitempty"`
	Bank        string     `json:"bank,omitempty"`
	BankAccount string     `json:"bank_account,omitempty"`
}

// LogValue redacts the buyer.
func (InvoiceBuyer) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// BuyerContext is where an account's buyer is sealed.
func BuyerContext(place Place, account ID) SealContext {
	return SealContext{Place: place, Table: "parking_items", Row: account, Field: "buyer"}
}

// Receipt is one payment, or what went back of one.
type Receipt struct {
	Number   uint64 // of its entry
	At       time.Time
	Stay     ID    // or the order
	Amount   Money // negative for what went back
	Tax      Money // in it
	Provider string
	Deposit  bool // money put on a pass: it is invoiced when it is spent
}

// Shop is a shop near a car park that gives its customers something toward their stays, by
// codes: of its page, of which each counts once.
type Shop struct {
	ID      ID
	Name    string // not personal
	Gives   Validation
	PerStay int // of its codes count for one stay
	PerDay  int // it may make so many codes a day
	// Link is the SHA-256 of the code that opens the shop's page until it gets another.
	Link []byte
}

// ShopCode is one code of a shop: its ID is made of the code, which is kept nowhere.
type ShopCode struct {
	ID    ID
	Shop  ID
	Made  time.Time
	Until time.Time
	Used  time.Time // zero before
}

// DriverView is an account as it is shown: nothing personal is in it.
type DriverView struct {
	ID       ID
	Holder   SubjectID
	Label    string // of the holder's badge
	Since    time.Time
	Invoice  bool
	BuyerAt  time.Time // when the buyer of its invoices was given; zero where none was
	Browsers int       // that are signed in
	Vehicles []DriverVehicle
	Passes   []DriverPass
}

// DriverVehicle is one vehicle of an account.
type DriverVehicle struct {
	Vehicle SubjectID
	Label   string // of its badge
}

// DriverPass is one pass of an account's vehicles.
type DriverPass struct {
	Pass
	Label string // of the vehicle
	Used  int    // of a pass of uses
	Holds Money  // of a pass of value
	Sold  bool   // its driver can renew it, or put money on it
}

// DriverReceipt is one of an account's receipts, and what it was for.
type DriverReceipt struct {
	Receipt
	Entered, Left time.Time // of a stay
	Name          string    // of the pass that was ordered
}

// ShopUse is a shop and what it did with its codes.
type ShopUse struct {
	Shop
	Today int // codes that it made today
	Left  int // that it may still make today
	Open  int // codes that nobody used yet
	Used  int // of those that are still kept
}

// ParkingKiosk is a screen at a lane that shows the drivers' pages.
type ParkingKiosk struct {
	ID   ID
	Gate GateID
	Made time.Time
	// Code is the SHA-256 of the code that a browser is enrolled by, once and until CodeUntil;
	// Cookie that of the browser which was, Since then.
	Code      []byte
	CodeUntil time.Time
	Cookie    []byte
	Since     time.Time
}

// HeldParking is what car parks and their books hold of a person or vehicle.
type HeldParking struct {
	Stays    []StayRecord // the newest first
	More     bool         // there are older ones
	Receipts []Receipt    // what was paid for them, and for what was ordered, by number
	Rights   []HeldRight
	Buyer    *SealedRef // whom invoices are made out to; nil where nothing was kept
}

// HeldRight is one pass, reservation, order or list entry that somebody has.
type HeldRight struct {
	Kind        ParkingItemKind
	Name        string
	What        string // the kind of pass or order
	From, Until time.Time
	Holds       Money // of a pass of value; what an order cost
}
