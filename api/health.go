package api

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
	"gatehouse/auth"
)

// HealthAdmin says how the site's parts are doing.
type HealthAdmin interface {
	Health(ctx context.Context) (wire.Health, error)
}

func (a *API) healthRoutes() []auth.Route {
	return []auth.Route{{Pattern: "GET /admin/v1/health", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
		tell(a, w, r, http.StatusOK, a.o.Admin.Health)
	}}}
}
