package enroll

import (
	"context"
	"slices"
	"time"

	"gatehouse"
)

// alter changes somebody who is enrolled: make adds to the plan what becomes different.
// It fails with store.not_found for who is not there, and for a tombstone.
func (e *Enroller) alter(ctx context.Context, id gatehouse.SubjectID, make func(*plan, gatehouse.Badge) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	subject, err := e.Subjects.Subject(ctx, e.Place, id)
	if err != nil {
		return err
	}
	badge, ok := e.Working.Badge(id)
	if !ok || subject.Status == gatehouse.ErasedStatus {
		return gatehouse.Errorf("store.not_found", "`gatehouse people` shows who is enrolled", "there is no such subject")
	}
	p := plan{Subject: subject, At: e.Now().UTC()}
	if err := make(&p, badge); err != nil {
		return err
	}
	return e.carryOut(ctx, p)
}

// putBadge adds a badge to the plan.
func (e *Enroller) putBadge(p *plan, b gatehouse.Badge) error {
	item, err := e.Working.BadgeItem(b)
	p.Items = append(p.Items, item)
	return err
}

// Access is what somebody is called at the gates, and where and when they may pass.
type Access struct {
	Label      string
	Grants     []gatehouse.Grant
	ValidFrom  time.Time
	ValidUntil time.Time
}

// SetAccess gives a subject another badge. Errors: enroll.label, enroll.validity,
// store.not_found.
func (e *Enroller) SetAccess(ctx context.Context, id gatehouse.SubjectID, a Access) error {
	if err := checkLabel(a.Label); err != nil {
		return err
	}
	if err := checkValidity(a.ValidFrom, a.ValidUntil); err != nil {
		return err
	}
	return e.alter(ctx, id, func(p *plan, b gatehouse.Badge) error {
		b.Label, b.Grants, b.ValidFrom, b.ValidUntil = a.Label, a.Grants, a.ValidFrom, a.ValidUntil
		return e.putBadge(p, b)
	})
}

// SetCredential gives a person another card, PIN or QR code in the place of the one they
// had; an empty secret takes it away. Errors: enroll.credential, enroll.pin, enroll.kind,
// store.not_found.
func (e *Enroller) SetCredential(ctx context.Context, id gatehouse.SubjectID, kind gatehouse.WorkingKind, secret gatehouse.Secret) error {
	if !slices.Contains([]gatehouse.WorkingKind{gatehouse.CardItem, gatehouse.PINItem, gatehouse.QRItem}, kind) {
		return gatehouse.Errorf("enroll.kind", "use card, pin or qr", "there is no such credential")
	}
	if err := checkCredential(kind, secret); err != nil {
		return err
	}
	return e.alter(ctx, id, func(p *plan, b gatehouse.Badge) error {
		if b.Kind != gatehouse.PersonSubject {
			return gatehouse.Errorf("enroll.kind", "change its plate", "a vehicle has no card, PIN or QR code")
		}
		p.Drop = []gatehouse.WorkingKind{kind}
		if secret == "" {
			return nil
		}
		if by, taken := e.Working.ByCredential(kind, secret); taken && by != id {
			return credentialTaken(kind)
		}
		item, err := e.Working.CredentialItem(kind, id, secret)
		p.Items = append(p.Items, item)
		return err
	})
}

// CorrectPerson seals another record of a person. nationalID is nil where it stays what it
// is, unopened. Errors: enroll.birth_date, enroll.kind, store.not_found.
func (e *Enroller) CorrectPerson(ctx context.Context, id gatehouse.SubjectID, r gatehouse.PersonRecord, nationalID *string) error {
	if _, err := e.checkBirth(r.BirthDate); err != nil {
		return err
	}
	return e.alter(ctx, id, func(p *plan, b gatehouse.Badge) error {
		if b.Kind != gatehouse.PersonSubject {
			return gatehouse.Errorf("enroll.kind", "correct the vehicle", "that is the record of a vehicle")
		}
		had, err := gatehouse.UnpackRecord(p.Subject.Record)
		if err != nil {
			return err
		}
		if r.NationalID = ""; nationalID != nil {
			r.NationalID = *nationalID
		}
		packed, err := e.sealPerson(ctx, id, r)
		if err != nil {
			return err
		}
		if nationalID == nil {
			sealed, err := gatehouse.UnpackRecord(packed)
			if err != nil {
				return err
			}
			sealed.NationalID = had.NationalID
			packed = sealed.Pack()
		}
		p.Subject.Record = packed
		return nil
	})
}

