package vault

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// A gate elsewhere seals to the key that it was paired with, and changes it for no
// machine's word: whoever could give it another one would read all that is sealed from
// then on. What it believes is the old key itself. It seals a random secret to that, and
// only who holds its private half can answer with
//
//	HMAC-SHA256(secret, bind(labelSucceeds, old public key, new public key))
//
// which the vault process does while a rotation goes on, or while somebody has unsealed
// the vault with what opens both keys. The process that speaks TLS never can. From then
// on the gate's spool takes no row for the old key, and when the rows that were in it are
// delivered the gate says that it follows: with that, and not before, the old key's rows
// have an end, and a rotation can have one.

// What a gate elsewhere asks about the vault key.
const (
	methodSuccessor = "successor" // header string, the name of the gate's key; attachments: encapsulated key, challenge; reply string, the new key's name; attachments: public key, answer
	methodFollowed  = "followed"  // header string, the name of the key that the gate seals to, and has no rows for others
)

// followEvery is how often a gate looks whether the vault key is another one.
var followEvery = 2 * time.Second

// private is a key that is open for whatever reason; false where it is not.
func (s *strongroom) private(name string) (hpke.PrivateKey, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	page, names := s.page, s.names
	if s.moving != nil && slices.Contains(s.moving.from, name) {
		page, names = s.moving.page, s.moving.from
	}
	i := slices.Index(names, name)
	if i < 0 {
		return nil, false
	}
	private, err := kem().NewPrivateKey(page.at(i))
	return private, err == nil
}

// follows notes what the gate says.
func (s *strongroom) follows(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.followed = name
}

// followedBy reports whether the gate said that it seals to the named key.
func (s *strongroom) followedBy(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.followed == name
}

func (s *service) handleSuccessor(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var name string
	if err := withSecrets(r, &name, 2); err != nil {
		return nil, nil, err
	}
	known, err := s.keys.pins(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Contains(known, name) {
		return nil, nil, gatehouse.Errorf("vault.key_retired", "pair the gate again with `gatehouse vault pair` on the vault's machine", "the key that this gate seals to is none of the vault's any more")
	}
	private, open := s.room.private(name)
	if !open {
		return nil, nil, gatehouse.Errorf("vault.rotation", "run `gatehouse vault keys rotate vault` on the vault's machine again", "the vault key was rotated, and this gate has not taken over the new one")
	}
	recipient, err := hpke.NewRecipient(r.Blobs[0], private, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(labelSucceeds))
	var secret []byte
	if err == nil {
		secret, err = recipient.Open(nil, r.Blobs[1])
	}
	if err != nil || len(secret) != 32 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "what the gate asks with does not open")
	}
	defer clear(secret)
	to := s.room.current()
	if err := s.recordKey(ctx, "handed over", publicKeyName(to), name); err != nil {
		return nil, nil, err
	}
	return publicKeyName(to), [][]byte{to.Bytes(), succession(secret, private.PublicKey(), to)}, nil
}

func succession(secret []byte, from, to hpke.PublicKey) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(bind([]byte(labelSucceeds), from.Bytes(), to.Bytes()))
	return mac.Sum(nil)
}

func (s *service) handleFollowed(_ context.Context, r *child.Request) (any, [][]byte, error) {
	var name string
	if err := r.Decode(&name); err != nil {
		return nil, nil, err
	}
	s.room.follows(name)
	return nil, nil, nil
}

// follow keeps a gate with its vault's key, and with the identity that it has now, until
// the vault is closed.
func (v *Vault) follow(r *remoteProcess, log *slog.Logger) {
	defer close(r.ended)
	beat := time.NewTicker(followEvery)
	defer beat.Stop()
	said := ""
	for {
		r.renew()
		if r.Away() == nil {
			ctx, cancel := context.WithTimeout(r.ctx, appendLimit)
			err := v.followOnce(ctx, r, log)
			cancel()
			code := gatehouse.ErrorCode(err)
			if err != nil && code != said && code != "vault.unavailable" && r.ctx.Err() == nil {
				log.Warn("the vault key was rotated, and this gate cannot follow yet", "error", err)
			}
			said = code
		}
		select {
		case <-beat.C:
		case <-r.ctx.Done():
			return
		}
	}
}

// followOnce looks once.
func (v *Vault) followOnce(ctx context.Context, r *remoteProcess, log *slog.Logger) error {
	var st Status
	if _, err := r.Remote.Call(ctx, methodStatus, nil, nil, &st); err != nil {
		return nil // whoever needs the vault hears of it
	}
	own := v.sealsTo.Load()
	if st.PublicKey != own.name {
		if err := v.succeed(ctx, r, own); err != nil {
			return err
		}
		own = v.sealsTo.Load()
		log.Info("the vault key was rotated; this gate seals to the new one", "key", own.name)
	}
	if !st.Rotating {
		return nil
	}
	if err := r.spool.flush(ctx); err != nil {
		return err
	}
	_, err := r.Remote.Call(ctx, methodFollowed, own.name, nil, nil)
	return err
}

// succeed exchanges the key that this gate seals to. Errors: vault.rotation where the
// vault cannot prove its word now, vault.key_retired where it never can.
func (v *Vault) succeed(ctx context.Context, r *remoteProcess, own *recipient) error {
	var secret [32]byte
	random(secret[:])
	defer clear(secret[:])
	enc, sender, err := hpke.NewSender(own.key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(labelSucceeds))
	if err != nil {
		return err
	}
	sealed, err := sender.Seal(nil, secret[:])
	if err != nil {
		return err
	}
	var name string
	blobs, err := r.Remote.Call(ctx, methodSuccessor, own.name, [][]byte{enc, sealed}, &name)
	if err != nil {
		return err
	}
	refused := gatehouse.Errorf("vault.key_changed", "look who runs the vault's machine: this gate goes on sealing to its old key", "the vault's machine gives another key, and does not prove that the old key's owner made it")
	if len(blobs) != 2 {
		return refused
	}
	to, err := kem().NewPublicKey(blobs[0])
	if err != nil || publicKeyName(to) != name || !hmac.Equal(blobs[1], succession(secret[:], own.key, to)) {
		return refused
	}
	if err := replacePublicKey(v.dir, own.key, to); err != nil {
		return err
	}
	r.spool.seals(name, func() { v.sealTo(to) })
	return nil
}

// replacePublicKey makes to the key that a gate seals to. The one before is kept by name:
// the identity file still holds it.
func replacePublicKey(dir string, from, to hpke.PublicKey) error {
	path := filepath.Join(dir, replacedKeysFile)
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return keyringFailed(err)
	}
	text := publicKeyText(from.Bytes())
	if !bytes.Contains(before, []byte(strings.TrimSuffix(text, "\n"))) {
		if err := writeDurably(path, append(before, text...), true); err != nil {
			return keyringFailed(err)
		}
	}
	return publishKey(dir, to)
}
