package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/apitest"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

var place = gatehouse.Place{Org: "acme", Site: "hq"}

// world is everything behind the API.
type world struct {
	apitest.NoParking
	api.AuditAdmin
	api.RulesAdmin
	api.Hours
	api.Wages
	api.WhyAdmin
	api.OpeningAdmin
	api.AlarmsAdmin
	api.DisclosureAdmin
	api.EraseAdmin
	api.TLSAdmin
	api.DeviceAdmin
	api.HealthAdmin
	api.BackupAdmin                     // of which these tests ask nothing
	passages        []gatehouse.Passage // newest first
	posted          []gatehouse.Capture
	answer          []gatehouse.Passage
	fail            error
	people          []wire.EnrollPersonRequest
	searches        []wire.SearchRequest
	subjects        []wire.Subject
	enrolled        []wire.EnrollVehicleRequest
	entered, leave  chan struct{} // EnrollVehicle: that it began, and that it may end
	replies         map[[32]byte]gatehouse.KeptReply
}

func (w *world) RotateGallery(context.Context) (wire.RotateGalleryResponse, error) {
	return wire.RotateGalleryResponse{Templates: len(w.people)}, w.fail
}

func (w *world) Post(_ context.Context, c gatehouse.Capture) ([]gatehouse.Passage, error) {
	w.posted = append(w.posted, c)
	return w.answer, w.fail
}

func (w *world) Passages(_ context.Context, q gatehouse.PassageQuery) ([]gatehouse.Passage, error) {
	var out []gatehouse.Passage
	for _, p := range w.passages {
		if (q.Before.IsZero() || bytes.Compare(p.ID[:], q.Before[:]) < 0) && (q.Gate == "" || p.Gate == q.Gate) && (q.Within == nil || q.Within.Has(p.Gate)) && len(out) < q.Limit {
			out = append(out, p)
		}
	}
	return out, w.fail
}

func (w *world) Passage(_ context.Context, _ gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error) {
	for _, p := range w.passages {
		if p.ID == id {
			return gatehouse.StoredPassage{Passage: p}, w.fail
		}
	}
	return gatehouse.StoredPassage{}, gatehouse.Errorf("store.not_found", "check the id", "there is none")
}

func (w *world) VerifyDevice(_ context.Context, id gatehouse.DeviceID, token string) (gatehouse.Device, error) {
	if id == "cam" && token == "right" {
		return gatehouse.Device{Place: place, ID: id, Gate: "front-door"}, nil
	}
	return gatehouse.Device{}, auth.Refused()
}

func parse(_ http.Header, body io.Reader, received time.Time) (gatehouse.Capture, error) {
	b, err := io.ReadAll(body)
	if !bytes.HasPrefix(b, []byte{0xff, 0xd8}) {
		return gatehouse.Capture{}, gatehouse.Errorf("image.type", "send a JPEG or PNG", "these bytes are no picture")
	}
	return gatehouse.Capture{Kind: gatehouse.FrameCapture, Received: received, Image: gatehouse.Image{Format: gatehouse.JPEG, Bytes: b}}, err
}

func serve(t *testing.T, w *world, change func(*api.Options)) (tcp, socket http.Handler) {
	t.Helper()
	o := api.Options{Place: place, Captures: w, ParseFrame: parse, Passages: w, Admin: w, Metrics: api.NewMetrics(), MaxFrame: 1000}
	if change != nil {
		change(&o)
	}
	a := api.New(o)
	guard := auth.New(auth.Options{Hosts: []string{"localhost:80", "localhost"}, Devices: w, Tokens: w})
	return apitest.Checked(t, served(t), a.Routes(), guard.Handler(auth.TCP, a.Routes(), a.Refuse)), guard.Handler(auth.Socket, a.Routes(), a.Refuse)
}

// guarded is the API behind its policies, as it is served at an address.
func guarded(a *api.API, w *world, address string) http.Handler {
	return auth.New(auth.Options{Hosts: []string{address}, Devices: w, Tokens: w}).Handler(auth.TCP, a.Routes(), a.Refuse)
}

