// Package consoletest is a console on top of a site that exists only in memory,
// for tests: passages, names and a vault without any sealing. Nothing outside of
// tests may import it.
package consoletest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/console"
	"gatehouse/feed"
	"gatehouse/flow/accounts"
	"gatehouse/flow/enroll"
	"gatehouse/flow/intake"
	"gatehouse/flow/plan"
	"gatehouse/flow/rulebook"
	"gatehouse/flow/timesheet"
	"gatehouse/flow/tokens"
	"gatehouse/flow/wages"
	"gatehouse/flow/webhooks"
	"gatehouse/flow/why"
	"gatehouse/flow/workingset"
)

// Passphrase unseals the vault.
const Passphrase = "correct horse battery staple"

// Place is where everything belongs.
var Place = gatehouse.Place{Org: "acme", Site: "hq"}

// Site is a console with everything behind it. Its exported fields may be read and
// replaced before a request is made.
type Site struct {
	Hub     *feed.Hub
	Ring    *feed.Ring
	Auth    *auth.Auth
	Console *console.Console
	Server  *httptest.Server
	Gates   []gatehouse.Gate
	// Accounts are kept in memory, and Leaves are what they and signing in wrote.
	Accounts *accounts.Accounts
	Leaves   *Leaves
	// Tokens and Webhooks are none at first, kept in memory; Deliveries are the latter's.
	Tokens     *tokens.Tokens
	Webhooks   *webhooks.Webhooks
	Deliveries *Deliveries
	// Rules is an empty rule book at first, kept in memory.
	Rules *rulebook.Book
	// Plans has no floor plan at first.
	Plans *plan.Plans
	// Enroller, Working and Imports are the real ones, over stores in memory. Erasing, if it
	// is set, is waited for by every erasure.
	Enroller *enroll.Enroller
	Working  *workingset.Set
	Imports  *intake.Jobs
	Erasing  chan struct{}
	// Hours is the real flow, over a store in memory.
	Hours      *timesheet.Hours
	hoursStore *hoursStore
	// Wages is the real flow, over a store in memory.
	Wages *wages.Wages
	pay   *payStore

	shelf *shelf
	// Equipment are the devices that their page lists.
	Equipment []console.DeviceState
	Papers    Papers
	Controls  Controls
	Verifying bool // the audit log
	BackingUp bool
	Options   []console.Option // nil: some

	mu          sync.Mutex
	stored      []gatehouse.StoredPassage // by id, ascending
	names       map[gatehouse.SubjectID]string
	plates      map[gatehouse.ID]string
	details     map[gatehouse.ID]gatehouse.Detail
	disclosures []gatehouse.Disclosure
	alarms      []gatehouse.RaisedAlarm
	unsealed    bool
	canary      bool
	spent       int // of the budget
	until       time.Time
	broken      error
	now         func() time.Time
}

