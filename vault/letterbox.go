package vault

import (
	"context"
	"crypto/hpke"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// methodLetterbox gives a key for one secret. It is answered before there is a vault, too.
const methodLetterbox = "letterbox" // reply gatehouse.Letterbox

// How many letterboxes there are at a time, and how long one waits for its secret. Whoever
// asks for more takes the oldest away.
const (
	maxLetterboxes = 64
	letterboxWaits = 2 * time.Minute
)

// letterboxes are the keys that credentials on their way into this process are sealed to.
type letterboxes struct {
	mu   sync.Mutex
	wait []letterbox // the oldest first
}

type letterbox struct {
	gatehouse.Letterbox
	private hpke.PrivateKey
	until   time.Time
}

func (l *letterboxes) make(vault string, now time.Time) (gatehouse.Letterbox, error) {
	public, private, err := gatehouse.NewLetterbox(vault)
	if err != nil {
		return public, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wait = slices.DeleteFunc(l.wait, func(b letterbox) bool { return !now.Before(b.until) })
	if len(l.wait) >= maxLetterboxes {
		l.wait = slices.Delete(l.wait, 0, 1)
	}
	l.wait = append(l.wait, letterbox{public, private, now.Add(letterboxWaits)})
	return public, nil
}

// open opens what was sealed to one of the letterboxes, which is used up. Errors:
// vault.letterbox, letterbox.malformed.
func (l *letterboxes) open(c gatehouse.Credential, now time.Time) (gatehouse.Credential, error) {
	l.mu.Lock()
	i := slices.IndexFunc(l.wait, func(b letterbox) bool { return b.Name() == c.SealedTo() })
	var box letterbox
	if i >= 0 {
		box = l.wait[i]
		l.wait = slices.Delete(l.wait, i, i+1)
	}
	l.mu.Unlock()
	if i < 0 || !now.Before(box.until) {
		return gatehouse.Credential{}, gatehouse.Errorf("vault.letterbox", "give the credential again", "the credential was sealed to a key that the vault process has no more")
	}
	return c.Open(box.Letterbox, box.private)
}

func (s *service) handleLetterbox(context.Context, *child.Request) (any, [][]byte, error) {
	name := ""
	select {
	case <-s.ready:
		name = publicKeyName(s.room.current())
	default:
	}
	box, err := s.letterboxes.make(name, time.Now())
	return box, nil, err
}

// credential opens what a request shows; the caller wipes its secret.
func (s *service) credential(with shown, sealed []byte) (gatehouse.Credential, error) {
	return s.letterboxes.open(gatehouse.Credential{Kind: with.Kind, Source: with.Source, Secret: sealed, Sealed: true}, time.Now())
}

// Letterbox gives a key to seal one credential to (gatehouse.Credential.Seal), good for two
// minutes: what is sealed to it opens in the vault process and nowhere else. Errors:
// vault.elsewhere, vault.unavailable, vault.timeout.
func (d Desk) Letterbox(ctx context.Context) (box gatehouse.Letterbox, err error) {
	_, err = d.call(ctx, methodLetterbox, nil, nil, &box)
	return box, err
}

// callWith calls a method with credentials, of which those that their owner did not seal
// are sealed here, each to a letterbox of its own.
func callWith(ctx context.Context, call child.CallFunc, method string, header any, with []gatehouse.Credential, more [][]byte, reply any) ([][]byte, error) {
	blobs := make([][]byte, 0, len(with)+len(more))
	for _, c := range with {
		if !c.Sealed {
			var box gatehouse.Letterbox
			if _, err := call(ctx, methodLetterbox, nil, nil, &box); err != nil {
				return nil, err
			}
			var err error
			if c, err = c.Seal(box); err != nil {
				return nil, err
			}
		}
		blobs = append(blobs, c.Secret)
	}
	return call(ctx, method, header, append(blobs, more...), reply)
}
