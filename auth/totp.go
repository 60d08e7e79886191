package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"gatehouse"
)

// One-time codes as RFC 6238 has them, with the parameters that every app knows.
const (
	totpPeriod = 30 * time.Second
	totpDigits = 6
	totpBytes  = 20 // RFC 4226 asks for 160 bits with SHA-1
)

var totpText = base32.StdEncoding.WithPadding(base32.NoPadding)

// newTOTP returns a fresh secret in base32.
func newTOTP() gatehouse.Secret {
	var b [totpBytes]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return gatehouse.Secret(totpText.EncodeToString(b[:]))
}

// totpCode is the code of a step (HOTP, RFC 4226 §5.3).
func totpCode(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%0*d", totpDigits, (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// totpStep returns the step whose code it is: of now, the one before or the one behind
// it, since clocks differ. The secret may be anything: what is no secret matches nothing,
// in the same time.
func totpStep(secret gatehouse.Secret, code string, now time.Time) (step int64, ok bool) {
	key, err := totpText.DecodeString(secret.Reveal())
	if err != nil || len(key) == 0 {
		key = make([]byte, totpBytes)
	}
	current := now.Unix() / int64(totpPeriod/time.Second)
	for s := current - 1; s <= current+1; s++ {
		if subtle.ConstantTimeCompare([]byte(totpCode(key, s)), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok && err == nil && secret != ""
}

// totpAddress is what an app scans.
func totpAddress(site, login string, secret gatehouse.Secret) string {
	v := url.Values{"secret": {secret.Reveal()}, "issuer": {"Gatehouse " + site}, "digits": {"6"}, "period": {"30"}}
	return "otpauth://totp/" + url.PathEscape("Gatehouse "+site+":"+login) + "?" + v.Encode()
}

// SignInWithCode signs the account of a login in with a one-time code, where the site
// allows that. Errors: auth.refused, whatever was wrong; auth.too_many; the store's.
func (a *Auth) SignInWithCode(w http.ResponseWriter, r *http.Request, login, code string) error {
	account, err := a.coded(r, login, code)
	if err != nil {
		return err
	}
	return a.signIn(w, r, account, gatehouse.ByTOTP)
}

// AgainWithCode shows once more, by a code, who is there. Errors: as SignInWithCode.
func (a *Auth) AgainWithCode(w http.ResponseWriter, r *http.Request, code string) error {
	s, _ := SessionFrom(r.Context())
	account, err := a.coded(r, s.Login(), code)
	if err == nil && account.ID != s.Account {
		err = a.refused(r.Context())
	}
	if err == nil {
		a.prove(w, r)
	}
	return err
}

// coded checks a code. An account that is not there costs the same attempts and time as
// one that is.
func (a *Auth) coded(r *http.Request, login, code string) (gatehouse.Account, error) {
	from, of := "from "+addressOf(r), "code "+login
	if len(login) > 40 {
		of = "code"
	}
	for key, free := range map[string]int{from: freePerAddress, of: freePerAccount} {
		if ok, wait := a.strikes.attempt(key, free); !ok {
			return gatehouse.Account{}, tooMany(wait)
		}
	}
	if !a.Ways().TOTP {
		return gatehouse.Account{}, a.refused(r.Context())
	}
	account, known := a.o.Accounts.ByLogin(login)
	keys, _ := a.o.Accounts.Keys(account.ID)
	step, fits := totpStep(keys.TOTP, code, a.o.Now())
	if !known || !fits || account.State != gatehouse.Enabled {
		return gatehouse.Account{}, a.refused(r.Context())
	}
	if err := a.o.Accounts.UseTOTP(r.Context(), account.ID, step); err != nil {
		if gatehouse.ErrorCode(err) == "account.credential" {
			err = a.refused(r.Context())
		}
		return gatehouse.Account{}, err
	}
	a.strikes.succeed(from)
	a.strikes.succeed(of)
	return account, nil
}

// NewCode gives the session's account a secret of one-time codes to try: text for typing
// and an address for scanning. It counts once ConfirmCode has seen a code of it.
func (a *Auth) NewCode(r *http.Request) (text, address string, ok bool) {
	s, _ := SessionFrom(r.Context())
	if !a.Ways().TOTP || s.Account.IsZero() {
		return "", "", false
	}
	a.mu.Lock()
	secret, there := a.secrets[s.Key]
	if !there {
		secret = newTOTP()
		a.secrets[s.Key] = secret
	}
	a.mu.Unlock()
	return secret.Reveal(), totpAddress(string(a.o.Place.Site), s.Login(), secret), true
}

// ConfirmCode keeps the secret that NewCode gave, for a code of it. Errors: auth.refused,
// those of the account.
func (a *Auth) ConfirmCode(r *http.Request, code string) error {
	s, _ := SessionFrom(r.Context())
	if ok, wait := a.strikes.attempt("confirm "+s.Key, freePerAccount); !ok {
		return tooMany(wait)
	}
	a.mu.Lock()
	secret := a.secrets[s.Key]
	a.mu.Unlock()
	step, fits := totpStep(secret, code, a.o.Now())
	if !a.Ways().TOTP || !fits {
		return a.refused(r.Context())
	}
	if err := a.o.Accounts.SetTOTP(r.Context(), s.Account, secret, step); err != nil {
		return err
	}
	a.mu.Lock()
	delete(a.secrets, s.Key)
	a.mu.Unlock()
	return nil
}

func tooMany(wait time.Duration) error {
	return gatehouse.Errorf("auth.too_many", fmt.Sprintf("come again in %d s", int(wait/time.Second)+1), "too many requests")
}
