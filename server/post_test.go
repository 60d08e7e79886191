package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

func TestWhatADeviceMaySend(t *testing.T) {
	for kind, want := range map[gatehouse.DeviceKind][2]bool{ // frames, credentials
		gatehouse.Camera: {true, false}, gatehouse.Reader: {false, true}, gatehouse.Terminal: {true, true},
		gatehouse.Kiosk: {true, true}, gatehouse.Relay: {false, false}, "": {false, false},
	} {
		if got := takes(kind, gatehouse.FrameCapture); got != want[0] {
			t.Errorf("%q: frames %t", kind, got)
		}
		for _, c := range []gatehouse.CaptureKind{gatehouse.CardCapture, gatehouse.PINCapture, gatehouse.QRCapture} {
			if got := takes(kind, c); got != want[1] {
				t.Errorf("%q: %s %t", kind, c, got)
			}
		}
	}
}

// claims returns a small picture whose header says that it is w×h pixels.
func claims(t *testing.T, format gatehouse.ImageFormat, w, h int) gatehouse.Image {
	t.Helper()
	var b bytes.Buffer
	small := image.NewGray(image.Rect(0, 0, 8, 8))
	if format == gatehouse.PNG {
		if err := png.Encode(&b, small); err != nil {
			t.Fatal(err)
		}
		raw := b.Bytes()
		binary.BigEndian.PutUint32(raw[16:], uint32(w))
		binary.BigEndian.PutUint32(raw[20:], uint32(h))
		binary.BigEndian.PutUint32(raw[29:], crc32.ChecksumIEEE(raw[12:29]))
		return gatehouse.Image{Format: format, Bytes: raw}
	}
	if err := jpeg.Encode(&b, small, nil); err != nil {
		t.Fatal(err)
	}
	raw := b.Bytes()
	at := bytes.Index(raw, []byte{0xff, 0xc0}) // the frame header: length, depth, height, width
	binary.BigEndian.PutUint16(raw[at+5:], uint16(h))
	binary.BigEndian.PutUint16(raw[at+7:], uint16(w))
	return gatehouse.Image{Format: format, Bytes: raw}
}

func TestAPostedPictureHasFewPixels(t *testing.T) {
	for _, c := range []struct {
		format gatehouse.ImageFormat
		w, h   int
		code   string
	}{
		{gatehouse.PNG, 7000, 7000, "image.too_large"}, {gatehouse.PNG, 4000, 4000, ""}, {gatehouse.PNG, 1 << 30, 1 << 30, "image.too_large"},
		{gatehouse.JPEG, 7000, 7000, "image.too_large"}, {gatehouse.JPEG, 4000, 4001, "image.too_large"}, {gatehouse.JPEG, 1920, 1080, ""},
	} {
		// What cannot be read is left to the vision process, which names it.
		err := checkPosted(claims(t, c.format, c.w, c.h))
		if got := gatehouse.ErrorCode(err); got != c.code && (c.w != 1<<30 || got != "") {
			t.Errorf("%s of %d×%d: %v", c.format, c.w, c.h, err)
		}
	}
	if err := checkPosted(gatehouse.Image{Format: gatehouse.JPEG, Bytes: []byte{0xff, 0xd8}}); err != nil {
		t.Errorf("a header that breaks off: %v", err)
	}
}

func TestPINTrials(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPINTrials(func() time.Time { return now })
	for i := range pinTries {
		if err := p.take("door"); err != nil {
			t.Fatalf("wrong PIN %d: %v", i+1, err)
		}
	}
	for range 20 { // asking again does not put it off
		if gatehouse.ErrorCode(p.take("door")) != "pin.too_many" {
			t.Fatal("a sixth wrong PIN was looked at")
		}
	}
	if err := p.take("other"); err != nil {
		t.Errorf("another gate: %v", err)
	}
	now = now.Add(pinEvery + time.Second)
	if err := p.take("door"); err != nil {
		t.Errorf("half a minute later: %v", err)
	}
	if p.take("door") == nil {
		t.Error("two at once half a minute later")
	}
	now = now.Add(time.Hour)
	for range 100 { // right ones cost nothing
		if err := p.take("door"); err != nil {
			t.Fatal(err)
		}
		p.giveBack("door")
	}
}

