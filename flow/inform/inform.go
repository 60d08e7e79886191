// Package inform tells a person what is held about them (GDPR 15 and 20, PIPL 45): the
// record, photos, consents, passages, hours, pay, requests, and who looked at any of it. All
// of it is one disclosure (of 200 values), which the log has before anything is opened.
package inform

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// Ports are what this needs of the rest.
type Ports struct {
	Place    gatehouse.Place
	Subjects Subjects
	Passages Passages
	Privacy  gatehouse.PrivacyStore
	Hours    Hours // nil: none are kept
	Pay      Pay   // nil: none is kept
	Blobs    Blobs
	Badges   Badges
	Log      Log
	Parking  Parking // nil: the site has no car park
	// Open opens sealed values for whoever asks, with a reason.
	Open func(ctx context.Context, reason string, refs []gatehouse.SealedRef) ([][]byte, error)
	Now  func() time.Time
}

// Parking finds what car parks and their books hold of somebody.
type Parking interface {
	HeldOf(ctx context.Context, id gatehouse.SubjectID) (gatehouse.HeldParking, error)
}

// Subjects finds what is stored of who is enrolled.
type Subjects interface {
	Subject(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error)
	Consents(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) ([]gatehouse.Consent, error)
}

// Passages finds a subject's passages.
type Passages interface {
	SubjectPassages(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID, since time.Time, f func(passage gatehouse.ID, pictures []gatehouse.BlobID) error) error
	Passage(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error)
}

// Blobs finds the sealed photos.
type Blobs interface {
	Blob(ctx context.Context, id gatehouse.BlobID) ([]byte, error)
}

// Badges has what the gates know.
type Badges interface {
	Badge(gatehouse.SubjectID) (gatehouse.Badge, bool)
}

// Log is the disclosure log, the newest first.
type Log interface {
	Disclosures(ctx context.Context, before gatehouse.ID, limit int) ([]gatehouse.Disclosure, error)
}

// Held is what is held about one person or vehicle. Its JSON is what they get as a file.
// All of it is personal.
type Held struct {
	At       time.Time               `json:"at"`
	Org      gatehouse.OrgID         `json:"organization"`
	Site     gatehouse.SiteID        `json:"site"`
	Subject  gatehouse.SubjectID     `json:"subject"`
	Kind     gatehouse.SubjectKind   `json:"kind"`
	Status   gatehouse.SubjectStatus `json:"status"`
	Enrolled time.Time               `json:"enrolled"`
	Label    string                  `json:"badge_label,omitempty"`
	Grants   []gatehouse.Grant       `json:"grants,omitempty"`
	From     time.Time               `json:"valid_from,omitzero"`
	Until    time.Time               `json:"valid_until,omitzero"`

	Name        string          `json:"name,omitempty"` // of a vehicle the plate
	NationalID  string          `json:"national_id,omitempty"`
	Record      json.RawMessage `json:"record,omitempty"` // a PersonRecord or VehicleRecord, without those two
	Photos      [][]byte        `json:"photos,omitempty"` // JPEG
	Consents    []Consent       `json:"consents,omitempty"`
	Requests    []Request       `json:"requests,omitempty"`
	Passages    []Passage       `json:"passages,omitempty"` // the newest first
	More        bool            `json:"more_passages,omitempty"`
	Punches     []Punch         `json:"punches,omitempty"` // the newest first, as all that follow
	MorePunches bool            `json:"more_punches,omitempty"`
	Corrections []Correction    `json:"corrections,omitempty"`
	Leave       []Leave         `json:"leave,omitempty"`
	PaidBy      []PaidBy        `json:"pay_terms,omitempty"`
	Payslips    []Payslip       `json:"payslips,omitempty"`

	Stays     []Stay          `json:"parking_stays,omitempty"` // the newest first
	MoreStays bool            `json:"more_parking_stays,omitempty"`
	Payments  []Payment       `json:"parking_payments,omitempty"`
	Rights    []Right         `json:"parking_rights,omitempty"` // passes, reservations, orders, accounts, the list of the denied
	Buyer     json.RawMessage `json:"invoice_buyer,omitempty"`  // an InvoiceBuyer

	Looked []Look `json:"disclosures,omitempty"` // the newest first
	Gone   int    `json:"not_readable,omitempty"`
}

