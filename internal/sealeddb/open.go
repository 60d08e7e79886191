package sealeddb

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
)

// Options say what to open.
type Options struct {
	Path       string   // the database file; its directory must exist
	Key        [32]byte // random; kept in memory while the database is open
	Migrations fs.FS    // goose SQL files in its root, NNNNN_name.sql
	Readers    int      // connections that read at the same time; 0 means 2
	// IdleTime closes connections that were not used for so long (each holds about
	// 2 MB); they are opened again when needed. 0 keeps the writer and one reader.
	IdleTime time.Duration
	// MustExist refuses to make a new file: fs.ErrNotExist is in the error's chain.
	MustExist bool
}

// DB is an open database. All methods may be used concurrently.
type DB struct {
	path    string
	gate    *gate
	idle    int     // readers that are kept
	writer  *sql.DB // one connection
	readers *sql.DB
	closed  sync.Once

	alone   chan struct{} // holds a value while a Rewrite or a snapshot goes on
	keepLog atomic.Bool   // nothing is moved from the log into the file now
	putOff  atomic.Bool   // a Checkpoint was asked for meanwhile
}

// walLimit is the size in bytes at which the write-ahead log is emptied after a
// commit: SQLite's own default of 1,000 pages.
const walLimit = 1000 * 4096

// Open opens the database, makes it (mode 0600) where it is not there, and brings
// its schema up to date. Errors: store.key (wrong key), store.damaged, store.newer
// (nothing was changed), store.full, store.failed.
func Open(ctx context.Context, o Options) (*DB, error) {
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, Wrap(o.Path, err)
	}
	made := false
	if !o.MustExist {
		if made, err = makeFile(path); err != nil {
			return nil, Wrap(path, err)
		}
	}
	d, err := open(ctx, path, o)
	if err != nil && made {
		// A database that could not be finished, as on a full disk, would be in the way.
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			_ = os.Remove(path + suffix)
		}
	}
	return d, err
}

// makeFile makes an empty database file, unless there is one. SQLite would make it
// too, but readable by others; the log takes its mode by modeof.
func makeFile(path string) (made bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

func open(ctx context.Context, path string, o Options) (*DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, Wrap(path, err)
	}
	if err := probe(path, o.Key); err != nil {
		return nil, err
	}
	d := newDB(path, keys.add(o.Key), o)
	if err := d.migrate(ctx, o.Migrations); err != nil {
		d.abandon()
		return nil, err
	}
	return d, nil
}

// newDB opens no connection yet.
func newDB(path, keyName string, o Options) *DB {
	d := &DB{path: path, gate: &gate{path: path, key: keyName}, idle: o.Readers, alone: make(chan struct{}, 1)}
	if o.Readers < 1 {
		d.idle = 2
	}
	d.writer = sql.OpenDB(&connector{gate: d.gate, pragmas: writerPragmas})
	d.writer.SetMaxOpenConns(1)
	d.writer.SetMaxIdleConns(1)
	d.writer.SetConnMaxIdleTime(o.IdleTime)
	d.readers = sql.OpenDB(&connector{gate: d.gate, pragmas: readerPragmas, options: url.Values{"mode": {"rw"}}})
	d.readers.SetMaxOpenConns(d.idle)
	d.readers.SetMaxIdleConns(d.idle)
	d.readers.SetConnMaxIdleTime(o.IdleTime)
	return d
}

// busy_timeout goes first: the others may have to wait for a lock. synchronous is
// NORMAL by default here, which loses commits with the power; deleted rows would
// stay in free pages without secure_delete. The log is emptied by Write and
// Checkpoint instead of by SQLite, which never truncates it.
var (
	writerPragmas = []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)",
		"foreign_keys(OFF)", "temp_store(MEMORY)", "trusted_schema(OFF)", "wal_autocheckpoint(0)"}
	readerPragmas = []string{"busy_timeout(5000)", "temp_store(MEMORY)", "trusted_schema(OFF)", "query_only(ON)"}
)

// Path is the database file.
func (d *DB) Path() string { return d.path }

// Readers gives the connections that read. They refuse to write.
func (d *DB) Readers() *sql.DB { return d.readers }

