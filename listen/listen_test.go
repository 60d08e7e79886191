package listen

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func safeAt(t *testing.T, path string, key byte) *Safe {
	t.Helper()
	s, err := OpenSafe(path, [32]byte{key}, func(path string, b []byte) error { return os.WriteFile(path, b, 0o600) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve serves h over TLS and returns its address.
func serve(t *testing.T, source Source, tls12 bool, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Server(h)
	go s.Serve(tls.NewListener(l, Config(source, tls12)))
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

func pemPair(t *testing.T, dir string, serial int64, until time.Time) (certificate, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: until, DNSNames: []string{"gates.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, b := range map[string][]byte{certificate: encode("CERTIFICATE", der), key: encode("PRIVATE KEY", private)} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

func serialOf(t *testing.T, f *Files) int64 {
	t.Helper()
	f.mu.Lock()
	f.looked = time.Time{} // a second has passed
	f.mu.Unlock()
	c, err := f.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf.SerialNumber.Int64()
}

func TestFilesAreReadAgainWhenTheyChange(t *testing.T) {
	dir := t.TempDir()
	certificate, key := pemPair(t, dir, 1, time.Now().Add(time.Hour))
	f, err := OpenFiles(certificate, key, slog.New(slog.DiscardHandler))
	if err != nil || serialOf(t, f) != 1 {
		t.Fatal(err)
	}
	old, _ := os.ReadFile(key)
	pemPair(t, dir, 2, time.Now().Add(time.Hour))
	fresh, _ := os.ReadFile(key)
	if err := os.WriteFile(key, old, 0o600); err != nil { // half of the pair is written
		t.Fatal(err)
	}
	os.Chtimes(key, time.Now(), time.Now().Add(time.Minute))
	if got := serialOf(t, f); got != 1 {
		t.Errorf("with a pair that does not fit certificate %d is shown", got)
	}
	if err := os.WriteFile(key, fresh, 0o600); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(key, time.Now(), time.Now().Add(2*time.Minute))
	if got := serialOf(t, f); got != 2 {
		t.Errorf("the new certificate is not shown, but %d", got)
	}
	os.Chmod(key, 0o604)
	if _, err := OpenFiles(certificate, key, nil); gatehouse.ErrorCode(err) != "tls.key_open" {
		t.Errorf("a key that everybody may read: %v", err)
	}
}

func TestTheLocalAuthority(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "sealed")
	names := []string{"gates.example", "192.0.2.7"}
	safe := safeAt(t, path, 1)
	if _, err := OpenAuthority(ctx, safe, names); gatehouse.ErrorCode(err) != "tls.no_authority" {
		t.Fatal(err)
	}
	made, err := MakeAuthority(ctx, safe, "Main site", names)
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := os.ReadFile(path)
	if len(sealed) == 0 || strings.Contains(string(sealed), "PRIVATE KEY") {
		t.Fatal("the key lies open")
	}
	if _, err := OpenSafe(path, [32]byte{2}, nil); gatehouse.ErrorCode(err) != "tls.safe" {
		t.Errorf("another key opens it: %v", err)
	}
	a, err := OpenAuthority(ctx, safeAt(t, path, 1), names)
	if err != nil || a.Fingerprint() != made.Fingerprint() {
		t.Fatal(err)
	}
	if _, err := OpenAuthority(ctx, safe, []string{"other.example"}); gatehouse.ErrorCode(err) != "tls.authority_names" {
		t.Errorf("for another name: %v", err)
	}

	address := serve(t, a, false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.PEM())
	for _, name := range []string{"gates.example", "192.0.2.7", "localhost"} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: name}, ForceAttemptHTTP2: true}
		answer, err := (&http.Client{Transport: transport}).Get("https://" + address)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if string(body) != "HTTP/2.0" || answer.TLS.Version != tls.VersionTLS13 {
			t.Errorf("%s was reached with %s, TLS %x", name, body, answer.TLS.Version)
		}
		transport.CloseIdleConnections()
	}

	// Whoever stole the authority can pose as nobody else.
	a.names = []string{"bank.example"}
	a.mine = nil
	c, err := a.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: "bank.example"}); err == nil {
		t.Error("the authority vouches for a name it was not made for")
	}
	a.names, a.mine = []string{"198.51.100.1"}, nil
	if c, _ = a.GetCertificate(nil); c != nil {
		if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: "198.51.100.1"}); err == nil {
			t.Error("the authority vouches for an address it was not made for")
		}
	}

	// The server's certificate is made anew before it ends.
	a.names, a.mine = names, nil
	first, _ := a.GetCertificate(nil)
	a.now = func() time.Time { return time.Now().Add(certificateLasts - renewAt + time.Hour) }
	if second, _ := a.GetCertificate(nil); second.Leaf.SerialNumber.Cmp(first.Leaf.SerialNumber) == 0 || !second.Leaf.NotAfter.After(first.Leaf.NotAfter) {
		t.Error("the certificate was not renewed")
	}
}

