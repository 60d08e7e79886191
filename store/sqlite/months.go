package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// idSlack is how far Passage.At may lie from the time in its id.
const idSlack = 24 * time.Hour

var monthFile = regexp.MustCompile(`^\d{4}-\d{2}\.db$`)

// months are the monthly files that were opened so far. Their connections close by
// themselves when nobody asks, so the files stay in the map.
type months struct {
	mu     sync.Mutex
	open   map[string]*month
	closed bool
}

// month opens its file once; opening an old one does not hold up the others.
type month struct {
	mu    sync.Mutex
	shard *shard
}

// monthName is the file of the moment t.
func monthName(t time.Time) string { return t.UTC().Format("2006-01") + ".db" }

// monthOf is the file of a passage.
func monthOf(id gatehouse.ID) (string, error) {
	if y := id.Time().Year(); y < 1970 || y > 9999 {
		return "", invalid("the id holds no time")
	}
	return monthName(id.Time()), nil
}

// monthNames lists the monthly files in order of time.
func (s *Store) monthNames() ([]string, error) {
	entries, err := os.ReadDir(s.options.Dir)
	if err != nil {
		return nil, sealeddb.Wrap(s.options.Dir, err)
	}
	var names []string
	for _, e := range entries {
		if !monthFile.MatchString(e.Name()) {
			continue
		}
		// An empty file is a month that could not be begun.
		if info, err := e.Info(); err == nil && info.Size() > 0 {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// month opens the file, or makes it where create is set; otherwise fs.ErrNotExist
// is in the error's chain.
func (s *Store) month(ctx context.Context, name string, create bool) (*shard, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // others may wait for the same file
	s.months.mu.Lock()
	if s.months.closed {
		s.months.mu.Unlock()
		return nil, gatehouse.Errorf("store.failed", "open it again", "the store is closed")
	}
	m := s.months.open[name]
	if m == nil {
		m = &month{}
		s.months.open[name] = m
	}
	s.months.mu.Unlock()

	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shard != nil {
		return m.shard, nil
	}
	if _, err := os.Stat(filepath.Join(s.options.Dir, name)); err != nil && (!create || !errors.Is(err, fs.ErrNotExist)) {
		return nil, sealeddb.Wrap(name, err)
	}
	db, err := s.openFile(ctx, name, "month", monthIdle, !create)
	if err != nil {
		return nil, err
	}
	shard := newShard(db)
	shard.leaves = s.leaves
	if err := shard.learnLast(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	m.shard = shard
	return shard, nil
}

// monthsNewestFirst calls f for the months that touch from to until, both within
// the slack; a zero time does not limit. It stops when f returns false.
func (s *Store) monthsNewestFirst(ctx context.Context, from, until time.Time, f func(*shard) (more bool, err error)) error {
	names, err := s.monthNames()
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	slices.Reverse(names)
	for _, name := range names {
		if !until.IsZero() && name > monthName(until.Add(idSlack)) {
			continue
		}
		if !from.IsZero() && name < monthName(from.Add(-idSlack)) {
			return nil
		}
		m, err := s.month(ctx, name, false)
		if err != nil {
			return err
		}
		if more, err := f(m); err != nil || !more {
			return sealeddb.Wrap(name, err)
		}
	}
	return nil
}

func (m *months) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	var err error
	for _, one := range m.open {
		one.mu.Lock()
		if one.shard != nil {
			err = errors.Join(err, one.shard.db.Close())
		}
		one.mu.Unlock()
	}
	return err
}
