package custody

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"

	"gatehouse"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

// What a TPM wraps is a sealed object under the owner's storage root key, which the TPM
// derives anew each time and never gives away:
//
//	offset  size  what
//	0       1     version, 1
//	1       2     length of the public part (n), big endian
//	3       n     TPM2B_PUBLIC
//	3+n     rest  TPM2B_PRIVATE, encrypted by the storage root key
//
// The object holds SHA-256(purpose) and the secret. The session that reads it is
// encrypted, so that the bus between processor and TPM shows neither the secret nor
// the authorization value.
const tpmVersion = 1

type tpmWrapper struct {
	path string
	auth []byte
}

func newTPM(c gatehouse.Credential) (Wrapper, error) {
	s, err := parseSource(c.Source)
	if err != nil {
		return nil, err
	}
	t := tpmWrapper{path: s.path}
	if len(c.Secret) > 0 { // an authorization value is at most as long as a hash
		d := sha256.Sum256(c.Secret)
		t.auth = d[:]
	}
	return t, nil
}

func (tpmWrapper) Kind() gatehouse.CredentialKind { return gatehouse.TPMCredential }

func (t tpmWrapper) Wrap(_ context.Context, secret [SecretSize]byte, purpose string) ([]byte, error) {
	tpm, root, err := t.open()
	if err != nil {
		return nil, err
	}
	defer closeTPM(tpm, root)
	digest := sha256.Sum256([]byte(purpose))
	data := append(digest[:], secret[:]...)
	defer clear(data)
	outer, err := root.OutPublic.Contents()
	if err != nil {
		return nil, failed("the TPM's answer is not understood", err)
	}
	made, err := tpm2.Create{
		ParentHandle: tpm2.AuthHandle{Handle: root.ObjectHandle, Name: root.Name,
			Auth: tpm2.HMAC(tpm2.TPMAlgSHA256, 16, tpm2.AESEncryption(128, tpm2.EncryptIn), tpm2.Salted(root.ObjectHandle, *outer))},
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			UserAuth: tpm2.TPM2BAuth{Buffer: t.auth}, Data: tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: data})}},
		InPublic: tpm2.New2B(tpm2.TPMTPublic{Type: tpm2.TPMAlgKeyedHash, NameAlg: tpm2.TPMAlgSHA256,
			// A wrong authorization value counts against the TPM's own lock-out; an object
			// without one needs none.
			ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, UserWithAuth: true, NoDA: len(t.auth) == 0}}),
	}.Execute(tpm)
	if err != nil {
		return nil, t.failed(err)
	}
	public, private := tpm2.Marshal(made.OutPublic), tpm2.Marshal(made.OutPrivate)
	b := binary.BigEndian.AppendUint16([]byte{tpmVersion}, uint16(len(public)))
	return append(append(b, public...), private...), nil
}

