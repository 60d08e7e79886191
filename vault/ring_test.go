package vault

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault/custody/custodytest"
	"gatehouse/vault/shares"
)

func phrase(text string) gatehouse.Credential { return gatehouse.Passphrase([]byte(text)) }

func randomFile(t testing.TB) gatehouse.Credential {
	t.Helper()
	c := gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: make([]byte, 32)}
	_, _ = rand.Read(c.Secret)
	return c
}

func (in *installation) mustUnseal(t testing.TB, c gatehouse.Credential) {
	t.Helper()
	_, _, err := in.vault.UnsealWith(t.Context(), operator, c, time.Hour)
	must(t, err)
}

func (in *installation) keyEvents(t testing.TB) (events []string) {
	t.Helper()
	must(t, in.vault.Close())
	defer in.open(t)
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, auditFile))
	must(t, err)
	audit, err := openAudit(t.Context(), in.options.Dir, key)
	must(t, err)
	defer audit.db.Close()
	rows, err := audit.db.Readers().Query(`SELECT leaf FROM leaves ORDER BY n`)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var b []byte
		must(t, rows.Scan(&b))
		kind, _, parts, err := gatehouse.LeafParts(b)
		must(t, err)
		if kind == gatehouse.KeyLeafKind {
			events = append(events, string(parts[0]))
		}
	}
	return events
}

// Several slots open one key, each of its own kind; the last one stays.
func TestSlots(t *testing.T) {
	in := install(t)
	ref := in.sealOne(t, gatehouse.RandomID(), "LS15EBC")
	file := randomFile(t)
	tpm := gatehouse.Credential{Kind: gatehouse.TPMCredential, Source: custodytest.TPM(t), Secret: []byte("auth")}
	second := phrase("another horse battery")
	ctx, v := t.Context(), in.vault

	_, err := v.AddSlot(ctx, operator, phrase("wrong horse battery"), file, "")
	wantCode(t, err, "vault.passphrase")
	_, err = v.AddSlot(ctx, operator, phrase(passphrase), phrase("short"), "")
	wantCode(t, err, "vault.passphrase_short")
	_, err = v.AddSlot(ctx, operator, phrase(passphrase), file, strings.Repeat("x", maxLabel+1))
	wantCode(t, err, "vault.label")
	_, _, err = v.UnsealWith(ctx, operator, file, time.Hour)
	wantCode(t, err, "vault.no_slot")

	fileSlot, err := v.AddSlot(ctx, operator, phrase(passphrase), file, "stick in the safe")
	must(t, err)
	_, err = v.AddSlot(ctx, operator, file, tpm, "")
	must(t, err)
	_, err = v.AddSlot(ctx, operator, tpm, second, "deputy")
	must(t, err)
	for _, c := range []gatehouse.Credential{phrase(passphrase), file, tpm, second} {
		must(t, v.SealVault(ctx))
		in.mustUnseal(t, c)
	}
	_, _, err = v.UnsealWith(ctx, operator, randomFile(t), time.Hour)
	wantCode(t, err, "vault.credential")
	tpm.Secret = []byte("no")
	_, _, err = v.UnsealWith(ctx, operator, tpm, time.Hour)
	wantCode(t, err, "vault.credential")
	if got := in.opened(t, ref); string(got[0]) != "LS15EBC" {
		t.Errorf("opened %q", got)
	}

	st, err := v.KeysStatus(ctx)
	must(t, err)
	if len(st.Keys) != 1 || st.Keys[0].Name != st.Current || len(st.Keys[0].Slots) != 4 || st.Keys[0].Slots[1].Label != "stick in the safe" || st.Keys[0].Chains == 0 {
		t.Fatalf("status %+v", st)
	}
	if s, err := v.Status(ctx); err != nil || s.WrongUnseals != 3 {
		t.Errorf("%d wrong credentials were counted, %v", s.WrongUnseals, err)
	}

	wantCode(t, v.RemoveSlot(ctx, operator, file, fileSlot), "vault.slot_in_use")
	wantCode(t, v.RemoveSlot(ctx, operator, second, "00000000"), "vault.no_slot")
	must(t, v.RemoveSlot(ctx, operator, second, fileSlot))
	_, _, err = v.UnsealWith(ctx, operator, file, time.Hour)
	wantCode(t, err, "vault.no_slot")
	for _, slot := range st.Keys[0].Slots {
		if slot.ID != fileSlot && slot.Label != "deputy" {
			must(t, v.RemoveSlot(ctx, operator, second, slot.ID))
		}
	}
	wantCode(t, v.RemoveSlot(ctx, operator, second, st.Keys[0].Slots[3].ID), "vault.last_slot")
	in.reopen(t)
	in.mustUnseal(t, second)
	if got, want := in.keyEvents(t), []string{"slot added", "slot added", "slot added", "slot removed", "slot removed", "slot removed"}; !slices.Equal(got, want) {
		t.Errorf("the log says %q, want %q", got, want)
	}
}

