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

// RuleCmd is about where and when groups may pass.
type RuleCmd struct {
	List    RuleListCmd    `cmd:"" help:"List the rules."`
	Set     RuleSetCmd     `cmd:"" help:"Make or replace a rule; the gates know at once."`
	Remove  RuleRemoveCmd  `cmd:"" help:"Remove a rule."`
	Changes RuleChangesCmd `cmd:"" help:"List who changed what: every version of groups, rules, schedules and holidays."`
}

// RuleArg names a rule.
type RuleArg struct {
	Rule string `arg:"" help:"The rule's id: lower-case letters, digits and hyphens."`
}

// RuleListCmd lists the rules.
type RuleListCmd struct{}

// Run lists them.
func (RuleListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Rules, error) { return a.Rules(ctx) }, out.accessRules)
}

func (o *Out) accessRules(got wire.Rules) {
	if len(got.Rules) == 0 {
		o.Say("there are no rules yet: `gatehouse rule set night --group night-cleaning --gate front-door --schedule nights`")
	}
	for _, r := range got.Rules {
		var gates []string
		for _, g := range r.Gates {
			gates = append(gates, string(g))
		}
		days := ""
		if r.From != "" || r.Until != "" {
			days = fmt.Sprintf("  from %s until %s", orAny(r.From), orAny(r.Until))
		}
		o.Say("%-20s  %-20s  at %s  %s%s", r.ID, r.Group, strings.Join(gates, " "), r.Schedule, days)
	}
}

func orAny(d gatehouse.Date) string {
	if d == "" {
		return "any day"
	}
	return string(d)
}

// RuleSetCmd makes a rule.
type RuleSetCmd struct {
	RuleArg
	Group    string   `required:"" help:"Whom it is about." placeholder:"GROUP"`
	Gate     []string `required:"" help:"Where it counts; * for every gate. May be repeated." placeholder:"GATE"`
	Schedule string   `help:"When: a schedule's name, or always." default:"always" placeholder:"SCHEDULE"`
	From     string   `help:"The first day." placeholder:"YYYY-MM-DD"`
	Until    string   `help:"The last day." placeholder:"YYYY-MM-DD"`
}

// Run makes it.
func (cmd RuleSetCmd) Run(ctx context.Context, out *Out) error {
	r := wire.AccessRule{ID: gatehouse.RuleID(cmd.Rule), Group: gatehouse.GroupID(cmd.Group), Schedule: cmd.Schedule, From: gatehouse.Date(cmd.From), Until: gatehouse.Date(cmd.Until)}
	for _, g := range cmd.Gate {
		r.Gates = append(r.Gates, gatehouse.GateID(g))
	}
	return changeRules(ctx, out, func(a api.Admin) (wire.Rules, error) { return a.PutRule(ctx, r) }, out.accessRules)
}

// RuleRemoveCmd removes a rule.
type RuleRemoveCmd struct{ RuleArg }

// Run removes it.
func (cmd RuleRemoveCmd) Run(ctx context.Context, out *Out) error {
	return changeRules(ctx, out, func(a api.Admin) (wire.Rules, error) { return a.RemoveRule(ctx, cmd.Rule) }, out.accessRules)
}

// RuleChangesCmd lists versions.
type RuleChangesCmd struct {
	Limit int `help:"How many, the newest first." default:"100"`
}

// Run lists them, one line a version.
func (cmd RuleChangesCmd) Run(ctx context.Context, out *Out) error {
	return out.withAdmin(ctx, func(admin api.Admin) error {
		all, before := []wire.RuleChange{}, uint64(0)
		for len(all) < cmd.Limit {
			page, err := admin.RuleChanges(ctx, before)
			if err != nil {
				return err
			}
			all = append(all, page.Changes...)
			if before = page.Next; before == 0 {
				break
			}
		}
		if all = all[:min(len(all), max(0, cmd.Limit))]; out.JSON {
			return out.Object(map[string]any{"changes": all})
		}
		for _, c := range all {
			out.ruleChange(c)
		}
		return nil
	})
}

func (o *Out) ruleChange(c wire.RuleChange) {
	members := ""
	for _, id := range c.Members {
		members += " " + id.String()
	}
	o.Say("%6d  %s  %s  %s %s %s%s", c.Version, c.At.Local().Format(time.DateTime), c.By, c.Event, c.Kind, c.ID, members)
}
