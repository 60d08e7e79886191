package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"gatehouse"
)

// DeviceVerifier checks the token that a device shows.
type DeviceVerifier interface {
	// VerifyDevice returns the device that is enrolled under id if token is its
	// token. It MUST compare in constant time (TokenMatches does), and MUST NOT
	// tell an unknown device from a wrong token: both are device.refused.
	VerifyDevice(ctx context.Context, id gatehouse.DeviceID, token string) (gatehouse.Device, error)
}

// NewDeviceToken returns a token, which is shown once and kept by the device, and
// the verifier, which the working set keeps. The token has 256 random bits, so a
// plain SHA-256 of it cannot be searched and needs no slow hash.
func NewDeviceToken() (token string, verifier []byte) {
	token = NewToken()
	return token, sum(token)
}

// TokenMatches reports in constant time whether verifier is token's.
func TokenMatches(token string, verifier []byte) bool {
	return subtle.ConstantTimeCompare(sum(token), verifier) == 1
}

// Refused is the answer to a device that is not enrolled or shows a wrong token.
func Refused() error {
	return gatehouse.Errorf("device.refused", "enrol the device with `gatehouse device add` and send its token as Authorization: Bearer",
		"the device is not enrolled or its token is wrong")
}

// bearer returns the token of an Authorization: Bearer header, "" for none.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || len(token) > 256 {
		return ""
	}
	return strings.TrimSpace(token)
}

// device checks the request's signature or token against the {id} of its path.
func (a *Auth) device(r *http.Request) (gatehouse.Device, error) {
	if whole, ok := a.o.Devices.(RequestVerifier); ok {
		return whole.VerifyRequest(r)
	}
	token, id := bearer(r), gatehouse.DeviceID(r.PathValue("id"))
	if a.o.Devices == nil || token == "" || gatehouse.CheckName(string(id)) != nil {
		return gatehouse.Device{}, Refused()
	}
	return a.o.Devices.VerifyDevice(r.Context(), id, token)
}

func sum(token string) []byte {
	s := sha256.Sum256([]byte(token))
	return s[:]
}
