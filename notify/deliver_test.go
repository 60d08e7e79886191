package notify

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The specification's own example (standardwebhooks.com, and the tests of its libraries).
func TestTheSignatureIsThePublishedOne(t *testing.T) {
	key, err := signingKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	must(t, err)
	if got := sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`)); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("signed %s", got)
	}
}

func TestPublicAddresses(t *testing.T) {
	for address, public := range map[string]bool{
		"1.1.1.1": true, "2606:4700:4700::1111": true, "93.184.216.34": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "100.64.0.1": false, "224.0.0.1": false, "ff02::1": false, "255.255.255.255": false,
		"::ffff:127.0.0.1": false, "::ffff:10.1.2.3": false, "::7f00:1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "192.0.2.1": false, "198.18.0.1": false, "2001:db8::1": false, "2001::1": false, "240.0.0.1": false,
	} {
		if got := Public(netip.MustParseAddr(address)); got != public {
			t.Errorf("%s: %t", address, got)
		}
	}
}

// book is a DeliveryStore in memory.
type book struct {
	mu  sync.Mutex
	all []gatehouse.Delivery
}

func (b *book) AddDeliveries(_ context.Context, _ gatehouse.Place, _ uint64, list []gatehouse.Delivery) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, list...)
	return nil
}

func (b *book) DeliveryCursor(context.Context, gatehouse.Place) (uint64, bool, error) {
	return 0, false, nil
}

func (b *book) DueDeliveries(_ context.Context, _ gatehouse.Place, now time.Time, limit int) (due []gatehouse.Delivery, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.all {
		if d.State == gatehouse.DeliveryWaits && !d.Next.After(now) && len(due) < limit {
			due = append(due, d)
		}
	}
	return due, nil
}

func (b *book) PutDelivery(_ context.Context, d gatehouse.Delivery) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.all {
		if b.all[i].ID == d.ID {
			b.all[i] = d
		}
	}
	return nil
}

func (b *book) Deliveries(context.Context, gatehouse.Place, gatehouse.ID, gatehouse.ID, int) ([]gatehouse.Delivery, error) {
	return b.all, nil
}

func (b *book) DropDeliveries(context.Context, gatehouse.Place, gatehouse.ID, time.Time) error {
	return nil
}

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAA"

// deliveries to one receiver, by a clock that the test turns.
func deliveries(t *testing.T, url string, local bool) (*Deliveries, *book, *time.Time) {
	t.Helper()
	b, now := &book{}, time.Now()
	hook := gatehouse.Webhook{ID: gatehouse.ID{1}, Name: "payroll", URL: url, Local: local, Secret: hookSecret}
	d := NewDeliveries(DeliveryOptions{Place: place, Store: b, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
		Webhook: func(id gatehouse.ID) (gatehouse.Webhook, bool) { return hook, id == hook.ID },
		Message: func(_ context.Context, d gatehouse.Delivery) ([]byte, bool, error) {
			return []byte(`{"type":"gatehouse.` + string(d.Kind) + `"}`), d.Passage != gatehouse.ID{9}, nil
		}})
	return d, b, &now
}

func message(now time.Time) gatehouse.Delivery {
	return gatehouse.Delivery{Place: place, ID: gatehouse.NewID(now), Webhook: gatehouse.ID{1}, Kind: gatehouse.PassageHook, State: gatehouse.DeliveryWaits, Next: now}
}

// To a webhook that is paused nothing is sent, however long that is, and no try is counted.
func TestAPausedWebhookIsSentNothing(t *testing.T) {
	asked, paused := 0, true
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	d, b, now := deliveries(t, server.URL, true)
	of := d.o.Webhook
	d.o.Webhook = func(id gatehouse.ID) (gatehouse.Webhook, bool) {
		hook, ok := of(id)
		hook.Paused = paused
		return hook, ok
	}
	b.all = []gatehouse.Delivery{message(*now)}
	for range 5 {
		d.Once(t.Context())
		if got := b.all[0]; asked != 0 || got.Attempts != 0 || got.State != gatehouse.DeliveryWaits || !got.Next.After(*now) {
			t.Fatalf("asked %d times: %+v", asked, got)
		}
		*now = now.Add(12 * time.Hour)
	}
	paused = false
	if d.Once(t.Context()); asked != 1 || b.all[0].State != gatehouse.DeliveryDone {
		t.Errorf("when it goes on: asked %d times, %+v", asked, b.all[0])
	}
}

// A message is tried for more than a day, with growing waits and under one id, and given up
// then; one that arrives is tried no more.
func TestAMessageIsTriedUntilItArrives(t *testing.T) {
	theirs, err := standardwebhooks.NewWebhook(hookSecret)
	must(t, err)
	status := http.StatusServiceUnavailable
	var ids []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := theirs.VerifyIgnoringTimestamp(body, r.Header); err != nil {
			t.Error("the specification's own library refuses it:", err)
		}
		ids = append(ids, r.Header.Get("webhook-id"))
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	d, b, now := deliveries(t, server.URL, true)
	began := *now
	must(t, b.AddDeliveries(t.Context(), place, 0, []gatehouse.Delivery{message(*now)}))
	var waits []time.Duration
	for range 20 {
		d.Once(t.Context())
		if b.all[0].State != gatehouse.DeliveryWaits {
			break
		}
		waits = append(waits, b.all[0].Next.Sub(*now))
		*now = b.all[0].Next.Add(-time.Second)
		before := len(ids)
		if d.Once(t.Context()); len(ids) != before {
			t.Fatal("tried before its time")
		}
		*now = b.all[0].Next.Add(time.Millisecond)
	}
	got := b.all[0]
	if got.State != gatehouse.DeliveryFailed || got.Attempts != len(schedule)+1 || got.Answer != 503 || got.Code != "webhook.refused" || now.Sub(began) < 24*time.Hour || !slices.IsSorted(waits) {
		t.Errorf("%+v after %v, waits %v", got, now.Sub(began), waits)
	}
	if len(ids) != got.Attempts || len(slices.Compact(ids)) != 1 {
		t.Errorf("sent as %v", ids)
	}

	// A redirect is none of ours to follow, a receiver that is gone is asked no more.
	for code, state := range map[int]gatehouse.DeliveryState{http.StatusFound: gatehouse.DeliveryWaits, http.StatusGone: gatehouse.DeliveryFailed, http.StatusNoContent: gatehouse.DeliveryDone} {
		*now, status, ids = now.Add(time.Hour), code, nil
		b.all = []gatehouse.Delivery{message(*now)}
		if d.Once(t.Context()); b.all[0].State != state || len(ids) != 1 || b.all[0].Answer != code {
			t.Errorf("%d: %+v, sent %d times", code, b.all[0], len(ids))
		}
	}
	// What is gone from the store is told to nobody.
	ids, *now = nil, now.Add(time.Hour)
	gone := message(*now)
	gone.Passage = gatehouse.ID{9}
	b.all = []gatehouse.Delivery{gone}
	if d.Once(t.Context()); len(ids) != 0 || b.all[0].State != gatehouse.DeliveryDone {
		t.Errorf("%+v, sent %d times", b.all[0], len(ids))
	}
	// While a receiver fails, those behind wait with it and are not counted as tried.
	status = http.StatusInternalServerError
	*now = now.Add(time.Hour)
	b.all = []gatehouse.Delivery{message(*now)}
	d.Once(t.Context())
	b.all = append(b.all, message(*now))
	d.Once(t.Context())
	if second := b.all[1]; second.Attempts != 0 || !second.Next.After(*now) || len(ids) != 1 {
		t.Errorf("the second: %+v, sent %d times", second, len(ids))
	}
}

// A webhook does not lead into the network behind the server, whatever name it is given,
// unless an operator said so.
func TestAWebhookStaysOutside(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"} {
		d, b, now := deliveries(t, "http://"+host+":"+port, false)
		b.all = []gatehouse.Delivery{message(*now)}
		d.Once(t.Context())
		if got := b.all[0]; got.State != gatehouse.DeliveryWaits || got.Code != "webhook.private" && (host != "2130706433" || got.Code != "webhook.unreachable") {
			t.Errorf("%s: %+v", host, got)
		}
	}
	if asked != 0 {
		t.Fatalf("this machine was asked %d times", asked)
	}
	d, b, now := deliveries(t, server.URL, true)
	b.all = []gatehouse.Delivery{message(*now)}
	if d.Once(t.Context()); asked != 1 || b.all[0].State != gatehouse.DeliveryDone {
		t.Errorf("where an operator said so: %+v", b.all[0])
	}
}
