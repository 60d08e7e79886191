package vault

import (
	"context"
	"database/sql"
	"sync"

	"gatehouse"
)

// liveQueue lets live windows that show something at the same moment, as all of them do
// when somebody passes, pay for one transaction together.
type liveQueue struct {
	mu      sync.Mutex
	waiting []*liveWaiting
	busy    bool
}

// liveWaiting is one window's update on its way.
type liveWaiting struct {
	d     gatehouse.Disclosure
	items []item
	done  chan error
}

// mostTogether bounds one transaction.
const mostTogether = 256

// liveTogether is live, without a charge, for a window among many: it is on disk when it
// returns nil.
func (g *guard) liveTogether(ctx context.Context, d gatehouse.Disclosure, items []item) error {
	p := &liveWaiting{d: d, items: items, done: make(chan error, 1)}
	q := &g.queue
	q.mu.Lock()
	q.waiting = append(q.waiting, p)
	first := !q.busy
	q.busy = true
	q.mu.Unlock()
	if first {
		go g.drain(context.WithoutCancel(ctx))
	}
	return <-p.done
}

// drain writes what waits, until nothing does.
func (g *guard) drain(ctx context.Context) {
	q := &g.queue
	for {
		q.mu.Lock()
		batch := q.waiting[:min(len(q.waiting), mostTogether)]
		q.waiting = q.waiting[len(batch):]
		if len(batch) == 0 {
			q.busy, q.waiting = false, nil
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		g.writeTogether(ctx, batch)
	}
}

// writeTogether writes a batch in one transaction, and tells each that waits for it. A
// second update of one operator in the batch comes after the first; where the transaction
// fails each is tried alone, so that one fails for itself.
func (g *guard) writeTogether(ctx context.Context, batch []*liveWaiting) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock()
	var updates []windowUpdate
	var entries []entry
	var writes []alsoFunc
	var together, alone []*liveWaiting
	taken := map[string]bool{}
	for _, p := range batch {
		if taken[p.d.Operator] {
			alone = append(alone, p)
			continue
		}
		u := g.update(p.d, p.items, now)
		if u.nothing() {
			p.done <- nil
			continue
		}
		leaf, also, err := g.leafOf(ctx, u)
		if err != nil {
			p.done <- err
			continue
		}
		taken[p.d.Operator] = true
		updates, entries, writes, together = append(updates, u), append(entries, entry{leaf: leaf}), append(writes, also), append(together, p)
	}
	if len(together) > 0 {
		_, err := g.audit.commit(ctx, entries, func(ctx context.Context, tx *sql.Tx) error {
			for _, w := range writes {
				if err := w(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			alone = append(together, alone...)
		} else {
			for i, u := range updates {
				u.written(now)
				together[i].done <- nil
			}
		}
	}
	for _, p := range alone {
		p.done <- g.liveLocked(ctx, p.d, p.items, false)
	}
}

func (g *guard) leafOf(ctx context.Context, u windowUpdate) (leaf []byte, also alsoFunc, err error) {
	if u.fresh {
		leaf, also, err = g.audit.noted(ctx, u.d)
	} else {
		leaf, also, err = g.audit.extension(ctx, u.w.disclosure, u.d)
	}
	if err == nil {
		err = ofNoState(leaf)
	}
	return leaf, also, err
}
