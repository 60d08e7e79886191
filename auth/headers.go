package auth

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"gatehouse"
)

// ContentSecurityPolicy is sent with every answer. Nothing inline runs, nothing is
// asked of another host, nobody frames the console.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", ContentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		// A cookie does not tell ports apart, so another program's page on this
		// machine could embed our pictures; this forbids it.
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		next.ServeHTTP(w, r)
	})
}

// LoopbackHosts are the Host headers that a browser on this machine sends for port.
func LoopbackHosts(port string) []string {
	hosts := []string{net.JoinHostPort("localhost", port), net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
	if port == "80" {
		hosts = append(hosts, "localhost", "127.0.0.1", "[::1]")
	}
	return hosts
}

// hosts refuses a Host header that is not listed: a name that an attacker points
// at 127.0.0.1 (DNS rebinding) reaches the port, and stops here.
func (a *Auth) hosts(next http.Handler, refuse Refuse) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(a.o.Hosts, strings.ToLower(r.Host)) {
			refuse(w, r, gatehouse.Errorf("auth.host", "use the address that it printed when it started, or add the name to tls.names", "this server does not answer under that name"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
