package console_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/console/consoletest"
)

// byRole signs in as an account with one role.
func byRole(t *testing.T, s *consoletest.Site, role gatehouse.Role) *guard {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	link := s.Auth.MintFor(s.Account("x-"+gatehouse.RandomID().String()[:8], gatehouse.Assignment{Role: role, Site: consoletest.Place.Site}).ID)
	base, _, _ := strings.Cut(link, "/enter/")
	g := &guard{t, base, &http.Client{Jar: jar}}
	w, err := g.http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
	return g
}

func device(id gatehouse.DeviceID, kind gatehouse.DeviceKind, state string) console.DeviceState {
	return console.DeviceState{Device: gatehouse.Device{Place: consoletest.Place, ID: id, Kind: kind, Gate: "front-door"}, Shows: "key", State: state, FPS: 4.9,
		Lag: 84 * time.Millisecond, Dropped: 7, Last: time.Now()}
}

// Whoever looks after devices and not after gates gets no picture, neither in the list nor
// by its address.
func TestDevicesShowPicturesToGuardsOnly(t *testing.T) {
	s, _ := open(t)
	s.Equipment = []console.DeviceState{device("front-camera", gatehouse.Camera, "ok"), device("reader-1", gatehouse.Reader, "quiet")}
	s.Ring.PutStill("front-door", consoletest.Picture(64, 64, 0))
	for role, pictures := range map[gatehouse.Role]bool{gatehouse.Administrator: false, gatehouse.SiteManager: true} {
		g := byRole(t, s, role)
		_, body := g.get("/devices")
		if strings.Contains(body, `<img src="/gates/front-door/still`) != pictures || !strings.Contains(body, "front-camera") {
			t.Errorf("%s: the list shows a picture: %t", role, !pictures)
		}
		if code, _ := g.get("/gates/front-door/still"); (code == http.StatusOK) != pictures {
			t.Errorf("%s: the picture's address answers %d", role, code)
		}
	}
}

func TestDevicesAreEnrolledAndRevoked(t *testing.T) {
	s, g := open(t)
	if _, body := g.get("/devices"); !strings.Contains(body, "No device yet") {
		t.Error("an empty list teaches nothing")
	}
	code, body := g.post("/devices/code", url.Values{"id": {"reader-1"}, "kind": {"reader"}, "gate": {"front-door"}})
	if code != http.StatusOK || !strings.Contains(body, `class="qr"`) || !strings.Contains(body, "12:34:56") || !strings.Contains(body, "https://gates.example/") {
		t.Errorf("a code: %d", code)
	}
	if code, body = g.post("/devices/code", url.Values{"id": {"Not A Name"}, "kind": {"reader"}, "gate": {"front-door"}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, `role="alert"`) {
		t.Errorf("a name that is none: %d", code)
	}
	const secret = "rtsp://user:opensesame@192.0.2.7/1"
	if code, body = g.post("/devices/camera", url.Values{"id": {"yard"}, "gate": {"front-door"}, "address": {secret}}); code != http.StatusOK || strings.Contains(body, "opensesame") || !strings.Contains(body, "yard") {
		t.Errorf("a camera: %d, and the address is shown: %t", code, strings.Contains(body, "opensesame"))
	}
	if code, _ = g.post("/devices/yard/revoke", nil); code != http.StatusOK || s.Equipment[0].Shows != "revoked" {
		t.Errorf("revoking: %d", code)
	}
	if code, _ = g.post("/devices/nobody/revoke", nil); code != http.StatusNotFound {
		t.Errorf("revoking what is not there: %d", code)
	}
}

func TestTablesFilterSortPageAndExport(t *testing.T) {
	s, g := open(t)
	for i := range 120 {
		d := device(gatehouse.DeviceID("d-"+string(rune('a'+i/26))+string(rune('a'+i%26))), gatehouse.Camera, "ok")
		d.Dropped = uint64(i)
		s.Equipment = append(s.Equipment, d)
	}
	s.Equipment[3].State = "=1+1"
	s.Equipment[4].Gate = "@gate"
	rows := func(path string) (n int, first string) {
		_, body := g.get(path)
		n = strings.Count(body, `<th scope="row">`)
		if _, rest, ok := strings.Cut(body, `<span class="device">`); ok {
			first, _, _ = strings.Cut(rest, "<")
		}
		return n, first
	}
	for path, want := range map[string]struct {
		n     int
		first string
	}{"/devices": {50, "d-aa"}, "/devices?page=3": {20, "d-dw"}, "/devices?page=99": {20, "d-dw"}, "/devices?page=-1": {50, "d-aa"}, "/devices?sort=-dropped": {50, "d-ep"},
		"/devices?q=D-B": {26, "d-ba"}, "/devices?kind=reader": {0, ""}, "/devices?sort=nonsense": {50, "d-aa"}, "/devices?q=" + strings.Repeat("x", 101): {50, "d-aa"}} {
		if n, first := rows(path); n != want.n || first != want.first {
			t.Errorf("%s: %d rows, the first %q", path, n, first)
		}
	}
	_, file := g.get("/devices?format=csv&q=d-a")
	if strings.Count(file, "\n") != 27 || !strings.Contains(file, "d-aa,camera,front-door") || strings.Contains(file, ",@gate") || !strings.Contains(file, ",'@gate") {
		t.Errorf("the file: %s", file)
	}
}