// Consent is one that was given.
type Consent struct {
	Purpose   gatehouse.Purpose `json:"purpose"`
	Given     time.Time         `json:"given"`
	Withdrawn time.Time         `json:"withdrawn,omitzero"`
	How       string            `json:"how"`
	Reference string            `json:"reference,omitempty"` // where the signed form lies
}

// Request is one of the person's own.
type Request struct {
	Kind    gatehouse.RequestKind    `json:"kind"`
	Opened  time.Time                `json:"opened"`
	Done    time.Time                `json:"done,omitzero"`
	Outcome gatehouse.RequestOutcome `json:"outcome,omitempty"`
	Note    string                   `json:"note,omitempty"`
	Answer  string                   `json:"answer,omitempty"`
	Email   string                   `json:"email,omitempty"` // where letters about it went
}

// Passage is the facts of one.
type Passage struct {
	At        time.Time             `json:"at"`
	Gate      gatehouse.GateID      `json:"gate"`
	Direction gatehouse.Direction   `json:"direction"`
	By        gatehouse.ReadingKind `json:"by"`
	Granted   bool                  `json:"granted"`
	Reason    gatehouse.Reason      `json:"reason"`
	Pictures  int                   `json:"pictures"`
}

// Stay is one stay in a car park: the facts, and how a reading of the plate was corrected.
type Stay struct {
	CarPark   string               `json:"car_park"`
	Entered   time.Time            `json:"entered"`
	Left      time.Time            `json:"left,omitzero"`
	State     gatehouse.StayState  `json:"state"`
	Charged   string               `json:"charged,omitempty"`
	Corrected *gatehouse.Corrected `json:"corrected,omitempty"`
}

// Payment is money that was paid for stays or passes, or went back (negative).
type Payment struct {
	At     time.Time `json:"at"`
	Amount string    `json:"amount"`
	By     string    `json:"by"` // the way: stripe, cash, prepaid
}

// Right is a pass or the like.
type Right struct {
	Kind  gatehouse.ParkingItemKind `json:"kind"`
	Name  string                    `json:"name,omitempty"`
	What  string                    `json:"what,omitempty"`
	From  time.Time                 `json:"from,omitzero"`
	Until time.Time                 `json:"until,omitzero"`
	Holds string                    `json:"amount,omitempty"`
}

// Look is one disclosure of something of theirs. Who looked stands there by role: the
// log has the operator, for whoever has to ask them.
type Look struct {
	At      time.Time `json:"at"`
	Role    string    `json:"role,omitempty"`
	Purpose string    `json:"purpose"`
	Items   int       `json:"items"`
	What    []string  `json:"what,omitempty"` // of LookedAt, in its order
}

// LookedAt are the kinds of data that a look can be of.
var LookedAt = []string{"name", "national_id", "record", "hours", "terms", "payslip", "reason", "passage", "picture", "other"}

// kindOf says of what kind an item of the disclosure log is: its table and field.
func kindOf(item string) string {
	parts := strings.Split(item, "/")
	field := parts[len(parts)-1]
	switch table := parts[0]; {
	case table == "subjects" && slices.Contains(LookedAt[:4], field):
		return field
	case table == gatehouse.PayTermsTable:
		return "terms"
	case table == gatehouse.PayslipTable:
		return "payslip"
	case field == "reason":
		return "reason"
	case table == "passages":
		return "passage"
	case table == "evidence" || field == "picture" || field == "photo":
		return "picture"
	}
	return "other"
}

