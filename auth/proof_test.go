package auth

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

type signer struct{ key ed25519.PublicKey }

func (o signer) VerifyDevice(_ context.Context, id gatehouse.DeviceID, token string) (gatehouse.Device, error) {
	if id != "cam" || token != "token" {
		return gatehouse.Device{}, Refused()
	}
	return gatehouse.Device{ID: id}, nil
}

func (o signer) DeviceKey(_ context.Context, id gatehouse.DeviceID) (gatehouse.Device, ed25519.PublicKey, error) {
	if id != "cam" {
		return gatehouse.Device{}, nil, Refused()
	}
	return gatehouse.Device{ID: id}, o.key, nil
}

func request(from, authorization string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/devices/cam/frames?a=b", bytes.NewReader(body))
	r.SetPathValue("id", "cam")
	r.RemoteAddr = from
	r.Header.Set("Authorization", authorization)
	return r
}

// The bytes of docs/devices.md, as other programs make them.
func TestTheSignedText(t *testing.T) {
	p := gatehouse.DeviceProof{Place: here, Method: "POST", Target: "/x?y=z", Time: 1800000000, Nonce: "abcdefgh", Digest: sha256.Sum256(nil)}
	want := "gatehouse-device-v1\nacme/north\nPOST\n/x?y=z\n1800000000\nabcdefgh\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
	if got := string(p.Text()); got != want {
		t.Errorf("%q", got)
	}
	if got := string(gatehouse.EnrolmentText("ABCDE12345", bytes.Repeat([]byte{0xab}, 32))); got != "gatehouse-enrol-v1\nABCDE12345\n"+strings.Repeat("ab", 32)+"\n" {
		t.Errorf("%q", got)
	}
}

func TestProofs(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1800000000, 0)
	d := NewDevices(signer{public}, here, true, func() time.Time { return now })
	now = now.Add(10 * time.Minute)
	nonce := 0
	sign := func(at time.Time, body []byte) string {
		nonce++
		p := gatehouse.DeviceProof{Place: here, Method: "POST", Target: "/api/v1/devices/cam/frames?a=b", Time: at.Unix(), Nonce: fmt.Sprintf("nonce-%04d", nonce), Digest: sha256.Sum256(body)}
		return fmt.Sprintf("%s %d %s %x %s", ProofScheme, p.Time, p.Nonce, p.Digest, base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, p.Text())))
	}
	body := bytes.Repeat([]byte("picture "), 10_000)
	r := request("192.0.2.1:5", sign(now, body), body)
	if _, err := d.VerifyRequest(r); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(got, body) {
		t.Errorf("the signed body does not arrive: %v", err)
	}
	again := r.Header.Get("Authorization")
	if _, err := d.VerifyRequest(request("192.0.2.1:5", again, body)); gatehouse.ErrorCode(err) != "device.proof_again" {
		t.Errorf("again: %v", err)
	}
	for _, off := range []time.Duration{-61 * time.Second, 61 * time.Second} {
		if _, err := d.VerifyRequest(request("192.0.2.1:5", sign(now.Add(off), body), body)); gatehouse.ErrorCode(err) != "device.proof_time" {
			t.Errorf("off by %v: %v", off, err)
		}
	}
	for _, off := range []time.Duration{-59 * time.Second, 59 * time.Second} {
		if _, err := d.VerifyRequest(request("192.0.2.1:5", sign(now.Add(off), body), body)); err != nil {
			t.Errorf("off by %v: %v", off, err)
		}
	}
	_, other, _ := ed25519.GenerateKey(nil)
	for name, change := range map[string]func(p *gatehouse.DeviceProof, by *ed25519.PrivateKey){
		"another key":    func(_ *gatehouse.DeviceProof, by *ed25519.PrivateKey) { *by = other },
		"another site":   func(p *gatehouse.DeviceProof, _ *ed25519.PrivateKey) { p.Site = "elsewhere" },
		"another method": func(p *gatehouse.DeviceProof, _ *ed25519.PrivateKey) { p.Method = "PUT" },
		"another target": func(p *gatehouse.DeviceProof, _ *ed25519.PrivateKey) { p.Target = "/api/v1/devices/cam/frames" },
		"another time":   func(p *gatehouse.DeviceProof, _ *ed25519.PrivateKey) { p.Time-- },
		"another nonce":  func(p *gatehouse.DeviceProof, _ *ed25519.PrivateKey) { p.Nonce = "another-nonce" },
		"another digest": func(p *gatehouse.DeviceProof, _ *ed25519.PrivateKey) { p.Digest[0]++ },
	} {
		nonce++
		p := gatehouse.DeviceProof{Place: here, Method: "POST", Target: "/api/v1/devices/cam/frames?a=b", Time: now.Unix(), Nonce: fmt.Sprintf("nonce-%04d", nonce), Digest: sha256.Sum256(body)}
		sent, by := p, key
		change(&p, &by)
		authorization := fmt.Sprintf("%s %d %s %x %s", ProofScheme, sent.Time, sent.Nonce, sent.Digest, base64.RawURLEncoding.EncodeToString(ed25519.Sign(by, p.Text())))
		if _, err := d.VerifyRequest(request("192.0.2.1:5", authorization, body)); gatehouse.ErrorCode(err) != "device.refused" {
			t.Errorf("a signature of %s: %v", name, err)
		}
	}
	// After a restart nothing counts that was signed before it.
	fresh := NewDevices(signer{public}, here, true, func() time.Time { return now })
	if _, err := fresh.VerifyRequest(request("192.0.2.1:5", again, body)); err != nil {
		t.Fatal("the control is refused", err)
	}
	now = now.Add(5 * time.Second)
	fresh = NewDevices(signer{public}, here, true, func() time.Time { return now })
	if _, err := fresh.VerifyRequest(request("192.0.2.1:5", again, body)); gatehouse.ErrorCode(err) != "device.proof_time" {
		t.Errorf("sent again after a restart: %v", err)
	}
	// Whoever changes the body gets no byte of its end through.
	changed := bytes.Clone(body)
	changed[0] = 'P'
	r = request("192.0.2.1:5", sign(now, body), changed)
	if _, err := d.VerifyRequest(r); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r.Body); err == nil || len(got) == len(body) {
		t.Errorf("%d bytes of another body, %v", len(got), err)
	}
	if n, err := r.Body.Read(make([]byte, 9)); n != 0 || err == nil || err == io.EOF {
		t.Errorf("after the failure: %d bytes, %v", n, err)
	}
	if _, err := d.VerifyRequest(request("192.0.2.1:5", sign(now, body), nil)); gatehouse.ErrorCode(err) != "device.proof" {
		t.Errorf("no body: %v", err)
	}
	r = request("192.0.2.1:5", sign(now, body), body)
	r.ContentLength = -1
	if _, err := d.VerifyRequest(r); gatehouse.ErrorCode(err) != "device.proof" {
		t.Errorf("a body of unknown length: %v", err)
	}
}

