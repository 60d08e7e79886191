package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// VerifyToken lets a token in whose text lists its scopes: "scopes see-people@front-door".
func (w *world) VerifyToken(_ context.Context, shown gatehouse.Secret) (gatehouse.AccessToken, error) {
	words := strings.Fields(strings.ReplaceAll(shown.Reveal(), "+", " "))
	if len(words) == 0 || words[0] != "scopes" {
		return gatehouse.AccessToken{}, gatehouse.Errorf("token.refused", "ask for one", "this is none")
	}
	t := gatehouse.AccessToken{Place: place, ID: gatehouse.ID{byte(len(words))}, Name: "x"}
	for _, s := range words[1:] {
		scope, gate, at := strings.Cut(s, "@")
		t.Scopes = append(t.Scopes, gatehouse.Permission(scope))
		if at {
			t.At = append(t.At, gatehouse.GateID(gate))
		}
	}
	return t, nil
}

func (w *world) TokenCounts(gatehouse.ID) bool { return true }

// program shows a token with these scopes.
func program(scopes ...string) []string {
	return []string{"Authorization", "Bearer scopes+" + strings.Join(scopes, "+"), "Content-Type", "application/json"}
}

// site is the world as api.Resources.
type site struct{ *world }

func (s site) Gates(context.Context) (wire.GatesResponse, error) {
	return wire.GatesResponse{Gates: []wire.GateInfo{
		{ID: "front-door", Kind: gatehouse.Door, Name: "Front door", Direction: gatehouse.In, State: "closed", Camera: "ok"},
		{ID: "lane", Kind: gatehouse.Lane, Name: "Lane", Direction: gatehouse.In, State: "unknown", Camera: "none"}}}, s.fail
}

func (s site) Subjects(_ context.Context, after gatehouse.SubjectID, limit int) (out wire.SubjectsResponse, _ error) {
	for _, one := range s.subjects {
		if bytes.Compare(one.ID[:], after[:]) > 0 && len(out.Subjects) < limit {
			out.Subjects = append(out.Subjects, one)
		}
	}
	if len(out.Subjects) == limit {
		out.Next = out.Subjects[limit-1].ID
	}
	return out, s.fail
}

func (s site) Subject(_ context.Context, id gatehouse.SubjectID) (wire.Subject, error) {
	for _, one := range s.subjects {
		if one.ID == id {
			return one, s.fail
		}
	}
	return wire.Subject{}, gatehouse.Errorf("store.not_found", "check the id", "there is none")
}

func (s site) SetStatus(_ context.Context, id gatehouse.SubjectID, to gatehouse.SubjectStatus) error {
	for i := range s.subjects {
		if s.subjects[i].ID == id {
			s.subjects[i].Status = to
			return s.fail
		}
	}
	return gatehouse.Errorf("store.not_found", "check the id", "there is none")
}

func (s site) Devices(context.Context) (wire.DevicesResponse, error) {
	return wire.DevicesResponse{Devices: []wire.Device{{ID: "cam", Kind: gatehouse.Camera, Gate: "front-door", Shows: "key"}}}, s.fail
}

func (s site) DeviceCode(_ context.Context, r wire.DeviceAddRequest) (wire.DeviceCodeResponse, error) {
	return wire.DeviceCodeResponse{ID: r.ID, Code: "ABCDE-FGHJK", Address: "http://localhost"}, s.fail
}

func (s site) RevokeDevice(context.Context, gatehouse.DeviceID) error { return s.fail }

func (s site) Erase(_ context.Context, r wire.EraseRequest) (wire.Erasure, error) {
	return wire.Erasure{Certificate: gatehouse.ErasureCertificate{ID: gatehouse.ID{5}, Subject: r.Subject}}, s.fail
}

func (s site) Erasure(context.Context, gatehouse.ID) (wire.Erasure, error) {
	return wire.Erasure{}, s.fail
}

func (s site) DisclosureFacts(_ context.Context, before gatehouse.ID, limit int) (wire.DisclosuresResponse, error) {
	return wire.DisclosuresResponse{Disclosures: []wire.DisclosureFact{{ID: before, Operator: "site/x", Purpose: "live", Units: limit}}}, s.fail
}

func (s site) Health(context.Context) (wire.Health, error) {
	return wire.Health{Running: true, Vault: wire.VaultHealth{Left: map[string]int{}}, Audit: wire.AuditHealth{Witnesses: []wire.WitnessHealth{}}, Cameras: []wire.CameraHealth{}}, s.fail
}

// kept is the world as api.Replies.
type kept struct{ *world }

