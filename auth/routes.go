package auth

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"gatehouse"
)

// Policy says who may call a route. There is no way to make one outside this
// package, and the zero Policy is refused when the routes are joined: a route
// without a policy does not get into a server.
type Policy struct{ name string }

// The policies.
var (
	// Public is for what holds nothing personal: static files, /healthz, the link itself.
	Public = Policy{"public"}
	// Loopback is for callers on this machine, whoever they are: metrics, readiness.
	Loopback = Policy{"loopback"}
	// WithSession needs the session cookie.
	WithSession = Policy{"session"}
	// WithDevice needs the token of the device that the path's {id} names.
	WithDevice = Policy{"device"}
	// OnSocket is served on the admin socket only, whose file mode lets in the
	// server's own user and root.
	OnSocket = Policy{"socket"}
	// SessionOrSocket is served with a session, and on the admin socket.
	SessionOrSocket = Policy{"session-or-socket"}
)

// String names the policy.
func (p Policy) String() string { return p.name }

// Route is one entry of a server's table. Pattern is http.ServeMux's and MUST name
// a method.
type Route struct {
	Pattern string
	Policy  Policy
	Handler http.HandlerFunc
	// Refuse answers who is turned away; nil means the listener's own way.
	Refuse Refuse
}

// Listener tells the two places that a server listens at.
type Listener int

// TCP is the loopback address, Socket the admin unix socket.
const (
	TCP Listener = iota
	Socket
)

// Refuse answers a request that its route's policy turns away. err is a
// *gatehouse.Error with the code auth.session_needed, device.refused,
// auth.too_many or auth.loopback_only.
type Refuse func(w http.ResponseWriter, r *http.Request, err error)

// Match returns what tells which of the routes answers a request on the loopback
// address: its pattern, "" for none.
func Match(routes []Route) func(*http.Request) string {
	mux := http.NewServeMux()
	for _, route := range routes {
		if route.Policy != OnSocket {
			mux.Handle(route.Pattern, http.NotFoundHandler())
		}
	}
	return func(r *http.Request) string {
		_, pattern := mux.Handler(r)
		return pattern
	}
}

// Handler joins the routes that belong to a listener into one handler, each behind
// its policy, and all of them behind the Host allow-list, the cross-origin check
// and the security headers. It panics on a route without a policy or a pattern
// without a method: that is a programming error, and a test joins every route.
func (a *Auth) Handler(where Listener, routes []Route, refuse Refuse) http.Handler {
	mux := http.NewServeMux()
	for _, route := range routes {
		check(route)
		if h := a.guard(where, route, refuse); h != nil {
			mux.Handle(route.Pattern, h)
		}
	}
	if where == Socket {
		return mux
	}
	return a.hosts(securityHeaders(http.NewCrossOriginProtection().Handler(mux)))
}

func check(r Route) {
	switch r.Policy {
	case Public, Loopback, WithSession, WithDevice, OnSocket, SessionOrSocket:
	default:
		panic(fmt.Sprintf("route %q has no policy", r.Pattern))
	}
	if r.Handler == nil || r.Pattern == "" || r.Pattern[0] == '/' {
		panic(fmt.Sprintf("route %q has no handler or names no method", r.Pattern))
	}
}

// guard returns the route's handler behind its policy, nil where the route does
// not belong to the listener.
func (a *Auth) guard(where Listener, route Route, refuse Refuse) http.Handler {
	h := route.Handler
	if route.Refuse != nil {
		refuse = route.Refuse
	}
	if where == Socket {
		if route.Policy == OnSocket || route.Policy == SessionOrSocket || route.Policy == Public {
			return h
		}
		return nil
	}
	switch route.Policy {
	case OnSocket:
		return nil
	case Public:
		return h
	case Loopback:
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !fromLoopback(r) {
				refuse(w, r, gatehouse.Errorf("auth.loopback_only", "ask from the machine itself", "this is served on this machine only"))
				return
			}
			h(w, r)
		})
	case WithDevice:
		return a.guardDevice(h, refuse)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		s, ok := a.SessionOf(r)
		if !ok {
			refuse(w, r, gatehouse.Errorf("auth.session_needed", "run `gatehouse link` on the server and open the link it prints", "this page needs a session"))
			return
		}
		h(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, s)))
	})
}

// guardDevice lets a device in that shows its token; failures of one address and
// device are slowed down, so that a token cannot be guessed at speed.
func (a *Auth) guardDevice(h http.HandlerFunc, refuse Refuse) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		d, err := a.device(r)
		if err == nil {
			h(w, r.WithContext(context.WithValue(r.Context(), deviceKey{}, d)))
			return
		}
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		if ok, wait := a.failures.Allow(host + " " + r.PathValue("id")); !ok {
			TooMany(w, r, wait, refuse)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="gatehouse"`)
		refuse(w, r, err)
	})
}

// TooMany refuses with auth.too_many and says when to come again.
func TooMany(w http.ResponseWriter, r *http.Request, wait time.Duration, refuse Refuse) {
	seconds := int(wait/time.Second) + 1
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	refuse(w, r, gatehouse.Errorf("auth.too_many", fmt.Sprintf("come again in %d s", seconds), "too many requests"))
}

type (
	sessionKey struct{}
	deviceKey  struct{}
)

// SessionFrom returns the session that the route's policy found.
func SessionFrom(ctx context.Context) (Session, bool) {
	s, ok := ctx.Value(sessionKey{}).(Session)
	return s, ok
}

// DeviceFrom returns the device that the route's policy found.
func DeviceFrom(ctx context.Context) (gatehouse.Device, bool) {
	d, ok := ctx.Value(deviceKey{}).(gatehouse.Device)
	return d, ok
}

func fromLoopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
