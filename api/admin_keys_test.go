package api_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// box is the letterbox of the world's vault, which opens everything that comes.
var box, boxKey, errBox = gatehouse.NewLetterbox("k")

func (w *world) Letterbox(context.Context) (wire.Letterbox, error) {
	return wire.Letterbox(box), errBox
}

var right = gatehouse.Credential{Kind: gatehouse.TPMCredential, Source: "/dev/tpmrm0", Secret: []byte("open sesame")}

func opens(sealed wire.Credential) error {
	c, err := sealed.Credential().Open(box, boxKey)
	if err != nil {
		return err
	}
	if string(c.Secret) != "open sesame" || c.Kind != gatehouse.TPMCredential || c.Source != "/dev/tpmrm0" {
		return gatehouse.Errorf("vault.credential", "try again", "this does not open the vault")
	}
	return nil
}

func (w *world) UnsealWith(_ context.Context, with gatehouse.Credential, d time.Duration) (wire.VaultStatus, error) {
	return wire.VaultStatus{Unsealed: true, Until: time.Unix(0, 0).Add(d).UTC()}, opens(wire.Shown(with))
}

func (w *world) KeysStatus(context.Context) (wire.KeysStatus, error) {
	return wire.KeysStatus{Current: "k", Keys: []wire.Key{{Name: "k", Slots: []wire.Slot{{ID: "1", Kind: "tpm"}}}}}, w.fail
}

func (w *world) CheckKeys(_ context.Context, r wire.KeysCheckRequest) (wire.KeysCheck, error) {
	return wire.KeysCheck{OK: true, Rows: 7, Readable: 7, Opened: r.With.Kind != ""}, w.fail
}

func (w *world) AddSlot(_ context.Context, r wire.AddSlotRequest) (wire.AddSlotResponse, error) {
	return wire.AddSlotResponse{Slot: r.Label + "/" + string(r.New.Kind)}, opens(r.With)
}

func (w *world) RemoveSlot(_ context.Context, id string, r wire.RemoveSlotRequest) error {
	if id != "00c0ffee" {
		return gatehouse.Errorf("vault.no_slot", "look", "there is no such slot")
	}
	return opens(r.With)
}

func (w *world) SplitKey(_ context.Context, r wire.SplitRequest) (wire.SplitResponse, error) {
	return wire.SplitResponse{Shares: make([]string, r.Shares)}, opens(r.With)
}

func (w *world) ExportKeys(context.Context) (wire.ExportResponse, error) {
	return wire.ExportResponse{Bundle: []byte("wrapped")}, w.fail
}

func (w *world) NoteKey(_ context.Context, r wire.NoteRequest) error {
	if r.Event != "recovered" || r.Key != "k" {
		return gatehouse.Errorf("request.malformed", "look", "no such event")
	}
	return nil
}

func (w *world) RotateVaultKey(_ context.Context, r wire.RotateRequest) (wire.RotateResponse, error) {
	return wire.RotateResponse{From: "a", To: "b", Left: 7, Ticket: []byte("ticket")}, opens(r.With)
}

func (w *world) RotateVaultBatch(_ context.Context, r wire.RotateBatchRequest) (wire.RotateBatchResponse, error) {
	return wire.RotateBatchResponse{Moved: len(r.Ticket), Done: true}, w.fail
}

func (w *world) SetSecret(_ context.Context, name string, value gatehouse.Secret) error {
	if name != "smtp" || value != "hunter2" {
		return gatehouse.Errorf("secret.malformed", "look", "not that one")
	}
	return nil
}

func (w *world) Secrets(context.Context) (wire.SecretsResponse, error) {
	return wire.SecretsResponse{Secrets: []wire.SecretName{{Name: "smtp"}}}, w.fail
}

func (w *world) RemoveSecret(_ context.Context, name string) error {
	if name != "smtp" {
		return gatehouse.Errorf("secret.unknown", "look", "there is none")
	}
	return nil
}

func TestKeysOverTheSocket(t *testing.T) {
	c, ctx := overSocket(t, &world{}), t.Context()
	with := wire.Shown(right)
	if v, err := c.UnsealWith(ctx, right, 90*time.Second); err != nil || v.Until.Unix() != 90 {
		t.Errorf("%+v, %v", v, err)
	}
	if s, err := c.KeysStatus(ctx); err != nil || s.Keys[0].Slots[0].Kind != gatehouse.TPMCredential {
		t.Errorf("%+v, %v", s, err)
	}
	if got, err := c.CheckKeys(ctx, wire.KeysCheckRequest{With: with}); err != nil || !got.OK || got.Readable != 7 || !got.Opened {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := c.AddSlot(ctx, wire.AddSlotRequest{With: with, New: wire.Credential{Kind: "file", Secret: []byte("new")}, Label: "safe"}); err != nil || got.Slot != "safe/file" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.RemoveSlot(ctx, "00c0ffee", wire.RemoveSlotRequest{With: with}); err != nil {
		t.Error(err)
	}
	if got, err := c.SplitKey(ctx, wire.SplitRequest{With: with, Shares: 5}); err != nil || len(got.Shares) != 5 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := c.ExportKeys(ctx); err != nil || string(got.Bundle) != "wrapped" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.NoteKey(ctx, wire.NoteRequest{Event: "recovered", Key: "k"}); err != nil {
		t.Error(err)
	}
	r, err := c.RotateVaultKey(ctx, wire.RotateRequest{With: with})
	if err != nil || r.Left != 7 {
		t.Errorf("%+v, %v", r, err)
	}
	if p, err := c.RotateVaultBatch(ctx, wire.RotateBatchRequest{Ticket: r.Ticket}); err != nil || p.Moved != 6 || !p.Done {
		t.Errorf("%+v, %v", p, err)
	}
	for code, err := range map[string]error{
		"vault.credential": func() error { _, err := c.UnsealWith(ctx, gatehouse.Passphrase([]byte("x")), time.Hour); return err }(),
		"vault.duration":   func() error { _, err := c.UnsealWith(ctx, right, 25*time.Hour); return err }(),
		"vault.no_slot":    c.RemoveSlot(ctx, "1", wire.RemoveSlotRequest{With: with}),
	} {
		if gatehouse.ErrorCode(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
}

func TestSecretsOverTheSocket(t *testing.T) {
	c, ctx := overSocket(t, &world{}), t.Context()
	if err := c.SetSecret(ctx, "smtp", "hunter2"); err != nil {
		t.Error(err)
	}
	if got, err := c.Secrets(ctx); err != nil || len(got.Secrets) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.RemoveSecret(ctx, "smtp"); err != nil {
		t.Error(err)
	}
	if err := c.RemoveSecret(ctx, "s3"); gatehouse.ErrorCode(err) != "secret.unknown" {
		t.Error(err)
	}
}

// What holds a credential or a share says nothing of it where it is printed or logged.
func TestKeyRequestsAreRedacted(t *testing.T) {
	secret := wire.Credential{Kind: "passphrase", Secret: []byte("open sesame")}
	for _, v := range []slog.LogValuer{wire.UnsealWithRequest{With: secret}, wire.AddSlotRequest{With: secret}, wire.RemoveSlotRequest{With: secret}, wire.SplitRequest{With: secret},
		wire.SplitResponse{Shares: []string{"open sesame"}}, wire.RotateRequest{With: secret}, wire.KeysCheckRequest{With: secret}, wire.SecretRequest{Value: "open sesame"}, secret, secret.Credential()} {
		if text := v.LogValue().String(); strings.Contains(text, "sesame") || text == "" {
			t.Errorf("%T logs %q", v, text)
		}
	}
}
