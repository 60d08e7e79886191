//go:build pkcs11

package custody

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"gatehouse"

	"github.com/miekg/pkcs11"
)

// What a token wraps, by CKM_AES_GCM under an AES-256 key of its own that is sensitive
// and cannot be extracted:
//
//	offset  size  what
//	0       1     version, 1
//	1       12    nonce
//	13      32    the secret, encrypted
//	45      16    its tag
//
// The AAD is the purpose.
const (
	tokenVersion = 1
	tokenHead    = 1 + 12
	tokenSize    = tokenHead + SecretSize + 16
)

// defaultKey is the label of the token's key where the source names none.
const defaultKey = "gatehouse"

// tokens lets one caller at a time into a module: it is loaded, asked and unloaded, so
// that no session stays logged in and the PIN is kept nowhere.
var tokens sync.Mutex

type tokenWrapper struct {
	module, token, key string
	pin                []byte
}

func newToken(c gatehouse.Credential) (Wrapper, error) {
	s, err := parseSource(c.Source, "token", "key")
	if err != nil {
		return nil, err
	}
	t := tokenWrapper{module: s.path, token: s.options.Get("token"), key: s.options.Get("key"), pin: c.Secret}
	if t.key == "" {
		t.key = defaultKey
	}
	if t.token == "" || strings.HasPrefix(t.module, unixPrefix) {
		return nil, gatehouse.Errorf("custody.source", "write it as MODULE?token=NAME&key=NAME", "the token is not named")
	}
	return t, nil
}

func (tokenWrapper) Kind() gatehouse.CredentialKind { return gatehouse.PKCS11Credential }

func (t tokenWrapper) Wrap(_ context.Context, secret [SecretSize]byte, purpose string) (wrapped []byte, err error) {
	err = t.with(func(p *pkcs11.Ctx, session pkcs11.SessionHandle) error {
		key, found, err := t.find(p, session)
		if err == nil && !found {
			key, err = t.generate(p, session)
		}
		if err != nil {
			return err
		}
		nonce := make([]byte, tokenHead-1)
		_, _ = rand.Read(nonce) // never fails
		params := pkcs11.NewGCMParams(nonce, []byte(purpose), 128)
		defer params.Free()
		if err := p.EncryptInit(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, params)}, key); err != nil {
			return t.failed(err)
		}
		sealed, err := p.Encrypt(session, secret[:])
		if err != nil {
			return t.failed(err)
		}
		if len(sealed) != SecretSize+16 {
			return failed("the token does not encrypt as it should", errors.New("its answer has another length"))
		}
		if given := params.IV(); len(given) == len(nonce) { // some tokens choose it themselves
			nonce = given
		}
		wrapped = append(append([]byte{tokenVersion}, nonce...), sealed...)
		return nil
	})
	return wrapped, err
}

func (t tokenWrapper) Unwrap(_ context.Context, wrapped []byte, purpose string) (secret [SecretSize]byte, err error) {
	altered := damaged("use the token that it was wrapped with, or restore it from its copy")
	if len(wrapped) != tokenSize || wrapped[0] != tokenVersion {
		return secret, altered
	}
	err = t.with(func(p *pkcs11.Ctx, session pkcs11.SessionHandle) error {
		key, found, err := t.find(p, session)
		if err != nil {
			return err
		}
		if !found {
			return gatehouse.Errorf("custody.missing", "use the token that holds it, or correct its name", "the token holds no key of this name")
		}
		params := pkcs11.NewGCMParams(wrapped[1:tokenHead], []byte(purpose), 128)
		defer params.Free()
		if err := p.DecryptInit(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, params)}, key); err != nil {
			return t.failed(err)
		}
		plain, err := p.Decrypt(session, wrapped[tokenHead:])
		defer clear(plain)
		if err != nil || len(plain) != SecretSize {
			return altered // tokens name a wrong tag in different ways
		}
		copy(secret[:], plain)
		return nil
	})
	return secret, err
}