func (k kept) BeginReply(_ context.Context, r gatehouse.KeptReply) (gatehouse.KeptReply, bool, error) {
	if there, ok := k.replies[r.Key]; ok {
		return there, false, nil
	}
	if k.replies == nil {
		k.world.replies = map[[32]byte]gatehouse.KeptReply{}
	}
	k.replies[r.Key] = r
	return r, true, nil
}

func (k kept) FinishReply(_ context.Context, r gatehouse.KeptReply) error {
	k.replies[r.Key] = r
	return nil
}

func (k kept) DropReply(_ context.Context, key [32]byte) error {
	delete(k.replies, key)
	return nil
}

func serveSite(t *testing.T, w *world, change func(*api.Options)) http.Handler {
	t.Helper()
	tcp, _ := serve(t, w, func(o *api.Options) {
		o.Resources, o.Replies = site{w}, kept{w}
		if change != nil {
			change(o)
		}
	})
	return tcp
}

func decoded[T any](t *testing.T, r *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if err := json.Unmarshal(r.Body.Bytes(), &v); err != nil {
		t.Fatalf("%d %s: %v", r.Code, r.Body, err)
	}
	return v
}

func some(n int) (all []gatehouse.Passage) {
	base := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	for i := range n {
		p := gatehouse.Passage{Place: place, ID: gatehouse.NewID(base.Add(time.Duration(i) * time.Second)), Gate: "front-door", Device: "cam", Direction: gatehouse.In, At: base.Add(time.Duration(i) * time.Second),
			Kind: gatehouse.CardReading, Subject: gatehouse.RandomID(), Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted}, Outcome: gatehouse.Passed}
		if i%100 == 0 {
			p.Gate, p.Decision, p.Outcome = "lane", gatehouse.Decision{Reason: gatehouse.Unknown}, gatehouse.NoAction
		}
		all = append([]gatehouse.Passage{p}, all...)
	}
	return all
}

func TestPassagesPageAndFilter(t *testing.T) {
	w := &world{passages: some(1001)}
	h := serveSite(t, w, func(o *api.Options) { o.PerMinute = 100_000 })
	all := func(query string, show []string) (rows []wire.Passage, pages int) {
		t.Helper()
		next := ""
		for pages = 1; ; pages++ {
			r := send(h, "GET", "/api/v1/passages?"+query+next, "", show...)
			if r.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", query, r.Code, r.Body)
			}
			page := decoded[wire.PassagesResponse](t, r)
			rows = append(rows, page.Passages...)
			if page.Next.IsZero() {
				return rows, pages
			}
			next = "&before=" + page.Next.String()
		}
	}
	every := program("see-passages")
	for query, want := range map[string]int{"limit=200": 1001, "limit=7&": 1001, "": 1001, "decision=denied": 11, "reason=unknown&limit=3": 11, "decision=granted&limit=200": 990, "kind=face": 0, "gate=lane": 11, "reason=suspended&limit=1": 0} {
		rows, pages := all(query, every)
		if len(rows) != want || pages > 1+1001/7+1 {
			t.Errorf("%q: %d rows in %d pages, want %d", query, len(rows), pages, want)
		}
		if !slices.IsSortedFunc(rows, func(a, b wire.Passage) int { return bytes.Compare(b.ID[:], a.ID[:]) }) {
			t.Errorf("%q: not newest first, or one twice", query)
		}
	}
	// A token for one gate is told nothing of another, by no way.
	rows, _ := all("limit=200", program("see-passages@lane"))
	if len(rows) != 11 {
		t.Errorf("a token for the lane sees %d", len(rows))
	}
	for _, p := range []gatehouse.Passage{w.passages[0], w.passages[1]} {
		want := map[gatehouse.GateID]int{"lane": 200, "front-door": 404}[p.Gate]
		if r := send(h, "GET", "/api/v1/passages/"+p.ID.String(), "", program("see-passages@lane")...); r.Code != want || want == 404 && strings.Contains(r.Body.String(), "front-door") {
			t.Errorf("a passage at %s: %d %s", p.Gate, r.Code, r.Body)
		}
	}
	if got := decoded[wire.GatesResponse](t, send(h, "GET", "/api/v1/gates", "", program("see-passages@lane")...)); len(got.Gates) != 1 || got.Gates[0].ID != "lane" {
		t.Errorf("gates: %+v", got)
	}
	if r := send(h, "GET", "/api/v1/gates/front-door", "", program("see-passages@lane")...); r.Code != 404 {
		t.Errorf("another gate: %d", r.Code)
	}
	for _, bad := range []string{"limit=0", "limit=201", "limit=x", "before=x", "gate=Front", "since=yesterday", "until=2026-11-26T08:00:00 01:00", "decision=maybe", "reason=liked", "kind=smell", "since=0001-01-01T00:00:00Z"} {
		if r := send(h, "GET", "/api/v1/passages?"+strings.ReplaceAll(bad, " ", "%20"), "", every...); r.Code != 400 {
			t.Errorf("%s: %d", bad, r.Code)
		}
	}
	// Neither a name nor a number nor a similarity is in any answer.
	for _, no := range []string{"name\":\"Mei", "plate\":", "confidence", "similarity", "score"} {
		if r := send(h, "GET", "/api/v1/passages?limit=200", "", every...); strings.Contains(r.Body.String(), no) {
			t.Errorf("the answer says %q", no)
		}
	}
}

