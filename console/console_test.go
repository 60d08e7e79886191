package console_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console/consoletest"
)

// guard is a browser without a screen.
type guard struct {
	t    *testing.T
	base string
	http *http.Client
}

func signIn(t *testing.T, s *consoletest.Site) *guard {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	link := s.Auth.Mint()
	base, _, _ := strings.Cut(link, "/enter/")
	g := &guard{t, base, &http.Client{Jar: jar}}
	w, err := g.http.Get(link)
	if err != nil || w.StatusCode != http.StatusOK {
		t.Fatalf("the link answered %v, %v", w, err)
	}
	w.Body.Close()
	return g
}

func (g *guard) get(path string) (int, string) {
	g.t.Helper()
	w, err := g.http.Get(g.base + path)
	if err != nil {
		g.t.Fatal(err)
	}
	defer w.Body.Close()
	b, _ := io.ReadAll(w.Body)
	return w.StatusCode, string(b)
}

func (g *guard) post(path string, form url.Values) (int, string) {
	g.t.Helper()
	w, err := g.http.PostForm(g.base+path, form)
	if err != nil {
		g.t.Fatal(err)
	}
	defer w.Body.Close()
	b, _ := io.ReadAll(w.Body)
	return w.StatusCode, string(b)
}

func open(t *testing.T) (*consoletest.Site, *guard) {
	t.Helper()
	s := consoletest.New(nil, time.UTC, nil)
	t.Cleanup(s.Close)
	return s, signIn(t, s)
}

func face(id gatehouse.SubjectID) gatehouse.Passage {
	return gatehouse.Passage{Gate: "front-door", Direction: gatehouse.In, Kind: gatehouse.FaceReading, Subject: id, Known: true, Latency: 50 * time.Millisecond,
		Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted}, Outcome: gatehouse.Pending}
}

func purposes(s *consoletest.Site) []string {
	d, _ := s.Disclosures(context.Background(), gatehouse.ID{}, 1000)
	var out []string
	for _, x := range d {
		out = append(out, x.Purpose)
	}
	slices.Reverse(out)
	return out
}

func TestSealedMeansLabels(t *testing.T) {
	s, g := open(t)
	id := s.Enrol(gatehouse.PersonSubject, "Staff 7", "Mei Lin", gatehouse.Active)
	p := s.Arrive(face(id), gatehouse.Detail{Confidence: .9})
	for _, path := range []string{"/", "/passages", "/people", "/passages/" + p.ID.String()} {
		if _, body := g.get(path); strings.Contains(body, "Mei Lin") || !strings.Contains(body, "Staff 7") {
			t.Errorf("%s, sealed: the name is shown or the label is not", path)
		}
	}
	code, body := g.post("/vault/unseal", url.Values{"passphrase": {"wrong"}, "minutes": {"15"}})
	if code != http.StatusForbidden || !strings.Contains(body, "vault.passphrase") || strings.Contains(body, ">wrong<") {
		t.Errorf("a wrong passphrase got %d", code)
	}
	if code, _ = g.post("/vault/unseal", url.Values{"passphrase": {consoletest.Passphrase}, "minutes": {"15"}}); code != http.StatusOK {
		t.Fatalf("the passphrase got %d", code)
	}
	for _, path := range []string{"/", "/passages", "/people", "/passages/" + p.ID.String()} {
		if _, body := g.get(path); !strings.Contains(body, "Mei Lin") {
			t.Errorf("%s, unsealed: the name is not shown", path)
		}
	}
	g.post("/vault/seal", nil)
	if _, body := g.get("/"); strings.Contains(body, "Mei Lin") {
		t.Error("the name is shown after the vault was sealed")
	}
}

