package pairing

import (
	"slices"
	"time"

	"gatehouse"
)

// Entry is what a vehicle at the entry means for the stays that are open.
type Entry struct {
	Reason EntryReason
	// Missed is the stay whose exit was missed, of EntryAgain; Others are those of the same
	// plate, of EntryTwice.
	Missed gatehouse.ID
	Others []gatehouse.ID
}

// EntryReason says which.
type EntryReason string

// The reasons. Each opens a stay.
const (
	EntryNew EntryReason = "new"
	// EntryAgain: the same vehicle, whose exit was missed. The earlier stay ends without a
	// charge by itself; when it ended nobody knows.
	EntryAgain EntryReason = "exit_missed"
	// EntryTwice: two vehicles with one plate: a cloned plate, or a misread one. An alarm;
	// both stays remain open, and an exit of theirs is left to a person.
	EntryTwice EntryReason = "plate_twice"
)

// Enter decides what an entry means. Without pictures that say that it is the same
// vehicle, a plate that is inside already is an alarm: it may be cloned.
func Enter(m gatehouse.Mark, open []Open) Entry {
	var inside []Open
	for _, o := range open {
		if m.Plate.Text != "" && o.Mark.Plate.Text == m.Plate.Text {
			inside = append(inside, o)
		}
	}
	switch {
	case len(inside) == 0:
		return Entry{Reason: EntryNew}
	case len(inside) == 1 && looks(m, inside[0].Mark) == alike && !slices.ContainsFunc(m.Plate.Chars, func(c gatehouse.CharRead) bool { return 1-c.Confidence >= doubtful }):
		return Entry{Reason: EntryAgain, Missed: inside[0].ID}
	}
	e := Entry{Reason: EntryTwice}
	for _, o := range inside {
		e.Others = append(e.Others, o.ID)
	}
	return e
}

// Overdue returns the stays that are open for longer than the site's longest: their
// exits were missed. They end without a charge by themselves.
func Overdue(open []Open, longest time.Duration, now time.Time) []gatehouse.ID {
	var all []gatehouse.ID
	for _, o := range open {
		if now.Sub(o.Entered) > longest {
			all = append(all, o.ID)
		}
	}
	return all
}
