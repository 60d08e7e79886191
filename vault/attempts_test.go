package vault

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// Whatever a wrong credential is shown for, it is counted and stands in the log.
func TestWrongCredentialsAreCounted(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	file := gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: make([]byte, 32)}
	must(t, func() error {
		_, err := in.vault.AddSlot(ctx, operator, gatehouse.Passphrase([]byte(passphrase)), gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: []byte(strings.Repeat("k", 32))}, "")
		return err
	}())
	calls := map[string]func() error{
		"unseal": func() error { _, _, err := in.vault.UnsealWith(ctx, "unseal", wrong(), time.Hour); return err },
		"file":   func() error { _, _, err := in.vault.UnsealWith(ctx, "file", file, time.Hour); return err },
		"slot":   func() error { _, err := in.vault.AddSlot(ctx, "slot", wrong(), wrong(), ""); return err },
		"remove": func() error { return in.vault.RemoveSlot(ctx, "remove", wrong(), "x") },
		"split":  func() error { _, err := in.vault.Split(ctx, "split", wrong(), 2, 3); return err },
		"rotate": func() error { _, _, err := in.vault.Rotate(ctx, "rotate", wrong()); return err },
		"budget": func() error { return in.vault.SetLimits(ctx, "budget", wrong(), plenty, false) },
	}
	for name, call := range calls {
		if err := call(); !wrongCredential(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	st, err := in.vault.Status(ctx)
	must(t, err)
	if st.WrongUnseals != len(calls) {
		t.Errorf("%d wrong credentials are counted as %d", len(calls), st.WrongUnseals)
	}
	events := in.events(t)
	for name := range calls {
		want := "wrong passphrase " + name
		if name == "file" {
			want = "wrong credential file"
		}
		if !slices.Contains(events, want) {
			t.Errorf("the log does not hold %q: %q", want, events)
		}
	}
}
