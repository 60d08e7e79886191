package sealeddb

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"

	"lukechampine.com/adiantum/hbsh"

	cipher "lukechampine.com/adiantum"
)

// pageCopy copies a database page by page while others commit to it, for one that is
// too large, and too busy, to be copied row by row. As long as nothing is moved from
// the write-ahead log into the database, the database does not change; what the log
// holds in the end is copied when nobody commits any more. Deleted rows are in no page
// of the copy, since secure_delete has overwritten them, and gap is left out.
type pageCopy struct {
	from, to       string
	oldKey, newKey *hbsh.HBSH
	size           int64 // of the database when it was copied
	changed        map[int64]bool
}

func newPageCopy(from, to string, oldKey, newKey [32]byte) *pageCopy {
	return &pageCopy{from: from, to: to, oldKey: cipher.New(oldKey[:]), newKey: cipher.New(newKey[:]), changed: map[int64]bool{}}
}

// copyAll copies the database without its log. The caller sees to it that nobody moves
// anything out of the log meanwhile.
func (p *pageCopy) copyAll(ctx context.Context) error {
	info, err := os.Stat(p.from)
	if err != nil {
		return err
	}
	p.size = info.Size() / pageSize * pageSize
	return p.copy(ctx, func(yield func(int64) bool) {
		for at := int64(0); at < p.size; at += pageSize {
			if !yield(at) {
				return
			}
		}
	})
}

// note reads which pages the log changes. Nobody commits any more.
func (p *pageCopy) note() error {
	f, err := os.Open(p.from + "-wal")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	log := bufio.NewReaderSize(&decrypting{from: f, key: p.oldKey}, 64<<10)
	if _, err := log.Discard(walHeader); err != nil {
		return ended(err)
	}
	for {
		var head [frameHeader]byte
		if _, err := io.ReadFull(log, head[:]); err != nil {
			return ended(err)
		}
		if page := int64(binary.BigEndian.Uint32(head[:])); page > 0 {
			p.changed[(page-1)*pageSize] = true
		}
		if _, err := log.Discard(pageSize); err != nil {
			return ended(err)
		}
	}
}

// The write-ahead log's layout (https://sqlite.org/fileformat2.html#the_write_ahead_log).
const (
	walHeader   = 32
	frameHeader = 24
)

func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// finish copies what has changed, once the log has been moved into the database and
// nobody has it open.
func (p *pageCopy) finish(ctx context.Context) error {
	info, err := os.Stat(p.from)
	if err != nil {
		return err
	}
	size := info.Size() / pageSize * pageSize
	for at := p.size; at < size; at += pageSize {
		p.changed[at] = true
	}
	err = p.copy(ctx, func(yield func(int64) bool) {
		for at := range p.changed {
			if at < size && !yield(at) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return os.Truncate(p.to, size)
}

// copy copies the pages at these offsets, durably.
func (p *pageCopy) copy(ctx context.Context, pages func(yield func(int64) bool)) (err error) {
	from, err := os.Open(p.from)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(p.to, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	page := make([]byte, pageSize)
	var tweak [8]byte
	for at := range pages {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := from.ReadAt(page, at); err != nil {
			return err
		}
		binary.LittleEndian.PutUint64(tweak[:], uint64(at))
		plain := p.oldKey.Decrypt(page, tweak[:])
		first, behind := gap(plain, at)
		clear(plain[first:behind]) // the pages of older versions were not scrubbed
		p.newKey.Encrypt(plain, tweak[:])
		if _, err := to.WriteAt(page, at); err != nil {
			return err
		}
	}
	return to.Sync()
}

// decrypting reads an encrypted file from its beginning.
type decrypting struct {
	from  io.Reader
	key   *hbsh.HBSH
	at    int64
	block [pageSize]byte
	rest  []byte
}

func (d *decrypting) Read(b []byte) (int, error) {
	if len(d.rest) == 0 {
		if _, err := io.ReadFull(d.from, d.block[:]); err != nil {
			return 0, err
		}
		var tweak [8]byte
		binary.LittleEndian.PutUint64(tweak[:], uint64(d.at))
		d.rest = d.key.Decrypt(d.block[:], tweak[:])
		d.at += pageSize
	}
	n := copy(b, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}
