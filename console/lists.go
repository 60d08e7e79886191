package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

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
		if !l.First() {
			v.Set("before", l.before.String())
		}
	})
}

// disclosures lists who was shown what. It shows operators, purposes and numbers, and
// nothing that was opened.
func (c *Console) disclosures(w http.ResponseWriter, r *http.Request) {
	b, err := c.disclosuresPage(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if b.List.File {
		var out [][]string
		for _, d := range b.Rows {
			out = append(out, []string{when(d.At), d.Who, d.Role, d.Purpose, strconv.Itoa(len(d.Items)), strconv.Itoa(d.Units)})
		}
		c.file(w, "disclosures", []string{"at", "who", "role", "purpose", "items", "units"}, out)
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

func (c *Console) disclosuresPage(r *http.Request) (b disclosuresBody, err error) {
	if b.List, err = leafingOf(r, "purpose"); err != nil {
		return b, err
	}
	b.List.Path, b.Ask, b.Purposes = "/disclosures", may(r, gatehouse.DisclosePeople), purposes
	b.List.File = b.List.File && r.Method == http.MethodGet
	purpose, q := b.List.Is("purpose"), strings.ToLower(b.List.Query)
	found, err := leaf(c, &b.List, func(before gatehouse.ID, limit int) ([]gatehouse.Disclosure, error) {
		return c.o.Disclosures.Disclosures(r.Context(), before, limit)
	}, func(d gatehouse.Disclosure) gatehouse.ID { return d.ID }, func(d gatehouse.Disclosure) bool {
		return (purpose == "" || d.Purpose == purpose) && (q == "" || strings.Contains(strings.ToLower(c.loginOf(d.Operator)+" "+d.Operator), q))
	})
	for _, d := range found {
		b.Rows = append(b.Rows, disclosureRow{d, c.loginOf(d.Operator)})
	}
	return b, err
}
