package webhooks

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"gatehouse"
)

// maxURL bounds an address, in bytes.
const maxURL = 2000

// checkURL refuses what is no address of a receiver, and one that says itself that it leads
// to this machine or a private network. Where a name leads is looked at when it is used: it
// may lead elsewhere by then. Errors: webhook.address, webhook.private.
func (w *Webhooks) checkURL(s string, local bool) error {
	u, err := url.Parse(s)
	ok := err == nil && len(s) <= maxURL && u.Hostname() != "" && u.User == nil && u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http" && local) && !strings.ContainsAny(s, "\r\n\t ")
	if !ok {
		return gatehouse.Errorf("webhook.address", fmt.Sprintf("write https://, at most %d characters, no user and no password in it; http only with --local, on this machine or its network", maxURL), "this is no address of a receiver")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	at, err := netip.ParseAddr(host)
	switch {
	case err == nil:
		ok = local || w.Public(at)
	case endsInNumber(host):
		return gatehouse.Errorf("webhook.address", "write four numbers from 0 to 255 with dots between them, or a name", "this is an address in a form that programs read differently")
	default:
		ok = local || host != "localhost" && !strings.HasSuffix(host, ".localhost") // RFC 6761
	}
	if !ok {
		return gatehouse.Errorf("webhook.private", "give the receiver a public address, or add the webhook with `gatehouse webhook add --local`", "the webhook leads to this machine or a private network")
	}
	return nil
}

// endsInNumber reports whether a name's last part is a number, which makes the whole of it
// an IPv4 address to some programs: 2130706433, 0x7f.1 and 127.1 are 127.0.0.1 to them
// (https://url.spec.whatwg.org/#ends-in-a-number-checker).
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	digits := "0123456789"
	if rest, hex := strings.CutPrefix(last, "0x"); hex {
		last, digits = rest, "0123456789abcdef"
		if last == "" {
			return true
		}
	}
	return last != "" && strings.Trim(last, digits) == ""
}
