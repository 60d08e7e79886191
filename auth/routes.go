package auth

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
)

// Policy says who may call a route. There is no way to make one outside this
// package but those below, and the zero Policy is refused when the routes are joined: a
// route without a policy does not get into a server. Policies can be compared.
type Policy struct {
	name       string
	permission gatehouse.Permission
	fresh      bool // within Options.Fresh of a proof of who is there
	socket     bool // on the admin socket, too
	token      bool // with an access token, too
}

// The policies that need no permission.
var (
	// Public is for what holds nothing personal: static files, /healthz, signing in.
	Public = Policy{name: "public"}
	// Loopback is for callers on this machine, whoever they are: metrics, readiness.
	Loopback = Policy{name: "loopback"}
	// WithDevice needs the token of the device that the path's {id} names.
	WithDevice = Policy{name: "device"}
	// OnSocket is served on the admin socket only, whose file mode lets in the
	// server's own user and root.
	OnSocket = Policy{name: "socket"}
	// SettingUp needs the session of a set-up link, while nobody can sign in yet.
	SettingUp = Policy{name: "set-up"}
)

// withPermission is the name of the policies that need one.
const withPermission = "permission"

// Needs is the policy of what a session may do whose account has the permission at the
// server's place.
func Needs(p gatehouse.Permission) Policy { return Policy{name: withPermission, permission: p} }

// NeedsFresh is Needs, where somebody has shown who they are a short while ago.
func NeedsFresh(p gatehouse.Permission) Policy {
	return Policy{name: withPermission, permission: p, fresh: true}
}

// OrSocket is the policy, and the admin socket.
func (p Policy) OrSocket() Policy {
	p.socket = true
	return p
}

// OrToken is the policy, and whoever shows an access token that has the permission as one
// of its scopes. A program cannot prove freshly who it is: none is asked to.
func (p Policy) OrToken() Policy {
	p.token = true
	return p
}

// ForTokens reports whether an access token may be let in.
func (p Policy) ForTokens() bool { return p.token }

// Permission is what a session needs; "" for a policy without one.
func (p Policy) Permission() gatehouse.Permission { return p.permission }

// Fresh reports whether it needs a fresh proof.
func (p Policy) Fresh() bool { return p.fresh }

// ForSessions reports whether a browser's session may be let in.
func (p Policy) ForSessions() bool { return p.name == withPermission || p == SettingUp }

// OnTCP reports whether a route with the policy is served beside the admin socket.
func (p Policy) OnTCP() bool { return p != OnSocket }

// onSocket reports whether it is served there.
func (p Policy) onSocket() bool { return p == OnSocket || p == Public || p.socket }

// String names the policy.
func (p Policy) String() string {
	name := p.name
	if p.permission != "" {
		name += " " + string(p.permission)
	}
	if p.fresh {
		name += ", fresh"
	}
	if p.token {
		name += ", or token"
	}
	if p.socket {
		name += ", or socket"
	}
	return name
}

// Route is one entry of a server's table. Pattern is http.ServeMux's and MUST name
// a method.
type Route struct {
	Pattern string
	Policy  Policy
	Handler http.HandlerFunc
	// Refuse answers who is turned away; nil means the listener's own way.
	Refuse Refuse
	// Page is where a form's sender goes on after showing who they are, with the path's
	// {id} or {gate} in it; "" is the page itself, or the first one for a form.
	Page string
}

// Listener tells the two places that a server listens at.
type Listener int

// TCP is the loopback address, Socket the admin unix socket.
const (
	TCP Listener = iota
	Socket
)

// Refuse answers a request that its route's policy turns away. err is a
// *gatehouse.Error with the code auth.session_needed, auth.forbidden, auth.set_up,
// auth.passkey_needed, auth.again, device.refused, token.refused, token.scope, auth.too_many or
// auth.loopback_only; a listener's own Refuse also answers auth.host and auth.cross_origin, before
// any route is looked at, and request.no_route and request.method where programs ask for none. A session that was found is in the request's context.
type Refuse func(w http.ResponseWriter, r *http.Request, err error)

