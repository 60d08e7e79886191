package drill

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// openRoutes is the list of routes that answer without a credential, from this machine or
// everywhere, and why they may. What is not on it and answers is a finding; what is on
// it and shows a mark is one, too.
var openRoutes = map[string]string{
	"GET /static/{name}":           "style, script and icon: the same for everybody",
	"GET /enter/{token}":           "the one-time link itself; a spent or invented one gets a page that says so",
	"GET /healthz":                 "one word",
	"GET /trust":                   "how to trust the site's certificate authority, where it has one of its own",
	"GET /trust/gatehouse-ca.crt":  "that authority's certificate",
	"GET /readyz":                  "loopback: words about processes, or the code of what is missing",
	"GET /metrics":                 "loopback: numbers by gate, device and reason",
	"GET /signin":                  "the page that asks who is there: the same for everybody",
	"POST /signin/passkey/begin":   "a random challenge, for nobody in particular",
	"GET /api/v1/openapi.json":     "what the API is: the same for everybody",
	"GET /api/v1/docs":             "the same as a page",
	"GET /terminal":                "the page of a tablet at a gate: the same for everybody, and nothing works before it is enrolled",
	"GET /terminal/{name}":         "its style and scripts",
	"GET /pay":                     "the page that asks a driver for a plate and a time, or a ticket: the same for everybody",
	"POST /pay":                    "five tries an hour; the same answer whether or not somebody is parked",
	"GET /pay/static/{name}":       "its style and scripts",
	"GET /pay/stay/{key}":          "a stay behind a random key of an hour; an invented one gets a page that says so",
	"POST /pay/stay/{key}/pay":     "the same: leads to a provider's page",
	"POST /pay/stay/{key}/code":    "a shop's code for that stay, counted as a question of the address",
	"GET /pay/account":             "asks for a code that the car park gave; the same for everybody without its cookie",
	"POST /pay/account":            "five tries an hour; one answer to every code that opens nothing",
	"GET /pay/account/receipts":    "asks for a code where there is no cookie",
	"GET /pay/screen":              "asks for the code that a screen at a lane is enrolled by",
	"POST /pay/screen":             "five tries an hour; one answer to every code that enrols nothing",
	"GET /pay/shop":                "asks for a code that the car park gave a shop",
	"POST /pay/shop":               "five tries an hour; one answer to every code that opens nothing",
	"POST /pay/shop/leave":         "forgets a cookie",
	"GET /pay/receipt/{id}":        "a receipt behind a random id; it names nobody and no plate",
	"GET /pay/receipt/{id}/pdf":    "the same on paper",
	"GET /pay/kiosk":               "the page of a screen at a lane: the same for everybody",
	"GET /pay/qr.svg":              "that page's address as a picture",
	"POST /pay/{provider}/webhook": "only what a provider signed counts; anything else is refused",
	"GET /api/v1/docs.css":         "that page's style",
	"POST /api/v1/devices/enrol":   "a device that shows its enrolment code; anything else is told what is wrong with it",
}

// credential is something that an outsider shows.
type credential struct {
	name  string
	show  func(*http.Request)
	owner func(auth.Route) bool // whose own route it is: then it is no outsider's; nil for nobody's
	// device is whose address is asked for, where a route is a device's; "" for another
	// device than the credential's.
	device gatehouse.DeviceID
	body   func() (kind string, b []byte) // what is sent; nil for an empty JSON object
}

var nobody = credential{name: "nothing", show: func(*http.Request) {}}

