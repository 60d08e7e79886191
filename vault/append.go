package vault

import (
	"context"
	"time"

	"gatehouse"
)

// A batch of rows is one transaction of the key store.
const (
	maxBatch    = 256
	appendLimit = 15 * time.Second // for a restart of the vault process and a slow disk
)

// appender makes chains' rows durable. Callers that come while a batch is being
// written share the next one, and so one fsync.
type appender struct {
	send  func(ctx context.Context, rows []chainRow) error
	queue chan waiting
	stop  chan struct{}
	ended chan struct{}
}

type waiting struct {
	rows []chainRow
	done chan error // holds one
}

func newAppender(send func(context.Context, []chainRow) error) *appender {
	a := &appender{send: send, queue: make(chan waiting), stop: make(chan struct{}), ended: make(chan struct{})}
	go a.run()
	return a
}

// append returns when the rows are durable. Errors: store.full,
// sealing.unavailable.
func (a *appender) append(rows ...chainRow) error {
	w := waiting{rows: rows, done: make(chan error, 1)}
	select {
	case a.queue <- w:
		return <-w.done
	case <-a.stop:
		return unavailable(nil)
	}
}

func (a *appender) run() {
	defer close(a.ended)
	for {
		var first waiting
		select {
		case first = <-a.queue:
		case <-a.stop:
			return
		}
		batch, rows := []waiting{first}, first.rows
	gather:
		for len(rows) < maxBatch {
			select {
			case w := <-a.queue:
				batch, rows = append(batch, w), append(rows, w.rows...)
			default:
				break gather
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), appendLimit)
		err := a.send(ctx, rows)
		cancel()
		for _, w := range batch {
			w.done <- err
		}
	}
}

// close ends the appender when the batch that is being written is done.
func (a *appender) close() {
	close(a.stop)
	<-a.ended
}

func unavailable(err error) error {
	const hint = "the vault process is started again by itself; see the log if this goes on"
	if err == nil {
		return gatehouse.Errorf("sealing.unavailable", "the program is ending", "nothing can be sealed any more")
	}
	switch gatehouse.ErrorCode(err) {
	case "store.full", "vault.key_retired":
		return err // the cause that an operator, or createChain, can act on
	}
	return gatehouse.Errorf("sealing.unavailable", hint, "the key store cannot be reached, so nothing can be sealed: %w", err)
}
