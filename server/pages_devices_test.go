package server

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"slices"
	"testing"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
)

// What the console makes the server connect to lies in the network, never on this machine.
func TestCameraAddresses(t *testing.T) {
	s := &Server{}
	for address, good := range map[string]bool{
		"rtsp://user:word@192.0.2.7:554/1": true, "https://192.0.2.7/mjpeg": true, "rtsps://[2001:db8::7]/1": true,
		"": false, "/etc/passwd": false, "file:///etc/passwd": false, "rtsp:///1": false, "rtsp://localhost/1": false, "rtsp://127.0.0.1/1": false, "rtsp://127.0.0.2/1": false, "rtsp://[::1]/1": false, "http://127.1/": false,
		"http://2130706433/": false, "http://0x7f.1/": false, "http://[::ffff:127.0.0.1]/": false, "http://169.254.169.254/latest/meta-data": false, "rtsp://0.0.0.0/": false, "http://[fe80::1]/": false,
		"concat:/etc/passwd": false, "pipe:0": false, "tcp://192.0.2.7:22": false, "udp://239.0.0.1": false, "http://224.0.0.1/": false,
	} {
		if err := s.checkCamera(t.Context(), address); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// The audit log names whoever gave a code out, and whoever revoked.
func TestTheLogNamesWhoEnrolledADevice(t *testing.T) {
	s := open(t, testConfig(t))
	entries := func() (all []string) {
		t.Helper()
		if err := s.store.Leaves(t.Context(), 0, func(_ uint64, leaf []byte) error {
			if kind, _, parts, err := gatehouse.LeafParts(leaf); err == nil && kind == gatehouse.DeviceLeafKind && len(parts) > 6 {
				all = append(all, string(parts[5])+" "+string(parts[6]))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	ready := make(chan struct{})
	go func() { ran <- s.Run(ctx, func(string) { close(ready) }) }()
	<-ready
	defer func() { stop(); <-ran }()
	me := console.Who{Operator: "0123456789abcdef0123456789abcdef", Role: gatehouse.Administrator}
	code, err := pages{s}.Code(t.Context(), me, gatehouse.Device{ID: "reader-1", Kind: gatehouse.Reader, Gate: "front-door"})
	if err != nil {
		t.Fatal(err)
	}
	key, private, _ := ed25519.GenerateKey(rand.Reader)
	if _, err := (enrolments{s}).EnrolKey(t.Context(), code.Code, key, ed25519.Sign(private, gatehouse.EnrolmentText(gatehouse.EnrolmentCode(code.Code), key))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Admin().AddDevice(t.Context(), wire.DeviceAddRequest{ID: "door-camera", Kind: gatehouse.Camera, Gate: "front-door"}); err != nil {
		t.Fatal(err)
	}
	if err := (pages{s}).Revoke(t.Context(), me, "reader-1"); err != nil {
		t.Fatal(err)
	}
	if got := entries(); !slices.Equal(got, []string{me.Operator + " key", me.Operator + " revoked"}) {
		t.Errorf("the log says %v", got)
	}
	listed, err := pages{s}.Devices(t.Context())
	if err != nil || len(listed) != 2 || listed[0].ID != "door-camera" || listed[0].Shows != "token" || listed[1].Shows != "revoked" {
		t.Errorf("%+v, %v", listed, err)
	}
	if err := (pages{s}).Camera(t.Context(), me, gatehouse.Device{ID: "door-camera", Gate: "front-door"}, "rtsp://192.0.2.7/1"); gatehouse.ErrorCode(err) != "device.known" {
		t.Errorf("a camera in the place of another device: %v", err)
	}
}
