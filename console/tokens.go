package console

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/tokens"
)

// Tokens are what other people's programs show to the API; flow/tokens has them. by is who
// asks.
type Tokens interface {
	List() []gatehouse.AccessToken
	Add(ctx context.Context, by string, n tokens.New) (_ gatehouse.AccessToken, shown gatehouse.Secret, err error)
	Revoke(ctx context.Context, by, name string) error
}

// lettingIn is the area of access tokens.
var lettingIn = area{
	pages:  []string{"tokens"},
	routes: (*Console).tokensRoutes,
	nav:    []entry{{"nav.site", "tokens", "/tokens", "tokens.title", gatehouse.ManagePrograms}},
}

func (c *Console) tokensRoutes() []auth.Route {
	if c.o.Tokens == nil {
		return nil
	}
	see, change := auth.Needs(gatehouse.ManagePrograms), auth.NeedsFresh(gatehouse.ManagePrograms)
	return []auth.Route{
		{Pattern: "GET /tokens", Policy: see, Handler: func(w http.ResponseWriter, r *http.Request) { c.tokens(w, r, http.StatusOK, "", nil) }},
		{Pattern: "POST /tokens", Policy: change, Handler: c.addToken, Page: "/tokens"},
		{Pattern: "POST /tokens/{id}/revoke", Policy: change, Handler: c.revokeToken, Page: "/tokens"},
	}
}

type tokensBody struct {
	List    listing
	Rows    []tokenRow
	None    bool
	Scopes  []gatehouse.Permission
	Gates   []gatehouse.Gate
	Days    []int // how long one may count
	Problem string
	Shown   *tokenShown
}

type tokenRow struct {
	gatehouse.AccessToken
	Ended bool
}

// tokenShown is a token that was just made, with what its program shows.
type tokenShown struct {
	gatehouse.AccessToken
	Text string
}

// tokenDays are how long a token may count, as the form has it.
var tokenDays = []int{30, 90, 366, 2 * 366}

// integrationScopes are what a token may be given.
func integrationScopes() (all []gatehouse.Permission) {
	for _, p := range gatehouse.Permissions {
		if gatehouse.IntegrationRole.May(p) {
			all = append(all, p)
		}
	}
	return all
}

func (c *Console) tokens(w http.ResponseWriter, r *http.Request, status int, problem string, made *tokenShown) {
	all := c.o.Tokens.List()
	list := listingOf(r)
	list.Path = "/tokens" // also where a form answers
	var rows []tokenRow
	for _, t := range all {
		rows = append(rows, tokenRow{t, !c.o.Now().Before(t.Until)})
	}
	shown := arrange(&list, rows, func(t tokenRow) []string { return []string{t.Name, t.By} },
		by("name", func(t tokenRow) string { return t.Name }), byTime("used", func(t tokenRow) time.Time { return t.Used }), byTime("until", func(t tokenRow) time.Time { return t.Until }))
	if list.File {
		var out [][]string
		for _, t := range shown {
			out = append(out, []string{t.Name, joined(t.Scopes), joined(t.At), t.By, when(t.Made), when(t.Used), when(t.Until)})
		}
		c.file(w, "tokens", []string{"name", "scopes", "gates", "by", "made", "used", "until"}, out)
		return
	}
	c.render(w, r, status, "tokens", "tokens.title", "tokens", tokensBody{List: list, Rows: shown, None: len(all) == 0, Scopes: integrationScopes(), Gates: c.o.Gates, Days: tokenDays, Problem: problem, Shown: made})
}

// joined is a list in one cell of a file.
func joined[S ~string](all []S) string {
	var b strings.Builder
	for i, s := range all {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(s))
	}
	return b.String()
}

// maxProgramForm bounds the forms about programs, in bytes; an address has at most 2,000.
const maxProgramForm = 16 << 10

// picked are a form's values of one name.
func picked[S ~string](r *http.Request, name string) (all []S) {
	for _, s := range r.PostForm[name] {
		all = append(all, S(s))
	}
	return all
}

// addToken answers with the token itself: it is shown this once.
func (c *Console) addToken(w http.ResponseWriter, r *http.Request) {
	err := formIn(w, r, maxProgramForm)
	var made tokenShown
	if err == nil {
		days, _ := strconv.Atoi(r.PostForm.Get("days")) // what is no number counts for no time, which is refused
		scopes := picked[gatehouse.Permission](r, "scope")
		if len(scopes) == 0 {
			err = gatehouse.Errorf("token.scopes", "tick at least one", "a token without a scope opens nothing")
		} else {
			var text gatehouse.Secret
			made.AccessToken, text, err = c.o.Tokens.Add(r.Context(), who(r).Operator, tokens.New{Name: strings.TrimSpace(r.PostForm.Get("name")), Scopes: scopes, At: picked[gatehouse.GateID](r, "gate"),
				For: time.Duration(min(max(days, 0), 10_000)) * 24 * time.Hour})
			made.Text = text.Reveal()
		}
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.tokens(w, r, status, problem, nil)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.tokens(w, r, http.StatusOK, "", &made)
}

func (c *Console) revokeToken(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err == nil {
		err = gatehouse.Errorf("token.unknown", "", "there is no such token")
		for _, t := range c.o.Tokens.List() {
			if t.ID == id {
				err = c.o.Tokens.Revoke(r.Context(), who(r).Operator, t.Name)
			}
		}
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/tokens", http.StatusSeeOther)
}
