package console_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console/consoletest"
	"gatehouse/flow/enroll"
)

// upload posts files and fields as a form of parts, and returns where it ended.
func (g *guard) upload(path, field string, fields url.Values, files ...[]byte) (status int, at, body string) {
	g.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, values := range fields {
		for _, v := range values {
			_ = w.WriteField(name, v)
		}
	}
	for _, f := range files {
		part, _ := w.CreateFormFile(field, "a.jpg")
		_, _ = part.Write(f)
	}
	w.Close()
	r, err := g.http.Post(g.base+path, w.FormDataContentType(), &b)
	if err != nil {
		g.t.Fatal(err)
	}
	defer r.Body.Close()
	all, _ := io.ReadAll(r.Body)
	return r.StatusCode, r.Request.URL.Path, string(all)
}

// step posts a form and returns where it led.
func (g *guard) step(path string, form url.Values) (at, body string) {
	g.t.Helper()
	w, err := g.http.PostForm(g.base+path, form)
	if err != nil {
		g.t.Fatal(err)
	}
	defer w.Body.Close()
	b, _ := io.ReadAll(w.Body)
	if strings.Contains(w.Request.URL.String(), "?") && !strings.Contains(w.Request.URL.RawQuery, "done=") {
		g.t.Errorf("%s led to an address with a query: %s", path, w.Request.URL)
	}
	return w.Request.URL.Path, string(b)
}

var (
	who       = url.Values{"label": {"Staff 7"}, "name": {"Mei Lin"}, "birth_date": {"1990-04-03"}, "national_id": {"110105199004030021"}}
	consented = url.Values{"doors": {"1"}, "attendance": {"1"}, "notice": {"zh"}, "how": {"reference"}, "reference": {"folder 3"}}
	problem   = regexp.MustCompile(`(?s)<p class="problem"[^>]*>(.*?)</p>`)
)

func said(body string) string {
	if m := problem.FindStringSubmatch(body); m != nil {
		return m[1]
	}
	return ""
}

func TestAPersonIsEnrolledStepByStep(t *testing.T) {
	s, g := open(t)
	at, _ := g.step("/people/new", who)
	base, ok := strings.CutSuffix(at, "/consent")
	if !ok {
		t.Fatalf("the first step led to %s", at)
	}
	if at, _ = g.step(base+"/consent", consented); at != base+"/photos" {
		t.Fatalf("consent led to %s", at)
	}
	_, _, body := g.upload(base+"/photos", "photo", nil, consoletest.Photo(1, ""), consoletest.Photo(1, "dark"), consoletest.Photo(1, "two"), consoletest.Photo(1, "small"), consoletest.Photo(1, "turned"), consoletest.Photo(1, "blurred"), consoletest.Photo(2, ""))
	for _, words := range []string{"Too dark", "Two faces", "Too small", "Turned away", "Not sharp", "somebody else", "Good photos: 1; the best 1"} {
		if !strings.Contains(body, words) {
			t.Errorf("no photo is called %q", words)
		}
	}
	if at, _ = g.step(base+"/cards", url.Values{"card": {"card-4711"}, "qr": {"1"}}); at != base+"/access" {
		t.Fatalf("cards led to %s", at)
	}
	at, body = g.step(base+"/access", url.Values{"gate": {"front-door"}, "schedule-front-door": {"office-hours"}, "last": {"2030-12-31"}})
	if at != base+"/review" || !strings.Contains(body, "Front door") || !strings.Contains(body, "Mei Lin") || strings.Contains(body, "card-4711") || strings.Contains(body, "110105199004030021") {
		t.Fatalf("access led to %s\n%s", at, body)
	}
	if len(s.Subjects()) != 0 {
		t.Fatal("something was stored before the last step")
	}
	at, body = g.step(base+"/review", nil)
	all := s.Subjects()
	if len(all) != 1 || at != "/people/"+all[0].ID.String() || !strings.Contains(body, "Enrolled.") || !strings.Contains(body, `class="qr"`) {
		t.Fatalf("review led to %s, %d enrolled", at, len(all))
	}
	id := all[0].ID
	badge, _ := s.Working.Badge(id)
	if badge.Label != "Staff 7" || len(badge.Grants) != 1 || badge.Grants[0] != (gatehouse.Grant{Gate: "front-door", Schedule: "office-hours"}) || badge.ValidUntil.Format(time.DateOnly) != "2031-01-01" || !badge.FaceConsent {
		t.Errorf("the badge is %+v", badge)
	}
	if s.TemplatesOf(id) != 1 || len(all[0].Photos) != 1 {
		t.Errorf("%d templates, %d photos: only good ones count", s.TemplatesOf(id), len(all[0].Photos))
	}
	given := s.ConsentsOf(id)
	if len(given) != 2 || given[0].Notice != "zh" || given[0].How != "reference" || given[0].By == "" || !strings.Contains(string(given[0].Reference), "folder 3") {
		t.Errorf("consents %+v", given)
	}
	if got, _ := s.Working.ByCredential(gatehouse.CardItem, "card-4711"); got != id {
		t.Error("the card does not lead to them")
	}
	// The draft is gone, and another browser never had it.
	if code, _ := g.get(base + "/review"); code != http.StatusNotFound {
		t.Errorf("the draft is still there: %d", code)
	}
}