// A vault.key of the first version is one passphrase slot, and becomes a keyring when
// it is changed.
func TestFirstVersionsKeyFile(t *testing.T) {
	in := install(t)
	must(t, in.vault.Close())
	path := filepath.Join(in.options.Dir, privateKeyFile)
	ring, err := readKeyring(in.options.Dir)
	must(t, err)
	// The wrapping alone, as it lay there.
	must(t, os.WriteFile(path, ring.Keys[0].Slots[0].Data, 0o600))
	in.open(t)
	in.unseal(t)
	_, _, err = in.vault.Unseal(t.Context(), operator, "wrong horse battery", time.Hour)
	wantCode(t, err, "vault.passphrase")
	_, err = in.vault.AddSlot(t.Context(), operator, phrase(passphrase), phrase("another horse battery"), "")
	must(t, err)
	in.mustUnseal(t, phrase("another horse battery"))
	in.unseal(t)
}

func TestDamagedKeyring(t *testing.T) {
	in := install(t)
	path := filepath.Join(in.options.Dir, privateKeyFile)
	good, err := os.ReadFile(path)
	must(t, err)
	change := func(f func(*keyring)) []byte {
		var r keyring
		must(t, json.Unmarshal(good, &r))
		f(&r)
		b, err := json.Marshal(r)
		must(t, err)
		return b
	}
	other, _, err := newRingKey()
	must(t, err)
	for name, b := range map[string][]byte{
		"empty":               {},
		"no JSON":             []byte("keys: none"),
		"huge":                bytes.Repeat([]byte(" "), maxKeyring+1),
		"another version":     change(func(r *keyring) { r.Version = 2 }),
		"no keys":             change(func(r *keyring) { r.Keys = nil }),
		"a null key":          change(func(r *keyring) { r.Keys[0] = nil }),
		"a false name":        change(func(r *keyring) { r.Keys[0].Name = "0123456789abcdef" }),
		"the same key twice":  change(func(r *keyring) { r.Keys = append(r.Keys, r.Keys[0]) }),
		"another public key":  change(func(r *keyring) { r.Keys[0].Name, r.Keys[0].Public = other.Name, other.Public }),
		"slots without an id": change(func(r *keyring) { r.Keys[0].Slots[0].ID = "" }),
		"a slot of nothing":   change(func(r *keyring) { r.Keys[0].Slots[0].Data = nil }),
		"retired":             change(func(r *keyring) { now := time.Now(); r.Keys[0].Retired = &now }),
	} {
		must(t, os.WriteFile(path, b, 0o600))
		_, _, err := in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
		if gatehouse.ErrorCode(err) != "vault.key_damaged" {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, os.WriteFile(path, good, 0o600))
	in.unseal(t)
}

// The shares open the vault when everything else that opens it is lost.
func TestSplitAndRecover(t *testing.T) {
	in := install(t)
	ref := in.sealOne(t, gatehouse.RandomID(), "LS15EBC")
	_, err := in.vault.Split(t.Context(), operator, phrase("wrong horse battery"), 2, 3)
	wantCode(t, err, "vault.passphrase")
	_, err = in.vault.Split(t.Context(), operator, phrase(passphrase), 4, 3)
	wantCode(t, err, "shares.threshold")
	texts, err := in.vault.Split(t.Context(), operator, phrase(passphrase), 2, 3)
	must(t, err)
	var all []shares.Share
	for _, text := range texts {
		s, err := shares.Parse(text.Reveal())
		must(t, err)
		all = append(all, s)
	}
	fresh := phrase("a wholly new phrase")
	_, err = Recover(t.Context(), in.options.Dir, all[:1], fresh, "")
	wantCode(t, err, "shares.too_few")
	_, err = Recover(t.Context(), in.options.Dir, all[:2], phrase("short"), "")
	wantCode(t, err, "vault.passphrase_short")

	// Beside the slots that are there.
	name, err := Recover(t.Context(), in.options.Dir, all[1:], fresh, "recovered")
	must(t, err)
	if st, err := in.vault.KeysStatus(t.Context()); err != nil || st.Current != name || len(st.Keys[0].Slots) != 2 {
		t.Errorf("%+v, %v", st, err)
	}
	in.mustUnseal(t, fresh)

	// Another vault's shares.
	elsewhere := install(t)
	_, err = Recover(t.Context(), elsewhere.options.Dir, all, fresh, "")
	wantCode(t, err, "shares.other_key")
	must(t, elsewhere.vault.Close())
	must(t, os.Remove(filepath.Join(elsewhere.options.Dir, privateKeyFile)))
	_, err = Recover(t.Context(), elsewhere.options.Dir, all, fresh, "")
	wantCode(t, err, "shares.other_key")

	// The keyring is lost, and the public key too.
	for _, lost := range [][]string{{privateKeyFile}, {privateKeyFile, publicKeyFile}} {
		must(t, in.vault.Close())
		for _, file := range lost {
			must(t, os.Remove(filepath.Join(in.options.Dir, file)))
		}
		_, err = Recover(t.Context(), in.options.Dir, []shares.Share{all[2], all[0]}, fresh, "")
		must(t, err)
		in.open(t)
		in.mustUnseal(t, fresh)
		_, _, err = in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
		wantCode(t, err, "vault.passphrase")
		proof, _, err := in.vault.UnsealWith(t.Context(), operator, fresh, time.Hour)
		must(t, err)
		plain, err := in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "drill", Reason: "test", Refs: []gatehouse.SealedRef{ref}})
		must(t, err)
		if string(plain[0]) != "LS15EBC" {
			t.Errorf("opened %q", plain)
		}
	}
	_, err = Recover(t.Context(), filepath.Join(in.data, "none"), all, fresh, "")
	wantCode(t, err, "vault.missing")
}

