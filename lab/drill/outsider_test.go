package drill

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// An address that the router tidies first is as open as its tidy form, and no more.
func TestAnUntidyAddress(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	mux.HandleFunc("/left/open", func(w http.ResponseWriter, _ *http.Request) {})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusSeeOther)
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	matcher, err := newMatcher([]mark{{kind: Name, text: "Qvhzvnja"}})
	if err != nil {
		t.Fatal(err)
	}
	p := &prober{base: s.URL, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		match: func(*http.Request) string { return "" }, matcher: matcher}
	for address, open := range map[string]bool{
		"/U8Op+Q97//e64p6EYg=": false, "/a/../b": false, "/a//?q=1": false, "/closed": false,
		"/left/open": true, "/left//open": true, "/left/../left/open": true, "/moved": true, "//moved": true,
	} {
		how, err := p.try(t.Context(), http.MethodGet, address, nobody)
		if err != nil || (how != "") != open {
			t.Errorf("%s: %q, %v", address, how, err)
		}
	}
}
