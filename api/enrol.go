package api

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/http"
	"strconv"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// maxEnrol bounds an enrolment's request, in bytes.
const maxEnrol = 1 << 10

// DeviceAdmin enrols devices with codes, lists and revokes them.
type DeviceAdmin interface {
	// DeviceCode gives a one-time code for a device: name.malformed,
	// grant.unknown_gate, server.not_running. What the device had goes on to count
	// until the code is used.
	DeviceCode(ctx context.Context, r wire.DeviceAddRequest) (wire.DeviceCodeResponse, error)
	// RevokeDevice refuses the device from its next request on: store.not_found.
	RevokeDevice(ctx context.Context, id gatehouse.DeviceID) error
	// Devices lists who is enrolled or configured.
	Devices(ctx context.Context) (wire.DevicesResponse, error)
}

// Enrolments spends the codes.
type Enrolments interface {
	// AllowEnrolment says whether an address may try now: auth.too_many, with how many
	// seconds to wait.
	AllowEnrolment(address string) (wait int, err error)
	// EnrolKey takes a code that key's holder signed: device.code for one that is none,
	// is spent or was signed by another key.
	EnrolKey(ctx context.Context, code string, key ed25519.PublicKey, signature []byte) (wire.DeviceEnrolResponse, error)
}

func (a *API) enrolRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "POST /admin/v1/devices/codes", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.DeviceCode)
		}},
		{Pattern: "GET /admin/v1/devices", Policy: auth.OnSocket, Handler: func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, a.o.Admin.Devices)
		}},
		{Pattern: "DELETE /admin/v1/devices/{id}", Policy: auth.OnSocket, Handler: a.revokeDevice},
	}
}

func (a *API) revokeDevice(w http.ResponseWriter, r *http.Request) {
	id := gatehouse.DeviceID(r.PathValue("id"))
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (struct{}, error) {
		if err := gatehouse.CheckName(string(id)); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, a.o.Admin.RevokeDevice(ctx, id)
	})
}

// enrolDevice is public: what it takes is the code. Every try counts, before anything
// is looked at.
func (a *API) enrolDevice(w http.ResponseWriter, r *http.Request) {
	if a.o.Enrolments == nil {
		a.fail(w, r, notServed())
		return
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if wait, err := a.o.Enrolments.AllowEnrolment(host); err != nil {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		a.fail(w, r, err)
		return
	}
	var q wire.DeviceEnrolRequest
	if err := decode(w, r, maxEnrol, &q); err != nil {
		a.fail(w, r, err)
		return
	}
	key, err1 := hex.DecodeString(q.PublicKey)
	signature, err2 := base64.RawURLEncoding.Strict().DecodeString(q.Signature)
	if err1 != nil || err2 != nil || len(key) != ed25519.PublicKeySize || len(signature) != ed25519.SignatureSize {
		a.fail(w, r, gatehouse.Errorf("request.malformed", "docs/devices.md shows it: code, public_key, signature", "this is no enrolment"))
		return
	}
	tell(a, w, r, http.StatusCreated, func(ctx context.Context) (wire.DeviceEnrolResponse, error) {
		return a.o.Enrolments.EnrolKey(ctx, q.Code, key, signature)
	})
}
