package client

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// PassagesQuery narrows a list of passages; zero values ask for all.
type PassagesQuery struct {
	Gate         gatehouse.GateID
	Since, Until time.Time
	Decision     string // granted or denied
	Reason       gatehouse.Reason
	Kind         gatehouse.ReadingKind
	Before       gatehouse.ID // the cursor: Next of the page before
	Limit        int          // 1..200; 0: 50
}

// values is the query as it is sent.
func (q PassagesQuery) values() url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("gate", string(q.Gate))
	set("decision", q.Decision)
	set("reason", string(q.Reason))
	set("kind", string(q.Kind))
	for name, t := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !t.IsZero() {
			v.Set(name, t.UTC().Format(time.RFC3339Nano))
		}
	}
	if !q.Before.IsZero() {
		v.Set("before", q.Before.String())
	}
	if q.Limit > 0 {
		v.Set("limit", itoa(q.Limit))
	}
	return v
}

// ListPassages gives one page of passages, newest first.
func (c *Client) ListPassages(ctx context.Context, q PassagesQuery) (wire.PassagesResponse, error) {
	var out wire.PassagesResponse
	err := c.ask(ctx, http.MethodGet, "/api/v1/passages?"+q.values().Encode(), nil, &out)
	return out, err
}

// Passage gives one passage.
func (c *Client) Passage(ctx context.Context, id gatehouse.ID) (wire.Passage, error) {
	var out wire.Passage
	err := c.ask(ctx, http.MethodGet, "/api/v1/passages/"+id.String(), nil, &out)
	return out, err
}

// Gates lists the gates and their states.
func (c *Client) Gates(ctx context.Context) (wire.GatesResponse, error) {
	var out wire.GatesResponse
	err := c.ask(ctx, http.MethodGet, "/api/v1/gates", nil, &out)
	return out, err
}

// Program is what a program may ask with its access token, as far as its scopes go. An
// error is the server's *gatehouse.Error.
type Program struct{ c *Client }

// Program returns those calls of a client that AsProgram made.
func (c *Client) Program() Program { return Program{c} }

// Subjects pages by id, behind after; limit is 1..200.
func (p Program) Subjects(ctx context.Context, after gatehouse.SubjectID, limit int) (wire.SubjectsResponse, error) {
	path := "/api/v1/subjects?limit=" + itoa(limit)
	if !after.IsZero() {
		path += "&after=" + after.String()
	}
	var out wire.SubjectsResponse
	err := p.c.ask(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

// Subject gives one subject, and its ETag for SetStatus.
func (p Program) Subject(ctx context.Context, id gatehouse.SubjectID) (out wire.Subject, tag string, err error) {
	r := request{method: http.MethodGet, path: "/api/v1/subjects/" + id.String()}
	header, err := p.c.do(ctx, r, &out)
	return out, header.Get("ETag"), err
}

// SetStatus suspends a subject or lets it in again. With a tag it fails with
// request.changed where the subject has another by now; "" changes it whatever it is.
func (p Program) SetStatus(ctx context.Context, id gatehouse.SubjectID, to gatehouse.SubjectStatus, tag string) (wire.Subject, error) {
	var out wire.Subject
	r := request{method: http.MethodPut, path: "/api/v1/subjects/" + id.String() + "/status", body: wire.StatusRequest{Status: to}}
	if tag != "" {
		r.header = http.Header{"If-Match": {tag}}
	}
	_, err := p.c.do(ctx, r, &out)
	return out, err
}

// WithdrawConsent ends a person's consent to face recognition.
func (p Program) WithdrawConsent(ctx context.Context, id gatehouse.SubjectID) error {
	return p.c.ask(ctx, http.MethodDelete, "/api/v1/subjects/"+id.String()+"/consent", nil, nil)
}

// NewKey names a request. Whoever is not sure that a request arrived sends it again with
// the same key: it is carried out once.
func NewKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

func (p Program) post(ctx context.Context, path, key string, q, out any) error {
	_, err := p.c.do(ctx, request{method: http.MethodPost, path: path, body: q, header: http.Header{"Idempotency-Key": {key}}}, out)
	return err
}

// EnrolPerson enrols a person, once a key.
func (p Program) EnrolPerson(ctx context.Context, key string, q wire.EnrollPersonRequest) (wire.EnrollResponse, error) {
	var out wire.EnrollResponse
	err := p.post(ctx, "/api/v1/people", key, q, &out)
	return out, err
}

// EnrolVehicle enrols a vehicle, once a key.
func (p Program) EnrolVehicle(ctx context.Context, key string, q wire.EnrollVehicleRequest) (wire.EnrollResponse, error) {
	var out wire.EnrollResponse
	err := p.post(ctx, "/api/v1/vehicles", key, q, &out)
	return out, err
}

// Erase erases a subject, once a key.
func (p Program) Erase(ctx context.Context, key string, q wire.EraseRequest) (wire.Erasure, error) {
	var out wire.Erasure
	err := p.post(ctx, "/api/v1/erasures", key, q, &out)
	return out, err
}

// Erasure gives a certificate once more.
func (p Program) Erasure(ctx context.Context, id gatehouse.ID) (wire.Erasure, error) {
	var out wire.Erasure
	err := p.c.ask(ctx, http.MethodGet, "/api/v1/erasures/"+id.String(), nil, &out)
	return out, err
}

// Devices lists the devices.
func (p Program) Devices(ctx context.Context) (wire.DevicesResponse, error) {
	var out wire.DevicesResponse
	err := p.c.ask(ctx, http.MethodGet, "/api/v1/devices", nil, &out)
	return out, err
}

// DeviceCode gives a one-time code that a device enrols its key with, once a key.
func (p Program) DeviceCode(ctx context.Context, key string, q wire.DeviceAddRequest) (wire.DeviceCodeResponse, error) {
	var out wire.DeviceCodeResponse
	err := p.post(ctx, "/api/v1/devices/codes", key, q, &out)
	return out, err
}

// RevokeDevice refuses a device from its next request on.
func (p Program) RevokeDevice(ctx context.Context, id gatehouse.DeviceID) error {
	return p.c.ask(ctx, http.MethodDelete, "/api/v1/devices/"+url.PathEscape(string(id)), nil, nil)
}

// Disclosures pages by id, newest first, before before; limit is 1..200.
func (p Program) Disclosures(ctx context.Context, before gatehouse.ID, limit int) (wire.DisclosuresResponse, error) {
	path := "/api/v1/disclosures?limit=" + itoa(limit)
	if !before.IsZero() {
		path += "&before=" + before.String()
	}
	var out wire.DisclosuresResponse
	err := p.c.ask(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

// Health says how the site's parts are doing.
func (p Program) Health(ctx context.Context) (wire.Health, error) {
	var out wire.Health
	err := p.c.ask(ctx, http.MethodGet, "/api/v1/health", nil, &out)
	return out, err
}
