package main

import (
	"context"
	"os"

	"gatehouse"
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
			return []string{gatehouse.InsideStays, "open", "waiting", "ambiguous", "left", "lost", "withdrawn"}
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
	"tariff": func(ctx context.Context, s *client.Client) (all []string) {
		got, _ := s.Tariffs(ctx)
		for _, t := range got.Tariffs {
			all = append(all, t.Name)
		}
		return all
	},
	"token": func(ctx context.Context, s *client.Client) (all []string) {
		got, _ := s.Tokens(ctx)
		for _, t := range got.Tokens {
			all = append(all, t.Name)
		}
		return all
	},
	"webhook": func(ctx context.Context, s *client.Client) (all []string) {
		got, _ := s.Webhooks(ctx)
		for _, w := range got.Webhooks {
			all = append(all, w.Name)
		}
		return all
	},
	"login": func(ctx context.Context, s *client.Client) (all []string) {
		got, _ := s.Accounts(ctx)
		for _, a := range got.Accounts {
			all = append(all, a.Login)
		}
		return all
	},
	"group": func(ctx context.Context, s *client.Client) (all []string) {
		got, _ := s.Rules(ctx)
		for _, g := range got.Groups {
			all = append(all, string(g.ID))
		}
		return all
	},
	"rule": func(ctx context.Context, s *client.Client) (all []string) {
		got, _ := s.Rules(ctx)
		for _, r := range got.Rules {
			all = append(all, string(r.ID))
		}
		return all
	},
	"schedule": func(ctx context.Context, s *client.Client) (all []string) {
		got, _ := s.Rules(ctx)
		for _, x := range got.Schedules {
			all = append(all, x.Name)
		}
		return all
	},
	"shift": func(ctx context.Context, s *client.Client) (all []string) {
		got, _ := s.HoursPlans(ctx)
		for _, x := range got.Shifts {
			all = append(all, string(x.ID))
		}
		return all
	},
	"team": func(ctx context.Context, s *client.Client) (all []string) {
		got, _ := s.HoursPlans(ctx)
		for _, x := range got.Teams {
			all = append(all, string(x.ID))
		}
		return all
	},
}
