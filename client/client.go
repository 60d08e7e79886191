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
	err := c.send(ctx, http.MethodPost, "/api/v1/devices/"+url.PathEscape(string(id))+"/frames", contentType, picture, &out)
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
	return c.ListPassages(ctx, PassagesQuery{Gate: gate, Before: before, Limit: limit})
}

// request is what is asked: body is sent as JSON, or raw as what kind says.
type request struct {
	method, path string
	header       http.Header
	body         any
	raw          []byte
	kind         string
}

// ask sends q as JSON (nil: no body) and reads the answer into out.
func (c *Client) ask(ctx context.Context, method, path string, q, out any) error {
	_, err := c.do(ctx, request{method: method, path: path, body: q}, out)
	return err
}

// send sends bytes of a media type.
func (c *Client) send(ctx context.Context, method, path, contentType string, body []byte, out any) error {
	_, err := c.do(ctx, request{method: method, path: path, raw: body, kind: contentType}, out)
	return err
}

// do sends a request, reads the answer into out (nil: there is none to read) and returns
// the answer's header.
func (c *Client) do(ctx context.Context, q request, out any) (http.Header, error) {
	w, err := c.open(ctx, q)
	if err != nil {
		return nil, err
	}
	defer w.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(w.Body, maxAnswer))
	if err != nil {
		return w.Header, gatehouse.Errorf("client.broken", "try again", "the server's answer broke off: %w", err)
	}
	if w.StatusCode >= 300 {
		return w.Header, problem(w.StatusCode, answer)
	}
	if out == nil || w.StatusCode == http.StatusNoContent {
		return w.Header, nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return w.Header, gatehouse.Errorf("client.answer", "use a client and a server of the same version", "the server's answer is not understood")
	}
	return w.Header, nil
}

// open sends a request and returns the answer, of which nothing is read yet.
func (c *Client) open(ctx context.Context, q request) (*http.Response, error) {
	if q.body != nil {
		var err error
		if q.raw, err = json.Marshal(q.body); err != nil {
			return nil, err
		}
		q.kind = "application/json"
	}
	var body io.Reader
	if q.raw != nil {
		body = bytes.NewReader(q.raw)
	}
	r, err := http.NewRequestWithContext(ctx, q.method, c.base+q.path, body)
	if err != nil {
		return nil, err
	}
	if c.sign != nil {
		c.sign(r, q.raw)
	}
	for name, values := range q.header {
		r.Header[name] = values
	}
	if q.kind != "" {
		r.Header.Set("Content-Type", q.kind)
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
		return nil, gatehouse.Errorf("client.unreachable", "start it with `gatehouse serve`, or check its address", "the server does not answer: %w", err)
	}
	return w, nil
}

// problem makes an error of an RFC 9457 answer.
func problem(status int, answer []byte) error {
	var p wire.Problem
	if json.Unmarshal(answer, &p) != nil || p.Code == "" {
		return gatehouse.Errorf("client.answer", "check that a Gatehouse of this version listens there", "the server answered with status %d", status)
	}
	return &gatehouse.Error{Code: p.Code, Message: p.Detail, Hint: p.Hint}
}
