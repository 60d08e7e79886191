package api_test

import (
	"context"
	"strings"
	"testing"

	"gatehouse/api/wire"
)

func (*world) RotateGateKey(context.Context) (wire.GateKeyRotation, error) {
	return wire.GateKeyRotation{Stage: "items", Done: 3, All: 7, Resumed: true}, nil
}

// TestRotateGateKey: over the socket only, and the answer says how far it is.
func TestRotateGateKey(t *testing.T) {
	tcp, socket := serve(t, &world{}, nil)
	if r := send(socket, "POST", "/admin/v1/keys/gate/rotate", "{}"); r.Code != 200 || !strings.Contains(r.Body.String(), `{"stage":"items","done":3,"all":7,"resumed":true,"finished":false}`) {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	if r := send(tcp, "POST", "/admin/v1/keys/gate/rotate", "{}"); r.Code < 400 {
		t.Errorf("over TCP: %d", r.Code)
	}
}
