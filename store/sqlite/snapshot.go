package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// BackupFiles lists the files that belong into a backup: site.db, books.db and the months. The
// working set never does. The stamp of a file changes when the file may have.
func (s *Store) BackupFiles(context.Context) ([]gatehouse.BackupFile, error) {
	names, err := s.monthNames()
	if err != nil {
		return nil, err
	}
	var files []gatehouse.BackupFile
	for _, name := range append([]string{SiteFile, BooksFile}, names...) {
		// The key before the stamp: a file that is given another key in between has
		// another stamp, too.
		key, err := s.options.Key(name)
		if err != nil {
			return nil, err
		}
		stamp, err := s.stamp(name)
		if err != nil {
			return nil, sealeddb.Wrap(name, err)
		}
		files = append(files, gatehouse.BackupFile{Name: name, Stamp: stamp, Key: key})
	}
	return files, nil
}

// stamp covers size and time of the file and its log: every commit changes the log,
// every emptying of the log changes the file.
func (s *Store) stamp(name string) (string, error) {
	h := sha256.New()
	for _, suffix := range []string{"", "-wal", ".key"} {
		info, err := os.Stat(filepath.Join(s.options.Dir, name+suffix))
		switch {
		case errors.Is(err, os.ErrNotExist), err == nil && suffix == "-wal" && info.Size() == 0:
			continue // an empty log says nothing
		case err != nil:
			return "", err
		}
		fmt.Fprintf(h, "%s %d %d\n", suffix, info.Size(), info.ModTime().UnixNano())
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// unfinishedWait bounds how long a snapshot waits for a moment without a verb that was
// begun and is not finished; such verbs take milliseconds.
const unfinishedWait = 5 * time.Second

// Snapshot calls f with one of the files as it stands at a moment; commits go on
// meanwhile. A verb that spans files would be half done after a restore, so site.db is
// taken while there is none, unless none such moment comes.
func (s *Store) Snapshot(ctx context.Context, name string, f func(gatehouse.Snapshot) error) error {
	db, when := s.site.db, noIntents(time.Now().Add(unfinishedWait))
	switch name {
	case SiteFile:
	case BooksFile:
		db, when = s.books.db, nil
	default:
		m, err := s.month(ctx, name, false)
		if err != nil {
			return err
		}
		db, when = m.db, nil
	}
	frozen, err := db.Freeze(ctx, when)
	if err != nil {
		return err
	}
	return errors.Join(f(gatehouse.Snapshot{Reader: frozen, Key: frozen.Key, Size: frozen.Size}), frozen.Close())
}

// noIntents waits for a moment without any, until the time is over.
func noIntents(until time.Time) func(context.Context, *sql.Conn) (bool, error) {
	return func(ctx context.Context, conn *sql.Conn) (bool, error) {
		var n int
		err := conn.QueryRowContext(ctx, `SELECT count(*) FROM intents`).Scan(&n)
		return n == 0 || time.Now().After(until), err
	}
}
