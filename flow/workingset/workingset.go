// Package workingset holds what the gates know from boot, in memory: badges,
// templates, allowed plates, and verifiers of cards, PINs, QR codes and device
// tokens. On disk every item is sealed under the gate key; here it is open.
package workingset

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"gatehouse"
)

// Gallery is the part of the 1:N gallery that the working set fills.
type Gallery interface {
	Add(place gatehouse.Place, subject gatehouse.SubjectID, row gatehouse.ID, template []float32) error
	Remove(place gatehouse.Place, subject gatehouse.SubjectID) int
	// Rotate sets the seed of the place's secret rotation: templates are added as Turn
	// makes them, those that are there are turned along, and no answer changes.
	Rotate(place gatehouse.Place, seed [32]byte)
	// Turn returns the template that was turned by the seed from as the seed to turns
	// it; a zero seed stands for the template as the model made it.
	Turn(template []float32, from, to [32]byte) []float32
}

// Set is one site's working set. All methods are safe for concurrent use.
type Set struct {
	place   gatehouse.Place
	store   gatehouse.WorkingStore
	sealer  gatehouse.WorkingSealer
	gallery Gallery

	writes sync.Mutex // what is put, and what is removed for good, one after the other
	gone   map[gatehouse.SubjectID]struct{}

	templates sync.Mutex // adding, removing and turning of templates, one at a time

	mu          sync.RWMutex
	current     seed   // of the gallery's rotation
	previous    seed   // while a rekey is not finished; otherwise zero
	verifierKey []byte // keys the verifiers; one a site, sealed like every item
	badges      map[gatehouse.SubjectID]gatehouse.Badge
	plates      map[string]gatehouse.SubjectID
	credentials map[[32]byte]holder
	tokens      map[gatehouse.DeviceID][32]byte
	sources     map[gatehouse.DeviceID]string
	keys        map[gatehouse.DeviceID]deviceKey
	secrets     map[string]namedSecret
	accounts    map[gatehouse.AccountID][]byte // flow/accounts reads them
	kept        map[gatehouse.WorkingKind]map[gatehouse.ID][]byte
}

// keyRow names the item that holds the site's verifier key.
var keyRow = gatehouse.ID{0: 1}

// keyItem is the kind of that item; it belongs to no subject.
const keyItem gatehouse.WorkingKind = "verifier_key"

