package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// WebhookCmd is about where events are posted.
type WebhookCmd struct {
	Add    WebhookAddCmd    `cmd:"" help:"Post what happens to an address; prints the secret that signs, once."`
	List   WebhookListCmd   `cmd:"" help:"List the webhooks and their newest message."`
	Log    WebhookLogCmd    `cmd:"" help:"List a webhook's messages, newest first, and what became of each."`
	Test   WebhookTestCmd   `cmd:"" help:"Send a message that says that it is a test."`
	Pause  WebhookPauseCmd  `cmd:"" help:"Send nothing to a webhook for a while; what happens meanwhile it is not told."`
	Resume WebhookResumeCmd `cmd:"" help:"Go on sending to one that was paused."`
	Replay WebhookReplayCmd `cmd:"" help:"Send messages again that were given up, under the ids that they had."`
	Rm     WebhookRmCmd     `cmd:"" help:"Forget a webhook and its messages."`
}

// WebhookAddCmd adds one.
type WebhookAddCmd struct {
	Name  string   `arg:"" help:"Whom it is for."`
	URL   string   `arg:"" help:"https://…"`
	Kind  []string `help:"passage, outcome; both where it is left out." placeholder:"KIND"`
	Gate  []string `help:"Only of this gate; may be given again." placeholder:"GATE"`
	Local bool     `help:"It leads to this machine or a private network, which is refused otherwise; http is allowed then."`
}

// Run adds it.
func (cmd WebhookAddCmd) Run(ctx context.Context, out *Out) error {
	q := wire.WebhookAddRequest{Name: cmd.Name, URL: cmd.URL, Local: cmd.Local}
	for _, k := range cmd.Kind {
		q.Kinds = append(q.Kinds, gatehouse.WebhookKind(k))
	}
	for _, g := range cmd.Gate {
		q.Gates = append(q.Gates, gatehouse.GateID(g))
	}
	return answer(ctx, out, func(a api.Admin) (wire.WebhookAddResponse, error) { return a.AddWebhook(ctx, q) }, func(got wire.WebhookAddResponse) {
		out.Say("%s is told of what happens from now on; its receiver verifies with this secret, which is shown this once:\n%s", got.Name, got.Secret)
	})
}

// WebhookListCmd lists them.
type WebhookListCmd struct{}

// Run lists, one line a webhook.
func (WebhookListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.WebhooksResponse, error) { return a.Webhooks(ctx) }, func(got wire.WebhooksResponse) {
		for _, w := range got.Webhooks {
			var told []string
			for _, k := range w.Kinds {
				told = append(told, string(k))
			}
			for _, g := range w.Gates {
				told = append(told, "at "+string(g))
			}
			last := "no message yet"
			if w.Last != nil {
				last = deliveryWords(*w.Last)
			}
			if w.Paused {
				last = "paused; " + last
			}
			out.Say("%-20s  %-24s  %s  %s", w.Name, strings.Join(told, " "), w.URL, last)
		}
	})
}

func deliveryWords(d wire.Delivery) string {
	words := string(d.State)
	if d.Attempts > 0 {
		words += fmt.Sprintf(", tried %d times", d.Attempts)
	}
	if d.Answer != 0 {
		words += fmt.Sprintf(", status %d", d.Answer)
	}
	if d.Code != "" {
		words += ", " + d.Code
	}
	if d.State == gatehouse.DeliveryWaits && !d.Next.IsZero() {
		words += ", next " + d.Next.Local().Format(time.DateTime)
	}
	return words
}

// WebhookLogCmd lists messages.
type WebhookLogCmd struct {
	Name  string `arg:""`
	Limit int    `help:"The most, up to 200." default:"50"`
}

// Run lists, one line a message.
func (cmd WebhookLogCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.DeliveriesResponse, error) {
		return a.Deliveries(ctx, cmd.Name, gatehouse.ID{}, max(1, min(cmd.Limit, 200)))
	}, func(got wire.DeliveriesResponse) {
		for _, d := range got.Deliveries {
			out.Say("%s  %s  %-8s  %s", d.At.Local().Format(time.DateTime), d.ID, d.Kind, deliveryWords(d))
		}
	})
}

// WebhookTestCmd sends a test.
type WebhookTestCmd struct {
	Name string `arg:""`
}

// Run sends it.
func (cmd WebhookTestCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Delivery, error) { return a.TestWebhook(ctx, cmd.Name) }, func(d wire.Delivery) {
		out.Say("message %s is on its way; `gatehouse webhook log %s` says what became of it", d.ID, cmd.Name)
	})
}

// WebhookReplayCmd sends messages again.
type WebhookReplayCmd struct {
	Name  string        `arg:""`
	Since time.Duration `help:"Of this last time; whatever is remembered, which is a week, where it is left out." placeholder:"24h"`
	All   bool          `help:"Those that arrived, too."`
	// Message is text so that what is no id is said by the code of ids.
	Message string `help:"Only this one, whatever became of it, as 'gatehouse webhook log' shows it." placeholder:"ID"`
}

// Run sends them.
func (cmd WebhookReplayCmd) Run(ctx context.Context, out *Out) error {
	q := wire.ReplayRequest{All: cmd.All}
	if cmd.Since > 0 {
		q.Since = time.Now().Add(-cmd.Since)
	}
	if cmd.Message != "" {
		id, err := gatehouse.ParseID(cmd.Message)
		if err != nil {
			return err
		}
		q.Message = id
	}
	return answer(ctx, out, func(a api.Admin) (wire.ReplayResponse, error) { return a.ReplayWebhook(ctx, cmd.Name, q) }, func(got wire.ReplayResponse) {
		out.Say("%d messages are sent again", got.Messages)
	})
}

// WebhookPauseCmd pauses one.
type WebhookPauseCmd struct {
	Name string `arg:""`
}

// Run pauses it.
func (cmd WebhookPauseCmd) Run(ctx context.Context, out *Out) error {
	return pauseWebhook(ctx, out, cmd.Name, true, "%s is sent nothing until `gatehouse webhook resume %[1]s`")
}

// WebhookResumeCmd ends that.
type WebhookResumeCmd struct {
	Name string `arg:""`
}

// Run goes on.
func (cmd WebhookResumeCmd) Run(ctx context.Context, out *Out) error {
	return pauseWebhook(ctx, out, cmd.Name, false, "%s is told of what happens from now on; what waited for it is sent within a minute")
}

func pauseWebhook(ctx context.Context, out *Out, name string, paused bool, say string) error {
	return answer(ctx, out, func(a api.Admin) (map[string]any, error) {
		return map[string]any{"webhook": name, "paused": paused}, a.PauseWebhook(ctx, name, wire.WebhookPauseRequest{Paused: paused})
	}, func(map[string]any) { out.Say(say, name) })
}

// WebhookRmCmd forgets one.
type WebhookRmCmd struct {
	Name string `arg:""`
}

// Run forgets it.
func (cmd WebhookRmCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (map[string]any, error) {
		return map[string]any{"webhook": cmd.Name, "removed": true}, a.RemoveWebhook(ctx, cmd.Name)
	}, func(map[string]any) { out.Say("%s is told of nothing any more", cmd.Name) })
}
