package server

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"gatehouse"
	"gatehouse/flow/backup"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault"
)

// The marker of a restore that has not ended, and the folder for what it needs
// meanwhile, both in the data directory.
const (
	restoreMarker = "restore.json"
	restoreFolder = "restore"
)

type marker struct {
	Backup gatehouse.ID `json:"backup"`
}

// restoring fails with restore.unfinished where a restore was begun and has not ended.
func (p paths) restoring() error {
	_, err := os.Lstat(filepath.Join(p.data, restoreMarker))
	switch {
	case err == nil:
		return gatehouse.Errorf("restore.unfinished", "run the same `gatehouse restore` again: it goes on where it stopped", "a restore into %s has not ended", p.data)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return gatehouse.Errorf("data.unreadable", "check `data` in gatehouse.yml and its permissions", "the data directory cannot be read: %w", err)
}

// Begin implements backup.Machine: it takes the directory, writes the marker and makes
// the gate key.
func (m *restoredSite) Begin(_ context.Context, b backup.Manifest) error {
	m.backup = b.ID
	begun, err := m.begun()
	if err != nil {
		return err
	}
	if begun == nil {
		if err := m.bare(b); err != nil {
			return err
		}
	}
	if err := m.paths.create(); err != nil {
		return gatehouse.Errorf("data.unwritable", "check --data and its permissions", "the data directory cannot be made: %w", err)
	}
	if m.unlock, err = sealeddb.Lock(m.paths.data); err != nil {
		return err
	}
	switch {
	case begun != nil && begun.Backup != b.ID:
		return gatehouse.Errorf("restore.other", "give the same --at, or empty the directory and delete its gate key to begin anew", "the restore of another backup was begun in this directory")
	case begun == nil:
		content, err := json.Marshal(marker{Backup: b.ID})
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(m.paths.data, restoreMarker), content); err != nil {
			return sealeddb.Wrap(restoreMarker, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(m.config.GateKey), 0o700); err != nil {
		return gatehouse.Errorf("gatekey.failed", "check `gate_key` in gatehouse.yml", "the gate key's directory cannot be made: %w", err)
	}
	if _, err := os.Lstat(m.config.GateKey); errors.Is(err, fs.ErrNotExist) {
		if err := vault.CreateGateKey(m.paths.data, m.config.GateKey); err != nil {
			return err
		}
	}
	m.gate, err = vault.OpenGateKey(m.paths.data, m.config.GateKey)
	return err
}

// begun reads the marker; nil where there is none.
func (m *restoredSite) begun() (*marker, error) {
	b, err := os.ReadFile(filepath.Join(m.paths.data, restoreMarker))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var found marker
	if err == nil {
		err = json.Unmarshal(b, &found)
	}
	if err != nil {
		return nil, gatehouse.Errorf("restore.other", "empty the directory to begin anew", "the mark of the restore that was begun here cannot be read")
	}
	return &found, nil
}

// bare refuses a directory in which something lies, and a gate key that is somebody's.
func (m *restoredSite) bare(b backup.Manifest) error {
	entries, err := os.ReadDir(m.paths.data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return gatehouse.Errorf("data.unreadable", "check --data and its permissions", "the data directory cannot be read: %w", err)
	}
	if len(entries) > 0 {
		files, _ := filepath.Glob(filepath.Join(m.paths.db, "*.db*"))
		for _, file := range files {
			if info, err := os.Stat(file); err == nil && info.ModTime().After(b.At) {
				return gatehouse.Errorf("restore.newer", "restore into another directory with --data, and compare", "%s holds a site whose data is newer than this backup", m.paths.data)
			}
		}
		return gatehouse.Errorf("restore.not_empty", "restore into another directory with --data", "%s is not empty", m.paths.data)
	}
	if _, err := os.Lstat(m.config.GateKey); err == nil {
		return gatehouse.Errorf("gatekey.exists", "name another file as `gate_key`: a restored site gets a new one", "there is a file in the place of the new gate key")
	}
	return nil
}

// writeFile writes a file of mode 0600 that is whole and on disk.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if _, err := f.Write(b); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
