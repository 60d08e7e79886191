package doctor

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gatehouse/vault"
)

// maxWalked bounds how many files are looked at.
const maxWalked = 200_000

func (d *doctor) permissions(context.Context) {
	d.dataFiles()
	if vault.ParseGateSource(d.config.GateKey).IsFile() {
		d.secretFile("gate key", d.config.GateKey)
	} else {
		kind, _, _ := strings.Cut(d.config.GateKey, ":")
		d.add("gate key", OK, "", "it is no plain file, but with %s", kind)
	}
	if d.config.TLS.Certificates == "files" {
		d.secretFile("TLS key", d.config.TLS.Key)
	}
	if d.config.Vault.Identity != "" {
		d.secretFile("vault identity", d.config.Vault.Identity)
	}
	if info, err := os.Stat(d.o.Path); err == nil {
		d.judge("configuration", info.Mode().Perm()&0o022 == 0, Fail, "chmod go-w "+d.o.Path, "%s is %s", d.o.Path, info.Mode().Perm())
	}
}

// dataFiles looks for what others than the owner can reach in the data directory.
func (d *doctor) dataFiles() {
	info, err := os.Stat(d.config.Data)
	if err != nil {
		d.add("data", Skipped, "", "the data directory is not there yet")
		return
	}
	if info.Mode().Perm()&0o077 != 0 {
		d.add("data", Fail, "chmod 0700 "+d.config.Data, "others can enter the data directory: it is %s", info.Mode().Perm())
	} else {
		d.add("data", OK, "", "only its owner enters the data directory")
	}
	open, foreign, unreadable, walked := "", "", 0, 0
	owner := info.Sys().(*syscall.Stat_t).Uid
	err = filepath.WalkDir(d.config.Data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			unreadable++
			return nil
		}
		if walked++; walked > maxWalked {
			return fs.SkipAll
		}
		i, err := entry.Info()
		if err != nil {
			return nil // it went away meanwhile
		}
		// SQLite makes its -shm files by the umask; they hold page numbers.
		if i.Mode().Perm()&0o077 != 0 && i.Mode()&fs.ModeSymlink == 0 && !strings.HasSuffix(path, "-shm") && path != d.config.Data && open == "" {
			open = path
		}
		if st, ok := i.Sys().(*syscall.Stat_t); ok && st.Uid != owner && foreign == "" {
			foreign = path
		}
		return nil
	})
	switch {
	case err != nil || unreadable > 0:
		d.add("data files", Skipped, "", "not all of the data directory can be read: run it as the user that runs the server")
	case open != "":
		d.add("data files", Fail, "chmod -R go-rwx "+d.config.Data, "others can read or change %s", open)
	case foreign != "":
		d.add("data files", Fail, "chown it to the user that runs the server", "%s belongs to another user than the data directory", foreign)
	default:
		d.add("data files", OK, "", "%d files and folders are their owner's alone", min(walked, maxWalked))
	}
}

func (d *doctor) secretFile(name, path string) {
	info, err := os.Stat(path)
	if err != nil {
		d.add(name, Warn, "check the path in gatehouse.yml, and run it as the user that runs the server", "%s is not there or cannot be looked at", path)
		return
	}
	d.judge(name, info.Mode().Perm()&0o077 == 0, Fail, "chmod 0600 "+path, "%s is %s", path, info.Mode().Perm())
}
