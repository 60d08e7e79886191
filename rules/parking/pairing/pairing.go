// Package pairing decides which open stay a vehicle at the exit ends: a pure function
// over what was read at both gates. It would rather leave an exit to a person than take
// one car for another: a driver who is charged for somebody else's stay is the one
// mistake that nothing mends.
//
// What it lets pass: the same text; a text that differs in one character that cameras
// confuse, or that lost or gained one; a text that the reader itself thought possible. A
// driver who paid and typed the plate is a second reading of the stay, and a witness: whoever
// paid a moment ago is about to drive out.
// What it never does: choose where two stays could be meant.
package pairing

import (
	"slices"
	"time"

	"gatehouse"
)

// Open is a stay that has not ended.
type Open struct {
	ID      gatehouse.ID
	Mark    gatehouse.Mark
	Entered time.Time
	// Said is the plate that the driver typed who then paid for the stay, normalized; "" where
	// nobody did. It is at most a near miss of the entry's reading.
	Said string
	// PaidUntil is until when a stay that is paid may leave; zero for one that is not.
	PaidUntil time.Time
}

// Sighting is a reading at a gate that belongs to no stay: an exit that was not paired,
// an entry that opened none.
type Sighting struct {
	Mark gatehouse.Mark
	At   time.Time
}

// Exit is a vehicle at the exit, and what else was seen.
type Exit struct {
	Mark gatehouse.Mark
	At   time.Time
	// Known says that the text as it was read is a plate that is known here otherwise
	// (a pass, an allowed vehicle): then it was hardly misread.
	Known bool
	// Lost are the sightings without a stay of the last days: one of this vehicle between
	// its entry and now means that it was away meanwhile.
	Lost []Sighting
}

// State is how a pairing ended.
type State string

// The states. The barrier opens in each of them; only Paired charges by itself.
const (
	Paired    State = "paired"
	Ambiguous State = "ambiguous" // a person looks at the pictures
	Unpaired  State = "unpaired"  // no entry belongs to it
)

// Reason says why.
type Reason string

// The reasons.
const (
	SameText      Reason = "same_text"
	ByTicket      Reason = "ticket"
	AsTyped       Reason = "as_typed"       // the entry was misread: the driver who paid typed this text
	OneLookalike  Reason = "one_lookalike"  // one character, that cameras confuse
	OneMissing    Reason = "one_missing"    // one character more or less
	ReadersChoice Reason = "readers_choice" // the reader itself thought of the other text
	TwoApart      Reason = "two_apart"      // two characters; never paired, only a reason to doubt

	TwoStays      Reason = "two_stays"       // two open stays could be meant
	LooksOther    Reason = "looks_other"     // near the text, but another vehicle by its looks
	TicketOfOther Reason = "ticket_of_other" // the ticket is of a vehicle with another plate
	DoubleDip     Reason = "double_dip"      // it seems to have been away between entry and exit

	NoEntry       Reason = "no_entry"       // no open stay is near the text
	NoPlate       Reason = "no_plate"       // neither a plate nor a ticket
	UnknownTicket Reason = "unknown_ticket" // no open stay has the ticket: used, or not ours
	OtherVehicle  Reason = "other_vehicle"  // near a stay, but well read, of a fleet or known: not that one
)

// Verdict is which stay the vehicle ends.
type Verdict struct {
	State  State
	Reason Reason
	Stay   gatehouse.ID // of Paired
	// Corrected says that the texts differ: the stay's Mark keeps what was read, and the
	// correction is the pairing's.
	Corrected bool
	// Unlike says that the pictures show another colour and shape under the same text: worth
	// a look (a cloned plate?), and no reason to keep a driver.
	Unlike bool
	// Could are the stays that could be meant, for the person: of Ambiguous.
	Could []gatehouse.ID
}

// doubtful is from which share of doubt on a character counts as perhaps misread: a
// reader's confidence in it below 1 - doubtful. Where another open stay differs in just
// that character, such a reading tells them apart no more.
const doubtful = 0.05

// twinDoubt is the same where a stay with the very text and another that differs in one
// lookalike are both inside: in single pictures four of six wrong characters were above
// 0.97, and two above 0.985 (docs/measurements.md, Parking). Every twin to a
// person would be safer still, and more than a person can look at.
const twinDoubt = 0.01

// Pair decides. open may hold stays that began after the exit; they are not looked at.
func Pair(e Exit, open []Open) Verdict {
	if e.Mark.Ticket != "" {
		return byTicket(e, open)
	}
	text := []rune(e.Mark.Plate.Text)
	if len(text) == 0 {
		return Verdict{State: Unpaired, Reason: NoPlate}
	}
	var exact, near, rest []match // rest: two characters away
	fleet := 0                    // open stays that differ in one character that nobody confuses
	for i := range open {
		o := &open[i]
		if o.Entered.After(e.At) || o.Mark.Plate.Text == "" {
			continue
		}
		m := compare(e, o)
		switch {
		case m.diff.kind == same:
			exact = append(exact, m)
		case m.diff.kind == lookalike, m.diff.kind == missing, m.diff.kind == other && m.chosen:
			near = append(near, m)
		}
		if m.diff.kind == other {
			fleet++
		}
		if m.diff.kind == far && nearly(text, m.text) {
			rest = append(rest, m)
		}
	}
	v := choose(e, exact, near, rest, fleet)
	if v.State == Paired && wasAway(e, open, v.Stay) {
		return Verdict{State: Ambiguous, Reason: DoubleDip, Could: []gatehouse.ID{v.Stay}}
	}
	return v
}