// New starts a site on a free port of localhost. extra routes join the console's; change
// alters how people sign in.
func New(now func() time.Time, lang *time.Location, extra func(*Site) []auth.Route, change ...func(*auth.Options)) *Site {
	if now == nil {
		now = time.Now
	}
	s := &Site{now: now, Hub: feed.NewHub(now), Ring: feed.NewRing(0, 0, now),
		names: map[gatehouse.SubjectID]string{}, plates: map[gatehouse.ID]string{}, details: map[gatehouse.ID]gatehouse.Detail{},
		Gates: []gatehouse.Gate{
			{Place: Place, ID: "front-door", Kind: gatehouse.Door, Name: "Front door", Direction: gatehouse.In},
			{Place: Place, ID: "car-park", Kind: gatehouse.Lane, Name: "Car park entry", Direction: gatehouse.In, Region: "any"},
		}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	s.Leaves = &Leaves{}
	s.Accounts, _ = accounts.Load(accounts.Ports{Place: Place, Working: working{}, Log: s.Leaves, Now: now,
		HasGate: func(id gatehouse.GateID) bool { return id == "front-door" || id == "car-park" }})
	registry := s.openRegistry()
	s.openPrograms()
	s.Controls = newControls()
	s.openRules()
	s.openPlans()
	s.openHours(lang)
	s.openWages()
	gates := map[gatehouse.GateID]gatehouse.Gate{}
	for _, g := range s.Gates {
		gates[g.ID] = g
	}
	explainer := why.New(why.Ports{Gates: gates, Location: cmp.Or(lang, time.Local), Badges: s.Working, Rules: s.Rules, Now: now})
	how := auth.Options{Place: Place, BaseURL: "http://localhost:" + port, Hosts: auth.LoopbackHosts(port), RelyingParty: "localhost", SiteName: "Harbour Works", TOTP: true,
		Accounts: s.Accounts, Log: s.Leaves, Now: now}
	for _, c := range change {
		c(&how)
	}
	s.Auth = auth.New(how)
	s.Console = console.New(console.Options{Place: Place, SiteName: "Harbour Works", Location: lang, Gates: s.Gates,
		Passages: s, Lender: s, Vault: vault{s}, Registry: registry, Disclosures: s, Archive: archive{s}, Accounts: s.Accounts, Tokens: s.Tokens, Webhooks: s.Webhooks, Rules: s.Rules, Badges: s.Working, Why: explainer, Openings: s, Alarms: s, Devices: equipment{s}, Privacy: papers{s}, Control: control{s}, Health: wellbeing{s}, Audit: auditor{s}, Settings: settled{s}, Plans: s.Plans, Hours: s.Hours, HoursReasons: hoursReasons{s}, PayFiles: hoursReasons{s}, PunchFiles: hoursReasons{s}, Looks: hoursReasons{s}, Wages: s.Wages, Payslips: hoursReasons{s}, WebClock: true, Hub: s.Hub, Ring: s.Ring, Auth: s.Auth, Now: now})
	routes := s.Console.Routes()
	if extra != nil {
		routes = append(routes, extra(s)...)
	}
	s.Server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: s.Auth.Handler(auth.TCP, routes, s.Console.Refuse)}}
	s.Server.Start()
	return s
}

// Close stops the server.
func (s *Site) Close() {
	s.Console.Close()
	s.Imports.Close()
	s.Server.CloseClientConnections()
	s.Server.Close()
}

