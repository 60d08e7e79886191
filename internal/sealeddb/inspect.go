package sealeddb

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"

	"gatehouse"
)

// Inspect reads a database file that nobody has open, whose log was emptied, and
// checks what SQLite itself never looks at: that the file ends where the database
// does, and that every free page holds zeros, as secure_delete leaves them. With Check,
// which reads all the others, no byte of the file can be altered unseen: the cipher
// turns the whole page to noise. It fails with store.damaged.
func Inspect(path string, key [32]byte) error {
	bad := func(format string, args ...any) error {
		args = append([]any{filepath.Base(path)}, args...)
		return gatehouse.Errorf("store.damaged", "restore it from a backup", "%s is damaged: "+format, args...)
	}
	f, size, err := openSized(path)
	if err != nil {
		return Wrap(path, err)
	}
	if f == nil {
		return Wrap(path, os.ErrNotExist)
	}
	defer f.Close()
	page := func(n uint32) ([]byte, error) {
		b := make([]byte, pageSize)
		offset := (int64(n) - 1) * pageSize
		if _, err := io.ReadFull(io.NewSectionReader(f, offset, pageSize), b); err != nil {
			return nil, bad("page %d cannot be read", n)
		}
		return decrypt(key, b, offset), nil
	}
	head, err := page(1)
	if err != nil {
		return err
	}
	// https://sqlite.org/fileformat2.html: the size in pages at 28, the free list at 32.
	pages, trunk, free := binary.BigEndian.Uint32(head[28:]), binary.BigEndian.Uint32(head[32:]), binary.BigEndian.Uint32(head[36:])
	if size != int64(pages)*pageSize {
		return bad("the file has %d bytes, its database %d", size, int64(pages)*pageSize)
	}
	seen := uint32(0)
	for ; trunk != 0 && seen <= free; seen++ {
		if trunk > pages {
			return bad("its list of free pages leads nowhere")
		}
		list, err := page(trunk)
		if err != nil {
			return err
		}
		n := binary.BigEndian.Uint32(list[4:])
		if n > (pageSize-8)/4 {
			return bad("its list of free pages is no list")
		}
		for i := range n {
			leaf := binary.BigEndian.Uint32(list[8+4*i:])
			if leaf == 0 || leaf > pages {
				return bad("its list of free pages leads nowhere")
			}
			b, err := page(leaf)
			if err != nil {
				return err
			}
			for _, c := range b {
				if c != 0 {
					return bad("the free page %d was written to", leaf)
				}
			}
			seen++
		}
		trunk = binary.BigEndian.Uint32(list)
	}
	if seen != free {
		return bad("its list of free pages has %d of %d", seen, free)
	}
	return nil
}
