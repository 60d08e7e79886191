package listen

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"

	"github.com/caddyserver/certmagic"
)

// Safe keeps private keys and certificates by name in one sealed file, so that whoever
// copies the data directory cannot pose as the site. It implements certmagic.Storage.
//
// The file is AES-256-GCM, with a random nonce before it, of a JSON object of names and
// values; the AAD is safeLabel. There are a few kilobytes of it, so that all of it is
// written at each change.
type Safe struct {
	path string
	aead cipher.AEAD
	now  func() time.Time
	// write replaces the file durably.
	write func(path string, b []byte) error

	mu     sync.Mutex
	values map[string]value
	locks  map[string]chan struct{}
}

type value struct {
	Modified time.Time `json:"modified"`
	Value    []byte    `json:"value"`
}

const safeLabel = "gatehouse tls 1"

// OpenSafe opens the file at path, which need not be there yet, under key. write
// replaces a file durably (vault.WriteDurably). Errors: tls.safe.
func OpenSafe(path string, key [32]byte, write func(path string, b []byte) error) (*Safe, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	s := &Safe{path: path, aead: aead, now: time.Now, write: write, values: map[string]value{}, locks: map[string]chan struct{}{}}
	sealed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	var plain []byte
	if err == nil {
		plain, err = aead.Open(nil, nil, sealed, []byte(safeLabel))
	}
	if err == nil {
		err = json.Unmarshal(plain, &s.values)
	}
	if err != nil {
		return nil, gatehouse.Errorf("tls.safe", "remove it and its key to begin anew: a local authority must then be trusted again", "the file with the TLS keys does not open: %w", err)
	}
	return s, nil
}

func notThere(key string) error { return &fs.PathError{Op: "open", Path: key, Err: fs.ErrNotExist} }

// save writes all values. Called with the lock held.
func (s *Safe) save() error {
	plain, err := json.Marshal(s.values)
	if err != nil {
		return err
	}
	defer clear(plain)
	if err := s.write(s.path, s.aead.Seal(nil, nil, plain, []byte(safeLabel))); err != nil {
		return gatehouse.Errorf("tls.safe", "check the data directory and the disk", "the file with the TLS keys cannot be written: %w", err)
	}
	return nil
}

// Store implements certmagic.Storage.
func (s *Safe) Store(_ context.Context, key string, b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value{Modified: s.now().UTC(), Value: slices.Clone(b)}
	return s.save()
}

// Load implements certmagic.Storage.
func (s *Safe) Load(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[key]
	if !ok {
		return nil, notThere(key)
	}
	return slices.Clone(v.Value), nil
}

// Delete implements certmagic.Storage.
func (s *Safe) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.values)
	for k := range s.values {
		if k == key || strings.HasPrefix(k, key+"/") {
			delete(s.values, k)
		}
	}
	if len(s.values) == before {
		return nil
	}
	return s.save()
}

// Exists implements certmagic.Storage.
func (s *Safe) Exists(ctx context.Context, key string) bool {
	_, err := s.Stat(ctx, key)
	return err == nil
}

// List implements certmagic.Storage.
func (s *Safe) List(_ context.Context, path string, recursive bool) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	prefix := strings.TrimSuffix(path, "/") + "/"
	if prefix == "/" {
		prefix = ""
	}
	var found []string
	for k := range s.values {
		rest, ok := strings.CutPrefix(k, prefix)
		if !ok {
			continue
		}
		if first, _, deeper := strings.Cut(rest, "/"); deeper && !recursive {
			k = prefix + first
		}
		if !slices.Contains(found, k) {
			found = append(found, k)
		}
	}
	if len(found) == 0 {
		return nil, notThere(path)
	}
	slices.Sort(found)
	return found, nil
}

// Stat implements certmagic.Storage.
func (s *Safe) Stat(_ context.Context, key string) (certmagic.KeyInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.values[key]; ok {
		return certmagic.KeyInfo{Key: key, Modified: v.Modified, Size: int64(len(v.Value)), IsTerminal: true}, nil
	}
	for k := range s.values {
		if strings.HasPrefix(k, key+"/") {
			return certmagic.KeyInfo{Key: key}, nil
		}
	}
	return certmagic.KeyInfo{}, notThere(key)
}

// Lock implements certmagic.Storage, among the goroutines of this process: the data
// directory belongs to one process.
func (s *Safe) Lock(ctx context.Context, name string) error {
	for {
		s.mu.Lock()
		held, taken := s.locks[name]
		if !taken {
			s.locks[name] = make(chan struct{})
		}
		s.mu.Unlock()
		if !taken {
			return nil
		}
		select {
		case <-held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Unlock implements certmagic.Storage.
func (s *Safe) Unlock(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.locks[name]
	if !ok {
		return errors.New("the lock is not held")
	}
	close(held)
	delete(s.locks, name)
	return nil
}
