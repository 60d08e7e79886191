package httprelay

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gatehouse"
)

// Gate is one relay and the sensor of its gate.
type Gate struct {
	Open   Request
	Status Status
	// Timeout bounds one request; 0: 3 s.
	Timeout time.Duration
	// Repeatable says that the relay knows a passage by its Idempotency-Key, so that
	// a command whose answer was lost may be sent again. Otherwise only a command
	// that surely was not sent (no connection) is tried again, since a second pulse
	// opens most gates a second time.
	Repeatable bool
}

// Request is an HTTP request with placeholders. In URL and Body {passage} stands
// for the passage's id, {hold_s} and {hold_ms} for how long the gate stays open.
// For example, a Shelly relay of the first generation is
//
//	GET http://10.0.0.20/relay/0?turn=on&timer={hold_s}
//
// one of the second POST http://10.0.0.20/rpc/Switch.Set with the body
// {"id":0,"on":true,"toggle_after":{hold_s}}, and an ESPHome button
// POST http://10.0.0.20/button/gate/press.
type Request struct {
	Method string // "": GET, or POST where there is a body
	URL    string // http or https; without user and password
	Body   string // sent as application/json
	// User and Password (Basic) or Bearer are the relay's credentials; they come
	// from the secret store and are named in no error.
	User     string
	Password gatehouse.Secret
	Bearer   gatehouse.Secret
}

// Status says how to ask a gate how it is, by polling. The zero value asks
// nothing: then only Sense confirms a passage.
type Status struct {
	Request
	// Field is the path of a value in the JSON answer: names and numbers of array
	// elements between dots, for example "inputs.0.input".
	Field string
	// Passed, NotPassed and Tailgated are the values (as JSON writes them, strings
	// without quotes) that, when the field turns to them after a command, mean that
	// somebody passed, that nobody did, or that two did. Opened and Closed are values that tell the gate's
	// state. "" for none; one value may stand for two.
	Passed, NotPassed string
	Tailgated         string
	Opened, Closed    string
	// Every is the time between two questions while a command waits, Idle that at
	// rest; 0: 250 ms and 5 s.
	Every, Idle time.Duration
}

// Config is the relays of a site.
type Config struct {
	Gates map[gatehouse.GateID]Gate
	TLS   *tls.Config // for https; nil: the system's roots
}

func (g *Gate) defaults() {
	if g.Timeout <= 0 {
		g.Timeout = 3 * time.Second
	}
	if g.Status.Every <= 0 {
		g.Status.Every = 250 * time.Millisecond
	}
	if g.Status.Idle <= 0 {
		g.Status.Idle = 5 * time.Second
	}
}

// check refuses what cannot work, before it is needed at a gate.
func (r Request) check() error {
	u, err := url.Parse(r.URL)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return gatehouse.Errorf("relay.bad_address", "write it as http://host/path", "a relay's address cannot be used")
	case u.User != nil:
		return gatehouse.Errorf("relay.bad_address", "put the user and password into the secret store", "a relay's address must not hold a password")
	case strings.ContainsAny(r.Method, " \r\n"):
		return gatehouse.Errorf("relay.bad_address", "use GET, POST or PUT", "a relay's method cannot be used")
	}
	return nil
}

// build fills the placeholders in.
func (r Request) build(c gatehouse.OpenCommand) (*http.Request, error) {
	fill := strings.NewReplacer(
		"{passage}", c.Passage.String(),
		"{hold_s}", strconv.FormatFloat(c.Hold.Seconds(), 'f', -1, 64),
		"{hold_ms}", strconv.FormatInt(c.Hold.Milliseconds(), 10),
	)
	method, body := r.Method, fill.Replace(r.Body)
	if method == "" {
		method = http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
	}
	req, err := http.NewRequest(method, fill.Replace(r.URL), strings.NewReader(body))
	if err != nil {
		return nil, gatehouse.Errorf("relay.bad_address", "check the relay's address and method", "a relay's request cannot be made")
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if !c.Passage.IsZero() {
		req.Header.Set("Idempotency-Key", c.Passage.String())
	}
	switch {
	case r.Bearer != "":
		req.Header.Set("Authorization", "Bearer "+r.Bearer.Reveal())
	case r.User != "" || r.Password != "":
		req.SetBasicAuth(r.User, r.Password.Reveal())
	}
	return req, nil
}
