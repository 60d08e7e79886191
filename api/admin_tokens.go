package api

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
	"gatehouse/auth"
)

// TokensAdmin makes and revokes the access tokens of other people's programs.
type TokensAdmin interface {
	// AddToken: token.name, token.exists, token.scopes, token.gates, token.duration,
	// token.too_many.
	AddToken(ctx context.Context, r wire.TokenAddRequest) (wire.TokenAddResponse, error)
	Tokens(ctx context.Context) (wire.TokensResponse, error)
	// RevokeToken: token.unknown.
	RevokeToken(ctx context.Context, name string) error
}

func (a *API) tokensRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /admin/v1/tokens", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, a.o.Admin.Tokens)
		}},
		{Pattern: "POST /admin/v1/tokens", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.AddToken)
		}},
		{Pattern: "DELETE /admin/v1/tokens/{name}", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, a.o.Admin.RevokeToken(ctx, r.PathValue("name"))
			})
		}},
	}
}