func TestBadFormsAreRefused(t *testing.T) {
	s, g := open(t)
	p := s.Arrive(face(gatehouse.RandomID()), gatehouse.Detail{}, consoletest.Picture(8, 8, 0))
	s.Unseal()
	for _, f := range []url.Values{{}, {"passphrase": {"x"}}, {"passphrase": {"x"}, "minutes": {"0"}}, {"passphrase": {"x"}, "minutes": {"1441"}},
		{"passphrase": {strings.Repeat("x", 1025)}, "minutes": {"5"}}} {
		if code, _ := g.post("/vault/unseal", f); code != http.StatusBadRequest {
			t.Errorf("unseal with %d fields got %d", len(f), code)
		}
	}
	for _, reason := range []string{"", "   ", strings.Repeat("x", 161), "\xff\xfe"} {
		if code, _ := g.post("/passages/"+p.ID.String()+"/archive", url.Values{"reason": {reason}}); code != http.StatusBadRequest {
			t.Errorf("the reason %.10q got %d", reason, code)
		}
	}
	for _, path := range []string{"/passages/x", "/passages/" + gatehouse.RandomID().String(), "/passages/" + p.ID.String() + "/pictures/9",
		"/passages/" + p.ID.String() + "/pictures/-1", "/passages/" + p.ID.String() + "/archive/0", "/gates/none/still", "/static/../console.go", "/static/x", "/x"} {
		if code, _ := g.get(path); code != http.StatusNotFound {
			t.Errorf("%s got %d", path, code)
		}
	}
}

func TestADisclosureComesFirst(t *testing.T) {
	s, g := open(t) // signing in opened the live page: one entry
	p := s.Arrive(face(gatehouse.RandomID()), gatehouse.Detail{}, consoletest.Picture(64, 64, 0))
	s.Ring.PutStill("front-door", consoletest.Picture(64, 64, 0))
	picture := "/passages/" + p.ID.String() + "/pictures/0"

	n := len(purposes(s))
	if code, _ := g.get(picture); code != http.StatusOK || len(purposes(s)) != n+1 {
		t.Errorf("a picture that no page showed: %d, %d new entries", code, len(purposes(s))-n)
	}
	g.get(picture)
	if len(purposes(s)) != n+1 {
		t.Error("the same picture again made another entry")
	}
	other := signIn(t, s)
	n = len(purposes(s))
	other.get(picture) // the live page that signing in opened covers it
	if len(purposes(s)) != n {
		t.Error("what the live page disclosed was disclosed again")
	}
	for path, want := range map[string]string{"/": "live", "/passages": "live", "/passages/" + p.ID.String(): "passage"} {
		g.get(path)
		if got := purposes(s); got[len(got)-1] != want {
			t.Errorf("%s wrote %q", path, got[len(got)-1])
		}
	}

	// Where the disclosure cannot be written, nothing is shown.
	s.Break(gatehouse.Errorf("vault.unavailable", "wait", "the vault process does not answer"))
	fresh := gatehouse.NewID(time.Now())
	s.Ring.Put("front-door", fresh, []gatehouse.Picture{consoletest.Picture(64, 64, 0)})
	for _, path := range []string{"/passages", "/passages/" + p.ID.String(), "/people"} {
		if code, body := g.get(path); code != http.StatusServiceUnavailable || strings.Contains(body, "<img src=\"/passages") {
			t.Errorf("%s without a disclosure got %d", path, code)
		}
	}
	if code, _ := g.get("/passages/" + fresh.String() + "/pictures/0"); code == http.StatusOK {
		t.Error("a picture was shown without a disclosure")
	}
	if code, body := g.get("/"); code != http.StatusOK || strings.Contains(body, "<li id=\"p-") || !strings.Contains(body, "cannot be read") {
		t.Errorf("the live page without a disclosure got %d", code)
	}
}

func TestAStillHasAnEntryOfItsOwn(t *testing.T) {
	s, _ := open(t)
	p := s.Arrive(face(gatehouse.RandomID()), gatehouse.Detail{}, consoletest.Picture(64, 64, 0))
	s.Ring.PutStill("front-door", consoletest.Picture(64, 64, 0))
	g := signIn(t, s)
	// Whatever page or picture of a passage came before, the whole frame is not in its entry.
	for _, path := range []string{"/", "/passages", "/passages/" + p.ID.String(), "/passages/" + p.ID.String() + "/pictures/0"} {
		if code, _ := g.get(path); code != http.StatusOK {
			t.Fatalf("%s got %d", path, code)
		}
	}
	before := len(purposes(s))
	if code, _ := g.get("/gates/front-door/still"); code != http.StatusOK || len(purposes(s)) != before+1 {
		t.Errorf("the first still: %d, %d new entries", code, len(purposes(s))-before)
	}
	if g.get("/gates/front-door/still"); len(purposes(s)) != before+1 {
		t.Error("each still after it made another entry")
	}
	s.Break(gatehouse.Errorf("vault.unavailable", "wait", "the vault process does not answer"))
	if code, _ := signIn(t, s).get("/gates/front-door/still"); code == http.StatusOK {
		t.Error("a still was shown without a disclosure")
	}
}

