package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/lab/demo/scene"
)

// tablet asks as a device does.
type tablet struct {
	base, id, token string
	after           uint64
}

func (d *tablet) ask(t *testing.T, method, path string, body []byte, kind string) (status int, answer []byte) {
	t.Helper()
	r, err := http.NewRequest(method, d.base+"/api/v1/devices/"+d.id+"/"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.token)
	r.Header.Set("Content-Type", kind)
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	answer, _ = io.ReadAll(got.Body)
	return got.StatusCode, answer
}

// state asks what to show, with a picture or (nil) without.
func (d *tablet) state(t *testing.T, picture []byte) (out wire.TerminalState) {
	t.Helper()
	path, method := fmt.Sprintf("looks?after=%d", d.after), http.MethodPost
	if picture == nil {
		path, method = fmt.Sprintf("terminal?after=%d", d.after), http.MethodGet
	}
	status, answer := d.ask(t, method, path, picture, "image/jpeg")
	if err := json.Unmarshal(answer, &out); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	for _, banned := range []string{"similarity", "confidence", "subject", "score", "live", "reason"} {
		if strings.Contains(string(answer), banned) {
			t.Errorf("a terminal is told %q: %s", banned, answer)
		}
	}
	d.after = out.Last
	return out
}

func (d *tablet) show(t *testing.T, kind, value string) (status int) {
	t.Helper()
	status, _ = d.ask(t, http.MethodPost, "credentials", fmt.Appendf(nil, `{"kind":%q,"value":%q}`, kind, value), "application/json")
	return status
}

func answers(s wire.TerminalState) (out []gatehouse.Answer) {
	for _, n := range s.News {
		out = append(out, n.Answer)
	}
	return out
}

