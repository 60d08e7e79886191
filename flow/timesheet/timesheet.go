// Package timesheet is the verb of hours worked: punches follow from committed passages
// and from people's own word, plans and rules are kept with their versions, and hours are
// calculated from both whenever somebody asks. Nothing that is calculated is kept: so every
// change shows at once, for any past period, and what a closed period was paid with is
// calculated again from the version and the moment at which it was closed.
//
// All of it is metadata but for the reasons that people give, which are sealed; so hours
// are right while the vault is sealed.
package timesheet

import (
	"context"
	"sync"
	"time"

	"gatehouse"
)

// Ports are what hours need of the rest.
type Ports struct {
	Place    gatehouse.Place
	Location *time.Location
	Store    gatehouse.HoursStore
	Passages Passages
	Subjects Subjects
	Sealer   gatehouse.Sealer
	// Newest is the committed log's last position: what was before the first start is not
	// followed.
	Newest func(ctx context.Context) (uint64, error)
	// Gates are those at which a passage counts; Faces lets a face count there, of whoever
	// agreed to that.
	Gates map[gatehouse.GateID]bool
	Faces bool
	// WebClock lets people punch on their own page.
	WebClock bool
	// Calendar gives the public holidays of a place, CheckEarnings and CheckFigures say what is
	// wrong with a pay scheme and its figures; nil where there are none.
	Calendar      func(place string, first, last int) (gatehouse.WorkCalendar, error)
	CheckEarnings func([]gatehouse.Earning) error
	CheckFigures  func(map[string]gatehouse.Money) error
	// CheckRecipients refuses what is no age public key; nil where nothing is exported.
	CheckRecipients func([]string) error
	Now             func() time.Time
}

// Passages reads one passage: store.not_found where it has expired.
type Passages interface {
	Passage(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error)
}

// Subjects tells who is enrolled, and to what they agreed.
type Subjects interface {
	// Subject fails with store.not_found.
	Subject(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error)
	Consents(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) ([]gatehouse.Consent, error)
}

// Actor is who does something: an account, and the person that it belongs to, zero where
// nobody said. Roles are the account's at the site.
type Actor struct {
	Account gatehouse.AccountID
	Person  gatehouse.SubjectID
	Roles   []gatehouse.Role
}

// String names the account as audit leaves and histories do.
func (a Actor) String() string {
	if a.Account == gatehouse.SocketAccount {
		return "admin-socket"
	}
	return a.Account.String()
}

// Hours are a site's. All methods are safe for concurrent use.
type Hours struct {
	Ports
	writes sync.Mutex // one change after the other: from reading something to writing it

	mu   sync.RWMutex
	book *book

	lists lists

	following sync.Mutex
	cursor    uint64 // of the log; 0 before it was read
	unwritten int    // leaves behind the cursor that is kept
}

// Load reads the book of hours. Errors: hours.damaged, and the store's.
func Load(ctx context.Context, p Ports) (*Hours, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	h := &Hours{Ports: p}
	h.Store = noted{p.Store, h}
	return h, h.Reload(ctx)
}

// Reload reads the book again: somebody in it was erased.
func (h *Hours) Reload(ctx context.Context) error {
	h.writes.Lock()
	defer h.writes.Unlock()
	b, err := h.readBook(ctx, 0)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.book = b
	h.Forget()
	return nil
}

func (h *Hours) readBook(ctx context.Context, version uint64) (*book, error) {
	stored, err := h.Store.Hours(ctx, h.Place, version)
	if err != nil {
		return nil, err
	}
	b := newBook(stored.Version)
	for _, item := range stored.Items {
		if err := b.take(item); err != nil {
			return nil, err
		}
	}
	b.order()
	return b, nil
}

// today is the day at the site.
func (h *Hours) today() gatehouse.Date { return gatehouse.DateOf(h.Now().In(h.Location)) }

// Known fails with subject.unknown for whom nobody enrolled, so that an id of somewhere else
// is told from somebody without hours.
func (h *Hours) Known(ctx context.Context, who gatehouse.SubjectID) error {
	return h.enrolled(ctx, who)
}

// enrolled fails with subject.unknown for who is not, or is no person.
func (h *Hours) enrolled(ctx context.Context, who gatehouse.SubjectID) error {
	s, err := h.Subjects.Subject(ctx, h.Place, who)
	if gatehouse.ErrorCode(err) == "store.not_found" || err == nil && (s.Status == gatehouse.ErasedStatus || s.Kind != gatehouse.PersonSubject) {
		return gatehouse.Errorf("subject.unknown", "`gatehouse people` lists who is enrolled", "nobody is enrolled as that")
	}
	return err
}
