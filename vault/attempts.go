package vault

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"

	"gatehouse"
	"gatehouse/internal/child"
)

// attempts is the one gate through which every credential goes that a vault process is
// shown, whatever for: one at a time, since scrypt makes passphrases slow and large, and
// each that is wrong is counted, logged, and a leaf of the audit log where that is open.
type attempts struct {
	one sync.Mutex

	mu    sync.Mutex
	wrong int                                                                             // since the process started
	note  func(ctx context.Context, operator string, kind gatehouse.CredentialKind) error // nil while no log is open
}

// try opens keys with c by f, or fails with vault.busy while another credential is tried.
func (a *attempts) try(ctx context.Context, operator string, c gatehouse.Credential, f func() (openKeys, error)) (openKeys, error) {
	if !a.one.TryLock() {
		return nil, gatehouse.Errorf("vault.busy", "wait a few seconds and try again", "another credential is being checked")
	}
	defer a.one.Unlock()
	keys, err := f()
	debug.FreeOSMemory() // scrypt took 256 MB
	if !wrongCredential(err) {
		return keys, err
	}
	if operator = clip(operator); operator == "" {
		operator = "unknown"
	}
	a.mu.Lock()
	a.wrong++
	count, note := a.wrong, a.note
	a.mu.Unlock()
	child.NewLog().Warn("a credential for the vault was wrong", "kind", c.Kind, "operator", operator, "count", count)
	if note != nil {
		err = errors.Join(err, note(context.WithoutCancel(ctx), operator, c.Kind))
	}
	return keys, err
}

// count is how many credentials were wrong since the process started.
func (a *attempts) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.wrong
}

// noteBy lets wrong credentials be noted from now on.
func (a *attempts) noteBy(note func(ctx context.Context, operator string, kind gatehouse.CredentialKind) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.note = note
}
