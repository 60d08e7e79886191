package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"gatehouse"
)

func TestListsComeBack(t *testing.T) {
	var pictures []picture
	for i := range 100 {
		pictures = append(pictures, picture{ID: gatehouse.RandomID(), Size: int64(i) << 33, Sum: sha256.Sum256([]byte{byte(i)})})
	}
	got, err := decodeList(encodeList(pictures))
	if err != nil || !slices.Equal(got, pictures) {
		t.Errorf("%d pictures came back, %v", len(got), err)
	}
	if _, err := decodeList(encodeList(pictures)[1:]); gatehouse.ErrorCode(err) != "backup.damaged" {
		t.Errorf("a cut list: %v", err)
	}
}

// What is signed is the very bytes: nothing that reads alike passes for it.
func TestUnsign(t *testing.T) {
	sum := sha256.Sum256([]byte(`{"format":1}`))
	verify := func(public, digest, signature []byte) bool {
		return string(digest) == string(sum[:]) && string(signature) == "s"
	}
	var m Manifest
	if got, _, err := unsign([]byte(`{"body":{"format":1},"signer":"cA==","signature":"cw=="}`), verify, &m); err != nil || got != sum || m.Format != 1 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{``, `{`, `[]`, `{"body":{"format":2},"signature":"cw=="}`, `{"body":{"format":1,"x":0},"signature":"cw=="}`, `{"body":{"format":1},"signature":"cA=="}`, `{"signature":"cw=="}`} {
		if _, _, err := unsign([]byte(bad), verify, &m); gatehouse.ErrorCode(err) != "backup.damaged" {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzUnsign(f *testing.F) {
	f.Add([]byte(`{"body":{"format":1,"databases":[{"name":"x","parts":["00"]}]},"signer":"cA==","signature":"cw=="}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		var m Manifest
		_, _, _ = unsign(b, func(_, _, _ []byte) bool { return true }, &m)
	})
}

// The first error stops the work and is what comes back.
func TestEach(t *testing.T) {
	items := make([]int, 1000)
	for i := range items {
		items[i] = i
	}
	double := func(_ context.Context, i int) (*int, error) { i *= 2; return &i, nil }
	got, err := each(t.Context(), items, double, func(int) {})
	slices.Sort(got)
	if err != nil || len(got) != 1000 || got[999] != 1998 {
		t.Errorf("%d results, %v", len(got), err)
	}
	var calls atomic.Int64
	wrong := errors.New("wrong")
	_, err = each(t.Context(), items, func(context.Context, int) (*int, error) { calls.Add(1); return nil, wrong }, func(int) {})
	if !errors.Is(err, wrong) || calls.Load() > workers {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := each(stopped, items, double, func(int) {}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
