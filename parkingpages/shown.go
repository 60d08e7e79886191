package parkingpages

import (
	"crypto/rand"
	"sync"
	"time"

	"gatehouse"
)

// shownFor is how long a stay that was found is shown without asking again.
const shownFor = time.Hour

// maxShown bounds how many are kept; the oldest go.
const maxShown = 10_000

// shown are the stays that drivers found, and what they typed, by random keys, in memory: after
// a restart they type once more.
type shown struct {
	now  func() time.Time
	mu   sync.Mutex
	all  map[string]seen
	keys []string // oldest first
}

type seen struct {
	stay  gatehouse.ID
	plate string // as it was typed; "" for a ticket
	until time.Time
}

func newShown(now func() time.Time) *shown { return &shown{now: now, all: map[string]seen{}} }

func (s *shown) put(stay gatehouse.ID, plate string) (key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(maxShown - 1)
	key = rand.Text()
	s.all[key] = seen{stay, plate, s.now().Add(shownFor)}
	s.keys = append(s.keys, key)
	return key
}

// forget drops what is over, with what was typed, and the oldest beyond most. The caller holds s.mu.
func (s *shown) forget(most int) {
	now := s.now()
	for len(s.keys) > 0 && (len(s.keys) > most || now.After(s.all[s.keys[0]].until)) {
		delete(s.all, s.keys[0])
		s.keys = s.keys[1:]
	}
}

func (s *shown) get(key string) (gatehouse.ID, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(maxShown)
	one, ok := s.all[key]
	return one.stay, ok && !s.now().After(one.until)
}

// typed is what the driver typed who found the stay.
func (s *shown) typed(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[key].plate
}
