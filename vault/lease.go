package vault

import (
	"context"
	"crypto/hpke"
	"crypto/sha256"
	"crypto/subtle"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// proofSize is the length of the proof that an operator gets at unsealing: random
// bytes, of which the vault keeps only a hash.
const proofSize = 32

// maxLease is the longest time that one unsealing may last.
const maxLease = 24 * time.Hour

// strongroom holds the private key of an unsealed vault, and who may have it used
// until when. It is sealed when the last lease has ended.
type strongroom struct {
	dir    string
	public hpke.PublicKey
	now    func() time.Time
	ended  func() // told when the last lease's time is over, with the lock held
	wiped  func() // called when the key was wiped; nil for nothing. It MUST NOT block

	attempt sync.Mutex                                   // one passphrase at a time: scrypt makes each of them slow and large
	check   func(ctx context.Context, seed []byte) error // before every lease; nil for none

	mu     sync.Mutex
	page   *keyPage
	leases []lease
	timer  *time.Timer
	wrong  int // passphrases since the process started
}

type lease struct {
	operator string
	proof    [32]byte // SHA-256
	until    time.Time
}

// ended looks at the monotonic clock, which nobody can set back, and at the wall
// clock, which goes on while the machine sleeps.
func (l *lease) ended(now time.Time) bool {
	return !now.Before(l.until) || !now.Round(0).Before(l.until.Round(0))
}

func newStrongroom(dir string, public hpke.PublicKey) (*strongroom, error) {
	page, err := newKeyPage()
	if err != nil {
		return nil, err
	}
	return &strongroom{dir: dir, public: public, now: time.Now, page: page}, nil
}

// unseal checks the passphrase and gives the operator a lease. Errors:
// vault.passphrase, vault.busy, vault.key_damaged, vault.missing, vault.duration,
// vault.canary, vault.altered.
func (s *strongroom) unseal(ctx context.Context, operator, passphrase string, lasts time.Duration) (proof []byte, until time.Time, err error) {
	if lasts <= 0 || lasts > maxLease {
		return nil, until, gatehouse.Errorf("vault.duration", "say how long, up to 24 hours", "the vault cannot be unsealed for that long")
	}
	if err := checkOperator(operator); err != nil {
		return nil, until, err
	}
	err = s.withSeed(operator, passphrase, func(seed []byte) error {
		if s.check != nil {
			if err := s.check(ctx, seed); err != nil {
				return err
			}
		}
		proof, until = s.grant(operator, seed, lasts)
		return nil
	})
	return proof, until, err
}

// withSeed calls f with the private key's seed, which the passphrase unwraps; it is
// zeroed afterwards. A wrong passphrase is counted. Errors: vault.passphrase,
// vault.busy, vault.key_damaged, vault.missing, and f's.
func (s *strongroom) withSeed(operator, passphrase string, f func(seed []byte) error) error {
	if !s.attempt.TryLock() {
		return gatehouse.Errorf("vault.busy", "wait a few seconds and try again", "another passphrase is being checked")
	}
	defer s.attempt.Unlock()
	seed, err := s.unwrap(passphrase)
	debug.FreeOSMemory() // scrypt took 256 MB
	if err != nil {
		if gatehouse.ErrorCode(err) == "vault.passphrase" {
			s.mu.Lock()
			s.wrong++
			count := s.wrong
			s.mu.Unlock()
			child.NewLog().Warn("a passphrase for the vault was wrong", "operator", operator, "count", count)
		}
		return err
	}
	defer clear(seed)
	return f(seed)
}

// grant keeps the key and gives the operator a lease.
func (s *strongroom) grant(operator string, seed []byte, lasts time.Duration) (proof []byte, until time.Time) {
	proof = make([]byte, proofSize)
	random(proof)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	s.page.store(seed)
	until = s.now().Add(lasts)
	s.leases = append(s.leases, lease{operator: operator, proof: sha256.Sum256(proof), until: until})
	s.schedule()
	return proof, until
}

// controlKey derives the key of the disclosure control while the vault is unsealed.
func (s *strongroom) controlKey() (key [32]byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if s.page.empty() {
		return key, false
	}
	return controlKey(s.page.key()), true
}

// unwrap opens vault.key and makes sure that it belongs to vault.pub.
func (s *strongroom) unwrap(passphrase string) ([]byte, error) {
	wrapped, err := os.ReadFile(filepath.Join(s.dir, privateKeyFile))
	if err != nil {
		return nil, gatehouse.Errorf("vault.missing", "restore vault.key from its copy", "the vault's private key cannot be read: %w", err)
	}
	seed, err := unwrapSeed(wrapped, passphrase)
	if err != nil {
		return nil, err
	}
	private, err := kem().NewPrivateKey(seed)
	if err == nil && subtle.ConstantTimeCompare(private.PublicKey().Bytes(), s.public.Bytes()) == 1 {
		return seed, nil
	}
	clear(seed)
	return nil, gatehouse.Errorf("vault.key_damaged", "restore both from their copies", "vault.key and vault.pub do not belong together")
}

// seal ends every lease and zeroes the key; it reports whether there was one.
func (s *strongroom) seal() (was bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was = !s.page.empty()
	s.leases = nil
	s.wipe()
	s.schedule()
	return was
}

// expire drops the leases that have ended, and the key with the last of them.
func (s *strongroom) expire() {
	now := s.now()
	s.leases = slices.DeleteFunc(s.leases, func(l lease) bool { return l.ended(now) })
	if len(s.leases) == 0 {
		if !s.page.empty() && s.ended != nil {
			s.ended()
		}
		s.wipe()
	}
}

func (s *strongroom) wipe() {
	held := !s.page.empty()
	s.page.wipe()
	if held && s.wiped != nil {
		s.wiped()
	}
}

// schedule sets the timer to the end of the first lease, looking again at least
// every minute for the wall clock's sake.
func (s *strongroom) schedule() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if len(s.leases) == 0 {
		return
	}
	next := time.Minute
	for _, l := range s.leases {
		next = min(next, l.until.Sub(s.now()))
	}
	s.timer = time.AfterFunc(max(next, time.Millisecond), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.expire()
		s.schedule()
	})
}

