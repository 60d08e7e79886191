package vault

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/vault/budget"
)

// guard decides in the vault process what may be disclosed: budgets, canaries, and
// whether the vault is shut. What it holds in memory counts while the process runs;
// editing the file beneath it gains nothing.
type guard struct {
	dir   string
	audit *auditDB
	keys  *keyStore
	room  *strongroom
	clock func() time.Duration // monotonic, from the start of the process

	mu      sync.Mutex
	ceiling budget.Limits // what the server's configuration allows at most
	control *control      // nil until somebody unsealed the vault in this process
	ledger  *budget.Ledger
	tripped gatehouse.ID // the canary that shut the vault; zero while it may be unsealed
	windows map[string]*liveWindow
	warned  map[string]time.Duration // when an operator's budget last raised an alarm
}

// newGuard begins with what is known while the vault is sealed: whether a canary
// shut it.
func newGuard(ctx context.Context, dir string, audit *auditDB, keys *keyStore, room *strongroom, ceiling budget.Limits) (*guard, error) {
	began := time.Now()
	g := &guard{dir: dir, audit: audit, keys: keys, room: room, ceiling: ceiling, windows: map[string]*liveWindow{}, warned: map[string]time.Duration{},
		clock: func() time.Duration { return time.Since(began) }}
	var err error
	if g.tripped, err = audit.tripped(ctx); err != nil {
		return nil, err
	}
	audit.pay, room.check = g.pay, g.unsealing
	return g, nil
}

// unsealing is called with the private key's seed before an operator gets a lease. It
// takes up the sealed state at the first unsealing of this process, and keeps a vault
// shut that a canary shut and two people have not opened again. Errors: vault.canary,
// vault.altered.
func (g *guard) unsealing(ctx context.Context, seed []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	if g.control == nil {
		got, err := g.audit.loadControl(ctx, g.dir, seed)
		if err != nil {
			return err
		}
		if err := g.takeUp(ctx, seed, got); err != nil {
			return err
		}
	}
	if err := endGenesis(g.dir); err != nil {
		return err
	}
	if !g.control.Tripped.IsZero() {
		g.tripped = g.control.Tripped // which nobody could exchange
	}
	if g.tripped.IsZero() {
		return nil
	}
	return g.lift(ctx, seed)
}

// takeUp makes what was loaded the state of this process. Called with the lock held.
func (g *guard) takeUp(ctx context.Context, seed []byte, got loaded) error {
	now := g.clock()
	limits := got.control.Limits.Lower(g.ceiling)
	ledger := budget.New(limits, got.levels, now)
	if got.spent {
		ledger = budget.SpentUp(limits, now)
	}
	if got.fresh || got.spent {
		key := controlKey(seed)
		defer clear(key[:])
		event := "begun"
		if got.spent {
			event = "spent-up"
		}
		at := time.Now()
		_, err := g.audit.record(ctx, gatehouse.EventLeaf(gatehouse.PolicyLeafKind, at, event), func(ctx context.Context, tx *sql.Tx) error {
			if got.spent {
				if err := addAlarm(ctx, tx, gatehouse.Alarm{At: at, Kind: gatehouse.AlteredAlarm, Scope: levelState}); err != nil {
					return err
				}
			}
			return g.putAll(ctx, tx, key, got.control, ledger)
		})
		if err != nil {
			return err
		}
	}
	g.control, g.ledger = got.control, ledger
	return nil
}

// putAll seals and writes the control and the levels.
func (g *guard) putAll(ctx context.Context, tx *sql.Tx, key [32]byte, c *control, l *budget.Ledger) error {
	for name, v := range map[string]any{controlState: c, levelState: l.Missing(g.clock())} {
		sealed, err := sealState(key, name, v)
		if err != nil {
			return err
		}
		if err := putState(ctx, tx, name, sealed); err != nil {
			return err
		}
	}
	return nil
}

// writeFunc writes a disclosure, and what also writes, in one durable transaction.
type writeFunc func(also func(ctx context.Context, tx *sql.Tx) error) error

// pay takes a disclosure's units from the budgets and has it written, both or
// neither. Errors: vault.budget, vault.canary, vault.sealed, and the store's.
func (g *guard) pay(ctx context.Context, d gatehouse.Disclosure, write writeFunc) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.payLocked(ctx, d, write)
}

func (g *guard) payLocked(ctx context.Context, d gatehouse.Disclosure, write writeFunc) error {
	if !g.tripped.IsZero() {
		return errCanary()
	}
	key, ok := g.room.controlKey()
	if !ok || g.ledger == nil {
		return errSealed()
	}
	defer clear(key[:])
	now := g.clock()
	if err := g.ledger.Room(now); err != nil {
		return err
	}
	payer := budget.Payer{Operator: d.Operator, Role: d.Role, Live: d.Purpose == purposeLive}
	short, ok := g.ledger.Spend(now, payer, d.Units)
	if !ok {
		return g.refuse(ctx, d, short)
	}
	levels, err := sealState(key, levelState, g.ledger.Missing(now))
	if err == nil {
		err = write(func(ctx context.Context, tx *sql.Tx) error { return putState(ctx, tx, levelState, levels) })
	}
	if err != nil {
		g.ledger.Refund(payer, d.Units)
	}
	return err
}

