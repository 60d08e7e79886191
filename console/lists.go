package console

import (
	"net/http"
	"slices"

	"gatehouse"
)

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
