// Package rotate replaces the gate key while the gates go on. Every step can be done
// again, so that whoever was killed in the middle begins at the first and leaves alone
// what is done; what a step found sealed under the old key opens until the last one.
package rotate

import (
	"context"
	"sync"
	"time"

	"gatehouse"
)

// Key is the gate key. Its methods are vault.GateKey's.
type Key interface {
	BeginRotation() (resumed bool, err error)
	Rewrap(step func(done, all int)) error
	Reseal(where gatehouse.SealContext, sealed []byte) ([]byte, error)
	Stale(sealed []byte) bool
	FinishRotation() error
}

// Store holds what is sealed under the gate key.
type Store interface {
	// ResealWorking gives every item the form that f returns, nil meaning the one that
	// it has. Items that are put meanwhile MUST come out under the new key.
	ResealWorking(ctx context.Context, f func(gatehouse.WorkingItem) ([]byte, error), step func(done, all int)) error
	Intents(ctx context.Context) ([]gatehouse.Intent, error)
}

// Ports are what rotating needs of the rest.
type Ports struct {
	Key   Key
	Store Store
	// Settle waits for the enrolments that are under way and finishes those that were
	// interrupted: their intents are sealed under the gate key.
	Settle func(ctx context.Context) error
}

// Stage is what a rotation is at.
type Stage string

// The stages, in their order.
const (
	Files    Stage = "files"    // the databases' keys are wrapped anew
	Items    Stage = "items"    // the working set is sealed anew
	Finished Stage = "finished" // the old key opens nothing any more
)

// Progress is how far a rotation is.
type Progress struct {
	Stage     Stage
	Done, All int  // of the stage
	Resumed   bool // an earlier one was gone on with
}

// Rotator replaces the gate key, one rotation at a time. Its methods are safe for
// concurrent use.
type Rotator struct {
	Ports
	ctx  context.Context // ends with Close
	stop context.CancelFunc

	mu       sync.Mutex
	progress Progress
	err      error         // of the last rotation
	running  chan struct{} // closed at the end of the rotation; nil before the first
}

// New returns a rotator over its ports.
func New(p Ports) *Rotator {
	r := &Rotator{Ports: p}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r
}

// Close stops a rotation at its next step, which the next start goes on with.
func (r *Rotator) Close() {
	r.stop()
	r.mu.Lock()
	running := r.running
	r.mu.Unlock()
	if running != nil {
		<-running
	}
}

// Run begins a rotation, unless one is under way, and returns how far it is after at
// most the given time, or when it has ended. Errors are those of its steps; whoever
// runs it again goes on with it.
func (r *Rotator) Run(ctx context.Context, within time.Duration) (Progress, error) {
	r.mu.Lock()
	if r.running == nil {
		r.running = make(chan struct{})
		r.progress, r.err = Progress{Stage: Files}, nil
		go r.rotate(r.running)
	}
	running := r.running
	r.mu.Unlock()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-running:
	case <-timer.C:
	case <-ctx.Done():
		return Progress{}, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-running: // said once: the next call begins another
		if r.running == running {
			r.running = nil
		}
	default:
	}
	return r.progress, r.err
}

func (r *Rotator) rotate(ended chan struct{}) {
	defer close(ended)
	err := r.steps()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	if err == nil {
		r.progress.Stage = Finished
	}
}

// steps is the whole rotation.
func (r *Rotator) steps() error {
	resumed, err := r.Key.BeginRotation()
	if err != nil {
		return err
	}
	r.set(func(p *Progress) { p.Resumed = resumed })
	if err := r.Key.Rewrap(r.step(Files)); err != nil {
		return err
	}
	if err := r.Settle(r.ctx); err != nil {
		return err
	}
	err = r.Store.ResealWorking(r.ctx, func(w gatehouse.WorkingItem) ([]byte, error) { return r.Key.Reseal(w.Context(), w.Sealed) }, r.step(Items))
	if err != nil {
		return err
	}
	intents, err := r.Store.Intents(r.ctx)
	if err != nil {
		return err
	}
	for _, i := range intents {
		if r.Key.Stale(i.Body) {
			return gatehouse.Errorf("gatekey.leftover", "start the server again, which finishes it, and run the same command again", "something that was interrupted waits to be finished, and is under the old gate key")
		}
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.Key.FinishRotation()
}

func (r *Rotator) set(f func(*Progress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.progress)
}

func (r *Rotator) step(stage Stage) func(done, all int) {
	return func(done, all int) {
		r.set(func(p *Progress) { p.Stage, p.Done, p.All = stage, done, all })
	}
}
