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
	ID     gatehouse.SubjectID // zero: a fresh one
	Label  string              // what is printed on the badge; required
	Record gatehouse.PersonRecord
	Photos [][]byte // JPEG or PNG, each of this person alone; none for people who use a card only
	// Later says that photos, a card, PIN or QR code come another day.
	Later        bool
	Grants       []gatehouse.Grant
	Into         Membership
	Consent      Agreement
	DistinctFrom gatehouse.SubjectID // a twin who is enrolled already
	Card, PIN    gatehouse.Secret
	QR           gatehouse.Secret
	ValidFrom    time.Time
	ValidUntil   time.Time
}

// Agreement is how the person agreed that their face opens doors.
type Agreement struct {
	Given      bool
	Attendance bool             // that it counts as attendance, too: a purpose of its own
	How        string           // "terminal" or "reference"
	Reference  gatehouse.Secret // where the signed form lies
	Guardian   bool             // a guardian agreed: required below the age that Law says
	Notice     string           // language of the notice that they were shown, "en" or "zh"
	By         string           // the operator who recorded it
}

// consents are what an agreement records, with the reference sealed for each purpose.
func (e *Enroller) consents(ctx context.Context, id gatehouse.SubjectID, a Agreement, now time.Time) ([]gatehouse.Consent, error) {
	purposes := []gatehouse.Purpose{gatehouse.FaceAtDoors}
	if a.Attendance {
		purposes = append(purposes, gatehouse.FaceAtAttendance)
	}
	var out []gatehouse.Consent
	for _, purpose := range purposes {
		c := gatehouse.Consent{Place: e.Place, Subject: id, Purpose: purpose, Given: now, How: a.How, Notice: a.Notice, Guardian: a.Guardian, By: a.By}
		where := gatehouse.SealContext{Place: e.Place, Table: "consents", Row: id, Field: string(purpose)}
		var err error
		if c.Reference, err = e.Sealer.Seal(ctx, id, gatehouse.RecordClass, where, []byte(a.Reference.Reveal()), gatehouse.PadField); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Person enrols a person and returns the new opaque id. Errors (all before anything
// is written): enroll.label, enroll.consent, enroll.guardian, enroll.signed, enroll.faces_at_work, enroll.birth_date,
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
	twin, err := e.checkDistinct(gatehouse.SubjectID{}, faces, r.DistinctFrom)
	if err != nil {
		return none, err
	}

	now := e.Now().UTC()
	p := plan{At: now, Twin: twin, Into: r.Into, Subject: gatehouse.Subject{Place: e.Place, ID: idOr(r.ID), Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Enrolled: now}}
	id := p.Subject.ID
	if p.Subject.Record, err = e.sealPerson(ctx, id, r.Record); err != nil {
		return none, err
	}
	if p.Subject.Photos, err = e.sealPhotos(ctx, id, r.Photos); err != nil {
		return none, err
	}
	if len(faces) > 0 {
		if p.Consents, err = e.consents(ctx, id, r.Consent, now); err != nil {
			return none, err
		}
	}
	if p.Items, err = e.personItems(r, id, faces, twin); err != nil {
		return none, err
	}
	return id, e.carryOut(ctx, p)
}

// CheckPerson refuses what Person would refuse before it looks at the photos.
func (e *Enroller) CheckPerson(r Person) error {
	if err := e.checkPerson(r); err != nil {
		return err
	}
	return e.checkCredentials(r)
}

// Child reports whether somebody born on a day (YYYY-MM-DD) is too young to agree alone;
// false where that is not known.
func (e *Enroller) Child(born string) bool {
	child, _ := e.checkBirth(born)
	return child
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
	if len(r.Photos) == 0 && r.Card == "" && r.PIN == "" && r.QR == "" && !r.Later {
		return gatehouse.Errorf("enroll.nothing", "give photos, --card-file, --pin-file or --qr-file", "there is nothing by which this person could pass")
	}
	if len(r.Photos) > 0 && !r.Consent.Given {
		return noConsent()
	}
	child, err := e.checkBirth(r.Record.BirthDate)
	if err != nil {
		return err
	}
	if child && len(r.Photos) > 0 && !r.Consent.Guardian {
		return gatehouse.Errorf("enroll.guardian", "have a guardian sign, and give --guardian with --consent-ref", "a person under %d needs a guardian's consent", e.Law.GuardianAge)
	}
	if len(r.Photos) > 0 {
		if err := e.CheckAgreement(r.Consent); err != nil {
			return err
		}
	}
	for kind, secret := range map[gatehouse.WorkingKind]gatehouse.Secret{gatehouse.CardItem: r.Card, gatehouse.PINItem: r.PIN, gatehouse.QRItem: r.QR} {
		if err := checkCredential(kind, secret); err != nil {
			return err
		}
	}
	return nil
}

// CheckAgreement refuses what the site's law does not take for a consent. Errors:
// enroll.signed, enroll.faces_at_work.
func (e *Enroller) CheckAgreement(a Agreement) error {
	switch {
	case e.Law.Signed && (a.How != "reference" || a.Reference == ""):
		return gatehouse.Errorf("enroll.signed", "have them sign, and say where the form lies (--consent-ref)", "the site's law (%s) asks for a signed form", e.Law.Profile)
	case !e.Law.FacesAtWork && a.Attendance:
		return gatehouse.Errorf("enroll.faces_at_work", "leave it out: a badge, PIN or QR code counts", "under the site's law (%s) faces never count as attendance", e.Law.Profile)
	}
	return nil
}

func noConsent() error {
	return gatehouse.Errorf("enroll.consent", "ask the person, or give --consent-ref; people who do not agree get a card or PIN", "no template may exist without the person's consent")
}

// checkBirth refuses a birth date that is none, and says whether it is a child's, for whom
// a guardian agrees. Nothing is known of an empty one.
func (e *Enroller) checkBirth(date string) (child bool, err error) {
	if date == "" {
		return false, nil
	}
	born, err := time.Parse(time.DateOnly, date)
	if err != nil || born.After(e.Now()) || born.Year() < 1900 {
		return false, gatehouse.Errorf("enroll.birth_date", "write it as YYYY-MM-DD", "the birth date is not a date of the past")
	}
	return born.AddDate(e.Law.GuardianAge, 0, 0).After(e.Now()), nil
}

// checkCredential refuses what no device could send, and a PIN that anybody guesses. An
// empty one is none.
func checkCredential(kind gatehouse.WorkingKind, secret gatehouse.Secret) error {
	if len(secret) > maxCredential {
		return gatehouse.Errorf("enroll.credential", "check the file", "a card number, PIN or QR text has at most %d bytes", maxCredential)
	}
	if kind == gatehouse.PINItem && secret != "" {
		return checkPIN(secret.Reveal())
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
			return credentialTaken(kind)
		}
	}
	return nil
}

func credentialTaken(kind gatehouse.WorkingKind) error {
	return gatehouse.Errorf("enroll.credential", "use another one", "that %s belongs to somebody else", kind)
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

func (e *Enroller) sealPhotos(ctx context.Context, id gatehouse.SubjectID, photos [][]byte) (sealed []gatehouse.Evidence, err error) {
	for _, photo := range photos {
		ev, err := e.sealPhoto(ctx, id, photo)
		if err != nil {
			return nil, err
		}
		sealed = append(sealed, ev)
	}
	return sealed, nil
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
