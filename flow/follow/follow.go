// Package follow lets something keep up with the committed log: the audit log, the
// search index, attendance, parking. A follower keeps the last position that it has
// dealt with, with what it made of it in one transaction, so it may be killed at any
// moment and neither misses a leaf nor counts one twice.
package follow

import (
	"context"
	"errors"
	"time"
)

// Leaf is one entry of the committed log and its position, which grows with gaps.
type Leaf struct {
	Position uint64
	Leaf     []byte
}

// Log is what is followed; gatehouse.PassageStore is one.
type Log interface {
	Leaves(ctx context.Context, after uint64, f func(position uint64, leaf []byte) error) error
}

// Sink deals with what is followed.
type Sink interface {
	// Cursor is the last position that was dealt with, 0 before the first.
	Cursor(ctx context.Context) (uint64, error)
	// Deal MUST make its effect and the last leaf's position durable together, or
	// neither. An error is tried again later, from the cursor.
	Deal(ctx context.Context, leaves []Leaf) error
}

// Batch is the most leaves that a sink gets at once.
const Batch = 512

// CatchUp gives the sink everything that was committed behind its cursor, and says
// how many leaves that were.
func CatchUp(ctx context.Context, log Log, sink Sink) (dealt int, err error) {
	cursor, err := sink.Cursor(ctx)
	if err != nil {
		return 0, err
	}
	var batch []Leaf
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := sink.Deal(ctx, batch); err != nil {
			return err
		}
		dealt += len(batch)
		batch = batch[:0]
		return nil
	}
	err = log.Leaves(ctx, cursor, func(position uint64, leaf []byte) error {
		batch = append(batch, Leaf{position, leaf})
		if len(batch) < Batch {
			return ctx.Err()
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	return dealt, err
}

// gather is how long Run rests after it caught up: what is committed meanwhile goes to
// the sink at once. A sink syncs once a call, so a busy site pays for 20 of them a second
// and not for one a passage (docs/measurements.md); on a quiet one nothing waits.
const gather = 50 * time.Millisecond

// Run catches up again and again until ctx ends: when wake says so, and every so
// often. report, if not nil, hears of every failure, and of nil when it is over.
func Run(ctx context.Context, log Log, sink Sink, every time.Duration, wake <-chan struct{}, report func(error)) {
	beat := time.NewTicker(every)
	defer beat.Stop()
	failing := false
	for {
		_, err := CatchUp(ctx, log, sink)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, ErrLater) {
			err = nil
		}
		if report != nil && (err != nil || failing) {
			report(err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(gather):
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		case <-wake:
		}
	}
}

// ErrLater may be returned by a sink that cannot work now, for example while the vault
// is sealed; it is no failure.
var ErrLater = errors.New("later")
