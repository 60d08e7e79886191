package notify

import (
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"gatehouse"
)

// guarded is how webhooks are posted: the address that a connection is really made to is
// looked at, after the name was resolved and for each try anew, so that a name cannot lead
// first to a public place and then into the network behind this server. No redirect is
// followed and no proxy is asked.
func guarded(local bool) *http.Client {
	dial := net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !local && !Public(at.Addr()) {
			return errPrivate
		}
		return nil
	}}
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: dial.DialContext, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 20 * time.Second,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 32 << 10, ForceAttemptHTTP2: true}}
}

var errPrivate = gatehouse.Errorf("webhook.private", "give the receiver a public address, or add the webhook with --local", "the webhook leads to this machine or a private network")

// reserved are the networks beside those that netip knows that no receiver on the internet
// has (RFC 6890 and its registries): shared address space, protocol assignments,
// documentation, benchmarking, 6to4 relays, what is reserved, and the IPv6 networks that
// carry an IPv4 address inside.
var reserved = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10")

func prefixes(all ...string) (out []netip.Prefix) {
	for _, p := range all {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// Public reports whether an address is one of the internet, and not of this machine, its
// network, or one that nobody has.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.Zone() != "" {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
