package server

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/erase"
	"gatehouse/flow/expire"
	"gatehouse/rules/retention"
	"gatehouse/store/sqlite"
	"gatehouse/vault"
)

// rewriteIntent says, until it is finished, that what was erased may still lie in
// free blocks under the old file keys.
var rewriteIntent = gatehouse.ID{0xff, 'r', 'e', 'w', 'r', 'i', 't', 'e'}

// rewriteAtOnce is the size of the files, together, up to which they are rewritten
// within the erasure; larger ones wait for the hourly job.
const rewriteAtOnce = 64 << 20

// newEraser wires the erasing.
func (s *Server) newEraser() *erase.Eraser {
	return erase.New(erase.Ports{Place: s.site.Place, Store: s.store, Vault: s.vault, Working: forgetting{s}, Blobs: s.blobs, Keep: s.gateKey,
		Forget: s.ring.Forget, Gone: s.erasedOne, Rewrite: s.rewriteErased, Prove: s.prove})
}

// forgetting is the working set, and the accounts that say whose they are.
type forgetting struct{ *Server }

// RemoveSubject implements erase.Working.
func (f forgetting) RemoveSubject(ctx context.Context, id gatehouse.SubjectID) error {
	if err := f.accounts.ForgetPerson(ctx, "erasure", id); err != nil {
		return err
	}
	return f.working.RemoveSubject(ctx, id)
}

// prove proves that a leaf stands in the audit log.
func (s *Server) prove(ctx context.Context, leaf int64) (json.RawMessage, error) {
	p, err := s.vault.Prove(ctx, leaf)
	if err != nil {
		return nil, err
	}
	return json.Marshal(p)
}

// setRetention tells the vault process how long the site's days are kept.
func (s *Server) setRetention(ctx context.Context) error {
	return s.vault.SetRetention(ctx, s.site.Place, s.current().Retention.policy().Classes())
}

func (c RetentionConfig) policy() retention.Policy {
	days := func(n int) time.Duration { return time.Duration(n) * retention.Day }
	return retention.Policy{Passages: days(c.PassageDays), Frames: days(c.FrameDays), Strangers: days(c.StrangerDays), Records: days(c.RecordDays), Metadata: days(c.MetadataDays)}
}

// erasedFiles are those that what is erased lay in. What a month says of somebody is
// noise without the key store.
func (s *Server) erasedFiles() []string {
	return []string{filepath.Join("vault", vault.KeyStoreFile), filepath.Join("db", sqlite.WorkingFile), filepath.Join("db", sqlite.SiteFile)}
}

// rewriteErased notes that the files are to be rewritten, and does it where that is
// quick. One that cannot be done now stays noted.
func (s *Server) rewriteErased(ctx context.Context) error {
	// What programs were answered may name who was erased.
	if err := s.store.ForgetReplies(ctx, s.site.Place); err != nil {
		return err
	}
	if err := s.store.BeginIntent(ctx, gatehouse.Intent{ID: rewriteIntent, Verb: "rewrite"}); err != nil {
		return err
	}
	list, err := s.databases(ctx)
	if err != nil {
		s.log.Warn("files are rewritten later", "code", gatehouse.ErrorCode(err))
		return nil
	}
	var size int64
	for _, db := range list {
		if slices.Contains(s.erasedFiles(), db.File) {
			size += db.Bytes
		}
	}
	if size <= rewriteAtOnce {
		if err := s.rewriteNoted(ctx); err != nil {
			s.log.Warn("files are rewritten later", "code", gatehouse.ErrorCode(err))
		}
	}
	return nil
}

// rewriteNoted rewrites the files if an erasure has noted it.
func (s *Server) rewriteNoted(ctx context.Context) error {
	intents, err := s.store.Intents(ctx)
	if err != nil {
		return err
	}
	for _, i := range intents {
		if i.ID != rewriteIntent {
			continue
		}
		for _, file := range s.erasedFiles() {
			if _, err := s.rewrite(ctx, file); err != nil {
				return err
			}
		}
		return s.store.FinishIntent(ctx, rewriteIntent)
	}
	return nil
}