// Break makes the store and the lender fail with err, nil repairs them.
func (s *Site) Break(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

// Enrol adds somebody or a vehicle; name is a plate for a vehicle, and whatever it is.
func (s *Site) Enrol(kind gatehouse.SubjectKind, label, name string, status gatehouse.SubjectStatus) gatehouse.SubjectID {
	ctx, id := context.Background(), gatehouse.RandomID()
	packed := gatehouse.SealedRecord{Name: []byte(sealedMark + name), Rest: []byte(sealedMark + "{}")}.Pack()
	subject := gatehouse.Subject{Place: Place, ID: id, Kind: kind, Status: status, Enrolled: s.now().AddDate(0, -2, 0), Record: packed}
	badge := gatehouse.Badge{Subject: id, Kind: kind, Status: status, Label: label, FaceConsent: true, Grants: []gatehouse.Grant{{Gate: "*", Schedule: "office-hours"}}}
	if err := errors.Join(s.shelf.PutSubject(ctx, gatehouse.SubjectCommit{Subject: subject}), s.Working.PutBadge(ctx, badge)); err != nil {
		panic(err)
	}
	return id
}

// Arrive commits a passage with its pictures and tells the feed.
func (s *Site) Arrive(p gatehouse.Passage, d gatehouse.Detail, pictures ...gatehouse.Picture) gatehouse.Passage {
	p.Place = Place
	if p.At.IsZero() {
		p.At = s.now()
	}
	if p.ID.IsZero() {
		p.ID = gatehouse.NewID(p.At)
	}
	s.mu.Lock()
	stored := gatehouse.StoredPassage{Passage: p, Detail: []byte("sealed")}
	for range pictures {
		stored.Evidence = append(stored.Evidence, gatehouse.Evidence{Blob: gatehouse.RandomID(), Kind: gatehouse.CropEvidence})
	}
	s.stored = append(s.stored, stored)
	slices.SortFunc(s.stored, func(a, b gatehouse.StoredPassage) int { return bytes.Compare(a.Passage.ID[:], b.Passage.ID[:]) })
	s.details[p.ID] = d
	if d.Plate != "" {
		s.plates[p.ID] = d.Plate
	}
	s.mu.Unlock()
	s.Ring.Put(p.Gate, p.ID, pictures)
	s.Hub.PassageCommitted(p)
	return p
}

// Finish sets a passage's outcome and tells the feed.
func (s *Site) Finish(id gatehouse.ID, o gatehouse.Outcome) {
	s.mu.Lock()
	var p gatehouse.Passage
	for i := range s.stored {
		if s.stored[i].Passage.ID == id {
			s.stored[i].Passage.Outcome, s.stored[i].Passage.OutcomeAt = o, s.now()
			p = s.stored[i].Passage
		}
	}
	s.mu.Unlock()
	s.Hub.PassageUpdated(p)
}

// Passages is console.Passages.
func (s *Site) Passages(_ context.Context, q gatehouse.PassageQuery) ([]gatehouse.Passage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []gatehouse.Passage
	for i := len(s.stored) - 1; i >= 0 && len(out) < q.Limit; i-- {
		p := s.stored[i].Passage
		if !q.Has(p) || p.At.Before(q.Since) || !q.Until.IsZero() && !p.At.Before(q.Until) {
			continue
		}
		if q.Before.IsZero() || bytes.Compare(p.ID[:], q.Before[:]) < 0 {
			out = append(out, p)
		}
	}
	return out, s.broken
}

// Passage is console.Passages.
func (s *Site) Passage(_ context.Context, _ gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.stored {
		if p.Passage.ID == id {
			return p, s.broken
		}
	}
	return gatehouse.StoredPassage{}, gatehouse.Errorf("store.not_found", "", "there is no such passage")
}

// CountPassages is console.Passages.
func (s *Site) CountPassages(_ context.Context, _ gatehouse.Place, from, until time.Time, at gatehouse.Gates) (gatehouse.PassageCounts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := gatehouse.PassageCounts{ByReason: map[gatehouse.Reason]int{}}
	for _, p := range s.stored {
		if p.Passage.At.Before(from) || !p.Passage.At.Before(until) || !at.Has(p.Passage.Gate) {
			continue
		}
		n.ByReason[p.Passage.Decision.Reason]++
		if p.Passage.Decision.Grant {
			n.Granted++
		} else {
			n.Denied++
		}
	}
	return n, s.broken
}

func (s *Site) disclose(who console.Who, purpose, reason string, units int, items ...string) {
	s.disclosures = append(s.disclosures, gatehouse.Disclosure{ID: gatehouse.NewID(s.now()), At: s.now(), Operator: who.Operator, Role: string(who.Role),
		Purpose: purpose, Reason: reason, Items: items, Units: units})
}

func (s *Site) lent(p gatehouse.Passage) console.Lent {
	if s.unsealed {
		if p.Kind == gatehouse.PlateReading {
			return console.Lent{Text: s.plates[p.ID], Lent: true, Plate: true}
		}
		return console.Lent{Text: s.names[p.Subject], Lent: true}
	}
	b, _ := s.Working.Badge(p.Subject)
	return console.Lent{Text: b.Label}
}

// Live is console.Lender.
func (s *Site) Live(_ context.Context, who console.Who, passages []gatehouse.Passage) (map[gatehouse.ID]console.Lent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	items := make([]string, len(passages))
	out := map[gatehouse.ID]console.Lent{}
	for i, p := range passages {
		items[i] = "passage/" + p.ID.String() + "/detail"
		if l := s.lent(p); l.Text != "" {
			out[p.ID] = l
		}
	}
	s.disclose(who, "live", "", len(passages), items...)
	return out, nil
}

// Detail is console.Lender.
func (s *Site) Detail(_ context.Context, who console.Who, p gatehouse.StoredPassage) (console.Opened, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disclose(who, "passage", "", 10, "passage/"+p.Passage.ID.String()+"/detail")
	o := console.Opened{Lent: s.lent(p.Passage)}
	if d, ok := s.details[p.Passage.ID]; ok && s.unsealed {
		o.Detail = &d
	}
	return o, s.broken
}

// Evidence is console.Lender.
func (s *Site) Evidence(_ context.Context, who console.Who, p gatehouse.StoredPassage, reason string) ([][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.unsealed {
		return nil, gatehouse.Errorf("vault.sealed", "unseal the vault first", "the vault is sealed")
	}
	s.disclose(who, "passage", reason, 10*len(p.Evidence), "passage/"+p.Passage.ID.String()+"/evidence")
	out := make([][]byte, len(p.Evidence))
	for i := range out {
		out[i] = Picture(320, 240, uint8(40*i)).JPEG
	}
	return out, nil
}

// Names is console.Lender.
func (s *Site) Names(_ context.Context, who console.Who, subjects []gatehouse.SubjectID) (map[gatehouse.SubjectID]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[gatehouse.SubjectID]string{}
	if s.unsealed {
		items := make([]string, len(subjects))
		for i, id := range subjects {
			out[id], items[i] = s.names[id], "subjects/"+id.String()+"/name"
		}
		s.disclose(who, "person", "", len(subjects), items...)
	}
	return out, s.broken
}

// Reasons is console.Disclosures.
func (s *Site) Reasons(_ context.Context, who console.Who, list []gatehouse.Disclosure) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.unsealed {
		return gatehouse.Errorf("vault.sealed", "unseal the vault first", "the vault is sealed")
	}
	n := 0
	for i := range list {
		if list[i].ReasonSealed {
			list[i].Reason, list[i].ReasonSealed = string(list[i].SealedReason), false
			n++
		}
	}
	s.disclosures = append(s.disclosures, gatehouse.Disclosure{ID: gatehouse.NewID(s.now()), At: s.now(), Operator: who.Operator, Purpose: "audit", Units: n})
	return nil
}

// Disclosed puts a disclosure of another day into the log.
func (s *Site) Disclosed(at time.Time, operator, purpose string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disclosures = append(s.disclosures, gatehouse.Disclosure{ID: gatehouse.NewID(at), At: at, Operator: operator, Purpose: purpose, Units: 1})
	slices.SortFunc(s.disclosures, func(a, b gatehouse.Disclosure) int { return bytes.Compare(a.ID[:], b.ID[:]) })
}

// Disclosures is console.Disclosures; reasons come sealed, as the vault gives them.
func (s *Site) Disclosures(_ context.Context, before gatehouse.ID, limit int) ([]gatehouse.Disclosure, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []gatehouse.Disclosure
	for i := len(s.disclosures) - 1; i >= 0 && len(out) < limit; i-- {
		d := s.disclosures[i]
		if d.Reason != "" {
			d.Reason, d.ReasonSealed, d.SealedReason = "", true, []byte(d.Reason)
		}
		if before.IsZero() || bytes.Compare(d.ID[:], before[:]) < 0 {
			out = append(out, d)
		}
	}
	return out, nil
}

// Trip shuts the vault as a canary does.
func (s *Site) Trip() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsealed, s.canary = false, true
}

