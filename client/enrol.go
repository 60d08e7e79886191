package client

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// DeviceCode gives a one-time code, with which the device enrols a key of its own.
func (c *Client) DeviceCode(ctx context.Context, r wire.DeviceAddRequest) (wire.DeviceCodeResponse, error) {
	var out wire.DeviceCodeResponse
	err := c.ask(ctx, http.MethodPost, "/admin/v1/devices/codes", r, &out)
	return out, err
}

// RevokeDevice refuses the device from its next request on.
func (c *Client) RevokeDevice(ctx context.Context, id gatehouse.DeviceID) error {
	var out struct{}
	return c.ask(ctx, http.MethodDelete, "/admin/v1/devices/"+url.PathEscape(string(id)), nil, &out)
}

// Devices lists who is enrolled or configured.
func (c *Client) Devices(ctx context.Context) (wire.DevicesResponse, error) {
	var out wire.DevicesResponse
	err := c.ask(ctx, http.MethodGet, "/admin/v1/devices", nil, &out)
	return out, err
}

// Enrol spends a code: the device's requests are signed with key from then on. web is
// how the server at base is reached, nil for the usual way.
func Enrol(ctx context.Context, web *http.Client, base, code string, key ed25519.PrivateKey) (*Client, wire.DeviceEnrolResponse, error) {
	if code = gatehouse.EnrolmentCode(code); code == "" {
		return nil, wire.DeviceEnrolResponse{}, gatehouse.Errorf("device.code", "it has ten letters and digits", "this is no code")
	}
	public := key.Public().(ed25519.PublicKey)
	c := withHTTP(base, web)
	var out wire.DeviceEnrolResponse
	err := c.ask(ctx, http.MethodPost, "/api/v1/devices/enrol", wire.DeviceEnrolRequest{Code: code, PublicKey: hex.EncodeToString(public),
		Signature: base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, gatehouse.EnrolmentText(code, public)))}, &out)
	if err != nil {
		return nil, out, err
	}
	return AsSigner(web, base, out.Site, key), out, nil
}

// AsSigner returns a client that posts as a device and signs with its key; site is what
// the enrolment named.
func AsSigner(web *http.Client, base, site string, key ed25519.PrivateKey) *Client {
	c := withHTTP(base, web)
	org, id, _ := strings.Cut(site, "/")
	c.sign = func(r *http.Request, body []byte) {
		var nonce [16]byte
		_, _ = rand.Read(nonce[:]) // never fails since Go 1.24
		p := gatehouse.DeviceProof{Place: gatehouse.Place{Org: gatehouse.OrgID(org), Site: gatehouse.SiteID(id)}, Method: r.Method, Target: r.URL.RequestURI(),
			Time: time.Now().Unix(), Nonce: hex.EncodeToString(nonce[:]), Digest: sha256.Sum256(body)}
		r.Header.Set("Authorization", "Gatehouse-Device-V1 "+strconv.FormatInt(p.Time, 10)+" "+p.Nonce+" "+hex.EncodeToString(p.Digest[:])+" "+
			base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, p.Text())))
	}
	return c
}

func withHTTP(base string, web *http.Client) *Client {
	if web == nil {
		web = &http.Client{Timeout: time.Minute}
	}
	return &Client{base: strings.TrimSuffix(base, "/"), http: web}
}
