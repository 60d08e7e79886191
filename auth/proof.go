package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse"
)

// ProofScheme is the Authorization scheme of a request that a device's key signed:
//
//	Authorization: Gatehouse-Device-V1 TIME NONCE DIGEST SIGNATURE
//
// with the fields of gatehouse.DeviceProof, DIGEST in hexadecimal, and the Ed25519
// signature of its Text in base64url without padding.
const ProofScheme = "Gatehouse-Device-V1"

// proofWindow is how far a device's clock may be off.
const proofWindow = time.Minute

// maxNonces is how many requests of one device are remembered: more than it may send
// within two windows.
const maxNonces = 8192

// RequestVerifier is a DeviceVerifier that looks at the whole request.
type RequestVerifier interface {
	// VerifyRequest returns the device of the path's {id} that the request is of. It may
	// replace the request's body by one that ends in an error where it is not what was
	// signed.
	VerifyRequest(r *http.Request) (gatehouse.Device, error)
}

// Keys finds what devices sign with.
type Keys interface {
	DeviceVerifier
	// DeviceKey returns the device and its key; device.refused where there is no such
	// device or it has no key.
	DeviceKey(ctx context.Context, id gatehouse.DeviceID) (gatehouse.Device, ed25519.PublicKey, error)
}

// Devices lets in devices that sign with their key, and those that show a token where
// tokens count. It implements DeviceVerifier and RequestVerifier and is safe for
// concurrent use.
type Devices struct {
	keys   Keys
	place  gatehouse.Place
	tokens bool
	now    func() time.Time
	began  time.Time

	mu   sync.Mutex
	seen map[gatehouse.DeviceID]map[string]int64 // nonce → its proof's time
}

// NewDevices returns Devices of a site. tokens says whether a token alone counts from
// another machine; on this one it always does.
func NewDevices(keys Keys, place gatehouse.Place, tokens bool, now func() time.Time) *Devices {
	if now == nil {
		now = time.Now
	}
	return &Devices{keys: keys, place: place, tokens: tokens, now: now, began: now(), seen: map[gatehouse.DeviceID]map[string]int64{}}
}

// VerifyDevice implements DeviceVerifier.
func (d *Devices) VerifyDevice(ctx context.Context, id gatehouse.DeviceID, token string) (gatehouse.Device, error) {
	return d.keys.VerifyDevice(ctx, id, token)
}

// VerifyRequest implements RequestVerifier.
func (d *Devices) VerifyRequest(r *http.Request) (gatehouse.Device, error) {
	id := gatehouse.DeviceID(r.PathValue("id"))
	if gatehouse.CheckName(string(id)) != nil {
		return gatehouse.Device{}, Refused()
	}
	if scheme, fields, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, ProofScheme) {
		return d.signed(r, id, fields)
	}
	token := bearer(r)
	if token == "" {
		return gatehouse.Device{}, Refused()
	}
	if !fromLoopback(r) && (!d.tokens || r.TLS == nil) {
		return gatehouse.Device{}, gatehouse.Errorf("device.key_needed", "enrol it with `gatehouse device add ID --code`; docs/devices.md says what it signs",
			"a token alone does not count from another machine")
	}
	return d.keys.VerifyDevice(r.Context(), id, token)
}

// signed checks a proof, from what costs least to what costs most.
func (d *Devices) signed(r *http.Request, id gatehouse.DeviceID, fields string) (gatehouse.Device, error) {
	p, signature, ok := parseProof(fields)
	if !ok || r.ContentLength < 0 {
		return gatehouse.Device{}, gatehouse.Errorf("device.proof", "docs/devices.md shows it: TIME NONCE DIGEST SIGNATURE, and a Content-Length", "the request's signature is not one")
	}
	now := d.now()
	if at := time.Unix(p.Time, 0); at.Before(now.Add(-proofWindow)) || at.After(now.Add(proofWindow)) || at.Before(d.began.Truncate(time.Second)) {
		// What was signed before the start may have been sent before it, too.
		return gatehouse.Device{}, gatehouse.Errorf("device.proof_time", "set the device's clock, by the Date of this answer for example, and sign again", "the request was signed at another time")
	}
	device, key, err := d.keys.DeviceKey(r.Context(), id)
	if err != nil {
		return gatehouse.Device{}, err
	}
	p.Place, p.Method, p.Target = d.place, r.Method, r.URL.RequestURI()
	if !ed25519.Verify(key, p.Text(), signature) {
		return gatehouse.Device{}, Refused()
	}
	if !d.first(id, p, now) {
		return gatehouse.Device{}, gatehouse.Errorf("device.proof_again", "sign each request with a nonce of its own", "a request with this nonce was here before")
	}
	r.Body, err = newSignedBody(r.Body, r.ContentLength, p.Digest)
	return device, err
}

var nonces = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

func parseProof(fields string) (p gatehouse.DeviceProof, signature []byte, ok bool) {
	if len(fields) > 300 {
		return p, nil, false
	}
	f := strings.Split(fields, " ")
	if len(f) != 4 || !nonces.MatchString(f[1]) || len(f[2]) != 64 || f[2] != strings.ToLower(f[2]) {
		return p, nil, false
	}
	at, err1 := strconv.ParseInt(f[0], 10, 64)
	digest, err2 := hex.DecodeString(f[2])
	signature, err3 := base64.RawURLEncoding.Strict().DecodeString(f[3])
	if err1 != nil || err2 != nil || err3 != nil || at < 0 || strconv.FormatInt(at, 10) != f[0] || len(signature) != ed25519.SignatureSize {
		return p, nil, false
	}
	return gatehouse.DeviceProof{Time: at, Nonce: f[1], Digest: [32]byte(digest)}, signature, true
}

// first remembers a proof and says whether it is new. Only what was signed comes here,
// so that nobody else can fill the memory.
func (d *Devices) first(id gatehouse.DeviceID, p gatehouse.DeviceProof, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := d.seen[id]
	if seen == nil {
		seen = map[string]int64{}
		d.seen[id] = seen
	}
	if _, again := seen[p.Nonce]; again {
		return false
	}
	if len(seen) >= maxNonces {
		for nonce, at := range seen {
			if time.Unix(at, 0).Before(now.Add(-proofWindow)) {
				delete(seen, nonce)
			}
		}
	}
	if len(seen) >= maxNonces {
		return false
	}
	seen[p.Nonce] = p.Time
	return true
}

// signedBody ends in an error, without its last bytes, where it is not what was signed:
// whoever reads to the end never takes another body for it.
type signedBody struct {
	from io.ReadCloser
	sum  hash.Hash
	left int64
	want [32]byte
	err  error
}

var errDigest = errors.New("the body is not the one that was signed")

func newSignedBody(from io.ReadCloser, length int64, want [32]byte) (io.ReadCloser, error) {
	b := &signedBody{from: from, sum: sha256.New(), left: length, want: want}
	if length == 0 && !b.fits() {
		return nil, gatehouse.Errorf("device.proof", "sign the digest of the body that is sent", "the signature is of another body")
	}
	return b, nil
}

func (b *signedBody) fits() bool { return [32]byte(b.sum.Sum(nil)) == b.want }

// Read implements io.Reader.
func (b *signedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.sum.Write(p[:n])
	if b.left -= int64(n); b.left == 0 {
		if !b.fits() {
			clear(p[:n])
			b.err = errDigest
			return 0, b.err
		}
		return n, nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	b.err = err
	return n, err
}

// Close implements io.Closer.
func (b *signedBody) Close() error { return b.from.Close() }