// credentials are nothing, and everything that belongs elsewhere: what has ended or is
// spent, another tenant's, a device's, and a device's of a lower kind at its own address.
func (d *drill) credentials() []credential {
	cookie := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: auth.CookieName, Value: value}) }
	}
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	session := func(r auth.Route) bool { return r.Policy.ForSessions() }
	but := func(ends ...string) func(auth.Route) bool { // its own routes, and those that are no device's
		return func(r auth.Route) bool {
			return r.Policy != auth.WithDevice || !slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(r.Pattern, end) })
		}
	}
	token, camera := d.tokens[drillReader], d.cast.cameras[0].id
	return []credential{
		nobody,
		{name: "a session that has ended", show: cookie(d.visit.ended)},
		{name: "a spent link's token as a session", show: cookie(d.visit.spent[strings.LastIndex(d.visit.spent, "/")+1:])},
		{name: "another tenant's session", show: cookie(d.neighbour.session)},
		{name: "the token of another tenant's device of the same name", show: bearer(d.neighbour.token), owner: func(r auth.Route) bool { return r.Policy != auth.WithDevice }, device: drillReader},
		{name: "another tenant's device token", show: bearer(d.neighbour.token)},
		{name: "a device's token", show: bearer(token)},
		{name: "a device's token as a session", show: cookie(token)},
		{name: "a card reader's token, with a picture", show: bearer(d.tokens[drillCards]), owner: but("/frames", "/looks", "/terminal"), device: drillCards,
			body: func() (string, []byte) { return "image/jpeg", d.cast.somePhoto() }},
		{name: "a camera's token, with a card", show: bearer(d.tokens[camera]), owner: but("/credentials"), device: camera,
			body: func() (string, []byte) { return "application/json", []byte(`{"kind":"card","value":"0000"}`) }},
		{name: "a session", show: cookie(d.visit.cookie), owner: session},
		{name: "a session as a device token", show: bearer(d.visit.cookie)},
	}
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace}

// playOutsider tries every listening port, every route with every method and credential,
// and every address that the copy ever emitted.
func (d *drill) playOutsider(ctx context.Context) error {
	if err := d.tryPorts(); err != nil {
		return err
	}
	routes := d.server.Routes()
	d.report.Routes = len(routes)
	probe, err := d.prober(routes)
	if err != nil {
		return err
	}
	all := d.credentials()
	step := d.progress(int64(len(routes)*len(methods)*len(all)), "trying every route as an outsider")
	defer step.finish()
	for _, route := range routes {
		open := false
		for _, c := range all {
			how, err := d.tryMethods(ctx, probe, route, c)
			if err != nil {
				return err
			}
			step.add(int64(len(methods)))
			if how != "" { // once for all methods, or one route would fill the report
				open = true
				d.report.find("open route", fmt.Sprintf("%s answers %s", route.Pattern, how))
			}
		}
		if open {
			d.report.RoutesOpen++
		}
	}
	err = d.refetch(ctx, probe)
	d.report.Requests = probe.asked
	return err
}

// tryMethods says how a route is open to somebody who shows c, by the first method by
// which it is; "" for closed, or c's own.
func (d *drill) tryMethods(ctx context.Context, probe *prober, route auth.Route, c credential) (string, error) {
	if c.owner != nil && c.owner(route) {
		return "", nil
	}
	for _, method := range methods {
		how, err := probe.try(ctx, method, d.pathOf(route, c.device), c)
		if err != nil {
			return "", err
		}
		if how != "" {
			return fmt.Sprintf("%s with %s: %s", method, c.name, how), nil
		}
	}
	return "", nil
}

// pathOf fills a route's path with ids that exist, so that a missing check would show.
// A device route names that device; "" for another one than whose token is shown.
func (d *drill) pathOf(route auth.Route, device gatehouse.DeviceID) string {
	_, path, _ := strings.Cut(route.Pattern, " ")
	var passage gatehouse.ID
	for _, p := range d.passages {
		if p.Known && p.Kind == gatehouse.FaceReading {
			passage = p.ID
		}
	}
	subject := d.cast.people[0].id
	id := subject.String()
	switch {
	case strings.Contains(path, "/devices/"):
		if id = string(device); id == "" {
			id = string(d.cast.cameras[len(d.cast.cameras)-1].id)
		}
	case strings.Contains(path, "/passages/"):
		id = passage.String()
	}
	path = strings.NewReplacer("{$}", "", "{path...}", "some/page", "{id}", id, "{n}", "0", "{gate}", string(d.door()), "{token}", auth.NewToken(), "{name}", "console.css", "{kind}", "pass").Replace(path)
	for {
		from, rest, ok := strings.Cut(path, "{")
		if !ok {
			return path
		}
		_, after, _ := strings.Cut(rest, "}")
		path = from + id + after
	}
}

