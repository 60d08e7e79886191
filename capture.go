package gatehouse

import (
	"log/slog"
	"time"
)

// CaptureKind says what a device sent.
type CaptureKind string

// The kinds of capture.
const (
	FrameCapture CaptureKind = "frame"
	CardCapture  CaptureKind = "card"
	PINCapture   CaptureKind = "pin"
	QRCapture    CaptureKind = "qr"
)

// Capture is what a device sent, before anything was understood of it.
type Capture struct {
	Device   DeviceID
	Gate     GateID
	Kind     CaptureKind
	Claimed  time.Time // by the device; zero where it gave none; never trusted for order
	Received time.Time // by this machine
	Image    Image     // a frame
	Secret   Secret    // a card number, PIN or QR text
}

// ImageFormat says how an image's bytes are laid out.
type ImageFormat string

// Encoded pictures come as they are; streams come decoded.
const (
	JPEG   ImageFormat = "jpeg"
	PNG    ImageFormat = "png"
	YUV420 ImageFormat = "yuv420" // planar, W*H*3/2 bytes
	RGB24  ImageFormat = "rgb24"  // packed, W*H*3 bytes
)

// Image is a picture in memory. Width and Height are in pixels and are set only
// for the raw formats.
type Image struct {
	Format        ImageFormat
	Width, Height int
	Bytes         []byte
}

// LogValue keeps pixels out of logs.
func (i Image) LogValue() slog.Value { return slog.StringValue("[image]") }

// Secret is text that must not be printed: a card number, a PIN, a name, a plate.
type Secret string

// LogValue, String and GoString redact.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }
func (Secret) String() string       { return "[redacted]" }

// GoString redacts %#v.
func (Secret) GoString() string { return "[redacted]" }

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }
