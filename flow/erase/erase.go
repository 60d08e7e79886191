// Package erase makes a subject (a person, a vehicle, a stranger's capture) be gone:
// its keys, so that every copy of what was sealed for it is noise; what the gate knows
// of it; its pictures; and its id, which a random one replaces wherever it stood. What
// stays are times at gates, which are nobody's. The verb spans many files, so it writes
// an intent first and finishes what it began after a crash. Whoever asked gets a
// certificate that an auditor can check.
package erase

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"gatehouse"
)

// Ports are what erasing needs of the rest.
type Ports struct {
	Place   gatehouse.Place
	Store   Store
	Vault   Vault
	Working Working
	Blobs   Blobs
	Keep    gatehouse.WorkingSealer // seals the intents
	// Forget drops a passage's pictures from memory; Gone tells open pages.
	Forget func(passage gatehouse.ID)
	Gone   func()
	// Rewrite puts the files that what was erased lay in under fresh keys; nil where
	// another job does.
	Rewrite func(ctx context.Context) error
	// Prove gives the proof that a leaf stands in the audit log, as JSON; nil where
	// there is no log to prove from.
	Prove func(ctx context.Context, leaf int64) (json.RawMessage, error)
	Now   func() time.Time
}

// Store is what erasing reads and changes of the metadata.
type Store interface {
	gatehouse.ErasureStore
	Subject(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error)
	BeginIntent(ctx context.Context, i gatehouse.Intent) error
	FinishIntent(ctx context.Context, id gatehouse.ID) error
	Intents(ctx context.Context) ([]gatehouse.Intent, error)
}

// Vault deletes keys and writes certificates.
type Vault interface {
	// Erasable says what an erasure would find.
	Erasable(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID) (gatehouse.Erasable, error)
	// Erase makes everything that was and will be sealed for the subject noise. It
	// refuses with vault.held, vault.erase_limit, vault.sealed, vault.forbidden,
	// vault.operator and vault.reason, and has done nothing then.
	Erase(ctx context.Context, r gatehouse.EraseRequest) (chains int, err error)
	// Certify ends an erasure and says which leaf of the audit log commits to it. It
	// fails with erase.waiting while a file of the vault still has what was erased.
	Certify(ctx context.Context, id gatehouse.ID, passages int) (c gatehouse.ErasureCertificate, leaf int64, err error)
}

// Working is the working set.
type Working interface {
	// RemoveSubject forgets the subject on disk and in memory, for good.
	RemoveSubject(ctx context.Context, id gatehouse.SubjectID) error
}

// Blobs deletes sealed pictures; those that are gone are no error.
type Blobs interface {
	DeleteBlobs(ctx context.Context, ids []gatehouse.BlobID) error
}

// Request asks for an erasure.
type Request struct {
	ID       gatehouse.ID // of the erasure, random; zero where nobody looks at how far it is
	Subject  gatehouse.SubjectID
	Operator string
	Reason   string
	Proof    []byte // of having unsealed the vault; nil where it is sealed
}

// Document is a certificate with what an auditor needs to check it.
type Document struct {
	Certificate gatehouse.ErasureCertificate `json:"certificate"`
	Leaf        int64                        `json:"leaf"` // its number in the audit log
	// Proof shows that the leaf stands in the log: vault/auditlog's Proof. Absent
	// where the log could not give one then.
	Proof json.RawMessage `json:"proof,omitempty"`
}

// Eraser erases one site's subjects, one after the other.
type Eraser struct {
	Ports
	turn chan struct{} // holds one token: whoever erases has taken it
	seen sync.Mutex
	open map[gatehouse.ID]*Progress
}

// New returns an eraser over its ports.
func New(p Ports) *Eraser {
	if p.Now == nil {
		p.Now = time.Now
	}
	e := &Eraser{Ports: p, turn: make(chan struct{}, 1), open: map[gatehouse.ID]*Progress{}}
	e.turn <- struct{}{}
	return e
}

