//go:build !pkcs11

package vault

import "testing"

func tokenGateSource(*testing.T) (string, bool) { return "", false }
