package listen

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CheckName refuses what is neither a host name in lower case (gates.example) nor an IP
// address. A name with a wildcard would let every name in.
func CheckName(name string) error {
	if ip := net.ParseIP(name); ip != nil {
		if ip.IsUnspecified() {
			return fmt.Errorf("%q is no address that a browser could ask for", name)
		}
		return nil
	}
	if len(name) == 0 || len(name) > 253 {
		return fmt.Errorf("%q is no host name", name)
	}
	for part := range strings.SplitSeq(name, ".") {
		if !label.MatchString(part) {
			return fmt.Errorf("%q is no host name in lower case", name)
		}
	}
	return nil
}

// Hosts are the Host headers under which a server of these names is asked for: with its
// port, and without one, since a router in front may pass 443 on to another port.
func Hosts(names []string, port string) []string {
	var all []string
	for _, name := range names {
		all = append(all, net.JoinHostPort(name, port), bracketed(name))
	}
	return all
}

// URL is the address of a server of this name and port.
func URL(name, port string) string {
	if port == "443" {
		return "https://" + bracketed(name)
	}
	return "https://" + net.JoinHostPort(name, port)
}

func bracketed(name string) string {
	if strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}

// StrictTransport tells browsers to use TLS only from now on, for so long. Nothing is
// said over a connection without TLS, where it would not count.
func StrictTransport(next http.Handler, lasts time.Duration) http.Handler {
	if lasts <= 0 {
		return next
	}
	value := "max-age=" + strconv.Itoa(int(lasts/time.Second))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", value)
		}
		next.ServeHTTP(w, r)
	})
}

// Redirect sends who asks in clear to the same place over TLS, and serves nothing else.
// A name that is not ours is refused, so that nobody is sent elsewhere.
func Redirect(names []string, port string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		host = strings.ToLower(host)
		switch {
		case !slices.Contains(names, host):
			http.Error(w, "auth.host: this server does not answer under that name", http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			// What was sent has been seen on its way already; sending it on would hide that.
			http.Error(w, "tls.needed: use https", http.StatusForbidden)
		default:
			w.Header().Set("Connection", "close")
			http.Redirect(w, r, URL(host, port)+r.URL.RequestURI(), http.StatusMovedPermanently)
		}
	})
}