// warnEvery is how often one operator's spent budget raises an alarm.
const warnEvery = time.Hour

// refuse writes down that a budget did not suffice, and says when it will. Called
// with the lock held.
func (g *guard) refuse(ctx context.Context, d gatehouse.Disclosure, short budget.Short) error {
	scope := string(short.Scope) + "." + string(short.Window)
	leaf := gatehouse.EventLeaf(gatehouse.RefusalLeafKind, d.At, "budget", d.Operator, d.Role, d.Purpose, scope, fmt.Sprint(d.Units))
	now := g.clock()
	last, before := g.warned[d.Operator]
	warn := !before || now-last >= warnEvery
	_, err := g.audit.record(ctx, leaf, func(ctx context.Context, tx *sql.Tx) error {
		if !warn {
			return nil
		}
		return addAlarm(ctx, tx, gatehouse.Alarm{At: d.At, Kind: gatehouse.BudgetAlarm, Operator: d.Operator, Purpose: d.Purpose, Scope: scope})
	})
	if err != nil {
		return err
	}
	if warn {
		if len(g.warned) > 1000 {
			clear(g.warned) // costs an alarm more, never one less
		}
		g.warned[d.Operator] = now
		child.NewLog().Warn("a disclosure was refused: the budget does not suffice", "operator", d.Operator, "budget", scope)
	}
	whose := map[budget.Scope]string{budget.Operator: "this operator's", budget.Role: "the role's", budget.Organization: "the organization's", budget.Live: "this operator's live"}[short.Scope]
	if short.Wait < 0 {
		return gatehouse.Errorf("vault.budget", "ask for less at a time; more at once is a bulk release, which a second person approves", "this costs %d units, and %s budget for one %s is smaller", d.Units, whose, short.Window)
	}
	return gatehouse.Errorf("vault.budget", "ask for less, wait, or have the limits raised with `gatehouse budget set`",
		"this costs %d units, and %s budget for the %s holds %d; %d will be there in %s", d.Units, whose, short.Window, short.Left, d.Units, roundUp(short.Wait))
}

// roundUp gives a time for people: minutes, or seconds below one.
func roundUp(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Truncate(time.Second) + time.Second
	}
	return d.Truncate(time.Minute) + time.Minute
}

// change replaces the control by what f makes of a copy, durably, with a leaf. seed
// is the private key's. Errors: f's and the store's.
func (g *guard) change(ctx context.Context, seed []byte, leaf []byte, f func(*control) error, also func(ctx context.Context, tx *sql.Tx) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	if g.control == nil {
		got, err := g.audit.loadControl(ctx, g.dir, seed)
		if err != nil {
			return err
		}
		if err := g.takeUp(ctx, seed, got); err != nil {
			return err
		}
	}
	next := g.control.clone()
	if err := f(next); err != nil {
		return err
	}
	key := controlKey(seed)
	defer clear(key[:])
	now := g.clock()
	was := g.ledger.Limits()
	g.ledger.SetLimits(next.Limits.Lower(g.ceiling), now)
	_, err := g.audit.record(ctx, leaf, func(ctx context.Context, tx *sql.Tx) error {
		if also != nil {
			if err := also(ctx, tx); err != nil {
				return err
			}
		}
		return g.putAll(ctx, tx, key, next, g.ledger)
	})
	if err != nil {
		g.ledger.SetLimits(was, now)
		return err
	}
	g.control = next
	return nil
}

// anew begins with no canaries, no operators and everything spent: the way out where
// the control was altered or lost.
func (g *guard) anew(ctx context.Context, seed []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := controlKey(seed)
	defer clear(key[:])
	fresh := newControl()
	ledger := budget.SpentUp(fresh.Limits.Lower(g.ceiling), g.clock())
	at := time.Now()
	_, err := g.audit.record(context.WithoutCancel(ctx), gatehouse.EventLeaf(gatehouse.PolicyLeafKind, at, "anew"), func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM operators`); err != nil {
			return err
		}
		if err := addAlarm(ctx, tx, gatehouse.Alarm{At: at, Kind: gatehouse.AlteredAlarm, Scope: controlState}); err != nil {
			return err
		}
		return g.putAll(ctx, tx, key, fresh, ledger)
	})
	if err != nil {
		return err
	}
	g.control, g.ledger = fresh, ledger
	return endGenesis(g.dir)
}

func errSealed() error {
	return gatehouse.Errorf("vault.sealed", "unseal it with the vault's passphrase", "the vault is sealed")
}

// addAlarm writes an alarm that the server is to take over.
func addAlarm(ctx context.Context, tx *sql.Tx, a gatehouse.Alarm) error {
	a.ID, a.At = gatehouse.NewID(a.At), a.At.UTC()
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO alarms (id, at, kind, body) VALUES (?, ?, ?, ?)`, a.ID[:], a.At.UnixMilli(), string(a.Kind), string(body))
	return err
}
