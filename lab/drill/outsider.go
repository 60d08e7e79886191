package drill

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
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
	"GET /static/{name}": "style, script and icon: the same for everybody",
	"GET /enter/{token}": "the one-time link itself; a spent or invented one gets a page that says so",
	"GET /healthz":       "one word",
	"GET /readyz":        "loopback: one word, or the code of what is missing",
	"GET /metrics":       "loopback: numbers by gate and reason",
}

// credential is something that an outsider shows.
type credential struct {
	name  string
	show  func(*http.Request)
	owner func(auth.Route) bool // whose own route it is: then it is no outsider's
}

// credentials are nothing, and everything that belongs elsewhere.
func (d *drill) credentials() []credential {
	cookie := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: auth.CookieName, Value: value}) }
	}
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	never := func(auth.Route) bool { return false }
	session := func(r auth.Route) bool { return r.Policy == auth.WithSession || r.Policy == auth.SessionOrSocket }
	token := d.tokens[drillReader]
	return []credential{
		{"nothing", func(*http.Request) {}, never},
		{"a session that has ended", cookie(d.visit.ended), never},
		{"another site's session", cookie(auth.NewToken()), never},
		{"another site's device token", bearer(auth.NewToken()), never},
		{"a device's token", bearer(token), never},
		{"a device's token as a session", cookie(token), never},
		{"a session", cookie(d.visit.cookie), session},
		{"a session as a device token", bearer(d.visit.cookie), never},
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
		for _, method := range methods {
			for _, c := range all {
				step.add(1)
				if c.owner(route) {
					continue
				}
				how, err := probe.try(ctx, method, d.pathOf(route), c)
				if err != nil {
					return err
				}
				if how != "" {
					open = true
					d.report.find("open route", fmt.Sprintf("%s answers %s with %s: %s", route.Pattern, method, c.name, how))
				}
			}
		}
		if open {
			d.report.RoutesOpen++
		}
	}
	return d.refetch(ctx, probe)
}

// pathOf fills a route's path with ids that exist, so that a missing check would show.
// A device route names another device than the one whose token is shown.
func (d *drill) pathOf(route auth.Route) string {
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
		id = string(d.cast.cameras[0].id)
	case strings.Contains(path, "/passages/"):
		id = passage.String()
	}
	path = strings.NewReplacer("{$}", "", "{path...}", "some/page", "{id}", id, "{n}", "0", "{gate}", string(d.anyGate()), "{token}", auth.NewToken(), "{name}", "console.css").Replace(path)
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
	marks   []mark
}

func (d *drill) prober(routes []auth.Route) (*prober, error) {
	p := &prober{base: d.base, match: auth.Match(routes), marks: d.cast.marks()}
	var err error
	if p.matcher, err = newMatcher(p.marks); err != nil {
		return nil, err
	}
	var transport http.RoundTripper = &http.Transport{}
	if d.mutant.transport != nil {
		transport = d.mutant.transport(transport)
	}
	p.client = &http.Client{Transport: transport, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return p, nil
}

// maxBody bounds how much of an answer is looked at.
const maxBody = 4 << 20

// ask sends one request and returns the status and what came within the time.
func (p *prober) ask(ctx context.Context, method, path string, show func(*http.Request)) (status int, header http.Header, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second) // a stream that opens would not end
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, strings.NewReader("{}"))
	if err != nil {
		return 0, nil, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	show(r)
	answer, err := p.client.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	body, _ = io.ReadAll(io.LimitReader(answer.Body, maxBody)) // what came counts, however it ended
	return answer.StatusCode, answer.Header, body, nil
}

// try says how a path is open to somebody who shows c; "" for one that is closed.
func (p *prober) try(ctx context.Context, method, path string, c credential) (string, error) {
	status, header, body, err := p.ask(ctx, method, path, c.show)
	if err != nil {
		return "", gatehouse.Errorf("drill.unreachable", "see the system's log; another program may have stopped it", "the copy does not answer: %w", err)
	}
	if m := p.personal(header, body); m != "" {
		return "it shows " + m, nil
	}
	// For a method that the route does not have another may answer.
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, nil)
	if err != nil {
		return "", err
	}
	if _, listed := openRoutes[p.match(r)]; listed || refused(status) || toSignIn(status, header) {
		return "", nil
	}
	return fmt.Sprintf("status %d", status), nil
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