// until asks until a terminal is told something.
func (d *tablet) until(t *testing.T, picture []byte) wire.TerminalState {
	t.Helper()
	for range 300 {
		if s := d.state(t, picture); len(s.News) > 0 {
			return s
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the terminal is told nothing")
	return wire.TerminalState{}
}

// At a door where a face is enough.
func TestWhatATerminalIsTold(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin, c.Gates[0].Name = 0, "Front door"
	s := open(t, c)
	link := run(t, s)
	photo, frames := actor(t, 9)
	_, stranger := actor(t, 17)
	enrol(t, s, "B-1", "Ana", photo)
	d := &tablet{base: link[:strings.Index(link, "/enter/")], id: "tablet", token: addDevice(t, s, "tablet")}

	empty := d.state(t, scene.Empty(false))
	if empty.Guidance != gatehouse.NobodyThere || empty.NextMS < 1000 || len(empty.News) != 0 || !empty.Looks || !empty.Faces || empty.SecondFactor || empty.Gate != "Front door" || empty.Page != s.page.Tag() {
		t.Errorf("nobody: %+v", empty)
	}
	first := d.state(t, frames[0])
	if first.Guidance == gatehouse.NobodyThere || first.Guidance == "" || first.NextMS > 5000 {
		t.Errorf("somebody: %+v", first)
	}
	if len(first.News) == 0 {
		first = d.until(t, frames[1])
	}
	if !slices.Equal(answers(first), []gatehouse.Answer{gatehouse.Welcome}) || first.News[0].Label != "" {
		t.Errorf("an enrolled face: %+v", first)
	}
	if again := d.state(t, nil); len(again.News) != 0 || again.Guidance != "" {
		t.Errorf("told twice: %+v", again)
	}
	// A stranger is decided when their track ends, whoever asks next.
	time.Sleep(1700 * time.Millisecond)
	for _, f := range stranger {
		if got := d.state(t, f); len(got.News) > 0 {
			t.Errorf("decided early: %+v", got)
		}
	}
	if got := d.until(t, nil); !slices.Equal(answers(got), []gatehouse.Answer{gatehouse.AnotherWay}) {
		t.Errorf("a stranger: %+v", got)
	}
	// A reader beside the door lets somebody in: the terminal says it; whom it turns away
	// is not the terminal's to say.
	reader := &tablet{base: d.base, id: "reader", token: addDeviceOf(t, s, "reader", gatehouse.Reader)}
	if reader.show(t, "card", "card B-2"); len(d.state(t, nil).News) != 0 {
		t.Error("told of who was turned away at the reader")
	}
	if reader.show(t, "card", "card B-1"); !slices.Equal(answers(d.state(t, nil)), []gatehouse.Answer{gatehouse.Welcome}) {
		t.Error("not told of who was let in by the reader")
	}
	if status, said := reader.ask(t, http.MethodGet, "terminal", nil, ""); status < 400 || !strings.Contains(string(said), "device.kind") {
		t.Errorf("a reader asks: %d %s", status, said)
	}
	if status, said := reader.ask(t, http.MethodPost, "looks", frames[0], "image/jpeg"); status < 400 || !strings.Contains(string(said), "device.kind") {
		t.Errorf("a reader looks: %d %s", status, said)
	}

	if err := s.Admin().RevokeDevice(t.Context(), "tablet"); err != nil {
		t.Fatal(err)
	}
	if status, said := d.ask(t, http.MethodPost, "looks", frames[0], "image/jpeg"); status != http.StatusUnauthorized || !strings.Contains(string(said), "device.refused") {
		t.Errorf("signed off: %d %s", status, said)
	}
}

func addDeviceOf(t *testing.T, s *Server, id gatehouse.DeviceID, kind gatehouse.DeviceKind) string {
	t.Helper()
	answer, err := s.Admin().AddDevice(t.Context(), wire.DeviceAddRequest{ID: id, Kind: kind, Gate: "front-door"})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Token
}

// At a door where two are asked for: who was recognized is told so; a wrong PIN and a
// right one that waits look alike, also when the wait is over.
func TestATerminalWhereTwoFactorsAreAskedFor(t *testing.T) {
	const patience = 3 * time.Second // a busy machine may take a second from the face to the card
	c := testConfig(t)
	c.Gates[0].SecondFactor, c.Gates[0].SecondFactorWithin, c.Gates[0].RepeatWithin, c.Terminal.Greeting = true, patience, 0, true
	s := open(t, c)
	link := run(t, s)
	photo, frames := actor(t, 9)
	if _, err := s.Admin().EnrollPerson(t.Context(), wire.EnrollPersonRequest{Label: "B-1", ConsentGiven: true, ConsentHow: "reference", ConsentRef: "form 1",
		Photos: [][]byte{photo}, Card: "card B-1", PIN: "904178", Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}); err != nil {
		t.Fatal(err)
	}
	d := &tablet{base: link[:strings.Index(link, "/enter/")], id: "tablet", token: addDevice(t, s, "tablet")}
	if first := d.state(t, nil); !first.SecondFactor || first.Waits {
		t.Errorf("at first: %+v", first)
	}
	for _, pin := range []string{"904178", "310572"} {
		if status := d.show(t, "pin", pin); status != http.StatusAccepted {
			t.Errorf("a PIN: %d", status)
		}
		if got := d.state(t, nil); len(got.News) != 0 || got.Waits {
			t.Errorf("a PIN tells something: %+v", got)
		}
	}
	time.Sleep(patience + 300*time.Millisecond) // the right one lapses
	if got := d.state(t, nil); len(got.News) != 0 {
		t.Errorf("a PIN that lapsed tells something: %+v", got)
	}
	seen := d.state(t, frames[0])
	for i := 1; !seen.Waits && i < len(frames); i++ {
		seen = d.state(t, frames[i])
	}
	if !seen.Waits || len(seen.News) != 0 {
		t.Fatalf("a face that waits: %+v", seen)
	}
	d.show(t, "card", "card B-1")
	got := d.state(t, nil)
	if !slices.Equal(answers(got), []gatehouse.Answer{gatehouse.Welcome}) || got.News[0].Label != "B-1" || got.Waits {
		t.Errorf("with the card: %+v", got)
	}
	// The same face once more, and nobody shows anything.
	time.Sleep(1700 * time.Millisecond) // the track ends
	for i := 0; !seen.Waits || i == 0; i = (i + 1) % len(frames) {
		seen = d.state(t, frames[i])
	}
	if got := d.until(t, nil); !slices.Equal(answers(got), []gatehouse.Answer{gatehouse.SecondFactor}) || got.Waits {
		t.Errorf("when it is over: %+v", got)
	}
}
