package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// screen is a site's terminals.
type screen struct {
	after []uint64
	looks []gatehouse.Capture
}

func (s *screen) Look(_ context.Context, c gatehouse.Capture, after uint64) (wire.TerminalState, error) {
	s.looks, s.after = append(s.looks, c), append(s.after, after)
	return wire.TerminalState{Gate: "Front door", Guidance: gatehouse.ComeCloser, NextMS: 250, News: []wire.TerminalNews{{N: 8, Answer: gatehouse.Welcome}}, Last: 8}, nil
}

func (s *screen) Terminal(_ context.Context, d gatehouse.Device, after uint64) (wire.TerminalState, error) {
	s.after = append(s.after, after)
	return wire.TerminalState{Gate: "Front door", News: []wire.TerminalNews{}, Last: 8}, nil
}

// A terminal's picture is taken as a frame is, within the same bounds, and answered with
// what to say.
func TestATerminalLooks(t *testing.T) {
	s := &screen{}
	w := &world{}
	tcp, _ := serve(t, w, func(o *api.Options) { o.Terminals = s })
	r := send(tcp, "POST", "/api/v1/devices/cam/looks?after=7", jpeg, token...)
	want := `{"gate":"Front door","looks":false,"faces":false,"second_factor":false,"guidance":"come_closer","waits":false,"next_ms":250,"news":[{"n":8,"answer":"welcome"}],"last":8,"page":"","time":0}` + "\n"
	if r.Code != http.StatusOK || r.Body.String() != want || r.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	if len(s.looks) != 1 || s.looks[0].Device != "cam" || s.looks[0].Gate != "front-door" || s.after[0] != 7 {
		t.Errorf("looked at %+v after %v", s.looks, s.after)
	}
	if r := send(tcp, "GET", "/api/v1/devices/cam/terminal", "", token...); r.Code != http.StatusOK || !strings.Contains(r.Body.String(), `"news":[]`) || s.after[1] != 0 {
		t.Errorf("without a picture: %d %s", r.Code, r.Body)
	}
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code               string
	}{
		"no credential":    {"POST", "/api/v1/devices/cam/looks", jpeg, nil, 401, "device.refused"},
		"another device's": {"GET", "/api/v1/devices/other/terminal", "", token, 401, "device.refused"},
		"no picture":       {"POST", "/api/v1/devices/cam/looks", "GIF89a", token, 415, "image.type"},
		"a large one":      {"POST", "/api/v1/devices/cam/looks", jpeg + strings.Repeat("x", 2000), token, 413, "request.too_large"},
		"no number":        {"POST", "/api/v1/devices/cam/looks?after=-1", jpeg, token, 400, "request.malformed"},
		"nor here":         {"GET", "/api/v1/devices/cam/terminal?after=1e9", "", token, 400, "request.malformed"},
	} {
		r := send(tcp, c.method, c.path, c.body, c.headers...)
		if r.Code != c.status || !strings.Contains(r.Body.String(), c.code) {
			t.Errorf("%s: %d %s", name, r.Code, r.Body)
		}
	}
	if len(s.looks) != 1 {
		t.Errorf("%d pictures came through", len(s.looks))
	}
	none, _ := serve(t, w, nil)
	if r := send(none, "POST", "/api/v1/devices/cam/looks", jpeg, token...); r.Code != http.StatusNotFound {
		t.Errorf("a server without terminals: %d", r.Code)
	}
}
