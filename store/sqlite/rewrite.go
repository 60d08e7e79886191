package sqlite

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// The files that are not a month's.
const (
	SiteFile    = "site.db"
	WorkingFile = "working.db"
	BooksFile   = "books.db"
)

// Files lists the store's files: site.db, working.db, books.db, then the months.
func (s *Store) Files() ([]string, error) {
	names, err := s.monthNames()
	return append([]string{SiteFile, WorkingFile, BooksFile}, names...), err
}

// Rewrite copies a file under a fresh key and puts that in its place, while the store
// is in use: what was deleted from it is in no page of the new file, and the old
// file's key is gone. Commits to it wait for held.
func (s *Store) Rewrite(ctx context.Context, file string) (held time.Duration, err error) {
	if s.options.ChangeKey == nil {
		return 0, invalid("this store has no keys to change")
	}
	db, err := s.database(ctx, file)
	if err != nil {
		return 0, err
	}
	err = s.options.ChangeKey(file, func(fresh [32]byte) (err error) {
		held, err = db.Rewrite(ctx, fresh)
		return err
	})
	return held, err
}

func (s *Store) database(ctx context.Context, file string) (*sealeddb.DB, error) {
	switch {
	case file == SiteFile:
		return s.site.db, nil
	case file == WorkingFile:
		return s.working, nil
	case file == BooksFile:
		return s.books.db, nil
	case !monthFile.MatchString(file):
		return nil, gatehouse.Errorf("store.not_found", "check its name", "the store has no such file")
	}
	m, err := s.month(ctx, file, false)
	if err != nil {
		return nil, err
	}
	return m.db, nil
}
