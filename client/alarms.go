package client

import (
	"context"
	"net/http"
	"net/url"

	"gatehouse"
	"gatehouse/api/wire"
)

// Alarms pages the alarms, the newest first, behind before (zero: from the newest); open
// leaves out those that somebody has acknowledged.
func (c *Client) Alarms(ctx context.Context, before gatehouse.ID, open bool) (wire.Alarms, error) {
	v := url.Values{}
	if !before.IsZero() {
		v.Set("before", before.String())
	}
	if open {
		v.Set("open", "yes")
	}
	var out wire.Alarms
	err := c.ask(ctx, http.MethodGet, "/admin/v1/alarms?"+v.Encode(), nil, &out)
	return out, err
}

// AcknowledgeAlarm closes an alarm.
func (c *Client) AcknowledgeAlarm(ctx context.Context, id gatehouse.ID) error {
	var out struct{}
	return c.ask(ctx, http.MethodPost, "/admin/v1/alarms/"+id.String()+"/acknowledge", nil, &out)
}
