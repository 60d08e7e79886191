package webhooks

import (
	"context"
	"time"

	"gatehouse"
)

// Test sends a message that says that it is a test. Errors: webhook.unknown.
func (w *Webhooks) Test(ctx context.Context, name string) (gatehouse.Delivery, error) {
	one, err := w.Named(name)
	if err != nil {
		return gatehouse.Delivery{}, err
	}
	d := w.message(one, gatehouse.TestHook, gatehouse.ID{}, w.Now())
	return d, w.Store.AddDeliveries(ctx, w.Place, 0, []gatehouse.Delivery{d})
}

func (w *Webhooks) message(to gatehouse.Webhook, kind gatehouse.WebhookKind, passage gatehouse.ID, at time.Time) gatehouse.Delivery {
	now := w.Now()
	return gatehouse.Delivery{Place: w.Place, ID: gatehouse.NewID(now), Webhook: to.ID, Kind: kind, Passage: passage, At: at.UTC(), State: gatehouse.DeliveryWaits, Next: now.UTC()}
}

// Deliveries lists a webhook's messages, newest first, with an id smaller than before (zero:
// from the newest). Errors: webhook.unknown.
func (w *Webhooks) Deliveries(ctx context.Context, name string, before gatehouse.ID, limit int) ([]gatehouse.Delivery, error) {
	one, err := w.Named(name)
	if err != nil {
		return nil, err
	}
	return w.Store.Deliveries(ctx, w.Place, one.ID, before, limit)
}

// replayPage is how many messages are looked at at a time.
const replayPage = 500

// Replay tries messages again from now on, under the ids that they had: those of a webhook
// that failed since a moment, or all of them. It says how many those are. Errors:
// webhook.unknown.
func (w *Webhooks) Replay(ctx context.Context, name string, since time.Time, all bool) (n int, err error) {
	one, err := w.Named(name)
	if err != nil {
		return 0, err
	}
	var before gatehouse.ID
	for {
		list, err := w.Store.Deliveries(ctx, w.Place, one.ID, before, replayPage)
		if err != nil {
			return n, err
		}
		for _, d := range list {
			before = d.ID
			if d.ID.Time().Before(since) {
				return n, nil
			}
			if d.State == gatehouse.DeliveryWaits || d.State == gatehouse.DeliveryDone && !all {
				continue
			}
			if err := w.again(ctx, d); err != nil {
				return n, err
			}
			n++
		}
		if len(list) < replayPage {
			return n, nil
		}
	}
}

// ReplayOne tries one message again from now on, under the id that it had, whatever became
// of it. Errors: webhook.unknown, webhook.message.
func (w *Webhooks) ReplayOne(ctx context.Context, name string, id gatehouse.ID) error {
	list, err := w.Deliveries(ctx, name, behind(id), 1)
	if err != nil {
		return err
	}
	if len(list) == 0 || list[0].ID != id {
		return gatehouse.Errorf("webhook.message", "messages are remembered for a week; see `gatehouse webhook log`", "there is no such message")
	}
	return w.again(ctx, list[0])
}

func (w *Webhooks) again(ctx context.Context, d gatehouse.Delivery) error {
	d.State, d.Attempts, d.Next, d.Code = gatehouse.DeliveryWaits, 0, w.Now().UTC(), ""
	return w.Store.PutDelivery(ctx, d)
}

// behind is the smallest id that is greater, where there is one: zero, which lists from the
// newest, behind the greatest of all.
func behind(id gatehouse.ID) gatehouse.ID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}