func TestTheArchiveNeedsAReason(t *testing.T) {
	s, g := open(t)
	p := s.Arrive(face(gatehouse.RandomID()), gatehouse.Detail{}, consoletest.Picture(64, 64, 0), consoletest.Picture(64, 64, 9))
	s.Ring.Forget(p.ID)
	at := "/passages/" + p.ID.String()
	if _, body := g.get(at); !strings.Contains(body, "Unseal the vault to open them") || strings.Contains(body, "<form method=\"post\" action=\""+at) {
		t.Error("sealed: the page should say that the vault must be opened first")
	}
	if code, _ := g.post(at+"/archive", url.Values{"reason": {"theft"}}); code != http.StatusForbidden {
		t.Errorf("sealed: the archive got %d", code)
	}
	s.Unseal()
	if _, body := g.get(at); !strings.Contains(body, "name=\"reason\"") || strings.Contains(body, at+"/archive/0") {
		t.Error("unsealed: the page should ask for a reason")
	}
	code, body := g.post(at+"/archive", url.Values{"reason": {"theft on Monday"}})
	if code != http.StatusOK || !strings.Contains(body, at+"/archive/1") {
		t.Errorf("with a reason: %d", code)
	}
	if code, _ := g.get(at + "/archive/1"); code != http.StatusOK {
		t.Errorf("the opened picture got %d", code)
	}
	if code, _ := signIn(t, s).get(at + "/archive/1"); code != http.StatusNotFound {
		t.Errorf("another session got the opened picture: %d", code)
	}
	g.post("/vault/seal", nil)
	if code, _ := g.get(at + "/archive/1"); code != http.StatusNotFound {
		t.Errorf("after sealing, the opened picture got %d", code)
	}
	if _, body := g.get("/disclosures"); strings.Contains(body, "theft on Monday") || !strings.Contains(body, `action="/disclosures/reasons"`) {
		t.Error("the disclosure log shows a reason that nobody asked for, or no way to ask")
	}
	if code, _ := g.post("/disclosures/reasons", nil); code == http.StatusOK {
		t.Errorf("reasons of a sealed vault got %d", code)
	}
	s.Unseal()
	if _, body := g.post("/disclosures/reasons", nil); !strings.Contains(body, "theft on Monday") {
		t.Error("the reason is not in the disclosure log")
	}
}

// A guard sees why nothing opens, and how that ends; never what was opened.
func TestACanaryIsShown(t *testing.T) {
	s, g := open(t)
	if _, body := g.get("/"); strings.Contains(body, "gatehouse canary lift") {
		t.Error("no canary was opened, and the bar speaks of one")
	}
	s.Trip()
	for _, path := range []string{"/", "/people"} {
		if _, body := g.get(path); !strings.Contains(body, "shut by a canary") || !strings.Contains(body, "gatehouse canary lift") || !strings.Contains(body, `action="/vault/unseal"`) {
			t.Errorf("%s does not say that a canary shut the vault", path)
		}
	}
}

func TestLanguages(t *testing.T) {
	s, g := open(t)
	s.Arrive(face(gatehouse.RandomID()), gatehouse.Detail{})
	ask := func(accept string) string {
		r, _ := http.NewRequest(http.MethodGet, g.base+"/", nil)
		r.Header.Set("Accept-Language", accept)
		w, err := g.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		b, _ := io.ReadAll(w.Body)
		return string(b)
	}
	for accept, want := range map[string]string{"zh-CN,zh;q=0.9,en;q=0.8": "最新通行", "en-GB,en": "Latest passages", "fr": "Latest passages",
		"en;q=0.4, zh;q=0.6": "最新通行", "": "Latest passages", ";;q=,,": "Latest passages", strings.Repeat("a,", 500): "Latest passages"} {
		if !strings.Contains(ask(accept), want) {
			t.Errorf("Accept-Language %.30q did not give %s", accept, want)
		}
	}
	g.get("/?lang=zh")
	if body := ask("en"); !strings.Contains(body, `<html lang="zh-CN">`) || !strings.Contains(body, "允许通行") {
		t.Error("the chosen language was forgotten")
	}
	g.get("/?lang=xx")
	if !strings.Contains(ask("en"), "最新通行") {
		t.Error("an unknown language changed the choice")
	}
}

