package api

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// ImportAdmin takes many in from a table.
type ImportAdmin interface {
	// ImportCheck checks a table and enrols nobody: sheet.*, grant.*, intake.busy.
	ImportCheck(ctx context.Context, r wire.ImportRequest) (wire.ImportStatus, error)
	// Import says how far one is: intake.gone.
	Import(ctx context.Context, id gatehouse.ID) (wire.ImportStatus, error)
	// ImportStart runs it, or goes on with it: intake.problems, intake.gone.
	ImportStart(ctx context.Context, id gatehouse.ID) (wire.ImportStatus, error)
	// ImportStop stops it after the row that it is at: intake.gone.
	ImportStop(ctx context.Context, id gatehouse.ID) (wire.ImportStatus, error)
}

func (a *API) importRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "POST /admin/v1/imports", Policy: auth.OnSocket, Handler: a.importCheck},
		{Pattern: "GET /admin/v1/imports/{id}", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) { withID(a, w, r, a.o.Admin.Import) }},
		{Pattern: "POST /admin/v1/imports/{id}/start", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) { withID(a, w, r, a.o.Admin.ImportStart) }},
		{Pattern: "POST /admin/v1/imports/{id}/stop", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) { withID(a, w, r, a.o.Admin.ImportStop) }},
	}
}

func (a *API) importCheck(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, a.o.Admin.ImportCheck)
}
