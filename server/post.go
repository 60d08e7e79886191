package server

import (
	"bytes"
	"context"
	"image"
	_ "image/jpeg" // the sizes that posted pictures claim
	_ "image/png"
	"slices"
	"time"

	"gatehouse"
)

// maxPostedPixels is the largest picture that a device may post: four times what the
// best camera of a gate gives. Larger ones would keep vision from the other gates.
const maxPostedPixels = 16_000_000

// Post takes what a device sent over the API.
func (s *Server) Post(ctx context.Context, c gatehouse.Capture) ([]gatehouse.Passage, error) {
	device, err := s.device(ctx, c.Device)
	if err != nil {
		return nil, err
	}
	if !takes(device.Kind, c.Kind) {
		return nil, gatehouse.Errorf("device.kind", "enrol it with `gatehouse device add --kind terminal`, if it is to send this", "a device of the kind %s does not send this", device.Kind)
	}
	s.heard.note(device.ID, time.Now())
	switch c.Kind {
	case gatehouse.FrameCapture:
		if err := checkPosted(c.Image); err != nil {
			return nil, err
		}
		camera := s.cameraOf(device)
		if camera == nil {
			return nil, nil
		}
		return camera.frame(ctx, c)
	case gatehouse.PINCapture:
		return s.showPIN(ctx, device, c)
	}
	p, err := s.flow.Show(ctx, device, c)
	if p == nil {
		return nil, err
	}
	return []gatehouse.Passage{*p}, err
}

// takes reports whether a device of the kind sends such captures: a stolen token of
// a card reader must not post faces, nor a camera's try out PINs.
func takes(kind gatehouse.DeviceKind, c gatehouse.CaptureKind) bool {
	switch kind {
	case gatehouse.Terminal, gatehouse.Kiosk:
		return true
	case gatehouse.Camera:
		return c == gatehouse.FrameCapture
	case gatehouse.Reader:
		return c != gatehouse.FrameCapture
	}
	return false
}

// checkPosted refuses a picture that claims too many pixels. Only its header is
// read; one that cannot be read is for the vision process to name.
func checkPosted(img gatehouse.Image) error {
	size, _, err := image.DecodeConfig(bytes.NewReader(img.Bytes))
	if err == nil && size.Height > 0 && size.Width > maxPostedPixels/size.Height {
		return gatehouse.Errorf("image.too_large", "send a smaller picture; 1280×720 is enough", "the picture is %d×%d pixels, more than the %d that may be posted", size.Width, size.Height, maxPostedPixels)
	}
	return nil
}

// showPIN tries a PIN. Wrong ones are counted for the gate, whatever device they come
// from. Where a PIN is one of two factors, the device is told nothing of one that
// does not open: a wrong PIN and a right one that waits look alike.
func (s *Server) showPIN(ctx context.Context, device gatehouse.Device, c gatehouse.Capture) ([]gatehouse.Passage, error) {
	if err := s.pins.take(device.Gate); err != nil {
		return nil, err
	}
	p, err := s.flow.Show(ctx, device, c)
	if p == nil || p.Known {
		s.pins.giveBack(device.Gate)
	}
	if p == nil || s.site.Gates[device.Gate].Policy.SecondFactor && !p.Decision.Grant {
		return nil, err
	}
	return []gatehouse.Passage{*p}, err
}

// known are all devices that are enrolled or configured. The enrolment counts where both
// name a device: it is the one that gave the token, and the later word.
func (s *Server) known(ctx context.Context) ([]gatehouse.Device, error) {
	all, err := s.store.Devices(ctx, s.site.Place)
	if err != nil {
		return nil, err
	}
	enrolled := map[gatehouse.DeviceID]bool{}
	for _, d := range all {
		enrolled[d.ID] = true
	}
	for _, d := range s.config.Devices {
		if !enrolled[gatehouse.DeviceID(d.ID)] {
			all = append(all, gatehouse.Device{Place: s.site.Place, ID: gatehouse.DeviceID(d.ID), Kind: gatehouse.DeviceKind(d.Kind), Gate: gatehouse.GateID(d.Gate)})
		}
	}
	return all, nil
}

// devices are those of known that were not revoked.
func (s *Server) devices(ctx context.Context) ([]gatehouse.Device, error) {
	all, err := s.known(ctx)
	return slices.DeleteFunc(all, func(d gatehouse.Device) bool { return s.working.Revoked(d.ID) }), err
}

// device finds an enrolled or configured device.
func (s *Server) device(ctx context.Context, id gatehouse.DeviceID) (gatehouse.Device, error) {
	all, err := s.devices(ctx)
	if err != nil {
		return gatehouse.Device{}, err
	}
	for _, d := range all {
		if d.ID == id {
			return d, nil
		}
	}
	return gatehouse.Device{}, gatehouse.Errorf("device.unknown", "enrol it with `gatehouse device add`", "there is no device %q", id)
}
