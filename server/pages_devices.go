package server

import (
	"context"
	"net"
	"net/url"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
)

// quietAfter is when a device that comes to Gatehouse counts as quiet.
const quietAfter = 15 * time.Minute

// Devices implements console.Devices.
func (p pages) Devices(ctx context.Context) ([]console.DeviceState, error) {
	listed, err := p.admin().Devices(ctx)
	if err != nil {
		return nil, err
	}
	read := p.cameraHealth()
	now := time.Now()
	var out []console.DeviceState
	for _, d := range listed.Devices {
		s := console.DeviceState{Device: gatehouse.Device{Place: p.site.Place, ID: d.ID, Kind: d.Kind, Gate: d.Gate}, Shows: d.Shows, Reads: d.Reads}
		if i := slices.IndexFunc(read, func(h wire.CameraHealth) bool { return h.Device == d.ID }); i >= 0 {
			h := read[i]
			s.State, s.FPS, s.Last, s.Lag, s.Dropped, s.Reconnects = h.State, h.FPS, h.LastFrame, time.Duration(h.LagMS)*time.Millisecond, h.Dropped, h.Reconnects
		} else if s.Last, s.FPS = p.heard.at(d.ID, now); !s.Last.IsZero() && now.Sub(s.Last) < quietAfter {
			s.State, s.Lag = "ok", p.postedLag(d.ID)
		}
		out = append(out, s)
	}
	return out, nil
}

// postedLag is how late the pictures that a device posts are looked at.
func (s *Server) postedLag(id gatehouse.DeviceID) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.cameras[id]; c != nil {
		return time.Duration(c.lag.Load()) * time.Millisecond
	}
	return 0
}

// Code implements console.Devices.
func (p pages) Code(ctx context.Context, who console.Who, d gatehouse.Device) (console.DeviceCode, error) {
	code, err := p.adminOf(who.Operator).DeviceCode(ctx, wire.DeviceAddRequest{ID: d.ID, Kind: d.Kind, Gate: d.Gate})
	return console.DeviceCode{Code: code.Code, Until: code.Until, Address: code.Address, Authority: code.Authority}, err
}

// Revoke implements console.Devices.
func (p pages) Revoke(ctx context.Context, who console.Who, id gatehouse.DeviceID) error {
	return p.adminOf(who.Operator).RevokeDevice(ctx, id)
}

// Camera implements console.Devices. The token that the device gets is shown to nobody: a
// camera that is read needs none.
func (p pages) Camera(ctx context.Context, who console.Who, d gatehouse.Device, address gatehouse.Secret) error {
	if err := p.checkCamera(ctx, address.Reveal()); err != nil {
		return err
	}
	known, err := p.known(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(known, func(k gatehouse.Device) bool { return k.ID == d.ID && !p.working.Revoked(d.ID) }) {
		return gatehouse.Errorf("device.known", "revoke it first, or choose another name", "there is a device of this name")
	}
	_, err = p.adminOf(who.Operator).AddDevice(ctx, wire.DeviceAddRequest{ID: d.ID, Kind: gatehouse.Camera, Gate: d.Gate, Source: address.Reveal()})
	return err
}

// resolveWithin bounds the look-up of a camera's name.
const resolveWithin = 3 * time.Second

// checkCamera refuses addresses that somebody at the console could make the server read
// something else with: files, programs on this machine, link-local services of a cloud.
// Whoever edits gatehouse.yml or reaches the admin socket may name those.
func (s *Server) checkCamera(ctx context.Context, address string) error {
	bad := gatehouse.Errorf("camera.address", "use rtsp, rtsps, http or https, and a machine that is not this server; files and programs here are named in gatehouse.yml", "this is no address of a camera in the network")
	u, err := url.Parse(address)
	if err != nil || len(address) > 500 || !slices.Contains([]string{"rtsp", "rtsps", "http", "https"}, u.Scheme) || u.Hostname() == "" {
		return bad
	}
	ctx, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	found, err := net.DefaultResolver.LookupIPAddr(ctx, u.Hostname())
	if err != nil || len(found) == 0 {
		return bad
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return bad
	}
	for _, a := range found {
		if a.IP.IsLoopback() || a.IP.IsUnspecified() || a.IP.IsMulticast() || a.IP.IsLinkLocalUnicast() ||
			slices.ContainsFunc(own, func(o net.Addr) bool { n, ok := o.(*net.IPNet); return ok && n.IP.Equal(a.IP) }) {
			return bad
		}
	}
	return nil
}
