package sealeddb

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"encoding/binary"
	cipher "lukechampine.com/adiantum"
)

// Pages decrypts every block of a database file or of its write-ahead log, as they
// lie there, free pages and rests of older content included, and calls f for runs of
// them: what somebody sees who has the file and its key. f must not keep its argument.
// Runs overlap by one block, so that nothing is cut in two without being whole in one
// of them where it is no longer than a block.
func Pages(path string, key [32]byte, f func(plain []byte) error) error {
	file, size, err := openSized(path)
	if err != nil || file == nil {
		return Wrap(path, errors.Join(err, missing(file)))
	}
	defer file.Close()
	const run = 4096 // blocks, 16 MiB
	hbsh := cipher.New(key[:])
	buf := make([]byte, run*pageSize)
	for at := int64(0); at < size; at += (run - 1) * pageSize {
		n, err := file.ReadAt(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return Wrap(path, err)
		}
		whole := n / pageSize * pageSize // what a crash cut off cannot be decrypted
		for i := 0; i < whole; i += pageSize {
			var tweak [8]byte
			binary.LittleEndian.PutUint64(tweak[:], uint64(at)+uint64(i))
			hbsh.Decrypt(buf[i:i+pageSize], tweak[:])
		}
		if err := f(buf[:whole]); err != nil {
			return err
		}
		if at+int64(n) >= size {
			return nil
		}
	}
	return nil
}

func missing(f *os.File) error {
	if f == nil {
		return os.ErrNotExist
	}
	return nil
}

// OpenAsIs opens a database that is there without looking at its schema, for tools
// that look into a copy or change it on purpose. Errors: those of Open.
func OpenAsIs(path string, key [32]byte) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, Wrap(path, err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, Wrap(path, err)
	}
	if err := probe(path, key); err != nil {
		return nil, err
	}
	d := newDB(path, keys.add(key), Options{})
	if err := d.readers.Ping(); err != nil {
		d.abandon()
		return nil, Wrap(path, err)
	}
	return d, nil
}