// Write runs f in one transaction and commits it; what f writes is on disk when
// Write returns nil, and not there when it returns an error. f MUST use nothing but
// tx. A context that ends while Write waits for its turn stops it with nothing
// written; once f has begun, it is carried to its end, so that the answer is always
// the truth. Errors are f's own, or those that Wrap gives.
func (d *DB) Write(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	conn, err := d.writer.Conn(ctx)
	if err != nil {
		return Wrap(d.path, err)
	}
	defer conn.Close()
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return Wrap(d.path, err)
	}
	if err := f(ctx, tx); err != nil {
		// The first error says what went wrong; a failed rollback closes the connection.
		_ = tx.Rollback()
		return Wrap(d.path, err)
	}
	if err := tx.Commit(); err != nil {
		return Wrap(d.path, err)
	}
	if info, err := os.Stat(d.path + "-wal"); err == nil && info.Size() >= walLimit && !d.keepLog.Load() {
		// The commit stands whether or not the log could be emptied now.
		_, _ = checkpoint(ctx, conn)
	}
	return nil
}

// Checkpoint moves everything from the write-ahead log into the database and
// truncates the log, so that rows that were deleted are in neither. It does not
// wait for readers or a snapshot: emptied is false while one still looks at an older
// state, and a later Checkpoint or Close does the rest.
func (d *DB) Checkpoint(ctx context.Context) (emptied bool, err error) {
	conn, err := d.writer.Conn(ctx)
	if err != nil {
		return false, Wrap(d.path, err)
	}
	defer conn.Close()
	if d.keepLog.Load() {
		d.putOff.Store(true)
		return false, nil
	}
	emptied, err = checkpoint(ctx, conn)
	return emptied, Wrap(d.path, err)
}

// checkpoint does not wait for readers, since a gate may be waiting for it.
func checkpoint(ctx context.Context, conn *sql.Conn) (emptied bool, err error) {
	ctx = context.WithoutCancel(ctx)
	if _, err := conn.ExecContext(ctx, `PRAGMA busy_timeout=0`); err != nil {
		return false, err
	}
	var busy, inLog, moved int
	err = conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &inLog, &moved)
	_, restored := conn.ExecContext(ctx, `PRAGMA busy_timeout=5000`)
	return err == nil && busy == 0, errors.Join(err, restored)
}

// exclude waits until no snapshot and no Rewrite goes on, and keeps others out until
// admit is called. A backup to a slow place takes long: store.busy after the time.
func (d *DB) exclude(ctx context.Context, within time.Duration) error {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case d.alone <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return gatehouse.Errorf("store.busy", "try again", "%s is being copied", filepath.Base(d.path))
	}
}

// admit ends what exclude began, and empties the log where that was put off meanwhile:
// what was deleted is to leave the file.
func (d *DB) admit() (err error) {
	d.keepLog.Store(false)
	if d.putOff.Swap(false) {
		_, err = d.Checkpoint(context.Background())
	}
	<-d.alone
	return err
}

// Check reads the whole database and fails with store.damaged where a page, a row
// or an index does not fit. It takes about as long as reading the file.
func (d *DB) Check(ctx context.Context) error {
	var result string
	if err := d.readers.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&result); err != nil {
		return Wrap(d.path, err)
	}
	if result != "ok" {
		return gatehouse.Errorf("store.damaged", "restore it from a backup", "%s is damaged: %s", filepath.Base(d.path), result)
	}
	return nil
}

// Close empties the write-ahead log and closes the database. It waits for the
// transaction that is running, and for a snapshot or a Rewrite.
func (d *DB) Close() error {
	var err error
	d.closed.Do(func() {
		d.alone <- struct{}{}
		err = d.readers.Close()
		_, failed := d.Checkpoint(context.Background())
		err = Wrap(d.path, errors.Join(err, failed, d.writer.Close()))
		keys.remove(d.gate.keyName())
	})
	return err
}

// abandon gives an unusable database up without touching the file any more.
func (d *DB) abandon() {
	d.closed.Do(func() {
		_ = d.readers.Close()
		_ = d.writer.Close()
		keys.remove(d.gate.keyName())
	})
}
