package sealeddb

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
)

// rewriteSuffix names the copy until it takes the database's place.
const rewriteSuffix = "-rewrite"

// Rewrite copies a database that nobody has open into a new file under a fresh key
// and puts that in its place: what was deleted is then in no page that the new key
// opens. (PRAGMA rekey reports success and does nothing under this cipher.)
//
// The caller MUST have both keys on disk before and until Rewrite returns: after a
// crash the database is whole under one of them, the new key if the last step was
// done. Open with the other fails with store.key and does no harm. Errors are those
// of Open; on an error the old file and key stand.
func Rewrite(ctx context.Context, path string, oldKey, newKey [32]byte) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return Wrap(path, err)
	}
	if _, err := os.Stat(path); err != nil {
		return Wrap(path, err)
	}
	if err := probe(path, oldKey); err != nil {
		return err
	}
	copied := path + rewriteSuffix
	if err := copyUnder(ctx, path, copied, oldKey, newKey); err != nil {
		_ = os.Remove(copied) // the first error says why
		return Wrap(path, err)
	}
	return Wrap(path, swap(copied, path))
}

func copyUnder(ctx context.Context, path, copied string, oldKey, newKey [32]byte) (err error) {
	// What a crash left; VACUUM INTO wants an empty file, made here for its mode.
	if err := os.Remove(copied); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(copied, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	d := &DB{path: path, keyName: keys.add(oldKey)}
	defer keys.remove(d.keyName)
	if err := d.connect(Options{}); err != nil {
		return err
	}
	newName := keys.add(newKey)
	defer keys.remove(newName)
	query := url.Values{"vfs": {vfsName}, "textkey": {newName}}
	target := (&url.URL{Scheme: "file", Path: copied, RawQuery: query.Encode()}).String()
	_, err = d.writer.ExecContext(ctx, `VACUUM INTO ?`, target)
	if err == nil {
		err = emptied(ctx, d.writer)
	}
	// Closing the last connection removes the log, which would not fit the new file.
	return errors.Join(err, d.readers.Close(), d.writer.Close())
}

// emptied makes sure that the log can go.
func emptied(ctx context.Context, writer *sql.DB) error {
	conn, err := writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	done, err := checkpoint(ctx, conn)
	if err == nil && !done {
		err = errors.New("somebody else has the database open")
	}
	return err
}

// swap puts the copy in the database's place, durably.
func swap(copied, path string) error {
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(path + suffix); err == nil {
			return errors.New("somebody else has the database open")
		}
	}
	f, err := os.OpenFile(copied, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return rename(copied, path)
}

// rename is durable when it returns nil.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
