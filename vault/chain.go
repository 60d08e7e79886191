package vault

import (
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"gatehouse"
)

// chainKind tells whose chain it is.
type chainKind string

const (
	subjectChain chainKind = "subject" // one person, vehicle or one-off; renewed monthly
	dayChain     chainKind = "day"     // one site, retention class and day of receipt (UTC)
)

// chainRow is a row of the key store: the only thing from which a chain's items
// can be read. Deleting it makes every copy of them noise.
type chainRow struct {
	gatehouse.Place
	ID        gatehouse.ID
	Kind      chainKind
	Subject   gatehouse.SubjectID      // subject chains
	Class     gatehouse.RetentionClass // day chains
	Day       string                   // day chains: YYYY-MM-DD, UTC
	Recipient string                   // which public key the seed is sealed to, see publicKeyName
	Created   time.Time                // to the millisecond
	Enc       []byte                   `json:"-"` // the KEM's encapsulated key, 1,120 bytes
	Sealed    []byte                   `json:"-"` // the seed, sealed: 32 + 16 bytes
}

// info binds a sealed seed to its row, so that a row that was given another
// subject or day does not open.
func (r *chainRow) info() []byte {
	return bind([]byte(labelChain), []byte(r.Org), []byte(r.Site), r.ID[:], []byte(r.Kind), r.Subject[:], []byte(r.Class), []byte(r.Day))
}

// sealSeed fills Enc and Sealed. It takes about 0.2 ms, nearly all of it the
// encapsulation.
func (r *chainRow) sealSeed(to hpke.PublicKey, seed []byte) error {
	enc, sender, err := hpke.NewSender(to, hpke.HKDFSHA256(), hpke.AES256GCM(), r.info())
	if err != nil {
		return err
	}
	r.Enc = enc
	r.Sealed, err = sender.Seal(nil, seed)
	return err
}

// openSeed gives the seed back, with the key that it is sealed to; the caller zeroes it.
func (r *chainRow) openSeed(with privateKeys) ([]byte, error) {
	private, ok := with[r.Recipient]
	if !ok {
		return nil, errNoKey
	}
	recipient, err := hpke.NewRecipient(r.Enc, private, hpke.HKDFSHA256(), hpke.AES256GCM(), r.info())
	if err != nil {
		return nil, err
	}
	return recipient.Open(nil, r.Sealed)
}

// errNoKey says that a chain is sealed to a key that is not open.
var errNoKey = errors.New("the key that the chain is sealed to is not open")

// itemSecretAt and nextState are the two steps of a chain. From a state follow the
// secret of the item at its position and the state behind it; from neither follows
// anything before it.
func itemSecretAt(state *[32]byte) [32]byte { return expand(state[:], labelItemStep) }

func nextState(state *[32]byte) {
	next := expand(state[:], labelNextStep)
	*state = next // the old state is overwritten
	clear(next[:])
}

// itemKey derives an item's key from its chains' secrets and everything that it
// is bound to.
func itemKey(secrets, aad []byte) [32]byte {
	out, err := hkdf.Key(sha256.New, secrets, nil, string(aad), 32)
	if err != nil {
		panic(err) // 32 bytes are within HKDF's limits
	}
	key := [32]byte(out)
	clear(out)
	return key
}

// chain is the gate's half of a chain: the current state and nothing else.
type chain struct {
	id gatehouse.ID

	mu       sync.Mutex
	state    [32]byte
	position int // chainLength when spent
}

func newChain(id gatehouse.ID, seed []byte) *chain {
	c := &chain{id: id}
	copy(c.state[:], seed)
	return c
}

// take hands out the secret of the next item and forgets it; false when the chain
// is spent.
func (c *chain) take() (l link, secret [32]byte, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.position >= chainLength {
		return link{}, secret, false
	}
	l = link{chain: c.id, position: uint16(c.position)}
	secret = itemSecretAt(&c.state)
	nextState(&c.state)
	if c.position++; c.position == chainLength {
		clear(c.state[:])
	}
	return l, secret, true
}

// spend ends the chain and zeroes its state.
func (c *chain) spend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.position = chainLength
	clear(c.state[:])
}
