package vault

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/budget"
)

// purposeLive is a guard's live window.
const purposeLive = "live"

// A live window's disclosure covers what it shows within windowLength; what was paid
// for is shown again for nothing within paidFor.
const (
	windowLength = time.Minute
	paidFor      = time.Hour
	maxWindows   = 1024
	maxInWindow  = 4096
)

// liveWindow is one operator's live window: the disclosure that covers it now, and
// what it has shown.
type liveWindow struct {
	disclosure gatehouse.ID
	began      time.Duration
	shown      map[string]bool          // under this disclosure
	paid       map[string]time.Duration // until when
}

// item is what a live window shows: its name in the log, and what it costs.
type item struct {
	name  string
	units int
}

// live writes what a live window shows: the window's disclosure with the first items,
// and a leaf for those that come within its minute, each before it is shown. What it
// showed already is there. charge is false for what is not the vault's to open.
// Errors: pay's.
func (g *guard) live(ctx context.Context, d gatehouse.Disclosure, items []item, charge bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.liveLocked(ctx, d, items, charge)
}

// liveLocked is live with the lock held.
func (g *guard) liveLocked(ctx context.Context, d gatehouse.Disclosure, items []item, charge bool) error {
	now := g.clock()
	u := g.update(d, items, now)
	if u.nothing() {
		return nil
	}
	write := func(levels stateSealer) error { return g.audit.noteStates(ctx, u.d, levels, nil) }
	if !u.fresh {
		write = func(levels stateSealer) error { return g.audit.extend(ctx, u.w.disclosure, u.d, levels) }
	}
	var err error
	if charge {
		err = g.payLocked(ctx, u.d, write)
	} else {
		err = write(nil)
	}
	if err != nil {
		return err
	}
	u.written(now)
	for name := range u.added {
		if _, ok := u.w.paid[name]; charge && (!ok || now >= u.w.paid[name]) {
			u.w.paid[name] = now + paidFor
		}
	}
	return nil
}

// windowUpdate is what a live window shows that it did not yet.
type windowUpdate struct {
	w     *liveWindow
	d     gatehouse.Disclosure // with those items
	fresh bool                 // the window's disclosure is over: d is the next
	added map[string]bool
}

// update finds out what is new. Called with the lock held.
func (g *guard) update(d gatehouse.Disclosure, items []item, now time.Duration) windowUpdate {
	w := g.window(d.Operator, now)
	u := windowUpdate{w: w, fresh: w.disclosure.IsZero() || now-w.began >= windowLength || len(w.shown) > maxInWindow, added: map[string]bool{}}
	d.Items, d.Units = nil, 0
	for _, it := range items {
		if !u.fresh && w.shown[it.name] || u.added[it.name] {
			continue
		}
		u.added[it.name] = true
		d.Items = append(d.Items, it.name)
		if now >= w.paid[it.name] {
			d.Units += it.units
		}
	}
	u.d = d
	return u
}

func (u windowUpdate) nothing() bool { return len(u.d.Items) == 0 && !u.fresh }

// written notes that it is in the log.
func (u windowUpdate) written(now time.Duration) {
	if u.fresh {
		u.w.disclosure, u.w.began, u.w.shown = u.d.ID, now, map[string]bool{}
	}
	for name := range u.added {
		u.w.shown[name] = true
	}
}

// window finds or begins an operator's window, forgetting what is over.
func (g *guard) window(operator string, now time.Duration) *liveWindow {
	if w := g.windows[operator]; w != nil {
		if len(w.paid) > maxInWindow {
			clear(w.paid) // what is shown again is paid again
		}
		return w
	}
	if len(g.windows) >= maxWindows {
		for name, w := range g.windows {
			if now-w.began >= paidFor {
				delete(g.windows, name)
			}
		}
		if len(g.windows) >= maxWindows {
			clear(g.windows)
		}
	}
	w := &liveWindow{shown: map[string]bool{}, paid: map[string]time.Duration{}}
	g.windows[operator] = w
	return w
}

// extend adds what a live window shows to the disclosure that covers it: the items
// beside it, and a leaf of their own. levels may be nil.
func (a *auditDB) extend(ctx context.Context, disclosure gatehouse.ID, d gatehouse.Disclosure, levels stateSealer) error {
	leaf, also, err := a.extension(ctx, disclosure, d)
	if err != nil {
		return err
	}
	_, err = a.recordStates(ctx, leaf, levels, also)
	return err
}

// extension is the leaf of what a live window shows, and what is written with it.
func (a *auditDB) extension(ctx context.Context, disclosure gatehouse.ID, d gatehouse.Disclosure) (leaf []byte, also alsoFunc, err error) {
	if d.Items, err = a.aliased(ctx, d.Items); err != nil {
		return nil, nil, err
	}
	leaf = gatehouse.EventLeaf(gatehouse.LiveLeafKind, d.At, "shown", append([]string{disclosure.String(), d.Operator, strconv.Itoa(d.Units)}, d.Items...)...)
	return leaf, func(ctx context.Context, tx *sql.Tx) error {
		for i, name := range d.Items {
			units := 0
			if i == 0 {
				units = d.Units
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO live_items (disclosure, item, units) VALUES (?, ?, ?)`, disclosure[:], name, units); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// withLiveItems adds to live windows' disclosures what they showed later.
func (a *auditDB) withLiveItems(ctx context.Context, list []gatehouse.Disclosure) error {
	for i := range list {
		d := &list[i]
		if d.Purpose != purposeLive {
			continue
		}
		var names string
		var units int
		err := a.db.Readers().QueryRowContext(ctx, `SELECT coalesce(json_group_array(item), '[]'), coalesce(sum(units), 0) FROM live_items WHERE disclosure = ?`, d.ID[:]).Scan(&names, &units)
		if err != nil {
			return sealeddb.Wrap(auditFile, err)
		}
		var later []string
		if err := json.Unmarshal([]byte(names), &later); err != nil {
			return gatehouse.Errorf("store.damaged", "restore it from a backup", "a row of the disclosure log cannot be read: %w", err)
		}
		d.Items, d.Units = append(d.Items, later...), d.Units+units
	}
	return nil
}

// liveAge is how old a passage may be to cost on a live window what it costs in a list.
const liveAge = 10 * time.Minute

// priced gives the items of an opening and what they cost together at the moment now. A
// passage's row is its time-ordered id, to which its detail is bound.
func priced(purpose string, refs []gatehouse.SealContext, now time.Time) (items []item, units int) {
	for _, where := range refs {
		it := item{name: where.Table + "/" + where.Row.String() + "/" + where.Field, units: budget.Cost(where.Field)}
		if age := now.Sub(where.Row.Time()); purpose == purposeLive && age < liveAge && age > -liveAge {
			it.units = budget.LiveCost(where.Table, where.Field)
		}
		items, units = append(items, it), units+it.units
	}
	return items, units
}
