package vault

import (
	"context"
	"os"
	"sync/atomic"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/vault/custody"
)

// A token's module is its maker's code, and a TPM's device is whatever the caller says it
// is. Neither runs in a vault process, which may hold keys: each wrapping and unwrapping
// there has a child of its own, the same command with isolatedEnv in its environment. It
// is given one credential and one secret, and nothing that points a module at files of a
// user: no home, no configuration of p11-kit.
const (
	isolatedEnv = "GATEHOUSE_VAULT_ISOLATED"

	methodWrap   = "wrap"   // header isolatedRequest, attachments: the credential's secret, the seed; reply: its wrapping
	methodUnwrap = "unwrap" // header isolatedRequest, attachments: the credential's secret, the wrapping; reply: the seed
)

type isolatedRequest struct {
	With    shown
	Purpose string
}

// holdsKeys is set in a vault process.
var holdsKeys atomic.Bool

// wrapperOf is custody.New, in a vault process with a child for what is not our own code.
func wrapperOf(c gatehouse.Credential, work int) (custody.Wrapper, error) {
	w, err := custody.New(c, work) // which also refuses a source that makes no sense
	if err == nil && holdsKeys.Load() && (c.Kind == gatehouse.PKCS11Credential || c.Kind == gatehouse.TPMCredential) {
		w = isolated{c}
	}
	return w, err
}

// isolated is a custody.Wrapper in a child process.
type isolated struct{ c gatehouse.Credential }

func (i isolated) Kind() gatehouse.CredentialKind { return i.c.Kind }

func (i isolated) Wrap(ctx context.Context, secret [custody.SecretSize]byte, purpose string) ([]byte, error) {
	defer clear(secret[:])
	return i.ask(ctx, methodWrap, secret[:], purpose)
}

func (i isolated) Unwrap(ctx context.Context, wrapped []byte, purpose string) (secret [custody.SecretSize]byte, err error) {
	b, err := i.ask(ctx, methodUnwrap, wrapped, purpose)
	defer clear(b)
	if err == nil && len(b) != len(secret) {
		err = errIsolated()
	}
	if err == nil {
		copy(secret[:], b)
	}
	return secret, err
}

func errIsolated() error {
	return gatehouse.Errorf("custody.failed", "this is a fault of the program", "the process that asks the token or TPM gave no key")
}

func (i isolated) ask(ctx context.Context, method string, b []byte, purpose string) ([]byte, error) {
	spec := child.Spec{Name: "custody", Exec: append([]string{"/proc/self/exe"}, os.Args[1:]...), Log: child.NewLog(), MaxFrame: 64 << 10,
		Env: append([]string{isolatedEnv + "=1", "GOTRACEBACK=none", "HOME=/dev/null", "XDG_CONFIG_HOME=/dev/null"}, custody.Environ()...)}
	process, err := child.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer process.Stop()
	blobs, err := process.Call(ctx, method, isolatedRequest{show(i.c), purpose}, [][]byte{i.c.Secret, b}, nil)
	if err == nil && len(blobs) != 1 {
		err = errIsolated()
	}
	if err != nil {
		return nil, err
	}
	return blobs[0], nil
}

// runIsolated is the child's side. It is asked once, and ends with its socket.
func runIsolated(ctx context.Context) error {
	if _, err := hardenProcess(); err != nil {
		return err
	}
	answer := func(do func(ctx context.Context, w custody.Wrapper, b []byte, purpose string) ([]byte, error)) child.Handler {
		return func(ctx context.Context, r *child.Request) (any, [][]byte, error) {
			var in isolatedRequest
			if err := withSecrets(r, &in, 2); err != nil {
				return nil, nil, err
			}
			w, err := custody.New(in.With.credential(r.Blobs[0]), 0)
			if err != nil {
				return nil, nil, err
			}
			b, err := do(ctx, w, r.Blobs[1], in.Purpose)
			return nil, [][]byte{b}, err
		}
	}
	return child.Serve(ctx, map[string]child.Handler{
		methodWrap: answer(func(ctx context.Context, w custody.Wrapper, b []byte, purpose string) ([]byte, error) {
			if len(b) != custody.SecretSize {
				return nil, errIsolated()
			}
			return w.Wrap(ctx, [custody.SecretSize]byte(b), purpose)
		}),
		methodUnwrap: answer(func(ctx context.Context, w custody.Wrapper, b []byte, purpose string) ([]byte, error) {
			secret, err := w.Unwrap(ctx, b, purpose)
			return secret[:], err
		}),
	})
}