// CorrectVehicle seals another record of a vehicle; another plate is the one that opens
// lanes from then on. Errors: enroll.plate, enroll.duplicate, enroll.validity, enroll.kind,
// store.not_found.
func (e *Enroller) CorrectVehicle(ctx context.Context, id gatehouse.SubjectID, r gatehouse.VehicleRecord) error {
	plate, err := checkPlate(r.Plate)
	if err != nil {
		return err
	}
	return e.alter(ctx, id, func(p *plan, b gatehouse.Badge) error {
		if b.Kind != gatehouse.VehicleSubject {
			return gatehouse.Errorf("enroll.kind", "correct the person", "that is the record of a person")
		}
		if by, taken := e.Working.ByPlate(plate); taken && by != id {
			return plateTaken(by)
		}
		rest := r
		rest.Plate = ""
		if p.Subject.Record, err = e.sealRecord(ctx, id, plate, "", rest); err != nil {
			return err
		}
		item, err := e.Working.PlateItem(id, plate)
		p.Drop, p.Items = []gatehouse.WorkingKind{gatehouse.PlateItem}, []gatehouse.WorkingItem{item}
		return err
	})
}

// SetFace describes a person by other photos, in the place of those that there were. It
// needs a consent that is in force, or a, which is recorded then. Errors: enroll.consent,
// enroll.signed, enroll.faces_at_work, enroll.nothing, enroll.kind, store.not_found, and Person's about photos.
func (e *Enroller) SetFace(ctx context.Context, id gatehouse.SubjectID, photos [][]byte, a Agreement, distinct gatehouse.SubjectID) error {
	if len(photos) == 0 {
		return gatehouse.Errorf("enroll.nothing", "give photos", "there is no photo")
	}
	given, err := e.Subjects.Consents(ctx, e.Place, id)
	if err != nil {
		return err
	}
	if now := e.Now(); !a.Given && !slices.ContainsFunc(given, func(c gatehouse.Consent) bool { return c.Purpose == gatehouse.FaceAtDoors && c.InForce(now) }) {
		return noConsent()
	}
	if a.Given {
		if err := e.CheckAgreement(a); err != nil {
			return err
		}
	}
	faces, err := e.look(ctx, photos)
	if err != nil {
		return err
	}
	return e.alter(ctx, id, func(p *plan, b gatehouse.Badge) error {
		if b.Kind != gatehouse.PersonSubject {
			return gatehouse.Errorf("enroll.kind", "give a photo of nobody", "a vehicle has no face")
		}
		if p.Twin, err = e.checkDistinct(id, faces, distinct); err != nil {
			return err
		}
		for _, old := range p.Subject.Photos {
			p.Gone = append(p.Gone, old.Blob)
		}
		if p.Subject.Photos, err = e.sealPhotos(ctx, id, photos); err != nil {
			return err
		}
		if a.Given {
			if p.Consents, err = e.renewed(ctx, id, given, a, p.At); err != nil {
				return err
			}
		}
		b.FaceConsent, b.NeedSecondFactor = true, b.NeedSecondFactor || !p.Twin.IsZero()
		if err := e.putBadge(p, b); err != nil {
			return err
		}
		p.Drop = []gatehouse.WorkingKind{gatehouse.TemplateItem}
		for _, f := range faces {
			item, err := e.Working.TemplateItem(id, f.Template)
			if err != nil {
				return err
			}
			p.Items = append(p.Items, item)
		}
		return nil
	})
}

// renewed are the consents of an agreement that are not in force already.
func (e *Enroller) renewed(ctx context.Context, id gatehouse.SubjectID, had []gatehouse.Consent, a Agreement, now time.Time) ([]gatehouse.Consent, error) {
	all, err := e.consents(ctx, id, a, now)
	return slices.DeleteFunc(all, func(c gatehouse.Consent) bool {
		return slices.ContainsFunc(had, func(h gatehouse.Consent) bool { return h.Purpose == c.Purpose && h.InForce(now) })
	}), err
}