func TestPINsAtTheDoors(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin = 0
	vault := c.Gates[0]
	vault.ID, vault.SecondFactor, vault.SecondFactorWithin = "vault-door", true, time.Minute
	c.Gates = append(c.Gates, vault)
	s := open(t, c)
	for label, pin := range map[string]string{"B-1": "471147", "B-2": "815815"} {
		if _, err := s.Admin().EnrollPerson(t.Context(), wire.EnrollPersonRequest{Label: label, PIN: pin, Card: "card " + label,
			Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}); err != nil {
			t.Fatal(err)
		}
	}
	for id, d := range map[gatehouse.DeviceID]wire.DeviceAddRequest{"cam": {Kind: gatehouse.Camera, Gate: "front-door"},
		"pad": {Kind: gatehouse.Reader, Gate: "front-door"}, "vault-pad": {Kind: gatehouse.Reader, Gate: "vault-door"}} {
		d.ID = id
		if _, err := s.Admin().AddDevice(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	s.pins.now = func() time.Time { return now }
	pin := func(device gatehouse.DeviceID, value gatehouse.Secret) ([]gatehouse.Passage, error) {
		return s.Post(t.Context(), gatehouse.Capture{Device: device, Kind: gatehouse.PINCapture, Received: time.Now(), Secret: value})
	}
	if _, err := pin("cam", "471147"); gatehouse.ErrorCode(err) != "device.kind" {
		t.Errorf("a camera's PIN: %v", err)
	}
	if _, err := s.Post(t.Context(), gatehouse.Capture{Device: "pad", Kind: gatehouse.FrameCapture, Received: time.Now()}); gatehouse.ErrorCode(err) != "device.kind" {
		t.Errorf("a reader's picture: %v", err)
	}
	// One factor: it opens or not, and guessing ends soon, for the right PIN too.
	for range pinTries {
		if got, err := pin("pad", "000000"); err != nil || len(got) != 1 || got[0].Decision.Grant {
			t.Fatalf("a wrong PIN: %+v, %v", got, err)
		}
	}
	for _, value := range []gatehouse.Secret{"000000", "471147"} {
		if got, err := pin("pad", value); gatehouse.ErrorCode(err) != "pin.too_many" || len(got) != 0 {
			t.Errorf("after %d wrong PINs: %+v, %v", pinTries, got, err)
		}
	}
	if p := card(t, s, "pad", "card B-2"); !p.Decision.Grant {
		t.Errorf("a card meanwhile: %+v", p.Decision)
	}
	now = now.Add(pinEvery + time.Second)
	for range 3 {
		if got, err := pin("pad", "471147"); err != nil || len(got) != 1 || !got[0].Decision.Grant {
			t.Fatalf("the right PIN later: %+v, %v", got, err)
		}
	}
	// Two factors: neither is told from the other.
	for _, value := range []gatehouse.Secret{"000000", "815815"} {
		if got, err := pin("vault-pad", value); err != nil || len(got) != 0 {
			t.Errorf("a device learnt of a PIN: %+v, %v", got, err)
		}
	}
	if p := card(t, s, "vault-pad", "card B-2"); !p.Decision.Grant {
		t.Errorf("PIN and card together: %+v", p.Decision)
	}
	// A picture whose turn does not come is refused as busy.
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	d, _ := s.device(t.Context(), "cam")
	if _, err := s.cameraOf(d).frame(late, gatehouse.Capture{Received: time.Now(), Image: claims(t, gatehouse.JPEG, 8, 8)}); gatehouse.ErrorCode(err) != "server.busy" {
		t.Errorf("a picture that came too late: %v", err)
	}
}
