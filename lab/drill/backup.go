package drill

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"gatehouse"
	"gatehouse/flow/backup"
	"gatehouse/internal/sealeddb"
	"gatehouse/store/object"
	"gatehouse/vault"
)

// Both thieves get the backup's data and its key bundles, which a careful site keeps
// elsewhere: the bundles are sealed to the vault key, so that nothing may show in them
// either. The gate key opens the databases in a backup as it opens those of the site.

// dataTarget and keysTarget are where the copy's backups go.
func (d *drill) dataTarget() string { return filepath.Join(d.backupDir(), "data") }
func (d *drill) keysTarget() string { return filepath.Join(d.backupDir(), "keys") }

// backUp makes a backup of the running copy, as the product does.
func (d *drill) backUp(ctx context.Context) error {
	d.say("making a backup")
	if _, err := d.server.Backup(ctx); err != nil {
		return err
	}
	d.report.BackupBytes = sizeOf(d.backupDir())
	return nil
}

// backedUp puts the databases of the stolen backup together again, with the keys that
// the gate key opens: those of the same files in the data directory.
func (d *drill) backedUp(ctx context.Context, gate *vault.GateKey) (all []stolenDB, err error) {
	target, err := object.Open(d.dataTarget(), nil)
	if err != nil {
		return nil, err
	}
	found, _, err := backup.Manifests(ctx, target, vault.VerifyBackup)
	if err != nil {
		return nil, err
	}
	for _, m := range found {
		for _, db := range m.Databases {
			key, err := gate.FileKey(filepath.Join(d.config.Data, filepath.FromSlash(db.Name)))
			if errors.Is(err, fs.ErrNotExist) || gatehouse.ErrorCode(err) != "" {
				continue // dropped or rewritten since: noise
			}
			if err != nil {
				return nil, err
			}
			path := filepath.Join(d.root, "rebuilt", m.ID.String(), filepath.FromSlash(db.Name))
			if err := d.rebuild(path, db); err != nil {
				return nil, err
			}
			all = append(all, stolenDB{"backup of " + db.Name, path, key})
		}
	}
	return all, nil
}

// rebuild writes a database's file from its parts.
func (d *drill) rebuild(path string, db backup.Database) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for _, sum := range db.Parts {
		name := sum.String()
		part, err := os.Open(filepath.Join(d.dataTarget(), "parts", name[:2], name))
		if err != nil {
			return errors.Join(err, out.Close())
		}
		_, err = io.Copy(out, part)
		part.Close()
		if err != nil {
			return errors.Join(err, out.Close())
		}
	}
	return out.Close()
}

// searchBackup decrypts what the backup holds of databases; opened says how many of them
// showed what a database's first page begins with, so that none opening is noticed.
func (d *drill) searchBackup(ctx context.Context, s *search, gate *vault.GateKey) (opened int, err error) {
	databases, err := d.backedUp(ctx, gate)
	if err != nil {
		return 0, err
	}
	for _, db := range databases {
		first := true
		err := sealeddb.Pages(db.path, db.key, func(plain []byte) error {
			if first && len(plain) > 16 && string(plain[:15]) == "SQLite format 3" {
				opened++
			}
			first = false
			s.bytes(db.where+" (pages)", plain)
			return ctx.Err()
		})
		if err != nil {
			return opened, err
		}
	}
	return opened, nil
}
