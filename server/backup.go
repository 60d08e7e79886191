package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/flow/backup"
	"gatehouse/flow/escrow"
	"gatehouse/store/object"
	"gatehouse/vault"
)

// BackupConfig says where backups go, and how often.
type BackupConfig struct {
	Every time.Duration `yaml:"every"`
	Data  string        `yaml:"data"`
	Keys  string        `yaml:"keys"`
}

func (b BackupConfig) check(data string) error {
	switch {
	case (b.Data == "") != (b.Keys == ""):
		return gatehouse.Errorf("backup.targets", "set both: the keys belong to another storage than the data", "one of the two targets is not set")
	case b.Every < 0 || b.Every > 0 && b.Every < time.Minute || b.Every > 7*24*time.Hour:
		return gatehouse.Errorf("backup.every", "use 1m to 168h, or 0s for backups on demand only", "backups cannot be made every %v", b.Every)
	case b.Every > 0 && b.Data == "":
		return gatehouse.Errorf("backup.targets", "set `data` and `keys`, or `every` to 0s", "there is no target for the backups")
	case b.Data == "":
		return nil
	case b.Data == b.Keys:
		return gatehouse.Errorf("backup.targets", "keep the keys apart: they expire, and whoever has both needs only the passphrase", "both targets are the same")
	}
	for _, target := range []string{b.Data, b.Keys} {
		if err := object.Check(target); err != nil {
			return err
		}
		if !strings.Contains(target, "://") && within(data, target) {
			return gatehouse.Errorf("backup.inside", "use another disk or machine, or a bucket", "a backup inside the data directory goes with it")
		}
	}
	return nil
}

// within reports whether a path is a directory or lies in it.
func within(dir, path string) bool {
	d, err := filepath.Abs(dir)
	p, err2 := filepath.Abs(path)
	if err != nil || err2 != nil {
		return false
	}
	rel, err := filepath.Rel(d, p)
	return err == nil && filepath.IsLocal(rel)
}

// backups is the server's part in backing up: one thing at a time.
type backups struct {
	mu       sync.Mutex
	running  bool
	progress backup.Progress
}

func (b *backups) begin() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running {
		return gatehouse.Errorf("backup.running", "wait until it has ended", "a backup is being made or verified already")
	}
	b.running, b.progress = true, backup.Progress{Stage: "targets"}
	return nil
}

func (b *backups) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running, b.progress = false, backup.Progress{}
}

func (b *backups) tell(p backup.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress = p
}

func (b *backups) now() (backup.Progress, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.progress, b.running
}

// backupFlow opens the targets, which may be there at one time and not at another.
func (s *Server) backupFlow() (*backup.Flow, error) {
	c := s.config
	if c.Backup.Data == "" {
		return nil, gatehouse.Errorf("backup.targets", "set `backup` in gatehouse.yml", "there is no target for backups")
	}
	data, err := object.Open(c.Backup.Data, s)
	if err != nil {
		return nil, err
	}
	keys, err := object.Open(c.Backup.Keys, s)
	if err != nil {
		return nil, err
	}
	p := pathsOf(c)
	return backup.New(backup.Ports{Place: s.site.Place, Data: data, Keys: keys, Files: s.store, Blobs: s.blobs, Vault: s.vault, Verify: vault.VerifyBackup,
		KeyFiles: func() (private, public []byte, err error) {
			if c.Vault.Elsewhere() {
				public, err = vault.PublicKeyFile(p.vault)
				return nil, public, err
			}
			return vault.KeyFiles(p.vault)
		}}), nil
}

// Backup makes a backup now.
func (s *Server) Backup(ctx context.Context) (backup.Report, error) {
	if err := s.backups.begin(); err != nil {
		return backup.Report{}, err
	}
	defer s.backups.end()
	// A backup that lacked a copy of the working set could not be restored from.
	if _, err := s.escrow.Complete(ctx); err != nil {
		return backup.Report{}, err
	}
	f, err := s.backupFlow()
	if err != nil {
		return backup.Report{}, err
	}
	return f.Run(ctx, s.backups.tell)
}