// What is polled costs nothing while it is the same, and what is changed is not changed
// over somebody else's change.
func TestETags(t *testing.T) {
	w := &world{passages: some(3), subjects: []wire.Subject{{ID: gatehouse.SubjectID{1}, Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Label: "B-1"}, {ID: gatehouse.SubjectID{2}, Kind: gatehouse.VehicleSubject, Status: gatehouse.SuspendedStatus, Label: "V-2"}}}
	h := serveSite(t, w, nil)
	show := program("see-passages", "see-people", "suspend", "edit-records", "status", "devices", "see-disclosures")
	id := w.subjects[0].ID.String()
	for _, path := range []string{"/api/v1/passages", "/api/v1/passages/" + w.passages[0].ID.String(), "/api/v1/gates", "/api/v1/gates/lane", "/api/v1/subjects", "/api/v1/subjects/" + id, "/api/v1/devices", "/api/v1/health", "/api/v1/disclosures"} {
		r := send(h, "GET", path, "", show...)
		tag := r.Header().Get("ETag")
		if r.Code != 200 || tag == "" || strings.HasPrefix(tag, "W/") {
			t.Errorf("%s: %d %q %s", path, r.Code, tag, r.Body)
		}
		again := send(h, "GET", path, "", append(show, "If-None-Match", tag)...)
		if again.Code != 304 || again.Body.Len() > 0 || again.Header().Get("ETag") != tag {
			t.Errorf("%s that is known: %d", path, again.Code)
		}
	}
	read := send(h, "GET", "/api/v1/subjects/"+id, "", show...)
	tag := read.Header().Get("ETag")
	put := func(status, match string) *httptest.ResponseRecorder {
		return send(h, "PUT", "/api/v1/subjects/"+id+"/status", `{"status":"`+status+`"}`, append(show, "If-Match", match)...)
	}
	for _, wrong := range []string{`"other"`, "W/" + tag, `""`} {
		if r := put("suspended", wrong); r.Code != 412 || w.subjects[0].Status != gatehouse.Active {
			t.Errorf("changed over another change: %d", r.Code)
		}
	}
	r := put("suspended", tag)
	if got := decoded[wire.Subject](t, r); r.Code != 200 || got.Status != gatehouse.SuspendedStatus || r.Header().Get("ETag") == tag {
		t.Errorf("%d %+v", r.Code, got)
	}
	if r := put("active", tag); r.Code != 412 {
		t.Errorf("the earlier tag still counts: %d", r.Code)
	}
	if r := put("active", "*"); r.Code != 200 {
		t.Errorf("whatever it is: %d", r.Code)
	}
	if r := send(h, "DELETE", "/api/v1/subjects/"+id+"/consent", "", append(show, "If-Match", `"other"`)...); r.Code != 412 {
		t.Errorf("a consent: %d", r.Code)
	}
	if r := send(h, "DELETE", "/api/v1/subjects/"+id+"/consent", "", show...); r.Code != 204 || r.Body.Len() > 0 {
		t.Errorf("a consent: %d %s", r.Code, r.Body)
	}
	if got := decoded[wire.SubjectsResponse](t, send(h, "GET", "/api/v1/subjects?kind=vehicle&limit=1", "", show...)); len(got.Subjects) != 1 || got.Subjects[0].Label != "V-2" {
		t.Errorf("vehicles: %+v", got)
	}
	if got := decoded[wire.SubjectsResponse](t, send(h, "GET", "/api/v1/subjects?status=active", "", show...)); len(got.Subjects) != 1 || got.Subjects[0].Label != "B-1" || !got.Next.IsZero() {
		t.Errorf("active: %+v", got)
	}
	if r := send(h, "GET", "/api/v1/subjects?kind=animal", "", show...); r.Code != 400 {
		t.Errorf("animals: %d", r.Code)
	}
}

