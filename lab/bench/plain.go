package bench

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"gatehouse"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
)

// plain is what the sealed store is compared with: the same rows in the same tables,
// the same pictures, the same commits shared by those who wait and the same syncs, and
// nothing of it sealed. It exists for this measurement only.
type plain struct {
	db    *sql.DB
	blobs string

	mu    sync.Mutex
	queue []*plainCommit
	turn  chan struct{}
	once  sync.Once
}

type plainCommit struct {
	gatehouse.PassageCommit
	done chan error
}

func openPlain(ctx context.Context, dir string) (*plain, error) {
	p := &plain{blobs: filepath.Join(dir, "blobs"), turn: make(chan struct{}, 1)}
	if err := os.MkdirAll(p.blobs, 0o700); err != nil {
		return nil, gatehouse.Errorf("bench.dir", "give a folder that can be written", "there is no place for the data: %w", err)
	}
	var err error
	p.db, err = driver.Open("file:"+filepath.Join(dir, "plain.db")+"?_txlock=immediate", func(c *sqlite3.Conn) error {
		return c.Exec(`PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY`)
	})
	if err != nil {
		return nil, err
	}
	p.db.SetMaxOpenConns(1)
	_, err = p.db.ExecContext(ctx, plainSchema)
	return p, err
}

// plainSchema is that of a month's file in store/sqlite.
const plainSchema = `
CREATE TABLE passages (org TEXT NOT NULL, site TEXT NOT NULL, id BLOB NOT NULL, gate TEXT NOT NULL, device TEXT NOT NULL, direction TEXT NOT NULL,
	at INTEGER NOT NULL, kind TEXT NOT NULL, subject BLOB NOT NULL, known INTEGER NOT NULL, frames INTEGER NOT NULL, granted INTEGER NOT NULL,
	reason TEXT NOT NULL, rule TEXT NOT NULL, latency INTEGER NOT NULL, outcome TEXT NOT NULL, outcome_at INTEGER, PRIMARY KEY (org, site, id)) WITHOUT ROWID;
CREATE INDEX passages_gate ON passages (org, site, gate, id);
CREATE INDEX passages_at ON passages (org, site, at, granted, reason);
CREATE TABLE details (org TEXT NOT NULL, site TEXT NOT NULL, passage BLOB NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (org, site, passage)) WITHOUT ROWID;
CREATE TABLE evidence (org TEXT NOT NULL, site TEXT NOT NULL, passage BLOB NOT NULL, n INTEGER NOT NULL, blob BLOB NOT NULL, kind TEXT NOT NULL,
	digest BLOB NOT NULL, PRIMARY KEY (org, site, passage, n)) WITHOUT ROWID;
CREATE TABLE leaves (position INTEGER PRIMARY KEY, hash BLOB NOT NULL, leaf BLOB NOT NULL);`

func (p *plain) close() { p.once.Do(func() { _ = p.db.Close() }) }

// Seal implements gatehouse.Sealer by sealing nothing.
func (p *plain) Seal(_ context.Context, _ gatehouse.SubjectID, _ gatehouse.RetentionClass, _ gatehouse.SealContext, plaintext []byte, _ gatehouse.Padding) ([]byte, error) {
	return plaintext, nil
}

// OneOff implements gatehouse.Sealer.
func (p *plain) OneOff(context.Context, gatehouse.Place) (gatehouse.SubjectID, error) {
	return gatehouse.RandomID(), nil
}

// Prepare implements gatehouse.Sealer.
func (p *plain) Prepare(gatehouse.Place, gatehouse.SubjectID, gatehouse.RetentionClass) {}

// PutBlob implements passage.Blobs: a file under a temporary name, synced, renamed,
// and its directory synced, as store/blob does it.
func (p *plain) PutBlob(_ context.Context, id gatehouse.BlobID, b []byte) error {
	dir := filepath.Join(p.blobs, id.String()[:2])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, id.String())); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// CommitOutcome implements passage.Store; without an actuator there is none.
func (p *plain) CommitOutcome(context.Context, gatehouse.PassageOutcome) error { return nil }

// CommitPassage implements passage.Store. Who waits shares the next transaction.
func (p *plain) CommitPassage(ctx context.Context, c gatehouse.PassageCommit) error {
	mine := &plainCommit{c, make(chan error, 1)}
	p.mu.Lock()
	p.queue = append(p.queue, mine)
	p.mu.Unlock()
	for {
		select {
		case err := <-mine.done:
			return err
		case p.turn <- struct{}{}:
			p.mu.Lock()
			batch := p.queue
			p.queue = nil
			p.mu.Unlock()
			err := p.write(ctx, batch)
			for _, b := range batch {
				b.done <- err
			}
			<-p.turn
		}
	}
}

func (p *plain) write(ctx context.Context, batch []*plainCommit) error {
	if len(batch) == 0 {
		return nil
	}
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	for _, b := range batch {
		if err := writePlain(ctx, tx, b.PassageCommit); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func writePlain(ctx context.Context, tx *sql.Tx, c gatehouse.PassageCommit) error {
	v := c.Passage
	if _, err := tx.ExecContext(ctx, `INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)`, string(v.Org), string(v.Site), v.ID[:], string(v.Gate), string(v.Device),
		string(v.Direction), v.At.UnixMicro(), string(v.Kind), v.Subject[:], v.Known, v.Frames, v.Decision.Grant, string(v.Decision.Reason), v.Decision.Rule, v.Latency.Microseconds(), string(v.Outcome)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO details VALUES (?, ?, ?, ?)`, string(v.Org), string(v.Site), v.ID[:], c.Detail); err != nil {
		return err
	}
	for i, e := range c.Evidence {
		if _, err := tx.ExecContext(ctx, `INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?)`, string(v.Org), string(v.Site), v.ID[:], i, e.Blob[:], string(e.Kind), e.Digest[:]); err != nil {
			return err
		}
	}
	hash := sha256.Sum256(c.Leaf)
	_, err := tx.ExecContext(ctx, `INSERT INTO leaves (hash, leaf) VALUES (?, ?)`, hash[:], c.Leaf)
	return err
}
