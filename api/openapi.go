package api

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"strings"

	"gatehouse/auth"
)

// documentFiles are the OpenAPI document, which the tests write from the operations
// (`make openapi`), and the template and style of its page.
//
//go:embed openapi/openapi.json openapi/page.html openapi/page.css
var documentFiles embed.FS

// The document's addresses.
const (
	documentPath = "/api/v1/openapi.json"
	pagePath     = "/api/v1/docs"
	stylePath    = "/api/v1/docs.css"
)

func (a *API) documentOperations() []operation {
	serve := func(name, kind string) http.HandlerFunc {
		b, err := documentFiles.ReadFile("openapi/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		return fixed(b, kind)
	}
	text := func(kind, about string) []reply {
		return []reply{{status: http.StatusOK, body: &content{kinds: []string{kind}}, about: about}}
	}
	return []operation{{
		Route: auth.Route{Pattern: "GET " + documentPath, Policy: auth.Public, Handler: serve("openapi.json", "application/json")},
		id:    "getDocument", tag: tagServer, summary: "This document", about: "OpenAPI 3.1.",
		tagged: true, replies: text("application/json", "The document."),
	}, {
		Route: auth.Route{Pattern: "GET " + pagePath, Policy: auth.Public, Handler: func(w http.ResponseWriter, r *http.Request) { fixed(documentPage(), "text/html; charset=utf-8")(w, r) }},
		id:    "getDocumentPage", tag: tagServer, summary: "This document for people",
		tagged: true, replies: text("text/html", "A page without scripts."),
	}, {
		Route: auth.Route{Pattern: "GET " + stylePath, Policy: auth.Public, Handler: serve("page.css", "text/css; charset=utf-8")},
		id:    "getDocumentStyle", tag: tagServer, summary: "The page's style",
		tagged: true, replies: text("text/css", "CSS."),
	}}
}

// fixed serves bytes that are the same for everybody until another version is installed.
func fixed(b []byte, kind string) http.HandlerFunc {
	tag := tagOf(b)
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		if known(r, tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(b)
	}
}

// tagOf is the strong ETag of an answer's bytes.
func tagOf(b []byte) string {
	sum := sha256.Sum256(b)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// known reports whether the request's If-None-Match names the tag (RFC 9110, 13.1.2).
func known(r *http.Request, tag string) bool {
	return names(r.Header.Values("If-None-Match"), tag, true)
}

// names reports whether a list of ETags holds the tag, or is "*". A weak one is compared
// as if it were strong only where weak is set.
func names(lists []string, tag string, weak bool) bool {
	for _, list := range lists {
		for one := range strings.SplitSeq(list, ",") {
			one = strings.TrimSpace(one)
			if weak {
				one = strings.TrimPrefix(one, "W/")
			}
			if one == "*" || one == tag {
				return true
			}
		}
	}
	return false
}