// with logs in to the token, calls f and leaves nothing behind.
func (t tokenWrapper) with(f func(*pkcs11.Ctx, pkcs11.SessionHandle) error) error {
	module, err := trusted(t.module)
	if err != nil {
		return err
	}
	tokens.Lock()
	defer tokens.Unlock()
	p := pkcs11.New(module)
	if p == nil {
		return gatehouse.Errorf("custody.missing", "name the library of the token's maker", "the PKCS#11 module cannot be loaded")
	}
	defer p.Destroy()
	if err := p.Initialize(); err != nil {
		return t.failed(err)
	}
	defer p.Finalize() //nolint:errcheck // nothing is left to be done
	slots, err := p.GetSlotList(true)
	if err != nil {
		return t.failed(err)
	}
	for _, slot := range slots {
		info, err := p.GetTokenInfo(slot)
		if err != nil || strings.TrimRight(info.Label, " \x00") != t.token {
			continue
		}
		session, err := p.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		if err != nil {
			return t.failed(err)
		}
		defer p.CloseSession(session) //nolint:errcheck // Finalize ends it too
		if err := p.Login(session, pkcs11.CKU_USER, string(t.pin)); err != nil {
			return t.failed(err)
		}
		return f(p, session)
	}
	return gatehouse.Errorf("custody.missing", "plug it in, or correct its name", "the token is not there")
}

func (t tokenWrapper) template() []*pkcs11.Attribute {
	return []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, t.key),
	}
}

func (t tokenWrapper) find(p *pkcs11.Ctx, session pkcs11.SessionHandle) (key pkcs11.ObjectHandle, found bool, err error) {
	if err := p.FindObjectsInit(session, t.template()); err != nil {
		return 0, false, t.failed(err)
	}
	keys, _, err := p.FindObjects(session, 2)
	if err := errors.Join(err, p.FindObjectsFinal(session)); err != nil {
		return 0, false, t.failed(err)
	}
	if len(keys) > 1 {
		return 0, false, gatehouse.Errorf("custody.source", "give one of them another name", "the token holds several keys of this name")
	}
	if len(keys) == 0 {
		return 0, false, nil
	}
	return keys[0], true, nil
}

// generate makes the key on the token, which never gives it away.
func (t tokenWrapper) generate(p *pkcs11.Ctx, session pkcs11.SessionHandle) (pkcs11.ObjectHandle, error) {
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails
	attributes := append(t.template(),
		pkcs11.NewAttribute(pkcs11.CKA_ID, id),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, true),
		pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, true))
	key, err := p.GenerateKey(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_GEN, nil)}, attributes)
	if err != nil {
		return 0, t.failed(err)
	}
	return key, nil
}

func (tokenWrapper) failed(err error) error {
	var code pkcs11.Error
	if errors.As(err, &code) {
		switch code {
		case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE, pkcs11.CKR_ARGUMENTS_BAD:
			return wrong("try again; the token counts the attempts", "the token's PIN is wrong")
		case pkcs11.CKR_PIN_LOCKED, pkcs11.CKR_PIN_EXPIRED:
			return gatehouse.Errorf("custody.locked", "unlock it with its security officer's PIN", "the token is locked")
		case pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_SLOT_ID_INVALID:
			return gatehouse.Errorf("custody.missing", "plug it in", "the token is not there")
		}
	}
	return failed("the token refused", err)
}

// trusted gives the path to load a module by. It refuses one that somebody other than
// root could have put there: it is code that runs beside a key, and the caller may be a
// process that was broken into. The path has no link in it, and nobody but root can make
// it lead elsewhere afterwards, since every directory of it is root's; the one that the
// caller gave, which somebody may turn at any moment, is followed once.
func trusted(module string) (string, error) {
	resolved, err := filepath.EvalSymlinks(module)
	for path := resolved; err == nil; path = filepath.Dir(path) {
		var info fs.FileInfo
		if info, err = os.Lstat(path); err != nil {
			break
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		shared := info.Mode().Perm()&0o022 != 0 && (!info.IsDir() || info.Mode()&fs.ModeSticky == 0)
		kind := info.IsDir() || path == resolved && info.Mode().IsRegular() // no link that came since
		if !ok || owner.Uid != 0 || shared || !kind {
			return "", gatehouse.Errorf("custody.source", "install it from its package, and run: chown root, chmod go-w", "somebody other than root may write the PKCS#11 module or a directory above it")
		}
		if path == filepath.Dir(path) {
			return resolved, nil
		}
	}
	return "", gatehouse.Errorf("custody.missing", "name the library of the token's maker", "the PKCS#11 module is not there: %w", err)
}
