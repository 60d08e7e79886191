package erase

import (
	"context"
	"time"

	"gatehouse"
)

// Stage is what an erasure does now.
type Stage string

// The stages of an erasure, in their order. Until Keys it can be stopped, and nothing was
// erased; from Keys on it will happen, whatever comes between. Left is one that was
// interrupted by the end of the process: it is finished by itself.
const (
	Waits    Stage = "waits" // for another erasure to end
	Checks   Stage = "checks"
	Keys     Stage = "keys"
	Gates    Stage = "gates"
	IDs      Stage = "ids"
	Rewrites Stage = "rewrites"
	Pictures Stage = "pictures" // what the rest of the work waits for, where unlinking takes longest
	Certify  Stage = "certificate"
	Left     Stage = "left"
)

// Stages are all of them.
var Stages = []Stage{Waits, Checks, Keys, Gates, IDs, Rewrites, Pictures, Certify, Left}

// Progress is how far an erasure is.
type Progress struct {
	ID       gatehouse.ID // its certificate's
	Stage    Stage
	Began    time.Time // zero for one that was interrupted
	Pictures int       // sealed ones of its passages, 0 until they were counted
	Unlinked int       // of them
}

// Stoppable reports whether it has not begun to erase.
func (p Progress) Stoppable() bool { return p.Stage == Waits || p.Stage == Checks }

// Open are the erasures that have not ended: those under way, and those that were begun
// and interrupted.
func (e *Eraser) Open(ctx context.Context) ([]Progress, error) {
	intents, err := e.Store.Intents(ctx)
	if err != nil {
		return nil, err
	}
	e.seen.Lock()
	defer e.seen.Unlock()
	var all []Progress
	for _, p := range e.open {
		all = append(all, *p)
	}
	for _, i := range intents {
		if _, runs := e.open[i.ID]; i.Verb == verb && !runs {
			all = append(all, Progress{ID: i.ID, Stage: Left})
		}
	}
	return all, nil
}

// follow tells Open of an erasure until done is called.
func (e *Eraser) follow(id gatehouse.ID, stage Stage) (done func()) {
	e.seen.Lock()
	defer e.seen.Unlock()
	e.open[id] = &Progress{ID: id, Stage: stage, Began: e.Now()}
	return func() {
		e.seen.Lock()
		defer e.seen.Unlock()
		delete(e.open, id)
	}
}

func (e *Eraser) tell(id gatehouse.ID, change func(*Progress)) {
	e.seen.Lock()
	defer e.seen.Unlock()
	if p := e.open[id]; p != nil {
		change(p)
	}
}

func (e *Eraser) stage(id gatehouse.ID, stage Stage) {
	e.tell(id, func(p *Progress) { p.Stage = stage })
}

// stopped is what an erasure ends with that was stopped in time.
func stopped() error {
	return gatehouse.Errorf("erase.stopped", "ask again to erase", "the erasure was stopped before it began, and nothing was erased")
}
