package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
)

// purposes are what disclosures are for, in the order of the form.
var purposes = []string{"live", "passage", "person", "search", "release", "audit", "unseal", "drill"}

type disclosuresBody struct {
	List     leafing
	Rows     []disclosureRow
	Purposes []string
	Ask      bool // who looks may ask for reasons, which may name somebody
}

type disclosureRow struct {
	gatehouse.Disclosure
	Who string // a login, or who it was else
}

// Sealed reports whether the page has reasons that can be asked for.
func (b disclosuresBody) Sealed() bool {
	return b.Ask && slices.ContainsFunc(b.Rows, func(d disclosureRow) bool { return d.ReasonSealed })
}

// AskFor is where the reasons of this page are asked for.
func (b disclosuresBody) AskFor() string {
	l := b.List
	l.Path = "/disclosures/reasons"
	return l.address(func(v url.Values) {
		switch {
		case l.Sort != "":
			v.Set("page", strconv.Itoa(l.Page))
		case !l.First():
			v.Set("before", l.before.String())
		}
	})
}

// disclosures lists who was shown what. It shows operators, purposes and numbers, and
// nothing that was opened.
func (c *Console) disclosures(w http.ResponseWriter, r *http.Request) {
	if list, err := leafingOf(r, "purpose"); err == nil && list.File {
		leafFile(c, w, r, list, c.disclosuresLog(r, list), "disclosures", []string{"at", "who", "role", "purpose", "items", "units"}, func(d gatehouse.Disclosure) []string {
			return []string{when(d.At), c.loginOf(d.Operator), d.Role, d.Purpose, strconv.Itoa(len(d.Items)), strconv.Itoa(d.Units)}
		})
		return
	}
	b, err := c.disclosuresPage(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "disclosures", "disclosures.title", "disclosures", b)
}

// reasons is a page of disclosures with the reasons, which were opened for it.
func (c *Console) reasons(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	b, err := c.disclosuresPage(r)
	if err == nil {
		list := make([]gatehouse.Disclosure, len(b.Rows))
		for i, row := range b.Rows {
			list[i] = row.Disclosure
		}
		err = c.o.Disclosures.Reasons(r.Context(), who(r), list)
		for i := range list {
			b.Rows[i].Disclosure = list[i]
		}
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b.Ask = false
	c.render(w, r, http.StatusOK, "disclosures", "disclosures.title", "disclosures", b)
}

// disclosuresLog is the log as l wants it.
func (c *Console) disclosuresLog(r *http.Request, l leafing) grownLog[gatehouse.Disclosure] {
	purpose, q := l.Is("purpose"), strings.ToLower(l.Query)
	return grownLog[gatehouse.Disclosure]{
		read: func(before gatehouse.ID, limit int) ([]gatehouse.Disclosure, error) {
			return c.o.Disclosures.Disclosures(r.Context(), before, limit)
		},
		id: func(d gatehouse.Disclosure) gatehouse.ID { return d.ID },
		fits: func(d gatehouse.Disclosure) bool {
			return (purpose == "" || d.Purpose == purpose) && (q == "" || strings.Contains(strings.ToLower(c.loginOf(d.Operator)+" "+d.Operator), q))
		},
		columns: []column[gatehouse.Disclosure]{byTime("at", func(d gatehouse.Disclosure) time.Time { return d.At }), by("who", func(d gatehouse.Disclosure) string { return c.loginOf(d.Operator) }),
			by("purpose", func(d gatehouse.Disclosure) string { return d.Purpose }), by("items", func(d gatehouse.Disclosure) int { return len(d.Items) }), by("units", func(d gatehouse.Disclosure) int { return d.Units })},
	}
}

func (c *Console) disclosuresPage(r *http.Request) (b disclosuresBody, err error) {
	if b.List, err = leafingOf(r, "purpose"); err != nil {
		return b, err
	}
	b.List.Path, b.Ask, b.Purposes = "/disclosures", may(r, gatehouse.DisclosePeople), purposes
	b.List.File = false // with reasons it is a page only
	found, err := leaf(c, &b.List, c.disclosuresLog(r, b.List))
	for _, d := range found {
		b.Rows = append(b.Rows, disclosureRow{d, c.loginOf(d.Operator)})
	}
	return b, err
}
