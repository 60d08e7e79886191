package sqlite

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"

	"golang.org/x/mod/sumdb/tlog"

	"gatehouse/internal/sealeddb"
)

// shard is one file with audit leaves of its own, and the queue of what is to be
// committed to it. Commands that arrive while a transaction is on its way to the
// disk share the next one, so that one fsync serves many gates.
type shard struct {
	db     *sealeddb.DB
	leaves *sequence
	last   atomic.Int64 // the highest position that was committed here

	mu    sync.Mutex
	queue []*command
	turn  chan struct{} // holds one token while somebody commits
}

// command is one caller's part of a transaction.
type command struct {
	// write returns the leaf of what it changed; nil where nothing was changed that has one.
	write func(ctx context.Context, tx *sql.Tx) (leaf []byte, err error)
	done  chan error
}

// batchLimit bounds how long the last of a batch waits for the first.
const batchLimit = 64

func newShard(db *sealeddb.DB) *shard {
	return &shard{db: db, turn: make(chan struct{}, 1)}
}

// commit runs write and adds the leaf, in one transaction that may hold other
// commands too; it is durable when commit returns nil. Where write returns false there is
// nothing to change: no leaf is added then. A context that ends before
// the transaction has begun leaves nothing written; afterwards it is not heeded.
func (s *shard) commit(ctx context.Context, leaf []byte, write func(ctx context.Context, tx *sql.Tx) (bool, error)) error {
	if len(leaf) == 0 {
		return invalid("a change needs its audit leaf")
	}
	return s.commitWith(ctx, func(ctx context.Context, tx *sql.Tx) ([]byte, error) {
		changed, err := write(ctx, tx)
		if err != nil || !changed {
			return nil, err
		}
		return leaf, nil
	})
}

// commitWith is commit for a change whose leaf is known only when it is made.
func (s *shard) commitWith(ctx context.Context, write func(ctx context.Context, tx *sql.Tx) (leaf []byte, err error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &command{write: write, done: make(chan error, 1)}
	s.mu.Lock()
	s.queue = append(s.queue, c)
	s.mu.Unlock()
	for {
		select {
		case err := <-c.done:
			return err
		case s.turn <- struct{}{}:
			s.commitQueued(context.WithoutCancel(ctx))
			<-s.turn
		case <-ctx.Done():
			if s.withdraw(c) {
				return ctx.Err()
			}
			return <-c.done
		}
	}
}

// withdraw takes a command out of the queue, unless it is being committed.
func (s *shard) withdraw(c *command) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, q := range s.queue {
		if q == c {
			s.queue = append(s.queue[:i], s.queue[i+1:]...)
			return true
		}
	}
	return false
}

func (s *shard) commitQueued(ctx context.Context) {
	s.mu.Lock()
	n := min(len(s.queue), batchLimit)
	batch := append([]*command(nil), s.queue[:n]...)
	s.queue = append(s.queue[:0], s.queue[n:]...)
	s.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	err := s.transaction(ctx, batch)
	if err == nil || len(batch) == 1 {
		for _, c := range batch {
			c.done <- err
		}
		return
	}
	// One command's fault must not be the others': each on its own.
	for _, c := range batch {
		c.done <- s.transaction(ctx, []*command{c})
	}
}

func (s *shard) transaction(ctx context.Context, batch []*command) error {
	first, end, err := s.leaves.begin(ctx, len(batch))
	if err != nil {
		return err
	}
	defer end()
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for i, c := range batch {
			leaf, err := c.write(ctx, tx)
			if err != nil {
				return err
			}
			if leaf == nil {
				continue
			}
			hash := tlog.RecordHash(leaf)
			_, err = tx.ExecContext(ctx, `INSERT INTO leaves (position, hash, leaf) VALUES (?, ?, ?)`, first+int64(i), hash[:], leaf)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.last.Store(first + int64(len(batch)) - 1)
	}
	return err
}

// learnLast reads the highest position in the file.
func (s *shard) learnLast(ctx context.Context) error {
	var last int64
	err := s.db.Readers().QueryRowContext(ctx, `SELECT coalesce(max(position), 0) FROM leaves`).Scan(&last)
	if err != nil {
		return sealeddb.Wrap(s.db.Path(), err)
	}
	s.last.Store(last)
	s.leaves.atLeast(last + 1)
	return nil
}
