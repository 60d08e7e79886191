package fault_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// state is what is known of somebody from outside.
type state int

const (
	enrolling state = iota // begun and not acknowledged
	enrolled
	erasing // begun and not acknowledged
	gone    // erased
)

type entry struct {
	person
	state   state
	doc     *wire.Erasure         // the certificate, where one was handed out
	held    gatehouse.ID          // the hold, where one was acknowledged
	holding bool                  // a hold or its end was begun and not acknowledged
	pending bool                  // the erasure was begun, killed, and waits untouched
	touched bool                  // since the last check
	copies  []gatehouse.SealedRef // what was sealed for it and opened, as a thief may have kept it
}

// covered is what a backup that was acknowledged must hold: what was acknowledged
// before it began.
type covered struct {
	id       gatehouse.ID
	people   []person
	erased   []*entry
	passages int
}

// ledger is what the site said: the truth that the files are held against.
type ledger struct {
	people    map[string]*entry
	passages  []gatehouse.ID
	reasons   []string // of disclosures that were acknowledged
	checked   int      // reasons that were looked for
	secrets   map[string][]string
	vaultKey  string // that a rotation ended with
	rotating  bool   // another began since
	backups   []covered
	units     int // of the budget, as read last; -1 before
	unitsAt   time.Time
	leastLeft int

	begun   map[int]event
	began   map[int]covered // by the backup's number
	done    map[string]int
	refused map[string]int
	met     map[string]int // kills in the middle of the verb
	serial  int
}

func newLedger() *ledger {
	return &ledger{people: map[string]*entry{}, secrets: map[string][]string{}, units: -1, leastLeft: 1 << 62, begun: map[int]event{}, began: map[int]covered{},
		done: map[string]int{}, refused: map[string]int{}, met: map[string]int{}}
}

// mayRefuse are the answers that a verb may get while all goes well: then it has done
// nothing.
var mayRefuse = map[string][]string{
	"erase":             {"vault.held", "vault.erase_limit", "erase.again", "vault.sealed", "vault.forbidden"},
	"hold":              {"vault.sealed", "vault.forbidden", "hold.unfinished"},
	"lift":              {"vault.sealed", "vault.forbidden"},
	"search":            {"vault.sealed", "vault.forbidden", "vault.budget"},
	"enrol with a face": {"enroll.duplicate", "face.none", "face.poor"},
	"rotate gate key":   {"gatekey.leftover"}, // an erasure that waits for its turn
}

// unsure are the answers of a site whose vault process was killed: the verb may have
// been carried out.
var unsure = []string{"vault.unavailable", "vault.timeout", "vault.stream", "erase.unfinished", "enroll.unfinished"}

// hear takes one line of the site's. vaultKilled says that its vault process was killed
// in this round.
func (l *ledger) hear(t *testing.T, e event, round int, vaultKilled bool) {
	t.Helper()
	switch e.Phase {
	case "begun":
		l.begun[e.N] = e
		l.begin(e)
	case "done":
		delete(l.begun, e.N)
		l.done[e.Verb]++
		l.end(e, round)
	case "refused":
		switch {
		case slices.Contains(mayRefuse[e.Verb], e.Text):
			delete(l.begun, e.N)
			l.refused[e.Verb+": "+e.Text]++
			l.refuse(t, e)
		case vaultKilled && (slices.Contains(unsure, e.Text) || e.Verb == "search" || e.Verb == "rotate vault key" || e.Verb == "budget"):
			l.refused[e.Verb+": "+e.Text]++
			delete(l.begun, e.N)
		default:
			t.Errorf("%s was refused: %s (%s)", e.Verb, e.Text, e.Name)
		}
	case "failed":
		t.Errorf("%s failed: %s", e.Verb, e.Text)
	}
}

func (l *ledger) begin(e event) {
	switch e.Verb {
	case "enrol", "enrol with a face":
		l.people[e.Person.Label] = &entry{person: *e.Person, state: enrolling, touched: true}
		var n int
		if _, err := fmt.Sscanf(e.Person.Label, "B-%d", &n); err == nil {
			l.serial = max(l.serial, n)
		}
	case "erase":
		p := l.people[e.Person.Label]
		p.state, p.touched = erasing, true
	case "hold":
		l.people[e.Person.Label].holding = true
	case "lift":
		l.people[e.Name].holding = true
	case "secret":
		if len(l.secrets[e.Name]) == 0 {
			l.secrets[e.Name] = []string{""}
		}
		l.secrets[e.Name] = append(l.secrets[e.Name], e.Text)
	case "rotate vault key":
		l.rotating = true
	case "backup":
		c := covered{passages: len(l.passages)}
		for _, p := range l.people {
			switch p.state {
			case enrolled:
				c.people = append(c.people, p.person)
			case gone:
				c.erased = append(c.erased, p)
			}
		}
		l.began[e.N] = c
	}
}

func (l *ledger) end(e event, round int) {
	switch e.Verb {
	case "enrol", "enrol with a face":
		p := l.people[e.Person.Label]
		p.person, p.state = *e.Person, enrolled
		p.Since = round
	case "erase":
		p := l.people[e.Person.Label]
		p.state, p.doc, p.pending = gone, e.Erasure, false
	case "passage":
		l.passages = append(l.passages, e.ID)
	case "hold":
		p := l.people[e.Person.Label]
		p.held, p.holding = e.ID, false
	case "lift":
		p := l.people[e.Name]
		p.held, p.holding = gatehouse.ID{}, false
	case "secret":
		l.secrets[e.Name] = []string{e.Text}
	case "search":
		l.reasons = append(l.reasons, e.Text)
	case "rotate vault key":
		l.vaultKey, l.rotating = e.Text, false
	case "backup":
		c := l.began[e.N]
		c.id = e.ID
		l.backups = append(l.backups, c)
	case "budget":
		if e.Units >= 0 {
			l.units, l.unitsAt, l.leastLeft = e.Units, e.At, min(l.leastLeft, e.Units)
		}
	}
}

// refuse undoes what begin noted: the verb has done nothing.
func (l *ledger) refuse(t *testing.T, e event) {
	t.Helper()
	switch e.Verb {
	case "enrol with a face":
		delete(l.people, e.Person.Label)
	case "erase":
		p := l.people[e.Person.Label]
		if e.Text == "vault.held" && p.held.IsZero() && !p.holding {
			t.Errorf("%s cannot be erased for a hold that nobody made", p.Label)
		}
		if e.Text == "erase.again" {
			break // it stays erasing: the check finds out
		}
		if !p.pending {
			p.state = enrolled
		}
	case "hold":
		l.people[e.Person.Label].holding = e.Text == "hold.unfinished" // it is in force, and the check finds it
	case "lift":
		l.people[e.Name].holding = false
	}
}

// killed counts what a kill met, and begins a new round.
func (l *ledger) killed() {
	for _, e := range l.begun {
		l.met[e.Verb]++
	}
	clear(l.begun)
	clear(l.began)
}

func (l *ledger) in(s state) (all []*entry) {
	for _, p := range l.people {
		if p.state == s {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *entry) int { return strings.Compare(a.Label, b.Label) })
	return all
}

// table gives counts as lines for the log.
func table(counts map[string]int) string {
	var lines []string
	for k, n := range counts {
		lines = append(lines, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}
