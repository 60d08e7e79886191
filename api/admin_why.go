package api

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
	"gatehouse/auth"
)

// WhyAdmin explains decisions.
type WhyAdmin interface {
	// Why: gate.unknown, store.not_found, why.by.
	Why(ctx context.Context, r wire.WhyRequest) (wire.Why, error)
}

func (a *API) whyRoutes() []auth.Route {
	return []auth.Route{{Pattern: "POST /admin/v1/why", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
		carry(a, w, r, http.StatusOK, a.o.Admin.Why)
	}}}
}
