package console

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/enroll"
)

// The steps of an enrolment, in their order.
var (
	personSteps  = []string{"who", "consent", "photos", "cards", "access", "review"}
	vehicleSteps = []string{"who", "access", "review"}
	faceSteps    = []string{"consent", "photos", "review"}
)

func (d *draft) steps() []string {
	switch {
	case !d.Of.IsZero():
		return faceSteps
	case d.Kind == gatehouse.VehicleSubject:
		return vehicleSteps
	}
	return personSteps
}

// after is the step behind one.
func (d *draft) after(step string) string {
	steps := d.steps()
	return steps[min(len(steps)-1, slices.Index(steps, step)+1)]
}

func (d *draft) path(step string) string { return "/enrolments/" + d.id.String() + "/" + step }

// enrolRoutes are the steps, each with a form that is checked when it is sent.
func (c *Console) enrolRoutes() []auth.Route {
	enrol := auth.Needs(gatehouse.Enrol)
	var routes []auth.Route
	for step, save := range map[string]func(*http.Request, *draft) error{"who": c.saveWho, "consent": c.saveConsent, "cards": c.saveCards, "access": c.saveAccess} {
		routes = append(routes, auth.Route{Pattern: "POST /enrolments/{id}/" + step, Policy: enrol, Handler: c.withDraft(func(w http.ResponseWriter, r *http.Request, d *draft) { c.saveStep(w, r, d, step, save) })})
	}
	for _, step := range personSteps {
		routes = append(routes, auth.Route{Pattern: "GET /enrolments/{id}/" + step, Policy: enrol, Handler: c.withDraft(func(w http.ResponseWriter, r *http.Request, d *draft) { c.showStep(w, r, d, step, nil) })})
	}
	return append(routes,
		auth.Route{Pattern: "POST /enrolments/{id}/photos", Policy: enrol, Handler: c.withDraft(c.addPhotos)},
		auth.Route{Pattern: "GET /enrolments/{id}/photos/{n}", Policy: enrol, Handler: c.withDraft(c.draftPhoto)},
		auth.Route{Pattern: "POST /enrolments/{id}/photos/{n}/remove", Policy: enrol, Handler: c.withDraft(c.removePhoto)},
		auth.Route{Pattern: "POST /enrolments/{id}/twin", Policy: enrol, Handler: c.withDraft(c.declareTwin)},
		auth.Route{Pattern: "POST /enrolments/{id}/review", Policy: enrol, Handler: c.withDraft(c.carryOut)},
		auth.Route{Pattern: "POST /enrolments/{id}/discard", Policy: enrol, Handler: c.withDraft(c.discard)})
}

// withDraft finds the session's draft and keeps it for one request at a time.
func (c *Console) withDraft(f func(http.ResponseWriter, *http.Request, *draft)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := gatehouse.ParseID(r.PathValue("id"))
		if err != nil {
			c.fail(w, r, err)
			return
		}
		d := c.drafts.of(who(r).Session, id)
		if d == nil {
			c.fail(w, r, gatehouse.Errorf("enroll.draft", "", "this enrolment is not there any more"))
			return
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		f(w, r, d)
	}
}

func (c *Console) newPerson(w http.ResponseWriter, r *http.Request) {
	c.showStep(w, r, &draft{Kind: gatehouse.PersonSubject}, "who", nil)
}

func (c *Console) newVehicle(w http.ResponseWriter, r *http.Request) {
	c.showStep(w, r, &draft{Kind: gatehouse.VehicleSubject}, "who", nil)
}

func (c *Console) beginPerson(w http.ResponseWriter, r *http.Request) {
	c.begin(w, r, &draft{Kind: gatehouse.PersonSubject})
}

func (c *Console) beginVehicle(w http.ResponseWriter, r *http.Request) {
	c.begin(w, r, &draft{Kind: gatehouse.VehicleSubject})
}

