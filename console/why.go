package console

import (
	"net/http"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/flow/why"
)

// Why explains decisions; flow/why has it.
type Why interface {
	Ask(q why.Question) (why.Explanation, error)
	Passage(p gatehouse.Passage) why.Explanation
}

// whyBody is the page of a question, of its answer, or of both.
type whyBody struct {
	Form    bool // people can be looked for, and other questions asked
	Problem string
	Found   []member
	Asked   bool
	Subject gatehouse.SubjectID
	Gate    gatehouse.GateID
	At      string // as a form has it
	By      gatehouse.ReadingKind
	Gates   []gatehouse.Gate
	Answer  *whyView
	Passage *row // that is explained
}

// whyView is an explanation in the words of a page.
type whyView struct {
	Who    string // the badge's label; "" where whoever looks may not see it
	Gate   gatehouse.Gate
	At     time.Time
	By     gatehouse.ReadingKind
	Grant  bool
	Says   string
	Rule   string
	Steps  []whyStep
	Grants []whyGrant
	People bool // groups and rules can be looked at
}

type whyStep struct{ Name, State, Says, Change string }

type whyGrant struct {
	Rule     gatehouse.RuleID
	Group    gatehouse.GroupID
	Title    string // the group's
	Gates    []string
	Schedule string
	Allows   bool
	Says     string
}

// whyView puts an explanation into words. What a rule says of other gates is no business
// of who stands at one.
func (c *Console) whyView(r *http.Request, lang string, e why.Explanation, mine gatehouse.Gates) *whyView {
	v := &whyView{Who: e.Label, Gate: e.Gate, At: e.At, By: e.By, Grant: e.Decision.Grant, Says: e.Decision.Reason.Sentence(lang), Rule: e.Decision.Rule, People: may(r, gatehouse.ManageRules)}
	for _, s := range e.Steps {
		v.Steps = append(v.Steps, whyStep{s.Name, string(s.State), s.Says(lang), s.Change(lang)})
	}
	for _, g := range e.Grants {
		if !g.Here && !mine.All() {
			continue
		}
		gates := g.Gates
		if !mine.All() && !slices.Contains(gates, "*") {
			gates = []gatehouse.GateID{e.Gate.ID}
		}
		group, _ := c.o.Rules.Group(g.Group)
		v.Grants = append(v.Grants, whyGrant{g.Rule, g.Group, group.Title, c.gateNames(gates), g.Schedule, g.Allows(), g.Says(lang)})
	}
	return v
}

// askWhy explains what the address asks; without a subject it asks for one.
func (c *Console) askWhy(w http.ResponseWriter, r *http.Request) {
	q, lang := r.URL.Query(), languageOf(w, r)
	b := whyBody{Form: true, Gates: c.o.Gates, Gate: gatehouse.GateID(q.Get("gate")), By: gatehouse.ReadingKind(q.Get("by")), At: q.Get("at")}
	if b.At == "" {
		b.At = c.o.Now().In(c.o.Location).Format(formTime)
	}
	if q.Get("subject") == "" {
		c.render(w, r, http.StatusOK, "why", "why.title", "rules", b)
		return
	}
	status := http.StatusOK
	id, err := gatehouse.ParseID(q.Get("subject"))
	if err == nil {
		b.Subject = id
		b.Answer, err = c.explained(r, lang, &b)
	}
	if problem := mendable(lang, err); problem != "" {
		b.Problem, status = problem, http.StatusUnprocessableEntity
	} else if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, status, "why", "why.title", "rules", b)
}

// formTime is how a browser's field for a moment writes it.
const formTime = "2006-01-02T15:04"

func (c *Console) explained(r *http.Request, lang string, b *whyBody) (*whyView, error) {
	if b.Gate == "" && len(c.o.Gates) > 0 {
		b.Gate = c.o.Gates[0].ID
	}
	at, err := time.ParseInLocation(formTime, b.At, c.o.Location)
	if err != nil {
		return nil, gatehouse.Errorf("form.malformed", "", "this is no time")
	}
	e, err := c.o.Why.Ask(why.Question{Subject: b.Subject, Gate: b.Gate, At: at, By: b.By})
	if err != nil {
		return nil, err
	}
	return c.whyView(r, lang, e, gatehouse.AllGates()), nil
}

// findWhy looks for whom a question may be about, by labels.
func (c *Console) findWhy(w http.ResponseWriter, r *http.Request) {
	text, err := textIn(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := whyBody{Form: true, Gates: c.o.Gates, At: c.o.Now().In(c.o.Location).Format(formTime), Asked: true, Found: c.find(text)}
	c.render(w, r, http.StatusOK, "why", "why.title", "rules", b)
}

// passageWhy explains a passage at a gate of whoever asks: what was seen then, judged by
// the badge and the rules of now. It shows the label only to who may have names lent.
func (c *Console) passageWhy(w http.ResponseWriter, r *http.Request) {
	s, err := c.stored(r, gatehouse.SeePassages)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	lang, p := languageOf(w, r), s.Passage
	one := c.row(lang, p, Lent{})
	b := whyBody{Passage: &one, Gate: p.Gate}
	b.Answer = c.whyView(r, lang, c.o.Why.Passage(p), gatesOf(r, gatehouse.SeePassages))
	if !gatesOf(r, gatehouse.DisclosePassages).Has(p.Gate) {
		b.Answer.Who = ""
	}
	c.render(w, r, http.StatusOK, "why", "why.title", "passages", b)
}
