package sealeddb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"gatehouse"

	cipher "lukechampine.com/adiantum"
)

// Frozen is the state of a database at one moment, as the ciphertext of its file: a
// whole database of its own under Key. Reads come from the file itself, so nothing is
// copied first. Meanwhile the database is read and written as ever; what is written
// stays in its log, which grows until Close.
type Frozen struct {
	Key  [32]byte
	Size int64
	io.Reader

	db   *DB
	file *os.File
	conn *sql.Conn
}

// freezeWithin is how long Freeze tries to find a moment without an old reader.
const freezeWithin = 10 * time.Second

// Freeze moves everything from the log into the file and leaves the file alone from
// then on: between checkpoints nothing writes to it. Close MUST be called; one
// snapshot is taken at a time, and Close of the database waits for it, as does its Rewrite. Where when is
// not nil it looks at the very state that would be taken, and another moment is waited
// for while it says no. Errors: store.busy where there is no such moment within ten
// seconds, and those of Wrap.
func (d *DB) Freeze(ctx context.Context, when func(context.Context, *sql.Conn) (bool, error)) (_ *Frozen, err error) {
	if err := d.exclude(ctx, freezeWithin); err != nil {
		return nil, err
	}
	f := &Frozen{db: d}
	defer func() {
		if err != nil {
			_ = f.Close() // the first error says why
		}
	}()
	// With this one open, no other connection is the last, which would empty the log.
	if f.conn, err = d.readers.Conn(ctx); err != nil {
		return nil, Wrap(d.path, err)
	}
	for until := time.Now().Add(freezeWithin); ; {
		done, err := d.freeze(ctx, when)
		if err != nil {
			return nil, err
		}
		if done {
			break
		}
		if time.Now().After(until) {
			return nil, gatehouse.Errorf("store.busy", "try again", "%s is being read all the time, so that no copy of it can be made", filepath.Base(d.path))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	if f.file, err = os.Open(d.path); err != nil {
		return nil, Wrap(d.path, err)
	}
	info, err := f.file.Stat()
	if err != nil {
		return nil, Wrap(d.path, err)
	}
	f.Size = info.Size()
	f.Key = keys.get(d.gate.keyName())
	first := make([]byte, pageSize)
	if _, err := f.file.ReadAt(first, 0); err != nil {
		return nil, Wrap(d.path, err)
	}
	if string(decrypt(f.Key, first, 0)[:16]) != "SQLite format 3\x00" {
		return nil, gatehouse.Errorf("store.busy", "try again", "%s was given another key just now", filepath.Base(d.path))
	}
	f.Reader = io.NewSectionReader(f.file, 0, f.Size)
	return f, nil
}

// freeze empties the log and stops its emptying, both while nobody else writes.
func (d *DB) freeze(ctx context.Context, when func(context.Context, *sql.Conn) (bool, error)) (done bool, err error) {
	conn, err := d.writer.Conn(ctx)
	if err != nil {
		return false, Wrap(d.path, err)
	}
	defer conn.Close()
	if done, err = checkpoint(ctx, conn); err != nil {
		return false, Wrap(d.path, err)
	}
	if done && when != nil {
		if done, err = when(ctx, conn); err != nil {
			return false, Wrap(d.path, err)
		}
	}
	d.keepLog.Store(done)
	return done, nil
}

// Close lets the log be emptied again, and empties it where that was asked for
// meanwhile: what was deleted is to leave the file.
func (f *Frozen) Close() error {
	var err error
	if f.file != nil {
		err = f.file.Close()
	}
	if f.conn != nil {
		err = errors.Join(err, f.conn.Close())
	}
	clear(f.Key[:])
	return errors.Join(err, f.db.admit())
}

// Import writes a snapshot that was taken under one key into a new file under a fresh
// one: block by block, durable and whole or not at all. size is a multiple of 4,096.
// Errors: store.damaged where src is no database under its key or ends early,
// store.full, store.failed; fs.ErrExist is in the chain where there is a file already.
func Import(path string, key [32]byte, src io.Reader, srcKey [32]byte, size int64) (err error) {
	damaged := gatehouse.Errorf("store.damaged", "use another backup", "%s is no whole database under its key", filepath.Base(path))
	if size < pageSize || size%pageSize != 0 {
		return damaged
	}
	if _, err := os.Lstat(path); err == nil {
		return Wrap(path, os.ErrExist)
	}
	temp := path + rewriteSuffix
	out, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return Wrap(path, err)
	}
	defer func() {
		if err != nil {
			_, _ = out.Close(), os.Remove(temp)
		}
	}()
	from, to := cipher.New(srcKey[:]), cipher.New(key[:])
	block, tweak := make([]byte, pageSize), make([]byte, 8)
	for offset := int64(0); offset < size; offset += pageSize {
		if _, err := io.ReadFull(src, block); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = damaged
			}
			return Wrap(path, err)
		}
		binary.LittleEndian.PutUint64(tweak, uint64(offset))
		plain := from.Decrypt(block, tweak)
		if offset == 0 && string(plain[:16]) != "SQLite format 3\x00" {
			return damaged
		}
		if _, err := out.Write(to.Encrypt(plain, tweak)); err != nil {
			return Wrap(path, err)
		}
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return Wrap(path, err)
	}
	return Wrap(path, rename(temp, path))
}

// NewKey is a random file key.
func NewKey() (key [32]byte) {
	if _, err := rand.Read(key[:]); err != nil {
		panic("the system has no randomness: " + err.Error())
	}
	return key
}
