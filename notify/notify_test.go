package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

var place = gatehouse.Place{Org: "acme", Site: "north"}

// keep marks what it sealed and refuses what it did not.
type keep struct{}

func (keep) SealWorking(where gatehouse.SealContext, b []byte) ([]byte, error) {
	out := []byte("sealed " + where.Row.String() + where.Field + " ")
	for _, c := range b {
		out = append(out, c^0x55)
	}
	return out, nil
}

func (keep) OpenWorking(where gatehouse.SealContext, b []byte) ([]byte, error) {
	rest, ok := strings.CutPrefix(string(b), "sealed "+where.Row.String()+where.Field+" ")
	if !ok {
		return nil, errors.New("altered")
	}
	out := []byte(rest)
	for i := range out {
		out[i] ^= 0x55
	}
	return out, nil
}

// channel takes alarms once fail is nil.
type channel struct {
	name string
	mu   sync.Mutex
	fail error
	got  []gatehouse.ID
	told int
}

func (c *channel) Name() string { return c.name }
func (c *channel) Deliver(_ context.Context, a gatehouse.Alarm) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told++
	if c.fail == nil {
		c.got = append(c.got, a.ID)
	}
	return c.fail
}

func (c *channel) set(err error) { c.mu.Lock(); c.fail = err; c.mu.Unlock() }

// has gives what arrived, and how often it was tried.
func (c *channel) has() ([]gatehouse.ID, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got), c.told
}

func alarm() gatehouse.Alarm {
	now := time.Now()
	return gatehouse.Alarm{ID: gatehouse.NewID(now), At: now, Kind: gatehouse.CanaryAlarm, Operator: "site/link-7", Purpose: "person"}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// An alarm is kept until each channel has it, over failures and a restart; one that
// fails keeps no other waiting.
func TestDeliveredInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		good, bad := &channel{name: "webhook"}, &channel{name: "mail", fail: errors.New("down")}
		o := Options{Dir: dir, Place: place, Keep: keep{}, Channels: []Channel{good, bad}, Log: slog.New(slog.DiscardHandler)}
		n, err := Open(o)
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { n.Run(ctx); close(done) }()
		a, b := alarm(), alarm()
		must(t, n.Raise(a))
		must(t, n.Raise(a)) // told twice, delivered once
		must(t, n.Raise(b))
		time.Sleep(time.Minute)
		if got, _ := good.has(); !slices.Equal(got, []gatehouse.ID{a.ID, b.ID}) || n.Waiting() != 2 {
			t.Errorf("the good channel has %v, %d wait", got, n.Waiting())
		}
		if _, told := bad.has(); told < 4 || told > 20 {
			t.Errorf("the bad channel was tried %d times in a minute", told)
		}
		cancel()
		<-done
		files, err := os.ReadDir(dir)
		must(t, err)
		for _, f := range files {
			content, err := os.ReadFile(filepath.Join(dir, f.Name()))
			must(t, err)
			if strings.Contains(string(content), "link-7") {
				t.Error("an alarm lies there in clear")
			}
		}
		// Another run takes it up.
		n, err = Open(o)
		must(t, err)
		ctx, cancel = context.WithCancel(t.Context())
		done = make(chan struct{})
		go func() { n.Run(ctx); close(done) }()
		time.Sleep(time.Second)
		bad.set(nil)
		time.Sleep(time.Hour)
		late, _ := bad.has()
		early, _ := good.has()
		if !slices.Equal(late, []gatehouse.ID{a.ID, b.ID}) || n.Waiting() != 0 || len(early) != 2 {
			t.Errorf("after the restart: %v, %v, %d wait", late, early, n.Waiting())
		}
		cancel()
		<-done
		if files, err = os.ReadDir(dir); err != nil || len(files) > 0 {
			t.Errorf("%d files are left, %v", len(files), err)
		}
	})
}

// What cannot be read is put aside; what waits behind it arrives.
func TestDamagedQueue(t *testing.T) {
	dir := t.TempDir()
	c := &channel{name: "mail"}
	o := Options{Dir: dir, Place: place, Keep: keep{}, Channels: []Channel{c}, Log: slog.New(slog.DiscardHandler)}
	n, err := Open(o)
	must(t, err)
	a, b := alarm(), alarm()
	must(t, n.Raise(a))
	must(t, n.Raise(b))
	must(t, os.WriteFile(filepath.Join(dir, a.ID.String()+".mail.alarm"), []byte("nonsense"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, ".new-1"), []byte("half"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "notes"), nil, 0o600))
	if n, err = Open(o); err != nil || n.Waiting() != 1 {
		t.Fatalf("%d wait, %v", n.Waiting(), err)
	}
	if _, err := os.Stat(filepath.Join(dir, a.ID.String()+".mail.unreadable")); err != nil {
		t.Error(err)
	}
}

func TestQueueIsBounded(t *testing.T) {
	n, err := Open(Options{Dir: t.TempDir(), Place: place, Keep: keep{}, Channels: []Channel{&channel{name: "mail"}}, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	for range maxQueued {
		n.waiting["mail"] = append(n.waiting["mail"], &queued{alarm: alarm()})
	}
	flood := alarm()
	flood.Kind = gatehouse.BudgetAlarm
	must(t, n.Raise(flood))
	if n.Waiting() != maxQueued {
		t.Error("a flood is kept")
	}
	must(t, n.Raise(alarm()))
	if n.Waiting() != maxQueued+1 {
		t.Error("a canary was dropped")
	}
}

func TestWebhook(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAA"
	theirs, err := standardwebhooks.NewWebhook(secret)
	must(t, err)
	status := http.StatusNoContent
	var got webhookBody
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost {
			t.Error(r.Method, err)
		}
		if err := theirs.Verify(body, r.Header); err != nil {
			t.Error("the specification's own library refuses it:", err)
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	have := gatehouse.Secret(secret)
	w := NewWebhook(Webhook{URL: server.URL, Secret: func() (gatehouse.Secret, bool) { return have, have != "" }}, place)
	a := alarm()
	must(t, w.Deliver(t.Context(), a))
	if got.Type != "gatehouse.alarm.canary" || got.Data.ID != a.ID || got.Data.Operator != "site/link-7" || got.Data.Site != "north" || !strings.Contains(got.Data.Sentence, "site/link-7") {
		t.Errorf("got %+v", got)
	}
	for code, s := range map[int]string{http.StatusInternalServerError: "webhook.refused", http.StatusFound: "webhook.refused", http.StatusGone: "webhook.refused"} {
		status = code
		if err := w.Deliver(t.Context(), a); gatehouse.ErrorCode(err) != s {
			t.Errorf("%d: %v", code, err)
		}
	}
	for _, bad := range []gatehouse.Secret{"", "whsec_AAAA", "no base64 !"} {
		have = bad
		if err := w.Deliver(t.Context(), a); gatehouse.ErrorCode(err) != "webhook.secret" {
			t.Errorf("the secret %q: %v", string(bad), err)
		}
	}
	have = secret
	server.Close()
	if err := w.Deliver(t.Context(), a); gatehouse.ErrorCode(err) != "webhook.unreachable" || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("a server that is gone: %v", err)
	}
}
