package custody

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gatehouse"
)

// ReadPrivate reads a small file that holds a secret: a regular file that belongs to
// this user or to root and that nobody else may read. area begins the errors' codes and
// what names the file in their sentences: AREA.missing, AREA.permissions,
// AREA.malformed (no regular file, or more than limit bytes), AREA.failed.
func ReadPrivate(area, what, path string, limit int) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe in its place must not block
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, gatehouse.Errorf(area+".missing", "plug in or mount what holds it, or correct its path; if it is lost, restore its copy", "the %s %s is not there", what, path)
	case err != nil:
		return nil, gatehouse.Errorf(area+".failed", "check who may read it", "the %s cannot be read: %w", what, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, gatehouse.Errorf(area+".failed", "check the file", "the %s cannot be read: %w", what, err)
	}
	if !info.Mode().IsRegular() {
		return nil, gatehouse.Errorf(area+".malformed", "name the file itself", "the %s is no regular file", what)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, gatehouse.Errorf(area+".permissions", "run: chmod 600 on the "+what, "others than its owner may read the %s", what)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() && owner.Uid != 0 {
		return nil, gatehouse.Errorf(area+".permissions", "run: chown on the "+what+", to the user that runs gatehouse", "the %s belongs to another user", what)
	}
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, gatehouse.Errorf(area+".failed", "check the medium that holds it", "the %s cannot be read: %w", what, err)
	}
	if len(b) > limit {
		clear(b)
		return nil, gatehouse.Errorf(area+".malformed", "restore the file from its copy", "the %s is larger than it may be", what)
	}
	return b, nil
}

// credentialPrefix begins the name of a systemd credential where a path is expected.
const credentialPrefix = "credential:"

// CredentialPath is where a systemd credential ("credential:NAME") lies, or path itself
// where it names none. systemd gives the directory to the service alone, in memory that
// is not swapped. Errors: custody.missing outside a service that loads it.
func CredentialPath(path string) (string, error) {
	name, ok := strings.CutPrefix(path, credentialPrefix)
	if !ok {
		return path, nil
	}
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" || name == "" || name != filepath.Base(name) {
		return "", gatehouse.Errorf("custody.missing", "run the server as a systemd service with LoadCredentialEncrypted="+name+":FILE", "there is no systemd credential %q here", name)
	}
	return filepath.Join(dir, name), nil
}

// maxPIN bounds a PIN or an authorization value.
const maxPIN = 1024

// ReadPIN reads a token's PIN or a TPM's authorization value from a file, or from
// "credential:NAME"; a line end behind it is not part of it. Errors: those of
// CredentialPath and, as pin.*, of ReadPrivate.
func ReadPIN(path string) ([]byte, error) {
	path, err := CredentialPath(path)
	if err != nil {
		return nil, err
	}
	b, err := ReadPrivate("pin", "PIN file", path, maxPIN)
	if err != nil {
		return nil, err
	}
	return []byte(strings.TrimRight(string(b), "\r\n")), nil
}
