package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/auth"
)

// cosigner answers as a witness does.
type cosigner struct {
	conflict bool
	fail     error
}

func (c cosigner) AddCheckpoint(_ context.Context, body []byte) (string, int64, bool, error) {
	if string(body) != "request" {
		return "", 0, false, gatehouse.Errorf("request.malformed", "", "no request")
	}
	return "— witness AAAA\n", 17, c.conflict, c.fail
}

// A witness answers as c2sp.org/tlog-witness says.
func TestWitnessAnswers(t *testing.T) {
	fail := func(code string) api.Witness { return cosigner{fail: gatehouse.Errorf(code, "", "no")} }
	for name, c := range map[string]struct {
		witness api.Witness
		body    string
		status  int
		answer  string
	}{
		"a cosignature":             {cosigner{}, "request", http.StatusOK, "— witness AAAA\n"},
		"another size":              {cosigner{conflict: true}, "request", http.StatusConflict, "17\n"},
		"no request":                {cosigner{}, "hello", http.StatusBadRequest, ""},
		"a log that is unknown":     {fail("audit.unknown_log"), "request", http.StatusNotFound, ""},
		"another's signature":       {fail("audit.signature"), "request", http.StatusForbidden, ""},
		"another past":              {fail("audit.rolled_back"), "request", http.StatusUnprocessableEntity, ""},
		"too much":                  {cosigner{}, strings.Repeat("x", 70<<10), http.StatusRequestEntityTooLarge, ""},
		"a site that is no witness": {nil, "request", http.StatusNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := api.New(api.Options{Witness: c.witness})
			guard := auth.New(auth.Options{Hosts: auth.LoopbackHosts("80")})
			q := httptest.NewRequest(http.MethodPost, "/api/v1/witness/add-checkpoint", strings.NewReader(c.body))
			q.Host = "localhost"
			w := httptest.NewRecorder()
			guard.Handler(auth.TCP, a.Routes(), a.Refuse).ServeHTTP(w, q)
			b, _ := io.ReadAll(w.Body)
			if w.Code != c.status || c.answer != "" && string(b) != c.answer {
				t.Errorf("%d %q", w.Code, b)
			}
			if got := w.Header().Get("Content-Type"); c.status == http.StatusConflict && got != "text/x.tlog.size" {
				t.Errorf("content type %q", got)
			}
		})
	}
}
