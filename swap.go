package gatehouse

import "time"

// StoredSwap is a swap of shifts and what became of it. It is requested until somebody
// decides it or one of the two takes it back; who decides is ShiftSwap's Approved, also of
// a refusal.
type StoredSwap struct {
	Place
	ShiftSwap
	State   CorrectionState
	Made    time.Time
	Decided time.Time
	// Entries are the roster entries that an approved swap makes, as flow/timesheet encodes
	// them, and Applied is when they were put; zero while some may be missing.
	Entries []byte
	Applied time.Time
}

// SwapLeaf records a swap as it stands now: event is asked, agreed, approved, refused,
// withdrawn or applied. Whose it is is not in it.
func SwapLeaf(at time.Time, event string, s StoredSwap, by string) []byte {
	return EventLeaf(HoursLeafKind, at, "swap-"+event, string(s.Org), string(s.Site), by, s.ID.String(), string(s.FirstDay), string(s.SecondDay))
}
