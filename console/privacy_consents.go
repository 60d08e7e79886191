package console

import (
	"net/http"
	"time"

	"gatehouse"
)

type consentsBody struct {
	List   listing
	Rows   []givenConsent
	None   bool
	States []string
}

type givenConsent struct {
	ConsentState
	State string
}

var consentStates = []string{"given", "lapsing", "withdrawn"}

func (c *Console) consents(w http.ResponseWriter, r *http.Request) {
	all, err := c.o.Privacy.Consents(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	list := listingOf(r, "state")
	var rows []givenConsent
	for _, one := range all {
		state := one.State()
		if want := list.Is("state"); want == "" || want == state {
			rows = append(rows, givenConsent{one, state})
		}
	}
	shown := arrange(&list, rows, func(x givenConsent) []string { return []string{x.Label, x.Subject.String()} },
		by("label", func(x givenConsent) string { return x.Label }), by("state", func(x givenConsent) string { return x.State }),
		byTime("given", func(x givenConsent) time.Time { return x.Given }), byTime("withdrawn", func(x givenConsent) time.Time { return x.Withdrawn }),
		by("purpose", func(x givenConsent) string { return string(x.Purpose) }), byTime("until", func(x givenConsent) time.Time { return x.ValidUntil }))
	if list.File {
		var out [][]string
		for _, x := range shown {
			out = append(out, []string{x.Label, x.Subject.String(), string(x.Purpose), x.State, when(x.Given), when(x.Withdrawn), x.How, when(x.ValidUntil)})
		}
		c.file(w, "consents", []string{"label", "subject", "purpose", "state", "given", "withdrawn", "how", "badge_until"}, out)
		return
	}
	c.render(w, r, http.StatusOK, "consents", "consents.title", "consents", consentsBody{List: list, Rows: shown, None: len(all) == 0, States: consentStates})
}

func (c *Console) withdrawConsent(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err == nil {
		err = c.o.Privacy.Withdraw(r.Context(), who(r), id)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/privacy/consents", http.StatusSeeOther)
}
