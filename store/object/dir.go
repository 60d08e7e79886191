package object

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse"

	"golang.org/x/sys/unix"
)

// directory is a target in the file system. An object is a file of mode 0400 that
// appears whole or not at all, under a name that was free. A lock in time is for the
// file system's owner to add (another user, an append-only mount): keepUntil is not
// enforced here.
type directory struct{ root string }

// tempPrefix begins the names of files that are being written.
const tempPrefix = ".tmp-"

func openDirectory(dir string) (*directory, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, failed(err)
	}
	return &directory{root: dir}, nil
}

// String is the directory's path.
func (d *directory) String() string { return d.root }

// Put implements gatehouse.ObjectTarget.
func (d *directory) Put(ctx context.Context, name string, b []byte, _ time.Time) error {
	if err := errors.Join(checkPut(name, b), ctx.Err()); err != nil {
		return err
	}
	path := filepath.Join(d.root, filepath.FromSlash(name))
	if err := d.makeDirs(filepath.Dir(path)); err != nil {
		return failed(err)
	}
	switch err := add(path, b); {
	case errors.Is(err, fs.ErrExist):
		return d.readBack(ctx, name, b, exists(name))
	case err != nil:
		return failed(err)
	}
	return d.readBack(ctx, name, b, lied(name))
}

// Keep implements gatehouse.ObjectTarget.
func (d *directory) Keep(ctx context.Context, name string, _ time.Time) error {
	return errors.Join(checkPut(name, nil), ctx.Err())
}

// readBack fails with otherwise where the target does not hold b.
func (d *directory) readBack(ctx context.Context, name string, b []byte, otherwise error) error {
	got, err := d.Get(ctx, name)
	if err != nil {
		return err
	}
	if !sameAs(got, b) {
		return otherwise
	}
	return nil
}

// add writes a new file durably.
func add(path string, b []byte) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, tempPrefix+"*")
	if err != nil {
		return err
	}
	// A storage that forbids removing leaves a file that nobody lists.
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.Write(b)
	if err == nil {
		err = errors.Join(temp.Chmod(0o400), temp.Sync())
	}
	if err == nil {
		// So that reading back asks the disk and not the memory, where that can be had.
		_ = unix.Fadvise(int(temp.Fd()), 0, 0, unix.FADV_DONTNEED)
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	err = os.Link(temp.Name(), path)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOTSUP) { // no links on this file system
		err = unix.Renameat2(unix.AT_FDCWD, temp.Name(), unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// makeDirs makes a directory below the root, and every new name on the way durable.
func (d *directory) makeDirs(dir string) error {
	if dir == d.root {
		return nil
	}
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if err := d.makeDirs(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Get implements gatehouse.ObjectTarget.
func (d *directory) Get(ctx context.Context, name string) ([]byte, error) {
	if err := errors.Join(checkPut(name, nil), ctx.Err()); err != nil {
		return nil, err
	}
	path := filepath.Join(d.root, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > gatehouse.MaxObject) {
		return nil, gatehouse.Errorf("backup.damaged", "use another backup", "%s is no object of a backup", name)
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound(name)
	}
	return b, failed(err)
}

// List implements gatehouse.ObjectTarget.
func (d *directory) List(ctx context.Context, prefix string, f func(gatehouse.Object) error) error {
	// Only the directory in which the prefix ends can hold such names.
	start := filepath.Join(d.root, filepath.FromSlash(prefix[:strings.LastIndexByte(prefix, '/')+1]))
	var found []gatehouse.Object
	err := filepath.WalkDir(start, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), tempPrefix) || !e.Type().IsRegular() {
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			return errors.Join(err, ctx.Err())
		}
		rel, err := filepath.Rel(d.root, path)
		if name := filepath.ToSlash(rel); err == nil && strings.HasPrefix(name, prefix) && objectName.MatchString(name) {
			info, err := e.Info()
			if err != nil {
				return err
			}
			found = append(found, gatehouse.Object{Name: name, Size: info.Size()})
		}
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return failed(err)
	}
	slices.SortFunc(found, func(a, b gatehouse.Object) int { return strings.Compare(a.Name, b.Name) })
	for _, o := range found {
		if err := f(o); err != nil {
			return err
		}
	}
	return nil
}

// Prune deletes a folder of a target that is a directory: what storage with lifecycle
// rules does by itself. Another credential than the backup's own should call it.
func Prune(target, folder string) error {
	if strings.Contains(target, "://") || !objectName.MatchString(folder) || strings.Contains(folder, "/") {
		return badName("only a folder of a directory can be pruned; a bucket expires its objects by a lifecycle rule")
	}
	return failed(os.RemoveAll(filepath.Join(target, folder)))
}