// Match returns what tells which of the routes answers a request on the loopback
// address: its pattern, "" for none.
func Match(routes []Route) func(*http.Request) string {
	mux := matching(routes, func(string) bool { return true })
	return func(r *http.Request) string {
		_, pattern := mux.Handler(r)
		return pattern
	}
}

// matching tells which of those routes on the loopback address that lie at paths that are
// wanted answers a request; it serves none.
func matching(routes []Route, wanted func(path string) bool) matcher {
	mux := http.NewServeMux()
	for _, route := range routes {
		if _, path, _ := strings.Cut(route.Pattern, " "); route.Policy.OnTCP() && wanted(path) {
			mux.Handle(route.Pattern, http.NotFoundHandler())
		}
	}
	return mux
}

// matcher is http.ServeMux's method of that name.
type matcher interface {
	Handler(*http.Request) (http.Handler, string)
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
	ours := http.NewCrossOriginProtection()
	ours.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, gatehouse.Errorf("auth.cross_origin", "send it from a page of this server, or with an access token and no Origin", "a cross-origin request changes nothing here"))
	}))
	return securityHeaders(a.hosts(ours.Handler(unserved(routes, mux, refuse)), refuse))
}

func check(r Route) {
	switch p := r.Policy; {
	case p == Public, p == Loopback, p == WithDevice, p == OnSocket, p == SettingUp:
	case p.name == withPermission && slices.Contains(gatehouse.Permissions, p.permission):
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
		if !route.Policy.onSocket() {
			return nil
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h(w, r.WithContext(context.WithValue(r.Context(), socketKey{}, true)))
		})
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
		if r.Header.Get("Authorization") != "" && route.Policy.token {
			a.guardToken(w, r, route.Policy, h, refuse)
			return
		}
		s, ok := a.SessionOf(r)
		if !ok {
			if r.Header.Get("Authorization") != "" {
				refuse(w, r, gatehouse.Errorf("auth.session_needed", "see /api/v1/openapi.json for what access tokens open", "no access token opens this: it is for people who signed in"))
				return
			}
			refuse(w, r, gatehouse.Errorf("auth.session_needed", "sign in, or run `gatehouse link` on the server and open the link it prints", "this page needs a session"))
			return
		}
		err := a.admit(&s, route.Policy)
		r = r.WithContext(context.WithValue(r.Context(), sessionKey{}, s))
		if err != nil {
			refuse(w, r, err)
			return
		}
		h(w, r)
	})
}

// admit decides whether a session may pass a policy, and notes by which role.
func (a *Auth) admit(s *Session, p Policy) error {
	role, may := s.may(p.permission)
	switch {
	case p == SettingUp && s.How == gatehouse.BySetUp:
		return nil
	case s.How == gatehouse.BySetUp:
		return gatehouse.Errorf("auth.set_up", "make the first administrator", "this site has no account yet")
	case !may && s.limited() && p != SettingUp:
		return gatehouse.Errorf("auth.passkey_needed", "add a passkey to the account", "the account has nothing to sign in with yet")
	case !may || p == SettingUp:
		return gatehouse.Errorf("auth.forbidden", "ask an administrator for a role that may", "no role of this account allows that")
	case p.fresh && !s.Local() && !s.limited() && a.o.Now().Sub(s.Proved) >= a.o.Fresh:
		return gatehouse.Errorf("auth.again", "show once more who you are", "this needs a fresh proof of who is there")
	}
	s.Role = role
	return nil
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
		// The address alone has a limit of its own: who names another device with each
		// try is no faster than who names one.
		if ok, wait := a.failed.Allow(addressOf(r)); !ok {
			TooMany(w, r, wait, refuse)
			return
		}
		if ok, wait := a.failures.Allow(addressOf(r) + " " + r.PathValue("id")); !ok {
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
