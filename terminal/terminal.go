// Package terminal is the page of a tablet at a gate: how to be seen, what became of it,
// the other ways in, and the notice that the law asks for. It is no part of the console:
// nobody signs in, nothing personal is in it, and all that it asks for it asks as an
// enrolled device, over the routes that other devices use (package api).
package terminal

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"net/http"

	"gatehouse/auth"
	"gatehouse/internal/assets"
	"gatehouse/internal/language"
)

// Options are what a page is made of.
type Options struct {
	Site     string // its name
	Language string // en or zh: what it speaks until somebody chooses
	Notice   Notice
}

// Page is the terminals' page, the same for every tablet. It is safe for concurrent use.
type Page struct {
	files    assets.Set
	html     map[string][]byte // by language
	language string
	tag      string
}

//go:embed page.html
var source string

//go:embed static
var static embed.FS

// New returns a page. It panics where its own template does not parse.
func New(o Options) *Page {
	tree, err := fs.Sub(static, "static")
	if err != nil {
		panic(err)
	}
	p := &Page{files: assets.Load(tree), html: map[string][]byte{}, language: o.Language}
	if !language.Known(p.language) {
		p.language = "en"
	}
	for _, lang := range []string{"en", "zh"} {
		p.html[lang] = p.render(o, lang)
	}
	// A tablet loads the page anew when anything of it has changed.
	p.tag = assets.Tag(p.html["en"], p.html["zh"], []byte(p.files.Whole()))
	return p
}

// view is what the template gets.
type view struct {
	Lang, Site string
	Words      template.JS // every text in both languages, as JSON
	Keys       []int
	Notices    map[string][]Section
}

func (p *Page) render(o Options, lang string) []byte {
	words, err := json.Marshal(texts) // its &, < and > are escaped
	if err != nil {
		panic(err)
	}
	t := template.Must(template.New("page").Funcs(template.FuncMap{
		"t":     func(key string) string { return text(lang, key) },
		"asset": func(name string) string { return "/terminal/" + name + "?v=" + p.files.Tag(name) },
	}).Parse(source))
	var b bytes.Buffer
	v := view{Keys: []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, Lang: lang, Site: o.Site, Words: template.JS(words), //nolint:gosec // it is our own table
		Notices: map[string][]Section{"en": o.Notice.Sections("en"), "zh": o.Notice.Sections("zh")}}
	if err := t.Execute(&b, v); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Tag names the page as it is now: another one has another.
func (p *Page) Tag() string { return p.tag }

// Routes is the page's part of the server's table. All of it is the same for everybody.
func (p *Page) Routes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /terminal", Policy: auth.Public, Handler: p.page},
		{Pattern: "GET /terminal/{name}", Policy: auth.Public, Handler: func(w http.ResponseWriter, r *http.Request) {
			p.files.Serve(w, r, r.PathValue("name"))
		}},
	}
}

// policy is the page's Content-Security-Policy: besides its own scripts and styles there
// are the worker that reads QR codes, the manifest of its icon, and pictures of none.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; " +
	"form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

// permissions lets this page alone have the camera, and keep the screen on.
const permissions = "camera=(self), fullscreen=(self), screen-wake-lock=(self), microphone=(), geolocation=(), display-capture=(), usb=(), serial=()"

func (p *Page) page(w http.ResponseWriter, r *http.Request) {
	lang := p.language
	if l := r.URL.Query().Get("lang"); language.Known(l) {
		lang = l // a tablet of its own language
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", map[string]string{"en": "en", "zh": "zh-CN"}[lang])
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", policy)
	h.Set("Permissions-Policy", permissions)
	_, _ = w.Write(p.html[lang])
}

// text is a text in a language; its key where there is none, which a test prevents.
func text(lang, key string) string {
	s, ok := texts[key]
	switch {
	case !ok:
		return key
	case lang == "zh":
		return s[1]
	}
	return s[0]
}