// match is an open stay beside the exit's text.
type match struct {
	open   *Open
	text   []rune // the entry's, or what the driver typed
	diff   difference
	chosen bool // one of the readers thought of the other's text
	said   bool // text is what the driver typed
	paid   bool // and may leave now
}

// compare compares an exit with a stay: with its entry's text, or with what its driver typed
// where that is nearer.
func compare(e Exit, o *Open) match {
	text, read := []rune(e.Mark.Plate.Text), o.Mark.Plate
	m := match{open: o, text: []rune(read.Text), paid: !e.At.After(o.PaidUntil), said: o.Said == read.Text}
	m.diff = differ(text, m.text)
	m.chosen = names(e.Mark.Plate, read.Text) || names(read, e.Mark.Plate.Text)
	if said := []rune(o.Said); len(said) > 0 {
		if d := differ(text, said); d.kind < m.diff.kind {
			m.text, m.diff, m.said = said, d, true
			m.chosen = m.chosen || names(e.Mark.Plate, o.Said)
		}
	}
	return m
}

func choose(e Exit, exact, near, rest []match, fleet int) Verdict {
	switch {
	case len(exact) == 0 && len(near) == 0:
		return Verdict{State: Unpaired, Reason: NoEntry}
	case len(exact) > 1:
		return between(e, exact)
	case len(exact) == 1:
		rivals := exact
		for _, n := range slices.Concat(near, rest) {
			if rival(e, exact[0], n) {
				rivals = append(rivals, n)
			}
		}
		if len(rivals) > 1 {
			return between(e, rivals)
		}
		return one(e, exact[0], exact[0].reason())
	}
	// A text that is well read and has a place of its own among others like it, or that
	// is known, is that of a vehicle whose entry was missed: not of its neighbour.
	if e.Known || fleet > 0 || len(near) > 1 && fleetOf(near) {
		unsure := func(m match) bool { return m.chosen || m.doubt(e) >= doubtful }
		if !slices.ContainsFunc(near, unsure) {
			return Verdict{State: Unpaired, Reason: OtherVehicle}
		}
	}
	// A text that is wrong in one character may be wrong in two.
	if all := slices.Concat(near, rest); len(all) > 1 {
		return between(e, all)
	}
	return one(e, near[0], near[0].reason())
}

// fleetOf reports whether the matches are like each other, too.
func fleetOf(near []match) bool {
	for i, m := range near {
		for _, n := range near[i+1:] {
			if differ(m.text, n.text).kind != far {
				return true
			}
		}
	}
	return false
}

func (m match) reason() Reason {
	switch m.diff.kind {
	case same:
		if m.open.Mark.Plate.Text != string(m.text) {
			return AsTyped
		}
		return SameText
	case lookalike:
		return OneLookalike
	case missing:
		return OneMissing
	case far:
		return TwoApart
	}
	return ReadersChoice
}

// rival reports whether the stay n could be meant though a has the exit's very text: the
// exit may have been misread; or both entries were, since no two vehicles have one plate.
// Where a's driver paid a moment ago, and n's did not, there is no doubt.
func rival(e Exit, a, n match) bool {
	if a.paid && !n.paid {
		return false
	}
	exit, entry := e.Mark.Plate, a.open.Mark.Plate
	if n.chosen || !a.said && unsureAnywhere(entry) {
		return true
	}
	switch n.diff.kind {
	case lookalike:
		return doubtAt(exit, n.diff) >= twinDoubt
	case missing:
		return doubtAt(exit, n.diff) >= doubtful
	case far:
		return unsureAnywhere(exit)
	}
	return false
}

// unsureAnywhere reports whether the reading may be wrong in some character.
func unsureAnywhere(p gatehouse.PlateRead) bool {
	if len(p.Chars) != len([]rune(p.Text)) {
		return 1-p.Confidence >= doubtful
	}
	return slices.ContainsFunc(p.Chars, func(c gatehouse.CharRead) bool { return 1-c.Confidence >= doubtful })
}

// doubt returns the larger of both gates' doubts in what differs.
func (m match) doubt(e Exit) float64 {
	if m.said { // drivers know their plates
		return doubtAt(e.Mark.Plate, m.diff)
	}
	return max(doubtAt(e.Mark.Plate, m.diff), doubtAt(m.open.Mark.Plate, m.diff))
}

