package vault

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/vault/shares"
)

// The vault process's methods about its own keys. Each but the status and the note needs
// a credential that opens the vault key, whether or not the vault is unsealed: whoever
// has broken into the server, and holds an operator's proof, changes no key with it.
const (
	methodKeysStatus  = "keys-status"  // reply KeysStatus
	methodAddSlot     = "add-slot"     // header addSlotRequest, attachments: both secrets; reply string
	methodRemoveSlot  = "remove-slot"  // header removeSlotRequest, attachment: secret
	methodSplit       = "split"        // header splitRequest, attachment: secret; attachments: the shares' texts
	methodExport      = "export"       // attachment: the bundle
	methodNote        = "note"         // header noteRequest
	methodRotate      = "rotate"       // header keyRequest, attachment: secret; reply Rotation, attachments: proof, public key
	methodRotateBatch = "rotate-batch" // header rotateBatchRequest, attachment: proof; reply RotationProgress

	// Of a key pair that several sites share.
	methodPrepareRotation = "rotate-prepare" // header keyRequest, attachment: secret; reply Rotation
	methodPinned          = "rotate-pinned"  // header string, a key's name
	methodRetire          = "rotate-retire"  // header string, the name of the key that stays
)

type addSlotRequest struct {
	keyRequest
	New   shown
	Label string
}

type removeSlotRequest struct {
	keyRequest
	Slot string
}

type splitRequest struct {
	keyRequest
	Threshold, Shares int
}

type rotateBatchRequest struct {
	Gate bool // a gate elsewhere is waited for
}

type noteRequest struct{ Event, Name string }

// KeysStatus says which keys the vault has, without any secret.
type KeysStatus struct {
	Current string // the key that is sealed to
	Keys    []KeyStatus
}

// KeyStatus is one generation of the vault key.
type KeyStatus struct {
	Name    string
	Created time.Time
	Retired time.Time // zero while it is in use
	Chains  int       // rows of the key store that are sealed to it
	Slots   []SlotStatus
}

// SlotStatus is one slot of a key.
type SlotStatus struct {
	ID      string
	Kind    gatehouse.CredentialKind
	Label   string
	Created time.Time
}

func (s *service) keysHandlers() map[string]child.Handler {
	return map[string]child.Handler{
		methodKeysStatus:  s.handleKeysStatus,
		methodAddSlot:     s.handleAddSlot,
		methodRemoveSlot:  s.handleRemoveSlot,
		methodSplit:       s.handleSplit,
		methodExport:      s.handleExport,
		methodNote:        s.handleNote,
		methodRotate:      s.handleRotate,
		methodRotateBatch: s.handleRotateBatch,
		methodCheckKeys:   s.handleCheckKeys,

		methodPrepareRotation: s.handlePrepareRotation,
		methodPinned:          s.handlePinned,
		methodRetire:          s.handleRetire,
		methodSuccessor:       s.handleSuccessor,
		methodFollowed:        s.handleFollowed,
	}
}

// recordKey writes what is about to be done to a key; parts are names and numbers.
func (s *service) recordKey(ctx context.Context, event string, parts ...string) error {
	_, err := s.audit.record(ctx, gatehouse.EventLeaf(gatehouse.KeyLeafKind, time.Now(), event, parts...), nil)
	return err
}

// withSecrets decodes a request that brings n secrets.
func withSecrets(r *child.Request, in any, n int) error {
	if err := r.Decode(in); err != nil {
		return err
	}
	if len(r.Blobs) != n {
		return gatehouse.Errorf("request.malformed", "this is a fault of the program", "the credential is missing")
	}
	return nil
}

func (s *service) handleKeysStatus(ctx context.Context, _ *child.Request) (any, [][]byte, error) {
	ring, err := readKeyring(s.room.dir)
	if err != nil {
		return nil, nil, err
	}
	st := KeysStatus{Current: publicKeyName(s.room.current())}
	for _, k := range ring.Keys {
		key := KeyStatus{Name: k.Name, Created: k.Created, Slots: []SlotStatus{}}
		if k.Retired != nil {
			key.Retired = *k.Retired
		}
		if key.Chains, err = s.keys.sealedTo(ctx, k.Name); err != nil {
			return nil, nil, err
		}
		for _, slot := range k.Slots {
			key.Slots = append(key.Slots, SlotStatus{ID: slot.ID, Kind: slot.Kind, Label: slot.Label, Created: slot.Created})
		}
		st.Keys = append(st.Keys, key)
	}
	return st, nil, nil
}

