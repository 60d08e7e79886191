package server

import (
	"testing"

	"gatehouse"
	"gatehouse/api/wire"
)

// A site's key store is checked while it serves, by what the unsealed vault opens; and
// where no server runs, with a credential, after which the vault is sealed again. Of a
// row that was altered it says whose it is.
func TestTheKeyStoreIsChecked(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	ana := enrol(t, s, "B-1", "Ana", nil)
	enrol(t, s, "B-2", "Ben", nil)
	with := wire.KeysCheckRequest{With: wire.Shown(gatehouse.Passphrase([]byte(passphrase)))}
	sound, err := s.Admin().CheckKeys(t.Context(), with)
	if err != nil || !sound.OK || !sound.Opened || sound.Rows < 2 || sound.Readable != sound.Rows {
		t.Errorf("with a passphrase: %+v, %v", sound, err)
	}
	if again, err := s.Admin().CheckKeys(t.Context(), wire.KeysCheckRequest{}); err != nil || again.Opened || !again.OK {
		t.Errorf("the vault was left open, or is not sound: %+v, %v", again, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	alterKeys(t, c, `UPDATE chains SET sealed = zeroblob(48) WHERE hex(subject) = upper('`+ana.String()+`')`)
	s = open(t, c)
	_, stop := audited(t, s)
	if _, err := s.Admin().CheckKeys(t.Context(), with); gatehouse.ErrorCode(err) != "keys.running" {
		t.Errorf("with a passphrase beside a server: %v", err)
	}
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	got, err := s.Admin().CheckKeys(t.Context(), wire.KeysCheckRequest{})
	if err != nil || got.OK || !got.Opened || got.Subjects != 1 || got.Days != 0 || len(got.Damaged) == 0 || got.Damaged[0].Subject != ana || got.Readable >= got.Rows {
		t.Errorf("with an altered row: %+v, %v", got, err)
	}
	stop()
}
