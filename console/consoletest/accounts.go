package consoletest

import (
	"context"
	"maps"
	"sync"

	"gatehouse"
	"gatehouse/flow/accounts"
)

// working keeps accounts in memory; flow/accounts calls it for one change at a time.
type working map[gatehouse.AccountID][]byte

func (w working) PutAccount(_ context.Context, id gatehouse.AccountID, plain []byte) error {
	w[id] = plain
	return nil
}

func (w working) Accounts() map[gatehouse.AccountID][]byte { return maps.Clone(w) }

func (w working) RemoveAccount(_ context.Context, id gatehouse.AccountID) error {
	delete(w, id)
	return nil
}

// Leaves are audit leaves that were written. Fail makes the next ones fail.
type Leaves struct {
	mu   sync.Mutex
	all  [][]byte
	fail error
}

// WriteLeaf implements gatehouse.LeafWriter.
func (l *Leaves) WriteLeaf(_ context.Context, leaf []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail == nil {
		l.all = append(l.all, leaf)
	}
	return l.fail
}

// Fail makes the next ones fail with err; nil repairs them.
func (l *Leaves) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

// Of are the events of a kind, in order.
func (l *Leaves) Of(kind gatehouse.LeafKind) (events []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, leaf := range l.all {
		if k, _, parts, err := gatehouse.LeafParts(leaf); err == nil && k == kind {
			events = append(events, string(parts[0]))
		}
	}
	return events
}

// Account makes an account that can sign in, with these roles; it has a passkey that
// nobody holds.
func (s *Site) Account(login string, roles ...gatehouse.Assignment) gatehouse.Account {
	a, _, err := s.Accounts.Add(context.Background(), "test", accounts.New{Login: login, Roles: roles})
	if err == nil {
		err = s.Accounts.AddPasskey(context.Background(), a.ID, gatehouse.Passkey{ID: a.ID[:], PublicKey: []byte("none"), Label: "a key", Made: s.now()})
	}
	if err != nil {
		panic(err)
	}
	a, _ = s.Accounts.Account(a.ID)
	return a
}
