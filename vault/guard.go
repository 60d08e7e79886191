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
	leaf    int64         // the number of the leaf that commits to the control
	ledger  *budget.Ledger
	tripped gatehouse.ID // the canary that shut the vault; zero while it may be unsealed
	windows map[string]*liveWindow
	queue   liveQueue
	warned  map[string]time.Duration // when an operator's budget last raised an alarm
	shown   map[string]time.Duration // when a canary token last raised one, by its digest
}

// newGuard begins with what is known while the vault is sealed: whether a canary
// shut it.
func newGuard(ctx context.Context, dir string, audit *auditDB, keys *keyStore, room *strongroom, ceiling budget.Limits) (*guard, error) {
	began := time.Now()
	g := &guard{dir: dir, audit: audit, keys: keys, room: room, ceiling: ceiling, windows: map[string]*liveWindow{}, warned: map[string]time.Duration{}, shown: map[string]time.Duration{},
		clock: func() time.Duration { return time.Since(began) }}
	var err error
	if g.tripped, err = audit.tripped(ctx); err != nil {
		return nil, err
	}
	audit.pay, room.check = g.pay, g.unsealing
	return g, nil
}

// unsealing is called with the keys that a credential opened, before an operator gets a lease. It
// takes up the sealed state at the first unsealing of this process, and keeps a vault
// shut that a canary shut and two people have not opened again. Errors: vault.canary,
// vault.altered.
func (g *guard) unsealing(ctx context.Context, keys openKeys) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	if g.control == nil {
		if err := g.load(ctx, keys); err != nil {
			return err
		}
	}
	if err := endGenesis(g.dir); err != nil {
		return err
	}
	if g.tripped.IsZero() {
		return nil
	}
	return g.lift(ctx, keys)
}

// takeUp makes what was loaded the state of this process. Called with the lock held.
func (g *guard) takeUp(ctx context.Context, keys openKeys, got loaded) error {
	now := g.clock()
	limits := got.control.Limits.Lower(g.ceiling)
	ledger := budget.New(limits, got.levels, now)
	if got.spent {
		ledger = budget.SpentUp(limits, now)
	}
	// What the sealed control says of a trip is what nobody could exchange; one that came
	// while the vault was sealed stands in the log alone.
	switch {
	case !got.control.Tripped.IsZero():
		g.tripped = got.control.Tripped
	case !got.tripped.IsZero():
		g.tripped = got.tripped
	}
	same, err := g.audit.sameCopies(ctx, got.control)
	if err != nil {
		return err
	}
	if got.fresh || got.spent || got.older || !same {
		got.control.Tripped = g.tripped
		var alarms []string
		if got.spent {
			alarms = append(alarms, levelState)
		}
		if !same && !got.fresh {
			alarms = append(alarms, operatorRows)
		}
		if got.leaf, err = g.put(ctx, keys, got.control, ledger, alarms); err != nil {
			return err
		}
	}
	g.control, g.ledger, g.leaf = got.control, ledger, got.leaf
	return nil
}

// rekey seals the state under the first of the keys, which a rotation has made the
// current one.
func (g *guard) rekey(ctx context.Context, keys openKeys) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	if g.control == nil {
		return g.load(ctx, keys)
	}
	next := g.control.clone()
	next.Tripped = g.tripped
	leaf, err := g.put(ctx, keys, next, g.ledger, nil)
	if err == nil {
		g.control, g.leaf = next, leaf
	}
	return err
}

// load takes up the sealed state. Called with the lock held.
func (g *guard) load(ctx context.Context, keys openKeys) error {
	got, err := g.audit.loadControl(ctx, g.dir, keys)
	if err != nil {
		return err
	}
	return g.takeUp(ctx, keys, got)
}

// controlChanged is the one leaf of every change of the control, whatever it is: who
// reads the log does not see whether somebody set a budget or marked a canary.
const controlChanged = "control changed"

// put writes the control and the levels, with their leaf and alarms about what had
// been altered, and gives the leaf's number.
func (g *guard) put(ctx context.Context, keys openKeys, c *control, l *budget.Ledger, altered []string) (int64, error) {
	key := controlKey(keys.seed())
	defer clear(key[:])
	at := time.Now()
	return g.audit.recordStates(ctx, gatehouse.EventLeaf(gatehouse.PolicyLeafKind, at, controlChanged), g.states(key, c, l), func(ctx context.Context, tx *sql.Tx) error {
		for _, scope := range altered {
			if err := addAlarm(ctx, tx, gatehouse.Alarm{At: at, Kind: gatehouse.AlteredAlarm, Scope: scope}); err != nil {
				return err
			}
		}
		return putCopies(ctx, tx, c)
	})
}

