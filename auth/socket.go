package auth

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gatehouse"
)

// ListenAdmin listens on the admin socket at path, with mode 0600; a folder that is
// missing is made with mode 0700. A socket left by a server that died is
// replaced; one that answers is refused with admin.in_use.
func ListenAdmin(path string) (net.Listener, error) {
	if len(path) > 100 { // sun_path holds 108 bytes on Linux, 104 elsewhere
		return nil, gatehouse.Errorf("admin.path_too_long", "set admin_socket to a shorter path", "the admin socket's path is too long for the system")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, gatehouse.Errorf("admin.socket", "check the folder's owner and mode", "the admin socket's folder cannot be made: %w", err)
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		_ = c.Close()
		return nil, gatehouse.Errorf("admin.in_use", "stop the other server first", "another server answers on the admin socket")
	} else if !errors.Is(err, os.ErrNotExist) {
		// Only a socket is ever removed: the path may be mistyped.
		if i, statErr := os.Lstat(path); statErr == nil && i.Mode()&os.ModeSocket == 0 {
			return nil, gatehouse.Errorf("admin.socket", "set admin_socket to a path of its own", "the admin socket's path is taken by something else")
		}
		_ = os.Remove(path)
	}
	// The mask covers the moment between bind and chmod.
	old := syscall.Umask(0o177)
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		return nil, gatehouse.Errorf("admin.socket", "check the folder's owner and mode", "the admin socket cannot be opened: %w", err)
	}
	return l, nil
}
