package auth

import (
	"net/http"
	"strings"

	"gatehouse"
)

// programs is below what programs ask: they are told what is not there as they are told
// all else, and never get the page that people get.
const programs = "/api/"

// unserved answers what programs ask that no route serves, by refuse: request.no_route,
// or request.method with the methods that there are in Allow. All else is served's.
func unserved(routes []Route, served http.Handler, refuse Refuse) http.Handler {
	known := matching(routes, func(path string) bool { return strings.HasPrefix(path, programs) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := known.Handler(r)
		if pattern != "" || !strings.HasPrefix(r.URL.Path, programs) {
			served.ServeHTTP(w, r)
			return
		}
		said := answered{header: http.Header{}}
		h.ServeHTTP(&said, r)
		if allow := said.header.Get("Allow"); said.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", allow)
			refuse(w, r, gatehouse.Errorf("request.method", "use one of "+allow, "this is not served by %s", r.Method))
			return
		}
		refuse(w, r, gatehouse.Errorf("request.no_route", "see /api/v1/openapi.json", "there is no such route"))
	})
}

// answered is what a mux would answer, without its body.
type answered struct {
	header http.Header
	status int
}

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) WriteHeader(status int)      { a.status = status }
func (a *answered) Write(b []byte) (int, error) { return len(b), nil }
