// Package sqlite is the embedded store: a directory of encrypted SQLite files.
//
//	books.db     the books of the car park: entries, postings, checkouts, closings
//	site.db      subjects, consents, devices, the rule book, alarms, floor plans, intents
//	working.db   the working set, what requests with a key were answered, messages to webhooks
//	2026-11.db   the passages of a month (UTC), their sealed details, evidence references
//
// Each file has a key of its own, is opened on its own, and is never attached to
// another: a commit over two files can tear, so every command writes one. What is
// kept by month is merged in Go. All but working.db hold the audit leaves of
// what they hold.
//
// Passages go to the month of their id's time. Passage.At may differ from it by at
// most a day, which queries by time allow for.
package sqlite

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

//go:embed migrations
var migrations embed.FS

// Options say where the store lies and how its files are opened.
type Options struct {
	Dir string // exists; one store in one process at a time
	// Key gives the key of a file ("site.db", "2026-11.db"), making and keeping one
	// for a file that is new. It is called once for each file that is opened.
	Key func(file string) ([32]byte, error)
	// ChangeKey gives a file a fresh key: it calls change with the new key, and keeps
	// both on disk until change has returned. nil where files are never rewritten.
	ChangeKey func(file string, change func(fresh [32]byte) error) error
	// Current gives a working-set item that is about to be written its sealed form under
	// the gate key of that moment, which may be another than when it was sealed. nil: as
	// it is.
	Current func(gatehouse.WorkingItem) ([]byte, error)
	Log     *slog.Logger // nil for none
}

// Store implements gatehouse.PassageStore, SubjectStore and WorkingStore.
type Store struct {
	options Options
	log     *slog.Logger
	unlock  func() error
	site    *shard
	books   *shard
	working *sealeddb.DB
	months  months
	leaves  *sequence
	erased  erasedIDs
}

var (
	_ gatehouse.PassageStore = (*Store)(nil)
	_ gatehouse.SubjectStore = (*Store)(nil)
	_ gatehouse.WorkingStore = (*Store)(nil)
	_ gatehouse.ErasureStore = (*Store)(nil)
	_ gatehouse.LeafWriter   = (*Store)(nil)
	_ gatehouse.ExpiryStore  = (*Store)(nil)
	_ gatehouse.RuleStore    = (*Store)(nil)
	_ gatehouse.AlarmStore   = (*Store)(nil)
	_ gatehouse.ReplyStore   = (*Store)(nil)
	_ gatehouse.PlanStore    = (*Store)(nil)
	_ gatehouse.BookStore    = (*Store)(nil)
	_ gatehouse.TryStore     = (*Store)(nil)

	_ gatehouse.DeliveryStore = (*Store)(nil)
)

// monthIdle is when the connections of a month that nobody asks for are closed;
// every one holds about 2 MB.
const monthIdle = 2 * time.Minute

// booksIdle is the same for the books, which most sites have no use for.
const booksIdle = 2 * time.Minute

// Open locks the directory and opens the store, making what is not there. The
// newest month is opened as well, so that a wrong key or a newer schema shows at
// once. Errors: store.locked, store.key, store.newer, store.damaged, store.full,
// store.failed.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{options: o, log: o.Log}
	s.months.open = map[string]*month{}
	var err error
	if s.unlock, err = sealeddb.Lock(o.Dir); err != nil {
		return nil, err
	}
	if err := s.openFiles(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) openFiles(ctx context.Context) error {
	site, err := s.openFile(ctx, "site.db", "site", 0, false)
	if err != nil {
		return err
	}
	s.site = newShard(site)
	if s.working, err = s.openFile(ctx, "working.db", "working", 0, false); err != nil {
		return err
	}
	s.leaves = &sequence{site: site}
	s.site.leaves = s.leaves
	if err := s.site.learnLast(ctx); err != nil {
		return err
	}
	books, err := s.openFile(ctx, BooksFile, "books", booksIdle, false)
	if err != nil {
		return err
	}
	s.books = newShard(books)
	s.books.leaves = s.leaves
	if err := s.books.learnLast(ctx); err != nil {
		return err
	}
	names, err := s.monthNames()
	if err != nil || len(names) == 0 {
		return err
	}
	_, err = s.month(ctx, names[len(names)-1], false)
	return err
}

func (s *Store) openFile(ctx context.Context, name, schema string, idle time.Duration, mustExist bool) (*sealeddb.DB, error) {
	began := time.Now()
	key, err := s.options.Key(name)
	if err != nil {
		if gatehouse.ErrorCode(err) == "" {
			err = gatehouse.Errorf("store.key", "see the cause", "the key of %s could not be had: %w", name, err)
		}
		return nil, err
	}
	steps, err := fs.Sub(migrations, "migrations/"+schema)
	if err != nil {
		return nil, sealeddb.Wrap(name, err)
	}
	db, err := sealeddb.Open(ctx, sealeddb.Options{Path: filepath.Join(s.options.Dir, name), Key: key,
		Migrations: steps, IdleTime: idle, MustExist: mustExist})
	if err == nil {
		s.log.Debug("database opened", "file", name, "took", time.Since(began))
	}
	return db, err
}

// Close waits for the commands that run, closes every file and releases the
// directory. Commands after it fail.
func (s *Store) Close() error {
	err := s.months.close()
	if s.working != nil {
		err = errors.Join(err, s.working.Close())
	}
	if s.site != nil {
		err = errors.Join(err, s.site.db.Close())
	}
	if s.books != nil {
		err = errors.Join(err, s.books.db.Close())
	}
	if s.unlock != nil {
		err = errors.Join(err, s.unlock())
		s.unlock = nil
	}
	return err
}

// Check reads every file whole and fails with store.damaged where one does not
// hold together.
func (s *Store) Check(ctx context.Context) error {
	err := errors.Join(s.site.db.Check(ctx), s.books.db.Check(ctx), s.working.Check(ctx))
	names, failed := s.monthNames()
	err = errors.Join(err, failed)
	for _, name := range names {
		m, failed := s.month(ctx, name, false)
		if failed == nil {
			failed = m.db.Check(ctx)
		}
		err = errors.Join(err, failed)
	}
	return err
}

func invalid(what string) error {
	return gatehouse.Errorf("store.invalid", "this is a fault of the program that asked", "%s", what)
}

func notFound(what string) error {
	return gatehouse.Errorf("store.not_found", "check the id", "there is no such %s here", what)
}
