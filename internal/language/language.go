// Package language picks one of the two languages that Gatehouse speaks.
package language

import (
	"strconv"
	"strings"
)

// Of picks "en" or "zh" by an Accept-Language header with its q values (RFC 9110,
// 12.5.4); "en" where the header names neither. At most 20 entries are looked at.
func Of(header string) string {
	best, bestQ := "en", 0.0
	for i, part := range strings.Split(header, ",") {
		if i == 20 {
			break
		}
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		if Known(primary) && q > bestQ {
			best, bestQ = primary, q
		}
	}
	return best
}

// Known reports whether l is a language that the texts exist in.
func Known(l string) bool { return l == "en" || l == "zh" }
