package api

import (
	"context"
	"net/http"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// KeysAdmin is what an administrator does to the vault's keys. What changes a key takes
// a credential that opens it; wrong ones are counted by the vault.
type KeysAdmin interface {
	// Letterbox gives a key of the vault process to seal one credential to: vault.elsewhere.
	Letterbox(ctx context.Context) (wire.Letterbox, error)
	// UnsealWith opens the vault: vault.passphrase, vault.credential, vault.duration. The
	// proof stays with the callee, for the operator "admin-socket".
	UnsealWith(ctx context.Context, with gatehouse.Credential, d time.Duration) (wire.VaultStatus, error)
	KeysStatus(ctx context.Context) (wire.KeysStatus, error)
	// CheckKeys looks at every row of the key store. With a credential, which only a site
	// that no server runs on needs, it opens their seeds as well.
	CheckKeys(ctx context.Context, r wire.KeysCheckRequest) (wire.KeysCheck, error)
	// AddSlot: vault.passphrase, vault.credential, vault.no_slot, vault.passphrase_short,
	// vault.label, vault.slots_full.
	AddSlot(ctx context.Context, r wire.AddSlotRequest) (wire.AddSlotResponse, error)
	// RemoveSlot: vault.last_slot, vault.slot_in_use, vault.no_slot.
	RemoveSlot(ctx context.Context, id string, r wire.RemoveSlotRequest) error
	// SplitKey: shares.threshold.
	SplitKey(ctx context.Context, r wire.SplitRequest) (wire.SplitResponse, error)
	ExportKeys(ctx context.Context) (wire.ExportResponse, error)
	// NoteKey notes what was done to the keyring's files by themselves.
	NoteKey(ctx context.Context, r wire.NoteRequest) error
	// RotateVaultKey begins a rotation or goes on with one; RotateVaultBatch does a part
	// of it, until it is done. vault.rotation: begin it again.
	RotateVaultKey(ctx context.Context, r wire.RotateRequest) (wire.RotateResponse, error)
	RotateVaultBatch(ctx context.Context, r wire.RotateBatchRequest) (wire.RotateBatchResponse, error)
}

func (a *API) keysRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /admin/v1/keys", Policy: auth.OnSocket, Handler: a.keysStatus},
		{Pattern: "POST /admin/v1/keys/check", Policy: auth.OnSocket, Handler: a.checkKeys},
		{Pattern: "POST /admin/v1/keys/letterbox", Policy: auth.OnSocket, Handler: a.letterbox},
		{Pattern: "POST /admin/v1/keys/unseal", Policy: auth.OnSocket, Handler: a.unsealWith},
		{Pattern: "POST /admin/v1/keys/slots", Policy: auth.OnSocket, Handler: a.addSlot},
		{Pattern: "POST /admin/v1/keys/slots/{id}/remove", Policy: auth.OnSocket, Handler: a.removeSlot},
		{Pattern: "POST /admin/v1/keys/split", Policy: auth.OnSocket, Handler: a.splitKey},
		{Pattern: "POST /admin/v1/keys/export", Policy: auth.OnSocket, Handler: a.exportKeys},
		{Pattern: "POST /admin/v1/keys/note", Policy: auth.OnSocket, Handler: a.noteKey},
		{Pattern: "POST /admin/v1/keys/rotate/vault", Policy: auth.OnSocket, Handler: a.rotateVaultKey},
		{Pattern: "POST /admin/v1/keys/rotate/vault/batch", Policy: auth.OnSocket, Handler: a.rotateVaultBatch},
	}
}

func (a *API) keysStatus(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.KeysStatus)
}

func (a *API) checkKeys(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, a.o.Admin.CheckKeys)
}

func (a *API) letterbox(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.Letterbox)
}

func (a *API) unsealWith(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.UnsealWithRequest) (wire.VaultStatus, error) {
		if q.Seconds < 1 || q.Seconds > 24*60*60 {
			return wire.VaultStatus{}, gatehouse.Errorf("vault.duration", "say up to 24 hours", "the vault cannot be unsealed for that long")
		}
		return a.o.Admin.UnsealWith(ctx, q.With.Credential(), time.Duration(q.Seconds)*time.Second)
	})
}

func (a *API) addSlot(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, a.o.Admin.AddSlot)
}

func (a *API) removeSlot(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.RemoveSlotRequest) (struct{}, error) {
		return struct{}{}, a.o.Admin.RemoveSlot(ctx, r.PathValue("id"), q)
	})
}

func (a *API) splitKey(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, a.o.Admin.SplitKey)
}

func (a *API) exportKeys(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.ExportKeys)
}

func (a *API) noteKey(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.NoteRequest) (struct{}, error) {
		return struct{}{}, a.o.Admin.NoteKey(ctx, q)
	})
}

func (a *API) rotateVaultKey(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, a.o.Admin.RotateVaultKey)
}

func (a *API) rotateVaultBatch(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, a.o.Admin.RotateVaultBatch)
}
