package api

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// EraseAdmin is about what goes: erasures, legal holds, retention, fresh file keys.
type EraseAdmin interface {
	// Erase: erase.unknown, erase.again, vault.held, vault.erase_limit, erase.unfinished.
	Erase(ctx context.Context, r wire.EraseRequest) (wire.Erasure, error)
	// Erasing gives the erasures that have not ended.
	Erasing(ctx context.Context) (wire.ErasingResponse, error)
	// Erasure gives a certificate once more: erase.unknown, erase.unfinished.
	Erasure(ctx context.Context, id gatehouse.ID) (wire.Erasure, error)
	// CheckErasure says what is left here of the subject of a certificate.
	CheckErasure(ctx context.Context, e wire.Erasure) (wire.ErasureFindings, error)
	// AddHold: hold.invalid, hold.until, hold.unfinished, vault.reason, vault.sealed.
	AddHold(ctx context.Context, r wire.HoldRequest) (wire.Hold, error)
	Holds(ctx context.Context) (wire.HoldsResponse, error)
	// ExtendHold: hold.unknown, hold.until, vault.sealed.
	ExtendHold(ctx context.Context, id gatehouse.ID, r wire.HoldEndRequest) (wire.HoldsResponse, error)
	// LiftHold: hold.unknown, vault.sealed.
	LiftHold(ctx context.Context, id gatehouse.ID) (wire.HoldsResponse, error)
	Retention(ctx context.Context) (wire.Retention, error)
	// RunRetention takes away now what is over its time.
	RunRetention(ctx context.Context) (wire.RetentionReport, error)
	Databases(ctx context.Context) (wire.DatabasesResponse, error)
	// RewriteDatabase puts one file under a fresh key: store.not_found, store.busy.
	RewriteDatabase(ctx context.Context, r wire.RewriteRequest) (wire.Rewritten, error)
}

func (a *API) eraseRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "POST /admin/v1/erasures", Policy: auth.OnSocket, Handler: a.erase},
		{Pattern: "GET /admin/v1/erasures", Policy: auth.OnSocket, Handler: a.erasing},
		{Pattern: "GET /admin/v1/erasures/{id}", Policy: auth.OnSocket, Handler: a.erasure},
		{Pattern: "POST /admin/v1/erasures/check", Policy: auth.OnSocket, Handler: a.checkErasure},
		{Pattern: "POST /admin/v1/holds", Policy: auth.OnSocket, Handler: a.addHold},
		{Pattern: "GET /admin/v1/holds", Policy: auth.OnSocket, Handler: a.holds},
		{Pattern: "POST /admin/v1/holds/{id}/until", Policy: auth.OnSocket, Handler: a.extendHold},
		{Pattern: "DELETE /admin/v1/holds/{id}", Policy: auth.OnSocket, Handler: a.liftHold},
		{Pattern: "GET /admin/v1/retention", Policy: auth.OnSocket, Handler: a.retention},
		{Pattern: "POST /admin/v1/retention/run", Policy: auth.OnSocket, Handler: a.runRetention},
		{Pattern: "GET /admin/v1/databases", Policy: auth.OnSocket, Handler: a.databases},
		{Pattern: "POST /admin/v1/databases/rewrite", Policy: auth.OnSocket, Handler: a.rewriteDatabase},
	}
}

func (a *API) erase(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, a.o.Admin.Erase)
}

func (a *API) erasing(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.Erasing)
}

// withID answers what ask says of the id in the path.
func withID[A any](a *API, w http.ResponseWriter, r *http.Request, ask func(context.Context, gatehouse.ID) (A, error)) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (A, error) { return ask(ctx, id) })
}

func (a *API) erasure(w http.ResponseWriter, r *http.Request) {
	withID(a, w, r, func(ctx context.Context, id gatehouse.ID) (wire.Erasure, error) { return a.o.Admin.Erasure(ctx, id) })
}

func (a *API) checkErasure(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, a.o.Admin.CheckErasure)
}

func (a *API) addHold(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, a.o.Admin.AddHold)
}

func (a *API) holds(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.Holds)
}

func (a *API) extendHold(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.HoldEndRequest) (wire.HoldsResponse, error) {
		return a.o.Admin.ExtendHold(ctx, id, q)
	})
}

func (a *API) liftHold(w http.ResponseWriter, r *http.Request) {
	withID(a, w, r, func(ctx context.Context, id gatehouse.ID) (wire.HoldsResponse, error) {
		return a.o.Admin.LiftHold(ctx, id)
	})
}

func (a *API) retention(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.Retention)
}

func (a *API) runRetention(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.RunRetention)
}

func (a *API) databases(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.Databases)
}

func (a *API) rewriteDatabase(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, a.o.Admin.RewriteDatabase)
}