func send(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:99"
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const jpeg = "\xff\xd8 a picture"

var token = []string{"Authorization", "Bearer right", "Content-Type", "image/jpeg"}

func TestADeviceLearnsTheDecisionAndNoMore(t *testing.T) {
	id := gatehouse.NewID(time.Now())
	subject := gatehouse.RandomID()
	w := &world{answer: []gatehouse.Passage{{Place: place, ID: id, Subject: subject, Known: true, Kind: gatehouse.FaceReading,
		Decision: gatehouse.Decision{Reason: gatehouse.NeedSecondFactor, Rule: "front-door asks for two"}}}}
	tcp, _ := serve(t, w, nil)
	r := send(tcp, "POST", "/api/v1/devices/cam/frames", jpeg, append(token, "Accept-Language", "zh-CN")...)
	if r.Code != http.StatusAccepted {
		t.Fatalf("%d %s", r.Code, r.Body)
	}
	want := fmt.Sprintf(`{"passages":[{"id":"%s","decision":"denied","reason":"need_second_factor","sentence":"已识别，请再出示卡片、密码或二维码。"}]}`+"\n", id)
	if r.Body.String() != want {
		t.Errorf("answered %s\nwant     %s", r.Body, want)
	}
	for _, banned := range []string{subject.String(), "confidence", "similarity", "score", "rule", "asks for two", "name", "plate"} {
		if strings.Contains(r.Body.String(), banned) {
			t.Errorf("a device was told %q", banned)
		}
	}
	if len(w.posted) != 1 || w.posted[0].Gate != "front-door" || w.posted[0].Device != "cam" || w.posted[0].Received.IsZero() {
		t.Errorf("posted %+v", w.posted)
	}
	w.answer = nil
	if r := send(tcp, "POST", "/api/v1/devices/cam/frames", jpeg, token...); r.Body.String() != "{\"passages\":[]}\n" {
		t.Errorf("no passage: %s", r.Body)
	}
}

func TestErrorsAreProblems(t *testing.T) {
	cause := errors.New("open /data/2026-11.db: Mei Lin")
	for name, c := range map[string]struct {
		path, body string
		headers    []string
		fail       error
		status     int
		code       string
	}{
		"no token":            {"/api/v1/devices/cam/frames", jpeg, nil, nil, 401, "device.refused"},
		"wrong token":         {"/api/v1/devices/cam/frames", jpeg, []string{"Authorization", "Bearer wrong"}, nil, 401, "device.refused"},
		"another device":      {"/api/v1/devices/other/frames", jpeg, token, nil, 401, "device.refused"},
		"odd id":              {"/api/v1/devices/%2e%2e/frames", jpeg, token, nil, 401, "device.refused"},
		"no picture":          {"/api/v1/devices/cam/frames", "hello", token, nil, 415, "image.type"},
		"nothing":             {"/api/v1/devices/cam/frames", "", token, nil, 400, "request.malformed"},
		"too large":           {"/api/v1/devices/cam/frames", jpeg + strings.Repeat("x", 1000), token, nil, 413, "request.too_large"},
		"vision is away":      {"/api/v1/devices/cam/frames", jpeg, token, gatehouse.Errorf("vision.unavailable", "wait", "it restarts"), 503, "vision.unavailable"},
		"disk full":           {"/api/v1/devices/cam/frames", jpeg, token, gatehouse.Errorf("store.full", "free some", "the disk is full: %w", cause), 507, "store.full"},
		"too many PINs":       {"/api/v1/devices/cam/credentials", `{"kind":"pin","value":"4711"}`, jsonToken, gatehouse.Errorf("pin.too_many", "wait", "too many"), 429, "pin.too_many"},
		"a camera's PIN":      {"/api/v1/devices/cam/credentials", `{"kind":"pin","value":"4711"}`, jsonToken, gatehouse.Errorf("device.kind", "enrol a reader", "a camera"), 403, "device.kind"},
		"a bug":               {"/api/v1/devices/cam/frames", jpeg, token, cause, 500, "server.failed"},
		"gone":                {"/api/v1/devices/cam/frames", jpeg, token, context.Canceled, 408, "request.slow"},
		"credential as text":  {"/api/v1/devices/cam/credentials", `{"kind":"card","value":"1"}`, token, nil, 415, "request.type"},
		"credential, unknown": {"/api/v1/devices/cam/credentials", `{"kind":"face","value":"1"}`, jsonToken, nil, 400, "request.malformed"},
		"credential, empty":   {"/api/v1/devices/cam/credentials", `{"kind":"pin","value":""}`, jsonToken, nil, 400, "request.malformed"},
		"credential, more":    {"/api/v1/devices/cam/credentials", `{"kind":"pin","value":"4711","grant":true}`, jsonToken, nil, 400, "request.malformed"},
		"credential, two":     {"/api/v1/devices/cam/credentials", `{"kind":"pin","value":"4711"}{}`, jsonToken, nil, 400, "request.malformed"},
		"credential, long":    {"/api/v1/devices/cam/credentials", `{"kind":"pin","value":"` + strings.Repeat("4", 5000) + `"}`, jsonToken, nil, 413, "request.too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			tcp, _ := serve(t, &world{fail: c.fail}, nil)
			r := send(tcp, "POST", c.path, c.body, c.headers...)
			var p wire.Problem
			if err := json.Unmarshal(r.Body.Bytes(), &p); err != nil {
				t.Fatalf("%d %s", r.Code, r.Body)
			}
			if r.Code != c.status || p.Status != c.status || p.Code != c.code || r.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %+v", r.Code, p)
			}
			if p.Detail == "" || p.Hint == "" || p.Title == "" {
				t.Errorf("a problem without words: %+v", p)
			}
			for _, leak := range []string{"Mei Lin", "/data", "4711", "right"} {
				if strings.Contains(p.Detail+p.Hint, leak) {
					t.Errorf("the problem says %q", leak)
				}
			}
		})
	}
}