// covers reports whether a lease that holder unsealed serves the asker: holder itself,
// or one of the sessions that the holder opened the vault for ("site/guard-7" under
// "site"). The log names the asker in full.
func covers(holder, asker string) bool {
	return asker == holder || strings.HasPrefix(asker, holder+"/")
}

// admit returns the private key for one request of an operator who proves a lease.
// Errors: vault.sealed, vault.forbidden.
func (s *strongroom) admit(operator string, proof []byte) (hpke.PrivateKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if s.page.empty() {
		return nil, errSealed()
	}
	got := sha256.Sum256(proof)
	for _, l := range s.leases {
		if subtle.ConstantTimeCompare(l.proof[:], got[:]) == 1 && covers(l.operator, operator) {
			private, err := kem().NewPrivateKey(s.page.key())
			if err != nil {
				return nil, gatehouse.Errorf("vault.failed", "seal the vault and unseal it again", "the private key cannot be used: %w", err)
			}
			return private, nil
		}
	}
	return nil, gatehouse.Errorf("vault.forbidden", "unseal the vault as this operator", "this is no proof that the operator unsealed the vault, or it has ended")
}

// open reports who has the vault open, and until when at the longest.
func (s *strongroom) open() (operators []string, until time.Time, wrong int, locked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	for _, l := range s.leases {
		if !slices.Contains(operators, l.operator) {
			operators = append(operators, l.operator)
		}
		if l.until.After(until) {
			until = l.until
		}
	}
	return operators, until, s.wrong, s.page.locked
}

// checkOperator bounds what is written into the log as the operator's id.
func checkOperator(operator string) error {
	if operator == "" || len(operator) > 100 {
		return gatehouse.Errorf("vault.operator", "give the operator's id", "an operator's id has 1 to 100 characters")
	}
	return nil
}