func TestADraftIsItsSessionsOwn(t *testing.T) {
	s, g := open(t)
	at, _ := g.step("/people/new", who)
	other := signIn(t, s)
	for _, step := range []string{"consent", "photos", "review", "access"} {
		if code, body := other.get(strings.TrimSuffix(at, "consent") + step); code != http.StatusNotFound || strings.Contains(body, "Staff 7") {
			t.Errorf("another session's %s: %d", step, code)
		}
	}
	if code, _ := other.post(strings.TrimSuffix(at, "consent")+"review", nil); code != http.StatusNotFound || len(s.Subjects()) != 0 {
		t.Errorf("another session carried it out: %d", code)
	}
}

// A description of a face needs a consent, whatever a browser sends.
func TestNoPhotoWithoutConsent(t *testing.T) {
	s, g := open(t)
	at, _ := g.step("/people/new", who)
	base := strings.TrimSuffix(at, "/consent")
	if status, _, _ := g.upload(base+"/photos", "photo", nil, consoletest.Photo(1, "")); status != http.StatusNotFound {
		t.Errorf("before the question: %d", status)
	}
	if w, _ := g.http.Get(g.base + base + "/review"); w.Request.URL.Path != base+"/consent" {
		t.Errorf("the question can be stepped over: %s", w.Request.URL.Path)
	}
	for name, c := range map[string]struct {
		form url.Values
		want string
	}{
		"attendance alone":          {url.Values{"attendance": {"1"}, "notice": {"en"}, "how": {"terminal"}}, "first purpose"},
		"no notice":                 {url.Values{"doors": {"1"}, "how": {"terminal"}}, "language"},
		"no way":                    {url.Values{"doors": {"1"}, "notice": {"en"}}, "how they agreed"},
		"a form that lies nowhere":  {url.Values{"doors": {"1"}, "notice": {"en"}, "how": {"reference"}}, "signed form"},
		"another language's notice": {url.Values{"doors": {"1"}, "notice": {"xx"}, "how": {"terminal"}}, "language"},
	} {
		if at, body := g.step(base+"/consent", c.form); at != base+"/consent" || !strings.Contains(said(body), c.want) {
			t.Errorf("%s: %s, %q", name, at, said(body))
		}
	}
	// Taken back after the photos: they are gone.
	g.step(base+"/consent", consented)
	g.upload(base+"/photos", "photo", nil, consoletest.Photo(1, ""))
	if at, _ := g.step(base+"/consent", nil); at != base+"/cards" {
		t.Errorf("without consent the next step is %s", at)
	}
	g.step(base+"/cards", url.Values{"pin": {"904178"}})
	g.step(base+"/access", nil)
	g.step(base+"/review", nil)
	if all := s.Subjects(); len(all) != 1 || len(all[0].Photos) != 0 || s.TemplatesOf(all[0].ID) != 0 || len(s.ConsentsOf(all[0].ID)) != 0 {
		t.Errorf("%d enrolled, with a photo, a template or a consent", len(all))
	}
}

