package main

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// code prints a one-time code in the place of a token.
func (cmd DeviceAddCmd) code(ctx context.Context, out *Out, r wire.DeviceAddRequest) error {
	return answer(ctx, out, func(a api.Admin) (wire.DeviceCodeResponse, error) { return a.DeviceCode(ctx, r) }, func(got wire.DeviceCodeResponse) {
		out.Say("%s enrols with this code, once, until %s:\n\n    %s\n", got.ID, got.Until.Local().Format(time.TimeOnly), got.Code)
		out.Say("The device posts it to %s (docs/devices.md).", got.Address)
		if got.Authority != "" {
			out.Say("Over TLS it must see a certificate of the authority with the SHA-256 fingerprint\n%s", got.Authority)
		}
	})
}

// DeviceListCmd lists the devices.
type DeviceListCmd struct{}

// Run lists, one line a device.
func (DeviceListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.DevicesResponse, error) { return a.Devices(ctx) }, func(got wire.DevicesResponse) {
		for _, d := range got.Devices {
			shows := "shows nothing"
			switch {
			case d.Shows == "revoked":
				shows = "revoked"
			case d.Shows != "":
				shows = "shows its " + d.Shows
			case d.Reads:
				shows = "is read"
			}
			out.Say("%-20s  %-8s  %-16s  %s", d.ID, d.Kind, d.Gate, shows)
		}
	})
}

// DeviceRevokeCmd lets a device in no more.
type DeviceRevokeCmd struct {
	ID string `arg:"" help:"The device's id, as 'gatehouse device list' shows it."`
}

// Run revokes.
func (cmd DeviceRevokeCmd) Run(ctx context.Context, out *Out) error {
	object := map[string]any{"device": cmd.ID, "revoked": true}
	return answer(ctx, out, func(a api.Admin) (map[string]any, error) {
		return object, a.RevokeDevice(ctx, gatehouse.DeviceID(cmd.ID))
	}, func(map[string]any) {
		out.Say("%s is refused from its next request on; enrolling it again lets it in again", cmd.ID)
	})
}
