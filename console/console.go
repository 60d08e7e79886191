// Package console is the web console: pages rendered on the server, one style
// sheet, one small script that keeps the live page moving. It reads through the
// ports of ports.go and can open nothing sealed itself: whatever is personal comes
// from the Lender, which writes the disclosure first.
package console

import (
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/feed"
	"gatehouse/internal/assets"
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
	Tokens      Tokens   // nil: no page about access tokens
	Webhooks    Webhooks // nil: no pages about webhooks
	Rules       Rules
	Badges      Badges
	Why         Why
	Openings    Openings
	Alarms      Alarms
	Devices     Devices  // nil: no pages about devices
	Privacy     Privacy  // nil: no pages for a privacy officer
	Control     Control  // nil: no pages about budgets, canaries and one release
	Health      Health   // nil: no page about health
	Audit       Audit    // nil: no page about the audit log
	Settings    Settings // nil: no page about settings
	Parking     Parking  // nil: the site has no car park
	Plans       Plans
	// Hours are hours worked, and HoursReasons opens what people wrote with a request; nil: no
	// pages about hours. WebClock shows a clock on one's own page.
	Hours        Hours
	HoursReasons HoursReasons
	PayFiles     PayFiles
	PunchFiles   PunchFiles
	Looks        Looks
	// Wages is pay, and Payslips opens it; nil: no pages about pay.
	Wages    Wages
	Payslips Payslips
	WebClock bool
	// Books are the car park's; nil: no pages about them.
	Books       Books
	ExportBooks ExportBooks
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
	assets assets.Set
	nav    []section
	shown  *shown
	seen   *shown // of which passages a session was sent pictures
	vault  *archive
	rolls  rolls
	drafts *drafts
	erased *erasures
	files  *releaseFiles
	counts counter
	stop   chan struct{}
	once   sync.Once
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
	c := &Console{o: o, assets: assets.Load(staticFiles), pages: map[string]map[string]*template.Template{},
		shown: newShown(o.Now), seen: newShown(o.Now), vault: newArchive(o.Now), drafts: newDrafts(o.Now), erased: newErasures(o.Now), files: newReleaseFiles(o.Now), stop: make(chan struct{}), nav: navigation()}
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
		{Pattern: "GET /traffic", Policy: needs(gatehouse.SeePassages), Handler: c.traffic},
		{Pattern: "GET /traffic/counts", Policy: needs(gatehouse.SeePassages), Handler: c.trafficCounts},
		{Pattern: "GET /passages/{id}", Policy: needs(gatehouse.SeePassages), Handler: c.passage},
		{Pattern: "GET /passages/{id}/pictures/{n}", Policy: needs(gatehouse.DisclosePassages), Handler: c.picture},
		{Pattern: "POST /passages/{id}/archive", Policy: fresh(gatehouse.SeeEvidence), Handler: c.openArchive, Page: "/passages/{id}"},
		{Pattern: "GET /passages/{id}/archive/{n}", Policy: needs(gatehouse.SeeEvidence), Handler: c.archived},
		{Pattern: "GET /disclosures", Policy: needs(gatehouse.SeeDisclosures), Handler: c.disclosures},
		{Pattern: "POST /disclosures/reasons", Policy: fresh(gatehouse.DisclosePeople), Handler: c.reasons, Page: "/disclosures"},
		{Pattern: "POST /vault/unseal", Policy: fresh(gatehouse.Unseal), Handler: c.unseal},
		{Pattern: "POST /vault/seal", Policy: needs(gatehouse.SealVault), Handler: c.seal},
		{Pattern: "POST /find", Policy: needs(gatehouse.OwnAccount), Handler: c.findIn},
		{Pattern: "GET /{path...}", Policy: needs(gatehouse.OwnAccount), Handler: c.missing},
	}
}

// static serves the embedded files.
func (c *Console) static(w http.ResponseWriter, r *http.Request) {
	c.assets.Serve(w, r, r.PathValue("name"))
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
