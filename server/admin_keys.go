package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// Letterbox implements api.KeysAdmin.
func (a admin) Letterbox(ctx context.Context) (wire.Letterbox, error) {
	box, err := a.vault.Letterbox(ctx)
	return wire.Letterbox(box), err
}

// UnsealWith implements api.KeysAdmin.
func (a admin) UnsealWith(ctx context.Context, with gatehouse.Credential, d time.Duration) (wire.VaultStatus, error) {
	if !a.isRunning() {
		return wire.VaultStatus{}, gatehouse.Errorf("server.not_running", "start it with `gatehouse serve`", "there is no running server whose vault could be opened")
	}
	if err := a.unsealWith(ctx, a.operator, with, d); err != nil {
		return wire.VaultStatus{}, err
	}
	return a.vaultStatus(ctx)
}

// unsealWith opens the vault for the site's sessions.
func (s *Server) unsealWith(ctx context.Context, operator string, with gatehouse.Credential, d time.Duration) error {
	err := s.lend.UnsealBy(ctx, operator, func(ctx context.Context, holder string) ([]byte, time.Time, error) {
		return s.vault.UnsealWith(ctx, holder, with, d)
	})
	if err == nil {
		s.hub.VaultChanged()
	}
	return err
}

// UnsealWith opens the vault for the configured time, with any credential.
func (s *Server) UnsealWith(ctx context.Context, with gatehouse.Credential) error {
	return s.unsealWith(ctx, "start", with, s.config.Vault.UnsealedFor)
}

// KeysStatus implements api.KeysAdmin.
func (a admin) KeysStatus(ctx context.Context) (wire.KeysStatus, error) {
	out, err := a.desk.KeysStatus(ctx)
	custody := a.gateKey.Custody()
	out.GateCustody, out.GateCustodyMeans = string(custody), custody.Means()
	return out, err
}

// NoteKey implements api.KeysAdmin.
func (a admin) NoteKey(ctx context.Context, r wire.NoteRequest) error {
	return a.vault.NoteKey(ctx, r.Event, r.Key)
}

// RotateVaultKey implements api.KeysAdmin.
func (a admin) RotateVaultKey(ctx context.Context, r wire.RotateRequest) (wire.RotateResponse, error) {
	rotation, ticket, err := a.vault.Rotate(ctx, a.operator, r.With.Credential())
	return wire.RotateResponse{From: rotation.From, To: rotation.To, Resumed: rotation.Resumed, Left: rotation.Left, OtherSlots: rotation.OtherSlots, Ticket: ticket}, err
}

// RotateVaultBatch implements api.KeysAdmin.
func (a admin) RotateVaultBatch(ctx context.Context, r wire.RotateBatchRequest) (wire.RotateBatchResponse, error) {
	p, err := a.vault.RotateBatch(ctx, r.Ticket)
	return wire.RotateBatchResponse{Moved: p.Moved, Left: p.Left, Damaged: p.Damaged, Done: p.Done}, err
}
