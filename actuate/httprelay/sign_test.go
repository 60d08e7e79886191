package httprelay

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// A sign is told the newest until it takes it, and no older face comes after.
func TestASignIsToldTheNewest(t *testing.T) {
	type told struct{ method, path, body, auth string }
	got := make(chan told, 20)
	fail := make(chan struct{}, 1)
	fail <- struct{}{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		select {
		case <-fail:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		default:
		}
		got <- told{r.Method, r.URL.RequestURI(), string(b), r.Header.Get("Authorization")}
	}))
	t.Cleanup(server.Close)
	s, err := NewSign(Request{URL: server.URL + "/show?n={free}&w={word}&bikes={free:motorbike}", Bearer: "k3y"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.Show(gatehouse.SignFace{CarPark: "centre", Free: 12, Classes: map[gatehouse.VehicleClass]int{"motorbike": 4}})
	select {
	case x := <-got:
		if x.path != "/show?n=12&w=FREE&bikes=4" || x.method != http.MethodGet || x.auth != "Bearer k3y" || x.body != "" {
			t.Errorf("%+v", x)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a sign that was away for a moment is told nothing")
	}
	s.Show(gatehouse.SignFace{CarPark: "centre", Full: true})
	if x := <-got; !strings.Contains(x.path, "n=0&w=FULL") {
		t.Errorf("%+v", x)
	}
	if _, err := NewSign(Request{URL: "ftp://x"}); gatehouse.ErrorCode(err) != "relay.bad_address" {
		t.Error(err)
	}
}
