package vault

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/internal/child"
)

// impostor answers as the process at the vault's machine does that speaks TLS: it has
// everything but the old key's private half.
func impostor(t *testing.T, successor func(r *child.Request) (any, [][]byte, error)) *remoteProcess {
	t.Helper()
	r := &remoteProcess{spool: &spool{}}
	r.Remote = child.Connect(child.RemoteSpec{Name: "vault", Called: "the vault's machine", Log: slog.New(slog.DiscardHandler), Dial: func(context.Context) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			_ = child.ServeConn(context.Background(), there, func(_ context.Context, r *child.Request) (any, [][]byte, error) {
				if r.Ready() {
					return nil, nil, nil
				}
				return successor(r)
			}, child.Limits{MaxFrame: 1 << 20, Concurrent: 1, Memory: 1 << 20})
		}()
		return here, nil
	}})
	t.Cleanup(r.Remote.Stop)
	must(t, r.Wait(t.Context()))
	return r
}

// A gate changes the key that it seals to for nobody but who has the old one.
func TestAGateTakesNoKeyWithoutProof(t *testing.T) {
	dir := t.TempDir()
	var all [3]*recipient
	for i := range all {
		key, _, err := newRingKey()
		must(t, err)
		public, err := kem().NewPublicKey(key.Public)
		must(t, err)
		all[i] = &recipient{public, key.Name}
	}
	own, fresh, other := all[0], all[1], all[2]
	must(t, publishKey(dir, own.key))
	v := &Vault{dir: dir}
	v.sealsTo.Store(own)
	guess := make([]byte, 32)
	for name, answer := range map[string][][]byte{
		"no answer":                {fresh.key.Bytes()},
		"an empty one":             {fresh.key.Bytes(), nil},
		"a guessed secret's":       {fresh.key.Bytes(), succession(guess, own.key, fresh.key)},
		"another key's":            {other.key.Bytes(), succession(guess, own.key, fresh.key)},
		"what is no key":           {[]byte("key"), guess},
		"the key of before itself": {own.key.Bytes(), guess},
	} {
		r := impostor(t, func(*child.Request) (any, [][]byte, error) { return fresh.name, answer, nil })
		wantCode(t, v.succeed(t.Context(), r, own), "vault.key_changed")
		if pub, err := readPublicKey(dir); err != nil || publicKeyName(pub) != own.name || v.sealsTo.Load() != own {
			t.Errorf("%s: the gate seals to another key (%v)", name, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, replacedKeysFile)); !os.IsNotExist(err) {
		t.Errorf("a key counts as replaced: %v", err)
	}
}
