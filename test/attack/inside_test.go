package attack

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// inside is a service on the server's own machine, which nobody outside is to reach through
// the server.
type inside struct {
	port  int
	calls atomic.Int64
}

// listenInside waits on both loopback addresses, as far as there are two.
func listenInside(t *testing.T) *inside {
	t.Helper()
	in := &inside{}
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(in.port)))
		if err != nil {
			if in.port == 0 {
				t.Fatal(err)
			}
			continue
		}
		in.port = l.Addr().(*net.TCPAddr).Port
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				in.calls.Add(1)
				c.Close()
			}
		}()
	}
	return in
}

// addresses are ways to write where it is, and other things that a server may be made to
// read.
func (in *inside) addresses() (all []string) {
	hosts := []string{"127.0.0.1", "localhost", "LOCALHOST.", "a.localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "0", "[::]", "127.0.0.1.", "user:secret@127.0.0.1", "gates.example@127.0.0.1"}
	for _, name := range []string{"ip6-localhost", "localhost.localdomain", hostname()} {
		if found, err := net.LookupHost(name); err == nil && len(found) > 0 {
			hosts = append(hosts, name)
		}
	}
	for i, h := range hosts {
		for _, scheme := range []string{"https", "http", "rtsp"} {
			if scheme == "https" || i < 3 {
				all = append(all, fmt.Sprintf("%s://%s:%d/x", scheme, h, in.port))
			}
		}
	}
	return append(all, "file:///etc/hostname", "/etc/hostname", "concat:/etc/hostname", "pipe:0", fmt.Sprintf("tcp://127.0.0.1:%d", in.port), fmt.Sprintf("gopher://127.0.0.1:%d/x", in.port),
		fmt.Sprintf("http:127.0.0.1:%d", in.port), fmt.Sprintf("//127.0.0.1:%d/x", in.port), fmt.Sprintf("http:\\\\127.0.0.1:%d\\x", in.port), fmt.Sprintf("http://127.0.0.1:%d/x\r\nHost: x", in.port))
}

func hostname() string { name, _ := os.Hostname(); return name }

// Whatever address somebody writes into a field of a form or of the API, webhooks and
// cameras above all, the server is not made to ask its own machine for anything.
func TestNothingAsksInside(t *testing.T) {
	w := newWorld(t, "x")
	in := listenInside(t)
	send := func(r auth.Route, what string, a try) *http.Response {
		t.Helper()
		method, path := w.path(r, "")
		answer, _, err := w.do(method, path, a)
		if err != nil {
			t.Fatalf("%s with %s: %v", r.Pattern, what, err)
		}
		if answer.StatusCode >= 500 {
			t.Errorf("%s with %s got %d", r.Pattern, what, answer.StatusCode)
		}
		return answer
	}
	addresses, tried := in.addresses(), map[string]int{}
	for _, r := range w.tcp() {
		method, pattern, _ := strings.Cut(r.Pattern, " ")
		if method == http.MethodGet || ends(r.Pattern) {
			continue
		}
		for i, address := range addresses {
			fields := everyField(address)
			switch pattern {
			case "/webhooks":
				fields = url.Values{"name": {fmt.Sprint("hook-", i)}, "url": {address}}
				for _, k := range gatehouse.WebhookKinds {
					fields.Add("kind", string(k))
				}
			case "/devices/camera":
				fields = url.Values{"id": {fmt.Sprint("camera-", i)}, "gate": {"front-door"}, "address": {address}}
			default:
				if i > 0 {
					continue
				}
			}
			tried[pattern]++
			if strings.HasPrefix(pattern, "/api/") {
				for _, name := range []string{"url", "source", "address", "callback"} {
					a := w.as(r)
					a.body, a.kind = strings.NewReader(fmt.Sprintf(`{%q:%q}`, name, address)), "application/json"
					send(r, address, a)
				}
				continue
			}
			send(r, address, w.form(r, fields))
		}
	}
	if n := len(addresses); tried["/webhooks"] != n || tried["/devices/camera"] != n || len(tried) < 60 {
		t.Errorf("tried %d routes, %d addresses as a webhook's and %d as a camera's", len(tried), tried["/webhooks"], tried["/devices/camera"])
	}
	hooks, err := w.server.Admin().Webhooks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hooks.Webhooks { // a name may be taken, and looked at when it is used
		if at, err := url.Parse(h.URL); err != nil || at.Scheme != "https" || net.ParseIP(at.Hostname()) != nil || strings.Contains(strings.ToLower(at.Hostname()), "localhost.") || at.User != nil {
			t.Errorf("a webhook leads to %s", h.URL)
		}
		if _, err := w.server.Admin().TestWebhook(t.Context(), h.Name); err != nil {
			t.Error(err)
		}
	}
	w.pass(t)

	// One who may lead inside does, which shows that messages have been sent by then; a camera
	// is tried within that time too.
	control := listenInside(t)
	_, err = w.server.Admin().AddWebhook(t.Context(), wire.WebhookAddRequest{Name: "local", URL: fmt.Sprintf("http://127.0.0.1:%d/control", control.port), Local: true})
	if err != nil {
		t.Fatal(err)
	}
	w.pass(t)
	for end := time.Now().Add(20 * time.Second); control.calls.Load() == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a webhook that may lead inside was not sent: nothing is shown by this")
		}
	}
	for end := time.Now().Add(3 * time.Second); in.calls.Load() == 0 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
	}
	if n := in.calls.Load(); n != 0 {
		t.Errorf("the server asked inside %d times", n)
	}
}

// pass lets a card be shown, of which webhooks are told.
func (w *world) pass(t *testing.T) {
	t.Helper()
	if _, err := w.server.Post(t.Context(), gatehouse.Capture{Device: "pad", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: "card 1"}); err != nil {
		t.Fatal(err)
	}
}
