package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"gatehouse"
	"gatehouse/vault"
)

// Version of this program.
const Version = "0.1.0"

// paths is where things lie below the data directory. The gate key lies outside.
type paths struct{ data, db, blobs, vault string }

func pathsOf(c Config) paths {
	return paths{data: c.Data, db: filepath.Join(c.Data, "db"), blobs: filepath.Join(c.Data, "blobs"), vault: filepath.Join(c.Data, "vault")}
}

func (p paths) create() error {
	for _, dir := range []string{p.data, p.db, p.blobs, p.vault} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes the files that a killed process had begun to write, keys among them. The
// data directory must be this process's alone.
func (p paths) sweep(c Config) error {
	for _, dir := range []string{p.data, p.db, p.vault} {
		if err := vault.SweepUnfinished(dir); err != nil {
			return err
		}
	}
	if !vault.ParseGateSource(c.GateKey).IsFile() {
		return nil
	}
	return vault.SweepUnfinished(filepath.Dir(c.GateKey), filepath.Base(c.GateKey))
}

// SocketPath is where the running server takes an administrator's commands.
func SocketPath(c Config) string { return filepath.Join(c.Data, "admin.sock") }

// Initialized reports whether the site has keys already. It fails with vault.lost
// where there is data and no vault key, with restore.unfinished, and with data.unreadable: a new vault would not open what the lost one
// sealed, and would hide that it is lost. It changes nothing.
func Initialized(c Config) (bool, error) {
	p := pathsOf(c)
	if err := p.restoring(); err != nil {
		return false, err
	}
	exists, err := vault.Exists(p.vault)
	if c.Vault.Elsewhere() {
		exists, err = vault.Paired(p.vault)
	}
	if err != nil {
		return false, gatehouse.Errorf("data.unreadable", "check `data` in gatehouse.yml, and run it as the user that the data belongs to", "the vault cannot be looked for: %w", err)
	}
	if exists {
		return true, nil
	}
	used, err := p.used()
	if err != nil {
		return false, gatehouse.Errorf("data.unreadable", "check `data` in gatehouse.yml, and run it as the user that the data belongs to", "the data directory cannot be read: %w", err)
	}
	if used {
		return false, gatehouse.Errorf("vault.lost", "restore data/vault from its copy; to begin anew, name another `data` in gatehouse.yml",
			"%s holds a site's data, and the vault key that it was sealed with is not there", p.data)
	}
	return false, nil
}

// used reports whether a site ran here. An interrupted first start leaves the gate
// key and an unfinished vault, and none of what is looked for here.
func (p paths) used() (bool, error) {
	found := false
	for _, place := range []string{filepath.Join(p.data, vault.CheckFile), p.db, p.blobs} {
		err := filepath.WalkDir(place, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				found = true
				return fs.SkipAll
			}
			return err
		})
		if found || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return found, err
		}
	}
	return false, nil
}
