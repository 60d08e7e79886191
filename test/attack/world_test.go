package attack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/internal/child/childtest"
	"gatehouse/lab/demo/scene"
	"gatehouse/server"
	"gatehouse/vault"
	"gatehouse/vault/custody"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
	"gatehouse/vision/worker"
)

func TestMain(m *testing.M) {
	custody.QuickForTests() // in the processes that it starts, too
	childtest.Main(m, map[string]func(context.Context) error{"__vault": vault.RunChild, "__vision": worker.RunChild})
}

const passphrase = "correct horse battery staple"

// markup is what an attacker writes wherever text is taken: it closes an attribute and
// opens an element, so that a page that does not escape it has an element or an attribute
// of its name.
const markup = `"'><ghx ghx="1" onghx='2'>`

// world is a running site with somebody and something of everything in it.
type world struct {
	server *server.Server
	base   string
	routes []auth.Route
	local  *http.Cookie // a session that may do everything
	token  string       // of the device "pad"
	ids    map[string]string
	client *http.Client
}

// newWorld starts a site whose texts are what the caller gives.
func newWorld(t *testing.T, text string) *world {
	t.Helper()
	if _, err := os.Stat(filepath.Join(models.Dir(), "portraits")); err != nil {
		t.Skip("no models here: run `make assets`")
	}
	c := server.DefaultConfig()
	c.Data, c.GateKey, c.Listen, c.LogLevel = filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "gate.key"), "localhost:0", "error"
	c.Site.Name = "Site " + text
	door, lane := server.DefaultGate(), server.DefaultGate()
	door.ID, door.Name, door.SecondFactor, door.Liveness = "front-door", "Door "+text, false, false
	lane.ID, lane.Name, lane.Kind = "entry-lane", "Lane "+text, "lane"
	door.Actuator.Kind, lane.Actuator.Kind = "simulated", "simulated"
	c.Gates, c.Devices = []server.GateConfig{door, lane}, nil
	s, err := server.Open(t.Context(), c, server.Options{NewPassphrase: []byte(passphrase), Stderr: io.Discard, LocalSession: true, Quiet: true, Cameras: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func(link string) { ready <- link }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w := &world{server: s, ids: map[string]string{}, client: &http.Client{Timeout: 30 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 4},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	select {
	case link := <-ready:
		w.base = link[:strings.Index(link, "/enter/")]
		w.local = w.enter(t, link)
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	w.routes = s.Routes()
	w.furnish(t, text)
	return w
}

// enter opens a one-time link and gives the session's cookie.
func (w *world) enter(t *testing.T, link string) *http.Cookie {
	t.Helper()
	answer, err := w.client.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if len(answer.Cookies()) == 0 {
		t.Fatalf("the link gives no session: %d", answer.StatusCode)
	}
	return answer.Cookies()[0]
}

// furnish enrols people and a car, an account and a device, and lets them pass.
func (w *world) furnish(t *testing.T, text string) {
	t.Helper()
	admin := w.server.Admin()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	photo := portrait(t, 9)
	person, err := admin.EnrollPerson(t.Context(), wire.EnrollPersonRequest{Label: label(text), Card: "card 1", PIN: "4711471", QR: "QR " + text,
		Record: gatehouse.PersonRecord{Name: "Name " + text, Unit: "Unit " + text, Address: "Address " + text, Number: "Number " + text, Phone: "+86 139 0000 0000"},
		Photos: [][]byte{photo}, ConsentGiven: true, ConsentHow: "reference", ConsentRef: "Form " + text, Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}})
	must(err)
	vehicle, err := admin.EnrollVehicle(t.Context(), wire.EnrollVehicleRequest{Label: "V-1", Record: gatehouse.VehicleRecord{Plate: "京A12345"}, Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}})
	must(err)
	device, err := admin.AddDevice(t.Context(), wire.DeviceAddRequest{ID: "pad", Kind: gatehouse.Terminal, Gate: "front-door"})
	must(err)
	w.token = device.Token
	account, err := admin.AddAccount(t.Context(), wire.AccountAddRequest{Login: "somebody", Name: "Account " + text, Roles: []string{"guard:front-door"}})
	must(err)
	w.ids["account"] = account.Account.ID.String()
	w.ids["subject"], w.ids["vehicle"], w.ids["device"] = person.Subject.String(), vehicle.Subject.String(), "pad"
	must(w.server.Unseal(t.Context(), []byte(passphrase)))
	for _, secret := range []gatehouse.Secret{"card 1", gatehouse.Secret("unknown " + text)} {
		got, err := w.server.Post(t.Context(), gatehouse.Capture{Device: "pad", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: secret})
		must(err)
		for _, p := range got {
			w.ids["passage"] = p.ID.String()
		}
	}
	hold, err := admin.AddHold(t.Context(), wire.HoldRequest{Subject: vehicle.Subject, Until: time.Now().AddDate(0, 1, 0), Reason: "Reason " + text})
	must(err)
	w.ids["hold"] = hold.ID.String()
}

// label is a badge label with text in it, as far as a label may hold it.
func label(text string) string {
	if l := "B " + text; len(l) <= 40 {
		return l
	}
	return "B-1"
}

func portrait(t *testing.T, n int) []byte {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(models.Dir(), "portraits", "*.jpg"))
	raw, err := os.ReadFile(files[n])
	if err != nil {
		t.Fatal(err)
	}
	picture, err := imaging.Decode(raw, imaging.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return scene.Enrolment(picture, random(n))
}

// account is the cookie of a session of a fresh account with one role, at the front door
// where it is a role of gates.
func (w *world) account(t *testing.T, role gatehouse.Role) *http.Cookie {
	t.Helper()
	text := string(role)
	if role.PerGate() {
		text += ":front-door"
	}
	login := "x-" + gatehouse.RandomID().String()[:12]
	if _, err := w.server.Admin().AddAccount(t.Context(), wire.AccountAddRequest{Login: login, Roles: []string{text}}); err != nil {
		t.Fatal(err)
	}
	link, err := w.server.Admin().LinkAccount(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	return w.enter(t, link.Link)
}

// tcp are the routes that are served beside the admin socket.
func (w *world) tcp() (list []auth.Route) {
	for _, r := range w.routes {
		if r.Policy.OnTCP() {
			list = append(list, r)
		}
	}
	return list
}

// param is a value for one part of a route's path, taken from what the site holds.
func (w *world) param(pattern, name string) string {
	part := func(before string) bool { return strings.Contains(pattern, "/"+before+"/{"+name+"}") }
	switch {
	case name == "gate":
		return "front-door"
	case name == "n":
		return "0"
	case name == "name":
		return "console.css"
	case name == "path...":
		return "some/page"
	case name == "$":
		return ""
	case part("passages"):
		return w.ids["passage"]
	case part("devices"):
		return w.ids["device"]
	case part("accounts"):
		return w.ids["account"]
	case part("vehicles"):
		return w.ids["vehicle"]
	case part("people"), part("subjects"):
		return w.ids["subject"]
	case part("holds"):
		return w.ids["hold"]
	}
	return gatehouse.RandomID().String()
}

// path fills a route's path; with names a value for every part instead of the site's own,
// already escaped, "" for the site's.
func (w *world) path(r auth.Route, with string) (method, path string) {
	method, pattern, _ := strings.Cut(r.Pattern, " ")
	var b strings.Builder
	rest := pattern
	for {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return method, b.String()
		}
		name, tail, _ := strings.Cut(after, "}")
		if with != "" && name != "$" {
			b.WriteString(with)
		} else {
			b.WriteString(w.param(pattern, name))
		}
		rest = tail
	}
}

// parts reports whether the route's path has any to fill.
func parts(r auth.Route) bool {
	return strings.Contains(strings.Replace(r.Pattern, "{$}", "", 1), "{")
}

// try is one request.
type try struct {
	cookie *http.Cookie
	token  string // a device's
	body   io.Reader
	kind   string // Content-Type
	header map[string]string
	ctx    context.Context
}

// do sends a request to a path of the site and reads at most a MiB of the answer. Streams
// are left after their headers.
func (w *world) do(method, path string, a try) (*http.Response, []byte, error) {
	ctx := a.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	q, err := http.NewRequestWithContext(ctx, method, w.base+path, a.body)
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if a.cookie != nil {
		q.AddCookie(&http.Cookie{Name: a.cookie.Name, Value: a.cookie.Value})
	}
	if a.token != "" {
		q.Header.Set("Authorization", "Bearer "+a.token)
	}
	if a.kind != "" {
		q.Header.Set("Content-Type", a.kind)
	}
	for k, v := range a.header {
		if k == "Host" {
			q.Host = v
			continue
		}
		q.Header.Set(k, v)
	}
	answer, err := w.client.Do(q)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
		return answer, nil, nil
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer, bytes.Clone(b), err
}

// as is what lets a route's own caller in: its device's token, or the session.
func (w *world) as(r auth.Route) try {
	if r.Policy == auth.WithDevice {
		return try{token: w.token}
	}
	return try{cookie: w.local}
}
