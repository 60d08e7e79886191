package main

import (
	"context"
	"strings"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// WhyCmd explains a decision.
type WhyCmd struct {
	Subject string `required:"" help:"The subject's id, as 'gatehouse people' shows it." placeholder:"ID"`
	Gate    string `required:"" help:"The gate." placeholder:"GATE"`
	At      string `help:"When: YYYY-MM-DD HH:MM of this machine's clock, or RFC 3339. Default: now." placeholder:"TIME"`
	By      string `help:"What is shown: face, card, pin, qr or plate. Default: what is usual for the subject." enum:",face,card,pin,qr,plate" default:""`
	Alone   bool   `help:"Nothing else is shown beside it."`
}

// Run explains.
func (cmd WhyCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.Subject)
	if err != nil {
		return err
	}
	r := wire.WhyRequest{Subject: id, Gate: gatehouse.GateID(cmd.Gate), By: gatehouse.ReadingKind(cmd.By), Alone: cmd.Alone}
	if r.At, err = moment(cmd.At); err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Why, error) { return a.Why(ctx, r) }, out.why)
}

func (o *Out) why(got wire.Why) {
	verdict := "would not be let in"
	if got.Decision == "granted" {
		verdict = "would be let in"
	}
	o.Say("%s %s at %s on %s, by %s: %s", got.Label, verdict, got.Gate, got.At.Format("2006-01-02 15:04 MST"), got.By, got.Says)
	for _, s := range got.Steps {
		mark := map[string]string{"held": "+", "failed": "-"}[s.State]
		o.Say("%1s %-14s %s", mark, s.Name, s.Says)
		if s.Change != "" {
			o.Say("  %-14s to change that: %s", "", s.Change)
		}
	}
	if len(got.Grants) == 0 {
		o.Say("nothing allows the subject anywhere: it has no grant and is in no group with a rule")
	}
	for _, g := range got.Grants {
		name := "its own grant"
		if g.Rule != "" {
			name = "rule " + string(g.Rule) + " of " + string(g.Group)
		}
		var gates []string
		for _, id := range g.Gates {
			gates = append(gates, string(id))
		}
		o.Say("* %s, at %s, %s: %s", name, strings.Join(gates, " "), g.Schedule, g.Says)
	}
}
