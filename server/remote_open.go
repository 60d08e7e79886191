package server

import (
	"context"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
	"gatehouse/flow/passage"
)

// OpenGate implements api.OpeningAdmin.
func (a admin) OpenGate(ctx context.Context, gate string, r wire.OpenRequest) (wire.OpenResponse, error) {
	if !a.isRunning() {
		return wire.OpenResponse{}, gatehouse.Errorf("server.not_running", "start it with `gatehouse serve`", "no server runs that could open a gate")
	}
	p, err := a.flow.OpenRemotely(ctx, passage.Opening{Gate: gatehouse.GateID(gate), Operator: socketOperator, Reason: gatehouse.Secret(r.Reason)})
	return wire.OpenResponse{Passage: p.ID, Gate: p.Gate, At: p.At}, err
}

// OpenRemotely implements console.Openings.
func (p pages) OpenRemotely(ctx context.Context, who console.Who, gate gatehouse.GateID, reason gatehouse.Secret) (gatehouse.Passage, error) {
	return p.flow.OpenRemotely(ctx, passage.Opening{Gate: gate, Operator: who.Operator, Role: who.Role, Reason: reason})
}
