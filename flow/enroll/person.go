package enroll

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"
	"unicode"

	"gatehouse"
)

// Person asks for the enrolment of a person.
type Person struct {
	ID           gatehouse.SubjectID // zero: a fresh one
	Label        string              // what is printed on the badge; required
	Record       gatehouse.PersonRecord
	Photos       [][]byte // JPEG or PNG, each of this person alone; none for people who use a card only
	Grants       []gatehouse.Grant
	Consent      Agreement
	DistinctFrom gatehouse.SubjectID // a twin who is enrolled already
	Card, PIN    gatehouse.Secret
	QR           gatehouse.Secret
	ValidFrom    time.Time
	ValidUntil   time.Time
}

// Agreement is how the person agreed that their face opens doors.
type Agreement struct {
	Given     bool
	How       string           // "terminal" or "reference"
	Reference gatehouse.Secret // where the signed form lies
	Guardian  bool             // a guardian agreed: required under 14
}

// guardianAge is the age below which a guardian must agree (PIPL art. 31).
const guardianAge = 14

// Person enrols a person and returns the new opaque id. Errors (all before anything
// is written): enroll.label, enroll.consent, enroll.guardian, enroll.birth_date,
// enroll.no_face, enroll.two_faces, face.* (too small, blurred, dark, turned away),
// enroll.differ, enroll.duplicate, enroll.credential, enroll.pin, image.*.
func (e *Enroller) Person(ctx context.Context, r Person) (gatehouse.SubjectID, error) {
	var none gatehouse.SubjectID
	if err := e.checkPerson(r); err != nil {
		return none, err
	}
	faces, err := e.look(ctx, r.Photos)
	if err != nil {
		return none, err
	}
	// From here on nobody else enrols, so that what is free now is free at the write.
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.checkCredentials(r); err != nil {
		return none, err
	}
	twin, err := e.checkDistinct(faces, r.DistinctFrom)
	if err != nil {
		return none, err
	}

	now := e.Now().UTC()
	p := plan{At: now, Twin: twin, Subject: gatehouse.Subject{Place: e.Place, ID: idOr(r.ID), Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Enrolled: now}}
	id := p.Subject.ID
	if p.Subject.Record, err = e.sealPerson(ctx, id, r.Record); err != nil {
		return none, err
	}
	for _, photo := range r.Photos {
		ev, err := e.sealPhoto(ctx, id, photo)
		if err != nil {
			return none, err
		}
		p.Subject.Photos = append(p.Subject.Photos, ev)
	}
	if len(faces) > 0 {
		c := gatehouse.Consent{Place: e.Place, Subject: id, Purpose: gatehouse.FaceAtDoors, Given: now, How: r.Consent.How}
		where := gatehouse.SealContext{Place: e.Place, Table: "consents", Row: id, Field: string(c.Purpose)}
		if c.Reference, err = e.Sealer.Seal(ctx, id, gatehouse.RecordClass, where, []byte(r.Consent.Reference.Reveal()), gatehouse.PadField); err != nil {
			return none, err
		}
		p.Consents = append(p.Consents, c)
	}
	if p.Items, err = e.personItems(r, id, faces, twin); err != nil {
		return none, err
	}
	return id, e.carryOut(ctx, p)
}

// sealPerson seals a record with the name and the ID number apart.
func (e *Enroller) sealPerson(ctx context.Context, id gatehouse.SubjectID, r gatehouse.PersonRecord) ([]byte, error) {
	rest := r
	rest.Name, rest.NationalID = "", ""
	return e.sealRecord(ctx, id, r.Name, r.NationalID, rest)
}

func (e *Enroller) checkPerson(r Person) error {
	if err := checkLabel(r.Label); err != nil {
		return err
	}
	if err := checkValidity(r.ValidFrom, r.ValidUntil); err != nil {
		return err
	}
	if len(r.Photos) == 0 && r.Card == "" && r.PIN == "" && r.QR == "" {
		return gatehouse.Errorf("enroll.nothing", "give photos, --card-file, --pin-file or --qr-file", "there is nothing by which this person could pass")
	}
	if len(r.Photos) > 0 && !r.Consent.Given {
		return gatehouse.Errorf("enroll.consent", "ask the person, or give --consent-ref; people who do not agree get a card or PIN", "no template may exist without the person's consent")
	}
	if r.Record.BirthDate != "" {
		born, err := time.Parse(time.DateOnly, r.Record.BirthDate)
		if err != nil || born.After(e.Now()) {
			return gatehouse.Errorf("enroll.birth_date", "write it as YYYY-MM-DD", "the birth date is not a date of the past")
		}
		if len(r.Photos) > 0 && born.AddDate(guardianAge, 0, 0).After(e.Now()) && !r.Consent.Guardian {
			return gatehouse.Errorf("enroll.guardian", "have a guardian sign, and give --guardian with --consent-ref", "a person under %d needs a guardian's consent", guardianAge)
		}
	}
	if r.PIN != "" {
		if err := checkPIN(r.PIN.Reveal()); err != nil {
			return err
		}
	}
	for _, secret := range []gatehouse.Secret{r.Card, r.PIN, r.QR} {
		if len(secret) > maxCredential {
			return gatehouse.Errorf("enroll.credential", "check the file", "a card number, PIN or QR text has at most %d bytes", maxCredential)
		}
	}
	return nil
}

