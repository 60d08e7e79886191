package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"gatehouse/api/wire"
)

// AuditEntries lists entries of the audit log, the newest first.
func (c *Client) AuditEntries(ctx context.Context, q wire.AuditQuery) (wire.AuditPage, error) {
	v := url.Values{"limit": {itoa(q.Limit)}}
	if q.Before > 0 {
		v.Set("before", itoa(int(q.Before)))
	}
	if q.Kind != "" {
		v.Set("kind", string(q.Kind))
	}
	for name, t := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !t.IsZero() {
			v.Set(name, t.Format(time.RFC3339Nano))
		}
	}
	var out wire.AuditPage
	err := c.ask(ctx, http.MethodGet, "/admin/v1/audit?"+v.Encode(), nil, &out)
	return out, err
}

// AuditProve proves an entry, by its number or by the id of what it records.
func (c *Client) AuditProve(ctx context.Context, what string) (wire.AuditProof, error) {
	var out wire.AuditProof
	err := c.ask(ctx, http.MethodGet, "/admin/v1/audit/proofs/"+url.PathEscape(what), nil, &out)
	return out, err
}

// AuditKeys are what others verify this log and its cosignatures with.
func (c *Client) AuditKeys(ctx context.Context) (wire.AuditKeys, error) {
	var out wire.AuditKeys
	err := c.ask(ctx, http.MethodGet, "/admin/v1/audit/keys", nil, &out)
	return out, err
}
