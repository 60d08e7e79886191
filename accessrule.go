package gatehouse

import (
	"context"
	"crypto/sha256"
	"strconv"
	"time"
)

// GroupID and RuleID are names that an operator chose, as CheckName has them.
type (
	GroupID string
	RuleID  string
)

// MaxTitle is how many characters a group's or holiday's title has at most.
const MaxTitle = 80

// Group is people and vehicles that the same rules count for: "night-cleaning". Who is
// in it is metadata, by opaque ids.
type Group struct {
	ID       GroupID
	Title    string // for people; nobody's name
	Revision uint64 // the rule book's version that it was last changed in
}

// AccessRule allows a group at gates within a schedule.
type AccessRule struct {
	ID    RuleID
	Group GroupID
	// Gates are where it counts; "*" stands for every gate of the kind that fits the
	// subject, also one that is set up later.
	Gates    []GateID
	Schedule string // "always" for any time
	// From is the first day on which it counts, Until the last; "" for no bound.
	From, Until Date
	Revision    uint64
}

// RuleKind tells the parts of a rule book apart.
type RuleKind string

// The parts. A member is no part of its own: it belongs to its group.
const (
	GroupKind    RuleKind = "group"
	AccessKind   RuleKind = "rule"
	ScheduleKind RuleKind = "schedule"
	HolidayKind  RuleKind = "holiday"
)

// RuleEvent is what a change did.
type RuleEvent string

// The events.
const (
	RulePut        RuleEvent = "put" // made, or replaced
	RuleRemoved    RuleEvent = "removed"
	MembersAdded   RuleEvent = "members-added"
	MembersRemoved RuleEvent = "members-removed"
)

// RuleItem is one part of a rule book as it is stored.
type RuleItem struct {
	Kind     RuleKind
	ID       string
	Revision uint64 // the version that put it
	Body     []byte // flow/rulebook's encoding; metadata, never personal
}

// RuleChange is one change of a rule book.
type RuleChange struct {
	Place
	// Version is the one that the change makes: one more than that before it.
	Version uint64
	At      time.Time
	By      string // an account's id, or "admin-socket"
	Event   RuleEvent
	Kind    RuleKind
	ID      string
	Body    []byte      // of RulePut
	Members []SubjectID // of MembersAdded and MembersRemoved, of the group ID
	Leaf    []byte      // RuleLeaf
}

// StoredRules are a site's whole rule book at one version.
type StoredRules struct {
	Version uint64 // 0: nothing was ever changed
	Items   []RuleItem
	Members map[GroupID][]SubjectID // by id, ascending
}

// RuleStore keeps a site's groups, rules, schedules and holidays.
type RuleStore interface {
	// Rules reads all of it at one moment.
	Rules(ctx context.Context, place Place) (StoredRules, error)
	// ChangeRules carries out a change, with its leaf, in one transaction, and keeps it
	// for RuleChanges. A member that is there is not added twice; a group that is removed
	// loses its members. It MUST fail without writing: rules.changed where Version does
	// not follow the one at the place, store.not_found where a member is not enrolled or
	// the group is not there.
	ChangeRules(ctx context.Context, c RuleChange) error
	// RuleChanges are the changes with a version below before (0: all), the newest first,
	// without their leaves; limit is 1 to 1000. Who was erased stands there under an id
	// that is nobody's.
	RuleChanges(ctx context.Context, place Place, before uint64, limit int) ([]RuleChange, error)
}

// RuleLeaf commits to a change of a rule book: to what was put, and to members by their
// sealed records, as StatusLeaf does: erasing somebody replaces their id.
func RuleLeaf(c RuleChange, records ...[]byte) []byte {
	parts := [][]byte{[]byte(c.Event), []byte(c.Org), []byte(c.Site), []byte(c.By), []byte(strconv.FormatUint(c.Version, 10)), []byte(c.Kind), []byte(c.ID), nil}
	if c.Event == RulePut {
		d := sha256.Sum256(c.Body)
		parts[len(parts)-1] = d[:]
	}
	for _, r := range records {
		parts = append(parts, digest(r))
	}
	return leaf(RuleLeafKind, c.At, parts...)
}