// Load opens the site's whole working set; an item that does not open stops the
// start, since a gate that forgot somebody silently is worse than one that says so.
func Load(ctx context.Context, place gatehouse.Place, store gatehouse.WorkingStore, sealer gatehouse.WorkingSealer, g Gallery) (*Set, error) {
	s := &Set{place: place, store: store, sealer: sealer, gallery: g,
		badges: map[gatehouse.SubjectID]gatehouse.Badge{}, plates: map[string]gatehouse.SubjectID{},
		credentials: map[[32]byte]holder{}, tokens: map[gatehouse.DeviceID][32]byte{}, sources: map[gatehouse.DeviceID]string{}, keys: map[gatehouse.DeviceID]deviceKey{}, secrets: map[string]namedSecret{},
		accounts: map[gatehouse.AccountID][]byte{}, kept: map[gatehouse.WorkingKind]map[gatehouse.ID][]byte{}}
	var templates []gatehouse.WorkingItem // until the gallery is known
	err := store.Working(ctx, func(item gatehouse.WorkingItem) error {
		switch {
		case item.Place != place:
			return nil
		case item.Kind == gatehouse.TemplateItem:
			templates = append(templates, item)
			return nil
		}
		return s.take(item)
	})
	if err != nil {
		return nil, err
	}
	if err := s.openGallery(ctx, templates); err != nil {
		return nil, err
	}
	if s.verifierKey == nil {
		s.verifierKey = make([]byte, 32)
		if _, err := rand.Read(s.verifierKey); err != nil {
			return nil, err
		}
		if err := s.put(ctx, keyItem, gatehouse.SubjectID{}, keyRow, s.verifierKey); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// open opens an item of this site.
func (s *Set) open(item gatehouse.WorkingItem) ([]byte, error) {
	plain, err := s.sealer.OpenWorking(item.Context(), item.Sealed)
	if err != nil {
		return nil, gatehouse.Errorf("workingset.damaged", "restore it from the vault (the working set is never backed up) or give the right gate key",
			"an item of the working set (%s) does not open: %w", item.Kind, err)
	}
	return plain, nil
}

func malformed(kind gatehouse.WorkingKind) error {
	return gatehouse.Errorf("workingset.damaged", "this version cannot read it", "an item of the working set (%s) is malformed", kind)
}

// take opens an item, which is no template, into memory.
func (s *Set) take(item gatehouse.WorkingItem) error {
	plain, err := s.open(item)
	if err != nil {
		return err
	}
	kind, subject := item.Kind, item.Subject
	damaged := func() error { return malformed(kind) }
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kind {
	case keyItem:
		s.verifierKey = plain
	case galleryItem:
		var ok bool
		if s.current, s.previous, ok = decodeSeeds(plain); !ok {
			return damaged()
		}
	case gatehouse.BadgeItem:
		var b gatehouse.Badge
		if err := json.Unmarshal(plain, &b); err != nil {
			return damaged()
		}
		s.badges[subject] = b
	case gatehouse.PlateItem:
		s.plates[string(plain)] = subject
	case gatehouse.CardItem, gatehouse.PINItem, gatehouse.QRItem:
		if len(plain) != 32 {
			return damaged()
		}
		s.credentials[[32]byte(plain)] = holder{subject, kind}
	case gatehouse.TokenItem:
		name, verifier, ok := cutDevice(plain)
		if !ok || len(verifier) != 32 {
			return damaged()
		}
		s.tokens[name] = [32]byte(verifier)
	case gatehouse.SourceItem:
		name, source, ok := cutDevice(plain)
		if !ok {
			return damaged()
		}
		s.sources[name] = string(source)
	case deviceKeyItem:
		name, rest, ok := cutDevice(plain)
		key, fits := decodeDeviceKey(rest)
		if !ok || !fits {
			return damaged()
		}
		s.keys[name] = key
	case gatehouse.SecretItem:
		var n namedSecret
		if err := json.Unmarshal(plain, &n); err != nil {
			return damaged()
		}
		s.secrets[n.Name] = n
	case gatehouse.AccountItem:
		s.accounts[subject] = plain
	case gatehouse.AccessItem, gatehouse.WebhookItem, gatehouse.MarkItem:
		s.keep(kind, subject, plain)
	default:
		return damaged()
	}
	return nil
}

// Item seals one value for the working set without storing it.
func (s *Set) Item(kind gatehouse.WorkingKind, subject gatehouse.SubjectID, row gatehouse.ID, plain []byte) (gatehouse.WorkingItem, error) {
	item := gatehouse.WorkingItem{Place: s.place, Kind: kind, Subject: subject, Row: row}
	var err error
	item.Sealed, err = s.sealer.SealWorking(item.Context(), plain)
	return item, err
}

// Put stores sealed items and takes them into memory; it may be called again with
// the same items, which changes nothing.
func (s *Set) Put(ctx context.Context, items []gatehouse.WorkingItem) error {
	s.writes.Lock()
	defer s.writes.Unlock()
	for _, item := range items {
		if _, gone := s.gone[item.Subject]; gone {
			return gatehouse.Errorf("store.not_found", "it was erased meanwhile", "there is no such subject here")
		}
	}
	if slices.ContainsFunc(items, func(i gatehouse.WorkingItem) bool { return i.Kind == gatehouse.TemplateItem }) {
		return s.putTemplates(ctx, items)
	}
	if err := s.store.PutWorking(ctx, items); err != nil {
		return err
	}
	for _, item := range items {
		if err := s.take(item); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) put(ctx context.Context, kind gatehouse.WorkingKind, subject gatehouse.SubjectID, row gatehouse.ID, plain []byte) error {
	item, err := s.Item(kind, subject, row, plain)
	if err != nil {
		return err
	}
	return s.Put(ctx, []gatehouse.WorkingItem{item})
}

// BadgeItem seals a badge. A subject has one badge, so its row is the subject's id.
func (s *Set) BadgeItem(b gatehouse.Badge) (gatehouse.WorkingItem, error) {
	plain, err := json.Marshal(b)
	if err != nil {
		return gatehouse.WorkingItem{}, err
	}
	return s.Item(gatehouse.BadgeItem, b.Subject, b.Subject, plain)
}

// TemplateItem seals a face template, as the model made it, turned by the gallery's seed.
func (s *Set) TemplateItem(subject gatehouse.SubjectID, template []float32) (gatehouse.WorkingItem, error) {
	current, _ := s.seeds()
	turned := s.gallery.Turn(template, [32]byte{}, current.secret)
	return s.Item(gatehouse.TemplateItem, subject, gatehouse.RandomID(), encodeTemplate(current.generation, turned))
}

// PlateItem seals an allowed plate; the text is normalized first.
func (s *Set) PlateItem(subject gatehouse.SubjectID, plate string) (gatehouse.WorkingItem, error) {
	return s.Item(gatehouse.PlateItem, subject, gatehouse.RandomID(), []byte(gatehouse.NormalizePlate(plate)))
}

// CredentialItem seals a verifier of a card number, PIN or QR text.
func (s *Set) CredentialItem(kind gatehouse.WorkingKind, subject gatehouse.SubjectID, secret gatehouse.Secret) (gatehouse.WorkingItem, error) {
	v := s.verifier(string(kind), secret.Reveal())
	return s.Item(kind, subject, gatehouse.RandomID(), v[:])
}

// PutBadge replaces a subject's badge.
func (s *Set) PutBadge(ctx context.Context, b gatehouse.Badge) error {
	item, err := s.BadgeItem(b)
	if err != nil {
		return err
	}
	return s.Put(ctx, []gatehouse.WorkingItem{item})
}

// PutDevice stores what the gate must know of a device: a verifier of its token
// (where it has one) and its source address (where it has one). A device has one
// of each, so a second call replaces the first.
func (s *Set) PutDevice(ctx context.Context, id gatehouse.DeviceID, token gatehouse.Secret, source string) error {
	if err := s.readmit(ctx, id); err != nil {
		return err
	}
	if token != "" {
		v := s.verifier("token/"+string(id), token.Reveal())
		if err := s.put(ctx, gatehouse.TokenItem, gatehouse.SubjectID{}, deviceRow(gatehouse.TokenItem, id), joinDevice(id, v[:])); err != nil {
			return err
		}
	}
	if source != "" {
		return s.put(ctx, gatehouse.SourceItem, gatehouse.SubjectID{}, deviceRow(gatehouse.SourceItem, id), joinDevice(id, []byte(source)))
	}
	return nil
}

// deviceRow names the one item of a kind that a device has.
func deviceRow(kind gatehouse.WorkingKind, id gatehouse.DeviceID) gatehouse.ID {
	name := sha256.Sum256([]byte(string(kind) + "/" + string(id)))
	return gatehouse.ID(name[:16])
}

// verifier is HMAC-SHA256 under the site's random key: it is only ever stored
// sealed, and without the gate key it can be neither read nor tried out.
func (s *Set) verifier(kind, secret string) (v [32]byte) {
	mac := hmac.New(sha256.New, s.verifierKey)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(secret))
	mac.Sum(v[:0])
	return v
}

// Badge returns what the gate knows of a subject.
func (s *Set) Badge(id gatehouse.SubjectID) (gatehouse.Badge, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, ok := s.badges[id]
	return b, ok
}

// ByPlate returns the subject whose plate it is; the text is normalized first.
func (s *Set) ByPlate(plate string) (gatehouse.SubjectID, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, ok := s.plates[gatehouse.NormalizePlate(plate)]
	return id, ok
}

// ByCredential returns the subject whose card, PIN or QR code it is.
func (s *Set) ByCredential(kind gatehouse.WorkingKind, secret gatehouse.Secret) (gatehouse.SubjectID, bool) {
	v := s.verifier(string(kind), secret.Reveal())
	s.mu.RLock()
	defer s.mu.RUnlock()
	h, ok := s.credentials[v]
	return h.subject, ok
}

// holder is whose a credential is, and of which kind.
type holder struct {
	subject gatehouse.SubjectID
	kind    gatehouse.WorkingKind
}

// Kinds says which credentials a subject has: card, PIN, QR code or plate.
func (s *Set) Kinds(id gatehouse.SubjectID) (kinds []gatehouse.WorkingKind) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, h := range s.credentials {
		if h.subject == id && !slices.Contains(kinds, h.kind) {
			kinds = append(kinds, h.kind)
		}
	}
	for _, of := range s.plates {
		if of == id && !slices.Contains(kinds, gatehouse.PlateItem) {
			kinds = append(kinds, gatehouse.PlateItem)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// Badges are all of them, in no order.
func (s *Set) Badges() []gatehouse.Badge {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Collect(maps.Values(s.badges))
}

// DeviceToken reports whether the token is the device's, in constant time.
func (s *Set) DeviceToken(id gatehouse.DeviceID, token gatehouse.Secret) bool {
	got := s.verifier("token/"+string(id), token.Reveal())
	s.mu.RLock()
	want, ok := s.tokens[id]
	s.mu.RUnlock()
	return hmac.Equal(got[:], want[:]) && ok
}

// Source returns a camera's address, which may hold a password.
func (s *Set) Source(id gatehouse.DeviceID) (string, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	src, ok := s.sources[id]
	return src, ok && src != ""
}

// Count returns how many people and vehicles are enrolled.
func (s *Set) Count() (people, vehicles int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, b := range s.badges {
		if b.Kind == gatehouse.VehicleSubject {
			vehicles++
		} else {
			people++
		}
	}
	return people, vehicles
}

// FindBadges gives at most limit badges whose labels hold the text, in whatever case, by
// label.
func (s *Set) FindBadges(text string, limit int) []gatehouse.Badge {
	text = strings.ToLower(text)
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []gatehouse.Badge
	for _, b := range s.badges {
		if strings.Contains(strings.ToLower(b.Label), text) {
			found = append(found, b)
		}
	}
	slices.SortFunc(found, func(x, y gatehouse.Badge) int {
		return cmp.Or(strings.Compare(x.Label, y.Label), bytes.Compare(x.Subject[:], y.Subject[:]))
	})
	return found[:min(len(found), limit)]
}

// Granted says how many badges have a grant within the schedule.
func (s *Set) Granted(schedule string) (n int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, b := range s.badges {
		if slices.ContainsFunc(b.Grants, func(g gatehouse.Grant) bool { return g.Schedule == schedule }) {
			n++
		}
	}
	return n
}

func encodeTemplate(generation uint32, t []float32) []byte {
	b := make([]byte, 0, templateHead+4*len(t))
	b = binary.BigEndian.AppendUint32(append(b, 1), generation)
	for _, v := range t {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func decodeTemplate(b []byte) (generation uint32, _ []float32, ok bool) {
	if len(b)%4 == templateHead%4 && b[0] == 1 {
		generation, b = binary.BigEndian.Uint32(b[1:]), b[templateHead:]
	}
	if len(b) == 0 || len(b)%4 != 0 {
		return 0, nil, false
	}
	t := make([]float32, len(b)/4)
	for i := range t {
		t[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return generation, t, true
}

func joinDevice(id gatehouse.DeviceID, value []byte) []byte {
	b := append([]byte{byte(len(id))}, id...)
	return append(b, value...)
}

func cutDevice(b []byte) (gatehouse.DeviceID, []byte, bool) {
	if len(b) < 1 || len(b) < 1+int(b[0]) {
		return "", nil, false
	}
	n := 1 + int(b[0])
	return gatehouse.DeviceID(b[1:n]), b[n:], true
}
