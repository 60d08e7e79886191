package sealeddb

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"syscall"

	"gatehouse"

	"github.com/ncruces/go-sqlite3"
)

// Wrap gives an error of SQLite, of database/sql or of the operating system its
// code: store.full, store.key, store.damaged, store.busy or store.failed. The file
// is named by its base name. An Error, nil and the context's errors stay what
// they are; a statement that its context interrupted is as good as those.
func Wrap(path string, err error) error {
	var known *gatehouse.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, sql.ErrNoRows),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	file := filepath.Base(path)
	switch {
	case errors.Is(err, sqlite3.INTERRUPT):
		return interrupted{err}
	case errors.Is(err, sqlite3.FULL), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return gatehouse.Errorf("store.full", "free some space; nothing was written", "the disk is full, %s could not be written: %w", file, err)
	case errors.Is(err, sqlite3.NOTADB), errors.Is(err, sqlite3.CORRUPT):
		return gatehouse.Errorf("store.damaged", "restore it from a backup", "%s is damaged: %w", file, err)
	case errors.Is(err, sqlite3.BUSY), errors.Is(err, sqlite3.LOCKED):
		return gatehouse.Errorf("store.busy", "try again", "%s is in use: %w", file, err)
	}
	return gatehouse.Errorf("store.failed", "see the cause, and the system's log for faults of the disk", "%s could not be used: %w", file, err)
}

func errKeyForm() error {
	return gatehouse.Errorf("store.key", "a file key is 64 hexadecimal digits", "this is not a file key")
}

func errWrongKey(path string) error {
	return gatehouse.Errorf("store.key", "use the key file that was in use when the database was made",
		"the key does not open %s", filepath.Base(path))
}

func errNewer(path string, has, knows int64) error {
	return gatehouse.Errorf("store.newer", "install that version or a later one; nothing was changed",
		"this database was written by a newer Gatehouse: %s is at version %d, this program knows %d", filepath.Base(path), has, knows)
}

// interrupted is a statement that ended because its context did. SQLite does not
// say whether the context was cancelled or ran out, so it passes for both.
type interrupted struct{ error }

func (interrupted) Is(target error) bool {
	return target == context.Canceled || target == context.DeadlineExceeded
}

func (i interrupted) Unwrap() error { return i.error }
