package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/server"
)

// Feed are the figures of the live feed.
type Feed struct {
	Pages int     `json:"pages"`
	PerS  float64 `json:"per_s"` // passages committed a second
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	// Shown is how many passages arrived, over all pages; Lost those that never did.
	Shown int `json:"shown"`
	Lost  int `json:"lost"`
	// Updates is how many messages a page was sent a second: passages come together.
	Updates float64 `json:"updates_per_s"`
}

// FeedOptions say what to measure.
type FeedOptions struct {
	Pages int           // that are open
	PerS  int           // passages a second
	For   time.Duration // how long
	Dir   string        // for the data and the keys; on the disk that is to be measured
	Log   io.Writer
}

// feedPeople is how many people pass, one after the other.
const feedPeople = 50

// RunFeed serves a site with a door, opens the live page in as many sessions as there are
// pages, and lets cards be shown at the door. It measures from a passage's commit until each
// page has its row: the server, its encrypted store and vault, rendering for each session,
// and HTTP on the loopback; not a browser's drawing. Errors: bench.*, and the server's.
func RunFeed(ctx context.Context, o FeedOptions) (out Feed, err error) {
	if o.Pages < 1 || o.PerS < 1 || o.For < time.Second {
		return Feed{}, gatehouse.Errorf("bench.size", "ask for 1 or more pages and passages, and a second or more", "there is nothing to measure")
	}
	dir, err := os.MkdirTemp(o.Dir, "bench-")
	if err != nil {
		return Feed{}, gatehouse.Errorf("bench.dir", "give a folder that can be written", "there is no place for the data: %w", err)
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	f := &feedRun{o: o, committed: map[string]time.Time{}}
	s, err := f.open(ctx, dir)
	if err != nil {
		return Feed{}, err
	}
	defer func() { _ = s.Close(context.WithoutCancel(ctx)) }()
	link, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func(l string) { link <- l }) }()
	defer func() { stop(); err = errors.Join(err, <-ended) }()
	select {
	case <-link:
	case err := <-ended:
		ended <- nil
		return Feed{}, err
	}
	return f.measure(ctx, s)
}

// feedRun is one measurement.
type feedRun struct {
	o  FeedOptions
	mu sync.Mutex
	// committed is when each passage was, by its id.
	committed map[string]time.Time
	took      []float64 // ms, over all pages
	updates   atomic.Int64
	measuring atomic.Bool
}

func (f *feedRun) open(ctx context.Context, dir string) (*server.Server, error) {
	c := server.DefaultConfig()
	c.Data, c.GateKey, c.Listen, c.LogLevel = filepath.Join(dir, "data"), filepath.Join(dir, "gate.key"), "localhost:0", "error"
	door := server.DefaultGate()
	door.ID, door.Kind, door.SecondFactor, door.Liveness, door.RepeatWithin = doorID, "lane", false, false, 0
	c.Gates, c.Devices = []server.GateConfig{door}, nil
	return server.Open(ctx, c, server.Options{NewPassphrase: []byte(benchPassphrase), Stderr: f.o.Log, LocalSession: true, Quiet: true, Committed: func(p gatehouse.Passage) {
		now := time.Now()
		if f.measuring.Load() {
			f.mu.Lock()
			f.committed[p.ID.String()] = now
			f.mu.Unlock()
		}
	}})
}