// A request with a key is carried out once, however often and at whatever moment it is sent.
func TestARequestWithAKeyIsCarriedOutOnce(t *testing.T) {
	w := &world{}
	h := serveSite(t, w, nil)
	const body = `{"label":"V-1","record":{"plate":"B XK 4521"},"grants":[]}`
	key := func(k string) []string { return append(program("enrol"), "Idempotency-Key", k) }
	post := func(body string, headers []string) *httptest.ResponseRecorder {
		return send(h, "POST", "/api/v1/vehicles", body, headers...)
	}
	first := post(body, key(`"8e03978e-40d5-43dd-bc93-6894a57f9324"`))
	if first.Code != 201 || first.Header().Get("Idempotency-Replayed") != "" {
		t.Fatalf("%d %s", first.Code, first.Body)
	}
	second := post(body, key("8e03978e-40d5-43dd-bc93-6894a57f9324"))
	if second.Code != 201 || second.Body.String() != first.Body.String() || second.Header().Get("Idempotency-Replayed") != "true" || second.Header().Get("Content-Type") != "application/json" || len(w.enrolled) != 1 {
		t.Errorf("again: %d %s, enrolled %d", second.Code, second.Body, len(w.enrolled))
	}
	if r := post(strings.Replace(body, "V-1", "V-2", 1), key("8e03978e-40d5-43dd-bc93-6894a57f9324")); r.Code != 422 || decoded[wire.Problem](t, r).Code != "request.key_reused" {
		t.Errorf("another request with the key: %d %s", r.Code, r.Body)
	}
	// Another program's key is another key.
	if r := send(h, "POST", "/api/v1/vehicles", body, append(program("enrol", "suspend"), "Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324")...); r.Code != 201 || len(w.enrolled) != 2 {
		t.Errorf("another program: %d, enrolled %d", r.Code, len(w.enrolled))
	}
	for _, bad := range []string{"", "short", strings.Repeat("x", 129), "with a space in the middle", "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""} {
		if r := post(body, key(bad)); r.Code != 400 || decoded[wire.Problem](t, r).Code != "request.key" {
			t.Errorf("the key %q: %d %s", bad, r.Code, r.Body)
		}
	}
	if len(w.enrolled) != 2 {
		t.Errorf("enrolled %d", len(w.enrolled))
	}
	// Nothing that is kept could be tried out with plates: not the key, and no digest of the
	// body without it.
	for _, r := range w.replies {
		if bytes.Contains(r.Sealed, []byte("4521")) || bytes.Contains(r.Sealed, []byte("8e03978e")) {
			t.Error("the request is kept")
		}
	}

	// A refusal for what it is, is an answer; a failure that may pass is none.
	w.fail = gatehouse.Errorf("enroll.plate", "write it as it is on the car", "this is no plate")
	if r := post(body, key("key-number-0000001")); r.Code != 422 {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	w.fail = nil
	if r := post(body, key("key-number-0000001")); r.Code != 422 || r.Header().Get("Idempotency-Replayed") != "true" || r.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("a refusal again: %d", r.Code)
	}
	w.fail = gatehouse.Errorf("vault.unavailable", "wait", "it restarts")
	post(strings.Replace(body, "V-1", "V-3", 1), key("key-number-0000002"))
	w.fail = nil
	if r := post(strings.Replace(body, "V-1", "V-3", 1), key("key-number-0000002")); r.Code != 201 {
		t.Errorf("after a failure that passed: %d %s", r.Code, r.Body)
	}
	// What broke in the middle is not done a second time.
	w.fail = gatehouse.Errorf("store.failed", "see the disk", "it broke")
	post(body, key("key-number-0000003"))
	w.fail = nil
	done := len(w.enrolled)
	if r := post(body, key("key-number-0000003")); r.Code != 409 || decoded[wire.Problem](t, r).Code != "request.unfinished" || len(w.enrolled) != done {
		t.Errorf("after a failure in the middle: %d %s", r.Code, r.Body)
	}

	// Two at once: one is carried out, the other is told to wait.
	w.entered, w.leave = make(chan struct{}), make(chan struct{})
	answer := make(chan *httptest.ResponseRecorder)
	go func() { answer <- post(body, key("key-number-0000004")) }()
	<-w.entered
	if r := post(body, key("key-number-0000004")); r.Code != 409 || decoded[wire.Problem](t, r).Code != "request.in_progress" || r.Header().Get("Retry-After") == "" {
		t.Errorf("the second of two: %d %s", r.Code, r.Body)
	}
	close(w.leave)
	if r := <-answer; r.Code != 201 {
		t.Errorf("the first of two: %d", r.Code)
	}
}