func TestAChildNeedsAGuardian(t *testing.T) {
	_, g := open(t)
	young := url.Values{"label": {"Pupil 3"}, "birth_date": {time.Now().AddDate(-9, 0, 0).Format(time.DateOnly)}}
	at, body := g.step("/people/new", young)
	if !strings.Contains(body, "guardian must agree") {
		t.Error("the page does not say so")
	}
	form := url.Values{"doors": {"1"}, "notice": {"en"}, "how": {"terminal"}}
	if now, body := g.step(at, form); now != at || !strings.Contains(said(body), "guardian") {
		t.Errorf("without one: %s, %q", now, said(body))
	}
	form.Set("guardian", "1")
	if now, _ := g.step(at, form); !strings.HasSuffix(now, "/photos") {
		t.Errorf("with one: %s", now)
	}
}

// The page offers what the site's law takes, and refuses what it does not.
func TestTheLawOnThePageOfConsent(t *testing.T) {
	s, g := open(t)
	s.Enroller.Law = enroll.Law{Profile: "us-il", GuardianAge: 18, Signed: true}
	at, body := g.step("/people/new", url.Values{"label": {"Pupil 3"}, "birth_date": {time.Now().AddDate(-17, 0, 0).Format(time.DateOnly)}})
	if !strings.Contains(body, "somebody under 18") || strings.Contains(body, `value="terminal"`) || strings.Contains(body, `name="attendance"`) {
		t.Error("the page does not follow the law")
	}
	form := url.Values{"doors": {"1"}, "notice": {"en"}, "how": {"terminal"}, "guardian": {"1"}}
	if now, body := g.step(at, form); now != at || !strings.Contains(said(body), "signed form") {
		t.Errorf("without a form: %s, %q", now, said(body))
	}
	form.Set("how", "reference")
	form.Set("reference", "cabinet 4")
	form.Set("attendance", "1")
	if now, body := g.step(at, form); now != at || !strings.Contains(said(body), "never count") {
		t.Errorf("with attendance: %s, %q", now, said(body))
	}
	form.Del("attendance")
	if now, _ := g.step(at, form); !strings.HasSuffix(now, "/photos") {
		t.Errorf("with a form: %s", now)
	}
}

// What is wrong is said on the step where it can be set right, beside what was typed.
func TestWhatIsTypedWrong(t *testing.T) {
	s, g := open(t)
	s.Enrol(gatehouse.PersonSubject, "Staff 1", "Ana", gatehouse.Active)
	s.Enrol(gatehouse.VehicleSubject, "Van 1", "LS15EBC", gatehouse.Active)
	for name, c := range map[string]struct {
		path string
		form url.Values
		want string
	}{
		"no label":         {"/people/new", url.Values{"name": {"Mei <b>Lin"}}, "1 to 60"},
		"a label of two":   {"/people/new", url.Values{"label": {"Staff 1"}, "name": {"Mei <b>Lin"}}, "label already"},
		"an unborn":        {"/people/new", url.Values{"label": {"x"}, "birth_date": {"2999-01-01"}, "name": {"Mei <b>Lin"}}, "birth date"},
		"endless":          {"/people/new", url.Values{"label": {"x"}, "address": {strings.Repeat("x", 201)}, "name": {"Mei <b>Lin"}}, "filled in"},
		"control":          {"/people/new", url.Values{"label": {"x"}, "address": {"a\x1bb"}, "name": {"Mei <b>Lin"}}, "filled in"},
		"no plate":         {"/vehicles/new", url.Values{"label": {"Van 2"}, "plate": {"·"}}, "2 to 12"},
		"not even a label": {"/vehicles/new", url.Values{"plate": {"AB1"}}, "1 to 60"},
	} {
		at, body := g.step(c.path, c.form)
		if at != c.path || !strings.Contains(said(body), c.want) {
			t.Errorf("%s: %s, %q", name, at, said(body))
		}
		if c.form.Has("name") && !strings.Contains(body, `value="Mei &lt;b&gt;Lin"`) {
			t.Errorf("%s: what was typed is lost", name)
		}
	}
	at, _ := g.step("/people/new", who)
	base := strings.TrimSuffix(at, "/consent")
	g.step(base+"/consent", nil)
	for name, c := range map[string]struct {
		step string
		form url.Values
		want string
	}{
		"an easy PIN":   {"cards", url.Values{"pin": {"123456"}}, "too easy"},
		"no such gate":  {"access", url.Values{"gate": {"back-door"}}, "no such gate"},
		"no such hours": {"access", url.Values{"all": {"1"}, "schedule-all": {"lunch"}}, "no such schedule"},
		"no day":        {"access", url.Values{"first": {"soon"}}, "no day"},
		"the wrong way": {"access", url.Values{"first": {"2026-02-02"}, "last": {"2026-02-01"}}, "before the first"},
	} {
		at, body := g.step(base+"/"+c.step, c.form)
		if at != base+"/"+c.step || !strings.Contains(said(body), c.want) {
			t.Errorf("%s: %s, %q", name, at, said(body))
		}
	}
	// Who took their name away again goes no further without one.
	if at, body := g.step(base+"/who", nil); at != base+"/who" || !strings.Contains(said(body), "1 to 60") {
		t.Errorf("no label after all: %s, %q", at, said(body))
	}
	if w, err := g.http.Get(g.base + base + "/review"); err != nil || w.Request.URL.Path != base+"/who" {
		t.Errorf("it was stepped over: %v", err)
	}
}

