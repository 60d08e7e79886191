package vault

import (
	"context"
	"crypto/hpke"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
)

// proofSize is the length of the proof that an operator gets at unsealing: random
// bytes, of which the vault keeps only a hash.
const proofSize = 32

// maxLease is the longest time that one unsealing may last.
const maxLease = 24 * time.Hour

// strongroom holds the private key of an unsealed vault, and who may have it used
// until when. It is sealed when the last lease has ended.
type strongroom struct {
	dir   string
	now   func() time.Time
	ended func() // told when the last lease's time is over, with the lock held
	wiped func() // called when the keys were wiped; nil for nothing. It MUST NOT block

	tries *attempts                                      // of the whole process
	check func(ctx context.Context, keys openKeys) error // before every lease; nil for none

	mu         sync.Mutex
	public     hpke.PublicKey // the one that is sealed to; a rotation changes it
	page       *keyPage
	names      []string // of the keys on the page, in their order
	leases     []lease
	timer      *time.Timer
	moving     *rotation
	followed   string // name of the key that the gate elsewhere said it seals to
	rebuilding *rebuilding
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
	return &strongroom{dir: dir, public: public, now: time.Now, page: page, tries: &attempts{}}, nil
}

// unseal checks the credential and gives the operator a lease. Errors:
// vault.passphrase, vault.credential, vault.no_slot, vault.busy, vault.key_damaged,
// vault.missing, vault.duration, vault.canary, vault.altered, custody's.
func (s *strongroom) unseal(ctx context.Context, operator string, c gatehouse.Credential, lasts time.Duration) (proof []byte, until time.Time, err error) {
	if lasts <= 0 || lasts > maxLease {
		return nil, until, gatehouse.Errorf("vault.duration", "say how long, up to 24 hours", "the vault cannot be unsealed for that long")
	}
	if err := checkOperator(operator); err != nil {
		return nil, until, err
	}
	err = s.withKeys(ctx, operator, c, func(keys openKeys) error {
		if s.check != nil {
			if err := s.check(ctx, keys); err != nil {
				return err
			}
		}
		proof, until = s.grant(operator, keys, lasts)
		return nil
	})
	return proof, until, err
}

// withKeys calls f with the keys that c opens; they are zeroed afterwards. Errors:
// unwrap's, and f's.
func (s *strongroom) withKeys(ctx context.Context, operator string, c gatehouse.Credential, f func(openKeys) error) error {
	keys, err := s.unwrap(ctx, operator, c)
	if err != nil {
		return err
	}
	defer keys.clear()
	return f(keys)
}

// grant keeps the keys and gives the operator a lease.
func (s *strongroom) grant(operator string, keys openKeys, lasts time.Duration) (proof []byte, until time.Time) {
	proof = make([]byte, proofSize)
	random(proof)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	s.hold(keys)
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
	i := slices.Index(s.names, publicKeyName(s.public))
	if i < 0 {
		return key, false
	}
	return controlKey(s.page.at(i)), true
}

// openKey is a key of the ring that a credential opened.
type openKey struct {
	name string
	slot string // the slot's id
	seed [seedSize]byte
}

// openKeys begin with the one that is sealed to; behind it come older ones, while a
// rotation is not finished.
type openKeys []openKey

func (k openKeys) clear() { clear(k) }

// from puts the named key first.
func (k openKeys) from(name string) openKeys {
	i := slices.IndexFunc(k, func(o openKey) bool { return o.name == name })
	if i <= 0 {
		return k
	}
	return append(openKeys{k[i]}, slices.Delete(slices.Clone(k), i, i+1)...)
}

// seed is the current key's.
func (k openKeys) seed() []byte { return k[0].seed[:] }

// unwrap opens the keys that c opens: the current one, or it fails. The caller clears
// the keys.
func (s *strongroom) unwrap(ctx context.Context, operator string, c gatehouse.Credential) (openKeys, error) {
	return s.tries.try(ctx, operator, c, func() (openKeys, error) { return unwrapKeys(ctx, s.dir, publicKeyName(s.current()), c) })
}

func unwrapKeys(ctx context.Context, dir, current string, c gatehouse.Credential) (openKeys, error) {
	ring, err := readKeyring(dir)
	if err != nil {
		return nil, err
	}
	key := ring.find(current)
	if key == nil || key.Retired != nil {
		return nil, gatehouse.Errorf("vault.key_damaged", "restore both from their copies", "vault.key and vault.pub do not belong together")
	}
	seed, slot, err := key.open(ctx, c)
	if err != nil {
		return nil, err
	}
	keys := openKeys{{name: current, slot: slot.ID, seed: seed}}
	clear(seed[:])
	for _, older := range ring.active() {
		if older == key {
			continue
		}
		if seed, slot, err := older.open(ctx, c); err == nil {
			keys = append(keys, openKey{name: older.Name, slot: slot.ID, seed: seed})
			clear(seed[:])
		}
	}
	return keys, nil
}

// hold puts keys on the page, beside those of another lease. The lock is held.
func (s *strongroom) hold(keys openKeys) {
	for _, k := range keys {
		if !slices.Contains(s.names, k.name) {
			s.names = append(s.names, k.name)
			s.page.add(k.seed[:])
		}
	}
}

// current is the public key that is sealed to.
func (s *strongroom) current() hpke.PublicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.public
}

// seal ends every lease and zeroes the key; it reports whether there was one.
func (s *strongroom) seal() (was bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was = !s.page.empty()
	s.leases = nil
	s.wipe()
	s.moving.end()
	s.moving = nil
	s.rebuilding.end()
	s.rebuilding = nil
	s.schedule()
	return was
}

// wipe zeroes the keys. The lock is held.
func (s *strongroom) wipe() {
	held := !s.page.empty()
	s.page.wipe()
	s.names = nil
	if held && s.wiped != nil {
		s.wiped()
	}
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

// privateKeys are the keys that an unsealed vault holds, by name: the current one, and
// older ones while a rotation is not finished.
type privateKeys map[string]hpke.PrivateKey

// admit returns the private keys for one request of an operator who proves a lease.
// Errors: vault.sealed, vault.forbidden.
func (s *strongroom) admit(operator string, proof []byte) (privateKeys, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if s.page.empty() {
		return nil, errSealed()
	}
	got := sha256.Sum256(proof)
	for _, l := range s.leases {
		if subtle.ConstantTimeCompare(l.proof[:], got[:]) == 1 && covers(l.operator, operator) {
			return privateKeysOn(s.page, s.names)
		}
	}
	return nil, gatehouse.Errorf("vault.forbidden", "unseal the vault as this operator", "this is no proof that the operator unsealed the vault, or it has ended")
}

// privateKeysOn reads the keys of the names from a page.
func privateKeysOn(page *keyPage, names []string) (privateKeys, error) {
	all := make(privateKeys, len(names))
	for i, name := range names {
		private, err := kem().NewPrivateKey(page.at(i))
		if err != nil {
			return nil, gatehouse.Errorf("vault.failed", "seal the vault and unseal it again", "the private key cannot be used: %w", err)
		}
		all[name] = private
	}
	return all, nil
}

// open reports who has the vault open, and until when at the longest.
func (s *strongroom) open() (operators []string, until time.Time, locked bool) {
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
	return operators, until, s.page.locked
}

// checkOperator bounds what is written into the log as the operator's id.
func checkOperator(operator string) error {
	if operator == "" || len(operator) > 100 {
		return gatehouse.Errorf("vault.operator", "give the operator's id", "an operator's id has 1 to 100 characters")
	}
	return nil
}