// databases lists the site's databases, the vault's first, wherever those lie.
func (s *Server) databases(ctx context.Context) ([]wire.Database, error) {
	list := []wire.Database{}
	files, err := s.vault.Files(ctx)
	if err != nil {
		return list, err
	}
	for _, f := range files {
		list = append(list, wire.Database{File: filepath.Join("vault", f.Name), Bytes: f.Bytes, Keyed: f.Keyed})
	}
	stored, err := s.store.Files()
	if err != nil {
		return list, err
	}
	for _, name := range stored {
		path := filepath.Join(pathsOf(s.config).db, name)
		info, err := os.Stat(path)
		if err != nil {
			continue // it has just been dropped
		}
		one := wire.Database{File: filepath.Join("db", name), Bytes: info.Size()}
		if key, err := os.Stat(path + ".key"); err == nil {
			one.Keyed = key.ModTime().UTC()
		}
		list = append(list, one)
	}
	return list, nil
}

// rewrite puts one database, named below the data directory, under a fresh key.
func (s *Server) rewrite(ctx context.Context, file string) (held time.Duration, err error) {
	switch dir, base := filepath.Split(file); dir {
	case "db/":
		return s.store.Rewrite(ctx, base)
	case "vault/":
		return s.vault.Rewrite(ctx, base)
	}
	return 0, gatehouse.Errorf("store.not_found", "`gatehouse keys rotate files` lists them", "there is no such database")
}

// goOnErasing finishes what was interrupted, and rewrites what is due.
func (s *Server) goOnErasing(ctx context.Context) error {
	n, err := s.erase.Resume(ctx)
	if n > 0 {
		s.log.Info("interrupted erasures were finished", "count", n)
	}
	if err != nil {
		return err
	}
	return s.rewriteNoted(ctx)
}

// expirer is the site's retention.
func (s *Server) expirer() expire.Expirer {
	return expire.Expirer{Place: s.site.Place, Policy: s.current().Retention.policy(), Keys: s.vault, Store: s.store, Blobs: s.blobs, Badge: s.working.Badge,
		Followed: s.vault.AuditCursor,
		Erase: func(ctx context.Context, id gatehouse.SubjectID) error {
			_, err := s.erase.Erase(ctx, erase.Request{Subject: id, Operator: "retention", Reason: "record_days"})
			return err
		}}
}

// expire takes away, every hour, what may no longer be kept; at the start also what
// became due while the server was off.
func (s *Server) expire(ctx context.Context) {
	beat := time.NewTicker(time.Hour)
	defer beat.Stop()
	for {
		if err := s.goOnErasing(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("an erasure could not be finished", "code", gatehouse.ErrorCode(err))
		}
		if _, err := s.runRetention(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("what is over its time could not be taken away", "code", gatehouse.ErrorCode(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}

func (s *Server) runRetention(ctx context.Context) (expire.Report, error) {
	s.retaining.Lock()
	defer s.retaining.Unlock()
	if err := s.setRetention(ctx); err != nil {
		return expire.Report{}, err
	}
	r, err := s.expirer().Run(ctx, time.Now())
	if err != nil {
		return r, err
	}
	if _, err := s.store.DropAlarms(ctx, s.site.Place, time.Now().Add(-s.config.Retention.policy().Metadata)); err != nil {
		return r, err
	}
	// A day's payslips go when its keys have: one that waits for a longer retention keeps them.
	if _, err := s.store.ExpirePayslips(ctx, s.site.Place, time.Now().Add(-s.config.Retention.policy().Metadata-8*retention.Day)); err != nil {
		return r, err
	}
	if r.Months > 0 {
		s.hours.Forget()
	}
	s.mu.Lock()
	s.retained = time.Now()
	s.mu.Unlock()
	if r != (expire.Report{}) {
		s.log.Info("what was over its time was taken away", "days", r.Days, "items", r.Items, "months", r.Months, "subjects", r.Erased)
	}
	return r, nil
}
