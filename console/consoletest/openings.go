package consoletest

import (
	"context"
	"strings"

	"gatehouse"
	"gatehouse/console"
)

// OpenRemotely is console.Openings: the passage is there, and the gate does not matter.
func (s *Site) OpenRemotely(_ context.Context, who console.Who, gate gatehouse.GateID, reason gatehouse.Secret) (gatehouse.Passage, error) {
	if strings.TrimSpace(reason.Reveal()) == "" {
		return gatehouse.Passage{}, gatehouse.Errorf("open.reason", "", "the reason is missing")
	}
	return s.Arrive(gatehouse.Passage{Gate: gate, Direction: gatehouse.In, Kind: gatehouse.RemoteReading, Outcome: gatehouse.Pending, Subject: gatehouse.RandomID(),
		Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.OpenedRemotely, Rule: "remote opening by " + who.Operator + " as " + string(who.Role)}}, gatehouse.Detail{Reason: reason.Reveal()}), nil
}
