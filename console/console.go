// Package console is the web console: pages rendered on the server, one style
// sheet, one small script that keeps the live page moving. It reads through the
// ports of ports.go and can open nothing sealed itself: whatever is personal comes
// from the Lender, which writes the disclosure first.
package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/feed"
)

// Options are what a Console is made of. All but Accounts, Log, Now and Location must be given.
type Options struct {
	Place       gatehouse.Place
	SiteName    string // shown beside the brand; not personal
	Location    *time.Location
	Gates       []gatehouse.Gate
	Passages    Passages
	Lender      Lender
	Vault       Vault
	Registry    Registry
	Disclosures Disclosures
	Archive     Archive
	Accounts    Accounts // nil: there are no accounts, for tests
	Rules       Rules
	Badges      Badges
	Why         Why
	Openings    Openings
	Alarms      Alarms
	Devices     Devices  // nil: no pages about devices
	Privacy     Privacy  // nil: no pages for a privacy officer
	Health      Health   // nil: no page about health
	Audit       Audit    // nil: no page about the audit log
	Settings    Settings // nil: no page about settings
	Plans       Plans
	Hub         *feed.Hub
	Ring        *feed.Ring
	Auth        *auth.Auth
	Log         *slog.Logger
	Now         func() time.Time
}

// Console serves the pages. It is safe for concurrent use.
type Console struct {
	o      Options
	pages  map[string]map[string]*template.Template // language → page → template
	assets map[string]asset
	nav    []section
	shown  *shown
	vault  *archive
	rolls  rolls
	drafts *drafts
	erased *erasures
	counts counter
	stop   chan struct{}
	once   sync.Once
}

type asset struct {
	body   []byte
	zipped []byte // gzip
	kind   string
	tag    string
}

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// New returns a console. It panics where its own templates do not parse.
func New(o Options) *Console {
	if o.Location == nil {
		o.Location = time.Local
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Console{o: o, assets: map[string]asset{}, pages: map[string]map[string]*template.Template{},
		shown: newShown(o.Now), vault: newArchive(o.Now), drafts: newDrafts(o.Now), erased: newErasures(o.Now), stop: make(chan struct{}), nav: navigation()}
	c.loadAssets()
	for _, lang := range []string{"en", "zh"} {
		c.pages[lang] = c.parse(lang)
	}
	return c
}

// Close ends the open live streams, so that a server can shut down.
func (c *Console) Close() { c.once.Do(func() { close(c.stop) }) }

// Routes is the console's part of the server's table.
func (c *Console) Routes() (routes []auth.Route) {
	for _, a := range areas {
		routes = append(routes, a.routes(c)...)
	}
	for i, route := range routes {
		if route.Refuse == nil {
			routes[i].Refuse = func(w http.ResponseWriter, r *http.Request, err error) { c.refuse(w, r, err, route.Page) }
		}
	}
	return routes
}

func (c *Console) coreRoutes() []auth.Route {
	needs, fresh := auth.Needs, auth.NeedsFresh
	return []auth.Route{
		{Pattern: "GET /static/{name}", Policy: auth.Public, Handler: c.static},
		{Pattern: "GET /{$}", Policy: needs(gatehouse.SeeLive), Handler: c.live},
		{Pattern: "GET /live/wall", Policy: needs(gatehouse.SeeLive), Handler: c.wall},
		{Pattern: "GET /live/events", Policy: needs(gatehouse.SeeLive), Handler: c.events},
		{Pattern: "GET /gates/{gate}/still", Policy: needs(gatehouse.SeeLive), Handler: c.still},
		{Pattern: "GET /passages", Policy: needs(gatehouse.SeePassages), Handler: c.passages},
		{Pattern: "GET /passages/{id}", Policy: needs(gatehouse.SeePassages), Handler: c.passage},
		{Pattern: "GET /passages/{id}/pictures/{n}", Policy: needs(gatehouse.DisclosePassages), Handler: c.picture},
		{Pattern: "POST /passages/{id}/archive", Policy: fresh(gatehouse.SeeEvidence), Handler: c.openArchive, Page: "/passages/{id}"},
		{Pattern: "GET /passages/{id}/archive/{n}", Policy: needs(gatehouse.SeeEvidence), Handler: c.archived},
		{Pattern: "GET /disclosures", Policy: needs(gatehouse.SeeDisclosures), Handler: c.disclosures},
		{Pattern: "POST /disclosures/reasons", Policy: fresh(gatehouse.DisclosePeople), Handler: c.reasons, Page: "/disclosures"},
		{Pattern: "POST /vault/unseal", Policy: fresh(gatehouse.Unseal), Handler: c.unseal},
		{Pattern: "POST /vault/seal", Policy: needs(gatehouse.SealVault), Handler: c.seal},
		{Pattern: "GET /{path...}", Policy: needs(gatehouse.OwnAccount), Handler: c.missing},
	}
}

func (c *Console) loadAssets() {
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		kind := kinds[path.Ext(name)]
		if err != nil || d.IsDir() || kind == "" {
			return err
		}
		body, err := fs.ReadFile(staticFiles, name)
		sum := sha256.Sum256(body)
		c.assets[path.Base(name)] = asset{body: body, zipped: zipped(body), kind: kind, tag: hex.EncodeToString(sum[:8])}
		return err
	})
	if err != nil {
		panic(err)
	}
}

func zipped(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // fails for unknown levels only
	_, _ = w.Write(body)                                  // to memory
	_ = w.Close()
	return b.Bytes()
}

// static serves the embedded files. Their addresses carry their hash, so they may
// be kept. Only these are compressed: a page that shows what somebody sent beside what
// is personal would tell of it by its length.
func (c *Console) static(w http.ResponseWriter, r *http.Request) {
	a, ok := c.assets[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	if r.URL.Query().Get("v") == a.tag {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	w.Header().Add("Vary", "Accept-Encoding")
	body := a.body
	tag := a.tag
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		body, tag = a.zipped, a.tag+"-gz"
	}
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// who is the operator of a request that its policy let in.
func who(r *http.Request) Who {
	s, _ := auth.SessionFrom(r.Context())
	return Who{Operator: s.Operator(), Session: s.Key, Role: s.Role}
}

// gate returns the configured gate, or one that has only its id.
func (c *Console) gate(id gatehouse.GateID) gatehouse.Gate {
	for _, g := range c.o.Gates {
		if g.ID == id {
			return g
		}
	}
	return gatehouse.Gate{ID: id, Name: string(id), Kind: gatehouse.Door}
}