// prober asks the copy, and looks at what comes back with the marks in mind.
type prober struct {
	base    string
	client  *http.Client
	match   func(*http.Request) string
	matcher *matcher

	transport *http.Transport
	marks     []mark
	asked     int // requests
}

func (d *drill) prober(routes []auth.Route) (*prober, error) {
	p := &prober{base: d.base, match: auth.Match(routes), marks: d.cast.marks()}
	var err error
	if p.matcher, err = newMatcher(p.marks); err != nil {
		return nil, err
	}
	p.transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // it asks this machine what it answers, and shows nothing
	var transport http.RoundTripper = p.transport
	if d.mutant.transport != nil {
		transport = d.mutant.transport(transport)
	}
	p.client = &http.Client{Transport: transport, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return p, nil
}

// through has the prober connect to where the server listens, whatever its name leads to.
// One that listens at every address is reached at this machine's own.
func (p *prober) through(host, port string) {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	to := net.JoinHostPort(host, port)
	p.transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, to)
	}
}

// maxBody bounds how much of an answer is looked at.
const maxBody = 4 << 20

// ask sends one request and returns the status and what came within the time.
func (p *prober) ask(ctx context.Context, method, path string, c credential) (status int, header http.Header, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second) // a stream that opens would not end
	defer cancel()
	kind, sent := "application/json", []byte("{}")
	if c.body != nil {
		kind, sent = c.body()
	}
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(sent))
	if err != nil {
		return 0, nil, nil, err
	}
	r.Header.Set("Content-Type", kind)
	c.show(r)
	p.asked++
	answer, err := p.client.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	body, _ = io.ReadAll(io.LimitReader(answer.Body, maxBody)) // what came counts, however it ended
	return answer.StatusCode, answer.Header, body, nil
}

// try says how an address is open to somebody who shows c; "" for one that is closed.
func (p *prober) try(ctx context.Context, method, address string, c credential) (string, error) {
	status, header, body, err := p.ask(ctx, method, address, c)
	if err != nil {
		return "", gatehouse.Errorf("drill.unreachable", "see the system's log; another program may have stopped it", "the copy does not answer: %w", err)
	}
	if m := p.personal(header, body); m != "" {
		return "it shows " + m, nil
	}
	for _, cookie := range (&http.Response{Header: header}).Cookies() {
		if cookie.Name == auth.CookieName && cookie.Value != "" {
			return "it begins a session", nil
		}
	}
	// A path with // or .. in it, such as a digest that looks like one, is answered with its
	// tidy form before anything is asked for: what counts is what that one gives.
	if tidy := tidied(address); tidy != address && status >= 300 && status < 400 && header.Get("Location") == tidy {
		return p.try(ctx, method, tidy, c)
	}
	// For a method that the route does not have another may answer.
	r, err := http.NewRequestWithContext(ctx, method, p.base+address, nil)
	if err != nil {
		return "", err
	}
	if _, listed := openRoutes[p.match(r)]; listed || refused(status) || toSignIn(status, header) {
		return "", nil
	}
	return fmt.Sprintf("status %d", status), nil
}

// tidied is an address as net/http's router would have it.
func tidied(address string) string {
	at, query, asks := strings.Cut(address, "?")
	tidy := path.Clean(at)
	if strings.HasSuffix(at, "/") && tidy != "/" {
		tidy += "/"
	}
	if asks {
		tidy += "?" + query
	}
	return tidy
}

// refused are the answers that give nothing.
func refused(status int) bool {
	return slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusMisdirectedRequest, http.StatusTooManyRequests}, status)
}

func toSignIn(status int, header http.Header) bool {
	return status >= 300 && status < 400 && strings.HasPrefix(header.Get("Location"), "/enter")
}

// personal names the first mark, or the picture, that an answer shows; "" for none.
func (p *prober) personal(header http.Header, body []byte) string {
	var all bytes.Buffer
	_ = header.Write(&all) // to memory
	all.WriteString("\n")
	all.Write(body)
	found := ""
	p.matcher.scan(all.Bytes(), func(hit *pattern) {
		if found == "" {
			found = p.marks[hit.mark].String()
		}
	})
	if found == "" && countPictures(body) > 0 {
		found = "a picture"
	}
	return found
}