// begin takes the first step of somebody new.
func (c *Console) begin(w http.ResponseWriter, r *http.Request, d *draft) {
	err := formIn(w, r, maxEnrolForm)
	if err == nil {
		err = c.saveWho(r, d)
	}
	if err == nil {
		err = c.drafts.begin(who(r).Session, d)
	}
	if err != nil {
		c.showStep(w, r, d, "who", err)
		return
	}
	http.Redirect(w, r, d.path(d.after("who")), http.StatusSeeOther)
}

// changeFace begins with other photos of somebody who is enrolled.
func (c *Console) changeFace(w http.ResponseWriter, r *http.Request) {
	b, s, err := c.subjectIn(r)
	if err == nil && b.Kind != gatehouse.PersonSubject {
		err = gatehouse.Errorf("store.not_found", "", "a vehicle has no face")
	}
	d := &draft{Kind: gatehouse.PersonSubject, Of: b.Subject, Label: b.Label}
	first := "consent"
	if err == nil {
		var held bool
		if held, err = c.agreed(r.Context(), s.ID); held { // they were asked before
			first, d.Consent = "photos", agreed{Asked: true, Doors: true, Held: true}
		}
	}
	if err == nil {
		err = c.drafts.begin(who(r).Session, d)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, d.path(first), http.StatusSeeOther)
}

// agreed reports whether somebody's consent to faces at doors is in force.
func (c *Console) agreed(ctx context.Context, id gatehouse.SubjectID) (bool, error) {
	all, err := c.o.Registry.Store.Consents(ctx, c.o.Place, id)
	now := c.o.Now()
	return slices.ContainsFunc(all, func(x gatehouse.Consent) bool { return x.Purpose == gatehouse.FaceAtDoors && x.InForce(now) }), err
}

// maxEnrolForm bounds the form of a step, in bytes.
const maxEnrolForm = 64 << 10

// saveStep takes a step's form and goes on, or shows what is wrong beside what was typed.
func (c *Console) saveStep(w http.ResponseWriter, r *http.Request, d *draft, step string, save func(*http.Request, *draft) error) {
	if !slices.Contains(d.steps(), step) {
		c.missing(w, r)
		return
	}
	err := formIn(w, r, maxEnrolForm)
	if err == nil {
		err = save(r, d)
	}
	if err != nil {
		c.showStep(w, r, d, step, err)
		return
	}
	next := d.after(step)
	if next == "photos" && !d.Consent.Doors { // no template without it
		next = d.after(next)
	}
	if d.reached == len(d.steps())-1 { // somebody came back to change one thing
		next = "review"
	}
	http.Redirect(w, r, d.path(next), http.StatusSeeOther)
}

// texts of a form, trimmed and bounded. bad is the first that is too long or no text.
func formTexts(r *http.Request, most int, into map[string]*string) (bad string) {
	for name, to := range into {
		s := strings.TrimSpace(r.PostForm.Get(name))
		if utf8.RuneCountInString(s) > most || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			bad = name
			s = ""
		}
		*to = s
	}
	return bad
}

func tooLong() error {
	return gatehouse.Errorf("form.malformed", "shorten it", "a field is too long, or no text")
}

func (c *Console) saveWho(r *http.Request, d *draft) error {
	fields := map[string]*string{"label": &d.Label}
	if d.Kind == gatehouse.VehicleSubject {
		v := &d.Vehicle
		for name, to := range map[string]*string{"plate": &v.Plate, "region": &v.Region, "class": &v.Class, "colour": &v.Colour, "owner": &v.Owner} {
			fields[name] = to
		}
	} else {
		p := &d.Person
		for name, to := range personFields(p) {
			fields[name] = to
		}
	}
	if formTexts(r, 200, fields) != "" {
		return tooLong()
	}
	// What enrolling would refuse is said here already.
	if d.Kind == gatehouse.VehicleSubject {
		return c.o.Registry.Enroller.CheckVehicle(enroll.Vehicle{Label: d.Label, Record: d.Vehicle})
	}
	if err := c.o.Registry.Enroller.CheckPerson(enroll.Person{Label: d.Label, Record: d.Person, Later: true}); err != nil {
		return err
	}
	return c.labelFree(d.Label)
}

