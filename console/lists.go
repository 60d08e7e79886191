package console

import (
	"net/http"
	"slices"
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
	Rows   []gatehouse.Disclosure
	Before gatehouse.ID // of this page; zero for the newest
	Older  gatehouse.ID
	Ask    bool // who looks may ask for reasons, which may name somebody
}

// Sealed reports whether the page has reasons that can be asked for.
func (b disclosuresBody) Sealed() bool {
	return b.Ask && slices.ContainsFunc(b.Rows, func(d gatehouse.Disclosure) bool { return d.ReasonSealed })
}

// disclosures lists who was shown what. It shows operators' ids, purposes and
// numbers, and nothing that was opened.
func (c *Console) disclosures(w http.ResponseWriter, r *http.Request) {
	b, err := c.disclosuresPage(r, r.URL.Query().Get("before"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "disclosures", "disclosures.title", "disclosures", b)
}

// reasons is a page of disclosures with the reasons, which were opened for it.
func (c *Console) reasons(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	b, err := c.disclosuresPage(r, r.PostFormValue("before"))
	if err == nil {
		err = c.o.Disclosures.Reasons(r.Context(), who(r), b.Rows)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b.Ask = false
	c.render(w, r, http.StatusOK, "disclosures", "disclosures.title", "disclosures", b)
}

func (c *Console) disclosuresPage(r *http.Request, before string) (b disclosuresBody, err error) {
	if before != "" {
		if b.Before, err = gatehouse.ParseID(before); err != nil {
			return b, err
		}
	}
	b.Ask = may(r, gatehouse.DisclosePeople)
	b.Rows, err = c.o.Disclosures.Disclosures(r.Context(), b.Before, pageRows+1)
	if len(b.Rows) > pageRows {
		b.Rows = b.Rows[:pageRows]
		b.Older = b.Rows[pageRows-1].ID
	}
	return b, err
}
