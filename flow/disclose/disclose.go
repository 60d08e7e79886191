// Package disclose is the one way by which names, plates and archived pictures
// reach a page: it asks the vault, which writes the disclosure before it opens
// anything. While the vault is sealed it lends badge labels.
package disclose

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"gatehouse"
)

// Vault opens, and notes what is shown from memory.
type Vault interface {
	gatehouse.Opener
	// UnsealWith returns the proof that Open asks for.
	UnsealWith(ctx context.Context, operator string, with gatehouse.Credential, lasts time.Duration) (proof []byte, until time.Time, err error)
	SealVault(ctx context.Context) error
	// Record writes a disclosure of something that is not the vault's to open:
	// pictures of the memory ring, shown while the vault is sealed, and the unsealing.
	Record(ctx context.Context, d gatehouse.Disclosure) error
}

// Subjects finds the sealed records.
type Subjects interface {
	Subject(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error)
}

// Passages finds the sealed details.
type Passages interface {
	Passage(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error)
}

// Blobs finds the sealed pictures.
type Blobs interface {
	Blob(ctx context.Context, id gatehouse.BlobID) ([]byte, error)
}

// Badges has the labels for while the vault is sealed.
type Badges interface {
	Badge(gatehouse.SubjectID) (gatehouse.Badge, bool)
}

// Ports are what disclosing needs of the rest.
type Ports struct {
	Place    gatehouse.Place
	Vault    Vault
	Subjects Subjects
	Passages Passages
	Blobs    Blobs
	Badges   Badges
	Now      func() time.Time
}

// Discloser lends. Its methods are safe for concurrent use.
type Discloser struct {
	Ports
	*held
	role string // in which it lends; "" where there are none
}

// held is what the discloser of one role shares with those of the others.
type held struct {
	mu     sync.Mutex
	leases []lease // of whoever unsealed the vault, the longest first; none while sealed
}

// lease is one unsealing: its proof opens until its time is over.
type lease struct {
	proof []byte
	until time.Time
}

// maxLeases bounds what is kept where somebody unseals again and again.
const maxLeases = 8

// New returns a discloser over its ports.
func New(p Ports) *Discloser {
	if p.Now == nil {
		p.Now = time.Now
	}
	return &Discloser{Ports: p, held: &held{}}
}

// As returns the discloser for whoever acts in a role: the log names it, and its budget
// pays.
func (d *Discloser) As(role gatehouse.Role) *Discloser {
	as := *d
	as.role = string(role)
	return &as
}

// Lent is how a subject may be called.
type Lent struct {
	Text   string
	Opened bool // by the vault; otherwise Text is a badge label
	Plate  bool
}

// holder holds the site's lease: whoever knows the passphrase opens the vault for
// the site's sessions, each of which the log names in full below it.
const holder = "site"

// Unseal opens the vault with a passphrase for at most lasts and keeps the proof beside those of earlier
// unsealings: a shorter one does not end a longer one. It is written to the disclosure
// log under the operator's name; where that fails the vault is sealed again. Errors:
// vault.passphrase, vault.busy, vault.duration, and the vault's others.
func (d *Discloser) Unseal(ctx context.Context, operator string, passphrase []byte, lasts time.Duration) error {
	return d.UnsealBy(ctx, operator, func(ctx context.Context, holder string) ([]byte, time.Time, error) {
		return d.Vault.UnsealWith(ctx, holder, gatehouse.Passphrase(passphrase), lasts)
	})
}

// UnsealBy is Unseal where another credential than a passphrase opens the vault: by
// unseals it for holder, as Vault.UnsealWith does.
func (d *Discloser) UnsealBy(ctx context.Context, operator string, by func(ctx context.Context, holder string) (proof []byte, until time.Time, err error)) error {
	proof, until, err := by(ctx, holder)
	if err != nil {
		return err
	}
	now := d.Now()
	if err := d.Vault.Record(ctx, gatehouse.Disclosure{ID: gatehouse.NewID(now), At: now.UTC(), Operator: holder + "/" + operator, Role: d.role, Purpose: "unseal"}); err != nil {
		return errors.Join(err, d.Seal(context.WithoutCancel(ctx)))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keep(lease{proof, until})
	return nil
}

// Holder is how the log names one of the site's operators.
func (d *Discloser) Holder(operator string) string { return holder + "/" + operator }

// Lease gives what another verb needs to ask the vault in an operator's name; ok is
// false while the vault is sealed.
func (d *Discloser) Lease(operator string) (as string, proof []byte, ok bool) {
	proof = d.proof()
	return d.Holder(operator), proof, proof != nil
}

// Seal closes the vault for everybody.
func (d *Discloser) Seal(ctx context.Context) error {
	d.forgetAll()
	return d.Vault.SealVault(ctx)
}

func (d *Discloser) forgetAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leases = nil
}

