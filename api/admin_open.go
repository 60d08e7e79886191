package api

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
	"gatehouse/auth"
)

// OpeningAdmin opens gates from afar.
type OpeningAdmin interface {
	// OpenGate records a passage, then opens the gate: gate.unknown, gate.no_actuator,
	// open.reason, server.not_running, and those of sealing and the store.
	OpenGate(ctx context.Context, gate string, r wire.OpenRequest) (wire.OpenResponse, error)
}

func (a *API) openingRoutes() []auth.Route {
	return []auth.Route{{Pattern: "POST /admin/v1/gates/{gate}/open", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
		carry(a, w, r, http.StatusCreated, func(ctx context.Context, q wire.OpenRequest) (wire.OpenResponse, error) {
			return a.o.Admin.OpenGate(ctx, r.PathValue("gate"), q)
		})
	}}}
}
