// Package notify carries alarms to people: into the log at once, and to a webhook and
// by mail until they have arrived. An alarm that was raised is on disk for each of
// them before Raise returns, sealed under the gate key, and is tried again after a
// failure and after a restart.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
)

// Channel is a way to people.
type Channel interface {
	// Name is short, fixed and part of a file's name.
	Name() string
	// Deliver returns nil once the other side has taken the alarm. It may be called
	// again with one that has arrived: the alarm's id tells.
	Deliver(ctx context.Context, a gatehouse.Alarm) error
}

// Options are what a Notifier is made of.
type Options struct {
	Dir      string // its own directory, inside the data directory
	Place    gatehouse.Place
	Keep     gatehouse.WorkingSealer
	Channels []Channel // none: the log alone
	Log      *slog.Logger
	Now      func() time.Time
}

// Retries wait firstWait, doubling to lastWait. A delivery may take deliverWithin.
const (
	firstWait     = 2 * time.Second
	lastWait      = 10 * time.Minute
	deliverWithin = 30 * time.Second
)

// maxQueued is how many alarms wait for one channel; more than that are in the log
// and the audit log only, except canaries, which are always kept.
const maxQueued = 1000

// Notifier keeps and delivers alarms. It is safe for concurrent use.
type Notifier struct {
	o    Options
	wake chan struct{}

	mu      sync.Mutex
	waiting map[string][]*queued // by channel, the oldest first
	raised  map[gatehouse.ID]bool
}

// queued is one alarm on its way to one channel.
type queued struct {
	alarm gatehouse.Alarm
	file  string
	next  time.Time
	wait  time.Duration
}

// Open takes up what a former run has not delivered. Errors: notify.failed.
func Open(o Options) (*Notifier, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, failed(err)
	}
	n := &Notifier{o: o, wake: make(chan struct{}, 1), waiting: map[string][]*queued{}, raised: map[gatehouse.ID]bool{}}
	files, err := os.ReadDir(o.Dir) // sorted by name, so by time
	if err != nil {
		return nil, failed(err)
	}
	for _, f := range files {
		if err := n.takeUp(f.Name()); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func failed(err error) error {
	return gatehouse.Errorf("notify.failed", "check the data directory's space and permissions", "an alarm cannot be kept until it is delivered: %w", err)
}

// takeUp reads one file of a former run. What cannot be read any more is reported and
// put aside, since the alarms behind it must arrive.
func (n *Notifier) takeUp(name string) error {
	path := filepath.Join(n.o.Dir, name)
	if strings.HasPrefix(name, ".new-") {
		return os.Remove(path)
	}
	text, channel, ok := strings.Cut(strings.TrimSuffix(name, ".alarm"), ".")
	id, err := gatehouse.ParseID(text)
	if !ok || err != nil || !strings.HasSuffix(name, ".alarm") {
		return nil // not ours
	}
	sealed, err := os.ReadFile(path)
	if err != nil {
		return failed(err)
	}
	var a gatehouse.Alarm
	plain, err := n.o.Keep.OpenWorking(n.where(id, channel), sealed)
	if err == nil {
		err = json.Unmarshal(plain, &a)
	}
	if err != nil {
		n.o.Log.Error("an alarm that was waiting cannot be read", "alarm", id, "channel", channel)
		return os.Rename(path, strings.TrimSuffix(path, ".alarm")+".unreadable")
	}
	n.waiting[channel] = append(n.waiting[channel], &queued{alarm: a, file: path})
	return nil
}

// where binds a queued alarm to its place and channel.
func (n *Notifier) where(id gatehouse.ID, channel string) gatehouse.SealContext {
	return gatehouse.SealContext{Place: n.o.Place, Table: "alarms", Row: id, Field: channel}
}

// Raise logs the alarm and keeps it for every channel. It may be called again with
// the same alarm, which changes nothing; only after a restart it may be delivered once
// more. Errors: notify.failed.
func (n *Notifier) Raise(a gatehouse.Alarm) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.raised[a.ID] {
		return nil
	}
	n.o.Log.Error("alarm: "+a.Sentence(), "alarm", a.ID, "kind", string(a.Kind), "operator", a.Operator, "purpose", a.Purpose, "device", string(a.Device), "scope", a.Scope)
	plain, err := json.Marshal(a)
	if err != nil {
		return failed(err)
	}
	for _, c := range n.o.Channels {
		list := n.waiting[c.Name()]
		if slices.ContainsFunc(list, func(q *queued) bool { return q.alarm.ID == a.ID }) {
			continue
		}
		if len(list) >= maxQueued && a.Kind != gatehouse.CanaryAlarm {
			n.o.Log.Error("too many alarms wait: this one is in the log only", "alarm", a.ID, "channel", c.Name())
			continue
		}
		sealed, err := n.o.Keep.SealWorking(n.where(a.ID, c.Name()), plain)
		if err != nil {
			return failed(err)
		}
		q := &queued{alarm: a, file: filepath.Join(n.o.Dir, a.ID.String()+"."+c.Name()+".alarm")}
		if err := writeDurably(q.file, sealed); err != nil {
			return failed(err)
		}
		n.waiting[c.Name()] = append(list, q)
	}
	if len(n.raised) >= maxQueued {
		clear(n.raised)
	}
	n.raised[a.ID] = true
	select {
	case n.wake <- struct{}{}:
	default:
	}
	return nil
}

