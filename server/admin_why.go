package server

import (
	"context"

	"gatehouse/api/wire"
	"gatehouse/flow/why"
)

// Why implements api.WhyAdmin.
func (a admin) Why(_ context.Context, r wire.WhyRequest) (wire.Why, error) {
	e, err := a.why.Ask(why.Question{Subject: r.Subject, Gate: r.Gate, At: r.At, By: r.By, Alone: r.Alone})
	if err != nil {
		return wire.Why{}, err
	}
	out := wire.Why{Subject: e.Subject, Label: e.Label, Gate: e.Gate.ID, At: e.At, By: e.By, Decision: wire.Decided(e.Decision), Reason: e.Decision.Reason, Says: e.Decision.Reason.Sentence("en"), Rule: e.Decision.Rule, Grants: []wire.WhyGrant{}}
	for _, s := range e.Steps {
		out.Steps = append(out.Steps, wire.WhyStep{Name: s.Name, State: string(s.State), Reason: s.Reason, Says: s.Says("en"), Change: s.Change("en")})
	}
	for _, g := range e.Grants {
		out.Grants = append(out.Grants, wire.WhyGrant{Rule: g.Rule, Group: g.Group, Gates: g.Gates, Schedule: g.Schedule, Allows: g.Allows(), Opens: g.Next, Says: g.Says("en")})
	}
	return out, nil
}
