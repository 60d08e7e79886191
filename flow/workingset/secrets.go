package workingset

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

var _ gatehouse.Secrets = (*Set)(nil)

// maxSecret bounds a secret's length, in bytes.
const maxSecret = 8 << 10

// namedSecret is a secret as its item holds it.
type namedSecret struct {
	Name  string    `json:"name"`
	Set   time.Time `json:"set"`
	Value string    `json:"value"`
}

// SecretName is what may be shown of a secret.
type SecretName struct {
	Name string
	Set  time.Time
}

// CheckSecret refuses what PutSecret would: name.malformed, secret.malformed.
func CheckSecret(name string, value gatehouse.Secret) error {
	if err := gatehouse.CheckName(name); err != nil {
		return err
	}
	if value == "" || len(value) > maxSecret {
		return gatehouse.Errorf("secret.malformed", "pipe it in, or name its file", "a secret has 1 to %d bytes", maxSecret)
	}
	return nil
}

// PutSecret keeps a secret under a name, in the place of the one that it had. Errors:
// name.malformed, secret.malformed, and the store's.
func (s *Set) PutSecret(ctx context.Context, name string, value gatehouse.Secret, now time.Time) error {
	if err := CheckSecret(name, value); err != nil {
		return err
	}
	plain, err := json.Marshal(namedSecret{Name: name, Set: now.UTC().Truncate(time.Second), Value: value.Reveal()})
	if err != nil {
		return err
	}
	id := secretID(name)
	return s.put(ctx, gatehouse.SecretItem, id, id, plain)
}

// Secret implements gatehouse.Secrets.
func (s *Set) Secret(name string) (gatehouse.Secret, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, ok := s.secrets[name]
	return gatehouse.Secret(n.Value), ok
}

// SecretNames lists the secrets by name, without what they are.
func (s *Set) SecretNames() []SecretName {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]SecretName, 0, len(s.secrets))
	for _, n := range s.secrets {
		all = append(all, SecretName{Name: n.Name, Set: n.Set})
	}
	slices.SortFunc(all, func(a, b SecretName) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// RemoveSecret forgets a secret, on disk and in memory. Errors: secret.unknown, and the
// store's.
func (s *Set) RemoveSecret(ctx context.Context, name string) error {
	if _, ok := s.Secret(name); !ok {
		return gatehouse.Errorf("secret.unknown", "see `gatehouse secret list`", "there is no secret of this name")
	}
	if err := s.store.DeleteWorking(ctx, s.place, secretID(name), gatehouse.SecretItem); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.secrets, name)
	return nil
}

// secretID is the subject and the row of a secret's item: it is the only item of an id
// of its own, so that it is deleted as a subject's items are.
func secretID(name string) gatehouse.ID {
	d := sha256.Sum256([]byte(string(gatehouse.SecretItem) + "/" + name))
	return gatehouse.ID(d[:16])
}
