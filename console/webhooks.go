package console

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// Webhooks are where events are posted; flow/webhooks has them. by is who asks.
type Webhooks interface {
	List() []gatehouse.Webhook
	Webhook(id gatehouse.ID) (gatehouse.Webhook, bool)
	Add(ctx context.Context, by string, n gatehouse.Webhook) (gatehouse.Webhook, error)
	SetPaused(ctx context.Context, by, name string, paused bool) error
	Remove(ctx context.Context, by, name string) error
	Test(ctx context.Context, name string) (gatehouse.Delivery, error)
	Deliveries(ctx context.Context, name string, before gatehouse.ID, limit int) ([]gatehouse.Delivery, error)
	Replay(ctx context.Context, name string, since time.Time, all bool) (n int, err error)
	ReplayOne(ctx context.Context, name string, id gatehouse.ID) error
}

// telling is the area of webhooks.
var telling = area{
	pages:  []string{"webhooks", "webhook"},
	routes: (*Console).webhooksRoutes,
	nav:    []entry{{"nav.site", "webhooks", "/webhooks", "webhooks.title", gatehouse.ManagePrograms}},
}

func (c *Console) webhooksRoutes() []auth.Route {
	if c.o.Webhooks == nil {
		return nil
	}
	see, change := auth.Needs(gatehouse.ManagePrograms), auth.NeedsFresh(gatehouse.ManagePrograms)
	one := func(what string, do func(r *http.Request, hook gatehouse.Webhook) error) auth.Route {
		return auth.Route{Pattern: "POST /webhooks/{id}/" + what, Policy: change, Page: "/webhooks/{id}", Handler: c.changeWebhook(do)}
	}
	pause := func(paused bool) func(*http.Request, gatehouse.Webhook) error {
		return func(r *http.Request, hook gatehouse.Webhook) error {
			return c.o.Webhooks.SetPaused(r.Context(), who(r).Operator, hook.Name, paused)
		}
	}
	return []auth.Route{
		{Pattern: "GET /webhooks", Policy: see, Handler: func(w http.ResponseWriter, r *http.Request) { c.webhooks(w, r, http.StatusOK, "", gatehouse.Webhook{}) }},
		{Pattern: "POST /webhooks", Policy: change, Handler: c.addWebhook, Page: "/webhooks"},
		{Pattern: "GET /webhooks/{id}", Policy: see, Handler: c.webhook},
		one("pause", pause(true)),
		one("resume", pause(false)),
		one("remove", func(r *http.Request, hook gatehouse.Webhook) error {
			return c.o.Webhooks.Remove(r.Context(), who(r).Operator, hook.Name)
		}),
		one("test", func(r *http.Request, hook gatehouse.Webhook) error {
			_, err := c.o.Webhooks.Test(r.Context(), hook.Name)
			return err
		}),
		one("replay", func(r *http.Request, hook gatehouse.Webhook) error {
			_, err := c.o.Webhooks.Replay(r.Context(), hook.Name, time.Time{}, false)
			return err
		}),
		one("messages/{n}/replay", func(r *http.Request, hook gatehouse.Webhook) error {
			id, err := gatehouse.ParseID(r.PathValue("n"))
			if err != nil {
				return err
			}
			return c.o.Webhooks.ReplayOne(r.Context(), hook.Name, id)
		}),
	}
}

type webhooksBody struct {
	List    listing
	None    bool // there is none at all
	Rows    []webhookRow
	Kinds   []gatehouse.WebhookKind
	Gates   []gatehouse.Gate
	Problem string
	Filled  gatehouse.Webhook // what the form held that was refused
}

type webhookRow struct {
	gatehouse.Webhook
	Last *gatehouse.Delivery
}

func (c *Console) webhooks(w http.ResponseWriter, r *http.Request, status int, problem string, filled gatehouse.Webhook) {
	b := webhooksBody{List: listingOf(r), Kinds: gatehouse.WebhookKinds, Gates: c.o.Gates, Problem: problem, Filled: filled}
	b.List.Path = "/webhooks" // also where a form answers
	all := c.o.Webhooks.List()
	b.None = len(all) == 0
	for _, hook := range arrange(&b.List, all, func(h gatehouse.Webhook) []string { return []string{h.Name, h.URL} }, by("name", func(h gatehouse.Webhook) string { return h.Name }), by("url", func(h gatehouse.Webhook) string { return h.URL })) {
		newest, err := c.o.Webhooks.Deliveries(r.Context(), hook.Name, gatehouse.ID{}, 1)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		row := webhookRow{Webhook: hook}
		for i := range newest {
			row.Last = &newest[i]
		}
		b.Rows = append(b.Rows, row)
	}
	if b.List.File {
		var out [][]string
		for _, h := range b.Rows {
			last, state := "", ""
			if h.Last != nil {
				last, state = when(h.Last.At), string(h.Last.State)
			}
			out = append(out, []string{h.Name, h.URL, joined(h.Kinds), joined(h.At), strconv.FormatBool(h.Paused), last, state})
		}
		c.file(w, "webhooks", []string{"name", "url", "kinds", "gates", "paused", "newest", "newest_state"}, out)
		return
	}
	c.render(w, r, status, "webhooks", "webhooks.title", "webhooks", b)
}

