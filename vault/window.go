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
	now := g.clock()
	w := g.window(d.Operator, now)
	fresh := w.disclosure.IsZero() || now-w.began >= windowLength || len(w.shown) > maxInWindow
	shown := w.shown
	if fresh {
		shown = map[string]bool{}
	}
	d.Items, d.Units = nil, 0
	added := map[string]bool{}
	for _, it := range items {
		if shown[it.name] || added[it.name] {
			continue
		}
		added[it.name] = true
		d.Items = append(d.Items, it.name)
		if now >= w.paid[it.name] {
			d.Units += it.units
		}
	}
	if len(d.Items) == 0 && !fresh {
		return nil
	}
	write := func(levels stateSealer) error { return g.audit.noteStates(ctx, d, levels, nil) }
	if !fresh {
		write = func(levels stateSealer) error { return g.audit.extend(ctx, w.disclosure, d, levels) }
	}
	var err error
	if charge {
		err = g.payLocked(ctx, d, write)
	} else {
		err = write(nil)
	}
	if err != nil {
		return err
	}
	if fresh {
		w.disclosure, w.began, w.shown = d.ID, now, shown
	}
	for name := range added {
		w.shown[name] = true
		if _, ok := w.paid[name]; charge && (!ok || now >= w.paid[name]) {
			w.paid[name] = now + paidFor
		}
	}
	return nil
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
func (a *auditDB) extend(ctx context.Context, disclosure gatehouse.ID, d gatehouse.Disclosure, levels stateSealer) (err error) {
	if d.Items, err = a.aliased(ctx, d.Items); err != nil {
		return err
	}
	leaf := gatehouse.EventLeaf(gatehouse.LiveLeafKind, d.At, "shown", append([]string{disclosure.String(), d.Operator, strconv.Itoa(d.Units)}, d.Items...)...)
	_, err = a.recordStates(ctx, leaf, levels, func(ctx context.Context, tx *sql.Tx) error {
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
	})
	return err
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
