package server

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault"
)

// RebuildWorkingSet makes the working set of c's site anew from its copies in the
// archive, where working.db was lost or damaged. No server may run. It says how many
// items it made. Where the vault is on another machine it takes no credential, and what
// somebody granted there for it (`gatehouse vault unseal --rebuild`). Errors: vault.sealed, vault.unavailable, vault.passphrase, store.locked, those of opening.
func RebuildWorkingSet(ctx context.Context, c Config, with gatehouse.Credential, log *slog.Logger, progress func(done int)) (items int, err error) {
	m, err := newRestoredSite(c, with, log)
	if err != nil {
		return 0, err
	}
	if m.remote, err = c.remote(); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	if err := m.paths.restoring(); err != nil {
		return 0, err
	}
	if m.unlock, err = sealeddb.Lock(m.paths.data); err != nil {
		return 0, err
	}
	if m.gate, err = vault.OpenGateKey(m.paths.data, c.GateKey); err != nil {
		return 0, err
	}
	// The credential is judged before anything is taken away.
	if err := m.openVault(ctx); err != nil {
		return 0, err
	}
	if err := m.unseal(ctx); err != nil {
		return 0, err
	}
	if err := m.setAsideWorking(); err != nil {
		return 0, err
	}
	if err := m.open(ctx); err != nil {
		return 0, err
	}
	items, _, err = m.Rebuild(ctx, progress)
	return items, err
}

// setAsideWorking moves what is left of the working set out of the way; it stays
// encrypted, and its key with it.
func (m *restoredSite) setAsideWorking() error {
	stamp := time.Now().UTC().Format("20060102t150405")
	for _, suffix := range []string{".key", "-wal", "-shm", ""} { // the file goes last: it is what counts
		path := filepath.Join(m.paths.db, "working.db")
		if err := os.Rename(path+suffix, path+".lost-"+stamp+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return sealeddb.Wrap(path, err)
		}
	}
	return sealeddb.Wrap(m.paths.db, syncDir(m.paths.db))
}
