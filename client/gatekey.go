package client

import (
	"context"
	"net/http"

	"gatehouse/api/wire"
)

// RotateGateKey begins to replace the gate key, or goes on with it, and says after about
// a second how far it is; call it until it has finished.
func (c *Client) RotateGateKey(ctx context.Context) (wire.GateKeyRotation, error) {
	var out wire.GateKeyRotation
	err := c.ask(ctx, http.MethodPost, "/admin/v1/keys/gate/rotate", struct{}{}, &out)
	return out, err
}
