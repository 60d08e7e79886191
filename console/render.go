package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/internal/language"
)

// page is what every page's template gets.
type page struct {
	Lang    string // en or zh
	Title   string // a key of texts
	Site    string
	Here    string // the navigation's entry
	Path    string // for the language switch
	Vault   vaultView
	Session bool // signed in: navigation and vault are shown
	Local   bool // a demo's session
	Nav     []section
	Body    any
	who     auth.Session
}

// May reports whether whoever sees the page has the permission.
func (p page) May(permission gatehouse.Permission) bool { return p.who.May(permission) }

// sessionPage is the frame of every page of the request's session.
func (c *Console) sessionPage(r *http.Request) page {
	p := page{}
	p.who, p.Session = auth.SessionFrom(r.Context())
	p.Session = p.Session && p.who.May(gatehouse.OwnAccount)
	p.Local = p.Session && p.who.Local()
	if p.Session {
		p.Nav = c.navigationFor(p.who)
		p.Vault = c.vaultView(r.Context())
	}
	return p
}

func (c *Console) parse(lang string) map[string]*template.Template {
	funcs := template.FuncMap{
		"t":      func(key string) string { return text(lang, key) },
		"tf":     func(key string, args ...any) string { return fmt.Sprintf(text(lang, key), args...) },
		"asset":  func(name string) string { return "/static/" + name + "?v=" + c.assets.Tag(name) },
		"clock":  func(t time.Time) string { return t.In(c.o.Location).Format("15:04:05") },
		"minute": func(t time.Time) string { return t.In(c.o.Location).Format("15:04") },
		"millis": func(t time.Time) string { return t.In(c.o.Location).Format("15:04:05.000") },
		"stamp":  func(t time.Time) string { return t.In(c.o.Location).Format("2006-01-02 15:04:05") },
		"day":    func(t time.Time) string { return t.In(c.o.Location).Format("2006-01-02") },
		"iso":    func(t time.Time) string { return t.In(c.o.Location).Format(time.RFC3339) },
		"ms":     milliseconds,
		"pct":    func(f float64) string { return fmt.Sprintf("%.0f %%", 100*f) },
		"bar":    func(f float64) int { return portion(f, 100) },
		"inc":    func(i int) int { return i + 1 },
		// part and rest split a bar of n units at a share.
		"part": func(f float64, n int) int { return portion(f, n) },
		"rest": func(f float64, n int) int { return n - portion(f, n) },
		// purpose translates those that exist; another one is shown as it is.
		"purpose": func(p string) string {
			if _, ok := texts["purpose."+p]; ok {
				return text(lang, "purpose."+p)
			}
			return p
		},
		// cause is an error's code as people read it, as far as there are words for it.
		"cause": func(code string) string {
			if _, ok := texts["code."+code]; ok {
				return text(lang, "code."+code)
			}
			return code
		},
		// step is a question of a decision; its name is no key, it holds a space.
		"step":       func(name string) string { return text(lang, "asked."+strings.ReplaceAll(name, " ", "_")) },
		"role":       func(r gatehouse.Role) string { return r.Sentence(lang) },
		"permission": func(p gatehouse.Permission) string { return p.Sentence(lang) },
		"gatenames":  c.gateNames,
		"tenth":      func(n int) string { return fmt.Sprintf("%d.%d", n/10, n%10) },
		"days":       func(line string) string { return localDays(lang, line) },
		"char":       func(r rune) string { return string(r) },
		"bytes":      bytesText,
	}
	parts := template.Must(template.New("").Funcs(funcs).ParseFS(templateFiles, "templates/base.html", "templates/parts.html", "templates/fields.html", "templates/listing.html", "templates/hours_parts.html"))
	out := map[string]*template.Template{"parts": parts}
	for _, a := range areas {
		for _, name := range a.pages {
			out[name] = template.Must(template.Must(parts.Clone()).ParseFS(templateFiles, "templates/"+name+".html"))
		}
	}
	return out
}

// portion is the share f (0..1) of n, rounded.
func portion(f float64, n int) int { return int(float64(n)*min(1, max(0, f)) + 0.5) }

// milliseconds writes a latency as people read it: 84 ms, 1.2 s.
func milliseconds(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", max(1, d.Milliseconds()))
}

