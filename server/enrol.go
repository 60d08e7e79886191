package server

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// newDevices is who devices are let in by. The transport is known from here on.
func (s *Server) newDevices(t *transport) *auth.Devices {
	s.mu.Lock()
	s.transport = t
	s.mu.Unlock()
	return auth.NewDevices(s.admin(), s.site.Place, s.config.TLS.DeviceTokens, nil)
}

// DeviceKey implements auth.Keys.
func (a admin) DeviceKey(ctx context.Context, id gatehouse.DeviceID) (gatehouse.Device, ed25519.PublicKey, error) {
	key, ok := a.working.DeviceKey(id)
	d, err := a.device(ctx, id)
	if !ok || err != nil {
		return gatehouse.Device{}, nil, auth.Refused()
	}
	return d, key, nil
}

// DeviceCode implements api.DeviceAdmin.
func (a admin) DeviceCode(_ context.Context, r wire.DeviceAddRequest) (wire.DeviceCodeResponse, error) {
	var none wire.DeviceCodeResponse
	a.mu.Lock()
	t := a.transport
	a.mu.Unlock()
	if t == nil {
		return none, gatehouse.Errorf("server.not_running", "start it with `gatehouse serve`", "a code is spent at the running server, and none runs")
	}
	if r.Source != "" {
		return none, gatehouse.Errorf("device.source", "leave out --code: Gatehouse comes to such a camera, and the camera shows nothing", "a device whose pictures are read from an address needs no code")
	}
	d, err := a.described(r)
	if err != nil {
		return none, err
	}
	code, until := a.codes.New(a.operator, d)
	out := wire.DeviceCodeResponse{ID: d.ID, Code: gatehouse.ShownCode(code), Until: until, Address: t.base + "/api/v1/devices/enrol"}
	if t.local != nil {
		out.Authority = t.local.Fingerprint()
	}
	return out, nil
}

// described is the device that a request names, at a gate that there is.
func (a admin) described(r wire.DeviceAddRequest) (gatehouse.Device, error) {
	d := gatehouse.Device{Place: a.site.Place, ID: r.ID, Kind: r.Kind, Gate: r.Gate}
	if err := gatehouse.CheckName(string(r.ID)); err != nil {
		return d, err
	}
	if _, ok := a.site.Gates[r.Gate]; !ok {
		return d, gatehouse.Errorf("grant.unknown_gate", "use an id from `gates` in gatehouse.yml", "there is no gate %q", r.Gate)
	}
	return d, oneOfKinds(r.Kind)
}

func oneOfKinds(k gatehouse.DeviceKind) error {
	if err := oneOf("kind", string(k), "camera", "reader", "terminal", "relay", "kiosk"); err != nil {
		return gatehouse.Errorf("device.unknown_kind", "use camera, reader, terminal, relay or kiosk", "there is no such kind of device")
	}
	return nil
}

// RevokeDevice implements api.DeviceAdmin. The entry of the audit log comes first, so
// that nothing is done unrecorded; a failure after it is repeated by the next call.
func (a admin) RevokeDevice(ctx context.Context, id gatehouse.DeviceID) error {
	all, err := a.known(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.ID != id {
			continue
		}
		if err := a.store.PutDevice(ctx, d, gatehouse.DeviceChangeLeaf(d, a.asker(ctx), "revoked", nil, time.Now())); err != nil {
			return err
		}
		if err := a.working.RevokeDevice(ctx, id); err != nil {
			return err
		}
		a.codes.Drop(id)
		a.stopCamera(id)
		a.screens.drop(id)
		a.committed()
		return nil
	}
	return gatehouse.Errorf("store.not_found", "`gatehouse device list` shows them", "there is no such device")
}

// stopCamera ends what the device's pictures were doing: they decide nothing more.
func (s *Server) stopCamera(id gatehouse.DeviceID) {
	s.mu.Lock()
	c := s.cameras[id]
	delete(s.cameras, id)
	s.mu.Unlock()
	if c != nil {
		c.retire()
	}
}

// Devices implements api.DeviceAdmin.
func (a admin) Devices(ctx context.Context) (wire.DevicesResponse, error) {
	out := wire.DevicesResponse{Devices: []wire.Device{}}
	all, err := a.known(ctx)
	for _, d := range all {
		row := wire.Device{ID: d.ID, Kind: d.Kind, Gate: d.Gate}
		_, row.Reads = a.working.Source(d.ID)
		for _, c := range a.config.Devices {
			row.Reads = row.Reads || gatehouse.DeviceID(c.ID) == d.ID && c.Source != ""
		}
		_, signs := a.working.DeviceKey(d.ID)
		switch {
		case a.working.Revoked(d.ID):
			row.Shows, row.Reads = "revoked", false
		case signs:
			row.Shows = "key"
		case a.working.HasToken(d.ID):
			row.Shows = "token"
		}
		out.Devices = append(out.Devices, row)
	}
	return out, err
}

// enrolments implements api.Enrolments.
type enrolments struct{ *Server }

// AllowEnrolment implements api.Enrolments.
func (e enrolments) AllowEnrolment(address string) (int, error) {
	ok, wait := e.codes.Allow(address)
	if ok {
		return 0, nil
	}
	seconds := int(wait/time.Second) + 1
	return seconds, gatehouse.Errorf("auth.too_many", fmt.Sprintf("come again in %d s", seconds), "too many codes were tried")
}

// EnrolKey implements api.Enrolments. The device's row and the entry of the audit log
// come first: a key that is in force is one that the log names.
func (e enrolments) EnrolKey(ctx context.Context, typed string, key ed25519.PublicKey, signature []byte) (wire.DeviceEnrolResponse, error) {
	var none wire.DeviceEnrolResponse
	code := gatehouse.EnrolmentCode(typed)
	d, by, ok := e.codes.Take(code, func(gatehouse.Device) bool {
		return ed25519.Verify(key, gatehouse.EnrolmentText(code, key), signature)
	})
	if !ok {
		return none, gatehouse.Errorf("device.code", "a code is good once and for 15 minutes; `gatehouse device add ID --code` gives another", "this is no code that a device could enrol with, or another key signed it")
	}
	if err := e.store.PutDevice(ctx, d, gatehouse.DeviceChangeLeaf(d, by, "key", key, time.Now())); err != nil {
		return none, err
	}
	if err := e.working.EnrolDeviceKey(ctx, d.ID, key); err != nil {
		return none, err
	}
	e.startAdded(d)
	e.committed()
	path := "/api/v1/devices/" + string(d.ID)
	return wire.DeviceEnrolResponse{Device: d.ID, Kind: d.Kind, Gate: d.Gate, Site: string(d.Org) + "/" + string(d.Site),
		Frames: path + "/frames", Credentials: path + "/credentials", Time: time.Now().Unix()}, nil
}