func TestTwinsAreDeclared(t *testing.T) {
	s, g := open(t)
	enrolled := func(label, person string) string {
		at, _ := g.step("/people/new", url.Values{"label": {label}})
		base := strings.TrimSuffix(at, "/consent")
		g.step(base+"/consent", consented)
		g.upload(base+"/photos", "photo", nil, consoletest.Photo(1, person))
		return base
	}
	base := enrolled("Staff 1", "")
	g.step(base+"/cards", nil)
	g.step(base+"/access", nil)
	g.step(base+"/review", nil)
	first := s.Subjects()[0].ID
	base = enrolled("Staff 2", "")
	code, body := g.get(base + "/photos")
	if code != http.StatusOK || !strings.Contains(body, "Enrolled already") || !strings.Contains(body, "/people/"+first.String()) || !strings.Contains(body, "Good photos: 0") {
		t.Fatalf("the same face again: %d", code)
	}
	if _, body = g.step(base+"/twin", url.Values{"of": {first.String()}}); !strings.Contains(body, "Good photos: 1") {
		t.Error("a declared twin's photo will not do")
	}
	if code, _ := g.post(base+"/twin", url.Values{"of": {gatehouse.RandomID().String()}}); code != http.StatusNotFound {
		t.Errorf("a twin of nobody: %d", code)
	}
	g.step(base+"/cards", nil)
	g.step(base+"/access", nil)
	at, _ := g.step(base+"/review", nil)
	second, _ := gatehouse.ParseID(strings.TrimPrefix(at, "/people/"))
	for _, id := range []gatehouse.SubjectID{first, second} {
		if b, _ := s.Working.Badge(id); !b.NeedSecondFactor {
			t.Errorf("%s may pass by a face alone", id)
		}
	}
}

func TestPhotosThatAreNone(t *testing.T) {
	_, g := open(t)
	at, _ := g.step("/people/new", who)
	base := strings.TrimSuffix(at, "/consent")
	g.step(base+"/consent", consented)
	for name, file := range map[string][]byte{"text": []byte("hello"), "a script": []byte("<script>alert(1)</script>"), "too large": make([]byte, 12<<20+1)} {
		if status, _, body := g.upload(base+"/photos", "photo", nil, file); status != http.StatusUnprocessableEntity || said(body) == "" {
			t.Errorf("%s: %d, %q", name, status, said(body))
		}
	}
	var many [][]byte
	for i := range 9 {
		many = append(many, append(consoletest.Photo(1, ""), byte(i)))
	}
	if status, _, body := g.upload(base+"/photos", "photo", nil, many...); status != http.StatusUnprocessableEntity || !strings.Contains(said(body), "Eight") || strings.Count(body, "<img ") != 8 {
		t.Errorf("nine photos: %d, %q", status, said(body))
	}
	_, body := g.get(base + "/photos")
	shots := regexp.MustCompile(`src="(/enrolments/[^"]+)"`).FindAllStringSubmatch(body, -1)
	w, err := g.http.Get(g.base + shots[0][1])
	if err != nil || w.Header.Get("Content-Type") != "image/jpeg" || w.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a photo comes as %v", w.Header)
	}
	if strings.Count(body, "will be used") != 5 {
		t.Errorf("%d photos would be used", strings.Count(body, "will be used"))
	}
	if _, body = g.step(shots[0][1]+"/remove", nil); strings.Count(body, "<img ") != 7 {
		t.Error("it was not removed")
	}
	// The camera may be asked for on this page, and on no other.
	for path, want := range map[string]bool{base + "/photos": true, base + "/cards": false, "/people": false} {
		w, err := g.http.Get(g.base + path)
		if err != nil || strings.Contains(w.Header.Get("Permissions-Policy"), "camera=(self)") != want {
			t.Errorf("%s: %s", path, w.Header.Get("Permissions-Policy"))
		}
	}
}

