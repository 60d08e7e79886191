package gatehouse

// DeviceKind says what a device is.
type DeviceKind string

// The kinds of device that may be enrolled.
const (
	Camera   DeviceKind = "camera"
	Reader   DeviceKind = "reader"
	Terminal DeviceKind = "terminal"
	Relay    DeviceKind = "relay"
	Kiosk    DeviceKind = "kiosk"
)

// Device is a piece of equipment that was enrolled at a gate. Its token is not
// here: the working set holds only a verifier.
type Device struct {
	Place
	ID   DeviceID
	Kind DeviceKind
	Gate GateID
}
