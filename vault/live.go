package vault

import (
	"container/list"
	"context"
	"sync"

	"gatehouse"
)

// chainKey names a live chain: whose it is, and for which month or day.
type chainKey struct {
	gatehouse.Place
	subject gatehouse.SubjectID      // zero for day chains
	class   gatehouse.RetentionClass // empty for subject chains
	period  string                   // YYYY-MM, or YYYY-MM-DD for day chains, UTC
}

// slot holds a chain that is there or being made.
type slot struct {
	key   chainKey
	ready chan struct{} // closed when chain or err is set
	chain *chain
	err   error
	next  *slot // the successor, begun before the chain is spent
	place *list.Element
}

// renewAt is the position at which a chain's successor is begun, so that it is
// durable when it is needed.
const renewAt = chainLength - 128

// liveChains are the chains that the gate seals under now, the most recently used
// of them: each is 32 bytes of state that was never written anywhere. A chain that
// falls out is zeroed, and its owner gets a new one when it seals again.
type liveChains struct {
	create func(key chainKey) (*chain, error) // durable when it returns
	limit  int

	mu     sync.Mutex
	slots  map[chainKey]*slot
	order  *list.List // of *slot, most recently used first
	closed bool
}

func newLiveChains(limit int, create func(chainKey) (*chain, error)) *liveChains {
	return &liveChains{create: create, limit: limit, slots: map[chainKey]*slot{}, order: list.New()}
}

// take returns the next link of key's chain and its item secret, making a chain
// where there is none. A caller that gives up leaves the making to go on. Errors:
// sealing.unavailable, also when ctx ends, and those of create.
func (l *liveChains) take(ctx context.Context, key chainKey) (link, [32]byte, error) {
	for {
		s, err := l.slot(key)
		if err != nil {
			return link{}, [32]byte{}, err
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return link{}, [32]byte{}, unavailable(ctx.Err())
		}
		if s.err != nil {
			return link{}, [32]byte{}, s.err
		}
		if at, secret, ok := s.chain.take(); ok {
			if at.position == renewAt {
				l.begin(s)
			}
			return at, secret, nil
		}
		l.replace(s)
	}
}

// warm begins key's chain where there is none.
func (l *liveChains) warm(key chainKey) { _, _ = l.slot(key) }

// slot finds or begins key's chain.
func (l *liveChains) slot(key chainKey) (*slot, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, unavailable(nil)
	}
	if s := l.slots[key]; s != nil {
		l.order.MoveToFront(s.place)
		return s, nil
	}
	s := l.start(key)
	l.insert(s)
	return s, nil
}

// start makes a chain in the background.
func (l *liveChains) start(key chainKey) *slot {
	s := &slot{key: key, ready: make(chan struct{})}
	go func() {
		s.chain, s.err = l.create(key)
		close(s.ready)
		if s.err != nil {
			l.remove(s) // the next caller tries again
		}
	}()
	return s
}

// begin starts the successor of a chain that is nearly spent.
func (l *liveChains) begin(s *slot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.next == nil && l.slots[s.key] == s {
		s.next = l.start(s.key)
	}
}

// replace puts the successor in the place of a spent chain. A successor that could
// not be made is dropped, so that the next caller begins another.
func (l *liveChains) replace(s *slot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.slots[s.key] != s {
		return // somebody else did
	}
	l.forget(s)
	if s.next == nil || s.next.failed() {
		return
	}
	l.insert(s.next)
}

func (s *slot) failed() bool {
	select {
	case <-s.ready:
		return s.err != nil
	default:
		return false
	}
}

// adopt takes a chain that was made beforehand.
func (l *liveChains) adopt(key chainKey, c *chain) {
	s := &slot{key: key, ready: make(chan struct{}), chain: c}
	close(s.ready)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.insert(s)
}

// insert must be called with the lock held.
func (l *liveChains) insert(s *slot) {
	l.slots[s.key] = s
	s.place = l.order.PushFront(s)
	for l.order.Len() > l.limit {
		last := l.order.Back().Value.(*slot)
		l.forget(last)
		last.spend()
	}
}

// forget must be called with the lock held.
func (l *liveChains) forget(s *slot) {
	if l.slots[s.key] == s {
		delete(l.slots, s.key)
		l.order.Remove(s.place)
	}
}

func (l *liveChains) remove(s *slot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(s)
}

// drop forgets every chain that match picks; what was sealed under one and was not
// stored yet can be opened for as long as the chain's row exists.
func (l *liveChains) drop(match func(chainKey) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, s := range l.slots {
		if match(key) {
			l.forget(s)
			s.spend()
		}
	}
}

// close zeroes every state; nothing is sealed any more.
func (l *liveChains) close() {
	l.drop(func(chainKey) bool { return true })
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
}

// spend zeroes the chain, now or when it has been made, and its successor.
func (s *slot) spend() {
	if s.next != nil {
		s.next.spend()
	}
	select {
	case <-s.ready:
		if s.chain != nil {
			s.chain.spend()
		}
	default:
		go func() {
			<-s.ready
			if s.chain != nil {
				s.chain.spend()
			}
		}()
	}
}
