package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/enroll"
)

// enrolBody is the page of one step.
type enrolBody struct {
	*draft
	ID        gatehouse.ID
	Step      string
	Steps     []stepView
	At        int    // this step's number, from 1
	Back      string // "" on the first step
	Next      string // the path of the next one, for steps without a form to send
	Action    string // where this step's form goes
	Problem   string // an error's sentence
	Field     string // the field that it is about
	Child     bool
	Law       enroll.Law
	Notices   []notice
	Pictures  []photoView
	Best      int // how many photos are good
	Kept      int // how many of them somebody is enrolled by
	Access    accessView
	Login     string // who records it
	HasCard   bool
	HasPIN    bool
	HasQR     bool
	NothingBy bool // nothing by which they could pass
}

// ShowNumber reports whether the ID number is a field of the form.
func (b enrolBody) ShowNumber() bool { return true }

// More reports whether a field behind "more" is filled in.
func (b enrolBody) More() bool { return moreOf(b.Person) }

func moreOf(p gatehouse.PersonRecord) bool {
	return p.Gender+p.NationalID+p.Phone+p.Email+p.Address != ""
}

type stepView struct {
	Name, Path string
	State      string // done, here, ahead
}

type notice struct{ Lang, Name, Text string }

// fieldsOf says which field of a form an error is about.
var fieldsOf = map[string]string{"enroll.label": "label", "enroll.label_taken": "label", "enroll.birth_date": "birth_date", "enroll.plate": "plate", "enroll.duplicate": "plate",
	"enroll.pin": "pin", "enroll.credential": "card", "enroll.guardian": "guardian", "enroll.attendance": "doors", "enroll.consent_how": "how", "enroll.consent_reference": "reference", "enroll.signed": "reference", "enroll.faces_at_work": "doors", "form.day": "first", "enroll.validity": "last"}

// showStep shows a step; err is why its form was not taken.
func (c *Console) showStep(w http.ResponseWriter, r *http.Request, d *draft, step string, err error) {
	steps := d.steps()
	at := slices.Index(steps, step)
	if at < 0 {
		c.missing(w, r)
		return
	}
	if !d.id.IsZero() { // nobody skips who it is, or whether they agree
		if first := d.missing(steps[:at]); first != "" {
			http.Redirect(w, r, d.path(first), http.StatusSeeOther)
			return
		}
		if step == "photos" && !d.Consent.Doors {
			http.Redirect(w, r, d.path("consent"), http.StatusSeeOther)
			return
		}
		d.reached = max(d.reached, at)
	}
	lang := languageOf(w, r)
	b := c.enrolView(r, lang, d, steps, at)
	status := http.StatusOK
	if err != nil {
		code, text := enrolRefusal(lang, err)
		if text == "" {
			c.fail(w, r, err)
			return
		}
		status, b.Problem, b.Field = code, text, fieldsOf[gatehouse.ErrorCode(err)]
	}
	w.Header().Set("Cache-Control", "no-store")
	if step == "photos" { // this page alone may ask for the camera
		w.Header().Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
	}
	title := map[bool]string{true: "enrol.vehicle.title", false: "enrol.person.title"}[d.Kind == gatehouse.VehicleSubject]
	if !d.Of.IsZero() {
		title = "enrol.face.title"
	}
	c.render(w, r, status, "enrol", title, "people", b)
}

// missing is the first of the steps that must not be left out and was not gone through.
func (d *draft) missing(before []string) string {
	for _, s := range before {
		if s == "who" && d.Label == "" || s == "consent" && !d.Consent.Asked {
			return s
		}
	}
	return ""
}

