//go:build !pkcs11

package custody

import "gatehouse"

// newToken says that this program cannot load a token's module.
func newToken(gatehouse.Credential) (Wrapper, error) {
	return nil, gatehouse.Errorf("custody.unavailable", "build it with `make build`, which sets the tag pkcs11", "this program was built without PKCS#11")
}
