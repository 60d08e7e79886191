package client

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// Event is one thing that a server tells. ID is what to begin behind the next time; ""
// where it is the same as before.
type Event struct {
	ID      string
	Kind    string // passage, outcome, gate, gap
	Passage wire.Passage
	Gate    wire.GateInfo
	Gap     wire.EventGap
}

// maxEvent bounds one event, in bytes.
const maxEvent = 1 << 20

// Events calls f for what happens, of one gate or all (""), until ctx ends or f fails:
// behind the event with the id after ("" for only what is new), again and again behind the
// last one where the connection ends. It fails for good where the server refuses: with the
// server's code, or token.refused where the token has ended meanwhile.
func (c *Client) Events(ctx context.Context, gate gatehouse.GateID, after string, f func(Event) error) error {
	wait := time.Second
	for {
		began := time.Now()
		ended, err := c.stream(ctx, gate, &after, f)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if ended {
			return err
		}
		if time.Since(began) > time.Minute {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, time.Minute)
	}
}

// stream reads one connection's events; ended says that there will be no other.
func (c *Client) stream(ctx context.Context, gate gatehouse.GateID, after *string, f func(Event) error) (ended bool, err error) {
	v := url.Values{}
	if gate != "" {
		v.Set("gate", string(gate))
	}
	q := request{method: http.MethodGet, path: "/api/v1/events?" + v.Encode(), header: http.Header{"Accept": {"text/event-stream"}}}
	if *after != "" {
		q.header["Last-Event-Id"] = []string{*after}
	}
	patient := *c
	patient.http = &http.Client{Transport: c.http.Transport, CheckRedirect: c.http.CheckRedirect}
	w, err := patient.open(ctx, q)
	if err != nil {
		return false, err
	}
	defer w.Body.Close()
	if w.StatusCode != http.StatusOK {
		var p wire.Problem
		err := json.NewDecoder(http.MaxBytesReader(nil, w.Body, 64<<10)).Decode(&p)
		again := w.StatusCode == http.StatusTooManyRequests || w.StatusCode >= 500 || err != nil
		return !again, &gatehouse.Error{Code: p.Code, Message: p.Detail, Hint: p.Hint}
	}
	lines := bufio.NewScanner(w.Body)
	lines.Buffer(nil, maxEvent)
	var kind, id string
	var data []byte
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			kind = value
		case "data":
			data = append(data, value...)
		case "id":
			id = value
		case "":
			if lines.Text() != "" {
				continue // a comment
			}
			if id != "" {
				*after = id
			}
			if kind == "ended" {
				return true, gatehouse.Errorf("token.refused", "ask an administrator for another token", "the access token has ended or was revoked")
			}
			if len(data) > 0 {
				e := Event{ID: id, Kind: kind}
				if err := e.read(data); err != nil {
					return true, err
				}
				if err := f(e); err != nil {
					return true, err
				}
			}
			kind, id, data = "", "", nil
		}
	}
	return false, lines.Err()
}

func (e *Event) read(data []byte) error {
	var into any
	switch e.Kind {
	case "passage", "outcome":
		into = &e.Passage
	case "gate":
		into = &e.Gate
	case "gap":
		into = &e.Gap
	default:
		return nil // of a newer server
	}
	if err := json.Unmarshal(data, into); err != nil {
		return gatehouse.Errorf("client.answer", "use a client and a server of the same version", "the server's event is not understood")
	}
	return nil
}