var jsonToken = []string{"Authorization", "Bearer right", "Content-Type", "application/json; charset=utf-8"}

func TestACredentialIsACapture(t *testing.T) {
	w := &world{answer: []gatehouse.Passage{{ID: gatehouse.NewID(time.Now()), Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted}}}}
	tcp, _ := serve(t, w, nil)
	r := send(tcp, "POST", "/api/v1/devices/cam/credentials", `{"kind":"pin","value":"PIN 4711"}`, jsonToken...)
	if r.Code != http.StatusAccepted || !strings.Contains(r.Body.String(), `"decision":"granted"`) {
		t.Fatalf("%d %s", r.Code, r.Body)
	}
	if c := w.posted[0]; c.Kind != gatehouse.PINCapture || c.Secret.Reveal() != "PIN 4711" || c.Gate != "front-door" {
		t.Errorf("posted %+v", c)
	}
	if s := fmt.Sprintf("%v %+v %#v", w.posted[0], w.posted[0], w.posted[0]); strings.Contains(s, "PIN 4711") { // digits alone are in the time, too
		t.Error("printing the capture prints the PIN")
	}
}

func TestADeviceIsLimited(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	w := &world{}
	tcp, _ := serve(t, w, func(o *api.Options) {
		o.PerSecond, o.Burst = 1, 3
		o.Now = func() time.Time { return now }
	})
	codes := ""
	for range 5 {
		codes += fmt.Sprint(send(tcp, "POST", "/api/v1/devices/cam/frames", jpeg, token...).Code, " ")
	}
	if codes != "202 202 202 429 429 " || len(w.posted) != 3 {
		t.Errorf("five at once: %s, %d let through", codes, len(w.posted))
	}
	now = now.Add(time.Second)
	if r := send(tcp, "POST", "/api/v1/devices/cam/frames", jpeg, token...); r.Code != 202 {
		t.Errorf("a second later: %d", r.Code)
	}
}

// slow takes what is posted and answers when it is told to.
type slow struct{ arrived, answer chan struct{} }

func (s slow) Post(context.Context, gatehouse.Capture) ([]gatehouse.Passage, error) {
	s.arrived <- struct{}{}
	<-s.answer
	return nil, nil
}

// unread fails the test when somebody reads it.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body of a refused picture was read")
	return 0, io.EOF
}

func TestADeviceHasTwoPicturesInFlight(t *testing.T) {
	s := slow{make(chan struct{}), make(chan struct{})}
	m := api.NewMetrics()
	tcp, _ := serve(t, &world{}, func(o *api.Options) { o.Captures, o.Metrics = s, m })
	codes := make(chan int)
	post := func() { codes <- send(tcp, "POST", "/api/v1/devices/cam/frames", jpeg, token...).Code }
	for range 2 {
		go post()
		<-s.arrived
	}
	r := httptest.NewRequest(http.MethodPost, "http://localhost/api/v1/devices/cam/frames", unread{t})
	r.RemoteAddr = "127.0.0.1:99"
	r.Header.Set("Authorization", "Bearer right")
	r.Header.Set("Content-Type", "image/jpeg")
	w := httptest.NewRecorder()
	tcp.ServeHTTP(w, r)
	if w.Code != 503 || !strings.Contains(w.Body.String(), "server.busy") || w.Header().Get("Retry-After") == "" {
		t.Errorf("the third at once: %d %s", w.Code, w.Body)
	}
	if body := send(tcp, "GET", "/metrics", "").Body.String(); !strings.Contains(body, `gatehouse_frames_refused_total{gate="front-door"} 1`) {
		t.Error("the refused picture was not counted")
	}
	s.answer <- struct{}{}
	if code := <-codes; code != 202 {
		t.Errorf("one of the two: %d", code)
	}
	go post()
	<-s.arrived // there is room again
	close(s.answer)
	if a, b := <-codes, <-codes; a != 202 || b != 202 {
		t.Errorf("after one was answered: %d, %d", a, b)
	}
}