// open asks the vault. sealed is true, and nothing opened, while it is sealed.
func (d *Discloser) open(ctx context.Context, operator, purpose, reason string, refs []gatehouse.SealedRef) (plain [][]byte, sealed bool, err error) {
	for {
		proof := d.proof()
		if proof == nil {
			return nil, true, nil
		}
		plain, err = d.Vault.Open(ctx, gatehouse.OpenRequest{Operator: holder + "/" + operator, Role: d.role, Proof: proof, Purpose: purpose, Reason: reason, Refs: refs})
		switch gatehouse.ErrorCode(err) {
		case "vault.sealed", "vault.forbidden", "vault.unavailable": // the lease ran out, or the vault process started anew
			d.forget(proof)
			continue
		case "vault.canary": // every lease has ended
			d.forgetAll()
		}
		return plain, false, err
	}
}

// proof is the one that lasts longest, nil while the vault is sealed.
func (d *Discloser) proof() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.leases) == 0 {
		return nil
	}
	return d.leases[0].proof
}

// forget drops a proof that opens nothing any more.
func (d *Discloser) forget(proof []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leases = slices.DeleteFunc(d.leases, func(l lease) bool { return bytes.Equal(l.proof, proof) })
}

// Live lends what the live window shows of the passages: names and plates, or the
// badge labels while the vault is sealed or the live budget does not suffice. The disclosure covers the pictures of the
// memory ring, so it is written in either case.
func (d *Discloser) Live(ctx context.Context, operator string, passages []gatehouse.Passage) (_ map[gatehouse.ID]Lent, err error) {
	var refs []gatehouse.SealedRef
	var of []gatehouse.Passage // which passage each ref is for
	for _, p := range passages {
		if d.proof() == nil {
			break // what nobody opens need not be read, for every page of a busy site
		}
		if p.Known {
			s, err := d.Subjects.Subject(ctx, d.Place, p.Subject)
			if err != nil {
				continue // erased since: there is nothing to lend
			}
			if ref, ok := nameRef(s); ok {
				refs, of = append(refs, ref), append(of, p)
			}
		} else if p.Kind == gatehouse.PlateReading {
			s, err := d.Passages.Passage(ctx, d.Place, p.ID)
			if err != nil {
				continue
			}
			refs, of = append(refs, detailRef(s)), append(of, p)
		}
	}
	var plain [][]byte
	sealed := true
	if len(refs) > 0 {
		plain, sealed, err = d.open(ctx, operator, "live", "", refs)
		switch gatehouse.ErrorCode(err) {
		case "vault.budget", "vault.canary":
			sealed = true // the gate is watched on, by labels
		default:
			if err != nil {
				return nil, err
			}
		}
	}
	// What the vault opened it has written down; the rest is pictures from memory.
	rest := passages
	if !sealed {
		rest = slices.DeleteFunc(slices.Clone(passages), func(p gatehouse.Passage) bool {
			return slices.ContainsFunc(of, func(q gatehouse.Passage) bool { return q.ID == p.ID })
		})
	}
	if len(rest) > 0 || len(passages) == 0 {
		if err := d.record(ctx, operator, "live", rest); err != nil {
			return nil, err
		}
	}
	lent := map[gatehouse.ID]Lent{}
	for _, p := range passages {
		if b, ok := d.Badges.Badge(p.Subject); ok && p.Known {
			lent[p.ID] = Lent{Text: b.Label}
		}
	}
	for i, p := range of {
		if i < len(plain) && plain[i] != nil {
			if l, ok := lend(p, plain[i]); ok {
				lent[p.ID] = l
			}
		}
	}
	return lent, nil
}

// Detail opens one passage: who it was and what was read. The detail is nil while
// the vault is sealed or where it was erased.
func (d *Discloser) Detail(ctx context.Context, operator string, s gatehouse.StoredPassage) (Lent, *gatehouse.Detail, error) {
	var who Lent
	refs := []gatehouse.SealedRef{detailRef(s)}
	if s.Passage.Known {
		if b, ok := d.Badges.Badge(s.Passage.Subject); ok {
			who.Text = b.Label
		}
		if subject, err := d.Subjects.Subject(ctx, d.Place, s.Passage.Subject); err == nil {
			if ref, ok := nameRef(subject); ok {
				refs = append(refs, ref)
			}
		}
	}
	plain, sealed, err := d.open(ctx, operator, "passage", "", refs)
	if err != nil {
		return who, nil, err
	}
	if sealed {
		return who, nil, d.record(ctx, operator, "passage", []gatehouse.Passage{s.Passage})
	}
	var detail *gatehouse.Detail
	if plain[0] != nil {
		detail = &gatehouse.Detail{}
		if err := json.Unmarshal(plain[0], detail); err != nil {
			return who, nil, gatehouse.Errorf("passage.detail", "it was written by another version", "a passage's detail cannot be read: %w", err)
		}
	}
	if len(plain) > 1 && plain[1] != nil {
		if l, ok := lend(s.Passage, plain[1]); ok {
			who = l
		}
	} else if detail != nil && detail.Plate != "" {
		who = Lent{Text: detail.Plate, Opened: true, Plate: true}
	}
	return who, detail, nil
}

