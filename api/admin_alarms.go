package api

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// AlarmsAdmin keeps the list of alarms.
type AlarmsAdmin interface {
	// Alarms pages them, the newest first, behind before; open leaves out those that
	// somebody has acknowledged.
	Alarms(ctx context.Context, before gatehouse.ID, open bool) (wire.Alarms, error)
	// AcknowledgeAlarm: store.not_found. One that is acknowledged stays as it is.
	AcknowledgeAlarm(ctx context.Context, id gatehouse.ID) error
}

func (a *API) alarmsRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /admin/v1/alarms", Policy: auth.OnSocket, Handler: a.alarms},
		{Pattern: "POST /admin/v1/alarms/{id}/acknowledge", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			id, err := gatehouse.ParseID(r.PathValue("id"))
			if err != nil {
				a.fail(w, r, err)
				return
			}
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, a.o.Admin.AcknowledgeAlarm(ctx, id)
			})
		}},
	}
}

func (a *API) alarms(w http.ResponseWriter, r *http.Request) {
	var before gatehouse.ID
	if s := r.URL.Query().Get("before"); s != "" {
		id, err := gatehouse.ParseID(s)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		before = id
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Alarms, error) {
		return a.o.Admin.Alarms(ctx, before, r.URL.Query().Get("open") != "")
	})
}
