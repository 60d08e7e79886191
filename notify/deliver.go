package notify

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"gatehouse"
)

// DeliveryOptions are what Deliveries are made of.
type DeliveryOptions struct {
	Place   gatehouse.Place
	Store   gatehouse.DeliveryStore
	Webhook func(gatehouse.ID) (gatehouse.Webhook, bool)
	// Message makes a message's body at the moment when it is sent; ok is false for one
	// about something that is gone, which is then not sent.
	Message func(ctx context.Context, d gatehouse.Delivery) (body []byte, ok bool, err error)
	Log     *slog.Logger
	Now     func() time.Time
}

// schedule is how long is waited after each failure, about 29 hours together: a receiver
// may be down for a day. Each wait is up to a tenth longer, so that not all come at once.
var schedule = []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 9 * time.Hour, 12 * time.Hour}

// The bounds of sending: how many at a time, how long one may take, how often it is looked
// whether one is due, or whether its webhook is still paused, and how long it is remembered what became of one.
const (
	atOnce       = 4
	sendWithin   = 30 * time.Second
	lookEvery    = time.Second
	pausedFor    = time.Minute
	deliveredFor = 7 * 24 * time.Hour
	mostDue      = 200
)

// Deliveries posts messages to webhooks until they have arrived. A message may arrive more
// than once, under the same id. It is safe for concurrent use.
type Deliveries struct {
	o       DeliveryOptions
	wake    chan struct{}
	public  *http.Client
	private *http.Client

	mu    sync.Mutex
	quiet map[gatehouse.ID]time.Time // webhooks that failed a moment ago
}

// NewDeliveries returns Deliveries that do nothing yet.
func NewDeliveries(o DeliveryOptions) *Deliveries {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Deliveries{o: o, wake: make(chan struct{}, 1), public: guarded(false), private: guarded(true), quiet: map[gatehouse.ID]time.Time{}}
}

// Wake says that there may be something to send.
func (d *Deliveries) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run sends what is due until ctx ends.
func (d *Deliveries) Run(ctx context.Context) {
	beat := time.NewTicker(lookEvery)
	defer beat.Stop()
	var swept time.Time
	for ctx.Err() == nil {
		if now := d.o.Now(); now.Sub(swept) >= time.Hour {
			swept = now
			if err := d.o.Store.DropDeliveries(ctx, d.o.Place, gatehouse.ID{}, now.Add(-deliveredFor)); err != nil && ctx.Err() == nil {
				d.o.Log.Warn("old messages to webhooks could not be dropped", "code", gatehouse.ErrorCode(err))
			}
		}
		if d.Once(ctx) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-beat.C:
		}
	}
}

// Once sends what is due now; more says that there may be more.
func (d *Deliveries) Once(ctx context.Context) (more bool) {
	due, err := d.o.Store.DueDeliveries(ctx, d.o.Place, d.o.Now(), mostDue)
	if err != nil {
		if ctx.Err() == nil {
			d.o.Log.Error("messages to webhooks cannot be read", "code", gatehouse.ErrorCode(err))
		}
		return false
	}
	var all sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for _, one := range due {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			all.Wait()
			return false
		}
		all.Go(func() {
			defer func() { <-free }()
			d.deliver(ctx, one)
		})
	}
	all.Wait()
	return len(due) == mostDue
}

// deliver tries one message and notes what came of it.
func (d *Deliveries) deliver(ctx context.Context, one gatehouse.Delivery) {
	hook, ok := d.o.Webhook(one.Webhook)
	if !ok {
		return // it is being removed
	}
	now := d.o.Now()
	if hook.Paused {
		one.Next = now.Add(pausedFor).UTC() // not counted as tried
		d.put(ctx, one)
		return
	}
	d.mu.Lock()
	until := d.quiet[hook.ID]
	d.mu.Unlock()
	if now.Before(until) && one.Attempts == 0 {
		// Its receiver failed just now: this one waits, and is not counted as tried.
		one.Next = until.UTC()
		d.put(ctx, one)
		return
	}
	status, err := d.send(ctx, hook, one, now)
	if ctx.Err() != nil {
		return // the program ends; it is tried at the next start
	}
	one.Attempts++
	one.Tried, one.Answer, one.Code, one.Next = d.o.Now().UTC(), status, gatehouse.ErrorCode(err), time.Time{}
	d.mu.Lock()
	if err != nil {
		d.quiet[hook.ID] = one.Tried.Add(schedule[0])
	} else {
		delete(d.quiet, hook.ID)
	}
	d.mu.Unlock()
	switch {
	case err == nil:
		one.State = gatehouse.DeliveryDone
	case one.Attempts > len(schedule), status == http.StatusGone:
		one.State = gatehouse.DeliveryFailed
		d.o.Log.Warn("a message to a webhook was given up", "webhook", hook.Name, "message", one.ID, "code", one.Code)
	default:
		wait := schedule[one.Attempts-1]
		one.Next = one.Tried.Add(wait + rand.N(wait/10))
	}
	d.put(ctx, one)
}

func (d *Deliveries) put(ctx context.Context, one gatehouse.Delivery) {
	if err := d.o.Store.PutDelivery(ctx, one); err != nil && ctx.Err() == nil {
		d.o.Log.Error("what became of a message to a webhook could not be noted", "message", one.ID, "code", gatehouse.ErrorCode(err))
	}
}

func (d *Deliveries) send(ctx context.Context, hook gatehouse.Webhook, one gatehouse.Delivery, now time.Time) (status int, err error) {
	body, ok, err := d.o.Message(ctx, one)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, nil // it is gone: there is nothing to tell any more
	}
	within, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	client := d.public
	if hook.Local {
		client = d.private
	}
	return postSigned(within, client, hook.URL, hook.Secret, "msg_"+one.ID.String(), now, body)
}