func TestExportAndImport(t *testing.T) {
	in := install(t)
	ref := in.sealOne(t, gatehouse.RandomID(), "LS15EBC")
	b, err := in.vault.Export(t.Context())
	must(t, err)
	must(t, in.vault.Close())
	dir := in.options.Dir
	_, err = ImportKeyring(dir, b)
	wantCode(t, err, "vault.exists")
	must(t, os.Remove(filepath.Join(dir, privateKeyFile)))
	for _, bad := range [][]byte{nil, []byte("{}"), b[:len(b)/2], bytes.Replace(b, []byte(bundleFormat), []byte("another"), 1)} {
		_, err = ImportKeyring(dir, bad)
		wantCode(t, err, "vault.bundle")
	}
	thiefs := t.TempDir()
	must(t, Init(thiefs, passphrase))
	must(t, os.Remove(filepath.Join(thiefs, privateKeyFile)))
	_, err = ImportKeyring(thiefs, b)
	wantCode(t, err, "vault.key_changed")
	must(t, os.Remove(filepath.Join(dir, publicKeyFile)))
	_, err = ImportKeyring(dir, b)
	must(t, err)
	in.open(t)
	if got := in.opened(t, ref); string(got[0]) != "LS15EBC" {
		t.Errorf("opened %q", got)
	}
}
