package vault

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
)

const (
	methodRewrite = "rewrite" // header rewriteRequest, attachment: the fresh key; reply time.Duration
	methodFiles   = "files"   // reply []DatabaseFile
)

type rewriteRequest struct{ File string }

// DatabaseFile is one of the vault's databases, on whatever machine it lies.
type DatabaseFile struct {
	Name  string
	Bytes int64
	Keyed time.Time // when it got its key; zero where that is not known
}

// KeyStoreFile is the database that everything erased is gone from when it is rewritten.
const KeyStoreFile = keyStoreFile

// Files lists the vault's databases, the key store first. Errors: vault.unavailable,
// vault.timeout, vault.failed.
func (v *Vault) Files(ctx context.Context) (list []DatabaseFile, err error) {
	_, err = v.process.Call(ctx, methodFiles, nil, nil, &list)
	return list, err
}

// Rewrite copies one of Files under a fresh key and puts that in its place, while the
// vault is in use: what was deleted from it is in no page of the new file, and the old
// file's key is gone. Where the vault is on another machine, that does it. Commits to it
// waited for held. Errors: vault.unavailable,
// vault.timeout (then it may be done all the same), those of ChangeFileKey and the
// store's.
func (v *Vault) Rewrite(ctx context.Context, file string) (held time.Duration, err error) {
	if v.remote != nil {
		_, err := v.process.Call(ctx, MethodRewriteFile, file, nil, &held)
		return held, err
	}
	if !slices.Contains(databases, file) {
		return 0, errNoDatabase()
	}
	err = v.gate.ChangeFileKey(filepath.Join(v.dir, file), func(fresh [32]byte) error {
		_, err := v.process.Call(ctx, methodRewrite, rewriteRequest{file}, [][]byte{fresh[:]}, &held)
		return err
	})
	return held, err
}

func (s *service) rewriteHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodRewrite: s.handleRewrite, methodFiles: handle(s.files)}
}

func (s *service) handleRewrite(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in rewriteRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	db := map[string]*sealeddb.DB{keyStoreFile: s.keys.db, auditFile: s.audit.db}[in.File]
	if db == nil || len(r.Blobs) != 1 || len(r.Blobs[0]) != 32 {
		return nil, nil, errNoDatabase()
	}
	fresh := [32]byte(r.Blobs[0])
	clear(r.Blobs[0])
	held, err := db.Rewrite(ctx, fresh)
	return held, nil, err
}

func errNoDatabase() error {
	return gatehouse.Errorf("request.malformed", "this is a fault of the program", "there is no such file of the vault, or no key for it")
}

func (s *service) files(context.Context, struct{}) (list []DatabaseFile, err error) {
	for _, name := range databases {
		path := filepath.Join(s.guard.dir, name)
		info, err := os.Stat(path)
		if err != nil {
			return nil, gatehouse.Errorf("vault.failed", "check who may read the vault's directory", "the vault's files cannot be looked at: %w", err)
		}
		file := DatabaseFile{Name: name, Bytes: info.Size()}
		if key, err := os.Stat(path + fileKeySuffix); err == nil { // its absence is noticed where it is needed
			file.Keyed = key.ModTime().UTC()
		}
		list = append(list, file)
	}
	return list, nil
}
