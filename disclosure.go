package gatehouse

import "time"

// Disclosure is one opening of sealed data. The vault process writes it before it
// releases any plaintext.
type Disclosure struct {
	ID       ID
	At       time.Time
	Operator string // who: an operator's id, never a name
	Role     string // in which role, "" where there are none
	Purpose  string // live, passage, person, search, release, audit, drill; unseal for the unsealing itself
	Reason   string // in the operator's words; "" where the purpose needs none
	// ReasonSealed says that there is a reason that is not shown. A listing gives it
	// sealed, in SealedReason; opening it is a disclosure itself (purpose audit), and
	// gives nothing once its day has expired.
	ReasonSealed bool
	SealedReason []byte   `json:",omitempty"`
	Items        []string // what was opened or found, as "table/row/field"; opaque. A search adds by what it searched, "search/plate"
	Units        int      // against the budget: a name in a list 1, a record or picture 10, a reason 1, an ID number 50, a search 5 and 1 a row
}

// ReasonContext is what the sealed reason of a disclosure is bound to.
func ReasonContext(place Place, id ID) SealContext {
	return SealContext{Place: place, Table: "disclosures", Row: id, Field: "reason"}
}
