// Package enroll takes people and vehicles in: the pictures are looked at, the
// record is sealed, the working set learns what the gate must know. The verb spans
// three files, so it writes an intent first and finishes what it began after a crash.
package enroll

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/rules/privacy"
)

// Law is what the site's law asks of consents.
type Law = privacy.Law

// Ports are what enrolling needs of the rest.
type Ports struct {
	Place gatehouse.Place
	// Law has as its zero value that of no profile.
	Law       Law
	Eyes      gatehouse.Eyes
	Gallery   gatehouse.Gallery
	Threshold func(galleryN int) float32
	// Fault says why a face is too poor to enrol: a code and a sentence, both empty
	// for a good one.
	Fault    func(gatehouse.FaceQuality) (code, sentence string)
	Sealer   gatehouse.Sealer
	Keep     gatehouse.WorkingSealer // seals the intents
	Subjects gatehouse.SubjectStore
	Blobs    gatehouse.BlobStore
	Working  Working
	// Join puts a subject into a group, in the name of by; one that is in it stays. Errors:
	// rules.unknown. nil: nobody is put into groups.
	Join func(ctx context.Context, by string, group gatehouse.GroupID, id gatehouse.SubjectID) error
	Now  func() time.Time
}

// Membership is which groups a newcomer is put into, and in whose name.
type Membership struct {
	By     string
	Groups []gatehouse.GroupID
}

// Working is the working set, as far as enrolling writes it.
type Working interface {
	BadgeItem(gatehouse.Badge) (gatehouse.WorkingItem, error)
	TemplateItem(gatehouse.SubjectID, []float32) (gatehouse.WorkingItem, error)
	PlateItem(gatehouse.SubjectID, string) (gatehouse.WorkingItem, error)
	CredentialItem(gatehouse.WorkingKind, gatehouse.SubjectID, gatehouse.Secret) (gatehouse.WorkingItem, error)
	Put(ctx context.Context, items []gatehouse.WorkingItem) error
	PutBadge(ctx context.Context, b gatehouse.Badge) error
	// RemoveItems forgets a subject's items of the kinds, on disk and in memory.
	RemoveItems(ctx context.Context, id gatehouse.SubjectID, kinds ...gatehouse.WorkingKind) error
	Badge(gatehouse.SubjectID) (gatehouse.Badge, bool)
	ByPlate(string) (gatehouse.SubjectID, bool)
	ByCredential(gatehouse.WorkingKind, gatehouse.Secret) (gatehouse.SubjectID, bool)
}

// Enroller enrols one site's subjects. Its methods are safe for concurrent use.
type Enroller struct {
	Ports
	mu sync.Mutex // from a check (is this card taken?) to the write that relies on it
}

// New returns an enroller over its ports.
func New(p Ports) *Enroller {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Law == (Law{}) {
		p.Law, _ = privacy.LawOf("", 0)
	}
	return &Enroller{Ports: p}
}

// plan is everything that one enrolment writes, sealed already. It is the body of
// its intent, so that carrying it out twice changes nothing.
type plan struct {
	Subject  gatehouse.Subject
	Consents []gatehouse.Consent
	Drop     []gatehouse.WorkingKind // of the subject, before the items are put
	Items    []gatehouse.WorkingItem
	Gone     []gatehouse.BlobID  // sealed photos that nothing refers to any more
	Twin     gatehouse.SubjectID // who needs a second factor from now on, too; zero for nobody
	Into     Membership
	At       time.Time
}

// intentContext is where an intent's sealed body belongs.
func intentContext(place gatehouse.Place, id gatehouse.ID) gatehouse.SealContext {
	return gatehouse.SealContext{Place: place, Table: "intents", Row: id, Field: "enrol"}
}

// carryOut writes the intent, does the work and finishes the intent. Once the
// intent is durable the enrolment will happen, whatever comes between.
func (e *Enroller) carryOut(ctx context.Context, p plan) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	id := gatehouse.NewID(e.Now())
	sealed, err := e.Keep.SealWorking(intentContext(e.Place, id), body)
	if err != nil {
		return err
	}
	if err := e.Subjects.BeginIntent(ctx, gatehouse.Intent{ID: id, Verb: "enrol", Body: sealed}); err != nil {
		return err
	}
	if err := e.finish(context.WithoutCancel(ctx), id, p); err != nil {
		return gatehouse.Errorf("enroll.unfinished", "do not enrol again: the server finishes it at its next start", "what was begun for %s could not be finished yet: %w", p.Subject.ID, err)
	}
	return nil
}

