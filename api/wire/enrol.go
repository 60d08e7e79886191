package wire

import (
	"log/slog"
	"time"

	"gatehouse"
)

// DeviceEnrolRequest enrols a device's key with a one-time code; docs/devices.md says
// what is signed. POST /api/v1/devices/enrol.
type DeviceEnrolRequest struct {
	Code      string `json:"code"`
	PublicKey string `json:"public_key"` // Ed25519, 64 hexadecimal digits
	Signature string `json:"signature"`  // of gatehouse.EnrolmentText, base64url without padding
}

// LogValue redacts the code.
func (DeviceEnrolRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// DeviceEnrolResponse says who the device is from now on.
type DeviceEnrolResponse struct {
	Device      gatehouse.DeviceID   `json:"device"`
	Kind        gatehouse.DeviceKind `json:"kind"`
	Gate        gatehouse.GateID     `json:"gate"`
	Site        string               `json:"site"` // ORGANIZATION/SITE, as it is signed
	Frames      string               `json:"frames"`
	Credentials string               `json:"credentials"`
	Time        int64                `json:"time"` // the server's, Unix seconds
}

// DeviceCodeResponse holds a code, which is shown this once. POST /admin/v1/devices/codes.
type DeviceCodeResponse struct {
	ID    gatehouse.DeviceID `json:"id"`
	Code  string             `json:"code"`
	Until time.Time          `json:"until"`
	// Address is where the device posts it, and Authority the fingerprint of the site's
	// own certificate authority, "" where there is none.
	Address   string `json:"address"`
	Authority string `json:"authority,omitempty"`
}

// LogValue redacts the code.
func (DeviceCodeResponse) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Device is one row of GET /admin/v1/devices.
type Device struct {
	ID   gatehouse.DeviceID   `json:"id"`
	Kind gatehouse.DeviceKind `json:"kind"`
	Gate gatehouse.GateID     `json:"gate"`
	// Shows is how it proves who it is: "key", "token", "" for neither, or "revoked".
	Shows string `json:"shows"`
	Reads bool   `json:"reads"` // Gatehouse reads its pictures from an address
}

// DevicesResponse lists the devices, by id.
type DevicesResponse struct {
	Devices []Device `json:"devices"`
}
