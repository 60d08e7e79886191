package api

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// SecretsAdmin keeps what other programs ask for: names and dates come out again, the
// secrets do not.
type SecretsAdmin interface {
	// SetSecret: name.malformed, secret.malformed.
	SetSecret(ctx context.Context, name string, value gatehouse.Secret) error
	Secrets(ctx context.Context) (wire.SecretsResponse, error)
	// RemoveSecret: secret.unknown.
	RemoveSecret(ctx context.Context, name string) error
}

func (a *API) secretsRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /admin/v1/secrets", Policy: auth.OnSocket, Handler: a.secrets},
		{Pattern: "PUT /admin/v1/secrets/{name}", Policy: auth.OnSocket, Handler: a.setSecret},
		{Pattern: "DELETE /admin/v1/secrets/{name}", Policy: auth.OnSocket, Handler: a.removeSecret},
	}
}

func (a *API) secrets(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.Secrets)
}

func (a *API) setSecret(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.SecretRequest) (struct{}, error) {
		return struct{}{}, a.o.Admin.SetSecret(ctx, r.PathValue("name"), gatehouse.Secret(q.Value))
	})
}

func (a *API) removeSecret(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, a.o.Admin.RemoveSecret(ctx, r.PathValue("name"))
	})
}