// personFields are a record's, by the names that forms have.
func personFields(p *gatehouse.PersonRecord) map[string]*string {
	return map[string]*string{"name": &p.Name, "birth_date": &p.BirthDate, "gender": &p.Gender, "national_id": &p.NationalID, "number": &p.Number,
		"phone": &p.Phone, "email": &p.Email, "address": &p.Address, "unit": &p.Unit}
}

// labelFree refuses the label of somebody else: while the vault is sealed it is all that
// tells them apart.
func (c *Console) labelFree(label string) error {
	if slices.ContainsFunc(c.o.Registry.Badges.Badges(), func(b gatehouse.Badge) bool { return b.Label == label }) {
		return gatehouse.Errorf("enroll.label_taken", "choose another", "somebody has this label already")
	}
	return nil
}

func (c *Console) saveConsent(r *http.Request, d *draft) error {
	f := agreed{Asked: true, Doors: r.PostForm.Get("doors") != "", Attendance: r.PostForm.Get("attendance") != "", Guardian: r.PostForm.Get("guardian") != "",
		How: oneOf(r.PostForm.Get("how"), "", "terminal", "reference"), Notice: oneOf(r.PostForm.Get("notice"), "", "en", "zh")}
	bad := formTexts(r, 200, map[string]*string{"reference": &f.Reference})
	d.Consent = f
	switch {
	case bad != "":
		return tooLong()
	case !f.Doors && f.Attendance:
		return gatehouse.Errorf("enroll.attendance", "", "attendance needs the door")
	case f.Doors && (f.How == "" || f.Notice == ""):
		return gatehouse.Errorf("enroll.consent_how", "", "how they agreed is not said")
	case f.Doors && f.How == "reference" && f.Reference == "":
		return gatehouse.Errorf("enroll.consent_reference", "", "where the form lies is not said")
	case f.Doors && c.child(d) && !f.Guardian:
		return gatehouse.Errorf("enroll.guardian", "", "a guardian must agree")
	case f.Doors:
		if err := c.o.Registry.Enroller.CheckAgreement(enroll.Agreement{Attendance: f.Attendance, How: f.How, Reference: gatehouse.Secret(f.Reference)}); err != nil {
			return err
		}
	}
	if !f.Doors && len(d.Photos) > 0 { // taken back: what was described goes at once
		c.drafts.grow(d, -d.bytes)
		d.Photos = nil
	}
	return nil
}

// child reports whether the person is too young to agree alone.
func (c *Console) child(d *draft) bool {
	return c.o.Registry.Enroller.Child(d.Person.BirthDate)
}

func (c *Console) saveCards(r *http.Request, d *draft) error {
	var card, pin string
	if formTexts(r, 400, map[string]*string{"card": &card, "pin": &pin}) != "" {
		return tooLong()
	}
	// An empty field leaves what was given before, which is not shown again.
	for name, f := range map[string]struct {
		text string
		to   *gatehouse.Secret
	}{"card": {card, &d.Card}, "pin": {pin, &d.PIN}} {
		switch {
		case r.PostForm.Get("no-"+name) != "":
			*f.to = ""
		case f.text != "":
			*f.to = gatehouse.Secret(f.text)
		}
	}
	switch {
	case r.PostForm.Get("qr") == "":
		d.QR = ""
	case d.QR == "":
		d.QR = gatehouse.Secret("GH1-" + rand.Text())
	}
	err := c.o.Registry.Enroller.CheckPerson(enroll.Person{Label: d.Label, Record: d.Person, Later: true, Card: d.Card, PIN: d.PIN, QR: d.QR})
	if err != nil { // what is refused is not kept
		d.Card, d.PIN = "", ""
	}
	return err
}

