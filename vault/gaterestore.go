package vault

import (
	"bytes"
	"context"
	"crypto/hpke"
	"encoding/base64"
	"io"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/internal/child"

	"filippo.io/age"
)

// A gate that is lost while its vault lives on another machine comes back from a backup:
// its databases, whose keys stand in the backup's key bundle. The vault opens the bundle
// for that, for whom somebody at the vault's machine granted a rebuilding, and gives the
// keys of the gate's own files and no other. The key store and the log in the backup are
// older than those that live, and not used.
//
// What the gate committed behind the backup is in the log and in no file any more. So the
// log says that the gate was restored, and between which positions its leaves are lost:
// a server that merely takes rows away has no such entry.
const (
	methodGateBundle   = "gate-bundle"   // header string, an operator; attachments: a rebuilding's proof, the bundle's beginning; reply gateBundle, attachments: keys
	methodGateRestored = "gate-restored" // header gateRestored, attachment: a rebuilding's proof
)

// gateFiles begin the names of the files whose keys a gate gets.
const gateFiles = "db/"

// eventGateRestored is the leaf of a gate's restoring: the backup's id, and the positions
// between which leaves are lost, the first excluded and the last included.
const eventGateRestored = "gate restored"

type gateBundle struct {
	Content gatehouse.BundleContent // Files empty
	Names   []string                // of the attached keys
}

type gateRestored struct {
	Operator string
	Backup   gatehouse.ID
	Last     uint64
}

// LostLeaves are the positions of leaves that a gate lost with a machine: behind After, up
// to Last.
type LostLeaves struct{ After, Last uint64 }

// maxBundleHead is how much of a bundle is looked at for its head: the head, and what age
// puts before and into it.
const maxBundleHead = maxHead + 1<<20

// OpenBundleForGate opens a key bundle with a rebuilding's proof (BeginRebuild, or
// ClaimRebuild) and gives the keys of the gate's own databases in it. Errors:
// vault.forbidden, vault.canary, backup.other_vault, backup.damaged, vault.unavailable.
func (v *Vault) OpenBundleForGate(ctx context.Context, operator string, proof []byte, sealed io.Reader) (content gatehouse.BundleContent, err error) {
	begin, err := io.ReadAll(io.LimitReader(sealed, maxBundleHead))
	if err != nil {
		return content, err
	}
	var reply gateBundle
	keys, err := v.process.Call(ctx, methodGateBundle, operator, [][]byte{proof, begin}, &reply)
	if err != nil {
		return content, err
	}
	content = reply.Content
	content.Files = map[string][32]byte{}
	for i, name := range reply.Names {
		if i >= len(keys) || len(keys[i]) != 32 {
			return content, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process gave no key")
		}
		content.Files[name] = [32]byte(keys[i])
		clear(keys[i])
	}
	return content, nil
}

// GateRestored writes down that the gate was restored from a backup, in whose files last
// is the newest leaf that the log has. Errors: vault.forbidden, vault.unavailable,
// vault.timeout, and the store's.
func (v *Vault) GateRestored(ctx context.Context, operator string, proof []byte, backup gatehouse.ID, last uint64) error {
	_, err := v.process.Call(ctx, methodGateRestored, gateRestored{operator, backup, last}, [][]byte{proof}, nil)
	return err
}

func (s *service) gateRestoreHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodGateBundle: s.handleGateBundle, methodGateRestored: s.handleGateRestored}
}

func (s *service) handleGateBundle(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var operator string
	if err := withSecrets(r, &operator, 2); err != nil {
		return nil, nil, err
	}
	if err := s.guard.shut(); err != nil {
		return nil, nil, err
	}
	private, err := s.room.rebuilds(operator, r.Blobs[0])
	if err != nil {
		return nil, nil, err
	}
	open, err := readBundle(bytes.NewReader(r.Blobs[1]), openedUnbundler(private))
	if err != nil {
		return nil, nil, err
	}
	leaf := gatehouse.EventLeaf(gatehouse.BackupLeafKind, time.Now(), "bundle opened", operator, open.ID.String())
	if _, err := s.audit.record(ctx, leaf, nil); err != nil {
		return nil, nil, err
	}
	reply, keys := gateBundle{Content: open.BundleContent}, [][]byte{}
	reply.Content.Files = nil
	for name, key := range open.Files {
		if strings.HasPrefix(name, gateFiles) {
			reply.Names, keys = append(reply.Names, name), append(keys, key[:])
		}
	}
	return reply, keys, nil
}

func (s *service) handleGateRestored(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in gateRestored
	if err := withSecrets(r, &in, 1); err != nil {
		return nil, nil, err
	}
	if _, err := s.room.rebuilds(in.Operator, r.Blobs[0]); err != nil {
		return nil, nil, err
	}
	s.audit.following.Lock() // no leaf comes between the cursor and what is said of it
	defer s.audit.following.Unlock()
	cursor, err := s.audit.cursor(ctx)
	if err != nil {
		return nil, nil, err
	}
	leaf := gatehouse.EventLeaf(gatehouse.BackupLeafKind, time.Now(), eventGateRestored, in.Backup.String(),
		strconv.FormatUint(min(in.Last, cursor), 10), strconv.FormatUint(cursor, 10), in.Operator)
	_, err = s.audit.record(ctx, leaf, nil)
	return nil, nil, err
}

// lostLeaves reads the leaf of a gate's restoring; false for one that is malformed.
func lostLeaves(parts [][]byte) (l LostLeaves, ok bool) {
	var err, err2 error
	if len(parts) == 5 {
		l.After, err = strconv.ParseUint(string(parts[2]), 10, 64)
		l.Last, err2 = strconv.ParseUint(string(parts[3]), 10, 64)
	}
	return l, len(parts) == 5 && err == nil && err2 == nil
}

// openedUnbundler is the age identity of a vault whose private keys are open.
type openedUnbundler privateKeys

// Unwrap implements age.Identity.
func (u openedUnbundler) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, s := range stanzas {
		if s.Type != stanzaType || len(s.Args) != 2 {
			continue
		}
		private, ok := u[s.Args[0]]
		if !ok {
			return nil, gatehouse.Errorf("backup.other_vault", "use a backup that was made since, and the targets of this site", "this key bundle was sealed to another key than the vault's, or to one that a rotation has retired since")
		}
		enc, err := base64.RawStdEncoding.DecodeString(s.Args[1])
		if err != nil {
			return nil, errBundle(err)
		}
		recipient, err := hpke.NewRecipient(enc, private, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(labelBundle))
		if err != nil {
			return nil, errBundle(err)
		}
		key, err := recipient.Open(nil, s.Body)
		if err != nil {
			return nil, errBundle(err)
		}
		return key, nil
	}
	return nil, age.ErrIncorrectIdentity
}
