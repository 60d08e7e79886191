// Package client talks to a running Gatehouse: to its admin socket, as the command
// line does, and to its API as a device does. Errors are *gatehouse.Error with the
// server's code, message and hint.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 16 << 20

// Client is one server. It is safe for concurrent use.
type Client struct {
	base  string
	token string
	sign  func(r *http.Request, body []byte) // nil: nothing is signed
	http  *http.Client
}

// OverSocket returns a client of the server whose admin socket is at path. It
// implements api.Admin.
func OverSocket(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	return &Client{base: "http://gatehouse", http: &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConns: 2}, Timeout: 2 * time.Minute}}
}

// AsDevice returns a client that posts as a device; base is the server's address,
// for example http://localhost:8080, token what `gatehouse device add` printed.
func AsDevice(base, token string) *Client {
	return &Client{base: strings.TrimSuffix(base, "/"), token: token, http: &http.Client{Timeout: time.Minute}}
}

// AsProgram returns a client that asks as a program with an access token; base is the
// server's address, token what `gatehouse token add` printed, web how the server is
// reached, nil for the usual way.
func AsProgram(web *http.Client, base, token string) *Client {
	c := withHTTP(base, web)
	c.token = token
	return c
}

// PostFrame sends a picture (JPEG or PNG) as the device id. It returns the passages
// that it decided; none is usual.
func (c *Client) PostFrame(ctx context.Context, id gatehouse.DeviceID, contentType string, picture []byte) (wire.FramesResponse, error) {
	var out wire.FramesResponse
	err := c.send(ctx, http.MethodPost, "/api/v1/devices/"+url.PathEscape(string(id))+"/frames", contentType, bytes.NewReader(picture), &out)
	return out, err
}

// PostCredential sends a card, PIN or QR code as the device id.
func (c *Client) PostCredential(ctx context.Context, id gatehouse.DeviceID, q wire.CredentialRequest) (wire.FramesResponse, error) {
	var out wire.FramesResponse
	err := c.ask(ctx, http.MethodPost, "/api/v1/devices/"+url.PathEscape(string(id))+"/credentials", q, &out)
	return out, err
}

// Passages lists metadata, newest first, behind the cursor before (zero: from the
// newest), of one gate or all (""); limit is 1..200.
func (c *Client) Passages(ctx context.Context, gate gatehouse.GateID, before gatehouse.ID, limit int) (wire.PassagesResponse, error) {
	v := url.Values{}
	if gate != "" {
		v.Set("gate", string(gate))
	}
	if !before.IsZero() {
		v.Set("before", before.String())
	}
	if limit > 0 {
		v.Set("limit", itoa(limit))
	}
	var out wire.PassagesResponse
	err := c.ask(ctx, http.MethodGet, "/api/v1/passages?"+v.Encode(), nil, &out)
	return out, err
}

// ask sends q as JSON (nil: no body) and reads the answer into out.
func (c *Client) ask(ctx context.Context, method, path string, q, out any) error {
	if q == nil {
		return c.send(ctx, method, path, "", nil, out)
	}
	b, err := json.Marshal(q)
	if err != nil {
		return err
	}
	return c.send(ctx, method, path, "application/json", bytes.NewReader(b), out)
}

func (c *Client) send(ctx context.Context, method, path, contentType string, body io.Reader, out any) error {
	var signed []byte
	if c.sign != nil && body != nil {
		var err error
		if signed, err = io.ReadAll(body); err != nil {
			return err
		}
		body = bytes.NewReader(signed)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	if c.sign != nil {
		c.sign(r, signed)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	w, err := c.http.Do(r)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err // the address is not repeated
		}
		return gatehouse.Errorf("client.unreachable", "start it with `gatehouse serve`, or check its address", "the server does not answer: %w", err)
	}
	defer w.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(w.Body, maxAnswer))
	if err != nil {
		return gatehouse.Errorf("client.broken", "try again", "the server's answer broke off: %w", err)
	}
	if w.StatusCode >= 300 {
		return problem(w.StatusCode, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return gatehouse.Errorf("client.answer", "use a client and a server of the same version", "the server's answer is not understood")
	}
	return nil
}

// problem makes an error of an RFC 9457 answer.
func problem(status int, answer []byte) error {
	var p wire.Problem
	if json.Unmarshal(answer, &p) != nil || p.Code == "" {
		return gatehouse.Errorf("client.answer", "check that a Gatehouse of this version listens there", "the server answered with status %d", status)
	}
	return &gatehouse.Error{Code: p.Code, Message: p.Detail, Hint: p.Hint}
}
