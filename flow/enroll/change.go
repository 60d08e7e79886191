package enroll

import (
	"context"

	"gatehouse"
)

// SetStatus suspends a subject or makes it active again. The badge changes first:
// from that moment the gates know. Errors: status.unknown, store.not_found.
func (e *Enroller) SetStatus(ctx context.Context, id gatehouse.SubjectID, to gatehouse.SubjectStatus) error {
	if to != gatehouse.Active && to != gatehouse.SuspendedStatus {
		return gatehouse.Errorf("status.unknown", "use active or suspended", "there is no such status")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	subject, err := e.Subjects.Subject(ctx, e.Place, id)
	if err != nil {
		return err
	}
	if b, ok := e.Working.Badge(id); ok {
		b.Status = to
		if err := e.Working.PutBadge(ctx, b); err != nil {
			return err
		}
	}
	return e.Subjects.SetStatus(ctx, e.Place, id, to, gatehouse.StatusLeaf(subject, to, e.Now()))
}

// WithdrawConsent ends a person's consent to one purpose. Without the one to face
// recognition at doors their face opens nothing from now on, and their templates are
// gone; card, PIN and QR code go on working. It may be called again after a crash.
// Errors: store.not_found, consent.none.
func (e *Enroller) WithdrawConsent(ctx context.Context, id gatehouse.SubjectID, purpose gatehouse.Purpose) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	given, err := e.Subjects.Consents(ctx, e.Place, id)
	if err != nil {
		return err
	}
	found, now := false, e.Now().UTC()
	for _, c := range given {
		if c.Purpose != purpose {
			continue
		}
		if found = true; purpose == gatehouse.FaceAtDoors {
			if err := e.forgetFace(ctx, id); err != nil {
				return err
			}
		}
		if !c.InForce(now) {
			continue // withdrawn before
		}
		c.Withdrawn = now
		if err := e.Subjects.PutConsent(ctx, c, gatehouse.ConsentLeaf(c, now)); err != nil {
			return err
		}
	}
	if !found {
		return gatehouse.Errorf("consent.none", "see `gatehouse people`", "this subject gave no such consent")
	}
	return nil
}

// forgetFace makes the gates forget what somebody looks like.
func (e *Enroller) forgetFace(ctx context.Context, id gatehouse.SubjectID) error {
	if b, ok := e.Working.Badge(id); ok && b.FaceConsent {
		b.FaceConsent = false
		if err := e.Working.PutBadge(ctx, b); err != nil {
			return err
		}
	}
	return e.Working.RemoveItems(ctx, id, gatehouse.TemplateItem)
}
