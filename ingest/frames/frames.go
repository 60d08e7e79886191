// Package frames takes the pictures that devices post, one at a time. It parses
// and limits; it decodes nothing, which is the vision process's work.
package frames

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"gatehouse"
)

// MaxBytes is the largest picture that is taken: 20 MiB, a 50-megapixel JPEG.
const MaxBytes = 20 << 20

// TimeHeader is the header in which a device may claim the time of its picture,
// in RFC 3339.
const TimeHeader = "Gatehouse-Time"

// What a claimed time may differ from ours before it is taken for nonsense. A
// device that was offline for a day may still send what it kept.
const (
	maxPast   = 24 * time.Hour
	maxFuture = 5 * time.Minute
)

var (
	jpegMagic = []byte{0xFF, 0xD8, 0xFF}
	pngMagic  = []byte("\x89PNG\r\n\x1a\n")
)

// Sniff says what a picture's first bytes are: JPEG, PNG or "" for neither.
func Sniff(b []byte) gatehouse.ImageFormat {
	switch {
	case bytes.HasPrefix(b, jpegMagic):
		return gatehouse.JPEG
	case bytes.HasPrefix(b, pngMagic):
		return gatehouse.PNG
	}
	return ""
}

// Read takes a whole picture from r. Errors: image.empty for no bytes,
// image.too_big over MaxBytes, image.type for what is neither JPEG nor PNG,
// image.unreadable where r fails.
func Read(r io.Reader) (gatehouse.Image, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return gatehouse.Image{}, gatehouse.Errorf("image.too_big", "send at most 20 MiB", "the picture is too big")
	case err != nil:
		return gatehouse.Image{}, gatehouse.Errorf("image.unreadable", "send it again", "the picture could not be read to its end")
	case len(b) == 0:
		return gatehouse.Image{}, gatehouse.Errorf("image.empty", "send the picture's bytes", "the picture is empty")
	case len(b) > MaxBytes:
		return gatehouse.Image{}, gatehouse.Errorf("image.too_big", "send at most 20 MiB", "the picture is too big")
	}
	format := Sniff(b)
	if format == "" {
		return gatehouse.Image{}, gatehouse.Errorf("image.type", "send a JPEG or PNG picture", "these bytes are neither JPEG nor PNG")
	}
	return gatehouse.Image{Format: format, Bytes: b}, nil
}

// Parse makes a capture of a posted picture: h are the request's headers, body
// its body, received the moment it came. The caller has authenticated the device
// and knows its gate. Errors: those of Read; request.content_type where the header
// is missing, names another type, or not the one that the bytes are;
// request.time where the claimed time is no RFC 3339. A claimed time that is
// possible as text but not as a time (more than a day old, more than five minutes
// ahead) is dropped and leaves Claimed zero: a wrong clock must not stop a door.
func Parse(h http.Header, body io.Reader, received time.Time) (gatehouse.Capture, error) {
	want, err := contentType(h.Get("Content-Type"))
	if err != nil {
		return gatehouse.Capture{}, err
	}
	claimed, err := claimedTime(h.Get(TimeHeader), received)
	if err != nil {
		return gatehouse.Capture{}, err
	}
	img, err := Read(body)
	if err != nil {
		return gatehouse.Capture{}, err
	}
	if img.Format != want {
		return gatehouse.Capture{}, gatehouse.Errorf("request.content_type", "set Content-Type to what the bytes are", "the picture is not of the type that its Content-Type says")
	}
	return gatehouse.Capture{Kind: gatehouse.FrameCapture, Claimed: claimed, Received: received, Image: img}, nil
}

func contentType(s string) (gatehouse.ImageFormat, error) {
	media, _, err := mime.ParseMediaType(s)
	if err == nil {
		switch media {
		case "image/jpeg":
			return gatehouse.JPEG, nil
		case "image/png":
			return gatehouse.PNG, nil
		}
	}
	return "", gatehouse.Errorf("request.content_type", "send Content-Type: image/jpeg or image/png", "this type of content is not taken here")
}

func claimedTime(s string, received time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, gatehouse.Errorf("request.time", "send "+TimeHeader+" as RFC 3339, or leave it out", "the claimed time cannot be read")
	}
	if t.Before(received.Add(-maxPast)) || t.After(received.Add(maxFuture)) {
		return time.Time{}, nil
	}
	return t, nil
}
