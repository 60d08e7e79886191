package assets

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

func TestServe(t *testing.T) {
	s := Load(fstest.MapFS{"a/one.js": {Data: []byte("let a = 1;")}, "two.css": {Data: []byte("p {}")}, "LICENSE": {Data: []byte("x")}})
	get := func(name, query string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/static/"+name+query, nil)
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		s.Serve(w, r, name)
		return w
	}
	plain := get("one.js", "")
	if plain.Code != 200 || plain.Body.String() != "let a = 1;" || plain.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || plain.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("%d %q %v", plain.Code, plain.Body, plain.Header())
	}
	if w := get("one.js", "?v="+s.Tag("one.js")); w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
		t.Errorf("with its tag: %v", w.Header())
	}
	if w := get("one.js", "?v=0011223344556677"); w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("with another tag it is kept: %v", w.Header())
	}
	if w := get("one.js", "", "If-None-Match", plain.Header().Get("ETag")); w.Code != 304 {
		t.Errorf("unchanged: %d", w.Code)
	}
	w := get("one.js", "", "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(w.Body)
	if err != nil || w.Header().Get("ETag") == plain.Header().Get("ETag") {
		t.Fatalf("gzip: %v, %v", err, w.Header())
	}
	if b, _ := io.ReadAll(z); string(b) != "let a = 1;" {
		t.Errorf("unpacked: %q", b)
	}
	for _, name := range []string{"LICENSE", "three.js", "../assets.go", ""} {
		if w := get(name, ""); w.Code != 404 {
			t.Errorf("%q: %d", name, w.Code)
		}
	}
	if other := Load(fstest.MapFS{"one.js": {Data: []byte("let a = 2;")}, "two.css": {Data: []byte("p {}")}}); other.Whole() == s.Whole() {
		t.Error("other files have the same tag")
	}
}