func TestWhereATokenCounts(t *testing.T) {
	for _, c := range []struct {
		from         string
		tls, allowed bool
		code         string
	}{
		{"127.0.0.1:5", false, true, ""},
		{"127.0.0.1:5", false, false, ""},
		{"[::1]:5", true, false, ""},
		{"192.0.2.1:5", true, true, ""},
		{"192.0.2.1:5", true, false, "device.key_needed"},
		{"192.0.2.1:5", false, true, "device.key_needed"},
	} {
		d := NewDevices(signer{}, here, c.allowed, nil)
		r := request(c.from, "Bearer token", nil)
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if _, err := d.VerifyRequest(r); gatehouse.ErrorCode(err) != c.code {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestCodes(t *testing.T) {
	now := time.Unix(1800000000, 0)
	c := NewCodes(func() time.Time { return now })
	yes := func(gatehouse.Device) bool { return true }
	text, until := c.New("chief", gatehouse.Device{ID: "a"})
	if len(text) != 10 || until.Sub(now) != 15*time.Minute || gatehouse.EnrolmentCode(gatehouse.ShownCode(strings.ToLower(text))) != text {
		t.Fatalf("%q until %v", text, until)
	}
	if _, _, ok := c.Take(text, func(gatehouse.Device) bool { return false }); ok {
		t.Error("a code was spent by who must not")
	}
	if d, by, ok := c.Take(text, yes); !ok || d.ID != "a" || by != "chief" {
		t.Error("the code does not work")
	}
	if _, _, ok := c.Take(text, yes); ok {
		t.Error("the code works twice")
	}
	old, _ := c.New("chief", gatehouse.Device{ID: "a"})
	c.New("chief", gatehouse.Device{ID: "a"})
	if _, _, ok := c.Take(old, yes); ok {
		t.Error("the earlier code of a device works on")
	}
	late, _ := c.New("chief", gatehouse.Device{ID: "b"})
	now = now.Add(CodeLifetime)
	if _, _, ok := c.Take(late, yes); ok {
		t.Error("the code works after its end")
	}
	for i := range 2 * maxCodes {
		c.New("chief", gatehouse.Device{ID: gatehouse.DeviceID(fmt.Sprint("d", i))})
	}
	if len(c.codes) > maxCodes {
		t.Errorf("%d codes are kept", len(c.codes))
	}
	// Guessing: an address may try five, and all of them together thirty at once.
	tries := 0
	for range 100 {
		if ok, _ := c.Allow("192.0.2.1"); ok {
			tries++
		}
	}
	if tries != 5 {
		t.Errorf("one address tried %d codes at once", tries)
	}
	for i := range 100 {
		if ok, _ := c.Allow(fmt.Sprint("192.0.2.", i+2)); ok {
			tries++
		}
	}
	if tries > 30 {
		t.Errorf("all addresses tried %d codes at once", tries)
	}
	for typed, want := range map[string]string{"abcde-12345": "ABCDE12345", "O0Il1-AAAAA": "00111AAAAA", "ABCDE1234": "", "ABCDE12345U": "", "ABCDE-1234U": "", "": "", "ÀBCDE12345": ""} {
		if got := gatehouse.EnrolmentCode(typed); got != want {
			t.Errorf("%q is %q", typed, got)
		}
	}
}

func FuzzProof(f *testing.F) {
	f.Add("1800000000 abcdefgh e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 " + strings.Repeat("A", 86))
	f.Add("")
	f.Fuzz(func(t *testing.T, fields string) {
		p, signature, ok := parseProof(fields)
		if !ok {
			return
		}
		if back := fmt.Sprintf("%d %s %x %s", p.Time, p.Nonce, p.Digest, base64.RawURLEncoding.EncodeToString(signature)); back != fields {
			t.Errorf("%q was read as %q", fields, back)
		}
	})
}