func (c *Console) saveAccess(r *http.Request, d *draft) error {
	f, err := c.readAccess(r)
	d.Access = f
	return err
}

// readAccess reads the form of gates, schedules and days.
func (c *Console) readAccess(r *http.Request) (accessForm, error) {
	f := accessForm{Asked: true, Gates: map[string]string{}, First: strings.TrimSpace(r.PostForm.Get("first")), Last: strings.TrimSpace(r.PostForm.Get("last"))}
	schedule := func(of string) string {
		if s := r.PostForm.Get("schedule-" + of); s != "" && len(s) <= 100 {
			return s
		}
		return "always"
	}
	if r.PostForm.Get("all") != "" {
		f.All = schedule("all")
	}
	for _, gate := range r.PostForm["gate"] {
		if len(f.Gates) < 1000 {
			f.Gates[gate] = schedule(gate)
		}
	}
	from, until, err := c.days(f.First, f.Last)
	if err == nil && !from.IsZero() && !until.IsZero() && !from.Before(until) {
		err = gatehouse.Errorf("enroll.validity", "", "it ends before it begins")
	}
	if err == nil {
		err = c.o.Registry.CheckGrants(f.Grants())
	}
	return f, err
}

// carryOut enrols. The draft is gone once that is done.
func (c *Console) carryOut(w http.ResponseWriter, r *http.Request, d *draft) {
	id, err := c.enrolDraft(r.Context(), who(r), d)
	if err != nil {
		c.showStep(w, r, d, "review", err)
		return
	}
	if d.QR != "" {
		c.drafts.hand(d.session, id, d.QR)
	}
	c.drafts.drop(d.id)
	http.Redirect(w, r, "/people/"+id.String()+"?done="+map[bool]string{true: "enrolled", false: "photos"}[d.Of.IsZero()], http.StatusSeeOther)
}

func (c *Console) enrolDraft(ctx context.Context, by Who, d *draft) (gatehouse.SubjectID, error) {
	from, until, err := c.days(d.Access.First, d.Access.Last)
	if err != nil {
		return gatehouse.SubjectID{}, err
	}
	if d.Of.IsZero() {
		if err := c.labelFree(d.Label); err != nil {
			return gatehouse.SubjectID{}, err
		}
	}
	if d.Kind == gatehouse.VehicleSubject {
		record := d.Vehicle
		record.ValidFrom, record.ValidUntil = from, until
		return c.o.Registry.Enroller.Vehicle(ctx, enroll.Vehicle{Label: d.Label, Record: record, Grants: d.Access.Grants()})
	}
	agreement := enroll.Agreement{Given: d.Consent.Doors && !d.Consent.Held, Attendance: d.Consent.Attendance, How: d.Consent.How, Reference: gatehouse.Secret(d.Consent.Reference),
		Guardian: d.Consent.Guardian, Notice: d.Consent.Notice, By: by.Operator}
	var photos [][]byte
	for _, p := range d.best() {
		photos = append(photos, p.Bytes)
	}
	if !d.Of.IsZero() {
		return d.Of, c.o.Registry.Enroller.SetFace(ctx, d.Of, photos, agreement, d.Twin)
	}
	return c.o.Registry.Enroller.Person(ctx, enroll.Person{Label: d.Label, Record: d.Person, Photos: photos, Later: true, Grants: d.Access.Grants(), Consent: agreement,
		DistinctFrom: d.Twin, Card: d.Card, PIN: d.PIN, QR: d.QR, ValidFrom: from, ValidUntil: until})
}

func (c *Console) discard(w http.ResponseWriter, r *http.Request, d *draft) {
	c.drafts.drop(d.id)
	back := "/people"
	if !d.Of.IsZero() {
		back += "/" + d.Of.String()
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}
