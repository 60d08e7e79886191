package stripe

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
)

type secrets map[string]string

func (s secrets) Secret(name string) (gatehouse.Secret, bool) {
	v, ok := s[name]
	return gatehouse.Secret(v), ok
}

// mock starts Stripe's own mock, which refuses requests that Stripe would not understand.
func mock(t *testing.T) string {
	t.Helper()
	binary, err := filepath.Abs("../../.tools/stripe-mock")
	if err == nil {
		_, err = os.Stat(binary)
	}
	if err != nil {
		t.Skip("no stripe-mock: `make storage` fetches it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	cmd := exec.CommandContext(t.Context(), binary, "-http-addr", addr)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	url := "http://" + addr
	for range 200 {
		if resp, err := http.Get(url + "/v1/"); err == nil {
			_ = resp.Body.Close()
			return url
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("stripe-mock does not answer")
	return ""
}

// What is asked of Stripe has the shape that its published description asks for.
func TestRequestsAgainstStripesMock(t *testing.T) {
	s := New(Options{Secrets: secrets{KeySecret: "sk_test_123"}, URL: mock(t)})
	page, err := s.BeginCheckout(t.Context(), gatehouse.CheckoutRequest{ID: gatehouse.RandomID(), Amount: gatehouse.Money{Minor: 450, Currency: "EUR"}, Label: "Parking, North", Language: "zh",
		Success: "https://park.example/pay/1", Cancel: "https://park.example/pay/1", Expires: time.Now().Add(31 * time.Minute)})
	if err != nil || page.Session == "" || page.URL == "" {
		t.Errorf("a checkout: %+v, %v", page, err)
	}
	if _, err := s.State(t.Context(), "cs_test_1"); err != nil {
		t.Errorf("its state: %v", err)
	}
	if err := s.EndCheckout(t.Context(), "cs_test_1"); err != nil {
		t.Errorf("its end: %v", err)
	}
	for _, at := range []time.Time{time.Now(), time.Now().AddDate(0, 0, -2)} { // asked, and looked for first
		e, err := s.Refund(t.Context(), gatehouse.RefundOrder{ID: gatehouse.RandomID(), Payment: "pi_1", Amount: gatehouse.Money{Minor: 100, Currency: "EUR"}, At: at})
		if err != nil || e.Object == "" {
			t.Errorf("a refund: %+v, %v", e, err)
		}
	}
	if _, err := s.Movements(t.Context(), time.Now().AddDate(0, 0, -1), time.Now()); err != nil {
		t.Errorf("the account's lines: %v", err)
	}
	// The control: what Stripe does not know is refused there, so that the above says something.
	if _, err := s.BeginCheckout(t.Context(), gatehouse.CheckoutRequest{ID: gatehouse.RandomID(), Amount: gatehouse.Money{Minor: 450, Currency: "EUR"}, Label: "x"}); err != nil {
		t.Logf("without addresses: %v", err)
	}
	resp, err := http.Post(s.o.URL+"/v1/checkout/sessions", "application/x-www-form-urlencoded", nil)
	if err == nil {
		_ = resp.Body.Close()
	}
	if err == nil && resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a key: %d", resp.StatusCode)
	}
}