func (s *service) handleAddSlot(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in addSlotRequest
	if err := withSecrets(r, &in, 2); err != nil {
		return nil, nil, err
	}
	with, err := s.credential(in.With, r.Blobs[0])
	if err != nil {
		return nil, nil, err
	}
	defer clear(with.Secret)
	added, err := s.credential(in.New, r.Blobs[1])
	if err != nil {
		return nil, nil, err
	}
	defer clear(added.Secret)
	if err := checkNewCredential(added, in.Label); err != nil {
		return nil, nil, err
	}
	keys, err := s.room.unwrap(ctx, in.Operator, with)
	if err != nil {
		return nil, nil, err
	}
	defer keys.clear()
	var id string
	err = changeKeyring(s.room.dir, func(ring *keyring) error {
		for i, k := range keys {
			key := ring.find(k.name)
			if key == nil || key.Retired != nil {
				return errRingChanged()
			}
			made, err := key.addSlot(ctx, k.seed, added, in.Label)
			if err != nil {
				return err
			}
			if i == 0 {
				id = made
			}
			if err := s.recordKey(ctx, "slot added", k.name, made, string(added.Kind), in.Operator); err != nil {
				return err
			}
		}
		return nil
	})
	return id, nil, err
}

func errRingChanged() error {
	return gatehouse.Errorf("vault.busy", "try again", "the keyring was changed at the same moment")
}

func (s *service) handleRemoveSlot(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in removeSlotRequest
	if err := withSecrets(r, &in, 1); err != nil {
		return nil, nil, err
	}
	with, err := s.credential(in.With, r.Blobs[0])
	if err != nil {
		return nil, nil, err
	}
	defer clear(with.Secret)
	keys, err := s.room.unwrap(ctx, in.Operator, with)
	if err != nil {
		return nil, nil, err
	}
	defer keys.clear()
	err = changeKeyring(s.room.dir, func(ring *keyring) error {
		for _, key := range ring.active() {
			i := slices.IndexFunc(key.Slots, func(slot keySlot) bool { return slot.ID == in.Slot })
			if i < 0 {
				continue
			}
			if len(key.Slots) == 1 {
				return gatehouse.Errorf("vault.last_slot", "add another one first: gatehouse keys add-slot", "this is the last slot of the vault key: without it nobody could open the vault")
			}
			if slices.ContainsFunc(keys, func(k openKey) bool { return k.name == key.Name && k.slot == in.Slot }) {
				return gatehouse.Errorf("vault.slot_in_use", "give the credential of a slot that stays, so that it is certain that one opens", "this slot is the one that was opened with")
			}
			key.Slots = slices.Delete(key.Slots, i, i+1)
			return s.recordKey(ctx, "slot removed", key.Name, in.Slot, in.Operator)
		}
		return gatehouse.Errorf("vault.no_slot", "see `gatehouse keys status`", "there is no such slot")
	})
	return nil, nil, err
}

func (s *service) handleSplit(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in splitRequest
	if err := withSecrets(r, &in, 1); err != nil {
		return nil, nil, err
	}
	with, err := s.credential(in.With, r.Blobs[0])
	if err != nil {
		return nil, nil, err
	}
	defer clear(with.Secret)
	keys, err := s.room.unwrap(ctx, in.Operator, with)
	if err != nil {
		return nil, nil, err
	}
	defer keys.clear()
	made, err := shares.Split(keys[0].seed, keys[0].name, in.Threshold, in.Shares)
	if err != nil {
		return nil, nil, err
	}
	if err := s.recordKey(ctx, "split", keys[0].name, made[0].SetName(), strconv.Itoa(in.Threshold), strconv.Itoa(in.Shares), in.Operator); err != nil {
		return nil, nil, err
	}
	texts := make([][]byte, len(made))
	for i, share := range made {
		texts[i] = []byte(share.Text())
	}
	return nil, texts, nil
}

// bundle is what an export holds: both files of the vault's key, the private one still
// wrapped by its slots.
type bundle struct {
	Format  string    `json:"format"`
	Made    time.Time `json:"made"`
	Current string    `json:"current"`
	Keyring []byte    `json:"vault.key"`
	Public  []byte    `json:"vault.pub"`
}

const bundleFormat = "gatehouse keyring bundle 1"

func (s *service) handleExport(ctx context.Context, _ *child.Request) (any, [][]byte, error) {
	unlock, err := lockKeyring(s.room.dir) // the two files belong together
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	current := publicKeyName(s.room.current())
	if err := s.recordKey(ctx, "exported", current); err != nil {
		return nil, nil, err
	}
	b := bundle{Format: bundleFormat, Made: time.Now().UTC().Truncate(time.Second), Current: current}
	if b.Keyring, err = os.ReadFile(filepath.Join(s.room.dir, privateKeyFile)); err == nil {
		b.Public, err = os.ReadFile(filepath.Join(s.room.dir, publicKeyFile))
	}
	if err != nil {
		return nil, nil, gatehouse.Errorf("vault.missing", "restore it from its copy", "a file of the vault's key cannot be read: %w", err)
	}
	out, err := json.MarshalIndent(b, "", " ")
	return nil, [][]byte{append(out, '\n')}, err
}

// notable are the events about keys that happen outside the vault process.
var notable = []string{"recovered", "imported", "secret set", "secret removed", "tls authority made", "gate key rotated", "gallery rotated", "file rekeyed"}

func (s *service) handleNote(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in noteRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if !slices.Contains(notable, in.Event) || gatehouse.CheckName(in.Name) != nil {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "there is no such event")
	}
	return nil, nil, s.recordKey(ctx, in.Event, in.Name)
}