// A script gets the list alone, with what is wrong in it.
func TestTheListOfPhotosForAScript(t *testing.T) {
	_, g := open(t)
	at, _ := g.step("/people/new", who)
	base := strings.TrimSuffix(at, "/consent")
	g.step(base+"/consent", consented)
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, _ := w.CreateFormFile("photo", "x")
	_, _ = part.Write([]byte("no picture"))
	w.Close()
	q, _ := http.NewRequest(http.MethodPost, g.base+base+"/photos", &b)
	q.Header.Set("Content-Type", w.FormDataContentType())
	q.Header.Set("HX-Request", "true")
	r, err := g.http.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	if r.StatusCode != http.StatusOK || !bytes.HasPrefix(bytes.TrimSpace(body), []byte(`<div id="photos">`)) || said(string(body)) == "" {
		t.Errorf("%d: %s", r.StatusCode, body)
	}
}

func TestAVehicleAndDrafts(t *testing.T) {
	s, g := open(t)
	at, _ := g.step("/vehicles/new", url.Values{"label": {"Van 2"}, "plate": {"ls 15-ebc"}, "region": {"eu"}, "class": {"truck"}})
	base, ok := strings.CutSuffix(at, "/access")
	if !ok {
		t.Fatalf("it led to %s", at)
	}
	if code, _ := g.get(base + "/photos"); code != http.StatusNotFound {
		t.Errorf("a vehicle's photos: %d", code)
	}
	if _, body := g.get(base + "/access"); !strings.Contains(body, "Car park") || strings.Contains(body, "Front door") {
		t.Error("a vehicle is offered doors, or no lane")
	}
	g.step(base+"/access", url.Values{"all": {"1"}, "schedule-all": {"nights"}})
	g.step(base+"/review", nil)
	if id, ok := s.Working.ByPlate("LS15EBC"); !ok {
		t.Error("the plate is not known")
	} else if b, _ := s.Working.Badge(id); b.Label != "Van 2" || b.Grants[0] != (gatehouse.Grant{Gate: "*", Schedule: "nights"}) {
		t.Errorf("the badge is %+v", b)
	}
	// The same again is refused where it is typed.
	if at, body := g.step("/vehicles/new", url.Values{"label": {"Van 3"}, "plate": {"LS15 EBC"}}); at != "/vehicles/new" || !strings.Contains(said(body), "already") {
		t.Errorf("the same plate: %s, %q", at, said(body))
	}
	at, _ = g.step("/vehicles/new", url.Values{"label": {"Van 4"}, "plate": {"XY1"}})
	if at, _ := g.step(strings.TrimSuffix(at, "access")+"discard", nil); at != "/people" {
		t.Errorf("discarding led to %s", at)
	}
	if code, _ := g.get(at); code != http.StatusNotFound || len(s.Subjects()) != 1 {
		t.Errorf("the discarded one: %d", code)
	}
	var kept []string
	for i := range 6 {
		at, _ := g.step("/people/new", url.Values{"label": {"P" + string(rune('a'+i))}})
		kept = append(kept, at)
	}
	there := 0
	for _, at := range kept {
		if code, _ := g.get(at); code == http.StatusOK {
			there++
		}
	}
	if there != 4 {
		t.Errorf("%d drafts of one session are held", there)
	}
	if slices.Contains(kept, "/people/new") {
		t.Error("one was refused")
	}
}
