package api

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
	"gatehouse/auth"
)

// GateKeyAdmin replaces the gate key.
type GateKeyAdmin interface {
	// RotateGateKey begins a rotation, or goes on with the one that is under way, and
	// answers within about a second: gatekey.failed, gatekey.leftover, filekey.damaged,
	// sealing.altered, and the store's. It is called until it has finished; one that
	// failed is gone on with by the next call.
	RotateGateKey(ctx context.Context) (wire.GateKeyRotation, error)
}

func (a *API) gateKeyRoutes() []auth.Route {
	return []auth.Route{{Pattern: "POST /admin/v1/keys/gate/rotate", Policy: auth.OnSocket, Handler: a.rotateGateKey}}
}

func (a *API) rotateGateKey(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.RotateGateKey)
}
