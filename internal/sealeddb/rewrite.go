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
// read or write meanwhile waits for the last step only. held is how long commits
// waited. Everything that was committed before and after is there. The caller MUST
// have both keys on disk, as for a database that nobody has open; on an error too the
// file is whole under one of them, which Fits tells. Errors: store.busy where a
// snapshot is being taken or somebody goes on reading for many seconds, store.full, store.failed.
func (d *DB) Rewrite(ctx context.Context, newKey [32]byte) (held time.Duration, err error) {
	if err := d.exclude(ctx, patience); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, d.admit()) }()
	newName := keys.add(newKey)
	c := copier{path: d.path, newName: newName, source: private(d.path, d.gate.keyName())}
	defer c.discard()
	swapped := false
	defer func() {
		if !swapped {
			keys.remove(newName)
		}
	}()
	for attempt := range rowAttempts {
		if info, err := os.Stat(d.path); err == nil && info.Size() > largeFile && attempt > 0 {
			break
		}
		last := attempt == rowAttempts-1
		var done bool
		if held, done, err = d.rewriteRows(ctx, &c, last, &swapped); done || err != nil {
			return held, Wrap(d.path, err)
		}
	}
	held, err = d.rewritePages(ctx, &c, newKey, &swapped)
	return held, Wrap(d.path, err)
}

const (
	// rowAttempts is how often a copy row by row is tried that somebody commits behind;
	// the last time commits are held back from the start.
	rowAttempts = 3
	// largeFile, in bytes, is copied so once; if somebody commits meanwhile, then page
	// by page.
	largeFile = 16 << 20
)

// rewriteRows copies row by row, which leaves no trace of what was deleted, and puts
// the copy in the database's place unless somebody has committed meanwhile.
func (d *DB) rewriteRows(ctx context.Context, c *copier, hold bool, swapped *bool) (held time.Duration, done bool, err error) {
	var writer *sql.Conn
	began := time.Now()
	if hold {
		if writer, err = d.writer.Conn(ctx); err != nil {
			return 0, false, err
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
		*swapped, err = d.exchange(context.WithoutCancel(ctx), c, writer)
		return time.Since(began), true, err
	}
	if writer != nil {
		err = errors.Join(err, writer.Close())
	}
	return 0, false, err
}

// rewritePages copies page by page while others commit, and then what they changed.
func (d *DB) rewritePages(ctx context.Context, c *copier, newKey [32]byte, swapped *bool) (held time.Duration, err error) {
	if err := c.removeTarget(); err != nil {
		return 0, err
	}
	// While somebody has the database open, closing a connection moves nothing either.
	if _, err := c.dataVersion(ctx); err != nil {
		return 0, err
	}
	writer, err := d.writer.Conn(ctx)
	if err != nil {
		return 0, err
	}
	_, err = checkpoint(ctx, writer) // a reader may be in the way: then there is more to do in the end
	d.keepLog.Store(true)
	if err = errors.Join(err, writer.Close()); err != nil {
		return 0, err
	}
	pages := newPageCopy(d.path, c.target(), keys.get(d.gate.keyName()), newKey)
	if err := pages.copyAll(ctx); err != nil {
		return 0, err
	}
	began := time.Now()
	if writer, err = d.writer.Conn(ctx); err != nil {
		return 0, err
	}
	if err := pages.note(); err != nil {
		return 0, errors.Join(err, writer.Close())
	}
	c.finish = pages.finish
	*swapped, err = d.exchange(context.WithoutCancel(ctx), c, writer)
	return time.Since(began), err
}

// patience is how long a snapshot is waited for, and how long the last step waits for
// those who are reading.
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
	newName string                          // the new key's
	source  *sql.DB                         // one connection
	version int64                           // of the source when it was copied
	finish  func(ctx context.Context) error // completes the copy when nobody has the database open; nil where it is whole
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
	// VACUUM INTO wants an empty file, made here for its mode.
	if err := c.removeTarget(); err != nil {
		return err
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

// removeTarget removes what a crash or an earlier attempt left.
func (c *copier) removeTarget() error { return removeCopy(c.path) }

// DropCopy removes the copy that a crash in the middle of Rewrite left: whatever is
// deleted from the database meanwhile would lie on in it. Nobody may be rewriting it.
func DropCopy(path string) error { return Wrap(path, removeCopy(path)) }

// CopyFiles names all that a Rewrite of the database may leave when it is killed.
func CopyFiles(path string) (files []string) {
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		files = append(files, path+rewriteSuffix+suffix)
	}
	return files
}

func removeCopy(path string) error {
	for _, file := range CopyFiles(path) {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
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
	if c.finish != nil {
		if err := c.finish(ctx); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(c.target(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return rename(c.target(), c.path)
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

// discard removes what an attempt that failed leaves; the first error says why it did.
func (c *copier) discard() {
	_ = c.source.Close()
	_ = c.removeTarget()
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
