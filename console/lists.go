package console

import (
	"net/http"
	"time"

	"gatehouse"
)

// person is one row of the list of people and vehicles.
type person struct {
	ID       gatehouse.SubjectID
	Label    string
	Name     string // "" while the vault is sealed
	Kind     gatehouse.SubjectKind
	Status   gatehouse.SubjectStatus
	Grants   []grant
	Factor   bool
	Consent  bool
	Enrolled time.Time
}

type grant struct{ Gate, Schedule string } // "" stands for every gate, always

type peopleBody struct {
	Rows []person
	Next gatehouse.SubjectID // cursor, zero at the end
	Open bool                // names are lent
}

func (c *Console) people(w http.ResponseWriter, r *http.Request) {
	var after gatehouse.SubjectID
	if s := r.URL.Query().Get("after"); s != "" {
		id, err := gatehouse.ParseID(s)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		after = id
	}
	found, err := c.o.People.People(r.Context(), after, pageRows+1)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := peopleBody{Open: c.vaultView(r.Context()).Unsealed && may(r, gatehouse.DisclosePeople)}
	if len(found) > pageRows {
		found = found[:pageRows]
		b.Next = found[pageRows-1].Badge.Subject
	}
	ids := make([]gatehouse.SubjectID, len(found))
	for i, f := range found {
		ids[i] = f.Badge.Subject
	}
	var names map[gatehouse.SubjectID]string
	if may(r, gatehouse.DisclosePeople) {
		if names, err = c.o.Lender.Names(r.Context(), who(r), ids); err != nil {
			c.fail(w, r, err)
			return
		}
	}
	for _, f := range found {
		b.Rows = append(b.Rows, c.person(f, names[f.Badge.Subject]))
	}
	c.render(w, r, http.StatusOK, "people", "people.title", "people", b)
}

func (c *Console) person(f Enrolled, name string) person {
	p := person{ID: f.Badge.Subject, Label: f.Badge.Label, Name: name, Kind: f.Badge.Kind, Status: f.Badge.Status,
		Factor: f.Badge.NeedSecondFactor, Consent: f.Badge.FaceConsent || f.Badge.Kind != gatehouse.PersonSubject, Enrolled: f.Enrolled}
	for _, g := range f.Badge.Grants {
		var x grant
		if g.Gate != "*" {
			x.Gate = c.gate(g.Gate).Name
		}
		if g.Schedule != "always" {
			x.Schedule = g.Schedule
		}
		p.Grants = append(p.Grants, x)
	}
	return p
}

type disclosuresBody struct {
	Rows  []gatehouse.Disclosure
	Older gatehouse.ID
}

// disclosures lists who was shown what. It shows operators' ids, purposes and
// numbers, and nothing that was opened.
func (c *Console) disclosures(w http.ResponseWriter, r *http.Request) {
	var before gatehouse.ID
	if s := r.URL.Query().Get("before"); s != "" {
		id, err := gatehouse.ParseID(s)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		before = id
	}
	rows, err := c.o.Disclosures.Disclosures(r.Context(), before, pageRows+1)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := disclosuresBody{Rows: rows}
	if len(rows) > pageRows {
		b.Rows = rows[:pageRows]
		b.Older = b.Rows[pageRows-1].ID
	}
	if !may(r, gatehouse.DisclosePeople) { // a reason may name somebody
		for i := range b.Rows {
			b.Rows[i].ReasonSealed, b.Rows[i].Reason = b.Rows[i].ReasonSealed || b.Rows[i].Reason != "", ""
		}
	}
	c.render(w, r, http.StatusOK, "disclosures", "disclosures.title", "disclosures", b)
}
