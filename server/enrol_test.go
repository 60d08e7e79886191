package server

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
)

func codeFor(t *testing.T, admin *client.Client, id gatehouse.DeviceID) wire.DeviceCodeResponse {
	t.Helper()
	got, err := admin.DeviceCode(t.Context(), wire.DeviceAddRequest{ID: id, Kind: gatehouse.Reader, Gate: "front-door"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// recorder keeps the last request as it was sent.
type recorder struct {
	header http.Header
	body   []byte
}

func (r *recorder) RoundTrip(q *http.Request) (*http.Response, error) {
	r.header = q.Header.Clone()
	if q.Body != nil {
		r.body, _ = io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(r.body))
	}
	return http.DefaultTransport.RoundTrip(q)
}

func TestDevicesEnrolWithACode(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	link := run(t, s)
	base := link[:strings.Index(link, "/enter/")]
	admin := client.OverSocket(SocketPath(c))
	enrol(t, s, "B-1", "Ana", nil)
	show := wire.CredentialRequest{Kind: gatehouse.CardCapture, Value: "card B-1"}

	code := codeFor(t, admin, "reader-1")
	if !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$`).MatchString(code.Code) || time.Until(code.Until) > 15*time.Minute {
		t.Fatalf("the code is %+v", code)
	}
	key, wire0 := newKey(t), &recorder{}
	web := &http.Client{Transport: wire0}
	if _, _, err := client.Enrol(t.Context(), web, base, "00000-00000", key); gatehouse.ErrorCode(err) != "device.code" {
		t.Errorf("a made-up code: %v", err)
	}
	device, who, err := client.Enrol(t.Context(), web, base, strings.ToLower(code.Code), key)
	if err != nil || who.Device != "reader-1" || who.Site != "default/main" {
		t.Fatalf("%+v, %v", who, err)
	}
	if _, _, err := client.Enrol(t.Context(), web, base, code.Code, newKey(t)); gatehouse.ErrorCode(err) != "device.code" {
		t.Errorf("a code that was spent: %v", err)
	}
	got, err := device.PostCredential(t.Context(), "reader-1", show)
	if err != nil || len(got.Passages) != 1 || got.Passages[0].Decision != "granted" {
		t.Fatalf("%+v, %v", got, err)
	}

	// What was on the wire is good once, for that body, that address and that device.
	send := func(target string, body []byte, authorization string) (status int, said string) {
		t.Helper()
		r, _ := http.NewRequest(http.MethodPost, base+target, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", authorization)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		b, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(b)
	}
	proof, body := wire0.header.Get("Authorization"), wire0.body
	const target = "/api/v1/devices/reader-1/credentials"
	if status, said := send(target, body, proof); status != 401 || !strings.Contains(said, "device.proof_again") {
		t.Errorf("the same request again: %d %s", status, said)
	}
	addDevice(t, s, "other")
	for name, try := range map[string]struct {
		target, authorization string
		body                  []byte
	}{
		"another body":   {target, signedBy(t, key, "default", target, time.Now(), body), []byte(strings.Replace(string(body), "B-1", "B-2", 1))},
		"a shorter body": {target, signedBy(t, key, "default", target, time.Now(), body), body[:len(body)-1]},
		"no body":        {target, signedBy(t, key, "default", target, time.Now(), body), nil},
		"another target": {"/api/v1/devices/reader-1/frames", signedBy(t, key, "default", target, time.Now(), body), body},
		"another device": {"/api/v1/devices/other/credentials", signedBy(t, key, "default", "/api/v1/devices/other/credentials", time.Now(), body), body},
		"another site":   {target, signedBy(t, key, "elsewhere", target, time.Now(), body), body},
		"another key":    {target, signedBy(t, newKey(t), "default", target, time.Now(), body), body},
		"an old one":     {target, signedBy(t, key, "default", target, time.Now().Add(-2*time.Minute), body), body},
		"a future one":   {target, signedBy(t, key, "default", target, time.Now().Add(2*time.Minute), body), body},
		"nonsense":       {target, "Gatehouse-Device-V1 1 2 3 4", body},
		"nothing":        {target, "", body},
	} {
		if status, said := send(try.target, try.body, try.authorization); status != 401 && status != 400 {
			t.Errorf("%s: %d %s", name, status, said)
		}
		time.Sleep(150 * time.Millisecond) // not to be slowed down
	}
	if status, said := send(target, body, signedBy(t, key, "default", target, time.Now(), body)); status != 202 {
		t.Errorf("the control was refused: %d %s", status, said)
	}

	// A revocation counts from the next request on, is in the log, and outlasts a restart.
	if err := admin.RevokeDevice(t.Context(), "reader-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := device.PostCredential(t.Context(), "reader-1", show); gatehouse.ErrorCode(err) != "device.refused" {
		t.Errorf("a revoked device: %v", err)
	}
	if err := admin.RevokeDevice(t.Context(), "nobody"); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Errorf("a device that is none: %v", err)
	}
	logged := ""
	for end := time.Now().Add(20 * time.Second); !strings.Contains(logged, "change revoked") && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		logged = ""
		s.store.Leaves(t.Context(), 0, func(_ uint64, leaf []byte) error {
			if kind, _, parts, err := gatehouse.LeafParts(leaf); err == nil && kind == gatehouse.DeviceLeafKind && len(parts) > 6 {
				logged += " change " + string(parts[6])
			}
			return nil
		})
	}
	if !strings.Contains(logged, "change key change revoked") {
		t.Errorf("the audit log says %q", logged)
	}
}

func signedBy(t *testing.T, key ed25519.PrivateKey, org, target string, at time.Time, body []byte) string {
	t.Helper()
	nonce := gatehouse.RandomID().String()
	return proofOf(key, gatehouse.DeviceProof{Place: gatehouse.Place{Org: gatehouse.OrgID(org), Site: "main"}, Method: "POST", Target: target, Time: at.Unix(), Nonce: nonce}, body)
}

func TestARevokedDeviceStaysOut(t *testing.T) {
	c := testConfig(t)
	device := DefaultDevice()
	device.ID, device.Gate, device.Kind = "tablet", "front-door", "terminal"
	c.Devices = []DeviceConfig{device} // in gatehouse.yml, too
	s := open(t, c)
	token := addDevice(t, s, "tablet")
	if _, err := s.admin().VerifyDevice(t.Context(), "tablet", token); err != nil {
		t.Fatal(err)
	}
	if err := s.Admin().RevokeDevice(t.Context(), "tablet"); err != nil {
		t.Fatal(err)
	}
	s.Close(context.Background())
	if r := verify(t, c, VerifyOptions{}); len(r.Findings) > 0 {
		t.Errorf("after a revocation the log is said to be wrong: %v", r.Findings)
	}
	s = open(t, c)
	if _, err := s.admin().VerifyDevice(t.Context(), "tablet", token); gatehouse.ErrorCode(err) != "device.refused" {
		t.Errorf("after a restart: %v", err)
	}
	list, err := s.Admin().Devices(t.Context())
	if err != nil || len(list.Devices) != 1 || list.Devices[0].Shows != "revoked" {
		t.Errorf("%+v, %v", list, err)
	}
	fresh := addDevice(t, s, "tablet")
	if _, err := s.admin().VerifyDevice(t.Context(), "tablet", fresh); err != nil {
		t.Errorf("enrolled again: %v", err)
	}
	if _, err := s.admin().VerifyDevice(t.Context(), "tablet", token); gatehouse.ErrorCode(err) != "device.refused" {
		t.Errorf("the old token after it was enrolled again: %v", err)
	}
}

// The example of docs/devices.md, word for word, with curl and openssl.
func TestTheDocumentedEnrolment(t *testing.T) {
	for _, tool := range []string{"curl", "openssl", "xxd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not here")
		}
	}
	page, err := os.ReadFile("../docs/devices.md")
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(page, -1)
	if len(script) != 2 {
		t.Fatalf("docs/devices.md has %d scripts", len(script))
	}
	c := testConfig(t)
	s := open(t, c)
	link := run(t, s)
	enrol(t, s, "B-1", "Ana", nil)
	code := codeFor(t, client.OverSocket(SocketPath(c)), "reader-1")
	dir := t.TempDir()
	text := "set -eu\n" + string(script[0][1]) + string(script[1][1])
	cmd := exec.CommandContext(t.Context(), "sh", "-c", text)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GATEHOUSE="+link[:strings.Index(link, "/enter/")], "CODE="+strings.ReplaceAll(code.Code, "-", ""), "CARD=card B-1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"decision":"granted"`) {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "device.pem")); err != nil {
		t.Error(err)
	}
}

func proofOf(key ed25519.PrivateKey, p gatehouse.DeviceProof, body []byte) string {
	p.Digest = sha256.Sum256(body)
	return fmt.Sprintf("Gatehouse-Device-V1 %d %s %x %s", p.Time, p.Nonce, p.Digest, base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, p.Text())))
}
