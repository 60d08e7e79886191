package sealeddb

import (
	"errors"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// guardVFS stands between the cipher and the operating system's files. It makes
// the reading and the writing of a cipher block exclude each other: frames of the
// write-ahead log are 4,120 bytes and cipher blocks 4,096, so a block holds the
// end of one frame and the start of the next, and a reader that sees such a block
// half rewritten decrypts all of it to noise and reports a malformed database. It
// also lets a full disk be told from other faults.
type guardVFS struct {
	vfs.VFS
	mu    sync.Mutex
	files map[string]*fileLock
}

// fileLock is the lock of one file, shared by every connection that has it open.
type fileLock struct {
	sync.RWMutex
	users int
}

func newGuardVFS(base vfs.VFS) *guardVFS {
	return &guardVFS{VFS: base, files: map[string]*fileLock{}}
}

func (g *guardVFS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == "" {
		return g.OpenFilename(nil, flags)
	}
	return nil, flags, sqlite3.CANTOPEN
}

func (g *guardVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(g.VFS, name, flags)
	if err != nil {
		return nil, flags, diskFull(err)
	}
	path := name.String()
	if path == "" { // a temporary file belongs to one connection
		return &guardFile{File: file, lock: &fileLock{}}, flags, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	lock := g.files[path]
	if lock == nil {
		lock = &fileLock{}
		g.files[path] = lock
	}
	lock.users++
	return &guardFile{File: file, lock: lock, release: func() { g.release(path) }}, flags, nil
}

func (g *guardVFS) release(path string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	lock := g.files[path]
	if lock.users--; lock.users == 0 {
		delete(g.files, path)
	}
}

type guardFile struct {
	vfs.File
	lock    *fileLock
	release func()
}

func (f *guardFile) Close() error {
	err := f.File.Close()
	if f.release != nil {
		f.release()
		f.release = nil
	}
	return err
}

func (f *guardFile) ReadAt(p []byte, off int64) (int, error) {
	f.lock.RLock()
	defer f.lock.RUnlock()
	return f.File.ReadAt(p, off)
}

func (f *guardFile) WriteAt(p []byte, off int64) (int, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	n, err := f.File.WriteAt(p, off)
	return n, diskFull(err)
}

func (f *guardFile) Truncate(size int64) error {
	f.lock.Lock()
	defer f.lock.Unlock()
	return diskFull(f.File.Truncate(size))
}

// Sync reports a full disk too: a file system that allocates late says so here.
func (f *guardFile) Sync(flags vfs.SyncFlag) error { return diskFull(f.File.Sync(flags)) }

func (f *guardFile) SizeHint(size int64) error { return diskFull(vfsutil.WrapSizeHint(f.File, size)) }

// What follows passes on what the operating system's files offer beyond the
// required; without the shared memory there is no write-ahead log.

func (f *guardFile) Unwrap() vfs.File                { return f.File }
func (f *guardFile) SharedMemory() vfs.SharedMemory  { return vfsutil.WrapSharedMemory(f.File) }
func (f *guardFile) LockState() vfs.LockLevel        { return vfsutil.WrapLockState(f.File) }
func (f *guardFile) HasMoved() (bool, error)         { return vfsutil.WrapHasMoved(f.File) }
func (f *guardFile) PersistWAL() bool                { return vfsutil.WrapPersistWAL(f.File) }
func (f *guardFile) SetPersistWAL(keep bool)         { vfsutil.WrapSetPersistWAL(f.File, keep) }
func (f *guardFile) ChunkSize(size int)              { vfsutil.WrapChunkSize(f.File, size) }
func (f *guardFile) PowersafeOverwrite() bool        { return vfsutil.WrapPowersafeOverwrite(f.File) }
func (f *guardFile) SetPowersafeOverwrite(psow bool) { vfsutil.WrapSetPowersafeOverwrite(f.File, psow) }

// diskFull makes SQLite see SQLITE_FULL where the disk or the quota is used up; it
// would report a plain I/O error. The cause stays in the chain.
func diskFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return vfs.SystemError(err, sqlite3.FULL)
	}
	return err
}
