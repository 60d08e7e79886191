package sealeddb

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"time"
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
	oldName, newName := keys.add(oldKey), keys.add(newKey)
	defer keys.remove(oldName)
	defer keys.remove(newName)
	c := copier{path: path, newName: newName, source: private(path, oldName)}
	err = c.copy(ctx)
	if err == nil {
		err = c.swap(ctx)
	}
	c.discard()
	return Wrap(path, err)
}

// Rewrite does the same with a database that is open and in use: whoever wants to
// read or write meanwhile waits for the last step, some milliseconds, or where
// others commit all the time for the copying too. held is how long commits waited.
// Everything that was committed before and after is there. The caller MUST have both
// keys on disk, as for a database that nobody has open; on an error too the file is
// whole under one of them, which Fits tells. Errors: store.busy where somebody goes
// on reading for many seconds, store.full, store.failed.
func (d *DB) Rewrite(ctx context.Context, newKey [32]byte) (held time.Duration, err error) {
	d.rewriting.Lock()
	defer d.rewriting.Unlock()
	newName := keys.add(newKey)
	c := copier{path: d.path, newName: newName, source: private(d.path, d.gate.keyName())}
	defer c.discard()
	swapped := false
	defer func() {
		if !swapped {
			keys.remove(newName)
		}
	}()
	// A copy that nobody committed behind is whole. The last attempt holds commits
	// back from the start.
	for attempt := 1; ; attempt++ {
		patient := attempt == 3
		var writer *sql.Conn
		began := time.Now()
		if patient {
			if writer, err = d.writer.Conn(ctx); err != nil {
				return 0, Wrap(d.path, err)
			}
		}
		if err = c.copy(ctx); err == nil && writer == nil {
			began = time.Now()
			writer, err = d.writer.Conn(ctx)
		}
		current := false
		if err == nil {
			current, err = c.current(ctx)
		}
		if err == nil && current {
			swapped, err = d.exchange(context.WithoutCancel(ctx), &c, writer)
			return time.Since(began), Wrap(d.path, err)
		}
		if writer != nil {
			err = errors.Join(err, writer.Close())
		}
		if err != nil {
			return 0, Wrap(d.path, err)
		}
	}
}

// patience is how long the last step waits for those who are reading.
const patience = 2 * time.Second

// exchange puts the copy in the database's place while nobody has it open. It is
// given the only connection that writes.
func (d *DB) exchange(ctx context.Context, c *copier, writer *sql.Conn) (swapped bool, err error) {
	oldName := d.gate.keyName()
	d.gate.shut()
	use := oldName
	defer func() {
		if use != oldName {
			keys.remove(oldName)
		}
		d.readers.SetMaxIdleConns(d.idle)
		d.gate.open(use)
	}()
	d.readers.SetMaxIdleConns(-1) // closes those that nobody uses
	if err := writer.Close(); err != nil {
		return false, err
	}
	if err := d.gate.drained(ctx, patience); err != nil {
		return false, err
	}
	err = c.swap(ctx)
	// A rename whose durability is in doubt has happened all the same.
	if fits, failed := Fits(d.path, keys.get(c.newName)); failed == nil && fits {
		use = c.newName
	}
	return use == c.newName, err
}

// copier copies one database under another key.
type copier struct {
	path    string
	newName string  // the new key's
	source  *sql.DB // one connection
	version int64   // of the source when it was copied
}

// private opens a database through one connection that no gate holds up.
func private(path, keyName string) *sql.DB {
	db := sql.OpenDB(&connector{gate: &gate{path: path, key: keyName}, pragmas: writerPragmas})
	db.SetMaxOpenConns(1)
	return db
}

func (c *copier) target() string { return c.path + rewriteSuffix }

// copy writes the copy, which is left in the write-ahead mode that it will be used in.
func (c *copier) copy(ctx context.Context) error {
	// What a crash left; VACUUM INTO wants an empty file, made here for its mode.
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(c.target() + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if _, err := makeFile(c.target()); err != nil {
		return err
	}
	var err error
	if c.version, err = c.dataVersion(ctx); err != nil {
		return err
	}
	query := url.Values{"vfs": {vfsName}, "textkey": {c.newName}}
	target := (&url.URL{Scheme: "file", Path: c.target(), RawQuery: query.Encode()}).String()
	if _, err := c.source.ExecContext(ctx, `VACUUM INTO ?`, target); err != nil {
		return err
	}
	copied := private(c.target(), c.newName)
	err = copied.PingContext(ctx)
	return errors.Join(err, copied.Close())
}

// dataVersion changes whenever another connection has committed.
func (c *copier) dataVersion(ctx context.Context) (version int64, err error) {
	err = c.source.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version)
	return version, err
}

// current reports whether nobody has committed since the copying began.
func (c *copier) current(ctx context.Context) (bool, error) {
	version, err := c.dataVersion(ctx)
	return version == c.version, err
}

// swap puts the copy in the database's place, durably. The source's is the last
// connection to the database, and closing it removes the log, which would not fit
// the new file.
func (c *copier) swap(ctx context.Context) error {
	if err := errors.Join(emptied(ctx, c.source), c.source.Close()); err != nil {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(c.path + suffix); err == nil {
			return errors.New("somebody else has the database open")
		}
	}
	f, err := os.OpenFile(c.target(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(c.target(), c.path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(c.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// discard removes what an attempt that failed leaves; the first error says why it did.
func (c *copier) discard() {
	_ = c.source.Close()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(c.target() + suffix)
	}
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