// VerifyBackups checks every object of every backup; with the vault's credential it
// also restores the newest one beside this site and reads it whole. Where the vault is on
// another machine it does so with a grant from there (`gatehouse vault unseal --rebuild`),
// which it uses up, and takes no credential.
func (s *Server) VerifyBackups(ctx context.Context, with gatehouse.Credential) (checked backup.Checked, err error) {
	if s.config.Vault.Elsewhere() && !with.IsZero() {
		return checked, gatehouse.Errorf("vault.elsewhere", "leave it out here, and run `gatehouse vault unseal --rebuild` on the vault's machine before: that allows one restoring beside",
			"this site's vault is on another machine, and its credential belongs nowhere else")
	}
	if err := s.backups.begin(); err != nil {
		return checked, err
	}
	defer s.backups.end()
	f, err := s.backupFlow()
	if err != nil {
		return checked, err
	}
	checked, err = f.Check(ctx, s.backups.tell)
	if err == nil && checked.OK {
		s.noted.set(&s.noted.verified)
	}
	if err != nil || !checked.OK {
		return checked, err
	}
	proof, err := s.claimTrial(ctx)
	if err != nil || with.IsZero() && proof == nil {
		return checked, err
	}
	return checked, s.restoreBeside(ctx, f, with, proof, &checked)
}

// checkPlaces are the folders in which a check makes its own, beside the data directory
// and in memory, and what their names begin with: those of this data directory.
func (s *Server) checkPlaces() (beside, memory, name string, err error) {
	data, err := filepath.Abs(s.config.Data)
	if err != nil {
		return "", "", "", gatehouse.Errorf("data.unreadable", "name it by its full path", "the data directory cannot be found: %w", err)
	}
	memory = "/dev/shm"
	if _, err := os.Stat(memory); err != nil {
		memory = os.TempDir()
	}
	d := sha256.Sum256([]byte(data))
	return filepath.Dir(data), memory, ".gatehouse-verify-" + hex.EncodeToString(d[:6]) + "-", nil
}

// sweepChecks takes away what a check left that was killed. There is one server on this
// data, which makes one check at a time.
func (s *Server) sweepChecks(context.Context) error {
	beside, memory, name, err := s.checkPlaces()
	if err != nil {
		return err
	}
	for _, dir := range []string{beside, memory} {
		list, err := os.ReadDir(dir)
		if err != nil {
			continue // nothing can have been made there
		}
		for _, one := range list {
			if !strings.HasPrefix(one.Name(), name) {
				continue
			}
			if err := os.RemoveAll(filepath.Join(dir, one.Name())); err != nil {
				s.log.Warn("what a check of backups left cannot be removed", "error", err)
			}
		}
	}
	return nil
}

// restoreBeside restores into a folder beside the data directory, whose gate key lies
// in memory, and takes it away again.
func (s *Server) restoreBeside(ctx context.Context, f *backup.Flow, with gatehouse.Credential, proof []byte, checked *backup.Checked) error {
	folder, memory, name, err := s.checkPlaces()
	if err != nil {
		return err
	}
	beside, err := os.MkdirTemp(folder, name)
	if err != nil {
		return gatehouse.Errorf("data.unwritable", "make the folder of `data` writable for the time of the check", "there is no place to restore into: %w", err)
	}
	defer func() { _ = os.RemoveAll(beside) }()
	gate, err := os.MkdirTemp(memory, name)
	if err != nil {
		return gatehouse.Errorf("gatekey.failed", "see the cause", "there is no place for a key: %w", err)
	}
	defer func() { _ = os.RemoveAll(gate) }()
	c := s.config
	c.Data, c.GateKey = filepath.Join(beside, "data"), filepath.Join(gate, "gate.key")
	_, err = restoreFrom(ctx, c, RestoreOptions{With: with, Progress: s.backups.tell, Log: s.log, trial: true, proof: proof}, f.Data, f.Keys)
	if err == nil {
		err = s.readWhole(ctx, c)
	}
	switch code := gatehouse.ErrorCode(err); code {
	case "backup.damaged", "backup.not_found", "store.damaged", "audit.damaged", "restore.incomplete", "restore.log_differs", "restore.erasure_list", "restore.bundle_missing":
		checked.OK = false
		checked.Findings = append(checked.Findings, backup.Finding{Code: code, What: err.Error()})
		return nil
	}
	checked.Restored = err == nil
	return err
}

