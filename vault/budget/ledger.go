// Package budget counts what may still be disclosed: a token bucket for each scope
// and window. It is pure: it knows no clock and no file. Moments are durations on a
// clock that only goes forward and only while the vault process runs, so that a
// restart, a kill or a clock that somebody sets refills nothing.
//
// A bucket is kept as what was spent from it and has not come back. It comes back
// evenly, the limit in one window. So within any time t no more is spent than limit +
// limit·t/window; and a limit that is lowered for a while and raised again gives
// nothing that was spent.
package budget

import (
	"cmp"
	"slices"
	"time"

	"gatehouse"
)

// Key names a bucket.
type Key struct {
	Scope  Scope
	Name   string // the operator or role; "" for the organization
	Window Window
}

// Spent is what is missing from a bucket.
type Spent struct {
	Key
	Micro int64 // millionths of a unit
}

const micro = 1_000_000

// maxBuckets bounds what somebody who invents operators can make a ledger hold. A
// bucket that is full again is forgotten, so the organization's budget keeps honest
// use far below it.
const maxBuckets = 4096

// Ledger holds the buckets of one vault. It is not safe for concurrent use.
type Ledger struct {
	limits  Limits
	buckets map[Key]*bucket
}

type bucket struct {
	spent int64         // millionths
	at    time.Duration // the moment that spent is true for
}

// New returns a ledger from which this is missing; a bucket that is not named is full.
func New(limits Limits, missing []Spent, now time.Duration) *Ledger {
	l := &Ledger{limits: limits, buckets: map[Key]*bucket{}}
	for _, v := range missing {
		l.buckets[v.Key] = &bucket{spent: max(0, v.Micro), at: now}
	}
	return l
}

// SpentUp returns a ledger whose organization has nothing left now, and so nobody has.
func SpentUp(limits Limits, now time.Duration) *Ledger {
	l := New(limits, nil, now)
	for _, w := range []Window{Hour, Day} {
		key := Key{Scope: Organization, Window: w}
		l.buckets[key] = &bucket{spent: l.capacity(key), at: now}
	}
	return l
}

// SetLimits changes the limits from the moment now on.
func (l *Ledger) SetLimits(limits Limits, now time.Duration) {
	for key := range l.buckets {
		l.refill(key, now) // what the old limits gave until now
	}
	l.limits = limits
}

// Limits gives the limits in force.
func (l *Ledger) Limits() Limits { return l.limits }

// Payer says who pays for a disclosure.
type Payer struct {
	Operator, Role string
	Live           bool // on a live window
}

// keys are the buckets that a payer pays from.
func (p Payer) keys() []Key {
	scope := Operator
	if p.Live {
		scope = Live
	}
	var all []Key
	for _, w := range []Window{Hour, Day} {
		all = append(all, Key{scope, p.Operator, w}, Key{Role, p.Role, w}, Key{Organization, "", w})
	}
	return all
}

// Short says which budget does not suffice.
type Short struct {
	Key
	Left int           // units that are there now
	Wait time.Duration // until what was asked for is there; negative: it never will be
}

// Spend takes units from all of the payer's budgets, or from none: then ok is false
// and short is the one that takes longest to refill.
func (l *Ledger) Spend(now time.Duration, p Payer, units int) (short Short, ok bool) {
	keys := p.keys()
	ok = true
	want := int64(units) * micro
	for _, key := range keys {
		left := l.capacity(key) - l.refill(key, now).spent
		if left >= want {
			continue
		}
		s := Short{Key: key, Left: int(max(0, left) / micro), Wait: l.wait(key, want-left)}
		if want > l.capacity(key) {
			s.Wait = -1
		}
		if ok || s.Wait < 0 && short.Wait >= 0 || short.Wait >= 0 && s.Wait > short.Wait {
			short = s
		}
		ok = false
	}
	if !ok {
		return short, false
	}
	for _, key := range keys {
		l.buckets[key].spent += want
	}
	return Short{}, true
}

// Refund gives back what Spend took for a disclosure that was not written down and
// not made.
func (l *Ledger) Refund(p Payer, units int) {
	for _, key := range p.keys() {
		if b := l.buckets[key]; b != nil {
			b.spent = max(0, b.spent-int64(units)*micro)
		}
	}
}

// Left gives what a bucket holds at the moment now, in units.
func (l *Ledger) Left(now time.Duration, key Key) int {
	return int(max(0, l.capacity(key)-l.refill(key, now).spent) / micro)
}

// Missing gives every bucket that is not full, in one order; it forgets the others.
func (l *Ledger) Missing(now time.Duration) []Spent {
	var all []Spent
	for key := range l.buckets {
		b := l.refill(key, now)
		if b.spent == 0 {
			delete(l.buckets, key)
			continue
		}
		all = append(all, Spent{Key: key, Micro: b.spent})
	}
	slices.SortFunc(all, func(a, b Spent) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Window, b.Window))
	})
	return all
}

// Room reports whether another payer's buckets can be kept. It fails with
// vault.budget where too many operators are being served already.
func (l *Ledger) Room(now time.Duration) error {
	if len(l.buckets) < maxBuckets {
		return nil
	}
	if len(l.Missing(now)) < maxBuckets {
		return nil
	}
	return gatehouse.Errorf("vault.budget", "look at the disclosure log: somebody may be inventing operators", "too many operators have spent from their budgets")
}

func (l *Ledger) capacity(key Key) int64 { return int64(l.limits.Of(key.Scope, key.Window)) * micro }

// refill brings a bucket up to the moment now, which counts as no time at all where
// the clock went back. Rounding is against the one who spends.
func (l *Ledger) refill(key Key, now time.Duration) *bucket {
	b := l.buckets[key]
	if b == nil {
		b = &bucket{at: now}
		l.buckets[key] = b
		return b
	}
	if passed := now - b.at; passed > 0 {
		share := float64(passed) / float64(key.Window.length())
		back := share * float64(l.capacity(key))
		b.spent -= int64(min(back, float64(b.spent)))
		b.at = now
	}
	return b
}

// wait is how long a bucket takes to refill by so much.
func (l *Ledger) wait(key Key, missing int64) time.Duration {
	return time.Duration(float64(missing)/float64(l.capacity(key))*float64(key.Window.length())) + time.Second
}