// maxCredential is the longest card number or QR text, in bytes: what a device may send.
const maxCredential = 512

// checkCredentials refuses what belongs to somebody else. The caller holds e.mu.
func (e *Enroller) checkCredentials(r Person) error {
	for kind, secret := range map[gatehouse.WorkingKind]gatehouse.Secret{gatehouse.CardItem: r.Card, gatehouse.PINItem: r.PIN, gatehouse.QRItem: r.QR} {
		if secret == "" {
			continue
		}
		if _, taken := e.Working.ByCredential(kind, secret); taken {
			return gatehouse.Errorf("enroll.credential", "use another one", "that %s belongs to somebody else", kind)
		}
	}
	return nil
}

// checkLabel bounds what pages and terminals show.
func checkLabel(label string) error {
	if n := len([]rune(label)); n == 0 || n > 60 || strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return gatehouse.Errorf("enroll.label", "give --label, for example the badge or pass number", "a label has 1 to 60 printable characters")
	}
	return nil
}

func checkValidity(from, until time.Time) error {
	if !from.IsZero() && !until.IsZero() && !from.Before(until) {
		return gatehouse.Errorf("enroll.validity", "exchange the two dates", "the validity ends before it begins")
	}
	return nil
}

// checkPIN refuses PINs that everybody tries first.
func checkPIN(pin string) error {
	bad := len(pin) < 6 || len(pin) > 12
	up, down, same := true, true, true
	for i, r := range pin {
		bad = bad || r < '0' || r > '9'
		if i > 0 {
			step := int(pin[i]) - int(pin[i-1])
			up, down, same = up && step == 1, down && step == -1, same && step == 0
		}
	}
	if bad || up || down || same {
		return gatehouse.Errorf("enroll.pin", "choose 6 to 12 digits, not in a row and not all the same", "that PIN is too easy")
	}
	return nil
}

func (e *Enroller) sealPhoto(ctx context.Context, id gatehouse.SubjectID, photo []byte) (gatehouse.Evidence, error) {
	blob := gatehouse.RandomID()
	where := gatehouse.SealContext{Place: e.Place, Table: "evidence", Row: blob, Field: string(gatehouse.CropEvidence)}
	sealed, err := e.Sealer.Seal(ctx, id, gatehouse.RecordClass, where, photo, gatehouse.PadImage)
	if err != nil {
		return gatehouse.Evidence{}, err
	}
	ev := gatehouse.Evidence{Blob: blob, Kind: gatehouse.CropEvidence, Digest: sha256.Sum256(sealed)}
	return ev, e.Blobs.PutBlob(ctx, blob, sealed)
}

// personItems seals what the gate must know of the person.
func (e *Enroller) personItems(r Person, id gatehouse.SubjectID, faces []gatehouse.FaceSeen, twin gatehouse.SubjectID) ([]gatehouse.WorkingItem, error) {
	badge := gatehouse.Badge{Subject: id, Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Label: r.Label, Grants: r.Grants,
		FaceConsent: len(faces) > 0, NeedSecondFactor: !twin.IsZero(), ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil}
	var items []gatehouse.WorkingItem
	var failed error
	add := func(item gatehouse.WorkingItem, err error) {
		items = append(items, item)
		if failed == nil {
			failed = err
		}
	}
	add(e.Working.BadgeItem(badge))
	for _, f := range faces {
		add(e.Working.TemplateItem(id, f.Template))
	}
	for kind, secret := range map[gatehouse.WorkingKind]gatehouse.Secret{gatehouse.CardItem: r.Card, gatehouse.PINItem: r.PIN, gatehouse.QRItem: r.QR} {
		if secret != "" {
			add(e.Working.CredentialItem(kind, id, secret))
		}
	}
	return items, failed
}
