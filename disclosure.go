package gatehouse

import "time"

// Disclosure is one opening of sealed data. The vault process writes it before it
// releases any plaintext.
type Disclosure struct {
	ID       ID
	At       time.Time
	Operator string // who: an operator's id, never a name
	Role     string // in which role, "" where there are none
	Purpose  string // live, passage, person, search, release, drill; unseal for the unsealing itself
	Reason   string // in the operator's words; "" where the purpose needs none
	// ReasonSealed says that there is a reason that cannot be shown now: the vault is
	// sealed, or its day has expired.
	ReasonSealed bool
	Items        []string // what was opened or found, as "table/row/field"; opaque. A search adds by what it searched, "search/plate"
	Units        int      // against the budget: a name in a list 1, a record or picture 10, an ID number 50, a search 5 and 1 a row
}
