package server

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
)

func TestNothingListensBeyondLoopbackInClear(t *testing.T) {
	for text, good := range map[string]bool{
		"listen: 0.0.0.0:8443\n":                             false,
		"listen: :8443\n":                                    false,
		"listen: gates.example:80\n":                         false,
		"listen: 0.0.0.0:8443\ntls: {certificates: local}\n": false, // under no name
		"listen: 0.0.0.0:8443\ntls: {certificates: local, names: [gates.example]}\n":                                           true,
		"listen: 0.0.0.0:8443\ntls: {certificates: local, names: ['*.example']}\n":                                             false,
		"listen: 0.0.0.0:8443\ntls: {certificates: files, names: [gates.example]}\n":                                           false, // no files
		"data: d\nlisten: 0.0.0.0:8443\ntls: {certificates: files, names: [gates.example], certificate: c, key: d/k}\n":        false, // copied with the data
		"data: d\nlisten: 0.0.0.0:8443\ntls: {certificates: files, names: [gates.example], certificate: c, key: k}\n":          true,
		"listen: 0.0.0.0:443\ntls: {certificates: acme, names: [gates.example]}\n":                                             true,
		"listen: 0.0.0.0:443\ntls: {certificates: acme, names: [192.168.1.2]}\n":                                               false,
		"listen: 0.0.0.0:443\ntls: {certificates: acme, names: [gates.example], acme: {directory: 'http://ca.example/dir'}}\n": false,
		"tls: {redirect: ':80'}\n":                    false,
		"tls: {certificates: self}\n":                 false,
		"tls: {names: [Gates.example]}\n":             false,
		"tls: {hsts: -1s}\n":                          false,
		"listen: '[::1]:8080'\ntls: {names: [a.b]}\n": true,
	} {
		_, err := LoadConfig(write(t, text), nil)
		if (err == nil) != good || err != nil && gatehouse.ErrorCode(err) != "config.invalid" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A site with an authority of its own: a browser that trusts it reaches the pages under
// the configured name, and nobody reaches anything otherwise.
func TestServingOverTLS(t *testing.T) {
	c := testConfig(t)
	c.TLS.Certificates, c.TLS.Names, c.TLS.Redirect = "local", []string{"gates.example"}, "127.0.0.1:0"
	s := open(t, c)
	link := run(t, s)
	if !strings.HasPrefix(link, "https://gates.example:") {
		t.Fatalf("the link is %s", link)
	}
	port := link[len("https://gates.example:"):strings.Index(link, "/enter/")]
	shown, err := client.OverSocket(SocketPath(c)).Authority(t.Context())
	if err != nil || !strings.Contains(shown.Instructions, shown.Fingerprint) {
		t.Fatal(err)
	}
	if _, err := client.OverSocket(SocketPath(c)).MakeAuthority(t.Context(), wire.AuthorityRequest{}); gatehouse.ErrorCode(err) != "tls.authority_known" {
		t.Errorf("the authority was replaced without a word: %v", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(shown.PEM))
	web := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "gates.example"}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(host, path string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, "https://127.0.0.1:"+port+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := web.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		return answer, string(body)
	}
	answer, _ := ask("gates.example:"+port, "/healthz")
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Strict-Transport-Security") == "" || answer.Proto != "HTTP/2.0" {
		t.Errorf("status %d over %s, HSTS %q", answer.StatusCode, answer.Proto, answer.Header.Get("Strict-Transport-Security"))
	}
	for host, want := range map[string]int{"gates.example": 200, "evil.example": 421, "gates.example:1": 421, "localhost:" + port: 200} {
		if answer, _ := ask(host, "/healthz"); answer.StatusCode != want {
			t.Errorf("as %s: %d", host, answer.StatusCode)
		}
	}
	if _, page := ask("gates.example:"+port, "/trust"); !strings.Contains(page, shown.Fingerprint) {
		t.Error("the page does not show the fingerprint")
	}
	if _, der := ask("gates.example:"+port, "/trust/gatehouse-ca.crt"); der == "" {
		t.Error("there is no certificate to download")
	} else if got, err := x509.ParseCertificate([]byte(der)); err != nil || !got.IsCA {
		t.Errorf("what is downloaded: %v", err)
	}
	answer, _ = ask("gates.example:"+port, strings.TrimPrefix(link, "https://gates.example:"+port))
	if cookies := answer.Cookies(); len(cookies) != 1 || !cookies[0].Secure || !cookies[0].HttpOnly {
		t.Errorf("the session's cookie: %v", cookies)
	}
	// In clear there is nothing, at the same port.
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: localhost:" + port + "\r\nConnection: close\r\n\r\n"))
	if said, _ := io.ReadAll(conn); strings.Contains(string(said), `"ok"`) {
		t.Errorf("in clear it says %q", said)
	}
	// The authority's key lies in the data directory, sealed.
	filepath.WalkDir(c.Data, func(path string, d os.DirEntry, _ error) error {
		if d.Type().IsRegular() {
			if b, _ := os.ReadFile(path); strings.Contains(string(b), "PRIVATE KEY") {
				t.Errorf("%s holds a key in clear", path)
			}
		}
		return nil
	})
}

// The authority outlives the gate key that it was sealed under.
func TestTheAuthorityOutlivesTheGateKey(t *testing.T) {
	c := testConfig(t)
	c.TLS.Certificates, c.TLS.Names = "local", []string{"gates.example"}
	s := open(t, c)
	if _, err := s.Admin().Authority(t.Context()); gatehouse.ErrorCode(err) != "tls.no_authority" {
		t.Fatal(err)
	}
	made, err := s.Admin().MakeAuthority(t.Context(), wire.AuthorityRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if err := rotateToTheEnd(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	s.Close(t.Context())
	s = open(t, c)
	kept, err := s.Admin().Authority(t.Context())
	if err != nil || kept.Fingerprint != made.Fingerprint {
		t.Errorf("%v, %q instead of %q", err, kept.Fingerprint, made.Fingerprint)
	}
}
