package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/accounts"
)

// signingIn is the area of the pages before there is a session.
var signingIn = area{pages: []string{"signin", "setup", "again", "arrived"}, routes: (*Console).signInRoutes}

// signInRoutes are how people get a session and show once more who they are.
func (c *Console) signInRoutes() []auth.Route {
	a := c.o.Auth
	routes := []auth.Route{
		a.Enter(c.spent),
		a.Leave(c.left),
		{Pattern: "GET /signin", Policy: auth.Public, Handler: func(w http.ResponseWriter, r *http.Request) { c.signInPage(w, r, http.StatusOK, "") }},
		{Pattern: "GET /again", Policy: auth.Needs(gatehouse.OwnAccount), Handler: func(w http.ResponseWriter, r *http.Request) { c.againPage(w, r, http.StatusOK, "") }},
	}
	if c.o.Accounts == nil {
		return routes
	}
	routes = append(routes,
		auth.Route{Pattern: "GET /set-up", Policy: auth.SettingUp, Handler: func(w http.ResponseWriter, r *http.Request) { c.setUpPage(w, r, http.StatusOK, "") }},
		auth.Route{Pattern: "POST /set-up", Policy: auth.SettingUp, Handler: c.setUp})
	if a.Ways().TOTP {
		routes = append(routes,
			auth.Route{Pattern: "POST /signin/code", Policy: auth.Public, Handler: c.signInWithCode},
			auth.Route{Pattern: "POST /again/code", Policy: auth.Needs(gatehouse.OwnAccount), Handler: c.againWithCode})
	}
	routes = append(routes, a.PasskeyRoutes()...)
	return append(routes, a.SingleSignOnRoutes(c.arrived, c.notArrived)...)
}

// signInBody is what the pages about signing in get.
type signInBody struct {
	Ways    auth.Ways
	Next    string // where a script goes on
	Problem string // a key of texts
	Hint    string // an error's
	Address string // of the page where passkeys work, "" for this one
	Ready   bool   // somebody can sign in
	Again   bool   // it was asked to show once more who is there
}

func (c *Console) signInBody(r *http.Request, next, problem string) signInBody {
	b := signInBody{Ways: c.o.Auth.Ways(), Next: next, Problem: problem}
	if c.o.Accounts != nil {
		b.Ready = slices.ContainsFunc(c.o.Accounts.List(), func(a gatehouse.Account) bool { return a.State == gatehouse.Enabled })
	}
	if b.Ways.Passkey && !c.o.Auth.PasskeysAt(r.Host) {
		b.Address = c.o.Auth.BaseURL()
	}
	return b
}

// signInPage stands in the place of a page that needs a session.
func (c *Console) signInPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	next := "/"
	if r.Method == http.MethodGet && r.URL.Path != "/signin" {
		next = pageOf(r, "")
	}
	// Who asked has no session that counts: no navigation.
	c.render(w, r, status, "signin", "signin.title", "", c.signInBody(r, next, problem))
}

func (c *Console) signInWithCode(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	err := c.o.Auth.SignInWithCode(w, r, strings.TrimSpace(r.PostFormValue("login")), strings.ReplaceAll(r.PostFormValue("code"), " ", ""))
	if err == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	if problem, status := problemOf(err); problem != "" {
		c.signInPage(w, r, status, problem)
		return
	}
	c.fail(w, r, err)
}

// problemOf is what a page about signing in says of an error; "" for one that is none of
// its own.
func problemOf(err error) (key string, status int) {
	switch code := gatehouse.ErrorCode(err); code {
	case "auth.refused", "auth.no_role", "auth.provider":
		return "code." + code, http.StatusForbidden
	case "auth.too_many":
		return "code." + code, http.StatusTooManyRequests
	}
	return "", 0
}

func (c *Console) againPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	b := c.signInBody(r, localPath(r.FormValue("next")), problem)
	b.Again = true
	c.render(w, r, status, "again", "again.title", "", b)
}

func (c *Console) againWithCode(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	err := c.o.Auth.AgainWithCode(w, r, strings.ReplaceAll(r.PostFormValue("code"), " ", ""))
	if err == nil {
		http.Redirect(w, r, localPath(r.PostFormValue("next")), http.StatusSeeOther)
		return
	}
	if problem, status := problemOf(err); problem != "" {
		c.againPage(w, r, status, problem)
		return
	}
	c.fail(w, r, err)
}

// arrived is the page behind single sign-on. It goes on by itself: see
// auth.SingleSignOnRoutes.
func (c *Console) arrived(w http.ResponseWriter, r *http.Request) {
	c.render(w, r, http.StatusOK, "arrived", "signin.arrived", "", nil)
}

func (c *Console) notArrived(w http.ResponseWriter, r *http.Request, err error) {
	if problem, status := problemOf(err); problem != "" {
		c.signInPage(w, r, status, problem)
		return
	}
	c.fail(w, r, err)
}

func (c *Console) setUpPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	c.render(w, r, status, "setup", "setup.title", "", c.signInBody(r, "", problem))
}

// setUp makes the first administrator, who goes on to add a passkey. One that was begun
// and left before it had a passkey is taken up again.
func (c *Console) setUp(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	roles := []gatehouse.Assignment{{Role: gatehouse.Administrator, Site: c.o.Place.Site}}
	if r.PostFormValue("manager") != "" {
		roles = append(roles, gatehouse.Assignment{Role: gatehouse.SiteManager, Site: c.o.Place.Site})
	}
	login := strings.TrimSpace(r.PostFormValue("login"))
	account, _, err := c.o.Accounts.Add(r.Context(), "set-up", accounts.New{Login: login, Roles: roles})
	if gatehouse.ErrorCode(err) == "account.exists" {
		for _, there := range c.o.Accounts.List() {
			if there.Login == login && there.State == gatehouse.Invited {
				if err = c.o.Accounts.SetRoles(r.Context(), "set-up", there.ID, roles); err == nil {
					account, _ = c.o.Accounts.Account(there.ID)
				}
			}
		}
	}
	if err == nil {
		err = c.o.Auth.SetUp(w, r, account)
	}
	switch code := gatehouse.ErrorCode(err); {
	case err == nil:
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	case code == "account.login", code == "account.exists":
		c.setUpPage(w, r, http.StatusUnprocessableEntity, "code."+code)
	default:
		c.fail(w, r, err)
	}
}

// home is the first page of whoever is signed in.
func home(s auth.Session) string {
	for _, page := range []struct {
		permission gatehouse.Permission
		path       string
	}{{gatehouse.SeeLive, "/"}, {gatehouse.SeePassages, "/passages"}, {gatehouse.SeePeople, "/people"}, {gatehouse.SeeDisclosures, "/disclosures"}, {gatehouse.ManageAccounts, "/accounts"}} {
		if s.May(page.permission) {
			return page.path
		}
	}
	return "/account"
}

// pageOf is where somebody goes on who was asked who they are: the page itself, or the
// one that a form stands on.
func pageOf(r *http.Request, back string) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return localPath(r.URL.EscapedPath())
	}
	return localPath(strings.NewReplacer("{id}", url.PathEscape(r.PathValue("id")), "{gate}", url.PathEscape(r.PathValue("gate"))).Replace(back))
}

// localPath is the path, if it leads to a page of this console, else the first one.
func localPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") || len(path) > 500 {
		return "/"
	}
	return path
}
