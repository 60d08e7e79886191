package api

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
	"gatehouse/auth"
)

// SearchAdmin searches the archive. The operator is the session's that ctx carries, or
// the admin socket's.
type SearchAdmin interface {
	// Search: vault.sealed, vault.reason, search.malformed.
	Search(ctx context.Context, r wire.SearchRequest) (wire.SearchResponse, error)
}

// maxSearch bounds a search request, in bytes.
const maxSearch = 16 << 10

func (a *API) searchRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "POST /admin/v1/search", Policy: auth.OnSocket, Handler: a.search},
	}
}

// search answers with one page. The query is in the body, since addresses are logged
// in many places.
func (a *API) search(w http.ResponseWriter, r *http.Request) {
	q := wire.SearchRequest{Limit: 50}
	if err := decode(w, r, maxSearch, &q); err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.SearchResponse, error) { return a.o.Admin.Search(ctx, q) })
}
