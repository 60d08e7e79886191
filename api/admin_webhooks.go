package api

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// WebhooksAdmin manages where events are posted. A webhook is named by its name; an
// unknown one is webhook.unknown.
type WebhooksAdmin interface {
	// AddWebhook: webhook.name, webhook.exists, webhook.address, webhook.private,
	// webhook.kinds, webhook.gates, webhook.too_many.
	AddWebhook(ctx context.Context, r wire.WebhookAddRequest) (wire.WebhookAddResponse, error)
	Webhooks(ctx context.Context) (wire.WebhooksResponse, error)
	RemoveWebhook(ctx context.Context, name string) error
	// PauseWebhook stops sending to it, or goes on.
	PauseWebhook(ctx context.Context, name string, r wire.WebhookPauseRequest) error
	// TestWebhook sends a message that says that it is a test.
	TestWebhook(ctx context.Context, name string) (wire.Delivery, error)
	// Deliveries lists the newest messages before a cursor (zero: from the newest).
	Deliveries(ctx context.Context, name string, before gatehouse.ID, limit int) (wire.DeliveriesResponse, error)
	// ReplayWebhook sends messages again, under the ids that they had: webhook.message.
	ReplayWebhook(ctx context.Context, name string, r wire.ReplayRequest) (wire.ReplayResponse, error)
}

func (a *API) webhooksRoutes() []auth.Route {
	on := func(pattern string, h http.HandlerFunc) auth.Route {
		return auth.Route{Pattern: pattern, Policy: auth.OnSocket, Handler: h}
	}
	return []auth.Route{
		on("GET /admin/v1/webhooks", func(w http.ResponseWriter, r *http.Request) { tell(a, w, r, http.StatusOK, a.o.Admin.Webhooks) }),
		on("POST /admin/v1/webhooks", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.AddWebhook)
		}),
		on("DELETE /admin/v1/webhooks/{name}", func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, a.o.Admin.RemoveWebhook(ctx, r.PathValue("name"))
			})
		}),
		on("PUT /admin/v1/webhooks/{name}/paused", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.WebhookPauseRequest) (struct{}, error) {
				return struct{}{}, a.o.Admin.PauseWebhook(ctx, r.PathValue("name"), q)
			})
		}),
		on("POST /admin/v1/webhooks/{name}/test", func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusCreated, func(ctx context.Context) (wire.Delivery, error) {
				return a.o.Admin.TestWebhook(ctx, r.PathValue("name"))
			})
		}),
		on("POST /admin/v1/webhooks/{name}/replay", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.ReplayRequest) (wire.ReplayResponse, error) {
				return a.o.Admin.ReplayWebhook(ctx, r.PathValue("name"), q)
			})
		}),
		on("GET /admin/v1/webhooks/{name}/deliveries", a.deliveries),
	}
}

func (a *API) deliveries(w http.ResponseWriter, r *http.Request) {
	limit, err := limitOf(r)
	before, err2 := cursorOf(r, "before")
	if err == nil {
		err = err2
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.DeliveriesResponse, error) {
		return a.o.Admin.Deliveries(ctx, r.PathValue("name"), before, limit)
	})
}