func (f *feedRun) measure(ctx context.Context, s *server.Server) (Feed, error) {
	a := s.Admin()
	if _, err := a.AddDevice(ctx, wire.DeviceAddRequest{ID: "reader", Kind: gatehouse.Reader, Gate: doorID}); err != nil {
		return Feed{}, err
	}
	for i := range feedPeople {
		if _, err := a.EnrollPerson(ctx, wire.EnrollPersonRequest{Label: fmt.Sprint("bench ", i), Card: feedCard(i), Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}); err != nil {
			return Feed{}, err
		}
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var pages sync.WaitGroup
	failed := make(chan error, f.o.Pages)
	for range f.o.Pages {
		link, err := a.Link(ctx)
		if err != nil {
			return Feed{}, err
		}
		page, err := openLive(reading, link.Link)
		if err != nil {
			return Feed{}, err
		}
		pages.Go(func() {
			if err := f.read(page); err != nil && reading.Err() == nil {
				failed <- err
			}
		})
	}
	if _, err := f.pass(ctx, s, time.Second); err != nil { // warm
		return Feed{}, err
	}
	time.Sleep(time.Second)
	f.measuring.Store(true)
	f.updates.Store(0)
	n, err := f.pass(ctx, s, f.o.For)
	if err != nil {
		return Feed{}, err
	}
	updates := float64(f.updates.Load())
	time.Sleep(2 * time.Second) // what is on its way arrives
	stop()
	pages.Wait()
	select {
	case err := <-failed:
		return Feed{}, err
	default:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	out := Feed{Pages: f.o.Pages, PerS: float64(len(f.committed)) / n.Seconds(), Shown: len(f.took), Lost: len(f.committed)*f.o.Pages - len(f.took), Updates: updates / n.Seconds() / float64(f.o.Pages)}
	if len(f.took) > 0 {
		out.P50, out.P99 = percentile(f.took, 0.5), percentile(f.took, 0.99)
	}
	return out, nil
}

func feedCard(i int) string { return fmt.Sprintf("BE%06d", i) }

// pass lets people pass at the wanted pace for a while, each by themselves, and returns how
// long that took.
func (f *feedRun) pass(ctx context.Context, s *server.Server, lasts time.Duration) (time.Duration, error) {
	var all sync.WaitGroup
	failed := make(chan error, 1)
	beat := time.NewTicker(time.Second / time.Duration(f.o.PerS))
	defer beat.Stop()
	began := time.Now()
	for i := 0; time.Since(began) < lasts; i++ {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-beat.C:
		}
		all.Go(func() {
			_, err := s.Post(ctx, gatehouse.Capture{Device: "reader", Gate: doorID, Kind: gatehouse.CardCapture, Received: time.Now(), Secret: gatehouse.Secret(feedCard(i % feedPeople))})
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	took := time.Since(began)
	all.Wait()
	select {
	case err := <-failed:
		return took, err
	default:
		return took, nil
	}
}

// since is where a live page says what it was read up to.
var since = regexp.MustCompile(`data-since="([^"]+)"`)

// openLive signs in by a link and opens the live page's stream, as a browser does.
func openLive(ctx context.Context, link string) (io.ReadCloser, error) {
	jar, _ := cookiejar.New(nil) // never fails
	web := &http.Client{Jar: jar, Transport: &http.Transport{}}
	get := func(address string) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		w, err := web.Do(r)
		if err == nil && w.StatusCode != http.StatusOK {
			w.Body.Close()
			err = gatehouse.Errorf("bench.page", "see the server's log", "the live page answered %d", w.StatusCode)
		}
		return w, err
	}
	w, err := get(link)
	if err != nil {
		return nil, err
	}
	page, err := io.ReadAll(w.Body)
	w.Body.Close()
	at := since.FindSubmatch(page)
	if err != nil || at == nil {
		return nil, gatehouse.Errorf("bench.page", "use a client and server of one version", "this is no live page")
	}
	w, err = get(link[:strings.Index(link, "/enter/")] + "/live/events?since=" + string(at[1]))
	if err != nil {
		return nil, err
	}
	return w.Body, nil
}

// rowID is how a fragment begins that is a passage's row.
var rowID = regexp.MustCompile(`<li id="p-([0-9a-f]{32})"`)

// read notes when each passage's row was on the page.
func (f *feedRun) read(page io.ReadCloser) error {
	defer page.Close()
	seen := map[string]bool{}
	lines := bufio.NewScanner(page)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "event: live") {
			f.updates.Add(1)
		}
		if !strings.Contains(line, `<li id="p-`) {
			continue
		}
		now := time.Now()
		for _, m := range rowID.FindAllStringSubmatch(line, -1) {
			if seen[m[1]] {
				continue
			}
			seen[m[1]] = true
			f.mu.Lock()
			if at, ok := f.committed[m[1]]; ok {
				f.took = append(f.took, float64(now.Sub(at).Microseconds())/1000)
			}
			f.mu.Unlock()
		}
	}
	return lines.Err()
}