// Bounds of one answer.
const (
	maxPassages = 20_000
	maxEntries  = 50_000 // of the disclosure log
	logPage     = 200
	oldest      = 10 * 366 * 24 * time.Hour // retention keeps nothing longer
)

// Gather collects what is held. Errors: subject.unknown, vault.reason, vault.sealed,
// vault.budget, vault.canary, the store's.
func Gather(ctx context.Context, p Ports, id gatehouse.SubjectID, reason string) (Held, error) {
	now := time.Now()
	if p.Now != nil {
		now = p.Now()
	}
	h := Held{At: now.UTC().Truncate(time.Second), Org: p.Place.Org, Site: p.Place.Site, Subject: id}
	s, err := p.Subjects.Subject(ctx, p.Place, id)
	if gatehouse.ErrorCode(err) == "store.not_found" || err == nil && s.Status == gatehouse.ErasedStatus {
		return h, gatehouse.Errorf("subject.unknown", "of who is not enrolled nothing is held that could be found by an id", "nobody is enrolled as that")
	}
	if err != nil {
		return h, err
	}
	h.Kind, h.Status, h.Enrolled = s.Kind, s.Status, s.Enrolled
	if b, ok := p.Badges.Badge(id); ok {
		h.Label, h.Grants, h.From, h.Until = b.Label, b.Grants, b.ValidFrom, b.ValidUntil
	}
	worked, err := h.open(ctx, p, s, reason, now)
	if err != nil {
		return h, err
	}
	about, err := h.passages(ctx, p, now)
	if err != nil {
		return h, err
	}
	for _, id := range worked {
		about[id.String()] = true
	}
	return h, h.looked(ctx, p, about, time.Time{})
}

// openedAtOnce is how many values one disclosure has.
const openedAtOnce = 200

// open fills in what is sealed, and hours and pay, whose ids it returns.
func (h *Held) open(ctx context.Context, p Ports, s gatehouse.Subject, reason string, now time.Time) ([]gatehouse.ID, error) {
	parts, err := gatehouse.UnpackRecord(s.Record)
	if err != nil {
		return nil, err
	}
	consents, err := p.Subjects.Consents(ctx, p.Place, s.ID)
	if err != nil {
		return nil, err
	}
	requests, err := h.requests(ctx, p)
	if err != nil {
		return nil, err
	}
	var refs []gatehouse.SealedRef
	var into []func([]byte)
	want := func(where gatehouse.SealContext, sealed []byte, f func([]byte)) {
		if len(sealed) > 0 {
			refs, into = append(refs, gatehouse.SealedRef{Where: where, Sealed: sealed}), append(into, f)
		}
	}
	at := func(table string, row gatehouse.ID, field string) gatehouse.SealContext {
		return gatehouse.SealContext{Place: p.Place, Table: table, Row: row, Field: field}
	}
	want(at("subjects", s.ID, "name"), parts.Name, func(b []byte) { h.Name = string(b) })
	want(at("subjects", s.ID, "national_id"), parts.NationalID, func(b []byte) { h.NationalID = string(b) })
	want(at("subjects", s.ID, "record"), parts.Rest, func(b []byte) { h.Record = slices.Clone(b) })
	for _, photo := range s.Photos {
		sealed, err := p.Blobs.Blob(ctx, photo.Blob)
		if err != nil {
			h.Gone++
			continue
		}
		want(at("evidence", photo.Blob, string(photo.Kind)), sealed, func(b []byte) { h.Photos = append(h.Photos, b) })
	}
	h.Consents = make([]Consent, len(consents))
	for i, c := range consents {
		h.Consents[i] = Consent{Purpose: c.Purpose, Given: c.Given, Withdrawn: c.Withdrawn, How: c.How}
		want(at("consents", s.ID, string(c.Purpose)), c.Reference, func(b []byte) { h.Consents[i].Reference = string(b) })
	}
	h.Requests = make([]Request, len(requests))
	for i, r := range requests {
		h.Requests[i] = Request{Kind: r.Kind, Opened: r.Opened, Done: r.Done, Outcome: r.Outcome}
		want(gatehouse.RequestContext(p.Place, r.ID, "note"), r.Note, func(b []byte) { h.Requests[i].Note = string(b) })
		want(gatehouse.RequestContext(p.Place, r.ID, "answer"), r.Answer, func(b []byte) { h.Requests[i].Answer = string(b) })
		want(gatehouse.RequestContext(p.Place, r.ID, "contact"), r.Contact, func(b []byte) {
			var c gatehouse.RequestContact
			if json.Unmarshal(b, &c) == nil {
				h.Requests[i].Email = c.Email
			}
		})
	}
	if err := h.parking(ctx, p, want); err != nil {
		return nil, err
	}
	worked, err := h.worked(ctx, p, now, want)
	if err != nil {
		return nil, err
	}
	for len(refs) > 0 {
		n := min(len(refs), openedAtOnce)
		plain, err := p.Open(ctx, reason, refs[:n])
		if err != nil {
			return nil, err
		}
		for i, b := range plain {
			if b == nil {
				h.Gone++
				continue
			}
			into[i](b)
		}
		refs, into = refs[n:], into[n:]
	}
	return worked, nil
}