// render writes a page. Everything is rendered before the first byte is sent, so
// that an error gives a whole error page.
func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, name, title, here string, body any) {
	lang := languageOf(w, r)
	p := c.sessionPage(r)
	p.Lang, p.Title, p.Site, p.Here, p.Path, p.Body = lang, title, c.o.SiteName, here, localPath(r.URL.EscapedPath()), body
	var b bytes.Buffer
	if err := c.pages[lang][name].ExecuteTemplate(&b, "base", p); err != nil {
		c.o.Log.Error("page", "template", name, "err", err)
		http.Error(w, "console.template: the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", map[string]string{"en": "en", "zh": "zh-CN"}[lang])
	w.Header().Add("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// part renders one fragment.
func (c *Console) part(b *bytes.Buffer, lang, name string, data any) {
	if err := c.pages[lang]["parts"].ExecuteTemplate(b, name, data); err != nil {
		c.o.Log.Error("fragment", "template", name, "err", err)
	}
}

// fragment writes a part of a page for a script to put in its place.
func (c *Console) fragment(w http.ResponseWriter, lang, page, name string, body any) {
	var b bytes.Buffer
	if err := c.pages[lang][page].ExecuteTemplate(&b, name, body); err != nil {
		c.o.Log.Error("fragment", "template", name, "err", err)
		http.Error(w, "console.template: the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
}

// message is the body of a page that only says something.
type message struct {
	Heading string // a key of texts
	Text    string // a key of texts, "" for none
	Code    string // an error's code
	Detail  string // an error's message and hint
	Command string // what to run
	Link    string // where to go on
	LinkTo  string // a key of texts
}

// fail answers with an error page. Only what a gatehouse.Error says for people is
// shown; causes go to the log.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	m := message{Heading: "error.title", Link: "/", LinkTo: "vault.back", Code: "console.failed"}
	var e *gatehouse.Error
	if errors.As(err, &e) {
		m.Code = e.Code
		m.Detail = errorText(languageOf(w, r), e)
		switch e.Code {
		case "store.not_found", "id.malformed", "enroll.draft", "intake.gone", "erase.unknown":
			status, m.Text = http.StatusNotFound, "error.missing"
			if _, ok := texts["code."+e.Code]; !ok {
				m.Detail = ""
			} else {
				m.Text = ""
			}
		case "vault.sealed", "vault.passphrase", "vault.forbidden", "auth.forbidden", "auth.refused", "auth.no_role", "auth.loopback_only":
			status = http.StatusForbidden
		case "vault.canary":
			status = http.StatusLocked
		case "vault.busy", "vault.too_many", "vault.budget", "auth.too_many":
			status = http.StatusTooManyRequests
		case "vault.unavailable", "auth.provider":
			status = http.StatusServiceUnavailable
		case "form.malformed":
			status = http.StatusBadRequest
		case "parking.attached", "parking.does_not_fit", "parking.no_mark", "parking.changed":
			status = http.StatusConflict
		case "parking.plate", "parking.right", "parking.vehicle", "parking.shop", "parking.validation", "parking.not_for_sale":
			status = http.StatusUnprocessableEntity
		case "parking.unknown_account", "parking.unknown_shop", "parking.unknown_right", "parking.unknown_stay", "parking.unknown_exit", "parking.unknown_tariff", "account.unknown", "rules.unknown", "gate.unknown":
			status = http.StatusNotFound
		case "rules.changed", "rules.exists", "rules.in_use":
			status = http.StatusConflict
		default:
			if asked := booksStatus(e.Code); asked != 0 {
				status = asked
			} else if asked := askerStatus(e.Code); asked != 0 || strings.HasPrefix(e.Code, "rules.") || strings.HasPrefix(e.Code, "why.") || strings.HasPrefix(e.Code, "plan.") {
				status = asked
			}
		}
	}
	if status == http.StatusInternalServerError {
		c.o.Log.Error("page failed", "path", r.Pattern, "err", err)
	}
	c.render(w, r, status, "message", "error.title", "", m)
}

// errorText is what people are told: in their language where the code has a text of its
// own, else the error's sentence and what to do.
func errorText(lang string, e *gatehouse.Error) string {
	if _, ok := texts["code."+e.Code]; ok {
		return text(lang, "code."+e.Code)
	}
	s := e.Public()
	if e.Hint != "" {
		s += " · " + e.Hint
	}
	return s
}

// Refuse is the auth.Refuse of pages: it leads to signing in.
func (c *Console) Refuse(w http.ResponseWriter, r *http.Request, err error) { c.refuse(w, r, err, "") }

// turnedAway answers what no route has seen: under another name, or from another site's
// page. Whoever reads it may be anybody's page, so it says nothing of the site and sets
// nothing.
func (c *Console) turnedAway(w http.ResponseWriter, r *http.Request, status int, code string) {
	lang := language.Of(r.Header.Get("Accept-Language"))
	var b bytes.Buffer
	c.part(&b, lang, "turnedaway", struct{ Lang, Code string }{lang, code})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// refuse is Refuse; back is where a form's sender goes on, see auth.Route.Page.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, err error, back string) {
	session, _ := auth.SessionFrom(r.Context())
	switch gatehouse.ErrorCode(err) {
	case "auth.session_needed":
		c.signInPage(w, r, http.StatusUnauthorized, "")
	case "auth.set_up":
		http.Redirect(w, r, "/set-up", http.StatusSeeOther)
	case "auth.passkey_needed":
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	case "auth.again":
		http.Redirect(w, r, "/again?"+url.Values{"next": {pageOf(r, back)}}.Encode(), http.StatusSeeOther)
	case "auth.host":
		c.turnedAway(w, r, http.StatusMisdirectedRequest, "auth.host")
	case "auth.cross_origin":
		c.turnedAway(w, r, http.StatusForbidden, "auth.cross_origin")
	case "auth.forbidden":
		if r.Pattern == "GET /{$}" && session.May(gatehouse.OwnAccount) {
			http.Redirect(w, r, home(session), http.StatusSeeOther)
			return
		}
		c.fail(w, r, err)
	default:
		c.fail(w, r, err)
	}
}

func (c *Console) spent(w http.ResponseWriter, r *http.Request, err error) {
	if gatehouse.ErrorCode(err) != "auth.link_spent" {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusGone, "message", "error.spent.title", "",
		message{Heading: "error.spent.title", Text: "error.spent", Command: "gatehouse link", Link: "/", LinkTo: "error.session.again"})
}

func (c *Console) left(w http.ResponseWriter, r *http.Request) {
	c.drafts.end(who(r).Session)
	r = r.WithContext(context.Background()) // the session is over: no navigation
	c.render(w, r, http.StatusOK, "message", "error.left", "", message{Heading: "error.left", Link: "/signin", LinkTo: "signin.title"})
}

func (c *Console) missing(w http.ResponseWriter, r *http.Request) {
	c.fail(w, r, gatehouse.Errorf("store.not_found", "", "no such page"))
}
