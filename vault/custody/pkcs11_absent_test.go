//go:build !pkcs11

package custody

import (
	"testing"

	"gatehouse"
)

func tokenSource(*testing.T) (string, bool) { return "", false }

func TestWithoutPKCS11(t *testing.T) {
	_, err := New(gatehouse.Credential{Kind: gatehouse.PKCS11Credential, Source: "/usr/lib/m.so?token=t"}, 0)
	if gatehouse.ErrorCode(err) != "custody.unavailable" {
		t.Error(err)
	}
}