// requests are the subject's own, the newest first; at most as many as are opened at once.
func (h *Held) requests(ctx context.Context, p Ports) (own []gatehouse.Request, err error) {
	var before gatehouse.ID
	for {
		page, err := p.Privacy.Requests(ctx, p.Place, before, 500)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if before = r.ID; r.Subject == h.Subject && len(own) < 50 {
				own = append(own, r)
			}
		}
		if len(page) < 500 {
			return own, nil
		}
	}
}

// passages fills in their facts and returns the ids that disclosures name things by.
func (h *Held) passages(ctx context.Context, p Ports, now time.Time) (about map[string]bool, err error) {
	about = map[string]bool{h.Subject.String(): true}
	err = p.Passages.SubjectPassages(ctx, p.Place, h.Subject, now.Add(-oldest), func(id gatehouse.ID, pictures []gatehouse.BlobID) error {
		if len(h.Passages) >= maxPassages {
			h.More = true
			return nil
		}
		s, err := p.Passages.Passage(ctx, p.Place, id)
		if gatehouse.ErrorCode(err) == "store.not_found" { // its month was dropped meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		about[id.String()] = true
		for _, b := range pictures {
			about[b.String()] = true
		}
		h.Passages = append(h.Passages, Passage{At: s.Passage.At, Gate: s.Passage.Gate, Direction: s.Passage.Direction, By: s.Passage.Kind,
			Granted: s.Passage.Decision.Grant, Reason: s.Passage.Decision.Reason, Pictures: len(pictures)})
		return nil
	})
	slices.SortStableFunc(h.Passages, func(a, b Passage) int { return b.At.Compare(a.At) })
	return about, err
}

// looked fills in the disclosures since a moment that name something of the subject's.
func (h *Held) looked(ctx context.Context, p Ports, about map[string]bool, since time.Time) error {
	var before gatehouse.ID
	for read := 0; read < maxEntries; {
		page, err := p.Log.Disclosures(ctx, before, logPage)
		if err != nil {
			return err
		}
		for _, d := range page {
			if d.At.Before(since) {
				return nil
			}
			n, what := 0, map[string]bool{}
			for _, item := range d.Items {
				if parts := strings.Split(item, "/"); len(parts) > 1 && about[parts[1]] {
					n++
					what[kindOf(item)] = true
				}
			}
			if n > 0 {
				h.Looked = append(h.Looked, Look{At: d.At, Role: d.Role, Purpose: d.Purpose, Items: n, What: slices.DeleteFunc(slices.Clone(LookedAt), func(k string) bool { return !what[k] })})
			}
			before = d.ID
		}
		if read += len(page); len(page) < logPage {
			return nil
		}
	}
	return nil
}
