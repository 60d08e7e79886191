package drill

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/auth"
)

// visit is what an operator did and saw at the copy's console.
type visit struct {
	cookie string // of a session that lives
	ended  string // of one that was signed out
	spent  string // the one-time link that began that one
	urls   []string
	stream lockedBuffer
}

// lockedBuffer collects what a stream sends while it is read elsewhere.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func baseOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// operate signs in, reads every page that can be reached, follows the live stream while
// somebody arrives, and opens archived pictures for reasons: so that logs, metrics and
// disclosures are filled, and every address that the copy gives away is known.
func (d *drill) operate(ctx context.Context) error {
	d.say("reading every page as an operator")
	d.visit = &visit{}
	b := &browser{base: d.base, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	second, err := d.server.Admin().Link(ctx)
	if err != nil {
		return err
	}
	d.visit.spent = second.Link
	if d.visit.ended, err = b.signIn(ctx, second.Link); err != nil {
		return err
	}
	if err := b.post(ctx, "/leave", nil); err != nil {
		return err
	}
	if d.visit.cookie, err = b.signIn(ctx, d.link); err != nil {
		return err
	}
	streaming, stop := context.WithCancel(ctx)
	var reading sync.WaitGroup
	reading.Go(func() { b.follow(streaming, "/live/events", &d.visit.stream) })
	err = d.read(ctx, b)
	if err == nil && d.unsealed {
		err = d.giveReasons(ctx, b)
	}
	if err == nil {
		err = d.raiseAlarm(ctx)
	}
	if err == nil {
		_, d.metrics, err = b.get(ctx, "/metrics")
	}
	stop()
	reading.Wait()
	if err != nil {
		return err
	}
	if d.mutant.metrics != nil {
		d.metrics = d.mutant.metrics(d, d.metrics)
	}
	return d.collect(b)
}

// The bounds of one visit.
const maxPages = 300

// read follows every link from the live page on.
func (d *drill) read(ctx context.Context, b *browser) error {
	queue := []string{"/", "/api/v1/passages"}
	seen := map[string]bool{}
	for len(queue) > 0 && len(seen) < maxPages {
		path := queue[0]
		queue = queue[1:]
		// A stream does not end, and a spent link says nothing new.
		if seen[path] || strings.HasPrefix(path, "/enter/") || strings.HasPrefix(path, "/live/") || b.forms[path] {
			continue
		}
		seen[path] = true
		_, body, err := b.get(ctx, path)
		if err != nil {
			return err
		}
		queue = append(queue, b.note(string(body))...)
	}
	return ctx.Err()
}

// giveReasons opens the archived pictures of passages, each time for another reason of
// the cast.
func (d *drill) giveReasons(ctx context.Context, b *browser) error {
	if len(d.passages) == 0 {
		return nil
	}
	// The others are for who is erased later.
	n := len(d.cast.reasons) - d.cast.given - leaving
	step := d.progress(int64(n), "opening archived pictures for reasons")
	defer step.finish()
	for i := range n {
		reason := d.cast.nextReason()
		path := "/passages/" + d.passages[i%len(d.passages)].ID.String() + "/archive"
		if err := b.post(ctx, path, url.Values{"reason": {reason}}); err != nil {
			return err
		}
		if i < 3 { // what was opened has addresses, too
			_, body, err := b.get(ctx, strings.TrimSuffix(path, "/archive"))
			if err != nil {
				return err
			}
			b.note(string(body))
		}
		step.add(1)
	}
	return nil
}

// collect joins the addresses from pages, answers, the live stream, alarms, the spent
// one-time links and the log.
func (d *drill) collect(b *browser) error {
	b.note(d.visit.stream.String())
	b.note(d.post.got.String())
	b.note(d.visit.spent)
	b.note(d.link)
	log, err := os.ReadFile(d.log.Name())
	if err != nil {
		return err
	}
	b.note(string(log))
	d.visit.urls = b.order
	return nil
}

// browser keeps a session and notes addresses.
type browser struct {
	base   string
	client *http.Client
	cookie string
	known  map[string]bool
	forms  map[string]bool // addresses that are posted to
	order  []string
}

func (b *browser) signIn(ctx context.Context, link string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return "", err
	}
	answer, err := b.client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	for _, c := range answer.Cookies() {
		if c.Name == auth.CookieName {
			b.cookie = c.Value
			b.note(answer.Header.Get("Location"))
			return c.Value, nil
		}
	}
	return "", gatehouse.Errorf("drill.session", "this is a fault of the drill", "the copy's one-time link gave no session")
}

func (b *browser) send(ctx context.Context, method, path string, form url.Values) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.AddCookie(&http.Cookie{Name: auth.CookieName, Value: b.cookie})
	return b.client.Do(r)
}

func (b *browser) get(ctx context.Context, path string) (int, []byte, error) {
	answer, err := b.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	b.note(answer.Header.Get("Location"))
	return answer.StatusCode, body, err
}

func (b *browser) post(ctx context.Context, path string, form url.Values) error {
	answer, err := b.send(ctx, http.MethodPost, path, form)
	if err != nil {
		return err
	}
	b.note(answer.Header.Get("Location"))
	_, err = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return err
}

// follow reads a stream until ctx ends.
func (b *browser) follow(ctx context.Context, path string, into io.Writer) {
	answer, err := b.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return
	}
	defer answer.Body.Close()
	_, _ = io.Copy(into, answer.Body) // it ends with an error: ctx's
}

// address finds what a page, an answer or a log line gives away as one: quoted paths,
// and whole addresses.
var address = regexp.MustCompile(`(action|href|src|data-stream|[a-z-]+)?="(/[^"\s]*)"|"(/[^"\s]{1,300})"|(https?://[^\s"'<>]+)|^(/\S*)$`)

// note keeps the copy's own addresses in a text and returns those that are new.
func (b *browser) note(text string) (fresh []string) {
	if !utf8.ValidString(text) {
		return nil // a picture
	}
	if b.known == nil {
		b.known, b.forms = map[string]bool{}, map[string]bool{}
	}
	for _, m := range address.FindAllStringSubmatch(text, -1) {
		path := html.UnescapeString(m[2] + m[3] + m[4] + m[5])
		if whole, ok := strings.CutPrefix(path, b.base); ok {
			path = whole
		}
		path, _, _ = strings.Cut(path, "#")
		if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || b.known[path] {
			continue
		}
		b.known[path] = true
		b.forms[path] = m[1] == "action"
		b.order = append(b.order, path)
		fresh = append(fresh, path)
	}
	return fresh
}

// refetch asks for every address that the copy emitted, without a credential and with
// all that are nobody's own.
func (d *drill) refetch(ctx context.Context, p *prober) error {
	step := d.progress(int64(len(d.visit.urls)), "asking again for every address without a session")
	defer step.finish()
	for _, path := range d.visit.urls {
		step.add(1)
		d.report.URLs++
		leaks := false
		for _, c := range d.credentials() {
			if c.owner != nil {
				continue
			}
			how, err := p.try(ctx, http.MethodGet, path, c)
			if err != nil {
				return err
			}
			if how != "" && !leaks {
				leaks = true
				d.report.URLLeaks++
				d.report.find("address without a session", fmt.Sprintf("%s with %s: %s", shortened(path), c.name, how))
			}
		}
	}
	return nil
}

// shortened names an address in a finding without what may be personal in it.
func shortened(path string) string {
	path, _, _ = strings.Cut(path, "?")
	if len(path) > 80 {
		path = path[:80] + "…"
	}
	return path
}