// states seals the control and the levels for one leaf, which commits to the rows that
// are copies of the control, too.
func (g *guard) states(key [32]byte, c *control, l *budget.Ledger) stateSealer {
	return func(n int64) ([]newState, error) {
		all := c.copies()
		sealed, err := sealState(key, controlState, numbered[*control]{Leaf: n, State: c})
		if err != nil {
			return nil, err
		}
		all = append(all, sealedNow(controlState, sealed))
		if sealed, err = sealState(key, levelState, numbered[[]budget.Spent]{Leaf: n, Control: n, State: l.Missing(g.clock())}); err != nil {
			return nil, err
		}
		return append(all, sealedNow(levelState, sealed)), nil
	}
}

// writeFunc writes a disclosure, its leaf and the levels in one durable transaction.
type writeFunc func(levels stateSealer) error

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
	err := write(func(n int64) ([]newState, error) {
		sealed, err := sealState(key, levelState, numbered[[]budget.Spent]{Leaf: n, Control: g.leaf, State: g.ledger.Missing(now)})
		return []newState{sealedNow(levelState, sealed)}, err
	})
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

// change replaces the control by what f makes of a copy, durably. keys are the vault's.
// alarm, if not nil, is raised with it. Errors: f's and the store's.
func (g *guard) change(ctx context.Context, keys openKeys, alarm *gatehouse.Alarm, f func(*control) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	if g.control == nil {
		if err := g.load(ctx, keys); err != nil {
			return err
		}
	}
	next := g.control.clone()
	next.Tripped = g.tripped
	if err := f(next); err != nil {
		return err
	}
	key := controlKey(keys.seed())
	defer clear(key[:])
	now := g.clock()
	was := g.ledger.Limits()
	g.ledger.SetLimits(next.Limits.Lower(g.ceiling), now)
	leaf, err := g.audit.recordStates(ctx, gatehouse.EventLeaf(gatehouse.PolicyLeafKind, time.Now(), controlChanged), g.states(key, next, g.ledger), func(ctx context.Context, tx *sql.Tx) error {
		if alarm != nil {
			if err := addAlarm(ctx, tx, *alarm); err != nil {
				return err
			}
		}
		return putCopies(ctx, tx, next)
	})
	if err != nil {
		g.ledger.SetLimits(was, now)
		return err
	}
	g.control, g.leaf = next, leaf
	return nil
}

// look reads the control, with a leaf that says so. Errors: vault.altered and the
// store's.
func (g *guard) look(ctx context.Context, keys openKeys, leaf []byte, f func(*control)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	if g.control == nil {
		if err := g.load(ctx, keys); err != nil {
			return err
		}
	}
	if _, err := g.audit.record(ctx, leaf, nil); err != nil {
		return err
	}
	f(g.control)
	return nil
}

// anew begins with no canaries, no operators and everything spent: the way out where
// the control was altered or lost, and only there. It lifts no canary. Errors:
// budget.sound, vault.canary, and the store's.
func (g *guard) anew(ctx context.Context, keys openKeys) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	if g.control == nil {
		if err := g.load(ctx, keys); err != nil && gatehouse.ErrorCode(err) != "vault.altered" {
			return err
		}
	}
	if g.control != nil {
		return gatehouse.Errorf("budget.sound", "set the limits without --anew", "what controls the vault's disclosures is sound: it cannot be begun anew")
	}
	found, err := g.audit.committed(ctx, "")
	if err != nil {
		return err
	}
	if !g.tripped.IsZero() || !found.tripped.IsZero() {
		return gatehouse.Errorf("vault.canary", "restore the vault's directory from a backup, and lift the canary there",
			"a canary shut this vault: who lifts it stands in what was altered or lost, so it cannot be begun anew")
	}
	fresh := newControl()
	ledger := budget.SpentUp(fresh.Limits.Lower(g.ceiling), g.clock())
	leaf, err := g.put(ctx, keys, fresh, ledger, []string{controlState})
	if err != nil {
		return err
	}
	g.control, g.ledger, g.leaf = fresh, ledger, leaf
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
