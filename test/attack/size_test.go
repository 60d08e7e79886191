package attack

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/auth"

	"golang.org/x/sync/errgroup"
)

// endless is a body that goes on as long as somebody reads it.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	e.read.Add(int64(len(b)))
	return len(b), nil
}

// mostTaken is more than an enrolment with its photos, the largest thing that a route takes,
// and what waits in the buffers of a connection.
const mostTaken = 80 << 20

// A body without an end, headers without an end and an address without an end are cut off
// at a size, at every route, with and without a session.
func TestOversizedRequests(t *testing.T) {
	w := newWorld(t, "x")
	kinds := []string{"application/json", "application/x-www-form-urlencoded", "image/jpeg", "multipart/form-data; boundary=x"}
	thorough := os.Getenv("GATEHOUSE_ATTACK_SLOW") != ""
	var tried atomic.Int64
	bodies := func(r auth.Route, method, path string) {
		for i, kind := range kinds {
			if !thorough && (i > 1 || strings.HasPrefix(path, "/api/") != (i == 0)) {
				continue
			}
			for _, a := range []try{{}, w.as(r)}[min(i, 1):] { // without a session one kind is enough
				body := &endless{}
				a.body, a.kind, a.header = io.MultiReader(strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"), body), kind, map[string]string{"Sec-Fetch-Site": "same-origin"}
				ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
				a.ctx = ctx
				answer, _, err := w.do(method, path, a)
				late := ctx.Err()
				stop()
				tried.Add(1)
				// A connection that is cut off while the body is sent is an answer, too, and a route
				// that takes no body need not look at it.
				if err == nil && answer.StatusCode >= 500 {
					t.Errorf("%s breaks at an endless body of %s: %d", r.Pattern, kind, answer.StatusCode)
				}
				if n := body.read.Load(); n > mostTaken || late != nil {
					t.Errorf("%s took %d MiB of an endless body of %s, %v", r.Pattern, n>>20, kind, late)
				}
			}
		}
	}
	long := strings.Repeat("a", 1<<20)
	// A server waits half a second before it closes on somebody who still sends: so several
	// at a time.
	var all errgroup.Group
	all.SetLimit(8)
	for _, r := range w.tcp() {
		method, path := w.path(r, "")
		if ends(r.Pattern) {
			continue
		}
		all.Go(func() error {
			if method != http.MethodGet {
				bodies(r, method, path)
			}
			if answer, _, err := w.do(method, path+"?q="+long, w.as(r)); err == nil && answer.StatusCode < 400 {
				t.Errorf("%s takes an address of a MiB: %d", r.Pattern, answer.StatusCode)
			}
			a := w.as(r)
			a.header = map[string]string{"X-Long": long}
			if answer, _, err := w.do(method, path, a); err == nil && answer.StatusCode < 400 {
				t.Errorf("%s takes a header of a MiB: %d", r.Pattern, answer.StatusCode)
			}
			return nil
		})
	}
	_ = all.Wait() // what went wrong was said
	if tried.Load() < 60 {
		t.Errorf("%d bodies only", tried.Load())
	}
	// The server is well.
	if answer, _, err := w.do("GET", "/healthz", try{}); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %v, %v", answer, err)
	}
}

// Clients that send their headers or bodies a byte a second are cut off, at every route at
// once, and the others are served meanwhile. It waits for the server's own limits.
func TestSlowRequests(t *testing.T) {
	if os.Getenv("GATEHOUSE_ATTACK_SLOW") == "" {
		t.Skip("takes 40 s: set GATEHOUSE_ATTACK_SLOW=1 (`make attack`)")
	}
	w := newWorld(t, "x")
	address := strings.TrimPrefix(w.base, "http://")
	var all sync.WaitGroup
	slow := func(what, head string, within time.Duration) {
		all.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Errorf("%s: %v", what, err)
				return
			}
			defer conn.Close()
			began := time.Now()
			ended := make(chan struct{})
			go func() { // an answer, or the end of the connection
				defer close(ended)
				if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
					answer.Body.Close()
				}
			}()
			if _, err := io.WriteString(conn, head); err != nil {
				return
			}
			for {
				select {
				case <-ended:
					return
				case <-time.After(time.Second):
				}
				if _, err := io.WriteString(conn, "a"); err != nil {
					return
				}
				if time.Since(began) > within {
					t.Errorf("%s is waited for after %s", what, within)
					return
				}
			}
		})
	}
	tried := 0
	for _, r := range w.tcp() {
		method, path := w.path(r, "")
		tried++
		slow(r.Pattern+" with slow headers", method+" "+path+" HTTP/1.1\r\nHost: "+address+"\r\nX-Slow: ", 12*time.Second)
		if method == http.MethodGet {
			continue
		}
		head := method + " " + path + " HTTP/1.1\r\nHost: " + address + "\r\nContent-Length: 1000000\r\nContent-Type: application/json\r\nSec-Fetch-Site: same-origin\r\n"
		if r.Policy == auth.WithDevice {
			head += "Authorization: Bearer " + w.token + "\r\n"
		} else {
			head += "Cookie: " + w.local.Name + "=" + w.local.Value + "\r\n"
		}
		slow(r.Pattern+" with a slow body", head+"\r\n{", 40*time.Second)
	}
	for range 10 {
		began := time.Now()
		if answer, _, err := w.do("GET", "/healthz", try{}); err != nil || answer.StatusCode != http.StatusOK || time.Since(began) > 10*time.Second {
			t.Errorf("meanwhile: %v, %v, after %s", answer, err, time.Since(began))
		}
		time.Sleep(300 * time.Millisecond)
	}
	all.Wait()
	if tried < 50 {
		t.Errorf("%d routes only", tried)
	}
}
