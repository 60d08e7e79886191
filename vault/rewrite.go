package vault

import (
	"context"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
)

const methodRewrite = "rewrite" // header rewriteRequest, attachment: the fresh key; reply time.Duration

type rewriteRequest struct{ File string }

// Files lists the vault's databases whose keys the gate unwraps.
func (v *Vault) Files() []string { return append([]string(nil), databases...) }

// Rewrite copies one of Files under a fresh key and puts that in its place, while the
// vault is in use: what was deleted from it is in no page of the new file, and the old
// file's key is gone. Commits to it waited for held. Errors: vault.unavailable,
// vault.timeout (then it may be done all the same), those of ChangeFileKey and the
// store's.
func (v *Vault) Rewrite(ctx context.Context, file string) (held time.Duration, err error) {
	err = v.gate.ChangeFileKey(filepath.Join(v.dir, file), func(fresh [32]byte) error {
		_, err := v.process.Call(ctx, methodRewrite, rewriteRequest{file}, [][]byte{fresh[:]}, &held)
		return err
	})
	return held, err
}

func (s *service) rewriteHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodRewrite: s.handleRewrite}
}

func (s *service) handleRewrite(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in rewriteRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	db := map[string]*sealeddb.DB{keyStoreFile: s.keys.db, auditFile: s.audit.db}[in.File]
	if db == nil || len(r.Blobs) != 1 || len(r.Blobs[0]) != 32 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "there is no such file of the vault, or no key for it")
	}
	fresh := [32]byte(r.Blobs[0])
	clear(r.Blobs[0])
	held, err := db.Rewrite(ctx, fresh)
	return held, nil, err
}
