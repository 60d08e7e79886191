package api

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
	"gatehouse/auth"
)

// TLSAdmin is about the site's own certificate authority.
type TLSAdmin interface {
	// Authority: tls.no_authority, tls.not_local, tls.authority_names.
	Authority(ctx context.Context) (wire.Authority, error)
	// MakeAuthority: tls.authority_known where there is one and Again is not said.
	MakeAuthority(ctx context.Context, r wire.AuthorityRequest) (wire.Authority, error)
}

func (a *API) tlsRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /admin/v1/tls/authority", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, a.o.Admin.Authority)
		}},
		{Pattern: "POST /admin/v1/tls/authority", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.MakeAuthority)
		}},
	}
}
