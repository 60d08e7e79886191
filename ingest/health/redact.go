package health

import (
	"net/url"
	"regexp"
	"strings"
)

var (
	// address is a URL behind its scheme, up to the next white space: a password may
	// hold any other character. Rather too much is hidden than too little.
	address    = regexp.MustCompile(`://\S*`)
	queryValue = regexp.MustCompile(`([?&;][^=&;]*=)[^&;]*`)
	// some cameras take them in the path: /user=admin_password=…_channel=1.sdp
	inPath     = regexp.MustCompile(`(?i)((?:user|name|login|pass|password|passwd|pwd|token|auth|key)=).*`)
	authHeader = regexp.MustCompile(`(?i)((?:proxy-)?authorization:\s*)[^\r\n]*`)
)

// Redact removes credentials from text that may quote an address: the user and
// password of a URL, the values of its query, and authorization headers.
func Redact(s string) string {
	s = address.ReplaceAllStringFunc(s, func(a string) string {
		at, query := strings.LastIndexByte(a, '@'), strings.IndexByte(a, '?')
		switch {
		case at >= 0 && query >= 0 && query < at:
			return "://…" // a password with a ? or a query with an @: who knows
		case at >= 0:
			a = "://…" + a[at:]
		}
		return inPath.ReplaceAllString(queryValue.ReplaceAllString(a, "${1}…"), "${1}…")
	})
	return authHeader.ReplaceAllString(s, "${1}…")
}

// Address is what may be said of a source's address to an operator and in an
// error: scheme, host and port of a URL, or "a file" for anything else, since
// paths name people more often than one would think.
func Address(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Host == "" {
		if strings.Contains(raw, "://") {
			return "an unreadable address"
		}
		return "a file"
	}
	return u.Scheme + "://" + u.Host
}
