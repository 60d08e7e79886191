package gatehouse

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
)

// DeviceProof is what a device signs with each request, in the place of showing a token:
// a key that never leaves the device cannot be copied on the way.
type DeviceProof struct {
	Place         // the site, as the enrolment's answer named it
	Method string // POST
	Target string // path and query, as they stand in the request line
	Time   int64  // Unix seconds; a server takes those within a minute of its own
	Nonce  string // 8 to 64 of A-Z a-z 0-9 _ -, never the same twice within two minutes
	Digest [32]byte
}

// Text is what is signed, in ASCII, each line ended by one line feed:
//
//	gatehouse-device-v1
//	ORGANIZATION/SITE
//	METHOD
//	TARGET
//	TIME, decimal
//	NONCE
//	SHA-256 of the body, 64 lower-case hexadecimal digits
func (p DeviceProof) Text() []byte {
	return []byte("gatehouse-device-v1\n" + string(p.Org) + "/" + string(p.Site) + "\n" + p.Method + "\n" + p.Target + "\n" +
		strconv.FormatInt(p.Time, 10) + "\n" + p.Nonce + "\n" + hex.EncodeToString(p.Digest[:]) + "\n")
}

// A code is codeLength characters of Crockford's alphabet.
const (
	codeLength   = 10
	codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// NewEnrolmentCode makes a code of 50 random bits.
func NewEnrolmentCode() string {
	var raw [codeLength]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	for i, b := range raw {
		raw[i] = codeAlphabet[b%32]
	}
	return string(raw[:])
}

// EnrolmentCode is a code as it is signed, from what a person typed: hyphens and spaces
// are left out, and letters that look like digits are those. "" for what is no code.
func EnrolmentCode(typed string) string {
	if len(typed) > 4*codeLength {
		return ""
	}
	text := strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(typed))
	if len(text) != codeLength || strings.Trim(text, codeAlphabet) != "" {
		return ""
	}
	return text
}

// ShownCode is a code as people read it: in two halves.
func ShownCode(code string) string { return code[:codeLength/2] + "-" + code[codeLength/2:] }

// EnrolmentText is what a device signs to enrol its key with a code: that it holds the
// key, and for which code. ASCII, each line ended by one line feed:
//
//	gatehouse-enrol-v1
//	CODE, ten characters without hyphens, in upper case
//	the public key, 64 lower-case hexadecimal digits
func EnrolmentText(code string, key ed25519.PublicKey) []byte {
	return []byte("gatehouse-enrol-v1\n" + code + "\n" + hex.EncodeToString(key) + "\n")
}
