package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// AuditAdmin reads the audit log for administrators.
type AuditAdmin interface {
	AuditEntries(ctx context.Context, q wire.AuditQuery) (wire.AuditPage, error)
	// AuditProve proves an entry, by its number or by the id of the passage, disclosure
	// or other thing that it records: audit.not_found, id.malformed.
	AuditProve(ctx context.Context, what string) (wire.AuditProof, error)
	AuditKeys(ctx context.Context) (wire.AuditKeys, error)
}

func (a *API) auditRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /admin/v1/audit", Policy: auth.OnSocket, Handler: a.auditEntries},
		{Pattern: "GET /admin/v1/audit/proofs/{id}", Policy: auth.OnSocket, Handler: a.auditProve},
		{Pattern: "GET /admin/v1/audit/keys", Policy: auth.OnSocket, Handler: a.auditKeys},
	}
}

func (a *API) auditEntries(w http.ResponseWriter, r *http.Request) {
	q, err := auditQuery(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.AuditPage, error) { return a.o.Admin.AuditEntries(ctx, q) })
}

func auditQuery(r *http.Request) (q wire.AuditQuery, err error) {
	v := r.URL.Query()
	bad := gatehouse.Errorf("request.malformed", "before and limit are numbers, since and until are times (RFC 3339)", "this is no question to the audit log")
	q.Kind, q.Limit = gatehouse.LeafKind(v.Get("kind")), 200
	if s := v.Get("before"); s != "" {
		if q.Before, err = strconv.ParseInt(s, 10, 64); err != nil || q.Before < 0 {
			return q, bad
		}
	}
	if s := v.Get("limit"); s != "" {
		if q.Limit, err = strconv.Atoi(s); err != nil || q.Limit < 1 || q.Limit > 1000 {
			return q, bad
		}
	}
	for name, t := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
		if s := v.Get(name); s != "" {
			if *t, err = time.Parse(time.RFC3339Nano, s); err != nil {
				return q, bad
			}
		}
	}
	return q, nil
}

func (a *API) auditProve(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.AuditProof, error) {
		return a.o.Admin.AuditProve(ctx, r.PathValue("id"))
	})
}

func (a *API) auditKeys(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.AuditKeys)
}
