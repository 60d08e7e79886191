package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/accounts"
)

// Accounts are who works with Gatehouse; flow/accounts has them. by is who asks.
type Accounts interface {
	List() []gatehouse.Account
	Account(id gatehouse.AccountID) (gatehouse.Account, bool)
	Ready() bool
	Add(ctx context.Context, by string, n accounts.New) (_ gatehouse.Account, token string, err error)
	Invite(ctx context.Context, by string, id gatehouse.AccountID) (token string, err error)
	SetRoles(ctx context.Context, by string, id gatehouse.AccountID, roles []gatehouse.Assignment) error
	SetDisabled(ctx context.Context, by string, id gatehouse.AccountID, disabled bool) error
	RemoveCredential(ctx context.Context, by string, id gatehouse.AccountID, credential string) error
	Remove(ctx context.Context, by string, id gatehouse.AccountID) error
}

// managing is the area of an administrator's accounts.
var managing = area{
	pages:  []string{"accounts", "someone"},
	routes: (*Console).accountsRoutes,
	nav:    []entry{{"nav.site", "accounts", "/accounts", "nav.accounts", gatehouse.ManageAccounts}},
}

// accountsRoutes are an administrator's pages about accounts.
func (c *Console) accountsRoutes() []auth.Route {
	if c.o.Accounts == nil {
		return nil
	}
	see, change := auth.Needs(gatehouse.ManageAccounts), auth.NeedsFresh(gatehouse.ManageAccounts)
	one := func(what string, do func(ctx context.Context, by string, id gatehouse.AccountID, r *http.Request) error) auth.Route {
		return auth.Route{Pattern: "POST /accounts/{id}/" + what, Policy: change, Page: "/accounts/{id}", Handler: c.changeAccount(do)}
	}
	disable := func(disabled bool) func(context.Context, string, gatehouse.AccountID, *http.Request) error {
		return func(ctx context.Context, by string, id gatehouse.AccountID, _ *http.Request) error {
			return c.o.Accounts.SetDisabled(ctx, by, id, disabled)
		}
	}
	return []auth.Route{
		{Pattern: "GET /accounts", Policy: see, Handler: c.accounts},
		{Pattern: "POST /accounts", Policy: change, Page: "/accounts", Handler: c.addAccount},
		{Pattern: "GET /accounts/{id}", Policy: see, Handler: c.someone},
		{Pattern: "POST /accounts/{id}/invite", Policy: change, Page: "/accounts/{id}", Handler: c.inviteAccount},
		{Pattern: "POST /accounts/{id}/sessions/{n}/end", Policy: see, Handler: c.endSession},
		one("roles", c.setRoles),
		one("disable", disable(true)),
		one("enable", disable(false)),
		one("credentials/{n}/remove", func(ctx context.Context, by string, id gatehouse.AccountID, r *http.Request) error {
			return c.o.Accounts.RemoveCredential(ctx, by, id, r.PathValue("n"))
		}),
		one("remove", func(ctx context.Context, by string, id gatehouse.AccountID, _ *http.Request) error {
			return c.o.Accounts.Remove(ctx, by, id)
		}),
	}
}

// accountsBody is the list of accounts.
type accountsBody struct {
	List  listing
	Rows  []accountRow
	Roles []gatehouse.Role
	Gates []gatehouse.Gate
	Need  bool // somebody has to be told that one administrator is too few
}

type accountRow struct {
	gatehouse.Account
	Name     string
	Sessions int
}

func (c *Console) accountRow(a gatehouse.Account) accountRow {
	return accountRow{Account: a, Name: a.Name.Reveal(), Sessions: len(c.o.Auth.Sessions(a.ID))}
}

func (c *Console) accounts(w http.ResponseWriter, r *http.Request) {
	b := accountsBody{List: listingOf(r, "role", "state"), Roles: gatehouse.PeopleRoles, Gates: c.o.Gates}
	administrators := 0
	var rows []accountRow
	role, state := gatehouse.Role(b.List.Is("role")), b.List.Is("state")
	for _, a := range c.o.Accounts.List() {
		if (role == "" || slices.ContainsFunc(a.Roles, func(as gatehouse.Assignment) bool { return as.Role == role })) && (state == "" || string(a.State) == state) {
			rows = append(rows, c.accountRow(a))
		}
		if _, may := a.May(gatehouse.ManageAccounts, c.o.Place); may && a.State == gatehouse.Enabled {
			administrators++
		}
	}
	b.Need = administrators < 2
	// A login is nobody's name; names stay out of addresses, so nothing is found by them.
	b.Rows = arrange(&b.List, rows, func(a accountRow) []string { return []string{a.Login} }, by("login", func(a accountRow) string { return a.Login }),
		by("state", func(a accountRow) string { return string(a.State) }), by("keys", func(a accountRow) int { return len(a.Credentials) }), by("sessions", func(a accountRow) int { return a.Sessions }),
		by("name", func(a accountRow) string { return a.Name }))
	if b.List.File {
		var out [][]string
		for _, a := range b.Rows {
			var roles []string
			for _, as := range a.Roles {
				roles = append(roles, as.String())
			}
			out = append(out, []string{a.ID.String(), a.Login, string(a.State), joined(roles), strconv.Itoa(len(a.Credentials)), strconv.Itoa(a.Sessions)})
		}
		c.file(w, "accounts", []string{"id", "login", "state", "roles", "credentials", "sessions"}, out)
		return
	}
	c.render(w, r, http.StatusOK, "accounts", "accounts.title", "accounts", b)
}