// readWhole reads every page of a restored site.
func (s *Server) readWhole(ctx context.Context, c Config) error {
	s.backups.tell(backup.Progress{Stage: "databases"})
	m, err := newRestoredSite(c, gatehouse.Credential{}, s.log)
	if err != nil {
		return err
	}
	if m.remote, err = c.remote(); err != nil {
		return err
	}
	defer func() { _ = m.close() }()
	if m.gate, err = vault.OpenGateKey(m.paths.data, c.GateKey); err != nil {
		return err
	}
	if err := m.open(ctx); err != nil {
		return err
	}
	return m.store.Check(ctx)
}

// How often it is looked whether a backup is due, and when one that failed is tried again.
const (
	dueEvery    = time.Minute
	backupAgain = 15 * time.Minute
)

// runBackups makes a backup whenever one is due. How often that is may change meanwhile.
func (s *Server) runBackups(ctx context.Context) {
	var last, failed time.Time
	for begun := false; ; {
		every := s.current().BackupEvery
		if every > 0 && !begun {
			last, _ = s.lastBackup(ctx)
			begun = true
		}
		now := time.Now()
		if wait := dueIn(every, last, failed, now); wait > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(min(wait, dueEvery)):
			}
			continue
		}
		report, err := s.Backup(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Error("a backup could not be made", "code", gatehouse.ErrorCode(err), "err", err)
			failed = time.Now()
		default:
			s.log.Info("a backup was made", "id", report.ID, "objects", report.Objects, "bytes", report.Bytes, "took_s", report.Seconds)
			last, failed = time.Now(), time.Time{}
		}
	}
}

// dueIn is how long until the next backup: dueEvery where none are made by themselves.
func dueIn(every time.Duration, last, failed, now time.Time) time.Duration {
	switch {
	case every == 0:
		return dueEvery
	case !failed.IsZero():
		return failed.Add(min(every, backupAgain)).Sub(now)
	case last.IsZero():
		return 0
	}
	return min(every, last.Add(every).Sub(now))
}

func (s *Server) lastBackup(ctx context.Context) (time.Time, bool) {
	f, err := s.backupFlow()
	if err != nil {
		return time.Time{}, false
	}
	at, err := f.Last(ctx)
	return at, err == nil && !at.IsZero()
}

// openEscrow puts the copying of the working set between the gate and its store.
func (s *Server) openEscrow() {
	s.escrow = &escrow.Store{WorkingStore: s.store, Gate: s.gateKey, Sealer: s.vault, Copies: s.store, Forget: s.vault.ForgetTemplates}
}

// completeEscrow copies what an earlier version did not.
func (s *Server) completeEscrow(ctx context.Context) {
	n, err := s.escrow.Complete(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.Warn("the working set could not be copied into the archive; backups wait for it", "code", gatehouse.ErrorCode(err))
	}
	if n > 0 {
		s.log.Info("items of the working set were copied into the archive", "count", n)
	}
}

// PruneBundles drops the key bundles of a directory whose time is over, and never one
// that is younger than the time for which bundles are locked, whatever it says itself.
// Folders that no signed index names are left alone. It is for a user of its own: the
// server's may not delete there.
func PruneBundles(ctx context.Context, dir string, now time.Time) (dropped []string, kept int, err error) {
	target, err := object.Open(dir, givenSecrets{})
	if err != nil {
		return nil, 0, err
	}
	bundles, _, err := backup.KeyBundles(ctx, target, vault.VerifyBackup)
	if err != nil {
		return nil, 0, err
	}
	for _, b := range bundles {
		if now.Before(b.DropFrom) || now.Before(b.At.Add(backup.LockedFor)) {
			kept++
			continue
		}
		if err := object.Prune(dir, b.Folder); err != nil {
			return dropped, kept, err
		}
		dropped = append(dropped, b.Folder)
	}
	return dropped, kept, nil
}

// BackupProgress says how far a backup or restore is.
type BackupProgress = backup.Progress