func (e *Enroller) finish(ctx context.Context, intent gatehouse.ID, p plan) error {
	if err := e.Subjects.PutSubject(ctx, gatehouse.SubjectCommit{Subject: p.Subject, Leaf: gatehouse.SubjectLeaf(p.Subject, p.At)}); err != nil {
		return err
	}
	// A subject's leaf stands for an active one.
	if s := p.Subject; s.Status != gatehouse.Active {
		if err := e.Subjects.SetStatus(ctx, e.Place, s.ID, s.Status, gatehouse.StatusLeaf(s, s.Status, p.At)); err != nil {
			return err
		}
	}
	// Each with a leaf of its own, and before the templates that need it.
	for _, c := range p.Consents {
		if err := e.Subjects.PutConsent(ctx, c, gatehouse.ConsentLeaf(c, c.Given)); err != nil {
			return err
		}
	}
	if len(p.Drop) > 0 {
		if err := e.Working.RemoveItems(ctx, p.Subject.ID, p.Drop...); err != nil {
			return err
		}
	}
	if err := e.Working.Put(ctx, p.Items); err != nil {
		return err
	}
	for _, blob := range p.Gone {
		if err := e.Blobs.DeleteBlob(ctx, blob); err != nil && gatehouse.ErrorCode(err) != "store.not_found" {
			return err
		}
	}
	// The twin's badge as it is now: it may have changed since the intent was written.
	if b, ok := e.Working.Badge(p.Twin); ok && !b.NeedSecondFactor {
		b.NeedSecondFactor = true
		if err := e.Working.PutBadge(ctx, b); err != nil {
			return err
		}
	}
	for _, group := range p.Into.Groups {
		// One that was removed since the check is no reason to be enrolled half.
		if err := e.Join(ctx, p.Into.By, group, p.Subject.ID); err != nil && gatehouse.ErrorCode(err) != "rules.unknown" {
			return err
		}
	}
	return e.Subjects.FinishIntent(ctx, intent)
}

// Resume finishes what a crash interrupted. It returns how many enrolments it
// completed.
func (e *Enroller) Resume(ctx context.Context) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.resume(ctx)
}

func (e *Enroller) resume(ctx context.Context) (int, error) {
	intents, err := e.Subjects.Intents(ctx)
	if err != nil {
		return 0, err
	}
	done := 0
	for _, i := range intents {
		if i.Verb != "enrol" {
			continue
		}
		body, err := e.Keep.OpenWorking(intentContext(e.Place, i.ID), i.Body)
		if err != nil {
			return done, err
		}
		var p plan
		if err := json.Unmarshal(body, &p); err != nil {
			return done, gatehouse.Errorf("enroll.intent", "it was written by another version", "an interrupted enrolment cannot be read: %w", err)
		}
		if err := e.finish(ctx, i.ID, p); err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}

// idOr returns the id that was chosen beforehand, or a fresh one.
func idOr(chosen gatehouse.SubjectID) gatehouse.SubjectID {
	if chosen.IsZero() {
		return gatehouse.RandomID()
	}
	return chosen
}

// sealRecord seals the parts of a person's or vehicle's record under its own chain.
func (e *Enroller) sealRecord(ctx context.Context, id gatehouse.SubjectID, name, nationalID string, rest any) ([]byte, error) {
	plain, err := json.Marshal(rest)
	if err != nil {
		return nil, err
	}
	var r gatehouse.SealedRecord
	for _, part := range []struct {
		field string
		plain []byte
		pad   gatehouse.Padding
		into  *[]byte
	}{
		{"name", []byte(name), gatehouse.PadField, &r.Name},
		{"national_id", []byte(nationalID), gatehouse.PadField, &r.NationalID},
		{"record", plain, gatehouse.PadRecord, &r.Rest},
	} {
		if len(part.plain) == 0 {
			continue
		}
		where := gatehouse.SealContext{Place: e.Place, Table: "subjects", Row: id, Field: part.field}
		if *part.into, err = e.Sealer.Seal(ctx, id, gatehouse.RecordClass, where, part.plain, part.pad); err != nil {
			return nil, err
		}
	}
	return r.Pack(), nil
}

// Alone runs f while no enrolment is under way, and with what a crash interrupted
// finished before: between the making of a template's item and its storing, the
// gallery's seed must not change.
func (e *Enroller) Alone(ctx context.Context, f func(context.Context) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.resume(ctx); err != nil {
		return err
	}
	return f(ctx)
}
