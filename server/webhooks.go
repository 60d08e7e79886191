package server

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/flow/follow"
	"gatehouse/flow/webhooks"
	"gatehouse/notify"
)

// openWebhooks reads where events are posted.
func (s *Server) openWebhooks() (err error) {
	s.webhooks, err = webhooks.Load(webhooks.Ports{Place: s.site.Place, Working: s.working, Store: s.store, Log: leafLog{s}, Decoder: s.decoder(), Newest: s.store.Newest,
		HasGate: func(id gatehouse.GateID) bool { _, ok := s.site.Gates[id]; return ok }, Public: notify.Public})
	s.deliveries = notify.NewDeliveries(notify.DeliveryOptions{Place: s.site.Place, Store: s.store, Message: s.webhookMessage, Log: s.log,
		Webhook: func(id gatehouse.ID) (gatehouse.Webhook, bool) { return s.webhooks.Webhook(id) }})
	return err
}

// webhookMessage is what a message says now. One about a passage that has expired is not
// sent.
func (s *Server) webhookMessage(ctx context.Context, d gatehouse.Delivery) (body []byte, ok bool, err error) {
	m := wire.WebhookMessage{Type: "gatehouse." + string(d.Kind), Timestamp: d.At, Data: wire.WebhookMessageData{Org: s.site.Place.Org, Site: s.site.Place.Site}}
	if d.Kind != gatehouse.TestHook {
		stored, err := s.store.Passage(ctx, s.site.Place, d.Passage)
		if gatehouse.ErrorCode(err) == "store.not_found" {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		p := api.PassageFacts(stored.Passage)
		m.Data.Passage = &p
	}
	body, err = json.Marshal(m)
	return body, err == nil, err
}

// followWebhooks makes messages of what is committed.
func (s *Server) followWebhooks(ctx context.Context) {
	follow.Run(ctx, s.webhooks.Source(s.store), hookSink{s}, time.Second, s.hooksWake, func(err error) {
		if err != nil {
			s.log.Warn("webhooks are not told what happens; it is tried again", "code", gatehouse.ErrorCode(err))
		}
	})
}

// hookSink sends what became messages at once.
type hookSink struct{ *Server }

// Cursor implements follow.Sink.
func (h hookSink) Cursor(ctx context.Context) (uint64, error) { return h.webhooks.Cursor(ctx) }

// Deal implements follow.Sink.
func (h hookSink) Deal(ctx context.Context, leaves []follow.Leaf) error {
	err := h.webhooks.Deal(ctx, leaves)
	h.deliveries.Wake()
	return err
}

// AddWebhook implements api.WebhooksAdmin.
func (a admin) AddWebhook(ctx context.Context, r wire.WebhookAddRequest) (wire.WebhookAddResponse, error) {
	made, err := a.webhooks.Add(ctx, a.asker(ctx), gatehouse.Webhook{Name: r.Name, URL: r.URL, Kinds: r.Kinds, At: r.Gates, Local: r.Local})
	if err != nil {
		return wire.WebhookAddResponse{}, err
	}
	return wire.WebhookAddResponse{Webhook: wireWebhook(made), Secret: made.Secret.Reveal()}, nil
}

func wireWebhook(w gatehouse.Webhook) wire.Webhook {
	return wire.Webhook{ID: w.ID, Name: w.Name, URL: w.URL, Kinds: w.Kinds, Gates: w.At, Local: w.Local, Paused: w.Paused, By: w.By, Made: w.Made}
}

func wireDelivery(d gatehouse.Delivery) wire.Delivery {
	return wire.Delivery{ID: d.ID, Kind: d.Kind, Passage: d.Passage, At: d.At, State: d.State, Attempts: d.Attempts, Next: d.Next, Tried: d.Tried, Answer: d.Answer, Code: d.Code}
}

// Webhooks implements api.WebhooksAdmin.
func (a admin) Webhooks(ctx context.Context) (wire.WebhooksResponse, error) {
	out := wire.WebhooksResponse{Webhooks: []wire.Webhook{}}
	for _, w := range a.webhooks.List() {
		one := wireWebhook(w)
		last, err := a.store.Deliveries(ctx, a.site.Place, w.ID, gatehouse.ID{}, 1)
		if err != nil {
			return out, err
		}
		for _, d := range last {
			d := wireDelivery(d)
			one.Last = &d
		}
		out.Webhooks = append(out.Webhooks, one)
	}
	return out, nil
}

// RemoveWebhook implements api.WebhooksAdmin.
func (a admin) RemoveWebhook(ctx context.Context, name string) error {
	return a.webhooks.Remove(ctx, a.asker(ctx), name)
}

// PauseWebhook implements api.WebhooksAdmin.
func (a admin) PauseWebhook(ctx context.Context, name string, r wire.WebhookPauseRequest) error {
	return a.webhooks.SetPaused(ctx, a.asker(ctx), name, r.Paused)
}

// TestWebhook implements api.WebhooksAdmin.
func (a admin) TestWebhook(ctx context.Context, name string) (wire.Delivery, error) {
	d, err := a.webhooks.Test(ctx, name)
	a.deliveries.Wake()
	return wireDelivery(d), err
}

// Deliveries implements api.WebhooksAdmin.
func (a admin) Deliveries(ctx context.Context, name string, before gatehouse.ID, limit int) (wire.DeliveriesResponse, error) {
	out := wire.DeliveriesResponse{Deliveries: []wire.Delivery{}}
	list, err := a.webhooks.Deliveries(ctx, name, before, limit)
	for _, d := range list {
		out.Deliveries = append(out.Deliveries, wireDelivery(d))
	}
	if n := len(list); n == limit {
		out.Next = list[n-1].ID
	}
	return out, err
}

// ReplayWebhook implements api.WebhooksAdmin.
func (a admin) ReplayWebhook(ctx context.Context, name string, r wire.ReplayRequest) (wire.ReplayResponse, error) {
	if !r.Message.IsZero() {
		err := a.webhooks.ReplayOne(ctx, name, r.Message)
		a.deliveries.Wake()
		return wire.ReplayResponse{Messages: 1}, err
	}
	n, err := a.webhooks.Replay(ctx, name, r.Since, r.All)
	a.deliveries.Wake()
	return wire.ReplayResponse{Messages: n}, err
}