// addWebhook answers with the secret that signs: it is shown this once. One that leads to
// this machine or a private network is added by command alone: it lets whoever may add it
// post into the network behind the server.
func (c *Console) addWebhook(w http.ResponseWriter, r *http.Request) {
	err := formIn(w, r, maxProgramForm)
	var asked, made gatehouse.Webhook
	if err == nil {
		asked = gatehouse.Webhook{Name: strings.TrimSpace(r.PostForm.Get("name")), URL: strings.TrimSpace(r.PostForm.Get("url")), Kinds: picked[gatehouse.WebhookKind](r, "kind"), At: picked[gatehouse.GateID](r, "gate")}
		if len(asked.Kinds) == 0 {
			err = gatehouse.Errorf("webhook.kinds", "tick at least one", "a webhook without a kind of event is told of nothing")
		} else {
			made, err = c.o.Webhooks.Add(r.Context(), who(r).Operator, asked)
		}
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.webhooks(w, r, status, problem, asked)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.showWebhook(w, r, made, made.Secret.Reveal())
}

type webhookBody struct {
	gatehouse.Webhook
	List   leafing
	States []gatehouse.DeliveryState
	Shown  string // the secret, where it was just made
	Rows   []gatehouse.Delivery
	Failed bool // the page lists messages that were given up
}

func (c *Console) webhook(w http.ResponseWriter, r *http.Request) {
	if hook, ok := c.webhookIn(w, r); ok {
		c.showWebhook(w, r, hook, "")
	}
}

func (c *Console) webhookIn(w http.ResponseWriter, r *http.Request) (hook gatehouse.Webhook, ok bool) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err == nil {
		hook, ok = c.o.Webhooks.Webhook(id)
	}
	if !ok {
		c.fail(w, r, gatehouse.Errorf("webhook.unknown", "", "there is no such webhook"))
	}
	return hook, ok
}

func (c *Console) showWebhook(w http.ResponseWriter, r *http.Request, hook gatehouse.Webhook, secret string) {
	list, err := leafingOf(r, "state")
	list.Path = "/webhooks/" + hook.ID.String()
	b := webhookBody{Webhook: hook, List: list, States: []gatehouse.DeliveryState{gatehouse.DeliveryWaits, gatehouse.DeliveryDone, gatehouse.DeliveryFailed}, Shown: secret}
	state := gatehouse.DeliveryState(list.Is("state"))
	all := grownLog[gatehouse.Delivery]{
		read: func(before gatehouse.ID, limit int) ([]gatehouse.Delivery, error) {
			return c.o.Webhooks.Deliveries(r.Context(), hook.Name, before, limit)
		},
		id:   func(d gatehouse.Delivery) gatehouse.ID { return d.ID },
		fits: func(d gatehouse.Delivery) bool { return state == "" || d.State == state },
		columns: []column[gatehouse.Delivery]{byTime("at", func(d gatehouse.Delivery) time.Time { return d.At }), by("kind", func(d gatehouse.Delivery) string { return string(d.Kind) }),
			by("state", func(d gatehouse.Delivery) string { return string(d.State) }), by("attempts", func(d gatehouse.Delivery) int { return d.Attempts }), byTime("tried", func(d gatehouse.Delivery) time.Time { return d.Tried })},
	}
	if err == nil && list.File {
		leafFile(c, w, r, list, all, "messages", []string{"id", "at", "kind", "passage", "state", "tries", "last_try", "code"}, func(d gatehouse.Delivery) []string {
			passage := ""
			if !d.Passage.IsZero() {
				passage = d.Passage.String()
			}
			return []string{d.ID.String(), when(d.At), string(d.Kind), passage, string(d.State), strconv.Itoa(d.Attempts), when(d.Tried), d.Code}
		})
		return
	}
	if err == nil {
		b.Rows, err = leaf(c, &b.List, all)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	for _, d := range b.Rows {
		b.Failed = b.Failed || d.State == gatehouse.DeliveryFailed
	}
	c.render(w, r, http.StatusOK, "webhook", "webhooks.one", "webhooks", b)
}

// changeWebhook carries out one change of the webhook in the path, and goes back to it.
func (c *Console) changeWebhook(do func(r *http.Request, hook gatehouse.Webhook) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		hook, ok := c.webhookIn(w, r)
		if !ok {
			return
		}
		if err := do(r, hook); err != nil {
			c.fail(w, r, err)
			return
		}
		next := "/webhooks"
		if _, there := c.o.Webhooks.Webhook(hook.ID); there {
			next += "/" + hook.ID.String()
		}
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}