func TestListsPage(t *testing.T) {
	s, g := open(t)
	for range 120 {
		s.Arrive(face(gatehouse.RandomID()), gatehouse.Detail{})
		s.Enrol(gatehouse.PersonSubject, "Staff", "x", gatehouse.Active)
	}
	for _, path := range []string{"/passages", "/people", "/disclosures"} {
		seen, next := 0, path
		for pages := 0; next != "" && pages < 10; pages++ {
			_, body := g.get(next)
			seen += strings.Count(body, "<li id=\"p-") + strings.Count(body, "<th scope=\"row\">") + strings.Count(body, "<td class=\"lead\">")
			next = ""
			if _, rest, ok := strings.Cut(body, `rel="next" href="`); ok {
				next, _, _ = strings.Cut(rest, `"`)
			}
		}
		if path != "/disclosures" && seen != 120 || path == "/disclosures" && seen < 4 {
			t.Errorf("%s: %d rows over all its pages", path, seen)
		}
	}
	if code, _ := g.get("/passages?before=zzz"); code != http.StatusNotFound {
		t.Errorf("a bad cursor got %d", code)
	}
}

// stream reads the live page's events until want is found in one, and returns its id.
func (g *guard) stream(ctx context.Context, lastID string, during func(), want string) (id string, err error) {
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, g.base+"/live/events", nil)
	r.Header.Set("Last-Event-ID", lastID)
	w, err := g.http.Do(r)
	if err != nil {
		return "", err
	}
	defer w.Body.Close()
	if w.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
		return "", errors.New("no event stream: " + w.Status)
	}
	lines := bufio.NewScanner(w.Body)
	lines.Buffer(nil, 1<<20)
	lines.Scan() // the first line says that the subscription stands
	during()
	for lines.Scan() {
		if after, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			id = after
		}
		if strings.Contains(lines.Text(), want) {
			return id, nil
		}
	}
	return id, errors.New("the stream ended without it")
}

func TestTheStreamResumesByItsID(t *testing.T) {
	s, g := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	one := face(gatehouse.RandomID())
	one.ID = gatehouse.NewID(time.Now())
	id, err := g.stream(ctx, "", func() { s.Arrive(one, gatehouse.Detail{}) }, "p-"+one.ID.String())
	if err != nil || id == "" {
		t.Fatalf("live: %q, %v", id, err)
	}
	two := s.Arrive(face(gatehouse.RandomID()), gatehouse.Detail{})
	if _, err := g.stream(ctx, id, func() {}, "p-"+two.ID.String()); err != nil {
		t.Errorf("resumed: %v", err)
	}
	if _, err := g.stream(ctx, "an-earlier-run-7", func() {}, `<ol id="rows"`); err != nil {
		t.Errorf("after a restart the whole list should come: %v", err)
	}
}

func TestTheStreamEndsWithTheServer(t *testing.T) {
	s, g := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := g.stream(ctx, "", s.Console.Close, "never"); err == nil || ctx.Err() != nil {
		t.Errorf("the stream did not end: %v", err)
	}
}

func TestAFirstPageIsSmall(t *testing.T) {
	s, g := open(t)
	for range 60 {
		s.Arrive(face(gatehouse.RandomID()), gatehouse.Detail{}, consoletest.Picture(64, 64, 0))
	}
	total := 0
	for _, path := range []string{"/", "/static/console.css", "/static/live.js", "/static/icon.svg"} {
		_, body := g.get(path)
		total += len(body)
	}
	if total > 100<<10 {
		t.Errorf("the first page, without pictures, is %d bytes", total)
	}
}
