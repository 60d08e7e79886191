package httprelay

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"gatehouse"
	"gatehouse/actuate"
)

// signAgain is how often a sign is told the same.
const signAgain = time.Minute

// NewSign tells a sign what it shows by a request: its URL and body are actuate.FillSign's, a
// body that is empty is the JSON object where the method is not GET. A request that is sent twice
// shows the same. Errors: relay.bad_address.
func NewSign(r Request) (*actuate.Sign, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	name := "http"
	if u, err := url.Parse(r.URL); err == nil {
		name = u.Host // the rest may hold a key
	}
	return actuate.NewSign(name, signAgain, func(ctx context.Context, f gatehouse.SignFace) error {
		filled := r
		filled.URL = actuate.FillSign(r.URL, f)
		if r.Body != "" || r.Method != "" && r.Method != http.MethodGet {
			filled.Body = actuate.FillSign(r.Body, f)
		}
		req, err := filled.build(gatehouse.OpenCommand{})
		if err != nil {
			return err
		}
		resp, err := client.Do(req.WithContext(ctx))
		if err != nil {
			return gatehouse.Errorf("relay.unreachable", "check the sign's power, network and address", "a sign cannot be reached")
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
		if resp.StatusCode/100 != 2 {
			return gatehouse.Errorf("relay.refused", "check the sign's address and credentials", "a sign answered with status %d", resp.StatusCode)
		}
		return nil
	}), nil
}