// someoneBody is the page of one account.
type someoneBody struct {
	accountRow
	All      []auth.Session
	Roles    []roleChoice
	Other    []string // roles that count elsewhere
	Invite   string   // a one-time link, shown once
	Self     bool
	Disabled bool
}

// roleChoice is one role in the form.
type roleChoice struct {
	Role       gatehouse.Role
	Has        bool
	Everywhere bool // at every site of the organization
	PerGate    bool
	Gates      []gateChoice
}

type gateChoice struct {
	gatehouse.Gate
	Has bool
}

func (c *Console) someone(w http.ResponseWriter, r *http.Request) {
	if a, ok := c.accountIn(w, r); ok {
		c.showSomeone(w, r, a, "")
	}
}

func (c *Console) accountIn(w http.ResponseWriter, r *http.Request) (gatehouse.Account, bool) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	a, ok := c.o.Accounts.Account(id)
	if err != nil || !ok || a.Org != c.o.Place.Org {
		c.fail(w, r, gatehouse.Errorf("store.not_found", "", "there is no such account"))
		return a, false
	}
	return a, true
}

func (c *Console) showSomeone(w http.ResponseWriter, r *http.Request, a gatehouse.Account, invite string) {
	s, _ := auth.SessionFrom(r.Context())
	b := someoneBody{accountRow: c.accountRow(a), All: c.o.Auth.Sessions(a.ID), Invite: invite, Self: s.Account == a.ID, Disabled: a.State == gatehouse.Disabled}
	for _, role := range gatehouse.PeopleRoles {
		choice := roleChoice{Role: role, PerGate: role.PerGate()}
		gates := gatehouse.Gates{}
		for _, as := range a.Roles {
			if as.Role == role && (as.Site == "" || as.Site == c.o.Place.Site) {
				choice.Has, choice.Everywhere = true, choice.Everywhere || as.Site == ""
				gates = gatehouse.SomeGates(append(gates.List(), as.Gates...)...)
			}
		}
		if choice.PerGate {
			for _, g := range c.o.Gates {
				choice.Gates = append(choice.Gates, gateChoice{g, gates.Has(g.ID)})
			}
		}
		b.Roles = append(b.Roles, choice)
	}
	for _, as := range a.Roles {
		if as.Site != "" && as.Site != c.o.Place.Site {
			b.Other = append(b.Other, as.String())
		}
	}
	c.render(w, r, http.StatusOK, "someone", "someone.title", "accounts", b)
}

// rolesIn reads the form of roles. What the account has elsewhere stays as it is.
func (c *Console) rolesIn(r *http.Request, had []gatehouse.Assignment) []gatehouse.Assignment {
	var out []gatehouse.Assignment
	for _, as := range had {
		if as.Site != "" && as.Site != c.o.Place.Site {
			out = append(out, as)
		}
	}
	for _, text := range r.PostForm["role"] {
		as := gatehouse.Assignment{Role: gatehouse.Role(text), Site: c.o.Place.Site}
		if slices.ContainsFunc(had, func(h gatehouse.Assignment) bool { return h.Role == as.Role && h.Site == "" }) {
			as.Site = ""
		}
		if as.Role.PerGate() {
			for _, gate := range r.PostForm["gates-"+text] {
				as.Gates = append(as.Gates, gatehouse.GateID(gate))
			}
		}
		out = append(out, as)
	}
	return out
}

// maxAccountForm bounds a form about an account, in bytes.
const maxAccountForm = 32 << 10

func (c *Console) addAccount(w http.ResponseWriter, r *http.Request) {
	if err := formIn(w, r, maxAccountForm); err != nil {
		c.fail(w, r, err)
		return
	}
	a, token, err := c.o.Accounts.Add(r.Context(), who(r).Operator, accounts.New{Login: strings.TrimSpace(r.PostForm.Get("login")), Name: gatehouse.Secret(r.PostForm.Get("name")), Roles: c.rolesIn(r, nil)})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.showSomeone(w, r, a, auth.InviteURL(c.o.Auth.BaseURL(), token))
}

func (c *Console) inviteAccount(w http.ResponseWriter, r *http.Request) {
	a, ok := c.accountIn(w, r)
	if !ok {
		return
	}
	token, err := c.o.Accounts.Invite(r.Context(), who(r).Operator, a.ID)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.showSomeone(w, r, a, auth.InviteURL(c.o.Auth.BaseURL(), token))
}

func (c *Console) endSession(w http.ResponseWriter, r *http.Request) {
	a, ok := c.accountIn(w, r)
	if !ok {
		return
	}
	c.o.Auth.EndSession(a.ID, r.PathValue("n"))
	http.Redirect(w, r, "/accounts/"+a.ID.String(), http.StatusSeeOther)
}

// changeAccount carries out one change of the account in the path, and goes back to it.
func (c *Console) changeAccount(do func(ctx context.Context, by string, id gatehouse.AccountID, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, ok := c.accountIn(w, r)
		if !ok {
			return
		}
		err := formIn(w, r, maxAccountForm)
		if err != nil {
			err = gatehouse.Errorf("form.malformed", "", "the form was not filled in")
		} else {
			err = do(r.Context(), who(r).Operator, a.ID, r)
		}
		if err != nil {
			c.fail(w, r, err)
			return
		}
		next := "/accounts"
		if _, there := c.o.Accounts.Account(a.ID); there {
			next += "/" + a.ID.String()
		}
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}

func (c *Console) setRoles(ctx context.Context, by string, id gatehouse.AccountID, r *http.Request) error {
	a, _ := c.o.Accounts.Account(id)
	return c.o.Accounts.SetRoles(ctx, by, id, c.rolesIn(r, a.Roles))
}

func itoa(n int) string { return strconv.Itoa(n) }
