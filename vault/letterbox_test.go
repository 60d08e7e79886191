package vault

import (
	"testing"
	"time"

	"gatehouse"
)

// A credential that somebody sealed opens the vault once; one in clear, or a second time,
// opens nothing.
func TestLetterbox(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	box, err := in.vault.Letterbox(ctx)
	must(t, err)
	st, err := in.vault.Status(ctx)
	must(t, err)
	if box.Vault != st.PublicKey {
		t.Errorf("the letterbox is of %q, the vault is %q", box.Vault, st.PublicKey)
	}
	sealed, err := right().Seal(box)
	must(t, err)
	_, _, err = in.vault.UnsealWith(ctx, operator, sealed, time.Hour)
	must(t, err)
	_, _, err = in.vault.UnsealWith(ctx, operator, sealed, time.Hour)
	wantCode(t, err, "vault.letterbox")
	_, err = in.vault.process.Call(ctx, methodUnseal, unsealRequest{operator, show(right()), time.Hour}, [][]byte{right().Secret}, nil)
	wantCode(t, err, "vault.letterbox")
	in.reopen(t) // its letterboxes end with the process
	box, err = in.vault.Letterbox(ctx)
	must(t, err)
	sealed, err = right().Seal(box)
	must(t, err)
	in.reopen(t)
	_, _, err = in.vault.UnsealWith(ctx, operator, sealed, time.Hour)
	wantCode(t, err, "vault.letterbox")
}

func TestLetterboxesAreFew(t *testing.T) {
	var l letterboxes
	now := time.Now()
	seal := func(box gatehouse.Letterbox) gatehouse.Credential {
		c, err := right().Seal(box)
		must(t, err)
		return c
	}
	first, err := l.make("v", now)
	must(t, err)
	second, err := l.make("v", now)
	must(t, err)
	for range maxLetterboxes - 1 {
		_, err := l.make("v", now)
		must(t, err)
	}
	_, err = l.open(seal(first), now)
	wantCode(t, err, "vault.letterbox")
	_, err = l.open(seal(second), now.Add(letterboxWaits))
	wantCode(t, err, "vault.letterbox")
	third, err := l.make("v", now)
	must(t, err)
	got, err := l.open(seal(third), now.Add(letterboxWaits-1))
	must(t, err)
	if string(got.Secret) != passphrase {
		t.Error("another secret came out")
	}
}