// vault is console.Vault.
type vault struct{ s *Site }

func (v vault) Status(context.Context) (console.VaultStatus, error) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	return console.VaultStatus{Unsealed: v.s.unsealed, Until: v.s.until, Canary: v.s.canary}, nil
}

func (v vault) Unseal(_ context.Context, _ console.Who, passphrase []byte, d time.Duration) error {
	if string(passphrase) != Passphrase {
		return gatehouse.Errorf("vault.passphrase", "try again", "this passphrase does not open the vault")
	}
	v.s.mu.Lock()
	v.s.unsealed, v.s.until = true, v.s.now().Add(d)
	v.s.mu.Unlock()
	v.s.Hub.VaultChanged()
	return nil
}

func (v vault) Seal(context.Context, console.Who) error {
	v.s.mu.Lock()
	v.s.unsealed, v.s.until = false, time.Time{}
	v.s.mu.Unlock()
	v.s.Hub.VaultChanged()
	return nil
}

// Unseal opens the vault, as an administrator would on the socket.
func (s *Site) Unseal() {
	_ = vault{s}.Unseal(context.Background(), console.Who{}, []byte(Passphrase), time.Hour)
}

// Picture is a plain JPEG of w×h pixels with a mark in it, so that two shades can
// be told apart.
func Picture(w, h int, shade uint8) gatehouse.Picture {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.RGBA{90 + shade/2, 120, 130, 255}), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(w/4, h/4, w*3/4, h), image.NewUniform(color.RGBA{220, 190 - shade/2, 160, 255}), image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(fmt.Sprint("a JPEG of our own: ", err))
	}
	return gatehouse.Picture{Kind: gatehouse.CropEvidence, JPEG: b.Bytes(), At: time.Now()}
}