// Evidence opens a passage's archived pictures, in order; nil for one that is gone.
func (d *Discloser) Evidence(ctx context.Context, operator string, s gatehouse.StoredPassage, reason string) ([][]byte, error) {
	plain, sealed, err := d.open(ctx, operator, "passage", reason, d.pictures(ctx, s.Evidence))
	if sealed {
		return nil, gatehouse.Errorf("vault.sealed", "unseal it on the live page or with `gatehouse unseal`", "the vault is sealed")
	}
	return plain, err
}

// pictures points to sealed pictures.
func (d *Discloser) pictures(ctx context.Context, all []gatehouse.Evidence) []gatehouse.SealedRef {
	refs := make([]gatehouse.SealedRef, len(all))
	for i, e := range all {
		sealed, err := d.Blobs.Blob(ctx, e.Blob)
		if err != nil {
			sealed = nil // expired or erased: the vault gives nil for it
		}
		refs[i] = gatehouse.SealedRef{Where: gatehouse.SealContext{Place: d.Place, Table: "evidence", Row: e.Blob, Field: string(e.Kind)}, Sealed: sealed}
	}
	return refs
}

// Names lends the names or plates of enrolled subjects; empty while sealed.
func (d *Discloser) Names(ctx context.Context, operator string, ids []gatehouse.SubjectID) (map[gatehouse.SubjectID]string, error) {
	var refs []gatehouse.SealedRef
	var of []gatehouse.Subject
	for _, id := range ids {
		if s, err := d.Subjects.Subject(ctx, d.Place, id); err == nil {
			if ref, ok := nameRef(s); ok {
				refs, of = append(refs, ref), append(of, s)
			}
		}
	}
	plain, _, err := d.open(ctx, operator, "person", "", refs)
	names := map[gatehouse.SubjectID]string{}
	for i, b := range plain {
		if len(b) > 0 {
			names[of[i].ID] = string(b)
		}
	}
	return names, err
}

func (d *Discloser) record(ctx context.Context, operator, purpose string, passages []gatehouse.Passage) error {
	entry := gatehouse.Disclosure{ID: gatehouse.NewID(d.Now()), At: d.Now().UTC(), Operator: holder + "/" + operator, Role: d.role, Purpose: purpose}
	for _, p := range passages {
		entry.Items = append(entry.Items, "ring/"+p.ID.String()+"/pictures")
		entry.Units++
	}
	if len(passages) == 0 { // the window alone: the gates' latest pictures
		entry.Items, entry.Units = []string{"ring/gates/stills"}, 1
	}
	return d.Vault.Record(ctx, entry)
}

// nameRef points to the sealed name or plate of a subject; ok is false where it has none.
func nameRef(s gatehouse.Subject) (ref gatehouse.SealedRef, ok bool) {
	parts, err := gatehouse.UnpackRecord(s.Record)
	if err != nil || len(parts.Name) == 0 {
		return ref, false
	}
	return gatehouse.SealedRef{Where: gatehouse.SealContext{Place: s.Place, Table: "subjects", Row: s.ID, Field: "name"}, Sealed: parts.Name}, true
}

func detailRef(s gatehouse.StoredPassage) gatehouse.SealedRef {
	return gatehouse.SealedRef{Where: gatehouse.SealContext{Place: s.Passage.Place, Table: "passages", Row: s.Passage.ID, Field: "detail"}, Sealed: s.Detail}
}

// lend reads what to call a passage's subject from its opened name, or a stranger's
// plate from the opened detail.
func lend(p gatehouse.Passage, plain []byte) (Lent, bool) {
	plate := p.Kind == gatehouse.PlateReading
	if p.Known {
		return Lent{Text: string(plain), Opened: true, Plate: plate}, len(plain) > 0
	}
	var d gatehouse.Detail
	if json.Unmarshal(plain, &d) != nil || d.Plate == "" {
		return Lent{}, false
	}
	return Lent{Text: d.Plate, Opened: true, Plate: true}, true
}
