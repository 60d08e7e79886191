package sealeddb

import (
	"encoding/binary"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// scrubVFS stands above the cipher and sees the pages as they are written into a
// database. SQLite's secure_delete overwrites what it deletes, but not the copies that
// it leaves behind where it divides a page in two: a row that moved to the new page
// lies on in the gap of the old one, between the pointers and the cells, and outlives its deletion
// there: ids of erased subjects were found so. What is
// in the gap means nothing to SQLite, so it is written as zeros. (The log is emptied
// when it is moved into the database, and needs none of this: its frames have checksums.)
type scrubVFS struct{ vfs.VFS }

func (s scrubVFS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == "" {
		return s.OpenFilename(nil, flags)
	}
	return nil, flags, sqlite3.CANTOPEN
}

func (s scrubVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	main := flags&vfs.OPEN_MAIN_DB != 0
	file, flags, err := vfsutil.WrapOpenFilename(s.VFS, name, flags)
	if err != nil || !main {
		return file, flags, err
	}
	return &scrubFile{File: file}, flags, nil
}

// scrubFile is a database.
type scrubFile struct {
	vfs.File
	page [pageSize]byte
}

func (f *scrubFile) WriteAt(p []byte, off int64) (int, error) {
	from, to := gap(p, off)
	if from == to {
		return f.File.WriteAt(p, off)
	}
	// The page is SQLite's own memory.
	copy(f.page[:], p)
	clear(f.page[from:to])
	return f.File.WriteAt(f.page[:], off)
}

// gap is where a b-tree page, as it is to be written at the offset, holds nothing: from
// the end of its pointers to its first cell. It is empty where all is zeros there, and
// of what is no such page. Format: https://sqlite.org/fileformat2.html#b_tree_pages.
func gap(page []byte, off int64) (from, to int) {
	if len(page) != pageSize || off%pageSize != 0 || off >= scrubbed {
		return 0, 0
	}
	head := 0
	if off == 0 {
		head = 100 // behind the file's header
	}
	switch page[head] {
	case 0x02, 0x05: // interior
		from = head + 12
	case 0x0a, 0x0d: // leaf
		from = head + 8
	default:
		return 0, 0
	}
	from += 2 * int(binary.BigEndian.Uint16(page[head+3:]))
	to = int(binary.BigEndian.Uint16(page[head+5:]))
	if to > pageSize || from > to {
		return 0, 0
	}
	for _, b := range page[from:to] {
		if b != 0 {
			return from, to
		}
	}
	return 0, 0
}

// scrubbed is how large a database may be, in bytes, for its pages to be told apart: other
// pages begin with a page's number, whose first byte is 0 or 1 in those.
const scrubbed = 2 << 24 * int64(pageSize)

// What follows passes on what the files below offer, as guardFile does.

func (f *scrubFile) Unwrap() vfs.File               { return f.File }
func (f *scrubFile) SizeHint(size int64) error      { return vfsutil.WrapSizeHint(f.File, size) }
func (f *scrubFile) ChunkSize(size int)             { vfsutil.WrapChunkSize(f.File, size) }
func (f *scrubFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
func (f *scrubFile) LockState() vfs.LockLevel       { return vfsutil.WrapLockState(f.File) }
func (f *scrubFile) HasMoved() (bool, error)        { return vfsutil.WrapHasMoved(f.File) }

func (f *scrubFile) Pragma(name, value string) (string, error) {
	return vfsutil.WrapPragma(f.File, name, value)
}