func (c *Console) enrolView(r *http.Request, lang string, d *draft, steps []string, at int) enrolBody {
	s, _ := auth.SessionFrom(r.Context())
	b := enrolBody{draft: d, ID: d.id, Step: steps[at], At: at + 1, Child: c.child(d), Law: c.o.Registry.Enroller.Law, Login: s.Login(), HasCard: d.Card != "", HasPIN: d.PIN != "", HasQR: d.QR != "",
		Access: c.accessView(d.Kind, d.Access), Notices: []notice{{"en", text("en", "lang.self"), text("en", "enrol.notice")}, {"zh", text("zh", "lang.self"), text("zh", "enrol.notice")}}}
	b.Action = d.path(b.Step)
	if d.id.IsZero() {
		b.Action = r.URL.Path
	}
	for i, name := range steps {
		v := stepView{Name: name, State: "ahead"}
		switch {
		case i == at:
			v.State = "here"
		case i <= d.reached && !d.id.IsZero() && (name != "photos" || d.Consent.Doors):
			v.State, v.Path = "done", d.path(name)
		}
		b.Steps = append(b.Steps, v)
	}
	if at > 0 {
		back := steps[at-1]
		if back == "photos" && !d.Consent.Doors {
			back = steps[at-2]
		}
		b.Back = d.path(back)
	}
	if at+1 < len(steps) {
		b.Next = d.path(steps[at+1])
		if d.reached == len(steps)-1 {
			b.Next = d.path("review")
		}
	}
	c.viewPhotos(lang, &b)
	b.NothingBy = d.Kind == gatehouse.PersonSubject && b.Kept == 0 && !b.HasCard && !b.HasPIN && !b.HasQR
	return b
}

// accessView is the form of gates, schedules and days.
type accessView struct {
	accessForm
	Rows      []gateAccess
	Schedules []string
}

// Choice is what the list of schedules of a gate, or "all", is made of.
func (a accessView) Choice(of, label string) scheduleChoice {
	now := a.Gates[of]
	if of == "all" {
		now = a.All
	}
	return scheduleChoice{Of: of, Label: label, Now: now, All: a.Schedules}
}

type scheduleChoice struct {
	Of, Label, Now string
	All            []string
}

// Names are the granted gates and schedules as people call them.
func (a accessView) Names() (out []grant) {
	if a.All != "" {
		return []grant{{Schedule: strings.TrimPrefix(a.All, "always")}}
	}
	for _, row := range a.Rows {
		if row.Has {
			out = append(out, grant{row.Name, strings.TrimPrefix(row.Schedule, "always")})
		}
	}
	return out
}

type gateAccess struct {
	gatehouse.Gate
	Has      bool
	Schedule string
}

func (c *Console) accessView(kind gatehouse.SubjectKind, f accessForm) accessView {
	v := accessView{accessForm: f, Schedules: append([]string{"always"}, c.o.Registry.Schedules()...)}
	fits := gatehouse.Door
	if kind == gatehouse.VehicleSubject {
		fits = gatehouse.Lane
	}
	for _, g := range c.o.Gates {
		schedule, has := f.Gates[string(g.ID)]
		if g.Kind == fits || has {
			v.Rows = append(v.Rows, gateAccess{g, has, schedule})
		}
	}
	return v
}

// accessOf is the form as a badge fills it in.
func (c *Console) accessOf(b gatehouse.Badge) accessView {
	f := accessForm{Asked: true, Gates: map[string]string{}, First: c.dayText(b.ValidFrom), Last: c.lastDay(b.ValidUntil)}
	for _, g := range b.Grants {
		if g.Gate == "*" {
			f.All = g.Schedule
		} else {
			f.Gates[string(g.Gate)] = g.Schedule
		}
	}
	return c.accessView(b.Kind, f)
}

// enrolRefusal is the status and the text of what can be set right on the same page; "" for
// any other error.
func enrolRefusal(lang string, err error) (int, string) {
	code := gatehouse.ErrorCode(err)
	family, _, _ := strings.Cut(code, ".")
	switch family {
	case "enroll", "face", "image", "grant", "form", "sheet", "intake", "consent":
	default:
		if code != "vision.unavailable" && code != "vault.reason" && code != "vault.budget" && code != "vault.sealed" {
			return 0, ""
		}
	}
	status := http.StatusUnprocessableEntity
	switch code {
	case "enroll.draft", "intake.gone":
		return 0, ""
	case "vault.sealed":
		status = http.StatusForbidden
	case "vault.budget", "enroll.busy", "intake.busy":
		status = http.StatusTooManyRequests
	}
	return status, codeText(lang, err)
}

// codeText is what people are told of an error.
func codeText(lang string, err error) string {
	var e *gatehouse.Error
	if errors.As(err, &e) {
		return errorText(lang, e)
	}
	return text(lang, "error.title")
}