// doubtAt returns how unsure a reading is of the character that differs, 0..1. Where one
// is missing, its neighbours are what there is to ask. A reading without confidences of
// its characters has that of the whole text.
func doubtAt(p gatehouse.PlateRead, d difference) float64 {
	if len(p.Chars) != len([]rune(p.Text)) || len(p.Chars) == 0 {
		return 1 - p.Confidence
	}
	if d.kind != missing {
		return 1 - p.Chars[min(d.at, len(p.Chars)-1)].Confidence
	}
	doubt := 0.0
	for i := max(0, d.at-1); i <= min(d.at+1, len(p.Chars)-1); i++ {
		doubt = max(doubt, 1-p.Chars[i].Confidence)
	}
	return doubt
}

// Near reports whether a plate that somebody typed may be what a reading is of: the same text,
// one that the pairing would correct, or one that the reader named.
func Near(p gatehouse.PlateRead, typed string) bool {
	switch differ([]rune(p.Text), []rune(typed)).kind {
	case same, lookalike, missing:
		return true
	case other:
		return names(p, typed)
	}
	return false
}

// names reports whether the reading has the text among its candidates.
func names(p gatehouse.PlateRead, text string) bool {
	return slices.ContainsFunc(p.Candidates, func(c gatehouse.PlateCandidate) bool { return c.Text == text && text != p.Text })
}

// one pairs with the only stay that could be meant. A text that had to be corrected does
// not outweigh another colour and shape; the very text does: pictures err more often.
func one(e Exit, m match, r Reason) Verdict {
	differs := looks(e.Mark, m.open.Mark) == unlike
	if differs && m.diff.kind != same {
		return Verdict{State: Ambiguous, Reason: LooksOther, Could: []gatehouse.ID{m.open.ID}}
	}
	return Verdict{State: Paired, Reason: r, Stay: m.open.ID, Corrected: e.Mark.Plate.Text != m.open.Mark.Plate.Text, Unlike: differs}
}

// between pairs where the looks single one of several out: it is alike, and every other
// one is not. Two characters apart is too far, however alike.
func between(e Exit, all []match) Verdict {
	var alikes []match
	could := make([]gatehouse.ID, len(all))
	clear := true
	for i, m := range all {
		could[i] = m.open.ID
		switch looks(e.Mark, m.open.Mark) {
		case alike:
			alikes = append(alikes, m)
		case unclear:
			clear = false
		}
	}
	if clear && len(alikes) == 1 && alikes[0].diff.kind != far {
		return Verdict{State: Paired, Reason: alikes[0].reason(), Stay: alikes[0].open.ID, Corrected: e.Mark.Plate.Text != alikes[0].open.Mark.Plate.Text}
	}
	return Verdict{State: Ambiguous, Reason: TwoStays, Could: could}
}

// byTicket pairs a ticket with the stay that it was given to.
func byTicket(e Exit, open []Open) Verdict {
	i := slices.IndexFunc(open, func(o Open) bool { return o.Mark.Ticket == e.Mark.Ticket && !o.Entered.After(e.At) })
	if i < 0 {
		return Verdict{State: Unpaired, Reason: UnknownTicket}
	}
	o := open[i]
	a, b := []rune(e.Mark.Plate.Text), []rune(o.Mark.Plate.Text)
	if d := differ(a, b); len(a) > 0 && len(b) > 0 && (d.kind == far || d.kind == other) || looks(e.Mark, o.Mark) == unlike {
		return Verdict{State: Ambiguous, Reason: TicketOfOther, Could: []gatehouse.ID{o.ID}}
	}
	return Verdict{State: Paired, Reason: ByTicket, Stay: o.ID, Corrected: string(a) != string(b) && len(a) > 0}
}

// wasAway reports whether a sighting without a stay is of this vehicle and lies between
// the entry and the exit: two visits, whose inner gates were missed, would be charged as
// one long stay. Here two differing characters are still near: it is to a driver's favour.
func wasAway(e Exit, open []Open, stay gatehouse.ID) bool {
	i := slices.IndexFunc(open, func(o Open) bool { return o.ID == stay })
	return slices.ContainsFunc(e.Lost, func(s Sighting) bool {
		if s.At.Before(open[i].Entered) || !s.At.Before(e.At) || looks(s.Mark, e.Mark) == unlike {
			return false
		}
		return nearly([]rune(s.Mark.Plate.Text), []rune(e.Mark.Plate.Text)) || nearly([]rune(s.Mark.Plate.Text), []rune(open[i].Mark.Plate.Text))
	})
}

// nearly reports whether two texts are the same but for two things that cameras do: two
// lookalikes, two characters more or less, or one of each.
func nearly(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) > 0 && len(b)-len(a) <= 2 && edits(a, b, 2)
}

// edits reports whether b becomes a by dropping what it has more, and by exchanging
// lookalikes, in at most n edits.
func edits(a, b []rune, n int) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	switch {
	case len(b)-len(a) > n:
		return false
	case len(b) == 0:
		return true
	case n == 0:
		return false
	}
	if len(b) > len(a) && edits(a, b[1:], n-1) {
		return true
	}
	return len(a) > 0 && confusable(a[0], b[0]) && edits(a[1:], b[1:], n-1)
}
