package consoletest

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/console"
)

// equipment is console.Devices: what is in Site.Equipment.
type equipment struct{ s *Site }

func (e equipment) Devices(context.Context) ([]console.DeviceState, error) {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	return append([]console.DeviceState{}, e.s.Equipment...), e.s.broken
}

func (e equipment) Code(_ context.Context, _ console.Who, d gatehouse.Device) (console.DeviceCode, error) {
	if err := gatehouse.CheckName(string(d.ID)); err != nil {
		return console.DeviceCode{}, err
	}
	return console.DeviceCode{Code: gatehouse.ShownCode(gatehouse.NewEnrolmentCode()), Until: e.s.now().Add(15 * time.Minute), Address: "https://gates.example/api/v1/devices/enrol",
		Authority: "12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0"}, nil
}

func (e equipment) Camera(_ context.Context, _ console.Who, d gatehouse.Device, address gatehouse.Secret) error {
	if address == "" {
		return gatehouse.Errorf("camera.address", "use rtsp", "this is no address")
	}
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	d.Place = Place
	e.s.Equipment = append(e.s.Equipment, console.DeviceState{Device: d, Reads: true, State: "down"})
	return nil
}

func (e equipment) Revoke(_ context.Context, _ console.Who, id gatehouse.DeviceID) error {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	for i := range e.s.Equipment {
		if e.s.Equipment[i].ID == id {
			e.s.Equipment[i].Shows = "revoked"
			return nil
		}
	}
	return gatehouse.Errorf("store.not_found", "", "there is no such device")
}