// Callers are told how much they may ask, and are stopped beyond it, each by themselves.
func TestCallersAreCounted(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	w := &world{passages: some(1)}
	h := serveSite(t, w, func(o *api.Options) { o.PerMinute, o.Now = 60, func() time.Time { return now } })
	show := program("see-passages")
	var codes []int
	for i := range 62 {
		r := send(h, "GET", "/api/v1/passages", "", show...)
		codes = append(codes, r.Code)
		if got := r.Header().Get("RateLimit-Policy"); got != `"caller";q=60;w=60` {
			t.Fatalf("the policy is %q", got)
		}
		if want := fmt.Sprintf(`"caller";r=%d;t=%d`, max(0, 59-i), min(60, i+1)); r.Header().Get("RateLimit") != want {
			t.Errorf("request %d: %q, want %q", i, r.Header().Get("RateLimit"), want)
		}
		if i == 61 && (r.Header().Get("Retry-After") != "2" || decoded[wire.Problem](t, r).Code != "auth.too_many") {
			t.Errorf("too many: %v %s", r.Header(), r.Body)
		}
	}
	if codes[59] != 200 || codes[60] != 429 || codes[61] != 429 {
		t.Errorf("answered %v", codes)
	}
	if r := send(h, "GET", "/api/v1/passages", "", program("see-passages", "status")...); r.Code != 200 {
		t.Errorf("another program: %d", r.Code)
	}
	if r := send(h, "GET", "/healthz", ""); r.Code != 200 {
		t.Errorf("nobody: %d", r.Code)
	}
	now = now.Add(time.Second)
	if r := send(h, "GET", "/api/v1/passages", "", show...); r.Code != 200 {
		t.Errorf("a second later: %d", r.Code)
	}
	// The admin socket is the command line's: it is not counted.
	_, socket := serve(t, w, func(o *api.Options) { o.PerMinute = 1 })
	for range 5 {
		if r := send(socket, "GET", "/api/v1/passages", ""); r.Code != 200 || r.Header().Get("RateLimit") != "" {
			t.Errorf("the admin socket: %d %v", r.Code, r.Header())
		}
	}
}

// A scope gives its own routes and no others.
func TestScopes(t *testing.T) {
	w := &world{passages: some(1), subjects: []wire.Subject{{ID: gatehouse.SubjectID{1}, Kind: gatehouse.PersonSubject, Status: gatehouse.Active}}}
	h := serveSite(t, w, func(o *api.Options) { o.PerMinute = 100_000 })
	id := gatehouse.SubjectID{1}.String()
	routes := map[string]struct{ scope, body string }{
		"GET /api/v1/passages": {"see-passages", ""}, "GET /api/v1/gates": {"see-passages", ""}, "GET /api/v1/subjects": {"see-people", ""}, "GET /api/v1/subjects/" + id: {"see-people", ""},
		"POST /api/v1/people": {"enrol", `{"label":"x","record":{},"grants":[],"consent_given":false}`}, "POST /api/v1/vehicles": {"enrol", `{"label":"x","record":{"plate":"X1"},"grants":[]}`},
		"PUT /api/v1/subjects/" + id + "/status": {"suspend", `{"status":"suspended"}`}, "DELETE /api/v1/subjects/" + id + "/consent": {"edit-records", ""},
		"POST /api/v1/erasures": {"erase", `{"subject":"` + id + `"}`}, "GET /api/v1/erasures/" + id: {"erase", ""},
		"GET /api/v1/devices": {"devices", ""}, "POST /api/v1/devices/codes": {"devices", `{"id":"cam","kind":"camera","gate":"front-door"}`}, "DELETE /api/v1/devices/cam": {"devices", ""},
		"GET /api/v1/disclosures": {"see-disclosures", ""}, "GET /api/v1/health": {"status", ""},
	}
	scopes := []string{"see-passages", "see-people", "enrol", "suspend", "edit-records", "erase", "devices", "see-disclosures", "status"}
	for route, c := range routes {
		method, path, _ := strings.Cut(route, " ")
		for _, scope := range scopes {
			r := send(h, method, path, c.body, program(scope)...)
			if opened := r.Code < 300; opened != (scope == c.scope) || !opened && (r.Code != 403 || decoded[wire.Problem](t, r).Code != "token.scope") {
				t.Errorf("%s with %s: %d %s", route, scope, r.Code, r.Body)
			}
		}
		if r := send(h, method, path, c.body); r.Code != 401 {
			t.Errorf("%s with nothing: %d", route, r.Code)
		}
	}
	// Search stays with people, whatever a token says.
	if r := send(h, "POST", "/api/v1/search", `{}`, program("search")...); r.Code != 401 {
		t.Errorf("a search with a token: %d", r.Code)
	}
}