func (t tpmWrapper) Unwrap(_ context.Context, wrapped []byte, purpose string) (secret [SecretSize]byte, err error) {
	altered := damaged("use the TPM of the machine that it was made on, or restore it from its copy")
	if len(wrapped) < 3 || wrapped[0] != tpmVersion || len(wrapped) < 3+int(binary.BigEndian.Uint16(wrapped[1:3])) {
		return secret, altered
	}
	n := 3 + int(binary.BigEndian.Uint16(wrapped[1:3]))
	public, err := tpm2.Unmarshal[tpm2.TPM2BPublic](wrapped[3:n])
	if err != nil {
		return secret, altered
	}
	private, err := tpm2.Unmarshal[tpm2.TPM2BPrivate](wrapped[n:])
	if err != nil {
		return secret, altered
	}
	tpm, root, err := t.open()
	if err != nil {
		return secret, err
	}
	defer closeTPM(tpm, root)
	loaded, err := tpm2.Load{ParentHandle: tpm2.NamedHandle{Handle: root.ObjectHandle, Name: root.Name}, InPrivate: *private, InPublic: *public}.Execute(tpm)
	if err != nil {
		if refused(err) {
			return secret, altered
		}
		return secret, t.failed(err)
	}
	defer flush(tpm, loaded.ObjectHandle)
	outer, err := root.OutPublic.Contents()
	if err != nil {
		return secret, failed("the TPM's answer is not understood", err)
	}
	opened, err := tpm2.Unseal{ItemHandle: tpm2.AuthHandle{Handle: loaded.ObjectHandle, Name: loaded.Name,
		Auth: tpm2.HMAC(tpm2.TPMAlgSHA256, 16, tpm2.AESEncryption(128, tpm2.EncryptOut), tpm2.Salted(root.ObjectHandle, *outer), tpm2.Auth(t.auth))}}.Execute(tpm)
	if err != nil {
		return secret, t.failed(err)
	}
	data := opened.OutData.Buffer
	defer clear(data)
	digest := sha256.Sum256([]byte(purpose))
	if len(data) != sha256.Size+SecretSize || subtle.ConstantTimeCompare(data[:sha256.Size], digest[:]) != 1 {
		return secret, altered
	}
	copy(secret[:], data[sha256.Size:])
	return secret, nil
}

// open connects to the TPM and derives its storage root key (about 0.2 s on hardware).
func (t tpmWrapper) open() (transport.TPMCloser, *tpm2.CreatePrimaryResponse, error) {
	var tpm transport.TPMCloser
	var err error
	if socket, ok := strings.CutPrefix(t.path, unixPrefix); ok {
		tpm, err = linuxudstpm.Open(socket)
	} else {
		tpm, err = linuxtpm.Open(t.path)
	}
	if err != nil {
		var dial *net.OpError
		if errors.Is(err, fs.ErrNotExist) || errors.As(err, &dial) || errors.Is(err, fs.ErrPermission) || errors.Is(err, os.ErrInvalid) {
			return nil, nil, gatehouse.Errorf("custody.missing", "switch it on in the firmware, name its device (/dev/tpmrm0), and let the server's user read it (group tss)", "the TPM cannot be reached: %w", err)
		}
		return nil, nil, failed("the TPM cannot be opened", err)
	}
	root, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(tpm)
	if err != nil {
		tpm.Close()
		return nil, nil, t.failed(err)
	}
	return tpm, root, nil
}

func closeTPM(tpm transport.TPMCloser, root *tpm2.CreatePrimaryResponse) {
	flush(tpm, root.ObjectHandle)
	tpm.Close()
}

// flush gives an object's place in the TPM free; a resource manager would, too.
func flush(tpm transport.TPM, handle tpm2.TPMHandle) {
	_, _ = tpm2.FlushContext{FlushHandle: handle}.Execute(tpm)
}

// refused reports whether the TPM found that what it was given is not of its making.
func refused(err error) bool {
	for _, rc := range []tpm2.TPMRC{tpm2.TPMRCIntegrity, tpm2.TPMRCSize, tpm2.TPMRCValue, tpm2.TPMRCHash, tpm2.TPMRCType, tpm2.TPMRCAttributes,
		tpm2.TPMRCBinding, tpm2.TPMRCInsufficient, tpm2.TPMRCKeySize, tpm2.TPMRCScheme, tpm2.TPMRCSymmetric, tpm2.TPMRCSelector} {
		if errors.Is(err, rc) {
			return true
		}
	}
	return false
}

func (tpmWrapper) failed(err error) error {
	switch {
	case errors.Is(err, tpm2.TPMRCAuthFail), errors.Is(err, tpm2.TPMRCBadAuth):
		return wrong("try again; the TPM counts the attempts", "the TPM's authorization value is wrong")
	case errors.Is(err, tpm2.TPMRCLockout):
		return gatehouse.Errorf("custody.locked", "wait for the TPM's recovery time, or clear its lock-out", "the TPM is locked after too many wrong authorization values")
	}
	return failed("the TPM refused", err)
}
