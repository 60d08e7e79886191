package main

import (
	"context"
	"os"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
	"gatehouse/server"
)

// names are those of what the site has, for a flag or argument called so; none for what is
// not known by a name, such as people. What gatehouse.yml has is there without a server.
func (c *completer) names(of string) []string {
	parent := ""
	if c.node.Parent != nil {
		parent = c.node.Parent.Name
	}
	switch of {
	case "car-park":
		return c.configured(func(s server.Config) (all []string) {
			for _, p := range s.Parking {
				all = append(all, p.ID)
			}
			return all
		})
	case "preset":
		return []string{"cn", "eu", "us", "us-ca"}
	case "state":
		if parent == "parking" {
			return []string{gatehouse.InsideStays, "open", "waiting", "ambiguous", "left", "lost", "withdrawn", gatehouse.UnpaidStays}
		}
	case "name":
		of = parent
	}
	ask, ok := named[of]
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, askWithin)
	defer cancel()
	var all []string
	_ = c.configured(func(s server.Config) []string {
		if running, err := runningServer(s); err == nil && running != nil {
			all = ask(ctx, running)
		}
		return nil
	})
	return all
}

// configured are names that gatehouse.yml has.
func (c *completer) configured(of func(server.Config) []string) []string {
	if c.config == "" {
		c.config = "gatehouse.yml"
	}
	config, err := server.LoadConfig(c.config, os.Environ())
	if err != nil {
		return nil
	}
	return of(config)
}

// named asks a running server for names; what it does not say in time is not offered.
var named = map[string]func(context.Context, *client.Client) []string{
	"tariff":   each((*client.Client).Tariffs, func(r wire.TariffsResponse) []wire.TariffRevision { return r.Tariffs }, func(x wire.TariffRevision) string { return x.Name }),
	"token":    each((*client.Client).Tokens, func(r wire.TokensResponse) []wire.AccessToken { return r.Tokens }, func(x wire.AccessToken) string { return x.Name }),
	"webhook":  each((*client.Client).Webhooks, func(r wire.WebhooksResponse) []wire.Webhook { return r.Webhooks }, func(x wire.Webhook) string { return x.Name }),
	"login":    each((*client.Client).Accounts, func(r wire.AccountsResponse) []wire.Account { return r.Accounts }, func(x wire.Account) string { return x.Login }),
	"group":    each((*client.Client).Rules, func(r wire.Rules) []wire.Group { return r.Groups }, func(x wire.Group) string { return string(x.ID) }),
	"rule":     each((*client.Client).Rules, func(r wire.Rules) []wire.AccessRule { return r.Rules }, func(x wire.AccessRule) string { return string(x.ID) }),
	"schedule": each((*client.Client).Rules, func(r wire.Rules) []wire.Schedule { return r.Schedules }, func(x wire.Schedule) string { return x.Name }),
	"shift":    each((*client.Client).HoursPlans, func(r wire.HoursPlans) []wire.Shift { return r.Shifts }, func(x wire.Shift) string { return string(x.ID) }),
	"team":     each((*client.Client).HoursPlans, func(r wire.HoursPlans) []wire.Team { return r.Teams }, func(x wire.Team) string { return string(x.ID) }),
}

// each takes one name from each thing that an answer of the server lists.
func each[R, T any](ask func(*client.Client, context.Context) (R, error), list func(R) []T, name func(T) string) func(context.Context, *client.Client) []string {
	return func(ctx context.Context, c *client.Client) (all []string) {
		answer, _ := ask(c, ctx)
		for _, x := range list(answer) {
			all = append(all, name(x))
		}
		return all
	}
}
