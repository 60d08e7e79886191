package sqlite

import (
	"context"
	"database/sql"
	"sync"

	"gatehouse/internal/sealeddb"
)

// sequence hands out the positions of audit leaves: growing over all files and
// over restarts, with gaps where a transaction failed or a run ended. So the leaves
// of all files, merged by position, stand in the order of commit, and a later leaf
// never stands before one that somebody has read.
//
// It reserves blocks of positions in site.db ahead of their use, since a commit
// writes one file only.
type sequence struct {
	site *sealeddb.DB

	mu       sync.Mutex
	next     int64 // the next position to hand out
	limit    int64 // positions below it are reserved
	least    int64 // below it, positions were found in use
	underway map[int64]struct{}
}

// reserveBlock is how many positions one write to site.db reserves, and about how
// large a gap a restart leaves.
const reserveBlock = 1 << 16

// begin hands out n positions from first on. They count as underway until end.
func (q *sequence) begin(ctx context.Context, n int) (first int64, end func(), err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next == 0 || q.next < q.least || q.next+int64(n) > q.limit {
		if err := q.reserve(ctx, n); err != nil {
			return 0, nil, err
		}
	}
	first = q.next
	q.next += int64(n)
	if q.underway == nil {
		q.underway = map[int64]struct{}{}
	}
	q.underway[first] = struct{}{}
	return first, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.underway, first)
	}, nil
}

func (q *sequence) reserve(ctx context.Context, n int) error {
	var start, limit int64
	err := q.site.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT next FROM leaf_positions`).Scan(&start); err != nil {
			return err
		}
		start = max(start, q.least) // an older site.db may have been put back
		limit = start + int64(n) + reserveBlock
		_, err := tx.ExecContext(ctx, `UPDATE leaf_positions SET next = ?`, limit)
		return err
	})
	if err == nil {
		q.next, q.limit = start, limit
	}
	return err
}

func (q *sequence) atLeast(position int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.least = max(q.least, position)
}

// settled is the position below which every leaf that will ever be there is there.
func (q *sequence) settled() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	least := max(q.next, q.least)
	for first := range q.underway {
		least = min(least, first)
	}
	return least
}

// leafReader reads the leaves of one file, some at a time, so that no transaction
// is open while somebody works on a leaf.
type leafReader struct {
	shard *shard
	rows  []leafRow
	after int64
	done  bool
}

type leafRow struct {
	position int64
	leaf     []byte
}

const leafPage = 256

// peek returns the next leaf before the position until, or nil.
func (r *leafReader) peek(ctx context.Context, until int64) (*leafRow, error) {
	if len(r.rows) == 0 && !r.done {
		rows, err := r.shard.db.Readers().QueryContext(ctx,
			`SELECT position, leaf FROM leaves WHERE position > ? AND position < ? ORDER BY position LIMIT ?`, r.after, until, leafPage)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var row leafRow
			if err := rows.Scan(&row.position, &row.leaf); err != nil {
				return nil, err
			}
			r.rows = append(r.rows, row)
			r.after = row.position
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		r.done = len(r.rows) < leafPage
	}
	if len(r.rows) == 0 {
		return nil, nil
	}
	return &r.rows[0], nil
}

// Leaves implements gatehouse.PassageStore: the leaves of site.db, books.db and of all months,
// merged in the order of commit. Positions have gaps. The first call after Open
// opens every month once; later ones only those with something new.
func (s *Store) Leaves(ctx context.Context, after uint64, f func(position uint64, leaf []byte) error) error {
	if after > 1<<62 {
		return invalid("there is no such position")
	}
	// Opening a month may raise what is known to be in use; and a month that is made
	// after the question holds nothing before its answer.
	if _, err := s.logged(ctx); err != nil {
		return err
	}
	until := s.leaves.settled()
	shards, err := s.logged(ctx)
	if err != nil {
		return err
	}
	var readers []*leafReader
	for _, shard := range shards {
		if shard.last.Load() > int64(after) {
			readers = append(readers, &leafReader{shard: shard, after: int64(after)})
		}
	}
	for {
		var first *leafReader
		var least *leafRow
		for _, r := range readers {
			row, err := r.peek(ctx, until)
			if err != nil {
				return sealeddb.Wrap(r.shard.db.Path(), err)
			}
			if row != nil && (least == nil || row.position < least.position) {
				first, least = r, row
			}
		}
		if least == nil {
			return nil
		}
		if err := f(uint64(least.position), least.leaf); err != nil {
			return err
		}
		first.rows = first.rows[1:]
	}
}

// Newest is the position behind which only leaves come that are not committed yet.
func (s *Store) Newest(ctx context.Context) (uint64, error) {
	if _, err := s.logged(ctx); err != nil {
		return 0, err
	}
	return uint64(max(s.leaves.settled()-1, 0)), nil
}

// shards are site.db and every month.
func (s *Store) shards(ctx context.Context) ([]*shard, error) {
	names, err := s.monthNames()
	if err != nil {
		return nil, err
	}
	all := []*shard{s.site}
	for _, name := range names {
		m, err := s.month(ctx, name, false)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// logged are the files that hold leaves: those, and the books.
func (s *Store) logged(ctx context.Context) ([]*shard, error) {
	all, err := s.shards(ctx)
	return append(all, s.books), err
}

// LastLeaf is the highest position up to a given one at which a file holds a leaf; 0 for
// none.
func (s *Store) LastLeaf(ctx context.Context, upTo uint64) (last uint64, err error) {
	shards, err := s.logged(ctx)
	if err != nil {
		return 0, err
	}
	for _, shard := range shards {
		var at uint64
		err := shard.db.Readers().QueryRowContext(ctx, `SELECT coalesce(max(position), 0) FROM leaves WHERE position <= ?`, int64(min(upTo, 1<<62))).Scan(&at)
		if err != nil {
			return 0, sealeddb.Wrap(shard.db.Path(), err)
		}
		last = max(last, at)
	}
	return last, nil
}

// SkipLeaves has all later leaves stand behind a position, durably: one up to which a log
// that outlived these files has leaves already.
func (s *Store) SkipLeaves(ctx context.Context, position uint64) error {
	if position > 1<<62 {
		return invalid("there is no such position")
	}
	err := s.site.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE leaf_positions SET next = max(next, ?)`, int64(position)+1)
		return err
	})
	if err != nil {
		return sealeddb.Wrap(s.site.db.Path(), err)
	}
	s.leaves.atLeast(int64(position) + 1)
	return nil
}

// WriteLeaf implements gatehouse.LeafWriter: the leaf stands in site.db.
func (s *Store) WriteLeaf(ctx context.Context, leaf []byte) error {
	return s.site.commit(ctx, leaf, func(context.Context, *sql.Tx) (bool, error) { return true, nil })
}