// take waits until no other erasure is under way, as long as ctx lasts.
func (e *Eraser) take(ctx context.Context) error {
	select {
	case <-e.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *Eraser) give() { e.turn <- struct{}{} }

// verb names the intents of this package.
const verb = "erase"

// plan is what is to be done: the body of the intent.
type plan struct {
	Subject  gatehouse.SubjectID
	Fresh    gatehouse.SubjectID // takes its place in metadata
	Operator string
	Reason   string
}

func (e *Eraser) intentContext(id gatehouse.ID) gatehouse.SealContext {
	return gatehouse.SealContext{Place: e.Place, Table: "intents", Row: id, Field: verb}
}

// Erase erases a subject. Until the keys go, the end of ctx stops it; once it has begun it
// will happen, whatever comes between. Errors: erase.stopped, erase.unknown, erase.again,
// vault.held, erase.unfinished (it is finished by itself), and the vault's refusals.
func (e *Eraser) Erase(ctx context.Context, r Request) (Document, error) {
	// The id names the erasure and salts its leaf, so it is random.
	id := r.ID
	if id.IsZero() {
		id = gatehouse.RandomID()
	}
	defer e.follow(id, Waits)()
	if e.take(ctx) != nil {
		return Document{}, stopped()
	}
	defer e.give()
	e.stage(id, Checks)
	err := e.check(ctx, r)
	if ctx.Err() != nil {
		return Document{}, stopped()
	}
	if err != nil {
		return Document{}, err
	}
	e.stage(id, Keys)
	ctx = context.WithoutCancel(ctx)
	p := plan{Subject: r.Subject, Fresh: gatehouse.RandomID(), Operator: r.Operator, Reason: r.Reason}
	body, err := json.Marshal(p)
	if err != nil {
		return Document{}, err
	}
	sealed, err := e.Keep.SealWorking(e.intentContext(id), body)
	if err != nil {
		return Document{}, err
	}
	if err := e.Store.BeginIntent(ctx, gatehouse.Intent{ID: id, Verb: verb, Body: sealed}); err != nil {
		return Document{}, err
	}
	doc, err := e.finish(ctx, id, p, r.Proof)
	if err == nil {
		return doc, nil
	}
	if refused(err) {
		if failed := e.Store.FinishIntent(ctx, id); failed != nil {
			return Document{}, failed
		}
		return Document{}, err
	}
	return Document{}, gatehouse.Errorf("erase.unfinished", "do not erase again: it is finished by itself within the hour, or at the next start", "the erasure was begun and could not be finished yet: %w", err)
}

// refused reports whether the vault turned the erasure down before it did anything.
func refused(err error) bool {
	switch gatehouse.ErrorCode(err) {
	case "vault.held", "vault.erase_limit", "vault.sealed", "vault.forbidden", "vault.operator", "vault.reason":
		return true
	}
	return false
}

// check refuses what is not there, and what a hold keeps.
func (e *Eraser) check(ctx context.Context, r Request) error {
	if r.Subject.IsZero() {
		return gatehouse.Errorf("erase.unknown", "give the subject's id", "no subject was named")
	}
	keys, err := e.Vault.Erasable(ctx, e.Place, r.Subject)
	if err != nil {
		return err
	}
	traces, err := e.Store.SubjectTraces(ctx, e.Place, r.Subject)
	if err != nil {
		return err
	}
	switch {
	case keys.Erased && traces == (gatehouse.SubjectTraces{}):
		return gatehouse.Errorf("erase.again", "its certificate was given then", "this subject was erased before")
	case keys.Chains == 0 && traces == (gatehouse.SubjectTraces{}):
		return gatehouse.Errorf("erase.unknown", "`gatehouse people` shows who is enrolled; a passage shows its subject", "there is nothing of such a subject here")
	}
	for _, h := range keys.Holds {
		held := h.Subject == r.Subject
		if day, err := time.Parse(time.DateOnly, h.Day); err == nil && !held {
			if held, err = e.Store.SubjectSeen(ctx, e.Place, r.Subject, day, day.AddDate(0, 0, 1)); err != nil {
				return err
			}
		}
		if held {
			return gatehouse.Errorf("vault.held", "erase it when the hold has ended; `gatehouse hold lift` ends it", "the hold %s keeps the subject until %s", h.ID, h.Until.Format(time.DateOnly))
		}
	}
	return nil
}

// Known reports whether there is anything of a subject that could be erased: somebody
// enrolled, a stranger's capture, a stay of a car that is not enrolled.
func (e *Eraser) Known(ctx context.Context, id gatehouse.SubjectID) (bool, error) {
	keys, err := e.Vault.Erasable(ctx, e.Place, id)
	if err != nil {
		return false, err
	}
	traces, err := e.Store.SubjectTraces(ctx, e.Place, id)
	return traces != (gatehouse.SubjectTraces{}) || keys.Chains > 0 && !keys.Erased, err
}

// finish does the work; every step may be repeated. The keys go first: they are what
// makes the copies noise, and what the vault may refuse to delete. So the pictures are
// noise before the first of them is unlinked, and unlinking them, which is most of the
// work, goes on beside the replacing of ids and the rewriting of files. The certificate
// waits for all of it.
func (e *Eraser) finish(ctx context.Context, id gatehouse.ID, p plan, proof []byte) (doc Document, err error) {
	request := gatehouse.EraseRequest{Place: e.Place, ID: id, Subject: p.Subject, Operator: p.Operator, Reason: p.Reason, Proof: proof}
	if _, err := e.Vault.Erase(ctx, request); err != nil {
		return Document{}, err
	}
	e.stage(id, Gates)
	if err := e.Working.RemoveSubject(ctx, p.Subject); err != nil {
		return Document{}, err
	}
	unlinked, err := e.unlinkPictures(ctx, id, p)
	if err != nil {
		return Document{}, err
	}
	e.stage(id, IDs)
	passages, err := e.replace(ctx, id, p)
	e.stage(id, Pictures)
	if err = errors.Join(err, <-unlinked); err != nil {
		return Document{}, err
	}
	e.stage(id, Certify)
	if doc.Certificate, doc.Leaf, err = e.Vault.Certify(ctx, id, passages); err != nil {
		return Document{}, err
	}
	if err := e.Store.FinishIntent(ctx, id); err != nil {
		return Document{}, err
	}
	return doc, e.prove(ctx, &doc)
}

// replace puts the fresh id in the place of the old one, and the files that the old one
// lay in under fresh keys. It says how many passages have the fresh id then.
func (e *Eraser) replace(ctx context.Context, id gatehouse.ID, p plan) (passages int, err error) {
	leaf := gatehouse.ReplacedLeaf(e.Now(), e.Place, id)
	if _, err := e.Store.ReplaceSubject(ctx, e.Place, p.Subject, p.Fresh, leaf); err != nil {
		return 0, err
	}
	if err := e.forgetLatest(ctx, p.Fresh); err != nil {
		return 0, err
	}
	e.Gone()
	traces, err := e.Store.SubjectTraces(ctx, e.Place, p.Fresh)
	if err != nil || e.Rewrite == nil {
		return traces.Passages, err
	}
	e.stage(id, Rewrites)
	return traces.Passages, e.Rewrite(ctx)
}

func (e *Eraser) prove(ctx context.Context, doc *Document) (err error) {
	if e.Prove != nil {
		doc.Proof, err = e.Prove(ctx, doc.Leaf)
	}
	return err
}

// Certificate gives the document of an erasure once more, with a proof of today.
// Errors: erase.unknown, erase.unfinished.
func (e *Eraser) Certificate(ctx context.Context, id gatehouse.ID) (doc Document, err error) {
	ended := func() error {
		all, err := e.Open(ctx)
		if err == nil && slices.ContainsFunc(all, func(p Progress) bool { return p.ID == id }) {
			err = gatehouse.Errorf("erase.unfinished", "it is finished by itself within the hour", "the erasure has not ended yet")
		}
		return err
	}
	if err := ended(); err != nil { // at once: this one may take minutes
		return Document{}, err
	}
	// The vault ends an erasure with its certificate, so that none may begin meanwhile.
	if err := e.take(ctx); err != nil {
		return Document{}, err
	}
	defer e.give()
	if err := ended(); err != nil {
		return Document{}, err
	}
	if doc.Certificate, doc.Leaf, err = e.Vault.Certify(ctx, id, 0); err != nil {
		return Document{}, err
	}
	return doc, e.prove(ctx, &doc)
}

// unlinkPictures deletes the subject's sealed pictures, and says when that has ended.
// Those of the enrolment are gone when it returns: what refers to them goes with the
// record. Those of passages are found under the old and the fresh id, whichever months
// were replaced before a crash.
func (e *Eraser) unlinkPictures(ctx context.Context, erasure gatehouse.ID, p plan) (ended <-chan error, err error) {
	switch enrolled, err := e.Store.Subject(ctx, e.Place, p.Subject); {
	case err == nil:
		var photos []gatehouse.BlobID
		for _, photo := range enrolled.Photos {
			photos = append(photos, photo.Blob)
		}
		if err := e.Blobs.DeleteBlobs(ctx, photos); err != nil {
			return nil, err
		}
	case gatehouse.ErrorCode(err) != "store.not_found":
		return nil, err
	}
	var blobs []gatehouse.BlobID
	for _, id := range []gatehouse.SubjectID{p.Subject, p.Fresh} {
		if err := e.Store.SubjectBlobs(ctx, e.Place, id, func(b gatehouse.BlobID) error { blobs = append(blobs, b); return nil }); err != nil {
			return nil, err
		}
	}
	done := make(chan error, 1)
	e.tell(erasure, func(p *Progress) { p.Pictures = len(blobs) })
	// Neighbours lie in one folder, which is made durable once for all of them.
	slices.SortFunc(blobs, func(a, b gatehouse.BlobID) int { return slices.Compare(a[:], b[:]) })
	go func() {
		for some := range slices.Chunk(blobs, unlinkAtOnce) {
			if err := e.Blobs.DeleteBlobs(ctx, some); err != nil {
				done <- err
				return
			}
			e.tell(erasure, func(p *Progress) { p.Unlinked += len(some) })
		}
		done <- nil
	}()
	return done, nil
}

// unlinkAtOnce is how many pictures are unlinked until somebody who looks is told.
const unlinkAtOnce = 5000

// inMemory is how far back the memory ring may reach, with a margin.
const inMemory = 15 * time.Minute

// forgetLatest drops from memory the pictures of the last passages, which have the
// fresh id by now, and from the disk those of passages that were committed meanwhile.
func (e *Eraser) forgetLatest(ctx context.Context, fresh gatehouse.SubjectID) error {
	var blobs []gatehouse.BlobID
	err := e.Store.SubjectPassages(ctx, e.Place, fresh, e.Now().Add(-inMemory), func(passage gatehouse.ID, pictures []gatehouse.BlobID) error {
		e.Forget(passage)
		blobs = append(blobs, pictures...)
		return nil
	})
	if err != nil {
		return err
	}
	return e.Blobs.DeleteBlobs(ctx, blobs)
}

// Resume finishes what was interrupted, and says how many erasures that were. What the
// vault refuses for now (too many in an hour) is left for the next time.
func (e *Eraser) Resume(ctx context.Context) (done int, err error) {
	if err := e.take(ctx); err != nil {
		return 0, err
	}
	defer e.give()
	intents, err := e.Store.Intents(ctx)
	if err != nil {
		return 0, err
	}
	for _, i := range intents {
		if i.Verb != verb {
			continue
		}
		body, err := e.Keep.OpenWorking(e.intentContext(i.ID), i.Body)
		if err != nil {
			return done, err
		}
		var p plan
		if err := json.Unmarshal(body, &p); err != nil {
			return done, gatehouse.Errorf("erase.intent", "it was written by another version", "an interrupted erasure cannot be read: %w", err)
		}
		switch err := e.resume(ctx, i.ID, p); {
		case gatehouse.ErrorCode(err) == "vault.erase_limit":
			// Before anything was done. Behind it may be one that has begun, which no limit stops.
			if err := e.dropIfGone(ctx, i.ID, p.Subject); err != nil {
				return done, err
			}
		case gatehouse.ErrorCode(err) == "erase.waiting": // for a backup; everything else is done
		case gatehouse.ErrorCode(err) == "vault.held": // before anything was done
			if err := e.Store.FinishIntent(ctx, i.ID); err != nil {
				return done, err
			}
		case err != nil:
			return done, err
		default:
			done++
		}
	}
	return done, nil
}

func (e *Eraser) resume(ctx context.Context, id gatehouse.ID, p plan) error {
	defer e.follow(id, Keys)()
	_, err := e.finish(ctx, id, p, nil)
	return err
}

// dropIfGone ends an erasure that has not begun and whose subject another has erased:
// somebody asked again, with the vault unsealed.
func (e *Eraser) dropIfGone(ctx context.Context, id gatehouse.ID, subject gatehouse.SubjectID) error {
	keys, err := e.Vault.Erasable(ctx, e.Place, subject)
	if err != nil || !keys.Erased {
		return err
	}
	traces, err := e.Store.SubjectTraces(ctx, e.Place, subject)
	if err != nil || traces != (gatehouse.SubjectTraces{}) {
		return err
	}
	return e.Store.FinishIntent(ctx, id)
}