// Waiting is how many alarms have not arrived, over all channels.
func (n *Notifier) Waiting() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	total := 0
	for _, list := range n.waiting {
		total += len(list)
	}
	return total
}

// Run delivers until ctx ends, each channel by itself: one that hangs keeps no other.
func (n *Notifier) Run(ctx context.Context) {
	var all sync.WaitGroup
	wakes := make([]chan struct{}, len(n.o.Channels))
	for i, c := range n.o.Channels {
		wakes[i] = make(chan struct{}, 1)
		all.Go(func() { n.serve(ctx, c, wakes[i]) })
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-n.wake:
			for _, w := range wakes {
				select {
				case w <- struct{}{}:
				default:
				}
			}
		}
	}
	all.Wait()
}

// serve delivers one channel's alarms, the oldest that is due first.
func (n *Notifier) serve(ctx context.Context, c Channel, wake <-chan struct{}) {
	for ctx.Err() == nil {
		q, wait := n.due(c.Name())
		if q == nil {
			timer := time.NewTimer(wait)
			select {
			case <-ctx.Done():
			case <-wake:
			case <-timer.C:
			}
			timer.Stop()
			continue
		}
		within, cancel := context.WithTimeout(ctx, deliverWithin)
		err := c.Deliver(within, q.alarm)
		cancel()
		n.done(ctx, c.Name(), q, err)
	}
}

// due gives an alarm whose turn it is, or how long to wait.
func (n *Notifier) due(channel string) (*queued, time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now, wait := n.o.Now(), lastWait
	for _, q := range n.waiting[channel] {
		if !now.Before(q.next) {
			return q, 0
		}
		wait = min(wait, q.next.Sub(now))
	}
	return nil, wait
}

func (n *Notifier) done(ctx context.Context, channel string, q *queued, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err == nil {
		if err = os.Remove(q.file); err == nil || errors.Is(err, fs.ErrNotExist) {
			n.waiting[channel] = slices.DeleteFunc(n.waiting[channel], func(o *queued) bool { return o == q })
			return
		}
	}
	if ctx.Err() != nil {
		return // the program ends; it is tried at the next start
	}
	q.wait = min(max(firstWait, 2*q.wait), lastWait)
	q.next = n.o.Now().Add(q.wait)
	n.o.Log.Warn("an alarm was not delivered and will be tried again", "alarm", q.alarm.ID, "channel", channel, "code", gatehouse.ErrorCode(err), "in", q.wait)
}

// writeDurably puts b into a file that is whole and on disk when it returns nil.
func writeDurably(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