func TestPassagesAreMetadataAndPage(t *testing.T) {
	w := &world{}
	start := time.Now()
	for i := range 7 {
		gate := gatehouse.GateID("front-door")
		if i%2 == 1 {
			gate = "car-park"
		}
		at := start.Add(time.Duration(i) * time.Second)
		p := gatehouse.Passage{ID: gatehouse.NewID(at), Gate: gate, At: at, Latency: 61500 * time.Microsecond, Decision: gatehouse.Decision{Reason: gatehouse.Unknown}}
		w.passages = append([]gatehouse.Passage{p}, w.passages...)
	}
	tcp, socket := serve(t, w, nil)
	if r := send(tcp, "GET", "/api/v1/passages", ""); r.Code != 401 {
		t.Errorf("without a session: %d", r.Code)
	}
	seen, before := 0, ""
	for range 9 {
		r := send(socket, "GET", "/api/v1/passages?limit=3"+before, "")
		var page wire.PassagesResponse
		if err := json.Unmarshal(r.Body.Bytes(), &page); err != nil {
			t.Fatal(err, r.Body)
		}
		for _, p := range page.Passages {
			if p.ID != w.passages[seen].ID || p.LatencyMS != 61.5 || p.Decision != "denied" {
				t.Errorf("row %d is %+v", seen, p)
			}
			seen++
		}
		if page.Next.IsZero() {
			break
		}
		before = "&before=" + page.Next.String()
	}
	if seen != 7 {
		t.Errorf("%d of 7 rows over all pages", seen)
	}
	if r := send(socket, "GET", "/api/v1/passages?gate=car-park", ""); strings.Count(r.Body.String(), `"gate":"car-park"`) != 3 || strings.Contains(r.Body.String(), "front-door") {
		t.Errorf("of one gate: %s", r.Body)
	}
	for _, bad := range []string{"limit=0", "limit=201", "limit=x", "before=1", "gate=A%20B"} {
		if r := send(socket, "GET", "/api/v1/passages?"+bad, ""); r.Code != 400 {
			t.Errorf("%s got %d", bad, r.Code)
		}
	}
}

func TestMetricsHoldNothingPersonal(t *testing.T) {
	m := api.NewMetrics()
	subject := gatehouse.RandomID()
	m.Passage(gatehouse.Passage{ID: gatehouse.NewID(time.Now()), Gate: "front-door", Kind: gatehouse.FaceReading, Subject: subject, Latency: 61 * time.Millisecond,
		Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted}})
	m.Outcome("front-door", gatehouse.Passed)
	m.VisionRestarted()
	m.FrameRefused("front-door")
	m.Enrolled(3)
	tcp, _ := serve(t, &world{}, func(o *api.Options) { o.Metrics = m })
	body := send(tcp, "GET", "/metrics", "").Body.String()
	for _, want := range []string{`gatehouse_passages_total{gate="front-door",granted="true",reason="granted"} 1`, "gatehouse_vision_restarts_total 1",
		`gatehouse_passage_latency_seconds_bucket{kind="face",le="0.08"} 1`, `gatehouse_frames_refused_total{gate="front-door"} 1`, "gatehouse_enrolled 3"} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(body, subject.String()) {
		t.Error("a subject is in the metrics")
	}
	var none *api.Metrics
	none.Passage(gatehouse.Passage{}) // a server without metrics must not stop
}

func TestHealth(t *testing.T) {
	var trouble error
	tcp, _ := serve(t, &world{}, func(o *api.Options) {
		o.Ready = func(context.Context) (wire.Readiness, error) {
			return wire.Readiness{Status: "ready", Vision: "down"}, trouble
		}
	})
	if r := send(tcp, "GET", "/healthz", ""); r.Code != 200 {
		t.Errorf("healthz %d", r.Code)
	}
	if r := send(tcp, "GET", "/readyz", ""); r.Code != 200 || !strings.Contains(r.Body.String(), `"vision":"down"`) {
		t.Errorf("readyz %d %s", r.Code, r.Body)
	}
	trouble = gatehouse.Errorf("store.full", "", "no space for Mei Lin")
	r := send(tcp, "GET", "/readyz", "")
	if r.Code != 503 || strings.Contains(r.Body.String(), "Mei Lin") || !strings.Contains(r.Body.String(), "store.full") {
		t.Errorf("not ready: %d %s", r.Code, r.Body)
	}
}