func TestOnlyNewTLS(t *testing.T) {
	a, err := MakeAuthority(t.Context(), safeAt(t, filepath.Join(t.TempDir(), "sealed"), 1), "x", []string{"gates.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		switched bool
		version  uint16
		works    bool
	}{{false, tls.VersionTLS12, false}, {false, tls.VersionTLS13, true}, {true, tls.VersionTLS12, true}, {true, tls.VersionTLS11, false}} {
		address := serve(t, a, c.switched, http.NotFoundHandler())
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: c.version})
		if (err == nil) != c.works {
			t.Errorf("TLS %x with the switch %t: %v", c.version, c.switched, err)
		}
		if err == nil {
			conn.Close()
		}
	}
	// Clear http at the TLS port gets no page.
	answer, err := http.Get("http://" + serve(t, a, false, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") })))
	if err == nil {
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if strings.Contains(string(body), "page") {
			t.Error("a page was served in clear")
		}
	}
}

func TestASlowClientIsCutOff(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Server(http.NotFoundHandler())
	if s.ReadHeaderTimeout != headerWithin || s.ReadTimeout != requestWithin {
		t.Fatal("the limits are not in force")
	}
	s.ReadHeaderTimeout = 200 * time.Millisecond // not to wait for so long here
	go s.Serve(Limited(l))
	t.Cleanup(func() { s.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("the connection was not ended: %v", err)
	}
	r, _ := http.NewRequest(http.MethodGet, "http://"+l.Addr().String(), nil)
	r.Header.Set("X-Long", strings.Repeat("a", 64<<10))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 KiB: %d", answer.StatusCode)
	}
}

func TestRedirect(t *testing.T) {
	h := Redirect([]string{"gates.example", "192.0.2.7"}, "8443")
	for _, c := range []struct {
		method, host, want string
		status             int
	}{
		{"GET", "gates.example", "https://gates.example:8443/a?b=c", 301},
		{"GET", "Gates.Example:80", "https://gates.example:8443/a?b=c", 301},
		{"HEAD", "192.0.2.7", "https://192.0.2.7:8443/a?b=c", 301},
		{"POST", "gates.example", "", 403},
		{"GET", "evil.example", "", 421},
		{"GET", "gates.example.evil.example", "", 421},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(c.method, "/a?b=c", nil)
		r.Host = c.host
		h.ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Location") != c.want {
			t.Errorf("%s %s: %d to %q", c.method, c.host, w.Code, w.Header().Get("Location"))
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "//evil.example/x", nil)
	r.Host = "gates.example"
	h.ServeHTTP(w, r)
	if to := w.Header().Get("Location"); !strings.HasPrefix(to, "https://gates.example:8443/") {
		t.Errorf("a path that looks like a host leads to %q", to)
	}
}

func TestStrictTransport(t *testing.T) {
	h := StrictTransport(http.NotFoundHandler(), time.Hour)
	for _, over := range []bool{true, false} {
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		if over {
			r.TLS = &tls.ConnectionState{}
		}
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Strict-Transport-Security"); (got == "max-age=3600") != over {
			t.Errorf("over TLS %t: %q", over, got)
		}
	}
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{"gates.example": true, "192.0.2.7": true, "2001:db8::1": true, "gate": true, "": false, "0.0.0.0": false, "::": false,
		"*.example": false, "Gates.example": false, "a b": false, "a/b": false, "-a.example": false, "a..b": false, "user@a": false, "a:80": false} {
		if err := CheckName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestTheSafeKeepsWhatItWasGiven(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "sealed")
	s := safeAt(t, path, 1)
	for _, k := range []string{"a/b/c.key", "a/b/d", "a/e"} {
		if err := s.Store(ctx, k, []byte(k)); err != nil {
			t.Fatal(err)
		}
	}
	s = safeAt(t, path, 1)
	if b, err := s.Load(ctx, "a/b/c.key"); err != nil || string(b) != "a/b/c.key" {
		t.Fatal(err)
	}
	if all, _ := s.List(ctx, "a", true); len(all) != 3 {
		t.Errorf("all of it: %v", all)
	}
	if some, _ := s.List(ctx, "a", false); strings.Join(some, " ") != "a/b a/e" {
		t.Errorf("one level: %v", some)
	}
	if err := s.Delete(ctx, "a/b"); err != nil || s.Exists(ctx, "a/b/d") || !s.Exists(ctx, "a/e") {
		t.Error("not what was to be removed is gone")
	}
	if err := s.Lock(ctx, "x"); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if s.Lock(short, "x") == nil {
		t.Error("a lock was given twice")
	}
	if err := s.Unlock(ctx, "x"); err != nil || s.Lock(ctx, "x") != nil {
		t.Error("a lock that was given back is not to be had")
	}
}
