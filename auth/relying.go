package auth

import (
	"net"
	"net/url"
	"strings"

	"gatehouse"
)

// CheckRelyingParty returns an error unless passkeys can be bound to the name.
func CheckRelyingParty(name string) error {
	bad := func(hint string) error {
		return gatehouse.Errorf("auth.relying_party", hint, "passkeys cannot be bound to %q", name)
	}
	host := strings.Trim(name, "[]")
	switch {
	case net.ParseIP(host) != nil:
		return bad("browsers bind passkeys to names and never to an IP address: use localhost, or the server's name")
	case name == "" || len(name) > 253 || name != strings.ToLower(name) || strings.ContainsAny(name, " /:@?#%_") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "."):
		return bad("use the name alone, in lower case, as it stands in the console's address: gate.example.org")
	case name != "localhost" && !strings.Contains(name, "."):
		return bad("use localhost, or a full name such as gate.example.org")
	}
	return nil
}

// FitsRelyingParty reports whether pages at base may use passkeys of the name.
func FitsRelyingParty(base, name string) bool {
	u, err := url.Parse(base)
	return err == nil && (u.Hostname() == name || strings.HasSuffix(u.Hostname(), "."+name))
}
