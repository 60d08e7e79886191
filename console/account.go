package console

import (
	"net/http"
	"strings"

	"gatehouse"
	"gatehouse/auth"

	"github.com/boombuler/barcode/qr"
)

// ownAccount is the area of what everybody who is signed in has.
var ownAccount = area{pages: []string{"account", "code"}, routes: (*Console).accountRoutes}

// accountRoutes are somebody's own account: what they sign in with, and where they are
// signed in.
func (c *Console) accountRoutes() []auth.Route {
	own, fresh := auth.Needs(gatehouse.OwnAccount), auth.NeedsFresh(gatehouse.OwnAccount)
	routes := []auth.Route{
		{Pattern: "GET /account", Policy: own, Handler: c.account},
		{Pattern: "POST /account/sessions/{id}/end", Policy: own, Handler: c.endOwnSession},
	}
	if c.o.Accounts == nil {
		return routes
	}
	routes = append(routes, auth.Route{Pattern: "POST /account/credentials/{id}/remove", Policy: fresh, Handler: c.removeOwnCredential, Page: "/account"})
	if c.o.Auth.Ways().TOTP {
		routes = append(routes,
			auth.Route{Pattern: "GET /account/code", Policy: fresh, Handler: func(w http.ResponseWriter, r *http.Request) { c.codePage(w, r, http.StatusOK, "") }},
			auth.Route{Pattern: "POST /account/code", Policy: fresh, Handler: c.confirmCode, Page: "/account/code"})
	}
	return routes
}

// accountBody is the page of one's own account.
type accountBody struct {
	Account  gatehouse.Account
	Local    bool
	Limited  bool // invited: it has nothing to sign in with yet
	Welcome  bool // it was given its first passkey just now
	Passkeys int
	Ways     auth.Ways
	Address  string // of the page where passkeys work, "" for this one
	Sessions []auth.Session
	Here     string // the key of this one
	Roles    []roleView
	Problem  string
}

// roleView is a role and what it allows.
type roleView struct {
	gatehouse.Assignment
	May []gatehouse.Permission
}

func roleViews(a gatehouse.Account) (out []roleView) {
	for _, as := range a.Roles {
		v := roleView{Assignment: as}
		for _, p := range gatehouse.Permissions {
			if as.Role.May(p) {
				v.May = append(v.May, p)
			}
		}
		out = append(out, v)
	}
	return out
}

func (c *Console) account(w http.ResponseWriter, r *http.Request) {
	s, _ := auth.SessionFrom(r.Context())
	b := accountBody{Local: s.Local(), Ways: c.o.Auth.Ways(), Here: s.Key, Welcome: r.URL.Query().Has("welcome")}
	if c.o.Accounts != nil && !b.Local {
		b.Account, _ = c.o.Accounts.Account(s.Account)
		b.Sessions, b.Roles = c.o.Auth.Sessions(s.Account), roleViews(b.Account)
		b.Limited = len(b.Account.Credentials) == 0
		for _, k := range b.Account.Credentials {
			if k.Kind == gatehouse.ByPasskey {
				b.Passkeys++
			}
		}
	}
	if b.Ways.Passkey && !c.o.Auth.PasskeysAt(r.Host) {
		b.Address = c.o.Auth.BaseURL()
	}
	c.render(w, r, http.StatusOK, "account", "account.title", "account", b)
}

func (c *Console) endOwnSession(w http.ResponseWriter, r *http.Request) {
	s, _ := auth.SessionFrom(r.Context())
	if !s.Account.IsZero() {
		c.o.Auth.EndSession(s.Account, r.PathValue("id"))
	}
	http.Redirect(w, r, "/account#sessions", http.StatusSeeOther)
}

func (c *Console) removeOwnCredential(w http.ResponseWriter, r *http.Request) {
	s, _ := auth.SessionFrom(r.Context())
	if err := c.o.Accounts.RemoveCredential(r.Context(), s.Operator(), s.Account, r.PathValue("id")); err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

// codeBody is the page that gives somebody a secret for one-time codes.
type codeBody struct {
	Text    string // in groups of four, for typing
	QR      picture
	Problem string
}

// picture is a QR code as one path of unit squares.
type picture struct {
	Size int
	Path string
}

func (c *Console) codePage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	text, address, ok := c.o.Auth.NewCode(r)
	if !ok {
		c.fail(w, r, gatehouse.Errorf("auth.forbidden", "", "a local session has no codes"))
		return
	}
	var groups []string
	for ; len(text) > 4; text = text[4:] {
		groups = append(groups, text[:4])
	}
	image, err := qrPath(address)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, status, "code", "code.title", "account", codeBody{Text: strings.Join(append(groups, text), " "), QR: image, Problem: problem})
}

func (c *Console) confirmCode(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	err := c.o.Auth.ConfirmCode(r, strings.ReplaceAll(r.PostFormValue("code"), " ", ""))
	if err == nil {
		http.Redirect(w, r, "/account", http.StatusSeeOther)
		return
	}
	if problem, status := problemOf(err); problem != "" {
		c.codePage(w, r, status, problem)
		return
	}
	c.fail(w, r, err)
}

// qrPath draws text as a QR code. It is a part of the page, so that the secret in it has
// no address.
func qrPath(text string) (picture, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return picture{}, err
	}
	var b strings.Builder
	size := code.Bounds().Dx()
	for y := range size {
		for x := range size {
			if red, _, _, _ := code.At(x, y).RGBA(); red == 0 {
				b.WriteString("M" + itoa(x+2) + " " + itoa(y+2) + "h1v1h-1z")
			}
		}
	}
	return picture{Size: size + 4, Path: b.String()}, nil
}
